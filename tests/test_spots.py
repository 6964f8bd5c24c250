"""Where a round spent its time: spots made by hand, and those of a real trace with CPU samples."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict

import numpy as np
import pytest
from gomodule import go_module
from tables import BENCH, a_round, frame

from pytest_gotrace.distributions import built_in_metrics, extract
from pytest_gotrace.gotest import build, child_environment, find_go, packages
from pytest_gotrace.metrics import Key
from pytest_gotrace.rounds import measured_round
from pytest_gotrace.spots import KEPT, Spot, spots
from pytest_gotrace.trace import Frame, join, read_trace

MODULE = "example.com/m"


def own(function: str, line: int = 1) -> Frame:
    """The frame as a reader sees it: its file relative to the module."""
    known = frame(function, line)
    return known._replace(file=known.file.removeprefix(f"{MODULE}/"))


def of(found, **fields) -> list[Spot]:
    return [spot for spot in found if all(getattr(spot, name) == value for name, value in fields.items())]


# places


def test_spots_say_where_and_who():
    """Time in one state at one stack that one place and group ended is one spot, the longest first, per operation."""
    send, receive, lock = frame("pool.send", 3), frame("pool.work", 9), frame("pool.Lock", 1)
    worker = {"id": 8, "name": "example.com/m/pool.work", "create": -1}
    measured = a_round(
        goroutines=[worker],
        states=[
            ("WAITING", 0, 10, "chan send", (send,), (receive,), BENCH, 8),
            ("WAITING", 20, 50, "chan send", (send,), (receive,), BENCH, 8),
            ("WAITING", 60, 61, "sync", (lock,)),
            ("RUNNABLE", 100, 200),
            ("RUNNING", 200, 900),
            ("WAITING", 950, -1, "chan send", (send,)),
        ],
        operations=10,
    )
    at, by, held = own("pool.send", 3), own("pool.work", 9), own("pool.Lock", 1)
    sent = {"state": "sync-block[chan send]", "at": at, "stack": (at,)}
    assert spots(measured, MODULE) == (
        Spot(state="exec", count=1, total=70.0),
        Spot(state="sched-wait", count=1, total=10.0),
        Spot(**sent, count=1, total=5.0),
        Spot(**sent, by=by, by_group="example.com/m/pool.work", count=2, total=4.0),
        Spot(state="sync-block[sync]", at=held, stack=(held,), count=1, total=0.1),
    )


def test_who_belongs_to_the_runtime_is_nobody():
    """A wait that a goroutine of the runtime ended has no group."""
    collector = {"id": 8, "name": "runtime.gcBgMarkWorker", "create": -1}
    states = [("WAITING", 0, 10, "sync", (frame("a.F"),), (), BENCH, 8)]
    (spot,) = spots(a_round(goroutines=[collector], states=states), MODULE)
    assert (spot.by, spot.by_group) == (None, "")


def test_being_ready_stands_where_one_was_made_so():
    """Time ready has the stack of who ended the wait before, or its own if the goroutine yielded."""
    wake, work = frame("pool.wake", 4), frame("pool.work", 8)
    states = [
        ("WAITING", 0, 10, "sync", (frame("pool.Lock"),), (wake,)),
        ("RUNNABLE", 10, 30),
        ("RUNNING", 30, 40),
        ("RUNNABLE", 40, 41, "", (work,)),
    ]
    ready = of(spots(a_round(states=states), MODULE), state="sched-wait")
    assert [(spot.at, spot.total) for spot in ready] == [
        (own("pool.wake", 4), 20.0),
        (own("pool.work", 8), 1.0),
    ]


def test_what_the_collector_takes_has_a_place():
    """Assists, sweeps and pauses are spots where they began, cut to the round; other stops are not."""
    stack = (Frame("runtime.gcAssistAlloc", "runtime/mgcmark.go", 1), frame("a.Make", 5))
    measured = a_round(
        ranges=[
            ("GC mark assist", -20, 30, stack),
            ("GC incremental sweep", 40, 45, stack),
            ("stop-the-world (GC mark termination)", 900, 2000, stack),
            ("stop-the-world (read mem stats)", 0, 1000, stack),
        ]
    )
    found = {spot.state: (spot.at, spot.total) for spot in spots(measured, MODULE)}
    at = own("a.Make", 5)
    assert found == {"mark-assist": (at, 30.0), "sweep": (at, 5.0), "gc-pause": (at, 100.0)}


def test_stacks_begin_and_end_with_what_is_the_benchmark_s():
    """Of the ways into the runtime the outermost is kept, of those out of it none; preemption is no call."""
    stack = (
        Frame("runtime.asyncPreempt2", "runtime/preempt.go", 1),
        Frame("runtime.asyncPreempt", "runtime/preempt.s", 1),
        Frame("runtime.mallocgc", "runtime/malloc.go", 1),
        Frame("runtime.growslice", "runtime/slice.go", 1),
        Frame("strings.Repeat", "strings/strings.go", 7),
        frame("a.Make", 5),
        frame("a.BenchmarkMake", 2),
        Frame("testing.(*B).runN", "testing/benchmark.go", 1),
        Frame("runtime.goexit", "runtime/asm.s", 1),
    )
    (spot,) = spots(a_round(states=[("SYSCALL", 0, 5, "", stack)]), MODULE)
    assert [frame.function.split("/")[-1] for frame in spot.stack] == [
        "runtime.growslice",
        "strings.Repeat",
        "a.Make",
        "a.BenchmarkMake",
    ]
    assert spot.at == own("a.Make", 5)


def test_lines_of_others_are_no_spots_of_their_own():
    """Calls outside of the module are told apart by function, those within by line."""

    def at(theirs: int, ours: int):
        return (Frame("strings.Repeat", "strings/strings.go", theirs), frame("a.Make", ours))

    states = [("SYSCALL", n, n + 1, "", at(n, 5)) for n in range(3)]
    states += [("SYSCALL", n, n + 1, "", at(1, n)) for n in (7, 8)]
    found = spots(a_round(states=states), MODULE)
    assert sorted((spot.at.line, spot.count) for spot in found) == [(5, 3), (7, 1), (8, 1)]


def test_what_is_too_little_is_the_rest_of_its_state():
    """A run keeps a limited number of spots; the time of all others is in one of their state without a place."""
    states = [("WAITING", 0, 1 + n, "sync", (frame("pool.F", n),)) for n in range(2 * KEPT)]
    found = spots(a_round(states=states), MODULE)
    kept, rest = of(found, state="sync-block[sync]")[1:], found[0]
    assert [spot.total for spot in kept] == [float(n) for n in range(2 * KEPT, KEPT, -1)]
    assert (rest.at, rest.stack, rest.count, rest.total) == (None, (), KEPT, KEPT * (KEPT + 1) / 2)


def test_births_of_leaked_goroutines():
    """Among the spots stand the places where leaked goroutines were created, counted per operation."""
    lives = [
        {"id": 11, "name": "a.F", "create": 10, "stack": (frame("pool.Start", 8),)},
        {"id": 12, "name": "a.F", "create": 10, "end": 50, "stack": (frame("pool.Start", 8),)},
        {"id": 13, "name": "a.F", "create": 10},
    ]
    born = of(spots(a_round(goroutines=lives, operations=2), MODULE), state="goroutine-leak")
    assert {spot.at: spot.total for spot in born} == {own("pool.Start", 8): 0.5, None: 0.5}


# CPU samples


def test_running_is_where_the_samples_are():
    """Running time is shared out by the samples of the benchmark's own goroutines while its timer runs."""
    hot, cold = (frame("a.Hot", 5),), (frame("a.Cold", 6),)
    measured = a_round(
        spans=[(0, 500), (600, 1000)],
        states=[("RUNNING", 0, 1000)],
        samples=[
            *((time, BENCH, hot) for time in (10, 20, 700)),
            *((time, BENCH, cold) for time in (550, 900, 1001)),
            *((30, goroutine, cold) for goroutine in (99, -1)),
        ],
        foreign=[99],
    )
    found = {spot.at: (spot.count, spot.total) for spot in spots(measured, MODULE)}
    assert found == {own("a.Hot", 5): (3, 675.0), own("a.Cold", 6): (1, 225.0)}


# inside of regions and tasks


def test_what_happened_inside():
    """Inside a region counts what its goroutine did then; slow ones are looked at alone."""
    stack = (frame("db.Get", 3),)
    regions = [("db", 100 * n, 100 * n + 10, BENCH, 0) for n in range(9)]
    measured = a_round(
        regions=[*regions, ("db", 900, 980, BENCH, 0)],
        states=[
            ("SYSCALL", 95, 105, "", stack),
            ("SYSCALL", 900, 990, "", stack),
            ("SYSCALL", 0, 999, "", stack, (), 5),
        ],
    )
    found = spots(measured, MODULE)
    assert [spot.total for spot in of(found, state="syscall", inside="region[db]")] == [85.0]
    assert [spot.total for spot in of(found, state="syscall", inside="region[db].p90")] == [80.0]


def test_a_sample_does_not_make_its_instance_slow():
    """Samples inside slow instances are those in the longest, as many as the slow ones have of the running time.

    Each sample makes its instance 40 ns longer here: five of six would be in the slowest tenth, none of them slow.
    """
    quick, slow = (frame("db.Get", 3),), (frame("db.Check", 9),)
    took = [10] * 36 + [50] * 5 + [400]
    begins = [100 + sum(took[:n]) + n for n in range(len(took))]
    measured = a_round(
        regions=[("db", at, at + long, BENCH, 0) for at, long in zip(begins, took, strict=True)],
        states=[("RUNNING", 0, 2000)],
        samples=[*((at + 20, BENCH, quick) for at in begins[36:41]), (begins[41] + 200, BENCH, slow)],
        spans=[(0, 2000)],
    )
    found = of(spots(measured, MODULE), state="exec", inside="region[db].p90")
    assert {spot.at: spot.count for spot in found} == {own("db.Check", 9): 1, own("db.Get", 3): 3}


def test_inside_a_task_is_inside_its_regions():
    """Of a task counts what happened in its regions, on whichever goroutine."""
    stack = (frame("db.Get", 3),)
    measured = a_round(
        tasks=[("request", 0, 500, 1)],
        regions=[("db", 0, 100, BENCH, 1), ("other", 0, 400, 5, 1), ("db", 200, 300, BENCH, 2)],
        states=[("SYSCALL", 0, 300, "", stack), ("SYSCALL", 350, 450, "", stack, (), 5)],
    )
    assert [spot.total for spot in of(spots(measured, MODULE), inside="task[request]")] == [150.0]


def test_names_are_merged_inside_too():
    """Where a project gives regions one name, what happened inside of them is one."""
    regions = [(f"request-{n}", 100 * n, 100 * n + 50, BENCH, 0) for n in range(3)]
    measured = a_round(regions=regions, states=[("RUNNING", 0, 1000)])

    def rename(key: Key) -> Key:
        return Key(metric=key.metric, subject=key.subject.split("-")[0])

    assert [s.total for s in of(spots(measured, MODULE, rename), inside="region[request]")] == [150.0]


# a real trace

GO = r"""
package hot

import (
	"bytes"
	"context"
	"hash/crc32"
	"runtime/trace"
	"sync"
	"testing"
	"time"
)

var block = bytes.Repeat([]byte("gotrace"), 1<<12)
var sum uint32

func compute(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
		sum += crc32.ChecksumIEEE(block)
	}
}

func BenchmarkHot(b *testing.B) {
	compute(300 * time.Millisecond)
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		trace.WithRegion(context.Background(), "step", func() { compute(100 * time.Millisecond) })
		var group sync.WaitGroup
		group.Add(1)
		go func() { defer group.Done(); time.Sleep(20 * time.Millisecond) }()
		group.Wait()
	}
}
"""


@pytest.fixture(scope="module")
def hot(tmp_path_factory):
    """The round of a benchmark that computes, with trace and CPU profile at once."""
    root = go_module(tmp_path_factory.mktemp("hot") / "m", hot__hot_test=GO)
    env = child_environment(os.environ)
    toolchain = find_go(os.environ)
    (package,) = packages(toolchain, root, env=env)
    binary = build(toolchain, root, package, root / "hot.test", env)
    flags = ("-test.run=^$", "-test.bench=Hot", "-test.benchtime=5x", "-test.trace=t", "-test.cpuprofile=c")
    subprocess.run((binary.path, *flags), cwd=root, env=env, timeout=60, check=True, capture_output=True)
    return measured_round(join(read_trace(root / "t")), 5)


@pytest.mark.alone
def test_the_states_of_a_real_round_add_up(hot):
    """For every state of the catalogue the spots of a round add up to its total, up to rounding."""
    totals: dict[str, float] = defaultdict(float)
    for spot in of(spots(hot, MODULE), inside=""):
        totals[spot.state] += spot.total
    told = {str(key): found.total for key, found in extract(hot, built_in_metrics()).items()}
    states = {
        name: total
        for name, total in told.items()
        if not name.startswith(("region", "sync-block", "goroutine"))
    }
    states |= {name: total for name, total in told.items() if name.startswith("sync-block[")}
    assert {name: totals[name] for name in states} == pytest.approx(states)
    assert states["sleep"] > 20e6


@pytest.mark.alone
def test_samples_of_a_real_round_name_the_line(hot):
    """The code that runs is found by its samples, in the round and in its regions, and not from before the round."""
    found = spots(hot, MODULE)
    for inside in ("", "region[step]"):
        placed = [spot for spot in of(found, state="exec", inside=inside) if spot.at]
        most = max(placed, key=lambda spot: spot.total)
        assert most.at.function == "example.com/m/hot.compute"
        assert most.at.file == "hot/hot_test.go"
        assert most.stack[-1].function == "example.com/m/hot.BenchmarkHot"
    counted = sum(spot.count for spot in of(found, state="exec", inside=""))
    assert 0 < counted < len(hot.table.samples.time)
    assert np.all(np.diff(hot.table.samples.time) >= 0)
