"""Traces that are kept: real ones, of the runs that are worth it, in a folder that nothing escapes from."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
from gobench import bench
from hostile import names
from hypothesis import given

from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.errors import UsageError
from pytest_gotrace.explanation import LineShift
from pytest_gotrace.keeping import Ranking, folder_name, keep
from pytest_gotrace.measure import Reading, Target, orders, pairs
from pytest_gotrace.metrics import parse_key
from pytest_gotrace.prepare import prepare
from pytest_gotrace.trace import join, read_trace

SLEEPS = """
package m

import (
	"context"
	"runtime/trace"
	"testing"
	"time"
)

var Heap []byte

func BenchmarkNap(b *testing.B) {
	for i := 0; i < b.N; i++ {
		trace.WithRegion(context.Background(), "nap", func() { time.Sleep(LENGTH) })
		done := make(chan int)
		go func() { time.Sleep(time.Millisecond); done <- 1 }()
		<-done
		Heap = make([]byte, 1<<20)
	}
}
"""
NAP = parse_key("region[nap].max")
BY_NAP = Ranking(key=NAP)


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    """Three pairs with their traces, of a nap of 1 ms that became one of 5 ms."""
    root = tmp_path_factory.mktemp("keeping")
    sides = {
        side: {"m_test": SLEEPS.replace("LENGTH", f"{ms}*time.Millisecond")}
        for side, ms in (("base", 1), ("head", 5))
    }
    place = bench(root, **sides, changed=("m_test.go",))
    (benchmark,) = prepare(place, "", lambda package: True).benchmarks
    target = Target(benchmark=benchmark, sides=("base", "head"), modes=(True,), iterations=20, seconds=0.1)
    traces = root / "kept"
    traces.mkdir()
    reading = Reading(metrics=built_in_metrics(), sampled=True, keep=traces)
    return traces, [*pairs(place, reading, [target], range(3), orders(1, 3, target.sides))]


def test_these_runs_are_sampled_and_their_traces_stay(explained):
    """A run that explains says that it was sampled, and each has its trace."""
    traces, runs = explained
    assert all(run.sampled for run in runs)
    assert len([*traces.iterdir()]) == len(runs) == 6


def test_the_median_and_the_worst_of_each_side(explained, tmp_path):
    """Of each side two traces are kept, which can be read, each with its longest event, the head's worst first."""
    traces, runs = explained
    kept = keep(runs, traces, tmp_path, BY_NAP)
    assert [(one.side, one.which) for one in kept.traces] == [
        ("head", "worst"),
        ("head", "median"),
        ("base", "worst"),
        ("base", "median"),
    ]
    worst, base_worst = kept.traces[0], kept.traces[2]
    assert (worst.by, worst.unit, worst.runs, worst.series) == ("region[nap].max", "ns", 3, "region[nap]")
    assert worst.value == worst.duration
    assert worst.duration == max(run.number(NAP) for run in runs if run.side == "head")
    assert worst.duration > 5e6
    assert base_worst.duration == max(run.number(NAP) for run in runs if run.side == "base")
    table = join(read_trace(tmp_path / worst.path))
    at = table.begin + worst.begin
    assert at in table.regions.start.tolist()
    assert worst.goroutine == table.regions.goroutine[table.regions.start.tolist().index(at)]


def test_where_the_why_speaks_of_a_line(explained, tmp_path):
    """What is shown is the longest wait at that line, not the longest that there is; also where the line has moved."""
    traces, runs = explained
    at = 1 + SLEEPS.splitlines().index("\t\t<-done")
    state = "sync-block[chan receive]"
    shift = LineShift(
        state=state, function="example.com/m.BenchmarkNap", file="m_test.go", line=at, base=0.0, head=1.0
    )
    kept = keep(runs, traces, tmp_path, BY_NAP, shift).traces
    assert {(one.series, one.at, one.by) for one in kept} == {(state, f"m_test.go:{at}", "region[nap].max")}
    moved = keep(runs, traces, tmp_path, BY_NAP, replace(shift, line=1)).traces
    assert [replace(one, path="") for one in moved] == [replace(one, path="") for one in kept]
    gone = keep(runs, traces, tmp_path, BY_NAP, replace(shift, function="example.com/m.Gone")).traces
    assert {(one.series, one.at) for one in gone} == {("region[nap]", "")}


def test_profiles_of_the_medians(explained, tmp_path):
    """Each median has the profiles that `go tool pprof` reads, of what there was."""
    traces, runs = explained
    keep(runs, traces, tmp_path, BY_NAP)
    found = sorted(path.name for path in tmp_path.rglob("*.pb.gz"))
    assert {"base-median.sync.pb.gz", "head-median.sync.pb.gz", "head-median.sched.pb.gz"} <= set(found)
    assert not any("net" in name for name in found)
    assert all(gzip.decompress(path.read_bytes()) for path in tmp_path.rglob("*.pb.gz"))


def test_heap_over_time(explained, tmp_path):
    """A timeline has the heap and its goal at as many times, in order, and collections that end after they began."""
    traces, runs = explained
    (line, *_) = keep(runs, traces, tmp_path, BY_NAP).timelines
    assert len(line.times) == len(line.heap) == len(line.goal) > 0
    assert list(line.times) == sorted(line.times)
    assert max(line.heap) > 1 << 20
    assert line.gc_begin
    assert all(begin <= end for begin, end in zip(line.gc_begin, line.gc_end, strict=True))


def test_where_fewer_is_worse(explained, tmp_path):
    """Of a metric that should be high, the lowest run is the worst."""
    traces, runs = explained
    key = parse_key("region[nap].count")
    counted = [
        replace(run, series={k: replace(d, count=run.round) for k, d in run.series.items()}) for run in runs
    ]
    kept = keep(counted, traces, tmp_path, Ranking(key=key, unit="1", highest=False))
    lowest = (traces / "head-0.trace").read_bytes()
    assert (tmp_path / kept.traces[0].path).read_bytes() == lowest


def test_a_place_that_cannot_be_written_to(explained, tmp_path):
    """A report's directory that is a file is an error that names the place."""
    traces, runs = explained
    (tmp_path / "traces").write_text("")
    with pytest.raises(UsageError, match=r"traces.*cannot keep the trace"):
        keep(runs, traces, tmp_path, BY_NAP)


@given(names)
def test_no_name_leaves_the_folder(name):
    """Whatever a benchmark is called, its folder is one plain name."""
    folder = folder_name(name)
    assert folder.isascii()
    assert not set(folder) & set("/\\:\0\n ")
    assert folder.strip(".")
    assert len(folder) < 100


def test_no_two_names_share_a_folder():
    """Names that look alike once they are plain have folders of their own."""
    assert len({folder_name(name) for name in ("a/b", "a b", "a:b", "a_b", "A/b", "a//b")}) == 6
