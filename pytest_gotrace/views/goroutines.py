"""Goroutines by start function, with the columns of Go's goroutine page; and those that were left behind."""

from __future__ import annotations

import numpy as np

from pytest_gotrace.trace import Owner, PartKind, State
from pytest_gotrace.views.groups import Groups
from pytest_gotrace.views.listing import Kind, Listing, key, listing, note, total
from pytest_gotrace.views.scope import Scope, last_lives
from pytest_gotrace.views.spans import Ints
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
    ids, names, times = _times(scope)
    shown = [_by_group(scope, names, times)]
    if scope.goroutines is not None:
        shown.append(_one_by_one(scope, ids, names, times))
    return (*shown, _left(scope))


def _by_group(scope: Scope, names: Ints, times: list[Ints]) -> Listing:
    groups = Groups(names)
    sums = [groups.sum(column).tolist() for column in times]
    rows = [
        (scope.table.strings[code], *numbers)
        for code, *numbers in zip(groups.keys.tolist(), groups.counts.tolist(), *sums, strict=True)
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


def _times(scope: Scope) -> tuple[Ints, Ints, list[Ints]]:
    """The goroutines looked at, their names, and their ns in each of `_TIMES`."""
    own = scope.table.goroutines
    lives = last_lives(scope.table)
    alive = scope.touches(own.create[lives], own.end[lives]) & scope.has(own.id[lives])
    lives = lives[alive & scope.spans.known(own.id[lives])]
    ids = own.id[lives]
    waiting, waited = scope.states(State.WAITING)
    reasons = scope.table.states.reason[waiting]
    texts = scope.table.strings
    network, sync = (
        np.isin(reasons, [code for code in np.unique(reasons).tolist() if matches(texts[code])])
        for matches in (lambda reason: reason == "network", is_sync)
    )
    spent = [_of(scope, ids, *scope.states(State.RUNNING))]
    spent += [
        _of(scope, ids, waiting[mask], waited[mask]) for mask in (network, sync & ~network, ~(network | sync))
    ]
    spent += [_of(scope, ids, *scope.states(state)) for state in (State.SYSCALL, State.RUNNABLE)]
    begin = np.maximum(own.create[lives], scope.begin)
    end = np.minimum(scope.closed(own.end[lives]), scope.end)
    spent += [_ranges(scope, lives, ASSIST), _ranges(scope, lives, SWEEP), _pauses(scope, begin, end)]
    spent.append(scope.spans.inside(ids, begin, end))
    return ids, own.name[lives].astype(np.int64), spent


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


def _ranges(scope: Scope, lives: Ints, name: str) -> Ints:
    """The goroutines' time in a range, over their whole lives: a trace does not say whose sweep a sweep is."""
    parts, strings = scope.table.parts, scope.table.strings
    codes = [code for code in np.unique(parts.name).tolist() if strings[code] == name]
    picked = (parts.owner == Owner.GOROUTINE) & (parts.kind == PartKind.RANGE) & np.isin(parts.name, codes)
    whole = np.zeros(len(scope.table.goroutines.id), dtype=np.int64)
    np.add.at(whole, parts.row[picked], parts.ns[picked])
    return whole[lives]


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

    return np.maximum(before(ends) - before(begins), 0)


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
