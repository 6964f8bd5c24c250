"""What a trace says, as columns: the only types that leave the core.

All times and durations are integer nanoseconds on the trace's own clock; -1 stands for what the trace does not say.
Columns are equally long NumPy arrays, put together when they are first asked for: the core packs them far tighter.
Strings and stacks are codes into `Table.strings` and `Table.stacks`, which hold for the whole file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.trace.names import Frame
from pytest_gotrace.trace.version import WireVersion

if TYPE_CHECKING:
    from typing_extensions import Self

Int8 = NDArray[np.uint8]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class State(IntEnum):
    """What a goroutine does; the numbers are those of the wire."""

    RUNNABLE = 1
    RUNNING = 2
    SYSCALL = 3
    WAITING = 4


class Metric(IntEnum):
    """What `Metrics.kind` measures."""

    PROCS = 0
    HEAP_ALLOC = 1
    HEAP_GOAL = 2


class Owner(IntEnum):
    """Whose time a row of `Parts` is."""

    GOROUTINE = 0
    REGION = 1


class PartKind(IntEnum):
    """What a row of `Parts` was spent on: blocked for a reason, or within a range."""

    BLOCK = 0
    RANGE = 1


class Columns:
    """Columns of equal length by name, made by `make(columns, name)` when they are first asked for."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[Any, str], NDArray[Any]]) -> None:
        self._make = make
        self._made: dict[str, NDArray[Any]] | None = None

    @classmethod
    def of(cls, **columns: NDArray[Any]) -> Self:
        """Columns that are there already; `TypeError` if one is missing, or is not one of these."""
        if sorted(columns) != sorted(cls.names()):
            raise TypeError(f"expected the columns {', '.join(cls.names())}, found {', '.join(columns)}")
        return cls(lambda _, name: columns[name])

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The columns in order."""
        return tuple(cls.__annotations__)

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name not in type(self).__annotations__:
            raise AttributeError(f"{type(self).__name__} has no column {name!r}")
        made = self._made = self._made or {}
        if name not in made:
            made[name] = self._make(self, name)
        return made[name]


class States(Columns):
    """Intervals of goroutine states. `reason` is Go's reason to block or to yield, "" if none; `stack` is where the
    state began (0 if not said), `waker` the goroutine that ended a wait and `waker_stack` where it did.
    A state that goes on when the trace ends has end -1, and is in the last table. In no particular order; being ready
    is in the table of the run that follows, which may be a later one than that in which it ended."""

    goroutine: Int64
    state: Int8
    reason: Int32
    begin: Int64
    end: Int64
    stack: Int32
    waker: Int64
    waker_stack: Int32


class Goroutines(Columns):
    """Goroutines that ended, and in the last table all others. `name` is the start function, `create` the first
    appearance, `start` the first time it ran; the times are those of Go's summarizer. `life` tells apart goroutines
    that had the same id one after the other (threads of C do); `creation_stack` is where `creator` was."""

    id: Int64
    life: Int32
    name: Int32
    create: Int64
    start: Int64
    end: Int64
    exec: Int64
    sched_wait: Int64
    syscall: Int64
    syscall_block: Int64
    total: Int64
    creator: Int64
    creation_stack: Int32


class Regions(Columns):
    """User regions that ended, and in the last table all others, with the time spent in each state inside.

    Go's synthetic regions are among them: name "" and the creation of the goroutine as start, for a goroutine that
    was created within a region and so inherits its task. `stack` is where the region began."""

    goroutine: Int64
    life: Int32
    name: Int32
    task: Int64
    start: Int64
    end: Int64
    exec: Int64
    sched_wait: Int64
    syscall: Int64
    syscall_block: Int64
    total: Int64
    stack: Int32


class Tasks(Columns):
    """User tasks, all of them in the last table; `logs` and `regions` are counts."""

    id: Int64
    name: Int32
    parent: Int64
    start: Int64
    end: Int64
    logs: Int64
    regions: Int64


class Logs(Columns):
    """What the program logged."""

    time: Int64
    goroutine: Int64
    task: Int64
    category: Int32
    message: Int32


class Ranges(Columns):
    """Garbage collection, mark assists, sweeps and stops of the world, in the order of their ends.

    `goroutine` or `proc` is whose it is, -1 otherwise. `begin` is -1 if it was under way when the trace began, `end`
    if it is when the trace ends. `stack` is that of the begin event."""

    name: Int32
    goroutine: Int64
    proc: Int64
    begin: Int64
    end: Int64
    stack: Int32


class Parts(Columns):
    """Times of goroutines and regions by name, where they are not zero: `row` is the row of the owner's table."""

    owner: Int8
    row: Int64
    kind: Int8
    name: Int32
    ns: Int64


class Metrics(Columns):
    """What the runtime reported: GOMAXPROCS, and bytes of heap in use and aimed at."""

    kind: Int8
    time: Int64
    value: Int64


class Samples(Columns):
    """CPU samples, 100 a second of each thread that computes, where the program also wrote a CPU profile. In the order
    of their times; `goroutine` is -1 if none was running. `stack` is 0 if it is not said."""

    time: Int64
    goroutine: Int64
    stack: Int32


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One generation of a trace, or several joined. `begin` and `end` are the times of the first and last event,
    `events` how many there are, as Go's reader counts them. `partial`: the file is damaged, and this is what stands
    before the damage."""

    wire: WireVersion
    generation: int
    begin: int
    end: int
    events: int
    partial: bool
    strings: Sequence[str]
    stacks: Sequence[tuple[Frame, ...]]
    states: States
    goroutines: Goroutines
    regions: Regions
    tasks: Tasks
    logs: Logs
    ranges: Ranges
    parts: Parts
    metrics: Metrics
    samples: Samples


_Columns = TypeVar("_Columns", States, Goroutines, Regions, Tasks, Logs, Ranges, Parts, Metrics, Samples)


def join(tables: Iterable[Table]) -> Table:
    """One table of all generations of one file, in order; `ValueError` if there is none."""
    parts = list(tables)
    if not parts:
        raise ValueError("no table to join")
    if len(parts) == 1:
        return parts[0]
    last = parts[-1]
    return Table(
        wire=last.wire,
        generation=last.generation,
        begin=parts[0].begin,
        end=last.end,
        events=sum(table.events for table in parts),
        partial=last.partial,
        strings=last.strings,
        stacks=last.stacks,
        states=_concatenate([table.states for table in parts]),
        goroutines=_concatenate([table.goroutines for table in parts]),
        regions=_concatenate([table.regions for table in parts]),
        tasks=_concatenate([table.tasks for table in parts]),
        logs=_concatenate([table.logs for table in parts]),
        ranges=_concatenate([table.ranges for table in parts]),
        parts=_renumber(parts),
        metrics=_concatenate([table.metrics for table in parts]),
        samples=_concatenate([table.samples for table in parts]),
    )


def _concatenate(parts: list[_Columns]) -> _Columns:
    return type(parts[0])(lambda _, name: np.concatenate([getattr(part, name) for part in parts]))


def _renumber(tables: list[Table]) -> Parts:
    """The parts of all tables, with their rows counted from the first table on."""

    def rows() -> Iterator[Int64]:
        goroutines = regions = 0
        for table in tables:
            yield table.parts.row + np.where(table.parts.owner == Owner.REGION, regions, goroutines)
            goroutines += len(table.goroutines.life)
            regions += len(table.regions.life)

    def make(_: Parts, name: str) -> NDArray[Any]:
        return np.concatenate(list(rows()) if name == "row" else [getattr(t.parts, name) for t in tables])

    return Parts(make)
