"""Why a benchmark moved, told from made-up runs whose answer is known."""

from __future__ import annotations

import pytest
from samples import recording, spread, traced_runs

from pytest_gotrace.diagnose import ADVICE, Diagnosis, diagnose
from pytest_gotrace.distributions import Wait
from pytest_gotrace.metrics import parse_series
from pytest_gotrace.trace import Frame

PAIRS = 6


def totals(**states: float) -> dict[str, list[float]]:
    """Totals of each round around these, every state with noise of its own."""
    return {
        name.replace("_", "-"): spread(total, PAIRS, seed=seed)
        for seed, (name, total) in enumerate(states.items(), 1)
    }


def wait(state: str, function: str, line: int, total: float, by: tuple[str, int] | None = None) -> Wait:
    def frame(function, line):
        return Frame(f"example.com/m/{function}", "pool/pool.go", line)

    return Wait(
        state=state,
        at=frame(function, line) if function else None,
        by=frame(*by) if by else None,
        count=10,
        total=total,
    )


def diagnosed(base, head, *, over=(), waits=None) -> Diagnosis:
    return diagnose("BenchmarkX", recording(*traced_runs({"base": base, "head": head}, waits=waits)), over)


QUIET = {"exec": 1000.0, "sched_wait": 500.0, "syscall": 100.0}
SEND = "sync-block[chan send]"


def test_the_state_that_grew_most_is_the_cause():
    """The sentence names the state that grew most, by how much, and its share of all that was added."""
    head = totals(**QUIET | {"sched_wait": 10_500.0, "exec": 2000.0})
    found = diagnosed(totals(**QUIET), head)
    assert found.sentence.startswith("`sched-wait` +10 µs per operation, 91% of what was added")
    assert found.advice == ADVICE["sched-wait"]
    assert [shift.state for shift in found.shifts] == ["sched-wait", "exec", "syscall"]
    assert found.shifts[0].grown == pytest.approx(10_000, rel=0.05)


def test_nothing_is_said_of_what_did_not_change():
    """Runs that differ by their noise alone have no cause, no place and no advice."""
    waits = {side: [wait(SEND, "pool.Send", 5, 100.0)] for side in ("base", "head")}
    head = {name: spread(QUIET[name.replace("-", "_")], PAIRS, seed=9) for name in totals(**QUIET)}
    found = diagnosed(totals(**QUIET), head, waits=waits)
    assert (found.sentence, found.advice, found.places) == ("", "", ())
    assert not any(shift.steady for shift in found.shifts)


def test_what_became_faster_is_no_cause():
    """A state that shrank is shown among the shifts and explains nothing."""
    found = diagnosed(totals(**QUIET), totals(**QUIET | {"exec": 100.0}))
    assert found.sentence == ""
    assert (found.shifts[0].state, found.shifts[0].steady) == ("exec", True)


@pytest.mark.parametrize(
    ("over", "cause"), [((), "sched-wait"), (("syscall",), "syscall"), (("region[db]",), "sched-wait")]
)
def test_what_broke_its_budget_is_what_is_asked(over, cause):
    """If a state is over its budget, that is the cause that is told, whatever else grew more."""
    found = diagnosed(totals(**QUIET), totals(**QUIET | {"sched_wait": 9500.0, "syscall": 300.0}), over=over)
    assert found.sentence.startswith(f"`{cause}` +")
    assert found.shifts[0].state == cause


def test_the_collector_comes_first_where_it_matters():
    """Mark assists explain growth elsewhere if they grew by more than a tenth of it."""
    base = totals(**QUIET, mark_assist=10.0)
    blamed = diagnosed(base, totals(**QUIET | {"exec": 2000.0}, mark_assist=200.0))
    assert blamed.sentence == "`mark-assist` +190 ns per operation, 19% of what was added"
    beside = diagnosed(base, totals(**QUIET | {"exec": 2000.0}, mark_assist=50.0))
    assert beside.sentence.startswith("`exec` +")


def test_a_single_run_proves_nothing():
    """With one run on a side there is no noise to stand out of."""
    one = {name: values[:1] for name, values in totals(**QUIET | {"exec": 9e9}).items()}
    found = diagnose("BenchmarkX", recording(*traced_runs({"base": totals(**QUIET), "head": one})))
    assert found.sentence == ""


def test_without_traces_there_is_nothing_to_say():
    """A side without traced runs leaves the diagnosis empty."""
    for side in ("base", "head"):
        found = diagnose("BenchmarkX", recording(*traced_runs({side: totals(**QUIET)})))
        assert found == Diagnosis(benchmark="BenchmarkX", shifts=(), places=(), sentence="", advice="")


def test_only_the_sum_of_sync_block_is_left_out():
    """`sync-block` without a reason is the sum of its reasons, and is no state of its own beside them."""
    reasons = {"sync-block": [9.0] * PAIRS, SEND: [5.0] * PAIRS, "sync-block[sync]": [4.0] * PAIRS}
    found = diagnosed(reasons, reasons)
    assert {shift.state for shift in found.shifts} == {SEND, "sync-block[sync]"}


# places

BLOCKED = {SEND: spread(10_000, PAIRS, seed=4)}


def blocked(*, base: list[Wait], head: list[Wait]) -> Diagnosis:
    before = totals(**QUIET) | {SEND: spread(100, PAIRS, seed=3)}
    return diagnosed(before, totals(**QUIET) | BLOCKED, waits={"base": base, "head": head})


def test_the_place_is_told_with_who_ended_it():
    """The sentence names the line that waits longer and the line that ended the waits; the lines stand beside it."""
    found = blocked(
        base=[wait(SEND, "pool.Send", 30, 100.0, ("pool.work", 50))],
        head=[wait(SEND, "pool.Send", 30, 10_000.0, ("pool.work", 50))],
    )
    assert found.sentence.endswith(
        "at `pool.Send` (`pool/pool.go:30`), ended by `pool.work` (`pool/pool.go:50`)"
    )
    (place,) = found.places
    assert (place.shift.base, place.shift.head) == (100.0, 10_000.0)


def test_places_are_matched_by_function():
    """Lines that moved because of a change above them are the same place, shown where it is now."""
    found = blocked(
        base=[wait(SEND, "pool.Send", 30, 100.0, ("pool.work", 50))],
        head=[wait(SEND, "pool.Send", 47, 100.0, ("pool.work", 67))],
    )
    assert found.places == ()
    grown = blocked(
        base=[wait(SEND, "pool.Send", 30, 100.0)],
        head=[wait(SEND, "pool.Send", 47, 5000.0), wait(SEND, "pool.Send", 60, 4000.0)],
    )
    (place,) = grown.places
    assert (place.at.line, place.shift.base, place.shift.head) == (47, 100.0, 9000.0)


def test_places_of_the_cause_come_first():
    """Lines in the state that is the cause stand before all others, and only five are shown."""
    others = [wait("sched-wait", f"pool.F{n}", n, 90_000.0 + n) for n in range(1, 9)]
    found = blocked(base=[], head=[wait(SEND, "pool.Send", 30, 9000.0), *others])
    assert [place.at.function.split(".")[-1] for place in found.places] == ["Send", "F8", "F7", "F6", "F5"]


def test_a_wait_without_a_line_is_no_place():
    """Time whose stack is unknown counts for its state and is shown at no line."""
    found = blocked(base=[], head=[wait(SEND, "", 0, 9000.0)])
    assert found.places == ()
    assert found.sentence.startswith(f"`{SEND}` +9.9 µs per operation")
    assert " at " not in found.sentence


# leaks


@pytest.mark.parametrize(
    ("head", "sentence"),
    [(1.0, "1 goroutine more per operation outlives"), (2.5, "2.5 goroutines more per operation outlive")],
)
def test_leaks_say_where_they_were_started(head, sentence):
    """If leaks are over their budget, the sentence counts them and names the line that started them."""
    base = totals(**QUIET)
    leaking = base | {"goroutine-leak": [head] * PAIRS}
    births = [wait("goroutine-leak", "pool.Start", 12, head), wait(SEND, "pool.Send", 3, 100.0)]
    found = diagnosed(base, leaking, over=["goroutine-leak"], waits={"head": births})
    assert found.sentence == f"{sentence} the benchmark, started at `pool.Start` (`pool/pool.go:12`)"
    assert found.advice == ADVICE["goroutine-leak"]
    assert [place.shift.state for place in found.places] == [SEND]


def test_leaks_without_a_known_place():
    """Where nobody knows the line, the number is told all the same."""
    base = totals(**QUIET)
    found = diagnosed(base, base | {"goroutine-leak": [3.0] * PAIRS}, over=["goroutine-leak"])
    assert found.sentence == "3 goroutines more per operation outlive the benchmark"


def test_there_is_advice_for_every_state():
    """Whatever can be the cause has a sentence that says what to look at, and names a series that exists."""
    for state in ADVICE:
        parse_series(state)
    assert {
        "exec",
        "sched-wait",
        "net-wait",
        "sleep",
        "syscall",
        "gc-pause",
        "mark-assist",
        "sweep",
    } <= ADVICE.keys()
