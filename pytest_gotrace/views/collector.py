"""The garbage collector's work: cycles, ranges by kind, who stopped the world; and the heap it works on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.trace import Metric, State
from pytest_gotrace.views.goroutines import ASSIST, SWEEP, is_gc_stop
from pytest_gotrace.views.groups import Groups
from pytest_gotrace.views.listing import Kind, Listing, Value, key, listing, note, total, worst
from pytest_gotrace.views.regions import DURATIONS, QUANTILES
from pytest_gotrace.views.scope import Scope
from pytest_gotrace.views.spans import Ints
from pytest_gotrace.views.stacks import place

MARK = "GC concurrent mark phase"
_STOP = "stop-the-world"
_WORKER = "runtime.gcBgMarkWorker"


def gc(scope: Scope) -> tuple[Listing, ...]:
    """Ranges by kind, stops of the world by who made them, and each cycle."""
    return _kinds(scope), _stops(scope), _cycles(scope)


def named(scope: Scope, name: str) -> NDArray[np.int64]:
    """Rows of `table.ranges` of this name that touch the window, by begin."""
    own, strings = scope.table.ranges, scope.table.strings
    codes = [code for code in np.unique(own.name).tolist() if strings[code] == name]
    rows = np.flatnonzero(np.isin(own.name, codes) & scope.touches(own.begin, own.end))
    return rows[np.argsort(own.begin[rows], kind="stable")]


def _kinds(scope: Scope) -> Listing:
    own = scope.table.ranges
    rows = np.flatnonzero((own.begin >= 0) & (own.end >= 0) & scope.touches(own.begin, own.end))
    durations = own.end[rows] - own.begin[rows]
    groups = Groups(own.name[rows])
    found = [
        (scope.table.strings[code], *numbers)
        for code, *numbers in zip(
            groups.keys.tolist(),
            groups.counts.tolist(),
            *(column.tolist() for column in groups.quantiles(durations, QUANTILES)),
            groups.sum(durations).tolist(),
            strict=True,
        )
    ]
    columns = (key("range"), total("count", Kind.COUNT), *DURATIONS)
    return listing("gc", "Garbage collection and stops of the world, by kind", columns, found, by="time")


def _stops(scope: Scope) -> Listing:
    own, table = scope.table.ranges, scope.table
    codes = [code for code in np.unique(own.name).tolist() if table.strings[code].startswith(_STOP)]
    rows = np.flatnonzero(
        np.isin(own.name, codes) & (own.begin >= 0) & (own.end >= 0) & scope.touches(own.begin, own.end)
    )
    durations = own.end[rows] - own.begin[rows]
    groups = Groups(own.name[rows].astype(np.int64) << 32 | own.stack[rows])
    found: list[tuple[Value, ...]] = []
    for first, count, time, longest in zip(
        rows[groups.first].tolist(),
        groups.counts.tolist(),
        groups.sum(durations).tolist(),
        groups.max(durations).tolist(),
        strict=True,
    ):
        function, where = place(table.stacks[int(own.stack[first])])
        found.append((table.strings[own.name[first]], function, where, count, time, longest))
    columns = (
        key("range"),
        key("function", Kind.FUNCTION),
        note("line", Kind.PLACE),
        total("count", Kind.COUNT),
        total("time"),
        worst("max"),
    )
    return listing("stw", "Who stopped the world", columns, found, by="time")


def _cycles(scope: Scope) -> Listing:
    """Each collection: its mark phase, and what lies between it and the next: pauses, assists, workers, sweeps."""
    own = scope.table.ranges
    marks = named(scope, MARK)
    begins = np.where(own.begin[marks] < 0, scope.begin, own.begin[marks])
    time = scope.cut(begins, own.end[marks])
    parts = [
        _within(scope, begins, rows) for rows in (_pauses(scope), *(named(scope, n) for n in (ASSIST, SWEEP)))
    ]
    live, goal = (_samples(scope, metric) for metric in (Metric.HEAP_ALLOC, Metric.HEAP_GOAL))
    workers = _workers(scope, begins)
    found: list[tuple[Value, ...]] = []
    for i, begin in enumerate(begins.tolist()):
        pause, assist, sweep = (int(part[i]) for part in parts)
        end = int(scope.closed(own.end[marks[i : i + 1]])[0])
        found.append(
            (
                begin - scope.table.begin,
                int(time[i]),
                pause,
                assist,
                int(workers[i]),
                sweep,
                _last(live, begin),
                _last(live, end),
                _last(goal, begin),
            )
        )
    columns = (
        note("at", Kind.MOMENT),
        note("mark", Kind.TIME),
        note("gc-pause", Kind.TIME),
        note("mark-assist", Kind.TIME),
        note("workers", Kind.TIME),
        note("sweep", Kind.TIME),
        note("live at begin", Kind.BYTES),
        note("live at end", Kind.BYTES),
        note("goal", Kind.BYTES),
    )
    return listing("gc-cycles", "Collections", columns, found)


def _pauses(scope: Scope) -> NDArray[np.int64]:
    own, strings = scope.table.ranges, scope.table.strings
    codes = [code for code in np.unique(own.name).tolist() if is_gc_stop(strings[code])]
    return np.flatnonzero(np.isin(own.name, codes) & scope.touches(own.begin, own.end))


def _within(scope: Scope, begins: Ints, rows: NDArray[np.int64]) -> Ints:
    """The time of ranges by the cycle in which they end.

    The pause that opens a cycle begins before its mark phase and ends within it.
    """
    own = scope.table.ranges
    starts = np.where(own.begin[rows] < 0, scope.begin, own.begin[rows])
    return _by_cycle(begins, scope.closed(own.end[rows]), scope.cut(starts, own.end[rows]))


def _workers(scope: Scope, begins: Ints) -> Ints:
    """How long the background mark workers ran in each cycle, the idle ones included."""
    own = scope.table.states
    names = scope.names(own.goroutine)
    codes = [code for code in np.unique(names).tolist() if scope.table.strings[code] == _WORKER]
    rows = np.flatnonzero((own.state == State.RUNNING) & np.isin(names, codes))
    return _by_cycle(begins, scope.closed(own.end[rows]), scope.cut(own.begin[rows], own.end[rows]))


def _by_cycle(begins: Ints, times: Ints, spent: Ints) -> Ints:
    sums = np.zeros(len(begins), dtype=np.int64)
    cycle = np.searchsorted(begins, times, side="right") - 1
    np.add.at(sums, cycle[cycle >= 0], spent[cycle >= 0])
    return sums


def _samples(scope: Scope, metric: Metric) -> tuple[Ints, Ints]:
    """Times and values of a metric up to the end of the window, in time order."""
    own = scope.table.metrics
    rows = np.flatnonzero((own.kind == metric) & (own.time <= scope.end))
    return own.time[rows], own.value[rows]


def _last(samples: tuple[Ints, Ints], time: int) -> int | None:
    """The last value up to a time."""
    at = int(np.searchsorted(samples[0], time, side="right")) - 1
    return int(samples[1][at]) if at >= 0 else None


_STEPS = 20


def heap(scope: Scope) -> tuple[Listing, ...]:
    """Heap in use and aimed at: over the window, and in twenty steps of it."""
    return _heap_summary(scope), _heap_steps(scope)


def _heap_summary(scope: Scope) -> Listing:
    """`mean` is over time. `grown` adds up all increases: what was allocated, less what was freed between samples."""
    found: list[tuple[Value, ...]] = []
    for name, metric in (("heap in use", Metric.HEAP_ALLOC), ("heap goal", Metric.HEAP_GOAL)):
        times, values = _samples(scope, metric)
        inside = times >= scope.begin
        if not inside.any():
            continue
        times, values = times[inside], values[inside]
        lasted = np.diff(np.append(times, scope.end)).astype(np.float64)
        mean = float((values * lasted).sum() / lasted.sum()) if lasted.sum() else float(values[-1])
        grown = int(np.maximum(np.diff(values), 0).sum())
        found.append((name, len(values), int(values.min()), mean, int(values.max()), int(values[-1]), grown))
    columns = (
        key("heap"),
        total("samples", Kind.COUNT),
        *(worst(column, Kind.BYTES) for column in ("min", "mean", "max", "last", "grown")),
    )
    return listing("heap", "Heap", columns, found)


def _heap_steps(scope: Scope) -> Listing:
    live, goal = (_samples(scope, metric) for metric in (Metric.HEAP_ALLOC, Metric.HEAP_GOAL))
    edges = np.linspace(scope.begin, scope.end, _STEPS + 1).astype(np.int64)
    found: list[tuple[Value, ...]] = []
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        low, high = np.searchsorted(live[0], (begin, end), side="right")
        values = live[1][low:high]
        most = int(values.max()) if len(values) else _last(live, end)
        least = int(values.min()) if len(values) else _last(live, end)
        found.append((begin - scope.table.begin, least, most, _last(goal, end)))
    columns = (
        note("at", Kind.MOMENT),
        note("least in use", Kind.BYTES),
        note("most in use", Kind.BYTES),
        note("goal", Kind.BYTES),
    )
    return listing("heap-steps", "Heap over time", columns, found)
