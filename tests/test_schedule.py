"""From questions to runs: the looks, what is run of each benchmark, and where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from asking import benchmark, budget, questions
from gobench import bench
from samples import recording, run

from pytest_gotrace import schedule as module
from pytest_gotrace.errors import UsageError
from pytest_gotrace.measure import Target
from pytest_gotrace.options import Customs, Options
from pytest_gotrace.schedule import Schedule
from pytest_gotrace.sides import Recorded


@pytest.fixture
def schedule(tmp_path, monkeypatch):
    """A schedule with both sides, on which every calibration comes to 50 iterations."""

    def calibrate(bench, reading, benchmark, sides, needs):
        target = Target(
            benchmark=benchmark, sides=tuple(sides), modes=needs.modes, iterations=50, seconds=1.0
        )
        asked.append(needs)
        return target

    asked: list = []
    monkeypatch.setattr(module, "calibrate", calibrate)
    both = bench(tmp_path / "bench", base={}, head={})
    made = Schedule(bench=both, options=Options(baseline=""), customs=Customs())
    return made, asked


def recorded(rounds: int) -> Recorded:
    runs = (run("base", number, iterations=77) for number in range(rounds))
    return Recorded(recording=recording(*runs), foreign=())


@pytest.mark.parametrize(
    ("pairs", "in_budget", "in_recording", "looks"),
    [
        (None, None, None, (6, 10, 14, 20)),
        (None, 12, None, (6, 10, 12)),
        (None, 30, None, (6, 10, 14, 20, 30)),
        (8, 30, None, (6, 8)),
        (6, None, None, (6,)),
        (1, None, None, (1,)),
        (None, None, 9, (6, 9)),
        (7, None, 9, (6, 7)),
    ],
)
def test_looks(tmp_path, schedule, pairs, in_budget, in_recording, looks):
    """The looks go as far as the command line says, else the budget, and never beyond what is recorded."""
    made, _ = schedule
    more = f"defaults: {{max_pairs: {in_budget}}}\n" if in_budget else ""
    made = replace(
        made,
        options=replace(made.options, pairs=pairs),
        recorded=recorded(in_recording) if in_recording else None,
    )
    plan = made.plan([budget(tmp_path, "{ns/op: +10%}", more)], seed=5)
    assert (plan.looks, plan.seed) == (looks, 5)


def test_the_method_of_the_budget(tmp_path, schedule):
    """One budget that asks for sign flips has the whole family judged so, first at seven pairs, where that can fail."""
    made, _ = schedule
    plain = budget(tmp_path, "{ns/op: +10%}", name="plain.yaml")
    exact = budget(tmp_path, "{ns/op: +10%}", "defaults: {method: exact}\n")
    assert made.plan([plain], seed=1).method == "moderated"
    plan = made.plan([plain, exact], seed=1)
    assert (plan.method, plan.looks) == ("exact", (7, 10, 14, 20))
    assert 2.0 ** -plan.looks[0] / (1 - plan.pass_level) <= plan.level(0)


@pytest.mark.parametrize("pairs", [0, -1])
def test_no_pairs_are_refused(schedule, pairs):
    """Without a single pair nothing is measured, so that is not accepted."""
    made, _ = schedule
    with pytest.raises(UsageError, match=f"--gotrace-pairs={pairs}: at least one pair"):
        replace(made, options=Options(pairs=pairs)).plan((), seed=1)


#: limits, further sections, where the benchmark is -> sides and modes; None where nothing is run
CASES = [
    ("{ns/op: +10%}", "", {}, ("base", "head"), (False,)),
    ("{exec.total: +10%}", "", {}, ("base", "head"), (True,)),
    ("{ns/op: +10%, exec.total: +10%}", "", {}, ("base", "head"), (False, True)),
    ("{ns/op: +10%}", "", {"base": "absent"}, None, None),
    ("{ns/op: max 1us}", "", {"base": "absent"}, ("head",), (False,)),
    ("{ns/op: max 1us}", "", {"base": "failed"}, ("head",), (False,)),
    ("{ns/op: +10%}", "", {"head": "absent"}, None, None),
    ("{ns/op: +10%}", "", {"head": "skipped"}, None, None),
    ("{ns/op: +10%}", "", {"identical": True}, None, None),
    ("{ns/op: off}", "require:\n  - BenchmarkX\n", {}, None, None),
    ("{ns/op: off}", "require:\n  - BenchmarkX region[db]\n", {"base": "absent"}, ("head",), (True,)),
]


@pytest.mark.parametrize(("limits", "more", "there", "sides", "modes"), CASES)
def test_only_what_is_asked_is_run(tmp_path, schedule, limits, more, there, sides, modes):
    """A benchmark runs on the sides it is on, traced or not as its rules need it, and not if presence answers all."""
    made, _ = schedule
    targets = list(made.targets(questions(budget(tmp_path, limits, more), benchmark(**there))))
    assert [(t.sides, t.modes) for t in targets] == ([] if sides is None else [(sides, modes)])


@pytest.mark.parametrize(
    ("there", "sides"),
    [({}, ("base", "head")), ({"identical": True}, None), ({"base": "absent"}, ("head",))],
)
def test_what_is_recorded_is_run_in_both_modes(tmp_path, schedule, there, sides):
    """A recording has everything that any later budget may ask, but for what is the same on both sides."""
    made, _ = schedule
    made = replace(made, options=replace(made.options, record=Path("r.jsonl")))
    targets = list(made.targets(questions(budget(tmp_path, "{ns/op: +10%}"), benchmark(**there))))
    assert [(t.sides, t.modes) for t in targets] == ([(sides, (False, True))] if sides else [])


def test_a_benchmark_is_calibrated_once(tmp_path, schedule):
    """However many rules speak of a benchmark, it is one target."""
    made, asked = schedule
    found = budget(tmp_path, "Benchmark*: {ns/op: +10%, B/op: +10%, exec.p50: +5%, exec.p99: +10%}")
    targets = list(made.targets(questions(found, benchmark(), benchmark("BenchmarkY"))))
    assert [target.benchmark.name for target in targets] == ["BenchmarkX", "BenchmarkY"]
    (events,) = asked[0].events.items()
    assert str(events[0]) == "exec"
    assert events[1] > 501  # what the higher quantile needs, with room


def test_runs_do_what_the_recording_did(tmp_path, schedule):
    """With a recorded base the iteration count is that of the recording."""
    made, _ = schedule
    made = replace(made, recorded=recorded(6))
    asked = questions(budget(tmp_path, "Benchmark*: {ns/op: +10%}"), benchmark(), benchmark("BenchmarkY"))
    assert [target.iterations for target in made.targets(asked)] == [77, 50]


@pytest.mark.parametrize(
    ("option", "in_budgets", "timeout"), [(None, (), 30.0), (None, (60, 90), 90.0), (5.0, (60, 90), 5.0)]
)
def test_the_timeout_of_a_budget_holds_while_measuring(tmp_path, schedule, option, in_budgets, timeout):
    """A process may run as long as the command line says, else as the most patient budget, else as the bench."""
    made, _ = schedule
    made = replace(made, options=replace(made.options, timeout=option))
    asked = [
        question
        for seconds in in_budgets
        for question in questions(
            budget(tmp_path, "{ns/op: +10%}", f"defaults: {{timeout: {seconds}s, max_trace_mb: {seconds}}}\n")
        )
    ]
    assert made.patient(asked).timeout == timeout
    assert made.reading(asked).max_trace_mb == (max(in_budgets) if in_budgets else 64)


@pytest.mark.parametrize(
    ("targets", "options", "taken", "others", "said"),
    [
        (
            2,
            {},
            0,
            0,
            "2 benchmarks with 6 to 20 pairs each: about 1 min 40 s at the most, 28 s at the least",
        ),
        (
            1,
            {"pairs": 6},
            0,
            1,
            "1 benchmark with 6 pairs each; 1 benchmark without any: about 16 s at the most",
        ),
        (1, {}, 2, 0, "1 benchmark with 4 to 10 pairs each: about 26 s at the most, 10 s at the least"),
        (
            1,
            {"pairs": 6, "time_budget": 60.0},
            0,
            0,
            "1 benchmark with 6 pairs each: about 16 s at the most, and no look begins after 1 min",
        ),
        (0, {}, 0, 3, "nothing to measure; 3 benchmarks without any"),
        (1, {}, 4, 0, "nothing to measure"),
    ],
)
def test_the_plan_in_words(schedule, targets, options, taken, others, said):
    """Before anything is run it is said how many benchmarks, pairs and seconds there will be, repeats included."""
    made, _ = schedule
    made = replace(made, options=replace(made.options, **options))
    aims = [
        Target(benchmark=benchmark(), sides=("base", "head"), modes=(False,), iterations=1, seconds=1.0)
        for _ in range(targets)
    ]
    assert made.outlook(aims, made.plan((), seed=1), taken, others) == said


def test_runs_that_join_a_stored_test_do_the_same(tmp_path, schedule):
    """A test that goes on runs as many iterations as its stored runs."""
    made, _ = schedule
    made = replace(made, stored=recording(run("head", 0, iterations=77)))
    (target,) = made.targets(questions(budget(tmp_path, "{ns/op: +10%}")))
    assert target.iterations == 77
