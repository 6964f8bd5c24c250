"""`read_trace`: a file becomes tables, one a generation.

1. The header says the wire format.
2. Batches are read up to the end of a generation; strings and stacks, which stand behind the events that use them,
   become codes for the whole file.
3. The threads' streams become one order, and what happens in it becomes rows.
4. The rows of the generation become a table. The next generation is looked for first, since the last table also has
   what is still open when the trace ends.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path

import numpy as np

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace.batch import Generation, Scanner
from pytest_gotrace.trace.core.emulator import Emulator
from pytest_gotrace.trace.core.faults import FAULTS
from pytest_gotrace.trace.generation import read_tables
from pytest_gotrace.trace.names import Names
from pytest_gotrace.trace.packed import Lives, Packed
from pytest_gotrace.trace.spec import BY_NUMBER, argument_counts
from pytest_gotrace.trace.table import (
    Goroutines,
    Logs,
    Metrics,
    Parts,
    Ranges,
    Regions,
    Samples,
    States,
    Table,
    Tasks,
)
from pytest_gotrace.trace.version import HEADER_SIZE, read_header

NO_SAMPLES = Samples.of(
    time=np.empty(0, np.int64), goroutine=np.empty(0, np.int64), stack=np.empty(0, np.int32)
)


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
        self.lives = Lives()
        self.emulator = Emulator(self.data, argument_counts(self.wire), self.names)
        self.samples = NO_SAMPLES

    def tables(self, partial: bool) -> Iterator[Table]:
        generation = self.scanner.next()
        if generation is None:
            raise TraceError(
                "there is nothing behind the header: tracing ended before it began", offset=HEADER_SIZE
            )
        while generation is not None:
            following, damage = self._following(generation)
            before, begin = self.emulator.events, self.emulator.last_time
            try:
                self._decode(generation)
            except TraceError as error:
                # Of a generation that was cut short, what is missing now is only a consequence.
                following, damage = None, generation.damage or error
            begin = max(begin, self.emulator.begin)  # if it came to that
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
            self._release(generation, following)
            generation = following

    def _following(self, generation: Generation) -> tuple[Generation | None, TraceError | None]:
        """The next generation, and what is wrong behind this one."""
        if generation.damage is not None:
            return None, generation.damage
        try:
            return self.scanner.next(), None
        except TraceError as error:
            return None, error

    def _decode(self, generation: Generation) -> None:
        """Takes in a generation."""
        self.samples = NO_SAMPLES
        tables = read_tables(self.data, generation, self.wire, self.names)
        self.samples = tables.samples
        self.emulator.load(generation, tables)
        self.emulator.run()
        self._check(generation)

    def _finish(self, generation: Generation) -> TraceError | None:
        """Closes what is still open when the trace ends; what is wrong with that."""
        self.emulator.finish()
        try:
            self._check(generation)
        except TraceError as error:
            return error
        return None

    def _release(self, done: Generation, following: Generation | None) -> None:
        """Gives back the memory that the file's pages take up to the generation that follows."""
        if isinstance(self.data, mmap.mmap) and following is not None and hasattr(mmap, "MADV_DONTNEED"):
            begin = done.offset // mmap.PAGESIZE * mmap.PAGESIZE
            end = following.offset // mmap.PAGESIZE * mmap.PAGESIZE
            if end > begin:
                self.data.madvise(mmap.MADV_DONTNEED, begin, end - begin)

    def _check(self, generation: Generation) -> None:
        fault = self.emulator.fault()
        if fault is not None:
            number, offset, value, other = fault
            event = BY_NUMBER[value].name if value in BY_NUMBER else "an event"
            message = FAULTS[number].format(event=event, value=value, other=other)
            raise TraceError(message, offset=offset, generation=generation.number)

    def _samples(self) -> Samples:
        """Those that have happened; the others stand behind the damage."""
        own = self.samples
        happened = len(own.time) - self.emulator.samples_left
        return Samples.of(**{name: getattr(own, name)[:happened] for name in own.names()})

    def _table(self, generation: int, begin: int, before: int, *, partial: bool) -> Table:
        packed = Packed(self.emulator.take(), self.emulator.begin, self.lives, self.names)
        return Table(
            wire=self.wire,
            generation=generation,
            begin=begin,
            end=self.emulator.last_time,
            events=self.emulator.events - before,
            partial=partial,
            strings=self.names.strings,
            stacks=self.names.stacks,
            states=States(packed.states),
            goroutines=Goroutines(packed.goroutines),
            regions=Regions(packed.regions),
            tasks=Tasks(packed.tasks),
            logs=Logs(packed.logs),
            ranges=Ranges(packed.ranges),
            parts=Parts(packed.parts),
            metrics=Metrics(packed.metrics),
            samples=self._samples(),
        )


def _map(path: Path) -> memoryview | mmap.mmap:
    """The bytes of the file, mapped if it can be."""
    with path.open("rb") as file:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError):  # empty, or not a regular file
            return memoryview(file.read())
