"""User tasks: by name, one by one, and all that happened in the slowest of those asked for.

That last listing is the answer to "request X was slow: which phase?".
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.views.groups import Groups
from pytest_gotrace.views.listing import Kind, Listing, Value, key, listing, note, total
from pytest_gotrace.views.regions import DURATIONS, QUANTILES, STATES, rows_of, states_of
from pytest_gotrace.views.scope import Scope

_UNSIGNED = 0xFFFFFFFFFFFFFFFF


def view(scope: Scope) -> tuple[Listing, ...]:
    """Tasks by name; if some were asked for also each of them, and the events of the slowest."""
    rows = _rows(scope)
    shown: tuple[Listing, ...] = (_by_name(scope, rows),)
    if scope.tasks is not None and len(rows):
        slowest = int(rows[np.argmax(_durations(scope, rows))])
        shown += (_one_by_one(scope, rows), _events(scope, slowest))
    return shown


def _rows(scope: Scope) -> NDArray[np.int64]:
    """Tasks that are looked at. The background task (0), which Go lists once a region names it, never is."""
    own = scope.table.tasks
    picked = scope.touches(own.start, own.end) & (own.id != 0)
    if scope.tasks is not None:
        picked &= np.isin(own.id, scope.tasks)
    elif scope.goroutines is not None:
        regions = scope.table.regions
        picked &= np.isin(own.id, regions.task[scope.has(regions.goroutine)])
    return np.flatnonzero(picked)


def _durations(scope: Scope, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """How long each task took, as far as the trace shows it."""
    own = scope.table.tasks
    begins = np.where(own.start[rows] < 0, scope.table.begin, own.start[rows])
    return scope.closed(own.end[rows]) - begins


def _by_name(scope: Scope, rows: NDArray[np.int64]) -> Listing:
    own = scope.table.tasks
    complete = (own.start[rows] >= 0) & (own.end[rows] >= 0)
    whole, cut = rows[complete], rows[~complete]
    durations = own.end[whole] - own.start[whole]
    groups = Groups(own.name[whole])
    unended = dict(
        zip(*(part.tolist() for part in np.unique(own.name[cut], return_counts=True)), strict=True)
    )
    found = [
        (scope.table.strings[code], count, unended.pop(code, 0), *numbers)
        for code, count, *numbers in zip(
            groups.keys.tolist(),
            groups.counts.tolist(),
            *(column.tolist() for column in groups.quantiles(durations, QUANTILES)),
            groups.sum(durations).tolist(),
            groups.sum(own.regions[whole]).tolist(),
            groups.sum(own.logs[whole]).tolist(),
            strict=True,
        )
    ]
    found += [(scope.table.strings[code], 0, count, *[None] * 7) for code, count in unended.items()]
    columns = (
        key("task"),
        total("count", Kind.COUNT),
        total("cut off", Kind.COUNT),
        *DURATIONS,
        total("regions", Kind.COUNT),
        total("logs", Kind.COUNT),
    )
    return listing("tasks", "Tasks, by name", columns, found, by="time")


def _one_by_one(scope: Scope, rows: NDArray[np.int64]) -> Listing:
    own = scope.table.tasks
    found: list[tuple[Value, ...]] = []
    for row, time in zip(rows.tolist(), _durations(scope, rows).tolist(), strict=True):
        parent = int(own.parent[row])
        found.append(
            (
                int(own.id[row]) & _UNSIGNED,
                scope.table.strings[own.name[row]],
                None if parent == -1 else parent & _UNSIGNED,
                _since(scope, int(own.start[row])),
                time,
                bool(own.start[row] >= 0 and own.end[row] >= 0),
                int(own.regions[row]),
                int(own.logs[row]),
            )
        )
    columns = (
        note("id", Kind.ID),
        note("task"),
        note("parent", Kind.ID),
        note("start", Kind.MOMENT),
        total("time"),
        note("complete"),
        total("regions", Kind.COUNT),
        total("logs", Kind.COUNT),
    )
    return listing("task", "Each task", columns, found, by="time")


def _events(scope: Scope, row: int) -> Listing:
    """What the task and the tasks within it did, in time order."""
    own, strings = scope.table.tasks, scope.table.strings
    tasks = _family(scope, int(own.id[row]))
    rows = sorted(
        (*_borders(scope, tasks), *_regions(scope, tasks), *_logs(scope, tasks)),
        key=lambda event: (event[0], event[1] != "task"),
    )
    # A start before the trace is told as the beginning of the trace: that is all there is to count from.
    origin = int(own.start[row]) if own.start[row] >= 0 else scope.table.begin
    columns = (
        note("after", Kind.TIME),
        note("what"),
        note("name"),
        note("goroutine", Kind.ID),
        note("function", Kind.FUNCTION),
        note("time", Kind.TIME),
        *(note(name, Kind.TIME) for name in STATES),
    )
    title = f"What happened in the slowest, task {int(own.id[row]) & _UNSIGNED} ({strings[own.name[row]]})"
    shown = [(max(time, scope.table.begin) - origin, *rest) for time, *rest in rows]
    return listing("task-events", title, columns, shown)


def _family(scope: Scope, task: int) -> NDArray[np.int64]:
    own = scope.table.tasks
    found = np.array([task], dtype=np.int64)
    while True:
        more = np.union1d(found, own.id[np.isin(own.parent, found)])
        if len(more) == len(found):
            return more
        found = more


_Event = tuple[int, str, Value, Value, Value, Value, Value, Value, Value, Value]


def _borders(scope: Scope, tasks: NDArray[np.int64]) -> Iterator[_Event]:
    own = scope.table.tasks
    for row in np.flatnonzero(np.isin(own.id, tasks)).tolist():
        name, start, end = scope.table.strings[own.name[row]], int(own.start[row]), int(own.end[row])
        time = end - start if start >= 0 and end >= 0 else None
        yield start, "task", name, None, None, time, None, None, None, None
        if end >= 0:
            yield end, "task end", name, None, None, None, None, None, None, None


def _regions(scope: Scope, tasks: NDArray[np.int64]) -> Iterator[_Event]:
    """Regions; a nameless one is a goroutine that inherited the task."""
    own, strings = scope.table.regions, scope.table.strings
    rows = rows_of(scope)
    rows = rows[np.isin(own.task[rows], tasks)]
    names = scope.names(own.goroutine[rows])
    states = [column[rows].tolist() for column in states_of(scope)]
    for row, group, *spent in zip(rows.tolist(), names.tolist(), *states, strict=True):
        name, start, end = strings[own.name[row]], int(own.start[row]), int(own.end[row])
        time = end - start if start >= 0 and end >= 0 else None
        what = "region" if name else "goroutine"
        execed, sched, block, syscall = spent
        yield (
            start,
            what,
            name,
            int(own.goroutine[row]),
            strings[group],
            time,
            execed,
            sched,
            block,
            syscall,
        )


def _logs(scope: Scope, tasks: NDArray[np.int64]) -> Iterator[_Event]:
    own, strings = scope.table.logs, scope.table.strings
    rows = np.flatnonzero(np.isin(own.task, tasks))
    for row, group in zip(rows.tolist(), scope.names(own.goroutine[rows]).tolist(), strict=True):
        category, message = strings[own.category[row]], strings[own.message[row]]
        text = f"{category}={message}" if category else message
        yield (
            int(own.time[row]),
            "log",
            text,
            int(own.goroutine[row]),
            strings[group],
            None,
            None,
            None,
            None,
            None,
        )


def _since(scope: Scope, time: int) -> int | None:
    return time - scope.table.begin if time >= 0 else None
