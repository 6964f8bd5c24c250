"""Verdicts become the report: rows, counts, the why, and the command that repeats it."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from asking import answers, benchmark, budget, questions
from samples import SIDES, recording, runs_of, spread, traced_runs

from pytest_gotrace.errors import ExitCode, GoTestError
from pytest_gotrace.prepare import Failure
from pytest_gotrace.report import exit_code
from pytest_gotrace.report_json import parse_report, to_json
from pytest_gotrace.reporting import Circumstances, build, entry, log_text, place, reproduce, speak
from pytest_gotrace.stats import Comparison, Summary
from pytest_gotrace.verdict import Outcome, Verdict

WORSE = runs_of({"base": spread(1000, 6), "head": spread(2000, 6, seed=2)})
TRACED = traced_runs(
    {
        "base": {"exec": spread(500, 6), "sched-wait": spread(100, 6)},
        "head": {"exec": spread(500, 6), "sched-wait": spread(9000, 6)},
    }
)


def about(root: Path, *runs, **others) -> Circumstances:
    fields = {
        "recording": recording(*runs, seed=11),
        "recorded_base": False,
        "failures": (),
        "budget_files": ("gotrace.yaml",),
        "root": root,
        "looks": (6,),
        "elapsed": 1.23,
        "warnings": (),
        "strict": False,
    }
    return Circumstances(**fields | others)


def verdicts(root, limits, runs=WORSE, *, of=(), more="", **facts) -> list[Verdict]:
    found, _ = answers(questions(budget(root, limits, more), *of), recording(*runs), **facts)
    return [verdict for verdicts in found for verdict in verdicts]


def test_a_row_says_what_was_measured(tmp_path):
    """A verdict's row has names, units, limit, place and numbers, and no object of ours."""
    (verdict,) = verdicts(tmp_path, "{ns/op: +10%}")
    row = entry(verdict, tmp_path)
    assert (row.benchmark, row.metric, row.unit, row.outcome) == ("BenchmarkX", "ns/op", "ns", "over")
    assert (row.budget, row.budget_file, row.line) == ("+10%", "gotrace.yaml", 3)
    assert row.base.low < row.base.center < row.base.high
    assert row.base.center == pytest.approx(1000, rel=0.02)
    assert row.change.center == pytest.approx(1.0, rel=0.05)
    assert row.pairs == 6
    assert row.p < 0.05


def test_counts_have_no_unit(tmp_path):
    """The unit of a row is that of its number: counts are plain, times are ns, and a requirement has none."""
    found = verdicts(
        tmp_path, "{exec.count: +10%, exec.total: +10%}", TRACED, more="require:\n  - BenchmarkX exec\n"
    )
    assert [(entry(v, tmp_path).metric, entry(v, tmp_path).unit) for v in found] == [
        ("exec.count", "1"),
        ("exec.total", "ns"),
        ("require exec", "1"),
    ]


def test_an_interval_without_end_shows_its_centre(tmp_path):
    """What two runs leave open is not written as infinity, which is no JSON."""
    (verdict,) = verdicts(tmp_path, "{ns/op: +10%}")
    wide = Summary(center=5.0, low=-inf, high=inf)
    none = Summary(center=inf, low=1.0, high=inf)
    row = entry(
        replace(verdict, comparison=Comparison(decision="inconclusive", pairs=2, base=wide, head=none)),
        tmp_path,
    )
    assert (row.base.low, row.base.center, row.base.high) == (5.0, 5.0, 5.0)
    assert row.head is None


def test_the_whole_report(tmp_path):
    """A report names both sides and the method, counts benchmarks, explains what regressed, and survives its file."""
    runs = (*WORSE, *TRACED)
    found = verdicts(tmp_path, "{ns/op: +10%}", runs)
    whole = build(found, about(tmp_path, *runs, warnings=("careful",)))
    assert (whole.base.name, whole.base.sha, whole.head.dirty) == ("main", SIDES["base"].sha, True)
    assert (whole.method.seed, whole.method.pairs_run, whole.method.elapsed_seconds) == (11, 6, 1.2)
    assert (whole.expected, whole.measured, whole.worst) == (1, 1, "over")
    (why,) = whole.why
    assert why.sentence.startswith("`sched-wait` +8.92 µs per operation")
    assert whole.reproduce == f"pytest --gotrace-baseline={'a' * 12} -k BenchmarkX"
    assert exit_code(whole) is ExitCode.OVER_BUDGET
    assert parse_report(to_json(whole).encode()) == whole


def test_what_is_not_there_was_not_measured(tmp_path):
    """Of benchmarks that failed, skipped or vanished, the report does not say that they were measured."""
    there = (
        benchmark(),
        benchmark("BenchmarkGone", head="absent"),
        benchmark("BenchmarkBad", head="failed"),
        benchmark("BenchmarkSkips", head="skipped"),
    )
    found = verdicts(tmp_path, "Benchmark*: {ns/op: +10%}", of=there)
    whole = build(found, about(tmp_path, *WORSE))
    assert (whole.expected, whole.measured) == (4, 1)


@pytest.mark.parametrize(
    ("there", "limits", "more", "runs", "counted"),
    [
        (benchmark("BenchmarkSame", identical=True), "{ns/op: +10%}", "", (), (1, 1)),
        (benchmark("BenchmarkNew", base="absent"), "{ns/op: +10%}", "", (), (1, 1)),
        (benchmark("BenchmarkThere"), "{ns/op: off}", "require:\n  - BenchmarkThere\n", (), (1, 1)),
        (benchmark("BenchmarkLost"), "{ns/op: +10%}", "", (), (2, 1)),
        (
            benchmark("BenchmarkSame", identical=True),
            "{ns/op: +10%}",
            "",
            runs_of({"head": spread(1, 6)}, benchmark="BenchmarkSame"),
            (2, 2),
        ),
    ],
)
def test_what_needs_no_run_is_not_counted_as_measured(tmp_path, there, limits, more, runs, counted):
    """What is identical, new or only required has not to be measured; it counts where it was run all the same."""
    lines = f"{there.name}: {limits}\n  BenchmarkX: {{ns/op: +10%}}"
    found = verdicts(tmp_path, lines, (*WORSE, *runs), of=(benchmark(), there), more=more)
    whole = build(found, about(tmp_path, *WORSE, *runs))
    assert (whole.expected, whole.measured) == counted


def test_the_second_metric_refers_to_the_first(tmp_path):
    """Of two metrics of a benchmark that fail, the first has the why and the command, the second one line."""
    runs = (*WORSE, *TRACED)
    found = verdicts(tmp_path, "{ns/op: +10%, sched-wait.total: +10%}", runs)
    whole = build(found, about(tmp_path, *runs))
    first, second = (speak([verdict], whole, tmp_path).splitlines() for verdict in found)
    assert [line for line in first if line.startswith(("why:", "reproduce:"))] == [
        f"why:       {whole.why[0].sentence}",
        f"reproduce: {whole.reproduce}",
    ]
    (made_of,) = (line for line in second if line.startswith("made of:"))
    assert made_of.startswith(
        "made of:   about as many waits for a processor per operation (10 → 10), each 90 times"
    )
    assert second[-1] == "why:       told with `ns/op` of this benchmark, and how to reproduce it"


def test_a_missing_region_was_measured_all_the_same(tmp_path):
    """A benchmark that ran and lacks a region was measured."""
    found = verdicts(tmp_path, "{'region[db].total': +10%}", TRACED)
    assert [v.outcome for v in found] == [Outcome.MISSING]
    assert build(found, about(tmp_path, *TRACED)).measured == 1


def test_what_blocks_an_item_blocks_the_report(tmp_path):
    """The report's exit code and the verdicts agree, also where a machine is too noisy for a budget."""
    noisy = runs_of({"base": spread(1000, 20, 0.3), "head": spread(1000, 20, 0.3, seed=2)})
    strict = "defaults: {on_inconclusive: fail}\n"
    found = verdicts(tmp_path, "{ns/op: +1%}", noisy, more=strict, look=3)
    whole = build(found, about(tmp_path, *noisy, strict=True))
    assert [v.blocks for v in found] == [False]
    assert whole.verdicts[0].level == "warn"
    assert exit_code(whole) is ExitCode.PASS
    close = verdicts(tmp_path, "{ns/op: +100%}", WORSE, more=strict)
    assert [v.blocks for v in close] == [True]
    assert exit_code(build(close, about(tmp_path, *WORSE, strict=True))) is ExitCode.OVER_BUDGET


def test_only_what_regressed_is_explained(tmp_path):
    """A benchmark that is within its budget has no why, however its states moved."""
    found = verdicts(tmp_path, "{ns/op: +150%}", (*WORSE, *TRACED))
    assert build(found, about(tmp_path, *WORSE, *TRACED)).why == ()


def test_the_text_of_an_item(tmp_path):
    """An item that did not pass says what was expected and found, why, and how to repeat it, for each bad verdict."""
    runs = (*WORSE, *TRACED)
    found = verdicts(tmp_path, "{ns/op: +10%}", runs)
    text = speak(found, build(found, about(tmp_path, *runs)), tmp_path)
    assert "BenchmarkX ns/op within +10% (gotrace.yaml:3)" in text
    assert "why:       `sched-wait` +8.92 µs" in text
    assert "reproduce: pytest --gotrace-baseline=aaaaaaaaaaaa -k BenchmarkX" in text
    fine = verdicts(tmp_path, "{ns/op: +150%}")
    assert speak(fine, build(fine, about(tmp_path, *WORSE)), tmp_path) == ""


def test_the_text_of_a_failure_ends_with_its_output(tmp_path):
    """A benchmark that failed shows what it printed last, found while it was tried or while it was measured."""
    tried = verdicts(tmp_path, "{ns/op: +10%}", of=[benchmark(head="failed")])
    text = speak(tried, build(tried, about(tmp_path)), tmp_path)
    assert text.endswith("output:\n  the last words")
    failure = Failure(benchmark="BenchmarkX", side="head", error=GoTestError("crashed", tail="later words"))
    measured = verdicts(tmp_path, "{ns/op: +10%}", failures={"BenchmarkX": failure})
    text = speak(measured, build(measured, about(tmp_path, failures=(failure,))), tmp_path)
    assert text.endswith("output:\n  later words")


def test_output_gives_no_orders_to_a_runner():
    """Lines that a CI runner would take as commands are made harmless, line by line."""
    text = log_text("fine\n::add-mask::x\n\tindented")
    assert "\n::" not in text
    assert not any(line.strip().startswith("::") for line in text.splitlines())
    assert "    indented" in text


@pytest.mark.parametrize(
    ("outcome", "name", "command"),
    [
        (Outcome.OVER, "BenchmarkX/a b", f"pytest --gotrace-baseline={'a' * 12} -k BenchmarkX"),
        (Outcome.INCONCLUSIVE, "BenchmarkX", f"pytest --gotrace-baseline={'a' * 12} -k BenchmarkX"),
        (Outcome.WITHIN, "BenchmarkX", f"pytest --gotrace-baseline={'a' * 12}"),
    ],
)
def test_the_command_that_repeats(tmp_path, outcome, name, command):
    """The command measures what did not pass again, against the same base; everything where all is well."""
    (question,) = questions(budget(tmp_path, "Benchmark*: {ns/op: +10%}"), benchmark(name))
    verdict = Verdict(question=question, key=None, outcome=outcome)
    assert reproduce(SIDES["base"], [verdict]) == command


def test_a_base_without_a_hash():
    """Where the base has no hash, the command asks for the merge-base."""
    assert reproduce(None, []) == "pytest --gotrace-baseline"


def test_places_are_told_below_the_repository(tmp_path):
    """A path in the repository is relative to it, any other is whole."""
    assert place(tmp_path / "m" / "gotrace.yaml", tmp_path) == "m/gotrace.yaml"
    assert place(tmp_path / "x", tmp_path / "m") == str(tmp_path / "x")


def test_disturbances_are_counted_by_pair(tmp_path):
    """Pairs that were measured again and disturbed pairs that were kept are counted once each, with their sources."""
    untouched, *others = WORSE
    runs = [untouched, *(replace(run, repeated=("steal",)) for run in others if run.round == 2)]
    runs += [
        replace(run, disturbed=("spin", "steal")) for run in others if run.round == 3 and run.side == "head"
    ]
    machine = {**recording().environment, "watched": "steal, spin"}
    found = build(
        (), about(tmp_path, recording=recording(*runs, environment=machine), watching=0.25, notes=("so",))
    )
    assert found.notes == ("so",)
    disturbed = found.method.interference
    assert (disturbed.watched, disturbed.repeated, disturbed.kept) == (("steal", "spin"), 1, 1)
    assert (disturbed.reasons, disturbed.seconds) == ({"steal": 2, "spin": 1}, 0.25)
    assert parse_report(to_json(found).encode()) == found


def test_the_price_of_tracing_is_reported(tmp_path):
    """Each benchmark that ran both ways has its overhead; a difference is a doubt where traced times were judged."""
    plain = runs_of({"base": spread(1000, 8), "head": spread(1000, 8, seed=2)})
    traced = [
        replace(run, values={"ns/op": value})
        for run, value in zip(
            traced_runs({side: {"exec": spread(500, 8)} for side in ("base", "head")}),
            [*spread(1200, 8, seed=3), *spread(1900, 8, seed=4)],
            strict=True,
        )
    ]
    runs = (*plain, *traced)
    found = build(
        verdicts(tmp_path, "{exec.total: +10%}", runs), about(tmp_path, *runs, warnings=("graver",))
    )
    (price,) = found.overheads
    assert (price.base, price.head) == (pytest.approx(1.2, rel=0.03), pytest.approx(1.9, rel=0.03))
    graver, doubt = found.warnings
    assert graver == "graver"
    assert doubt.startswith("BenchmarkX: tracing costs the sides differently, +")
    for rule in ("ns/op", "exec.count"):
        untouched = build(verdicts(tmp_path, f"{{{rule}: +10%}}", runs), about(tmp_path, *runs))
        assert (untouched.overheads, untouched.warnings) == ((price,), ())
