"""Runs come in balanced pairs, with an iteration count that fits the time, the events and the size of traces."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from gobench import bench
from samples import distribution, run

from pytest_gotrace import measure
from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.errors import GoTestError, TraceError
from pytest_gotrace.gotest import GoCommand
from pytest_gotrace.interference import Watch
from pytest_gotrace.measure import LONGEST_STRETCH, Needs, Reading, Target, calibrate, orders, pairs
from pytest_gotrace.metrics import Key
from pytest_gotrace.prepare import Benchmark, Failure, Status, prepare
from pytest_gotrace.recording import Run

BOTH = ("base", "head")
READING = Reading(metrics=built_in_metrics())

# orders


@pytest.mark.parametrize("seed", range(20))
def test_every_block_is_balanced(seed):
    """Two pairs in a row are AB BA or BA AB, so that drift cancels and neither side is always first."""
    order = orders(seed, 20, BOTH)
    assert len(order) == 20
    assert {tuple(order[at : at + 2]) for at in range(0, 20, 2)} <= {
        (("base", "head"), ("head", "base")),
        (("head", "base"), ("base", "head")),
    }


def test_the_coin_is_fair_and_repeats():
    """Both kinds of block occur about as often, and the same seed gives the same order."""
    first = [orders(seed, 2, BOTH)[0][0] for seed in range(1000)]
    assert 400 < first.count("base") < 600
    assert orders(7, 50, BOTH) == orders(7, 50, BOTH)
    assert orders(7, 50, BOTH)[:14] == orders(7, 14, BOTH)
    assert orders(7, 50, BOTH) != orders(8, 50, BOTH)


def test_odd_numbers_and_single_sides():
    """The last block may be half, and where there is one side only it runs each time."""
    assert len(orders(1, 7, BOTH)) == 7
    assert orders(1, 3, ("head",)) == [("head",)] * 3


# calibrating, with a benchmark whose cost is known


def benchmark(nanoseconds: float | None = 1000.0) -> Benchmark:
    """One that took so long for its single iteration."""
    found = Status(presence="found", nanoseconds=nanoseconds)
    return Benchmark(
        module="",
        package="",
        name="BenchmarkX",
        import_path="m",
        status={"base": found, "head": found},
        executables={},
    )


class Model:
    """A benchmark that takes `ns` an operation, and so many events and bytes of trace."""

    def __init__(self, *, ns: float, events: float = 0.0, trace_bytes: float = 0.0) -> None:
        self.ns, self.events, self.trace_bytes = ns, events, trace_bytes
        self.tried: list[tuple[int, str, bool]] = []

    def __call__(self, bench, reading, target, side, number, position, *, traced) -> Run:
        n = target.iterations
        self.tried.append((n, side, traced))
        count = round(self.events * n)
        return run(
            side,
            -1,
            traced=traced,
            iterations=n,
            values={"ns/op": self.ns},
            series={"region[db]": distribution(1.0, count)} if count else {},
            trace_bytes=round(self.trace_bytes * n) if traced else 0,
        )


DB = Key(metric="region", subject="db")


@pytest.mark.parametrize(
    ("model", "needs", "reading", "iterations"),
    [
        # by time: a quarter of a second
        (Model(ns=1000), Needs(modes=(False,), events={}), READING, 250_000),
        (Model(ns=1000), Needs(modes=(False,), events={}), replace(READING, run_seconds=1.0), 1_000_000),
        # one operation that takes longer than a run should
        (Model(ns=3e9), Needs(modes=(True,), events={}), READING, 1),
        # by events: 650 are needed, and there is one in a thousand operations
        (Model(ns=1000, events=0.001), Needs(modes=(True,), events={DB: 650}), READING, 650_000),
        # enough events already
        (Model(ns=1000, events=1), Needs(modes=(True,), events={DB: 650}), READING, 250_000),
        # too rare: no longer than so many times
        (
            Model(ns=1000, events=0.0001),
            Needs(modes=(True,), events={DB: 650}),
            READING,
            250_000 * LONGEST_STRETCH,
        ),
        # an operation that takes no time: as often as Go itself would run it
        (Model(ns=1e-6), Needs(modes=(False,), events={}), READING, 1_000_000_000),
        # never seen: nothing to go by
        (Model(ns=1000), Needs(modes=(True,), events={DB: 650}), READING, 250_000),
        # by the size of the trace: half of 64 MiB at 1 KiB an operation, whatever else is wished
        (Model(ns=1000, trace_bytes=1024), Needs(modes=(True,), events={}), READING, 32_768),
        (
            Model(ns=1000, events=0.001, trace_bytes=1024),
            Needs(modes=(False, True), events={DB: 650}),
            replace(READING, max_trace_mb=16),
            8192,
        ),
    ],
)
def test_iterations_fit_time_events_and_size(monkeypatch, tmp_path, model, needs, reading, iterations):
    """A run lasts as it should, longer where events are rare, within half the limit on traces and Go's own."""
    monkeypatch.setattr(measure, "run", model)
    monkeypatch.setattr(measure, "time", SimpleNamespace(perf_counter=lambda: 0.0))
    target = calibrate(quiet(tmp_path), reading, benchmark(), BOTH, needs)
    assert target.iterations == pytest.approx(iterations, rel=0.02)
    assert target.seconds == pytest.approx(model.ns * iterations / 1e9, rel=0.05, abs=0.01)
    assert target.modes == needs.modes
    assert {(side, traced) for _, side, traced in model.tried} == {("base", needs.modes[-1])}


@pytest.mark.parametrize("cold", [None, 10.0, 1e4, 1e6, 1e9])
def test_a_cold_first_iteration_misleads_nobody(monkeypatch, tmp_path, cold):
    """However long the first iteration took, the last trial lasts long enough to be believed."""
    model = Model(ns=1000)
    monkeypatch.setattr(measure, "run", model)
    target = calibrate(quiet(tmp_path), READING, benchmark(cold), BOTH, Needs(modes=(False,), events={}))
    assert target.iterations == 250_000
    assert len(model.tried) <= 3
    assert model.tried[-1][0] >= 250_000 / 8


def test_a_benchmark_that_fails_in_the_trial(monkeypatch, tmp_path):
    """A failure of the trial is what calibrating answers."""
    failure = Failure(benchmark="BenchmarkX", side="base", error=GoTestError("no"))
    monkeypatch.setattr(measure, "run", lambda *_, **__: failure)
    assert calibrate(quiet(tmp_path), READING, benchmark(), BOTH, Needs(modes=(False,), events={})) is failure


def quiet(tmp_path):
    """A bench on which nothing is run."""
    return bench(tmp_path, base=None, head={})


# pairs, on real Go

SOURCE = """
package m

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func BenchmarkQuick(b *testing.B) {
	done := make(chan int)
	for i := 0; i < b.N; i++ {
		go func() { done <- i }()
		<-done
	}
	b.ReportMetric(3, "hits/op")
}

func BenchmarkBreaks(b *testing.B) {
	if b.N > 1 {
		b.Fatal("as was asked for")
	}
}

func BenchmarkAsks(b *testing.B) {
	if os.Getenv("ASKED") != "politely" {
		b.Fatal("not asked")
	}
}

func BenchmarkDisturbs(b *testing.B) {
	if b.N == 1 {
		return
	}
	file, _ := os.OpenFile(os.Getenv("PROC")+"/turns", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	defer file.Close()
	file.WriteString("x")
	info, _ := file.Stat()
	if turn := info.Size(); strings.Contains(os.Getenv("TURNS"), strconv.Itoa(int(turn))) {
		steal := strings.Repeat("9", 8+int(turn))
		os.WriteFile(os.Getenv("PROC")+"/stat", []byte("cpu 1 0 1 1 0 0 0 "+steal+" 0 0"), 0o600)
	}
}

func BenchmarkNew(b *testing.B) {}
"""


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """A bench with both sides, and its benchmarks by name; one of them is only on the head."""
    files = {"m_test": SOURCE}
    before = {"m_test": SOURCE.replace("func BenchmarkNew", "func Later")}
    both = bench(tmp_path_factory.mktemp("measure"), base=before, head=files)
    module = prepare(both, "", lambda directory: True)
    return both, {b.name: b for b in module.benchmarks}


def target(found, name, *, modes=(False, True), on=BOTH, iterations=20):
    return Target(benchmark=found[name], sides=on, modes=modes, iterations=iterations, seconds=0.0)


def test_pairs_take_turns(sides):
    """Benchmarks take turns pair by pair, each pair has both sides in its order, untraced before traced."""
    both, found = sides
    targets = [target(found, "BenchmarkQuick"), target(found, "BenchmarkNew", modes=(False,), on=("head",))]
    order = [("base", "head"), ("head", "base")]
    results = list(pairs(both, READING, targets, range(-1, 2), order))
    assert [(r.benchmark, r.round, r.traced, r.side, r.position) for r in results] == [
        row
        for number, sides_ in zip((-1, 0, 1), (order[-1], *order), strict=True)
        for row in (
            *(
                ("BenchmarkQuick", number, traced, side, position)
                for traced in (False, True)
                for position, side in enumerate(sides_)
            ),
            ("BenchmarkNew", number, False, "head", 0),
        )
    ]
    assert list(both.scratch.glob("*.trace")) == []


def test_what_a_run_brings(sides):
    """An untraced run has what `go test` printed; a traced run also has its series, spots and size."""
    both, found = sides
    (plain, traced) = pairs(
        both, READING, [target(found, "BenchmarkQuick", on=("head",))], range(1), [("head",)]
    )
    assert {"ns/op", "B/op", "allocs/op", "hits/op"} <= plain.values.keys()
    assert (plain.series, plain.spots, plain.trace_bytes) == ({}, (), 0)
    assert traced.series[Key(metric="exec")].count >= 20
    assert traced.trace_bytes > 0
    places = {spot.at.function for spot in traced.spots if spot.at}
    assert any(function.startswith("example.com/m.BenchmarkQuick") for function in places)


def test_who_fails_gets_no_more_runs(sides):
    """A benchmark that fails is a failure once and is left alone then; the others go on."""
    both, found = sides
    targets = [
        target(found, "BenchmarkBreaks", modes=(False,)),
        target(found, "BenchmarkQuick", modes=(False,)),
    ]
    results = list(pairs(both, READING, targets, range(3), [BOTH] * 3))
    failures = [result for result in results if isinstance(result, Failure)]
    assert [(f.benchmark, f.side) for f in failures] == [("BenchmarkBreaks", "base")]
    assert "as was asked for" in failures[0].error.tail
    assert len([r for r in results if isinstance(r, Run)]) == 6


@pytest.mark.parametrize(
    ("disturbed", "rounds", "processes", "repeated"),
    [("9", 10, 22, {4}), ("9", 5, 12, {4}), ("7", 4, 8, set())],
)
def test_a_disturbed_pair_is_measured_again(sides, tmp_path, disturbed, rounds, processes, repeated):
    """A pair during which CPU time was taken away is run once more on both sides, at most one pair in five."""
    both, found = sides
    (tmp_path / "stat").write_text("cpu 1 0 1 1 0 0 0 0 0 0\n")
    env = {**both.env, "PROC": str(tmp_path), "TURNS": disturbed}
    watched = replace(both, env=env, watch=Watch(names=("steal",), proc=tmp_path))
    one = target(found, "BenchmarkDisturbs", modes=(False,))
    results = list(pairs(watched, READING, [one], range(rounds), orders(1, rounds, BOTH)))
    assert len((tmp_path / "turns").read_text()) == processes
    assert [(run.round, run.side) for run in results] == [
        (number, side) for number, order in enumerate(orders(1, rounds, BOTH)) for side in order
    ]
    assert {run.round for run in results if run.repeated == ("steal",)} == repeated
    assert {run.round for run in results if run.repeated} == repeated


def test_a_project_may_change_the_command(sides):
    """What `adapt` answers is what is run."""
    both, found = sides

    def adapt(command: GoCommand) -> GoCommand:
        return replace(command, env={**command.env, "ASKED": "politely"})

    asked = replace(found["BenchmarkQuick"], name="BenchmarkAsks")
    one = Target(benchmark=asked, sides=("head",), modes=(False,), iterations=2, seconds=0.0)
    (refused,) = pairs(both, READING, [one], range(1), [("head",)])
    (granted,) = pairs(both, replace(READING, adapt=adapt), [one], range(1), [("head",)])
    assert isinstance(refused, Failure)
    assert isinstance(granted, Run)


def test_a_trace_that_cannot_be_read(sides, monkeypatch):
    """A trace that makes no sense is a failure of its benchmark, with its name, and is removed."""

    def unreadable(path):
        raise TraceError("nonsense", path=path)

    both, found = sides
    monkeypatch.setattr(measure, "read_trace", unreadable)
    (failure,) = pairs(both, READING, [target(found, "BenchmarkQuick", modes=(True,))], range(1), [("head",)])
    assert failure.error.message == "BenchmarkQuick: its trace cannot be read: nonsense"
    assert list(both.scratch.glob("*.trace")) == []


@pytest.mark.alone
def test_calibrating_a_real_benchmark(sides):
    """On real Go a run takes about as long as it should."""
    both, found = sides
    aimed = calibrate(both, READING, found["BenchmarkQuick"], BOTH, Needs(modes=(False,), events={}))
    assert 0.025 < aimed.seconds < 2.5
    assert aimed.iterations > 1000
