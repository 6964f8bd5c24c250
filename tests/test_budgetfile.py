# ruff: noqa: E501 - a row of a table is read in one line
"""The budget file: what it says is what the budget holds, and every mistake has its line and its remedy."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from pytest_gotrace.budget import Defaults, Requirement, Waiver, load, schema
from pytest_gotrace.errors import BudgetError, ExitCode
from pytest_gotrace.limit import Limit
from pytest_gotrace.metrics import CATALOGUE, STATISTICS, Metric, parse_series

EXAMPLE = """\
version: 1
defaults: {level: fail, on_inconclusive: warn, max_pairs: 20, timeout: 10m, max_trace_mb: 64}
budgets:
  "pool/BenchmarkPool":
    ns/op: +15%
    sync-block[chan send].total: +30% and 20us
    region[*].p99: +50% and 50us
  "handler/BenchmarkHandler/*":
    gc-pause.max: {max: 5ms, level: warn}
    goroutine-leak.count: +3
    custom[hits/op]: -5%
    region[db].p99: {max_increase: 10%, floor: 20us, level: warn}
    region[db].p50: off
require:
  - handler/BenchmarkHandler/small
  - handler/BenchmarkHandler/small region[render]
waivers:
  - {benchmark: "pool/*", metric: "sync-block*", until: 2026-12-31, reason: "queue rework, PR 123"}
"""

ONE = "version: 1\nbudgets: {B: {ns/op: +1%}}\n"
WAIVER = ONE + "waivers:\n  - {benchmark: B, metric: ns/op, until: 2026-12-31, reason: slow}\n"
SECTIONS = "names: version, defaults, budgets, require, waivers"


def rule(line: str) -> str:
    """A file with one rule, on line 4."""
    return f"version: 1\nbudgets:\n  pool/B:\n    {line}\n"


def defaults(line: str) -> str:
    """A file whose defaults are on line 2."""
    return f"version: 1\ndefaults: {{{line}}}\nbudgets: {{B: {{ns/op: +1%}}}}\n"


def waiver(**change: str | None) -> str:
    """A file with one waiver on line 4, some of whose fields are different or gone."""
    fields = {"benchmark": "B", "metric": "ns/op", "until": "2026-12-31", "reason": "slow"} | change
    text = ", ".join(f"{name}: {value}" for name, value in fields.items() if value is not None)
    return ONE + f"waivers:\n  - {{{text}}}\n"


#: Mistakes that a schema can see too: the file, the line, and what the message says.
STRUCTURE = [
    ("just text", 1, f"expected a mapping with the {SECTIONS}, found 'just text'"),
    ("- version: 1", 1, f"expected a mapping with the {SECTIONS}, found a list"),
    ("version: 1", 1, f"'budgets' is missing; {SECTIONS}"),
    ("budgets: {B: {ns/op: +1%}}", 1, f"'version' is missing; {SECTIONS}"),
    ("version: 2\nbudgets: {B: {ns/op: +1%}}", 1, "version: unknown version '2'; this release reads version 1"),
    (ONE + "budget: {}", 3, f"unknown name 'budget' (did you mean 'budgets'?); {SECTIONS}"),
    ("version: 1\nbudgets:\n", 2, "budgets: expected a mapping from benchmarks to their limits, found nothing"),
    ("version: 1\nbudgets: {}", 2, "budgets: expected a mapping from benchmarks to their limits, found an empty"),
    ("version: 1\nbudgets: [a]", 2, "budgets: expected a mapping from benchmarks to their limits, found a list"),
    ("version: 1\nbudgets:\n  B:\n", 3, "budgets: B: expected a mapping from metrics to limits, found nothing"),
    ('version: 1\nbudgets:\n  "": {ns/op: +1%}', 3, "budgets: expected a name before the colon"),
    (rule("ns_op: +1%"), 4, "budgets: pool/B: ns_op: unknown metric 'ns_op' (did you mean 'ns/op'?); known"),
    (rule("regoin[db].p99: +1%"), 4, "unknown metric 'regoin' (did you mean 'region'?); known metrics: ns/op"),
    (rule("region[db].p98: +1%"), 4, "unknown statistic 'p98' of region (did you mean 'p99'?); allowed: count"),
    (rule("region[db]: +1%"), 4, "region needs a statistic, as in region[NAME].max; allowed: count, total"),
    (rule("region.p99: +1%"), 4, "region needs a name in brackets, as in region[NAME].max"),
    (rule("exec[main].p99: +1%"), 4, "exec takes no name in brackets, found [main]"),
    (rule("sync-block[].p99: +1%"), 4, "the brackets of 'sync-block[].p99' are empty"),
    (rule("ns/op.p99: +1%"), 4, "unknown statistic 'p99' of ns/op; allowed: none: it is one number per run already"),
    (rule("ns/op:"), 4, "budgets: pool/B: ns/op: expected a limit such as +15%, found nothing"),
    (rule("ns/op: [+1%]"), 4, "ns/op: expected a limit such as +15%, found a list"),
    (rule("ns/op: 15%"), 4, "ns/op: expected a limit such as '+15%', '+15% and 20us', '+20us', 'max 5ms' or 'off', "
     "found '15%': write '+15%' if it may grow by that"),
    (rule("ns/op: +15"), 4, "ns/op: a number alone could be percent or a quantity: write +15% or +15us"),
    (rule("ns/op: +15% and 20ux"), 4, "ns/op: expected a time such as 20us, found '20ux'; units: ns, us, ms, s, m, h"),
    (rule("ns/op: +15% and 4KiB"), 4, "ns/op: expected a time such as 20us, found '4KiB', which is a size"),
    (rule("B/op: +15% and 20us"), 4, "B/op: expected a size such as 64KiB, found '20us', which is a time"),
    (rule("exec.count: +15% and 20us"), 4, "expected a plain number such as 3, found '20us', which is a time"),
    (rule("ns/op: +15% max 5ms"), 4, "ns/op: expected a limit such as"),
    (rule("ns/op: max 5ms, +15%"), 4, "a change comes first, then one 'max'"),
    (rule("ns/op: max +5ms"), 4, "ns/op: expected 'max' and a quantity alone, as in 'max 5ms', found 'max +5ms'"),
    (rule("ns/op: {}"), 4, "ns/op: expected a mapping with the names: max_increase, max_decrease, floor, max, level"),
    (rule("ns/op: {level: warn}"), 4, "ns/op: nothing is limited: expected max_increase, max_decrease or max"),
    (rule("ns/op: {max_increse: 1%}"), 4, "unknown name 'max_increse' (did you mean 'max_increase'?); names: max_inc"),
    (rule("ns/op: {max_increase: +1%}"), 4, "ns/op: max_increase: expected a percentage such as 10%, found '+1%'"),
    (rule("ns/op: {max_increase: 20ux}"), 4, "max_increase: expected a time such as 20us, found '20ux'"),
    (rule("ns/op: {max_increase: {}}"), 4, "max_increase: expected a value, found an empty mapping"),
    (rule("ns/op: {max: 5%}"), 4, "ns/op: max: expected a time such as 20us, found '5%'"),
    (rule("ns/op: {max: 5}"), 4, "ns/op: max: expected a time such as 20us, found '5', which is a plain number"),
    (rule("ns/op: {floor: 20us}"), 4, "ns/op: nothing is limited: expected max_increase, max_decrease or max"),
    (rule("ns/op: {max: 1ms, floor: 20us}"), 4, "floor: a floor needs a percentage in max_increase or max_decrease"),
    (rule("ns/op: {max_increase: 1ms, floor: 20us}"), 4, "floor: a floor needs a percentage in max_increase"),
    (rule("custom[x]: {max_increase: 1%, max_decrease: 1%}"), 4, "max_increase and max_decrease exclude each other"),
    (rule("ns/op: {max_increase: 1%, level: error}"), 4, "ns/op: level: expected fail or warn, found 'error'"),
    (rule("ns/op: {max_increase: 1%, level: off}"), 4, "found 'off'; to switch a rule off, write `off` as its limit"),
    (rule("ns/op:\n      max_increase: 1%\n      level: wran"), 6, "found 'wran' (did you mean 'warn'?)"),
    (defaults("levle: fail"), 2, "defaults: unknown name 'levle' (did you mean 'level'?); names: level, on_"),
    (defaults("level: error"), 2, "defaults: level: expected fail or warn, found 'error'"),
    (defaults("on_inconclusive: pass"), 2, "defaults: on_inconclusive: expected fail or warn, found 'pass'"),
    (defaults("max_pairs: 5"), 2, "defaults: max_pairs: expected a whole number from 6 to 1000, found '5'"),
    (defaults("max_pairs: many"), 2, "max_pairs: expected a whole number from 6 to 1000, found 'many'"),
    (defaults("max_pairs:"), 2, "max_pairs: expected a whole number from 6 to 1000, found nothing"),
    (defaults("timeout: 10"), 2, "timeout: expected a time such as 20us, found '10', which is a plain number"),
    (defaults("max_trace_mb: 0"), 2, "max_trace_mb: expected a whole number from 1 to 65536, found '0'"),
    (ONE + "defaults: []", 3, "defaults: expected a mapping with the names: level, on_inconclusive, max_pairs"),
    (ONE + "require: B", 3, "require: expected a list, found 'B'"),
    (ONE + "require:\n  - B\n  - {B: x}", 5, "require[2]: expected a benchmark, or a benchmark and a metric"),
    (ONE + "require:\n  - ' '", 4, "require[1]: expected some text, found nothing"),
    (ONE + "waivers: {a: b}", 3, "waivers: expected a list, found a mapping"),
    (waiver(reason=None), 4, "waivers[1]: 'reason' is missing; names: benchmark, metric, until, reason"),
    (waiver(reason="''"), 4, "waivers[1]: reason: expected some text, found nothing"),
    (waiver(until=None), 4, "waivers[1]: 'until' is missing; names: benchmark, metric, until, reason"),
    (waiver(until="soon"), 4, "waivers[1]: until: expected a date such as 2026-12-31, found 'soon'"),
    (waiver(until="2026-W53-4"), 4, "until: expected a date such as 2026-12-31, found '2026-W53-4'"),
    (waiver(because="x"), 4, "waivers[1]: unknown name 'because' (did you mean 'benchmark'?); names: benchmark, metric, until, reason"),
]  # fmt: skip

#: Mistakes in what the text means.
MEANING = [
    (rule("ns/op: -5%"), 4, "ns/op: lower is better for ns/op, so its limit is written '+…' or max_increase"),
    (
        rule("ns/op: {max_decrease: 5%}"),
        4,
        "lower is better for ns/op, so its limit is written '+…' or max_increase",
    ),
    (
        rule("ns/op: +0%"),
        4,
        "ns/op: a budget of 0% leaves no room for noise; write 'off' to switch the rule off",
    ),
    (rule("ns/op: max 0s"), 4, "ns/op: a time is never exactly the same, so its budget cannot be 0"),
    (rule("ns/op: {max_increase: 5%, floor: 0us}"), 4, "ns/op: a floor of 0 is none; leave it out"),
    (rule("allocs/op: 3"), 4, "write '+3' if it may grow by that, or 'max 3' if it must not be above that"),
    (
        rule("custom[x]: -100%"),
        4,
        "custom[x]: a fall of 100% leaves nothing to measure; write less than 100%",
    ),
    (
        rule("custom[x]: -5%, max 3"),
        4,
        "custom[x]: 'max' is for what should stay low, but here higher is better",
    ),
    (
        rule("custom[x]: {max_decrease: 5%, max: 3}"),
        4,
        "'max' is for what should stay low, but here higher is",
    ),
    (defaults("timeout: 10ms"), 2, "defaults: timeout: expected at least 1s, found '10ms'"),
    (ONE + "require: [B regoin]", 3, "require[1]: unknown metric 'regoin' (did you mean 'region'?)"),
    (ONE + "require: [B region]", 3, "require[1]: region needs a name in brackets"),
    (
        ONE + "require: ['B region[db].p99']",
        3,
        "require[1]: expected NAME or NAME[SUBJECT] without a statistic",
    ),
    (waiver(until="2026-02-30"), 4, "until: expected a date such as 2026-12-31, found '2026-02-30': day"),
    (
        waiver(metric="sync_block*"),
        4,
        "metric: no metric begins with 'sync_block' (did you mean 'sync-block'?); ",
    ),
]

#: The same name twice: YAML readers, and so schemas, see only the last of them.
TWICE = [
    (ONE + "version: 1", 3, "version: stands here a second time; the first is on line 1"),
    (rule("ns/op: +1%\n    ns/op: +2%"), 5, "ns/op: stands here a second time; the first is on line 4"),
    (
        rule("ns/op: +1%\n  pool/B:\n    B/op: +2%"),
        5,
        "pool/B: stands here a second time; the first is on line 3",
    ),
    (
        WAIVER.replace("until:", "metric: exec*, until:"),
        4,
        "metric: stands here a second time; the first is on line 4",
    ),
]


class Core(yaml.SafeLoader):
    """YAML as editors read it, by the core schema of YAML 1.2: `off` and dates are text, `+3` is a number."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("tag:yaml.org,2002:null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", ["t", "f"]),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", list("-+0123456789")),
):
    Core.add_implicit_resolver(tag, re.compile(pattern), first)


@pytest.fixture(scope="module")
def validator():
    """Of the schema, which is itself valid."""
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


@pytest.fixture
def read(tmp_path):
    """The budget in a text."""

    def read_text(text, catalogue=CATALOGUE):
        path = tmp_path / "gotrace.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, catalogue)

    return read_text


def test_the_example_is_read_as_it_is_meant(read):
    """Every form of limit, default, requirement and waiver arrives in the budget, with its line."""
    budget = read(EXAMPLE)
    rules = [(r.line, r.benchmark_glob, str(r.key), r.limit, r.level) for r in budget.rules]
    pool, handler = "pool/BenchmarkPool", "handler/BenchmarkHandler/*"
    assert rules == [
        (5, pool, "ns/op", Limit(relative=0.15, unit="ns"), "fail"),
        (6, pool, "sync-block[chan send].total", Limit(relative=0.3, absolute=20e3, unit="ns"), "fail"),
        (7, pool, "region[*].p99", Limit(relative=0.5, absolute=50e3, unit="ns"), "fail"),
        (9, handler, "gc-pause.max", Limit(cap=5e6, unit="ns"), "warn"),
        (10, handler, "goroutine-leak.count", Limit(absolute=3), "fail"),
        (11, handler, "custom[hits/op]", Limit(relative=0.05, better="higher"), "fail"),
        (12, handler, "region[db].p99", Limit(relative=0.1, absolute=20e3, unit="ns"), "warn"),
        (13, handler, "region[db].p50", Limit(unit="ns"), "fail"),
    ]
    small, path = "handler/BenchmarkHandler/small", budget.path
    assert budget.requirements == (
        Requirement(benchmark=small, key_series=None, path=path, line=15),
        Requirement(benchmark=small, key_series=parse_series("region[render]"), path=path, line=16),
    )
    assert budget.waivers == (
        Waiver(
            benchmark_glob="pool/*",
            metric_glob="sync-block*",
            until=date(2026, 12, 31),
            reason="queue rework, PR 123",
            path=path,
            line=18,
        ),
    )
    assert budget.defaults == Defaults()


def test_defaults_hold_where_a_rule_says_nothing(read):
    """The level of the defaults is that of every rule without one, wherever the defaults stand in the file."""
    budget = read(
        rule("ns/op: +1%\n    B/op: {max: 1MiB, level: fail}") + "defaults: {level: warn, timeout: 1m30s}\n"
    )
    assert [made.level for made in budget.rules] == ["warn", "fail"]
    assert budget.defaults == Defaults(level="warn", timeout=90.0)


def test_the_long_form_says_what_the_short_form_says(read):
    """Both ways of writing a limit give the same limit and the same text."""
    long = read(
        rule("region[a].p99: {max_increase: 10%, floor: 20us, max: 5ms}\n    custom[x]: {max_decrease: 3}")
    )
    short = read(rule("region[a].p99: +10% and 20us, max 5ms\n    custom[x]: '-3'"))
    assert [(r.limit, r.text) for r in long.rules] == [(r.limit, r.text) for r in short.rules]
    assert [r.text for r in long.rules] == ["region[a].p99: +10% and 20us, max 5ms", "custom[x]: -3"]


def test_a_metric_of_a_longer_catalogue_can_be_named(read):
    """What a plugin adds to the catalogue is allowed in the file, in its own unit."""
    more = (*CATALOGUE, Metric(name="heap", unit="B", traced=True, about="live heap", statistics=("max",)))
    assert read(rule("heap.max: +10% and 4KiB"), more).rules[0].limit == Limit(
        relative=0.1, absolute=4096, unit="B"
    )
    with pytest.raises(BudgetError, match="unknown metric 'heap'"):
        read(rule("heap.max: +10% and 4KiB"))


@pytest.mark.parametrize(("text", "line", "message"), [*STRUCTURE, *MEANING, *TWICE])
def test_a_mistake_is_refused_with_its_line(read, text, line, message):
    """The message names the file, the line, the way there, what was found and what is allowed."""
    with pytest.raises(BudgetError) as caught:
        read(text)
    assert message in caught.value.message
    assert caught.value.line == line
    assert str(caught.value) == f"{caught.value.path}:{line}: {caught.value.message}"
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_name_with_a_line_break_stays_on_one_line_of_the_message(read):
    """A message is one line whatever the file's names contain."""
    with pytest.raises(BudgetError) as caught:
        read('version: 1\nbudgets: {"a\\nb": {ns/op: fast}}')
    assert caught.value.message.startswith(r"budgets: 'a\nb': ns/op: expected a limit")


def test_the_example_repository_has_a_budget_without_mistakes(validator):
    """The budget that newcomers look at is read, and has no error in an editor."""
    path = Path(__file__).parents[1] / "example-go-repo" / "gotrace.yaml"
    assert load(path).advice() == ()
    validator.validate(yaml.load(path.read_text(encoding="utf-8"), Core))


@pytest.mark.parametrize("text", [EXAMPLE, ONE, WAIVER, rule("region[a].p99: '+1.5 % and 2 µs, max 1m30s'")])
def test_the_schema_accepts_what_is_read(validator, read, text):
    """A file that the program reads has no error in an editor."""
    assert read(text).rules
    validator.validate(yaml.load(text, Core))


@pytest.mark.parametrize(("text", "_line", "_message"), STRUCTURE)
def test_the_schema_refuses_what_is_misshapen(validator, text, _line, _message):
    """A file of the wrong shape is marked in an editor before it is ever run."""
    assert not validator.is_valid(yaml.load(text, Core))


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_the_schema_allows_each_metric_exactly_as_the_catalogue_does(validator, metric):
    """Of each metric the schema knows the statistics, whether it has a subject, and the unit; the text is shared."""
    limits = {"ns": "+1% and 1us", "B": "+1% and 1KiB", "1": "+1% and 1"}
    subjects = {"none": [""], "optional": ["", "[x y]"], "required": ["[x y]"]}[metric.subject]
    allowed = {
        f"{metric.name}{subject}{statistic and '.'}{statistic}": limits[
            "1" if statistic == "count" else metric.unit
        ]
        for subject in subjects
        for statistic in metric.statistics or ("",)
    }
    for subject in ("", "[x y]", "[]"):
        for statistic in ("", ".p95", *(f".{name}" for name in STATISTICS)):
            name = f"{metric.name}{subject}{statistic}"
            for limit in limits.values():
                valid = validator.is_valid({"version": 1, "budgets": {"B": {name: limit}}})
                assert valid == (allowed.get(name) == limit), (name, limit)


def test_the_schema_names_no_metric_that_there_is_not():
    """Every name that an editor completes, and every pattern, begins with a metric of the catalogue."""
    limits = schema()["$defs"]["limits"]
    names = {pattern[1:].partition("\\[")[0] for pattern in limits["patternProperties"]}
    names |= {name.partition(".")[0] for name in limits["properties"]}
    assert names == {metric.name for metric in CATALOGUE}
    abouts = {metric.name: metric.about for metric in CATALOGUE}
    for name, entry in limits["properties"].items():
        assert entry["description"] == abouts[name.partition(".")[0]]


def test_the_schema_has_the_defaults_of_the_program():
    """What an editor shows as a default is what holds."""
    shown = {
        name: entry["default"] for name, entry in schema()["properties"]["defaults"]["properties"].items()
    }
    plain = Defaults()
    assert shown == {
        "level": plain.level,
        "on_inconclusive": plain.on_inconclusive,
        "max_pairs": plain.max_pairs,
        "timeout": f"{plain.timeout / 60:.0f}m",
        "max_trace_mb": plain.max_trace_mb,
        "method": plain.method,
        "noise_memory": plain.noise_memory,
    }
