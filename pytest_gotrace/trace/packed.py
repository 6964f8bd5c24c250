"""Rows as the core packs them, 32 bits a number, become the columns of a table when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.trace.core.emulator import SHEETS
from pytest_gotrace.trace.names import Names
from pytest_gotrace.trace.table import (
    Goroutines,
    Int32,
    Int64,
    Logs,
    Metrics,
    PartKind,
    Parts,
    Ranges,
    Regions,
    State,
    States,
    Tasks,
)

_RANGE_NAMES = {1: "GC concurrent mark phase", 2: "GC incremental sweep", 3: "GC mark assist"}
#: `sheets.NEVER`
_NEVER = 0xFFFFFFFE
_NUMBERS = {name: number for number, (name, _, _) in enumerate(SHEETS)}


class Lives:
    """The IDs of goroutines by life. Grows while a file is read; what was known stays."""

    __slots__ = ("_ids",)

    def __init__(self) -> None:
        self._ids: list[Int64] = [np.array([-1])]

    def add(self, ids: Int64) -> None:
        """Takes in the lives that began in a generation."""
        if len(ids):
            self._ids.append(ids)

    def ids(self, lives: Int32) -> Int64:
        """The ID of each life, -1 of life -1."""
        known = list(self._ids)
        whole = known[0]
        if len(known) > 1:
            whole = np.concatenate(known)
            self._ids[: len(known)] = [whole]  # another thread may have added to them
        found: Int64 = whole[lives + 1]
        return found


class Packed:
    """What the core made of one generation: arrays of shape (rows, columns) by the names of `SHEETS`.

    Times count from `base`. What does not fit in 32 bits is a row (sheet, column, row, value) of "late".
    """

    __slots__ = ("_base", "_lives", "_names", "_sheets")

    def __init__(self, sheets: Mapping[str, NDArray[Any]], base: int, lives: Lives, names: Names) -> None:
        self._sheets, self._base, self._lives = sheets, base, lives
        lives.add(sheets["ids"][:, 0])
        # Now, since the names are not to grow when somebody looks at a column.
        self._names = _range_codes(names, sheets)

    def states(self, own: States, name: str) -> NDArray[Any]:
        """A column of `States`; the sheets of rows follow one another."""
        return _STATES[name](self, own)

    def goroutines(self, _: Goroutines, name: str) -> NDArray[Any]:
        """A column of `Goroutines`."""
        column, widen = _GOROUTINES[name]
        return widen(self, "goroutines", column)

    def regions(self, _: Regions, name: str) -> NDArray[Any]:
        """A column of `Regions`."""
        column, widen = _REGIONS[name]
        return widen(self, "regions", column)

    def parts(self, _: Parts, name: str) -> NDArray[Any]:
        """A column of `Parts`."""
        return _PARTS[name](self)

    def ranges(self, _: Ranges, name: str) -> NDArray[Any]:
        """A column of `Ranges`."""
        rows = self._sheets["ranges"]
        if name == "name":
            return self.named(rows[:, 0], rows[:, 1])
        return self.wide("ranges", _RANGES[name], _NARROW.get(name))

    def tasks(self, _: Tasks, name: str) -> NDArray[Any]:
        """A column of `Tasks`."""
        return self.wide("tasks", Tasks.names().index(name), _NARROW.get(name))

    def logs(self, _: Logs, name: str) -> NDArray[Any]:
        """A column of `Logs`."""
        return self.wide("logs", Logs.names().index(name), _NARROW.get(name))

    def metrics(self, _: Metrics, name: str) -> NDArray[Any]:
        """A column of `Metrics`."""
        return self.wide("metrics", Metrics.names().index(name), _NARROW.get(name))

    # What a column of rows means.

    def code(self, sheet: str, column: int) -> Int32:
        """Codes, or whatever else has 32 bits and a sign."""
        found: Int32 = self._sheets[sheet][:, column].copy()
        return found

    def size(self, sheet: str, column: int, base: int = 0) -> Int64:
        """Numbers that count from `base`."""
        wide = self._sheets[sheet].view(np.uint32)[:, column].astype(np.int64)
        wide += base
        late = self._sheets["late"]
        if len(late):
            late = late[(late[:, 0] == _NUMBERS[sheet]) & (late[:, 1] == column)]
            wide[late[:, 2]] = late[:, 3]
        found: Int64 = wide
        return found

    def time(self, sheet: str, column: int) -> Int64:
        """Times."""
        return self.size(sheet, column, self._base)

    def goroutine(self, sheet: str, column: int) -> Int64:
        """The IDs of lives."""
        return self.goroutines_of(self.code(sheet, column))

    def wide(self, sheet: str, column: int, dtype: type[np.generic] | None = None) -> NDArray[Any]:
        """A column of 64 bits."""
        return self._sheets[sheet][:, column].astype(dtype or np.int64)

    def named(self, kinds: NDArray[Any], codes: NDArray[Any]) -> Int32:
        """Codes of names, from codes of reasons (kind 0), numbers of ranges (1) and reasons of stops (2)."""
        names = codes.astype(np.int32)
        rows = np.flatnonzero(kinds)
        if len(rows):
            keys, where = np.unique(_keys(kinds[rows], codes[rows]), return_inverse=True)
            names[rows] = np.array([self._names[key] for key in keys.tolist()], np.int32)[where.ravel()]
        return names

    # States: running, being ready before that, and those with rows of their own, ended by somebody or not.

    def readied(self) -> NDArray[np.intp]:
        """The rows of runs that say how long the goroutine was ready before."""
        return np.flatnonzero(self._sheets["runs"].view(np.uint32)[:, 3] != _NEVER)

    def both(self, of_runs: NDArray[Any]) -> NDArray[Any]:
        """What running and being ready before have in common."""
        return np.concatenate([of_runs, of_runs[self.readied()]])

    def joined(self, column: int, of_runs: NDArray[Any] | int = 0) -> Int32:
        """A column of states and waits, behind what it is for running and being ready."""
        if isinstance(of_runs, int):
            of_runs = np.full(len(self._sheets["runs"]) + len(self.readied()), of_runs, np.int32)
        return np.concatenate([of_runs, self.code("states", column), self.code("waits", column)])

    def state(self) -> NDArray[np.uint8]:
        """The state of each row."""
        running = np.full(len(self._sheets["runs"]), State.RUNNING, np.int32)
        ready = np.full(len(self.readied()), State.RUNNABLE, np.int32)
        return (self.joined(3, np.concatenate([running, ready])) & 7).astype(np.uint8)

    def end(self) -> Int64:
        """When each state ended."""
        running = self.time("runs", 1)
        ready = (running - self.size("runs", 2))[self.readied()]
        return np.concatenate([running, ready, self.time("states", 1), self.time("waits", 1)])

    def took(self) -> Int64:
        """How long each state took; of one that goes on, -1 less when it began."""
        ready = self.size("runs", 3)[self.readied()]
        return np.concatenate([self.size("runs", 2), ready, self.size("states", 2), self.size("waits", 2)])

    def of_waits(self, column: int, otherwise: int) -> Int32:
        """A column of waits, behind what it is for all other states."""
        others = len(self._sheets["runs"]) + len(self.readied()) + len(self._sheets["states"])
        return np.concatenate([np.full(others, otherwise, np.int32), self.code("waits", column)])

    def goroutines_of(self, lives: Int32) -> Int64:
        """The ID of each life, -1 of life -1."""
        return self._lives.ids(lives)


#: How the columns of `States` come about.
_STATES: Mapping[str, Callable[[Packed, States], NDArray[Any]]] = {
    "goroutine": lambda p, _: p.goroutines_of(p.joined(0, p.both(p.code("runs", 0)))),
    "state": lambda p, _: p.state(),
    "reason": lambda p, _: p.joined(3) >> 3,
    "begin": lambda p, own: own.end - p.took(),
    "end": lambda p, _: p.end(),
    "stack": lambda p, _: p.joined(4),
    "waker": lambda p, _: p.goroutines_of(p.of_waits(5, -1)),
    "waker_stack": lambda p, _: p.of_waits(6, 0),
}
_TIMES = {
    name: (column, Packed.size)
    for column, name in enumerate(("exec", "sched_wait", "syscall", "syscall_block", "total"), 5)
}
#: Which column of its sheet each column is, and what it means.
_Meanings = Mapping[str, tuple[int, Callable[[Packed, str, int], NDArray[Any]]]]
_GOROUTINES: _Meanings = {
    "id": (0, Packed.goroutine),
    "life": (0, Packed.code),
    "name": (1, Packed.code),
    "create": (2, Packed.time),
    "start": (3, Packed.time),
    "end": (4, Packed.time),
    **_TIMES,
    "creator": (10, Packed.goroutine),
    "creation_stack": (11, Packed.code),
}
_REGIONS: _Meanings = {
    "goroutine": (0, Packed.goroutine),
    "life": (0, Packed.code),
    "name": (1, Packed.code),
    "task": (2, Packed.size),
    "start": (3, Packed.time),
    "end": (4, Packed.time),
    **_TIMES,
    "stack": (10, Packed.code),
}
_PARTS: Mapping[str, Callable[[Packed], NDArray[Any]]] = {
    "owner": lambda p: (p.code("parts", 0) >> 2).astype(np.uint8),
    "row": lambda p: p.code("parts", 1).astype(np.int64),
    "kind": lambda p: np.minimum(p.code("parts", 0) & 3, PartKind.RANGE).astype(np.uint8),
    "name": lambda p: p.named(p.code("parts", 0) & 3, p.code("parts", 2)),
    "ns": lambda p: p.size("parts", 3),
}
_RANGES = {"goroutine": 2, "proc": 3, "begin": 4, "end": 5, "stack": 6}
#: Columns that are narrower than their sheet.
_NARROW: Mapping[str, type[np.generic]] = {
    "name": np.int32,
    "category": np.int32,
    "message": np.int32,
    "stack": np.int32,
    "kind": np.uint8,
}


def _keys(kinds: NDArray[Any], codes: NDArray[Any]) -> Int64:
    keys: Int64 = kinds.astype(np.int64) << 32 | codes
    return keys


def _range_codes(names: Names, sheets: Mapping[str, NDArray[Any]]) -> dict[int, int]:
    """The code of each range's name that there are rows of."""
    found: dict[int, int] = {}
    for kinds, codes in (
        (sheets["ranges"][:, 0], sheets["ranges"][:, 1]),
        (sheets["parts"][:, 0] & 3, sheets["parts"][:, 2]),
    ):
        rows = np.flatnonzero(kinds)
        for key in np.unique(_keys(kinds[rows], codes[rows])).tolist() if len(rows) else ():
            kind, code = key >> 32, key & 0xFFFFFFFF
            name = _RANGE_NAMES[code] if kind == 1 else f"stop-the-world ({names.strings[code]})"
            found[key] = names.string(name.encode())
    return found
