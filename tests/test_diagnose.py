"""Why a benchmark moved, told from made-up runs whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import recording, spread, traced_runs

from pytest_gotrace.diagnose import Diagnosis, breakdown, diagnose
from pytest_gotrace.metrics import parse_key
from pytest_gotrace.spots import Spot
from pytest_gotrace.trace import Frame

PAIRS = 6


def totals(**states: float) -> dict[str, list[float]]:
    """Totals of each round around these, every state with noise of its own."""
    return {
        name.replace("_", "-"): spread(total, PAIRS, seed=seed)
        for seed, (name, total) in enumerate(states.items(), 1)
    }


def line(function: str, number: int) -> Frame:
    return Frame(f"example.com/m/{function}", "pool/pool.go", number)


def spot(
    state: str, function: str, number: int, total: float, by: tuple[str, int] | None = None, **more
) -> Spot:
    at = line(function, number) if function else None
    stack = more.pop("stack", (at,) if at else ())
    return Spot(state=state, at=at, stack=stack, by=line(*by) if by else None, count=10, total=total, **more)


def diagnosed(base, head, *, over=(), spots=None, sampled=False, **options) -> Diagnosis:
    runs = traced_runs({"base": base, "head": head}, spots=spots)
    runs = [replace(run, sampled=sampled) for run in runs]
    return diagnose("BenchmarkX", recording(*runs), [parse_key(text) for text in over], **options)


QUIET = {"exec": 1000.0, "sched_wait": 500.0, "syscall": 100.0}
SEND = "sync-block[chan send]"


def test_the_state_that_grew_most_is_the_cause():
    """The sentence names the state that grew most, by how much, and its share of all that was added."""
    head = totals(**QUIET | {"sched_wait": 10_500.0, "exec": 2000.0})
    found = diagnosed(totals(**QUIET), head)
    assert found.sentence.startswith("`sched-wait` +10 µs per operation explains 91 % of what was added")
    assert found.rule == "longer-queue"
    assert [shift.state for shift in found.shifts] == ["sched-wait", "exec", "syscall"]
    assert found.shifts[0].grown == pytest.approx(10_000, rel=0.05)


def test_what_was_taken_away_is_no_secret():
    """A share is of what was added; if time was taken away elsewhere, both sums are told."""
    found = diagnosed(totals(**QUIET), totals(**QUIET | {"sched_wait": 10_500.0, "exec": 200.0}))
    assert found.sentence == (
        "`sched-wait` +10 µs per operation explains 100 % of the 10 µs that were added "
        "(802 ns were taken away elsewhere)"
    )


def test_nothing_is_said_of_what_did_not_change():
    """Runs that differ by their noise alone have no cause, no place, no rule and no advice."""
    spots = {side: [spot(SEND, "pool.Send", 5, 100.0)] for side in ("base", "head")}
    head = {name: spread(QUIET[name.replace("-", "_")], PAIRS, seed=9) for name in totals(**QUIET)}
    found = diagnosed(totals(**QUIET), head, spots=spots)
    assert (found.sentence, found.rule, found.advice, found.places) == ("", "", "", ())
    assert not any(shift.steady for shift in found.shifts)


def test_what_became_faster_is_no_cause():
    """A state that shrank is shown among the shifts and explains nothing."""
    found = diagnosed(totals(**QUIET), totals(**QUIET | {"exec": 100.0}))
    assert found.sentence == ""
    assert (found.shifts[0].state, found.shifts[0].steady) == ("exec", True)


@pytest.mark.parametrize(
    ("over", "cause"),
    [((), "sched-wait"), (("syscall.total",), "syscall"), (("region[db].p99",), "sched-wait")],
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
    assert blamed.sentence == "`mark-assist` +190 ns per operation explains 19 % of what was added"
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
        assert found == Diagnosis(benchmark="BenchmarkX")


def test_only_the_sum_of_sync_block_is_left_out():
    """`sync-block` without a reason is the sum of its reasons, and is no state of its own beside them."""
    reasons = {"sync-block": [9.0] * PAIRS, SEND: [5.0] * PAIRS, "sync-block[sync]": [4.0] * PAIRS}
    found = diagnosed(reasons, reasons)
    assert {shift.state for shift in found.shifts} == {SEND, "sync-block[sync]"}


# places

BLOCKED = {SEND: spread(10_000, PAIRS, seed=4)}


def blocked(*, base: list[Spot], head: list[Spot], **options) -> Diagnosis:
    before = totals(**QUIET) | {SEND: spread(100, PAIRS, seed=3)}
    return diagnosed(before, totals(**QUIET) | BLOCKED, spots={"base": base, "head": head}, **options)


def test_the_place_is_told_with_who_ended_it():
    """The sentence names the line that waits longer and the line that ended the waits; the lines stand beside it."""
    found = blocked(
        base=[spot(SEND, "pool.Send", 30, 100.0, ("pool.work", 50))],
        head=[spot(SEND, "pool.Send", 30, 10_000.0, ("pool.work", 50))],
    )
    assert found.sentence.endswith(
        "at `pool.Send` (`pool/pool.go:30`), ended by `pool.work` (`pool/pool.go:50`)"
    )
    (place,) = found.places
    assert (place.shift.base, place.shift.head) == (100.0, 10_000.0)


def test_places_are_matched_by_function():
    """Lines that moved because of a change above them are the same place, shown where it is now."""
    found = blocked(
        base=[spot(SEND, "pool.Send", 30, 100.0, ("pool.work", 50))],
        head=[spot(SEND, "pool.Send", 47, 100.0, ("pool.work", 67))],
    )
    assert found.places == ()
    grown = blocked(
        base=[spot(SEND, "pool.Send", 30, 100.0)],
        head=[spot(SEND, "pool.Send", 47, 5000.0), spot(SEND, "pool.Send", 60, 4000.0)],
    )
    (place,) = grown.places
    assert (place.at.line, place.shift.base, place.shift.head) == (47, 100.0, 9000.0)


def test_places_of_the_cause_come_first():
    """Lines in the state that is the cause stand before all others, and only five are shown."""
    others = [spot("sched-wait", f"pool.F{n}", n, 90_000.0 + n) for n in range(1, 9)]
    found = blocked(base=[], head=[spot(SEND, "pool.Send", 30, 9000.0), *others])
    assert [place.at.function.split(".")[-1] for place in found.places] == ["Send", "F8", "F7", "F6", "F5"]


def test_a_wait_without_a_line_is_no_place():
    """Time whose stack is unknown counts for its state and is shown at no line."""
    found = blocked(base=[], head=[spot(SEND, "", 0, 9000.0)])
    assert found.places == ()
    assert found.sentence.startswith(f"`{SEND}` +9.9 µs per operation")
    assert " at " not in found.sentence


# leaks


@pytest.mark.parametrize(
    ("head", "sentence"),
    [(1.0, "1 goroutine more per operation outlives"), (2.5, "2.5 goroutines more per operation outlive")],
)
def test_leaks_say_where_they_were_started(head, sentence):
    """If leaks are over their budget, the sentence counts them, and the line that started them comes first."""
    base = totals(**QUIET)
    leaking = base | {"goroutine-leak": [head] * PAIRS}
    births = [spot("goroutine-leak", "pool.Start", 12, head), spot(SEND, "pool.Send", 3, 100.0)]
    found = diagnosed(base, leaking, over=["goroutine-leak.count"], spots={"head": births})
    assert found.sentence == f"{sentence} the benchmark, started at `pool.Start` (`pool/pool.go:12`)"
    assert found.rule == "goroutine-leak"
    assert [(p.shift.state, p.shift.head) for p in found.places] == [("goroutine-leak", head), (SEND, 100.0)]


def test_leaks_without_a_known_place():
    """Where nobody knows the line, the number is told all the same."""
    base = totals(**QUIET)
    found = diagnosed(base, base | {"goroutine-leak": [3.0] * PAIRS}, over=["goroutine-leak.count"])
    assert found.sentence == "3 goroutines more per operation outlive the benchmark"


# which line


def test_a_line_in_the_change_counts_double():
    """Of two lines that grew alike the one in the change comes first, and none hides one that grew three times more."""
    ours = spot(SEND, "pool.New", 7, 3000.0)
    close = blocked(base=[], head=[spot(SEND, "pool.Send", 30, 5000.0), ours], touched=in_new)
    assert [(place.at.line, place.changed) for place in close.places] == [(7, True), (30, False)]
    assert "at `pool.New` (`pool/pool.go:7`, in this change)" in close.sentence
    far = blocked(base=[], head=[spot(SEND, "pool.Send", 30, 9000.0), ours], touched=in_new)
    assert [place.at.line for place in far.places] == [30, 7]


def in_new(frame: Frame) -> bool:
    return frame.function.endswith(".New")


def test_the_caller_in_the_change_is_the_line():
    """Where a function of old has more to do because of a new caller, the line is where the new caller calls it."""

    def summed(caller: str, number: int, total: float) -> Spot:
        stack = (line("pool.sum", 90), line(caller, number), line("pool.Serve", 5))
        return spot(SEND, "pool.sum", 90, total, stack=stack)

    old = summed("pool.Get", 40, 500.0)
    found = blocked(base=[old], head=[old, summed("pool.New", 7, 9000.0)], touched=in_new)
    assert [(p.at.function.split(".")[-1], p.at.line, p.changed) for p in found.places] == [("New", 7, True)]
    unknown = blocked(base=[old], head=[old, summed("pool.New", 7, 9000.0)])
    assert [(p.at.line, p.shift.base, p.shift.head) for p in unknown.places] == [(90, 500.0, 9500.0)]


def test_lines_of_the_base_are_not_those_of_the_head():
    """An old function whose lines on the base have the numbers of changed lines of the head stays what it was."""

    def near(frame: Frame) -> bool:
        return 20 <= frame.line < 30

    def called(number: int) -> Spot:
        stack = (line("pool.sum", 90), line("pool.Get", number))
        return spot(SEND, "pool.sum", 90, 5000.0, stack=stack)

    stack = (line("pool.sum", 90), line("pool.check", 25))
    head = [called(40), spot(SEND, "pool.sum", 90, 4000.0, stack=stack)]
    (place,) = blocked(base=[called(22)], head=head, touched=near).places
    assert (place.at, place.shift.base, place.shift.head) == (line("pool.check", 25), 0.0, 4000.0)


def test_a_benchmark_is_no_caller_in_the_change():
    """A test that was changed is not the line for everything that is done below it."""
    test = Frame("example.com/m/pool.New", "pool/pool_test.go", 3)
    head = [spot(SEND, "pool.Send", 30, 9000.0, stack=(line("pool.Send", 30), test))]
    (place,) = blocked(base=[], head=head, touched=in_new).places
    assert (place.at.line, place.changed) == (30, False)


def test_who_ended_it_is_told_with_the_group():
    """The sentence ends with where the goroutines began that ended the wait, unless that is the same or the harness."""

    def ended(group: str) -> str:
        return blocked(
            base=[], head=[spot(SEND, "pool.Send", 30, 9e3, ("pool.work", 50), by_group=group)]
        ).sentence

    assert ended("example.com/m/pool.New.func1").endswith(
        ", ended by `pool.work` (`pool/pool.go:50`) in `pool.New.func1`"
    )
    for group in ("", "example.com/m/pool.work", "testing.(*B).launch"):
        assert ended(group).endswith(", ended by `pool.work` (`pool/pool.go:50`)")


# CPU samples


def test_only_sampled_runs_say_where_code_ran():
    """Lines of `exec` come from runs with CPU samples; all other runs say in which state time went, and no line."""
    spots = {
        "base": [spot("exec", "pool.work", 9, 1000.0)],
        "head": [spot("exec", "pool.work", 9, 9000.0), spot("exec", "", 0, 50.0)],
    }
    slower = totals(**QUIET | {"exec": 9000.0})
    found = diagnosed(totals(**QUIET), slower, spots=spots, sampled=True)
    assert found.sentence.endswith("at `pool.work` (`pool/pool.go:9`)")
    assert found.rule == "longer-code"
    plain = diagnosed(totals(**QUIET), slower, spots=spots)
    assert plain.places == ()
    assert plain.sentence.endswith("of what was added")


def test_sampled_and_other_runs_are_one_mean():
    """The time in a state is the mean over all traced runs, sampled or not."""
    plain = traced_runs({side: {"exec": [100.0] * 4} for side in ("base", "head")})
    sampled = traced_runs({side: {"exec": [400.0] * 2} for side in ("base", "head")})
    runs = (*plain, *(replace(run, sampled=True) for run in sampled))
    (shift,) = breakdown("BenchmarkX", recording(*runs))
    assert (shift.base, shift.head, shift.steady) == (200.0, 200.0, False)


# inside of regions


def inside(state: str, function: str, total: float, series: str) -> Spot:
    return spot(state, function, 60, total, inside=series)


@pytest.mark.parametrize(
    ("over", "series", "told"),
    [
        ("region[db].p99", "region[db].p90", " inside the slowest tenth of `region[db]`"),
        ("region[db].max", "region[db].p90", " inside the slowest tenth of `region[db]`"),
        ("region[db].p50", "region[db]", " inside `region[db]`"),
        ("task[request].total", "task[request]", " inside `task[request]`"),
    ],
)
def test_what_happened_inside_explains_a_region(over, series, told):
    """For a region or task over its budget states and lines are those inside; for its tail, inside the slow ones."""
    elsewhere = spot(SEND, "pool.Send", 30, 50_000.0)
    spots = {
        "base": [inside("sleep", "store.Get", 100.0, series)],
        "head": [inside("sleep", "store.Get", 900.0, series), elsewhere],
    }
    found = diagnosed(totals(**QUIET), totals(**QUIET) | BLOCKED, over=[over], spots=spots)
    assert found.sentence == (
        f"`sleep` +800 ns per operation explains 100 % of what was added{told}, at `store.Get` (`pool/pool.go:60`)"
    )
    assert [(shift.state, shift.base, shift.head) for shift in found.shifts] == [("sleep", 100.0, 900.0)]
    assert found.rule == "longer-sleep"


def test_a_state_over_its_budget_is_asked_before_a_region():
    """Where a state and a region are over, it is the state that is told, of the whole round."""
    spots = {"head": [inside("sleep", "store.Get", 900.0, "region[db].p90")]}
    over = ["region[db].p99", "sync-block.total"]
    found = diagnosed(totals(**QUIET), totals(**QUIET) | BLOCKED, over=over, spots=spots)
    assert found.sentence.startswith(f"`{SEND}` +10 µs per operation explains")


def test_a_line_explains_where_no_state_does():
    """A new line in the change is told although its state is too noisy to stand out, if the state grew with it."""
    noisy = {"exec": spread(1000, PAIRS, 0.5, seed=4)}
    more = {"exec": [value + 300 for value in noisy["exec"]]}
    spots = {"head": [spot("exec", "pool.New", 7, 290.0)]}
    found = diagnosed(noisy, more, spots=spots, sampled=True, touched=in_new)
    assert found.sentence == "`exec` +290 ns per operation, at `pool.New` (`pool/pool.go:7`, in this change)"
    moved = diagnosed(noisy, noisy, spots=spots, sampled=True, touched=in_new)
    assert moved.sentence == ""


# the breakdown


def test_a_breakdown_has_the_order_of_the_catalogue():
    """All states stand in the catalogue's order, what it does not know last, and steady is what stands out."""
    base = totals(sweep=1.0, **QUIET) | {SEND: spread(5.0, PAIRS), "sync-block[sync]": spread(7.0, PAIRS)}
    head = base | {"exec": spread(5000, PAIRS)}
    spots = {
        side: [spot("unknown", "", 0, 3.0), spot("unknown", "pool.Get", 4, 2.0)] for side in ("base", "head")
    }
    runs = traced_runs({"base": base, "head": head}, spots=spots)
    found = breakdown("BenchmarkX", recording(*runs))
    assert [shift.state for shift in found] == [
        "exec",
        "sched-wait",
        SEND,
        "sync-block[sync]",
        "syscall",
        "sweep",
        "unknown",
    ]
    assert [shift.state for shift in found if shift.steady] == ["exec"]
    assert found[-1].head == 5.0
    assert breakdown("BenchmarkY", recording(*runs)) == ()


def test_warm_ups_explain_nothing():
    """Runs before the first round are left out."""
    runs = traced_runs({side: {"exec": [100.0] * 4} for side in ("base", "head")})
    warm = [replace(run, round=-1, series=runs[0].series) for run in runs[:1]]
    assert breakdown("BenchmarkX", recording(*warm)) == ()
