"""Goroutines by start function, with the columns of Go's goroutine page; and those that were left behind."""

from __future__ import annotations

import numpy as np

from pytest_gotrace.trace import Owner, PartKind, State
from pytest_gotrace.views.groups import Groups
from pytest_gotrace.views.listing import Kind, Listing, key, listing, note, total
from pytest_gotrace.views.scope import Scope
from pytest_gotrace.views.spans import Ints, Mask
from pytest_gotrace.views.stacks import place
from pytest_gotrace.views.waits import is_sync

SWEEP = "GC incremental sweep"
ASSIST = "GC mark assist"

_TIMES = (
    "exec",
    "net-wait",
    "sync-block",
    "other-wait",
    "syscall",
    "sched-wait",
    "mark-assist",
    "sweep",
    "gc-pause",
    "total",
)


def view(scope: Scope) -> tuple[Listing, ...]:
    """Groups, then each goroutine of its own if some were asked for, then those born and still alive."""
    ids, names, lives, times = _times(scope)
    shown = [_by_group(scope, names, lives, times)]
    if scope.goroutines is not None:
        shown.append(_one_by_one(scope, ids, names, times))
    return (*shown, _left(scope))


def _by_group(scope: Scope, names: Ints, lives: Ints, times: list[Ints]) -> Listing:
    groups = Groups(names)
    sums = [groups.sum(column).tolist() for column in (lives, *times)]
    rows = [
        (scope.table.strings[code], *numbers)
        for code, *numbers in zip(groups.keys.tolist(), *sums, strict=True)
    ]
    columns = (key("function", Kind.FUNCTION), total("count", Kind.COUNT), *map(total, _TIMES))
    return listing("goroutines", "Goroutines by start function", columns, rows, by="exec")


def _one_by_one(scope: Scope, ids: Ints, names: Ints, times: list[Ints]) -> Listing:
    rows = [
        (number, scope.table.strings[code], *spent)
        for number, code, *spent in zip(
            ids.tolist(), names.tolist(), *(column.tolist() for column in times), strict=True
        )
    ]
    columns = (note("goroutine", Kind.ID), note("function", Kind.FUNCTION), *map(total, _TIMES))
    return listing("goroutine", "Each of them", columns, rows, by="total")


def _times(scope: Scope) -> tuple[Ints, Ints, Ints, list[Ints]]:
    """The goroutines looked at, their names, how often each lived (threads of C share ids), ns in each of `_TIMES`."""
    own = scope.table.goroutines
    lives = np.flatnonzero(scope.touches(own.create, own.end) & scope.spans.known(own.id))
    ids, which, count = np.unique(own.id[lives], return_inverse=True, return_counts=True)
    waiting, waited = scope.states(State.WAITING)
    spent = [_of(scope, ids, *scope.states(State.RUNNING))]
    spent += [_of(scope, ids, waiting[kind], waited[kind]) for kind in _kinds_of_wait(scope, waiting)]
    spent += [_of(scope, ids, *scope.states(state)) for state in (State.SYSCALL, State.RUNNABLE)]
    begin = np.maximum(own.create[lives], scope.begin)
    end = np.minimum(scope.closed(own.end[lives]), scope.end)
    for of_life in (_ranges(scope, ASSIST)[lives], _ranges(scope, SWEEP)[lives], _pauses(scope, begin, end)):
        sums = np.zeros(len(ids), dtype=np.int64)
        np.add.at(sums, which.ravel(), of_life)
        spent.append(sums)
    spent.append(scope.spans.inside(ids, np.full_like(ids, scope.begin), np.full_like(ids, scope.end)))
    return ids, scope.names(ids).astype(np.int64), count.astype(np.int64), spent


def _kinds_of_wait(scope: Scope, waiting: Ints) -> tuple[Mask, Mask, Mask]:
    """Which of the rows wait for the network, which for other goroutines, which for anything else."""
    reasons, strings = scope.table.states.reason[waiting], scope.table.strings
    codes = np.unique(reasons).tolist()
    network = np.isin(reasons, [code for code in codes if strings[code] == "network"])
    sync = np.isin(reasons, [code for code in codes if is_sync(strings[code])])
    return network, sync, ~(network | sync)


def _of(scope: Scope, ids: Ints, rows: Ints, time: Ints) -> Ints:
    """The time of state rows by goroutine."""
    return _by_id(ids, scope.table.states.goroutine[rows], time)


def _by_id(ids: Ints, goroutines: Ints, time: Ints) -> Ints:
    sums = np.zeros(len(ids), dtype=np.int64)
    if len(ids) == 0:
        return sums
    at = np.minimum(np.searchsorted(ids, goroutines), len(ids) - 1)
    found = ids[at] == goroutines
    np.add.at(sums, at[found], time[found])
    return sums


def _ranges(scope: Scope, name: str) -> Ints:
    """How long each row of `table.goroutines` was in a range, over its whole life: sweeps are not told one by one."""
    parts, strings = scope.table.parts, scope.table.strings
    codes = [code for code in np.unique(parts.name).tolist() if strings[code] == name]
    picked = (parts.owner == Owner.GOROUTINE) & (parts.kind == PartKind.RANGE) & np.isin(parts.name, codes)
    whole = np.zeros(len(scope.table.goroutines.id), dtype=np.int64)
    np.add.at(whole, parts.row[picked], parts.ns[picked])
    return whole


def _pauses(scope: Scope, begins: Ints, ends: Ints) -> Ints:
    """How long the garbage collector stopped the world during each life."""
    own = scope.table.ranges
    codes = [code for code in np.unique(own.name).tolist() if is_gc_stop(scope.table.strings[code])]
    rows = np.flatnonzero(np.isin(own.name, codes) & (own.begin >= 0))
    begin, end = own.begin[rows], scope.closed(own.end[rows])
    order = np.argsort(begin)
    begin, end = begin[order], end[order]
    if len(rows) == 0:
        return np.zeros(len(begins), dtype=np.int64)
    done = np.concatenate(([0], np.cumsum(end - begin)))

    def before(times: Ints) -> Ints:
        at = np.searchsorted(begin, times, side="right") - 1
        stop = np.maximum(at, 0)
        spent: Ints = np.where(at < 0, 0, done[stop] + np.minimum(times, end[stop]) - begin[stop]).astype(
            np.int64
        )
        return spent

    paused: Ints = np.maximum(before(ends) - before(begins), 0)
    return paused


def is_gc_stop(name: str) -> bool:
    """Whether a range is a stop of the world for the garbage collector, as Go's utilization has it."""
    return name.startswith("stop-the-world") and "GC" in name


def _left(scope: Scope) -> Listing:
    """Goroutines born in the window that outlive it; one that blocks for ever has an end for Go, and is left for us."""
    table, own = scope.table, scope.table.goroutines
    there = np.isin(own.id, table.states.goroutine[table.states.end < 0])
    born = (own.create > scope.begin) & (own.create <= scope.end) & (own.creator >= 0) & scope.has(own.id)
    rows = np.flatnonzero(born & ((own.end < 0) | (own.end > scope.end) | there))
    groups = Groups(own.name[rows].astype(np.int64) << 32 | own.creation_stack[rows])
    found = []
    for first, count in zip(rows[groups.first].tolist(), groups.counts.tolist(), strict=True):
        function, where = place(table.stacks[int(own.creation_stack[first])])
        found.append((table.strings[own.name[first]], function, where, count))
    columns = (
        key("function", Kind.FUNCTION),
        key("started in", Kind.FUNCTION),
        note("line", Kind.PLACE),
        total("count", Kind.COUNT),
    )
    return listing("left", "Born here and still alive at the end", columns, found, by="count")
