"""Which part of a trace is looked at: a window of time, some goroutines, some tasks.

The window cuts everything. Goroutines and tasks cut what belongs to goroutines; the views of the garbage collector,
the heap and the processors are of the whole program.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.errors import UsageError
from pytest_gotrace.trace import State, Table
from pytest_gotrace.units import quoted
from pytest_gotrace.views.spans import Ints, Mask, Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A trace and what of it counts: from `begin` to `end` (ns on the trace's clock), and each goroutine's `spans`.

    `goroutines` and `tasks` are sorted ids, None for all. `size` is that of the file in bytes, 0 if there is none.
    """

    table: Table
    begin: int
    end: int
    spans: Spans
    goroutines: Ints | None
    tasks: Ints | None
    size: int = 0

    @property
    def windowed(self) -> bool:
        """Whether a part of the time is left out."""
        return self.begin > self.table.begin or self.end < self.table.end

    def closed(self, ends: Ints) -> Ints:
        """Ends, where what goes on (-1) ends with the trace."""
        known: Ints = np.where(ends < 0, self.table.end, ends)
        return known

    def touches(self, begins: Ints, ends: Ints) -> Mask:
        """Whether each interval has a part in the window; one whose begin (-1) is not known began before the trace."""
        touching: Mask = (begins <= self.end) & (self.closed(ends) >= self.begin)
        return touching

    def cut(self, begins: Ints, ends: Ints) -> Ints:
        """How many ns of each interval lie in the window."""
        high = np.minimum(self.closed(ends), self.end)
        inside: Ints = np.maximum(high - np.maximum(begins, self.begin), 0)
        return inside

    def has(self, goroutines: Ints) -> Mask:
        """Whether each goroutine is looked at; -1 is none."""
        if self.goroutines is None:
            return np.ones(len(goroutines), dtype=np.bool_)
        found: Mask = np.isin(goroutines, self.goroutines)
        return found

    def states(self, *states: State) -> tuple[NDArray[np.int64], Ints]:
        """Rows of `table.states` in one of the states that count for some time, and how many ns that is."""
        own = self.table.states
        rows = np.flatnonzero(np.isin(own.state, np.array(states, dtype=np.uint8)))
        time = self.spans.inside(own.goroutine[rows], own.begin[rows], self.closed(own.end[rows]))
        return rows[time > 0], time[time > 0]

    def names(self, goroutines: Ints) -> NDArray[np.int32]:
        """The start function of each goroutine as a code; 0 if the trace does not have it."""
        own, rows = self.table.goroutines, last_lives(self.table)
        if len(rows) == 0:
            return np.zeros(len(goroutines), dtype=np.int32)
        ids = own.id[rows]
        at = np.minimum(np.searchsorted(ids, goroutines), len(rows) - 1)
        return np.where(ids[at] == goroutines, own.name[rows][at], 0).astype(np.int32)


def last_lives(table: Table) -> NDArray[np.int64]:
    """The row of each goroutine, by id; of goroutines that had the same id, the last, as in Go's summary."""
    own = table.goroutines
    order = np.lexsort((own.life, own.id))
    last = np.append(own.id[order][1:] != own.id[order][:-1], True)[: len(order)]
    rows: NDArray[np.int64] = order[last]
    return rows


def scope(
    table: Table,
    *,
    since: float | None = None,
    until: float | None = None,
    goroutine: str | None = None,
    task: str | None = None,
    log: str | None = None,
    size: int = 0,
) -> Scope:
    """What to look at; `since` and `until` are ns after the beginning of the trace.

    `goroutine` is an id or a start function, `task` a task's name, `log` what a task logged (`category=message`, or a
    category). With a task go its subtasks, and of a goroutine the time in their regions. Raises `UsageError` if the
    trace has no such goroutine or task.
    """
    begin, end = _window(table, since, until)
    goroutines = None if goroutine is None else _goroutines(table, goroutine)
    tasks = _tasks(table, task, log)
    ids, begins, ends = _lives(table) if tasks is None else _regions(table, tasks)
    if goroutines is not None:
        picked = np.isin(ids, goroutines)
        ids, begins, ends = ids[picked], begins[picked], ends[picked]
    elif tasks is not None:
        goroutines = np.unique(ids)
    spans = Spans(ids, np.clip(begins, begin, end), np.clip(ends, begin, end), first=begin, last=end)
    return Scope(
        table=table, begin=begin, end=end, spans=spans, goroutines=goroutines, tasks=tasks, size=size
    )


def _window(table: Table, since: float | None, until: float | None) -> tuple[int, int]:
    begin = table.begin + int(since or 0)
    end = table.end if until is None else min(table.begin + int(until), table.end)
    if begin >= end and table.begin < table.end:
        raise UsageError(
            f"nothing lies between {begin - table.begin} ns and {end - table.begin} ns: "
            f"the trace lasts {table.end - table.begin} ns, and both count from its beginning"
        )
    return begin, end


def _goroutines(table: Table, asked: str) -> Ints:
    own = table.goroutines
    if asked.isdecimal():
        found = own.id[own.id == int(asked)] if len(asked) < 19 else own.id[:0]
    else:
        found = own.id[np.isin(own.name, _codes(table, asked))]
    if len(found) == 0:
        raise UsageError(f"no goroutine {quoted(asked)}: expected an id, or a start function in full")
    return np.unique(found)


def _tasks(table: Table, name: str | None, log: str | None) -> Ints | None:
    """The tasks asked for with all that descend from them, sorted; None if nothing was asked."""
    if name is None and log is None:
        return None
    own = table.tasks
    picked = np.ones(len(own.id), dtype=np.bool_)
    if name is not None:
        picked &= np.isin(own.name, _codes(table, name))
    if log is not None:
        picked &= np.isin(own.id, _logged(table, log))
    if not picked.any():
        asked = " with ".join(
            f"{what} {quoted(text)}" for what, text in (("name", name), ("log", log)) if text
        )
        raise UsageError(f"no task in the trace has {asked}")
    found: Ints = own.id[picked]
    while True:
        more = np.union1d(found, own.id[np.isin(own.parent, found)])
        if len(more) == len(found):
            return more
        found = more


def _logged(table: Table, asked: str) -> Ints:
    """Tasks that logged `category=message`, or under the category at all."""
    own = table.logs
    category, equals, message = asked.partition("=")
    picked = np.isin(own.category, _codes(table, category))
    if equals:
        picked &= np.isin(own.message, _codes(table, message))
    return own.task[picked]


def _codes(table: Table, text: str) -> list[int]:
    return [code for code, string in enumerate(table.strings) if string == text]


def _lives(table: Table) -> tuple[Ints, Ints, Ints]:
    own = table.goroutines
    return own.id, own.create, np.where(own.end < 0, table.end, own.end)


def _regions(table: Table, tasks: Iterable[int]) -> tuple[Ints, Ints, Ints]:
    """The regions of the tasks, those that Go makes of inherited tasks included."""
    own = table.regions
    rows = np.flatnonzero(np.isin(own.task, np.fromiter(tasks, np.int64)))
    begins = np.where(own.start[rows] < 0, table.begin, own.start[rows])
    return own.goroutine[rows], begins, np.where(own.end[rows] < 0, table.end, own.end[rows])
