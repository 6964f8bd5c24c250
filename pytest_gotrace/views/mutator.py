"""Minimum mutator utilization: the least share of the processors' time that the program got, in any window of a size.

The function and its minimum are those of Go's `internal/trace` (`MutatorUtilizationV2` without `UtilPerProc`, and
`MMUCurve.MMU`):
1. Wherever the number of processors at work for the collector changes, the utilization is 1 - at work / GOMAXPROCS,
   and 0 while the collector stops the world. An assist is at work while its goroutine executes, a sweep always.
2. The mean over a window is piecewise linear in the window's place, so its minimum lies where an edge of the
   window meets a change.
Background workers are not counted: which of them are idle ones, which take no time from the program, is in labels
that the columns do not keep. (Go's `UtilBackground` counts a worker twice from its second run on, as of Go 1.26.)
An assist under way as the trace begins counts while its goroutine executes; Go counts it at once, for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.trace import Metric, State
from pytest_gotrace.views.collector import named
from pytest_gotrace.views.goroutines import ASSIST, SWEEP, is_gc_stop
from pytest_gotrace.views.listing import Column, Kind, Listing, Merge, listing
from pytest_gotrace.views.scope import Scope
from pytest_gotrace.views.spans import Axis, Ints

WINDOWS = (1_000_000, 10_000_000, 100_000_000)
Floats = NDArray[np.float64]

_ASSISTING = "runtime.gcAssistAlloc"

#: What is counted as taken from the program, by the title of the column.
COUNTED = {
    "stw": frozenset({"stw"}),
    "stw+assist": frozenset({"stw", "assist"}),
    "stw+assist+sweep": frozenset({"stw", "assist", "sweep"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Utilization:
    """A step function: from `times[k]` on it is `values[k]`; the last time is where it ends."""

    times: Ints
    values: Floats

    def minimum(self, window: int) -> float:
        """The least mean over any window of so many ns; of the whole function if that is shorter."""
        window = min(window, int(self.times[-1] - self.times[0]))
        if window <= 0:
            return 0.0
        last = self.times[-1] - window
        places = np.concatenate((self.times, self.times - window, [last]))
        places = places[(places >= self.times[0]) & (places <= last)]
        means = (self._before(places + window) - self._before(places)) / window
        return min(1.0, float(means.min()))

    def _before(self, times: Ints) -> Floats:
        """The integral up to each time."""
        done = np.concatenate(([0.0], np.cumsum(self.values[:-1] * np.diff(self.times))))
        at = np.searchsorted(self.times, times, side="right") - 1
        return done[at] + self.values[at] * (times - self.times[at])


def view(scope: Scope) -> tuple[Listing, ...]:
    """MMU at `WINDOWS`; nothing if the trace never says how many processors there are."""
    functions = {title: utilization(scope, counted) for title, counted in COUNTED.items()}
    found = [
        (window, *(function.minimum(window) for function in functions.values() if function))
        for window in WINDOWS
        if all(functions.values())
    ]
    columns = (
        Column("window", Kind.TIME, Merge.KEY),
        *(Column(title, Kind.SHARE, Merge.MAX) for title in COUNTED),
    )
    return (listing("mmu", "Minimum mutator utilization", columns, found),)


def utilization(scope: Scope, counted: frozenset[str]) -> Utilization | None:
    """The utilization over the window; None if the number of processors is not known in it."""
    processors = _processors(scope)
    if processors is None:
        return None
    begin = max(int(processors[0][0]), scope.begin)
    stops, works = _stops(scope, counted), _works(scope, counted)
    times = np.sort(np.concatenate([[begin], processors[0], stops[0], works[0]]))
    times = times[np.append(times[1:] != times[:-1], True)]
    busy = _running_sum(works, times)
    count = processors[1][np.maximum(np.searchsorted(processors[0], times, side="right") - 1, 0)]
    taken = np.where(_running_sum(stops, times) > 0, count, np.minimum(busy, count))
    values = 1 - taken / count
    inside = (times >= begin) & (times <= scope.end)
    return _simplified(times[inside], values[inside], scope.end)


def _simplified(times: Ints, values: Floats, end: int) -> Utilization:
    """Without steps that change nothing, and with an end at utilization 0, as Go has it."""
    changes = np.append(True, values[1:] != values[:-1])
    times, values = times[changes], values[changes]
    if values[-1] != 0:
        if times[-1] == end:
            times, values = times[:-1], values[:-1]
        times, values = np.append(times, end), np.append(values, 0.0)
    return Utilization(times=times, values=values)


_Steps = tuple[Ints, Ints]  # times, and by how much a count changes there


def _running_sum(steps: _Steps, times: Ints) -> Ints:
    """What the count is from each time on."""
    order = np.argsort(steps[0], kind="stable")
    sums = np.concatenate(([0], np.cumsum(steps[1][order])))
    return sums[np.searchsorted(steps[0][order], times, side="right")].astype(np.int64)


def _processors(scope: Scope) -> _Steps | None:
    """When GOMAXPROCS became what; None if that is never said."""
    own = scope.table.metrics
    rows = np.flatnonzero((own.kind == Metric.PROCS) & (own.time <= scope.end) & (own.value > 0))
    return (own.time[rows], own.value[rows]) if len(rows) else None


def _stops(scope: Scope, counted: frozenset[str]) -> _Steps:
    own, strings = scope.table.ranges, scope.table.strings
    codes = [code for code in np.unique(own.name).tolist() if is_gc_stop(strings[code])]
    rows = np.flatnonzero(np.isin(own.name, codes if "stw" in counted else []))
    return _intervals(np.where(own.begin[rows] < 0, scope.table.begin, own.begin[rows]), own.end[rows])


def _works(scope: Scope, counted: frozenset[str]) -> _Steps:
    steps = [_intervals(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    own = scope.table.ranges
    if "sweep" in counted:
        rows = _outside_assists(scope, named(scope, SWEEP))
        begins = np.where(own.begin[rows] < 0, scope.table.begin, own.begin[rows])
        steps.append(_intervals(begins, own.end[rows]))
    if "assist" in counted:
        steps.append(_assists(scope))
    times, changes = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    return times, changes


def _outside_assists(scope: Scope, sweeps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sweeps but those that an assist does itself: its processor is at work already, and counts once."""
    own, stacks = scope.table.ranges, scope.table.stacks
    assisting = [
        code
        for code in np.unique(own.stack[sweeps]).tolist()
        if any(frame.function == _ASSISTING for frame in stacks[code])
    ]
    return sweeps[~np.isin(own.stack[sweeps], assisting)]


def _intervals(begins: Ints, ends: Ints) -> _Steps:
    closed = ends >= 0
    changes = np.concatenate((np.ones(len(begins), np.int64), np.full(int(closed.sum()), -1, np.int64)))
    return np.concatenate((begins, ends[closed])), changes


def _assists(scope: Scope) -> _Steps:
    """Assists, but only while their goroutines execute: whatever they do at the borders, they do themselves."""
    own, states = scope.table.ranges, scope.table.states
    rows = named(scope, ASSIST)
    begins, ends = own.begin[rows], own.end[rows]
    known = begins >= 0  # of the others the first state says whether they execute
    steps = [_intervals(begins[known], ends[known])]
    steps.append((ends[~known & (ends >= 0)], np.full(int((~known & (ends >= 0)).sum()), -1, np.int64)))
    executing = np.isin(states.state, (State.RUNNING, State.SYSCALL))
    executing &= np.isin(states.goroutine, own.goroutine[rows])
    for times, change in ((states.begin, 1), (states.end, -1)):
        at, goroutines = times[executing], states.goroutine[executing]
        inside = _strictly_inside(scope, goroutines, at, rows)
        steps.append((at[inside], np.full(int(inside.sum()), change, np.int64)))
    return np.concatenate([step[0] for step in steps]), np.concatenate([step[1] for step in steps])


def _strictly_inside(
    scope: Scope, goroutines: Ints, times: Ints, rows: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each time lies between, and not at, the ends of one of the ranges `rows` of the same goroutine."""
    own = scope.table.ranges
    # One before all times, so that what was there before the trace began lies behind a begin that is not known (-1).
    first = int(times.min(initial=scope.table.begin)) - 1
    axis = Axis(own.goroutine[rows], first=first, last=scope.table.end)
    begins = axis.places(own.goroutine[rows], own.begin[rows])
    order = np.argsort(begins, kind="stable")
    ends = axis.places(own.goroutine[rows], np.where(own.end[rows] < 0, scope.table.end, own.end[rows]))[
        order
    ]
    places = axis.places(goroutines, times)
    at = np.searchsorted(begins[order], places, side="left") - 1
    # An end is on the axis of its own goroutine, so that what follows of others lies behind it.
    inside: NDArray[np.bool_] = (at >= 0) & (places < ends[np.maximum(at, 0)]) & (times >= 0)
    return inside
