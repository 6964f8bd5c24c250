"""What the views say about a program of which we know what it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_gotrace.show import Question, load
from pytest_gotrace.trace import State
from pytest_gotrace.views import look

SOURCE = Path(__file__).parent / "shop" / "main.go"


def rows(looked, view, name=None):
    return list({shown.name: shown for shown in look(looked, view)}[name or view].dicts())


def line_of(text):
    return f"main.go:{1 + SOURCE.read_text().split(text)[0].count(chr(10))}"


def test_who_ended_the_wait(shop_scope):
    """The request waits for its answer, and the goroutine that ends the wait is the database, where it answers."""
    waits = [
        row
        for row in rows(shop_scope(), "blocking", "blocking-wakers")
        if row["function"].startswith("main.serve")
    ]
    longest = waits[0]
    assert (longest["reason"], longest["ended by"], longest["in function"]) == (
        "chan receive",
        "main.database",
        "main.database",
    )
    assert longest["at line"].endswith(line_of("q.answer <- q.request"))
    assert longest["line"].endswith(line_of("trace.Log(inner"))
    assert longest["max"] > 100_000_000


def test_blocking_by_stack_and_by_waker(shop_scope):
    """Both listings share out the same waits."""
    for column in ("count", "time"):
        by_stack = sum(row[column] for row in rows(shop_scope(), "blocking"))
        assert by_stack == sum(row[column] for row in rows(shop_scope(), "blocking", "blocking-wakers")) > 0


def test_left_behind(shop_scope):
    """Goroutines that nothing ended are counted, with where they were started."""
    (leaked,) = [row for row in rows(shop_scope(), "goroutines", "left") if row["function"] == "main.leak"]
    assert (leaked["count"], leaked["started in"]) == (5, "main.main")
    assert leaked["line"].endswith(line_of("go leak(started, never)"))


def test_first_runs(shop_scope):
    """New goroutines' wait for a processor is told apart from the profile, as Go does not count it."""
    first = {row["function"]: row["count"] for row in rows(shop_scope(), "sched", "sched-first")}
    assert (first["main.leak"], first["main.database"]) == (5, 1)


def test_collections(shop_scope):
    """The collection that the program asked for is a cycle, with pauses; who stopped the world is named."""
    looked = shop_scope()
    assert len(rows(looked, "gc", "gc-cycles")) >= 1
    kinds = {row["range"]: row for row in rows(looked, "gc")}
    cycles = rows(looked, "gc", "gc-cycles")
    assert sum(row["mark"] for row in cycles) == kinds["GC concurrent mark phase"]["time"]
    paused = sum(kinds[f"stop-the-world (GC {kind} termination)"]["time"] for kind in ("mark", "sweep"))
    assert sum(row["gc-pause"] for row in cycles) == paused
    stops = {(row["range"], row["function"]) for row in rows(looked, "gc", "stw")}
    assert ("stop-the-world (GC sweep termination)", "main.main") in stops


@pytest.mark.parametrize("scenario", ["collection", "procs"])
def test_processors(scenario, workload_trace):
    """The time by number of processors adds up to the window, and is the time that goroutines ran."""
    looked = load(workload_trace(scenario), Question())
    numbers = rows(looked, "procs", "procs-running")
    assert sum(row["time"] for row in numbers) == looked.end - looked.begin
    ran = int(looked.states(State.RUNNING)[1].sum())
    assert sum(row["running"] * row["time"] for row in numbers) == ran
    (whole,) = rows(looked, "procs")
    assert whole["exec"] == ran
    assert 0 < whole["utilization"] <= 1
    assert whole["GOMAXPROCS"] >= max(row["running"] for row in numbers)


def test_gaps(workload_trace):
    """Six goroutines on two processors leave gaps, also where one stops the other; none is longer than all together."""
    looked = load(workload_trace("collection"), Question())
    gaps = {row["while"]: row for row in rows(looked, "procs", "procs-idle")}
    # The world stops twice at each of some fifty collections.
    assert gaps["the world was stopped"]["count"] >= 10
    assert all(gap["max"] <= gap["time"] <= looked.end - looked.begin for gap in gaps.values())
    assert sum(gap["share"] for gap in gaps.values()) <= 1


def test_heap(workload_trace):
    """The heap that the program builds up is seen to grow; minimum, mean and maximum are in that order."""
    looked = load(workload_trace("collection"), Question())
    heap = {row["heap"]: row for row in rows(looked, "heap")}["heap in use"]
    assert 0 < heap["min"] < heap["mean"] < heap["max"]
    assert heap["max"] - heap["min"] <= heap["grown"]
    steps = rows(looked, "heap", "heap-steps")
    assert len(steps) == 20
    assert max(row["most in use"] or 0 for row in steps) == heap["max"]


def test_overview(shop_scope, shop_trace):
    """The trace's bytes per second are those of the file over the time of the trace."""
    looked = shop_scope()
    (row,) = rows(looked, "all", "trace")
    assert row["bytes"] == shop_trace.stat().st_size
    assert row["bytes a second"] == pytest.approx(
        row["bytes"] * 1e9 / (looked.table.end - looked.table.begin)
    )
