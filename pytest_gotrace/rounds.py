"""The measured round of a benchmark trace, and the time that counts inside it.

`testing` puts no marker into the trace, but it stops the world (`read mem stats`) each time a benchmark's timer is
started, reset or stopped, and the trace keeps the stack of each stop. So the stack tells the three apart, and the
last `StartTimer` that `runN` itself makes opens the last round, the measured one; the N=1 trial, the forced
garbage collection between rounds and the parent benchmarks lie before it. (`testing/benchmark.go`, Go 1.22 to 1.27)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace import Frame, State, Table

Ints = NDArray[np.int64]

_READ_MEM_STATS = "stop-the-world (read mem stats)"
_TIMER = {
    "testing.(*B).StartTimer": "start",
    "testing.(*B).ResetTimer": "reset",
    "testing.(*B).StopTimer": "stop",
}

#: `go test` prints few digits, and a span may be so many ns longer than what was read from the clock.
_ROUNDING, _SLACK = 0.05, 50_000
#: A benchmark that throws its set-up away has stopped its timer once or twice until then.
_SETUP_SPANS = 2

#: Goroutines by start function that belong to the runtime or the test harness and not to the benchmark.
_FOREIGN = ("runtime.", "runtime/trace.", "runtime/pprof.", "os/signal.", "testing.")
#: In a test binary this is generated and waits for the benchmark; in any other program it is the program.
_TEST_MAIN = "main.main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The benchmark's timer over one round: `begins[k]` to `ends[k]` are the spans in which it ran, in ns, sorted."""

    begins: Ints
    ends: Ints

    @property
    def elapsed(self) -> int:
        """Time on the timer in ns: what `testing` divides by b.N."""
        return int((self.ends - self.begins).sum())

    def running(self, times: Ints) -> NDArray[np.bool_]:
        """Whether the timer was running at each of `times`."""
        span = np.searchsorted(self.begins, times, side="right") - 1
        return (span >= 0) & (times <= self.ends[np.maximum(span, 0)])

    def touches(self, begins: Ints, ends: Ints) -> NDArray[np.bool_]:
        """Whether the timer was running at some time of each interval; clocks tick, so some have no length."""
        span = np.searchsorted(self.ends, begins, side="right")
        known = np.minimum(span, len(self.ends) - 1)
        touching: NDArray[np.bool_] = (span < len(self.ends)) & (self.begins[known] < ends)
        return touching

    def inside(self, begins: Ints, ends: Ints) -> Ints:
        """For each interval, the part of it in ns in which the timer was running."""
        return self._before(ends) - self._before(begins)

    def _before(self, times: Ints) -> Ints:
        """Time on the timer before each of `times`, exact in integers."""
        done = np.concatenate(([0], np.cumsum(self.ends - self.begins)))
        span = np.searchsorted(self.begins, times, side="right") - 1
        spans = np.maximum(span, 0)
        into = np.minimum(times, self.ends[spans]) - self.begins[spans]
        return np.where(span < 0, 0, done[spans] + into).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One measured round: the whole trace, the timer, and which goroutines are the benchmark's own.

    It is not cut to size: whoever counts asks `clock` for the part of an interval that lies inside.
    """

    table: Table
    clock: Clock
    operations: int
    goroutine: int  # the benchmark function's own
    foreign: frozenset[int]  # goroutines of the runtime and of the harness

    def own(self, goroutines: Ints) -> NDArray[np.bool_]:
        """Whether each goroutine works for the benchmark."""
        foreign: NDArray[np.bool_] = np.isin(
            goroutines, np.fromiter(self.foreign, np.int64, len(self.foreign))
        )
        return ~foreign

    def states(self, state: State) -> NDArray[np.bool_]:
        """Rows of `table.states` in this state, of the benchmark's goroutines, that touch the round."""
        rows = self.table.states
        picked: NDArray[np.bool_] = rows.state == int(state)
        picked[picked] = self._touches(rows.begin[picked], rows.end[picked])
        picked[picked] = self.own(rows.goroutine[picked])
        return picked

    def ranges(self, *names: str) -> NDArray[np.bool_]:
        """Rows of `table.ranges` with one of these names that touch the round."""
        rows = self.table.ranges
        picked: NDArray[np.bool_] = np.isin(rows.name, self.codes(*names))
        picked[picked] = self._touches(rows.begin[picked], rows.end[picked])
        return picked

    def codes(self, *names: str) -> list[int]:
        """The string codes of `names` in this trace; names that never occur have none."""
        wanted = set(names)
        return [code for code, text in enumerate(self.table.strings) if text in wanted]

    def durations(self, begins: Ints, ends: Ints) -> Ints:
        """Time of each interval inside the round in ns; an interval still open (-1) lasts to the round's end."""
        return self.clock.inside(begins, self.closed(ends))

    def _touches(self, begins: Ints, ends: Ints) -> NDArray[np.bool_]:
        return self.clock.touches(begins, self.closed(ends))

    def closed(self, ends: Ints) -> Ints:
        """Ends, where what goes on (-1) ends with the round."""
        return np.where(ends < 0, self.clock.ends[-1], ends)


def measured_round(table: Table, operations: int, reported: float | None = None) -> Round:
    """The last round of the one benchmark in a trace of a whole test process.

    `reported` is the time in ns that the benchmark itself says it took. Raises `TraceError` where the trace holds no
    finished round.
    """
    goroutine, clock = _timer(table)
    if reported is not None:
        clock = since_reset(clock, reported)
    return Round(
        table=table,
        clock=clock,
        operations=operations,
        goroutine=goroutine,
        foreign=frozenset(_foreign(table, goroutine, _TEST_MAIN)),
    )


def whole_trace(table: Table) -> Round:
    """A trace from anywhere as one round of one operation, in which the timer ran from beginning to end."""
    begin, end = (np.array([time], dtype=np.int64) for time in (table.begin, table.end))
    return Round(
        table=table,
        clock=Clock(begins=begin, ends=end),
        operations=1,
        goroutine=-1,
        foreign=frozenset(_foreign(table, -1)),
    )


def _timer(table: Table) -> tuple[int, Clock]:
    """Replay the timer: 1. all its stops in order, 2. from the last `runN` start, 3. to the final stop."""
    stops = sorted(_timer_stops(table), key=lambda stop: stop.begin)
    starts = [index for index, stop in enumerate(stops) if stop.opens_round]
    if not starts:
        raise TraceError(
            f"no measured round: none of the {len(table.ranges.name)} ranges is a benchmark timer's start; "
            "expected the trace of one benchmark run with -test.trace"
        )
    first = stops[starts[-1]]
    spans: list[tuple[int, int]] = []
    running: int | None = None
    for stop in stops[starts[-1] :]:
        if stop.goroutine != first.goroutine:
            continue
        if stop.kind == "stop" and running is not None:
            spans.append((running, stop.begin))
            running = None
        elif stop.kind != "stop":
            spans = [] if stop.kind == "reset" else spans
            running = stop.end
    if running is not None or not spans:
        raise TraceError("the measured round never ends: the trace stops before the benchmark's timer does")
    begins, ends = np.array(spans, dtype=np.int64).T
    return first.goroutine, Clock(begins=begins, ends=ends)


def since_reset(clock: Clock, reported: float) -> Clock:
    """The clock without its set-up, if the time in ns that was reported shows that it was thrown away.

    `ResetTimer` on a stopped timer leaves nothing in the trace. It drops whole spans, so the first or the first two are
    dropped where what is left then is what was reported. (Where the system took the processor away between a stop of
    the world and the reading of the clock, a span is too long as well; but not just those at the beginning.)
    """
    rest = np.cumsum((clock.ends - clock.begins)[::-1])[::-1]
    room = reported * _ROUNDING + _SLACK * np.arange(len(rest), 0, -1)
    fits = np.flatnonzero((rest <= reported + room) & (rest >= reported * (1 - _ROUNDING)))
    first = int(fits[0]) if fits.size and rest[0] > reported and fits[0] <= _SETUP_SPANS else 0
    return Clock(begins=clock.begins[first:], ends=clock.ends[first:])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    kind: str
    goroutine: int
    begin: int
    end: int
    opens_round: bool


def _timer_stops(table: Table) -> Iterator[_Stop]:
    ranges = table.ranges
    codes = [code for code, text in enumerate(table.strings) if text == _READ_MEM_STATS]
    for row in np.flatnonzero(np.isin(ranges.name, codes) & (ranges.end >= 0)):
        functions = [frame.function for frame in table.stacks[int(ranges.stack[row])]]
        timer = next((index for index, name in enumerate(functions) if name in _TIMER), None)
        if timer is None:
            continue  # the benchmark itself asked for memory statistics
        yield _Stop(
            kind=_TIMER[functions[timer]],
            goroutine=int(ranges.goroutine[row]),
            begin=int(ranges.begin[row]),
            end=int(ranges.end[row]),
            opens_round=functions[timer : timer + 2] == ["testing.(*B).StartTimer", "testing.(*B).runN"],
        )


def _foreign(table: Table, benchmark: int, *also: str) -> Iterator[int]:
    goroutines = table.goroutines
    foreign = {
        code
        for code, name in enumerate(table.strings)
        if not name
        or name in also
        or (name.startswith(_FOREIGN) and not name.startswith("testing.(*B).RunParallel"))
    }
    for goroutine, name in zip(goroutines.id.tolist(), goroutines.name.tolist(), strict=True):
        if name in foreign and goroutine != benchmark:
            yield goroutine


def own_frame(stack: tuple[Frame, ...], module: str) -> Frame | None:
    """The frame a reader wants to see: the innermost of his own module, else the innermost outside Go's own.

    With `-trimpath` a file of the standard library has no dot in its first path element, a module's file has.
    """
    below = f"{module}/"  # a function's name would do for most packages, but Go escapes dots in it
    for frame in stack:
        if module and frame.file.startswith(below):
            return relative(frame, module)
    for frame in stack:
        if "." in frame.file.split("/", 1)[0]:
            return frame
    return None


def relative(frame: Frame, module: str) -> Frame:
    """The frame with a file of the module relative to it, as an editor that is open there knows it."""
    return frame._replace(file=frame.file.removeprefix(f"{module}/")) if module else frame
