"""`read_trace`: a file becomes tables, one a generation.

1. The header says the wire format.
2. Batches are read up to the end of a generation; strings and stacks, which stand behind the events that use them,
   become codes for the whole file.
3. The threads' streams become one order, in chunks, and each chunk becomes rows.
4. The rows of the generation become a table. The next generation is looked for first, since the last table also has
   what is still open when the trace ends.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import fields
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace.batch import Generation, Scanner
from pytest_gotrace.trace.generation import read_tables
from pytest_gotrace.trace.names import Names
from pytest_gotrace.trace.order import FAULTS, Ordering
from pytest_gotrace.trace.spec import BY_NUMBER, argument_counts
from pytest_gotrace.trace.summary import Summary
from pytest_gotrace.trace.table import (
    Goroutines,
    Int8,
    Int32,
    Logs,
    Metrics,
    PartKind,
    Parts,
    Ranges,
    Regions,
    States,
    Table,
    Tasks,
)
from pytest_gotrace.trace.version import HEADER_SIZE, read_header

_RANGE_NAMES = {1: "GC concurrent mark phase", 2: "GC incremental sweep", 3: "GC mark assist"}


def read_trace(path: str | PathLike[str], *, partial: bool = False) -> Iterator[Table]:
    """Reads a Go execution trace, one table a generation, in order.

    With `partial`, what stands before the damage in a damaged file is yielded, marked as such, instead of an error.
    Raises `TraceError` for what cannot be read, and `OSError` if the file cannot be opened.
    """
    try:
        yield from _File(path).tables(partial)
    except TraceError as error:
        raise TraceError(error.message, fspath(path), error.offset, error.generation) from None


class _File:
    """One file while it is read: the state that goes from one generation to the next."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.data = _map(Path(path))
        self.wire = read_header(bytes(self.data[:HEADER_SIZE]))
        self.names = Names()
        self.scanner = Scanner(self.data, HEADER_SIZE, self.wire)
        self.ordering = Ordering(self.data, argument_counts(self.wire))
        self.summary = Summary(self.names, len(self.data))

    def tables(self, partial: bool) -> Iterator[Table]:
        generation = self.scanner.next()
        if generation is None:
            raise TraceError(
                "there is nothing behind the header: tracing ended before it began", offset=HEADER_SIZE
            )
        while generation is not None:
            following, damage = self._following(generation)
            before, begin = self.ordering.events, self.ordering.last_time
            try:
                begin = self._decode(generation)
            except TraceError as error:
                # Of a generation that was cut short, what is missing now is only a consequence.
                following, damage = None, generation.damage or error
            if damage is not None and not partial:
                # Damage behind this generation does not touch it.
                if damage.generation != generation.number:
                    yield self._table(generation.number, begin, before, partial=False)
                raise damage
            if following is None:
                damage = self._finish(generation) or damage
                if damage is not None and not partial:
                    raise damage
            yield self._table(generation.number, begin, before, partial=damage is not None)
            generation = following

    def _following(self, generation: Generation) -> tuple[Generation | None, TraceError | None]:
        """The next generation, and what is wrong behind this one."""
        if generation.damage is not None:
            return None, generation.damage
        try:
            return self.scanner.next(), None
        except TraceError as error:
            return None, error

    def _decode(self, generation: Generation) -> int:
        """Takes in a generation; the time it begins at."""
        tables = read_tables(self.data, generation, self.wire, self.names)
        self.ordering.load(generation, tables)
        begin: int = self.ordering.sync(generation.first_tick)
        self.summary.sync(begin)
        self.summary.run(self.ordering)
        self._check(generation)
        return begin

    def _finish(self, generation: Generation) -> TraceError | None:
        """Closes what is still open when the trace ends; what is wrong with that."""
        self.summary.finish(self.ordering.sync())
        try:
            self._check(generation)
        except TraceError as error:
            return error
        return None

    def _check(self, generation: Generation) -> None:
        wrong = self.summary.fault()
        if wrong is not None:
            number, value = wrong
            raise TraceError(FAULTS[number].format(value=value), generation=generation.number)
        fault = self.ordering.fault()
        if fault is not None:
            number, offset, value, other = fault
            event = BY_NUMBER[value].name if value in BY_NUMBER else "an event"
            message = FAULTS[number].format(event=event, value=value, other=other)
            raise TraceError(message, offset=offset, generation=generation.number)

    def _table(self, generation: int, begin: int, before: int, *, partial: bool) -> Table:
        columns = self.summary.take()
        return Table(
            wire=self.wire,
            generation=generation,
            begin=begin,
            end=self.ordering.last_time,
            events=self.ordering.events - before,
            partial=partial,
            strings=self.names.strings,
            stacks=self.names.stacks,
            states=_fill(States, columns["states"]),
            goroutines=_fill(Goroutines, columns["goroutines"]),
            regions=_fill(Regions, columns["regions"]),
            tasks=_fill(Tasks, columns["tasks"]),
            logs=_fill(Logs, columns["logs"]),
            ranges=self._ranges(columns["ranges"]),
            parts=self._parts(columns["parts"]),
            metrics=_fill(Metrics, columns["metrics"]),
        )

    def _ranges(self, columns: list[Any]) -> Ranges:
        kind, code, *rest = columns
        ranges: Ranges = _fill(Ranges, [self._named(kind, code), *rest])
        return ranges

    def _parts(self, columns: list[Any]) -> Parts:
        owner, row, kind, code, ns = columns
        return Parts(
            owner=owner, row=row, kind=np.minimum(kind, PartKind.RANGE), name=self._named(kind, code), ns=ns
        )

    def _named(self, kind: Int8, code: Int32) -> Int32:
        """Codes of names, from codes of reasons (kind 0), numbers of ranges (1) and kinds of stops of the world (2)."""
        ranges = np.flatnonzero(kind)
        if len(ranges) == 0:
            return code
        distinct, where = np.unique(kind[ranges].astype(np.int64) << 32 | code[ranges], return_inverse=True)
        names = np.array(
            [self._range_name(int(key) >> 32, int(key) & 0x7FFFFFFF) for key in distinct], np.int32
        )
        code[ranges] = names[where]
        return code

    def _range_name(self, kind: int, code: int) -> int:
        name = _RANGE_NAMES[code] if kind == 1 else f"stop-the-world ({self.names.strings[code]})"
        return self.names.string(name.encode())


def _fill(kind: Any, columns: list[Any]) -> Any:
    return kind(**dict(zip((f.name for f in fields(kind)), columns, strict=True)))


def _map(path: Path) -> memoryview | mmap.mmap:
    """The bytes of the file, mapped if it can be."""
    with path.open("rb") as file:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError):  # empty, or not a regular file
            return memoryview(file.read())
