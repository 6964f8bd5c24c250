"""The budget: which rule speaks for which number of which benchmark."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pytest_gotrace.budget import (
    Budget,
    Defaults,
    Requirement,
    Rule,
    Waiver,
    load,
    matches,
    unmatched,
    unmatched_message,
)
from pytest_gotrace.limit import parse_limit
from pytest_gotrace.metrics import Key, parse_key, parse_series

HERE = Path("gotrace.yaml")
SUBJECTS = ("db", "dbx", "render", "sync.(*Cond).Wait")


def budget(
    *rules: str, waivers: tuple[Waiver, ...] = (), requirements: tuple[Requirement, ...] = ()
) -> Budget:
    """A budget of rules written `benchmark-glob | key | limit`; a trailing `?` is the level warn."""
    made = []
    for line, rule in enumerate(rules, start=1):
        glob, name, text = (part.strip() for part in rule.split("|"))
        key = parse_key(name)
        limit = parse_limit(text.rstrip("?"), key)
        made.append(
            Rule(
                benchmark_glob=glob,
                key=key,
                limit=limit,
                level="warn" if text.endswith("?") else "fail",
                text=f"{key}: {limit}",
                path=HERE,
                line=line,
            )
        )
    return Budget(
        path=HERE, defaults=Defaults(), rules=tuple(made), waivers=waivers, requirements=requirements
    )


def waiver(benchmark: str, metric: str, until: date) -> Waiver:
    return Waiver(
        benchmark_glob=benchmark, metric_glob=metric, until=until, reason="because", path=HERE, line=1
    )


def covering(rules: tuple[Rule, ...], key: str) -> list[int]:
    """The lines of the rules that speak for one number."""
    return [rule.line for rule in rules if rule.covers(parse_key(key))]


@pytest.mark.parametrize(
    ("glob", "benchmark", "expected"),
    [
        ("pool/BenchmarkPool", "pool/BenchmarkPool", True),
        ("pool/BenchmarkPool", "pool/BenchmarkPool/x", False),
        ("pool/*", "pool/BenchmarkPool/size=10", True),
        ("*", "BenchmarkRoot", True),
        ("*/Benchmark?ool", "a/b/BenchmarkPool", True),
        ("Benchmark[AB]", "BenchmarkB", True),
        ("BenchmarkX/size=[10]", "BenchmarkX/size=[10]", True),
        ("pool/benchmark*", "pool/BenchmarkPool", False),
    ],
)
def test_a_benchmark_glob_is_a_shell_glob_across_slashes(glob, benchmark, expected):
    """A star crosses slashes, case matters, and a name with brackets matches itself."""
    made = budget(f"{glob} | ns/op | +1%")
    assert made.rules[0].matches(benchmark) is expected
    assert bool(made.rules_for(benchmark)) is expected
    assert Requirement(benchmark=glob, key_series=None, path=HERE, line=1).matches(benchmark) is expected


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("region[db].p99", "region[db].p99", True),
        ("region[db].p99", "region[db].p50", False),
        ("region[*].p99", "region[db].p99", True),
        ("region[*].p99", "task[db].p99", False),
        ("region[d?].p99", "region[db].p99", True),
        ("region[[a-z]].p99", "region[d].p99", False),
        ("region[[a-z]].p99", "region[[a-z]].p99", True),
        ("sync-block[*].p99", "sync-block.p99", False),
        ("sync-block.p99", "sync-block[select].p99", False),
        ("sync-block.p99", "sync-block.p99", True),
        ("sync-block[sync.(*Cond).Wait].p99", "sync-block[sync.(*Cond).Wait].p99", True),
        ("sync-block[sync.(*Cond).Wait].p99", "sync-block[sync.(*MyCond).Wait].p99", False),
        ("sync-block[sync.(*Cond).*].p99", "sync-block[sync.(*Cond).Wait].p99", True),
    ],
)
def test_a_subject_glob_has_stars_and_question_marks_only(pattern, key, expected):
    """Brackets and Go's receiver stars are part of a name; a key without subject is a number of its own."""
    assert matches(parse_key(pattern), parse_key(key)) is expected


def test_a_later_entry_overrides_an_earlier_one_for_the_same_key():
    """Of two rules for the same benchmark and key only the later one is left, where it stands."""
    made = budget("* | ns/op | +10%", "* | B/op | +10%", "pool/* | ns/op | +20%?")
    assert [(rule.line, rule.level) for rule in made.rules_for("pool/B")] == [(2, "fail"), (3, "warn")]
    assert [rule.line for rule in made.rules_for("other/B")] == [1, 2]


def test_off_removes_a_rule_and_a_later_entry_brings_it_back():
    """A rule that is off is gone for its benchmarks only, until a later entry sets a limit again."""
    made = budget("* | ns/op | +10%", "pool/* | ns/op | off", "pool/B | ns/op | +30%")
    assert [[rule.line for rule in made.rules_for(name)] for name in ("x/A", "pool/A", "pool/B")] == [
        [1],
        [],
        [3],
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_exact_subject_wins_over_a_glob_whatever_the_order(order):
    """The rule that names a subject speaks for it alone, before or after the glob."""
    lines = ["* | region[*].p99 | +50%", "* | region[db].p99 | +10%"]
    rules = budget(*(lines[index] for index in order)).rules_for("B")
    exact, glob = order.index(1) + 1, order.index(0) + 1
    assert covering(rules, "region[db].p99") == [exact]
    assert covering(rules, "region[render].p99") == [glob]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_exact_off_is_an_exception_to_a_glob(order):
    """A subject that is switched off by name is not brought back by a glob."""
    lines = ["* | region[*].p99 | +50%", "* | region[db].p99 | off"]
    rules = budget(*(lines[index] for index in order)).rules_for("B")
    assert covering(rules, "region[db].p99") == []
    assert covering(rules, "region[render].p99") == [order.index(0) + 1]


def test_of_two_globs_the_later_one_wins():
    """Where two globs match a subject, the later one speaks for it."""
    rules = budget(
        "* | region[d*].p99 | +10%", "* | region[*b].p99 | +20%", "* | region[dbx].p99 | +30%"
    ).rules_for("B")
    assert [covering(rules, f"region[{name}].p99") for name in ("db", "dx", "xb", "dbx")] == [
        [2],
        [1],
        [2],
        [3],
    ]


def test_a_subject_with_gos_star_is_exact():
    """`sync.(*Cond).Wait` is a name, so its rule wins over a later glob."""
    rules = budget("* | sync-block[sync.(*Cond).Wait].p99 | +10%", "* | sync-block[*].p99 | +20%").rules_for(
        "B"
    )
    assert covering(rules, "sync-block[sync.(*Cond).Wait].p99") == [1]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_number_is_judged_twice(subject):
    """However rules overlap, one number has at most one."""
    lines = [
        f"{glob} | region[{pattern}].p99 | +10%"
        for glob in ("*", "p*")
        for pattern in (*SUBJECTS, "*", "d*", "?b")
    ]
    for rules in (lines, lines[::-1]):
        assert len(covering(budget(*rules).rules_for("pool"), f"region[{subject}].p99")) == 1


def test_a_waiver_holds_to_the_end_of_its_day():
    """A waiver helps up to and including its date, and is reported from the next day on."""
    made = budget(waivers=(waiver("pool/*", "sync-block*", date(2026, 12, 31)),))
    key = parse_key("sync-block[chan send].total")
    assert made.waiver_for("pool/B", key, date(2026, 12, 31)) == made.waivers[0]
    assert made.waiver_for("pool/B", key, date(2027, 1, 1)) is None
    assert made.expired_waivers(date(2026, 12, 31)) == ()
    assert made.expired_waivers(date(2027, 1, 1)) == made.waivers


@pytest.mark.parametrize(
    ("benchmark", "metric", "expected"),
    [
        ("pool/*", "*", True),
        ("pool/B", "region[db].p99", True),
        ("pool/B", "region[db].*", True),
        ("pool/B", "region*.p99", True),
        ("pool/B", "region[dx].p99", False),
        ("other/*", "*", False),
    ],
)
def test_a_waiver_needs_both_globs(benchmark, metric, expected):
    """A waiver is about a number when its benchmark and metric match; a metric's brackets are literal."""
    made = budget(waivers=(waiver(benchmark, metric, date.max),))
    assert (made.waiver_for("pool/B", parse_key("region[db].p99"), date(2026, 1, 1)) is not None) is expected


def test_an_expired_waiver_does_not_hide_a_valid_one():
    """The first waiver that still holds is the one that counts."""
    made = budget(waivers=(waiver("*", "*", date(2026, 1, 1)), waiver("*", "*", date(2026, 12, 31))))
    assert made.waiver_for("B", parse_key("ns/op"), date(2026, 6, 1)) == made.waivers[1]


@pytest.mark.parametrize(
    ("wanted", "seen", "expected"),
    [
        (None, [], True),
        ("region[render]", ["region[render]", "exec"], True),
        ("region[render]", ["region[db]"], False),
        ("region[*]", ["region[db]"], True),
        ("ns/op", [], False),
    ],
)
def test_a_requirement_is_met_by_what_was_seen(wanted, seen, expected):
    """A requirement on a series is met when it was seen; one without asks for the benchmark alone."""
    series = parse_series(wanted) if wanted else None
    required = Requirement(benchmark="B", key_series=series, path=HERE, line=1)
    assert required.met_by([parse_series(text) for text in seen]) is expected


def test_the_globs_are_those_of_what_must_run():
    """Each glob of a limit or a requirement is named once; a rule that is off needs no run."""
    required = Requirement(benchmark="d/B", key_series=None, path=HERE, line=9)
    made = budget(
        "a | ns/op | +1%", "a | B/op | +1%", "b | ns/op | off", "c | ns/op | +1%", requirements=(required,)
    )
    assert made.globs() == ("a", "c", "d/B")


def test_a_rule_without_benchmark_is_named_with_the_nearest_one():
    """A glob that matches nothing is returned with a message that suggests the name that was meant."""
    made = budget("pool/BenchmarkPol | ns/op | +1%", "pool/* | ns/op | +1%")
    names = ["pool/BenchmarkPool", "fan/BenchmarkOut"]
    (rule,) = unmatched(made, names)
    assert rule == made.rules[0]
    assert unmatched_message(rule, names) == (
        "no benchmark matches 'pool/BenchmarkPol' (did you mean 'pool/BenchmarkPool'?); "
        "there are: pool/BenchmarkPool, fan/BenchmarkOut"
    )
    assert unmatched(made, []) == made.rules
    assert unmatched_message(rule, []).endswith("there are no benchmarks at all")
    assert unmatched_message(rule, [f"x/Benchmark{n}" for n in range(7)]).endswith("x/Benchmark4 and 2 more")


def test_a_budget_that_cannot_fail_says_so():
    """A file in which everything warns, or is off, is legal and is remarked upon."""
    assert budget("* | ns/op | +1%", "* | B/op | +1%?").advice() == ()
    assert budget("* | ns/op | +1%?").advice() == (
        "every rule has level warn, so no change of speed can fail a run",
    )
    assert budget("* | ns/op | off").advice() == ("every rule is off, so nothing is judged",)


def test_loading_reads_a_file(tmp_path):
    """`load` takes a path as text or as a path, and every part remembers where it stands."""
    path = tmp_path / "gotrace.yaml"
    path.write_text("version: 1\nbudgets:\n  pool/*:\n    region[*].p99: +10%\n")
    (rule,) = load(str(path)).rules
    assert load(path) == load(str(path))
    assert (rule.path, rule.line, rule.text) == (path, 4, "region[*].p99: +10%")
    assert rule.key == Key(metric="region", subject="*", statistic="p99")
