"""User regions by name: how long they took, and what they did meanwhile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.trace import Owner, PartKind
from pytest_gotrace.views.groups import Groups
from pytest_gotrace.views.listing import Kind, Listing, key, listing, total, worst
from pytest_gotrace.views.scope import Scope
from pytest_gotrace.views.spans import Ints

QUANTILES = (0.5, 0.9, 0.99, 1.0)
DURATIONS = (worst("p50"), worst("p90"), worst("p99"), worst("max"), total("time"))
STATES = ("exec", "sched-wait", "block", "syscall")


def view(scope: Scope) -> tuple[Listing, ...]:
    """Regions by name. A region is whole or not there: it counts if it touches the window, and is never cut."""
    own = scope.table.regions
    rows = rows_of(scope)
    rows = rows[own.name[rows] != 0]
    complete = (own.start[rows] >= 0) & (own.end[rows] >= 0)
    whole = rows[complete]
    durations = own.end[whole] - own.start[whole]
    groups = Groups(own.name[whole])
    states = [groups.sum(column[whole]).tolist() for column in states_of(scope)]
    unended = dict(zip(*(part.tolist() for part in _counts(own.name[rows[~complete]])), strict=True))
    found = [
        (scope.table.strings[code], count, unended.pop(code, 0), *numbers)
        for code, count, *numbers in zip(
            groups.keys.tolist(),
            groups.counts.tolist(),
            *(column.tolist() for column in groups.quantiles(durations, QUANTILES)),
            groups.sum(durations).tolist(),
            *states,
            strict=True,
        )
    ]
    found += [(scope.table.strings[code], 0, count, *[None] * 9) for code, count in unended.items()]
    columns = (
        key("region"),
        total("count", Kind.COUNT),
        total("cut off", Kind.COUNT),
        *DURATIONS,
        *map(total, STATES),
    )
    return (listing("regions", "Regions, by name", columns, found, by="time"),)


def rows_of(scope: Scope) -> NDArray[np.int64]:
    """Rows of `table.regions` that are looked at, Go's nameless ones of inherited tasks included."""
    own = scope.table.regions
    picked = scope.touches(own.start, own.end) & scope.has(own.goroutine)
    if scope.tasks is not None:
        picked &= np.isin(own.task, scope.tasks)
    return np.flatnonzero(picked)


def states_of(scope: Scope) -> tuple[Ints, Ints, Ints, Ints]:
    """For every row of `table.regions` its ns in each of `STATES`."""
    own, parts = scope.table.regions, scope.table.parts
    blocked = np.zeros(len(own.goroutine), dtype=np.int64)
    picked = (parts.owner == Owner.REGION) & (parts.kind == PartKind.BLOCK)
    np.add.at(blocked, parts.row[picked], parts.ns[picked])
    return own.exec, own.sched_wait, blocked, own.syscall + own.syscall_block


def _counts(codes: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    return np.unique(codes, return_counts=True)
