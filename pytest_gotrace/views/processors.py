"""What the processors did: how many ran Go code at a time, and when they did not although something was runnable.

A processor whose goroutine is in a system call counts as not running: it may be taken away, and the columns do not say
when.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.trace import Metric, State
from pytest_gotrace.views.listing import Column, Kind, Listing, Merge, Value, key, listing, total, worst
from pytest_gotrace.views.scope import Scope
from pytest_gotrace.views.spans import Ints

_STOP = "stop-the-world"


def view(scope: Scope) -> tuple[Listing, ...]:
    """Utilization, time by number of processors running, and the gaps."""
    times, running, runnable, count, stopped = _course(scope)
    lasted = np.diff(times)
    window = max(int(lasted.sum()), 1)
    return (
        _utilization(scope, lasted, running, runnable, count),
        _by_number(lasted, running, runnable, window),
        _gaps(lasted, running < count, runnable > 0, stopped > 0, window),
    )


def _course(scope: Scope) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """The times at which anything changes, and from each on: running, runnable, GOMAXPROCS, stops of the world.

    1. Every interval is a step up at its begin and down at its end; all steps are put in the order of time.
    2. The sums of the steps are the counts; of several steps at one time the last sum holds.
    """
    states, ranges = scope.table.states, scope.table.ranges
    codes = [code for code in np.unique(ranges.name).tolist() if scope.table.strings[code].startswith(_STOP)]
    stops = np.isin(ranges.name, codes)
    running, runnable = (states.state == state for state in (State.RUNNING, State.RUNNABLE))
    intervals = (
        (states.begin[running], states.end[running]),
        (states.begin[runnable], states.end[runnable]),
        (ranges.begin[stops], ranges.end[stops]),
    )
    edges = [np.clip(scope.closed(part), scope.begin, scope.end) for pair in intervals for part in pair]
    changes, count = _processors(scope)
    times = np.concatenate([*edges, changes, [scope.begin, scope.end]])
    order = np.argsort(times, kind="stable")
    times = times[order]
    last = np.append(times[1:] != times[:-1], True)
    sums = [_sums(edges, kind, order)[last][:-1] for kind in range(len(intervals))]
    times = times[last]
    at = np.maximum(np.searchsorted(changes, times[:-1], side="right") - 1, 0)
    return times, sums[0], sums[1], count[at], sums[2]


def _sums(edges: list[Ints], kind: int, order: NDArray[np.int64]) -> Ints:
    """How many intervals of a kind are open behind each step, the steps in the given order."""
    steps = np.zeros(len(order), dtype=np.int8)
    begin = sum(len(part) for part in edges[: 2 * kind])
    middle = begin + len(edges[2 * kind])
    steps[begin:middle] = 1
    steps[middle : middle + len(edges[2 * kind + 1])] = -1
    return np.cumsum(steps[order], dtype=np.int64)


def _processors(scope: Scope) -> tuple[Ints, Ints]:
    """When GOMAXPROCS became what. Before the trace says so there are as many processors as it says first."""
    own = scope.table.metrics
    rows = np.flatnonzero((own.kind == Metric.PROCS) & (own.time <= scope.end))
    if len(rows) == 0:
        return np.array([scope.begin], dtype=np.int64), np.zeros(1, dtype=np.int64)
    return np.clip(own.time[rows], scope.begin, scope.end), own.value[rows]


def _utilization(scope: Scope, lasted: Ints, running: Ints, runnable: Ints, count: Ints) -> Listing:
    there, used = int((count * lasted).sum()), int((running * lasted).sum())
    window = max(int(lasted.sum()), 1)
    row: tuple[Value, ...] = (
        used,
        used / there if there else None,
        int(count.max(initial=0)),
        float((runnable * lasted).sum()) / window,
        int(runnable.max(initial=0)),
    )
    columns = (
        total("exec"),
        worst("utilization", Kind.SHARE),
        worst("GOMAXPROCS", Kind.COUNT),
        worst("runnable, mean", Kind.COUNT),
        worst("runnable, max", Kind.COUNT),
    )
    return listing("procs", "Processors", columns, [row])


def _by_number(lasted: Ints, running: Ints, runnable: Ints, window: int) -> Listing:
    found: list[tuple[Value, ...]] = []
    for number in np.unique(running).tolist():
        picked = running == number
        time = int(lasted[picked].sum())
        waiting = int(lasted[picked & (runnable > 0)].sum())
        found.append((number, time, time / window, waiting))
    columns = (
        Column("running", Kind.ID, Merge.KEY),
        total("time"),
        worst("share", Kind.SHARE),
        total("with runnable"),
    )
    return listing("procs-running", "Processors that ran Go code at the same time", columns, found)


def _gaps(
    lasted: Ints,
    idle: NDArray[np.bool_],
    runnable: NDArray[np.bool_],
    stopped: NDArray[np.bool_],
    window: int,
) -> Listing:
    kinds = (
        ("nothing was runnable", idle & ~runnable & ~stopped),
        ("goroutines were runnable", idle & runnable & ~stopped),
        ("the world was stopped", idle & stopped),
    )
    rows = [(name, *_runs(lasted, picked), int(lasted[picked].sum()) / window) for name, picked in kinds]
    columns = (
        key("while"),
        total("count", Kind.COUNT),
        total("time"),
        worst("max"),
        worst("share", Kind.SHARE),
    )
    return listing("procs-idle", "Gaps in which a processor did not run Go code", columns, rows)


def _runs(lasted: Ints, picked: NDArray[np.bool_]) -> tuple[int, int, int]:
    """How many times in a row something held, how long together, how long at most."""
    if not picked.any():
        return 0, 0, 0
    begins = np.flatnonzero(picked & ~np.append(False, picked[:-1]))
    ends = np.flatnonzero(picked & ~np.append(picked[1:], False)) + 1
    done = np.concatenate(([0], np.cumsum(lasted)))
    lengths = done[ends] - done[begins]
    return len(begins), int(lengths.sum()), int(lengths.max())
