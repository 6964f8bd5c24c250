"""What a trace says, as columns: the only types that leave the core.

All times and durations are integer nanoseconds on the trace's own clock; -1 stands for what the trace does not say.
Columns ending a table are equally long NumPy arrays. Strings and stacks are codes into `Table.strings` and
`Table.stacks`, which hold for the whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.trace.names import Frame
from pytest_gotrace.trace.version import WireVersion

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


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Intervals of goroutine states. `reason` is Go's reason to block or to yield, "" if none; `stack` is where the
    state began (0 if not said), `waker` the goroutine that ended a wait and `waker_stack` where it did.
    A state that goes on when the trace ends has end -1, and is in the last table."""

    goroutine: Int64
    state: Int8
    reason: Int32
    begin: Int64
    end: Int64
    stack: Int32
    waker: Int64
    waker_stack: Int32


@dataclass(frozen=True, slots=True, kw_only=True)
class Goroutines:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """User tasks, all of them in the last table; `logs` and `regions` are counts."""

    id: Int64
    name: Int32
    parent: Int64
    start: Int64
    end: Int64
    logs: Int64
    regions: Int64


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What the program logged."""

    time: Int64
    goroutine: Int64
    task: Int64
    category: Int32
    message: Int32


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Garbage collection, mark assists, sweeps and stops of the world, in the order of their ends.

    `goroutine` or `proc` is whose it is, -1 otherwise. `begin` is -1 if it was under way when the trace began, `end`
    if it is when the trace ends. `stack` is that of the begin event."""

    name: Int32
    goroutine: Int64
    proc: Int64
    begin: Int64
    end: Int64
    stack: Int32


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Times of goroutines and regions by name, where they are not zero: `row` is the row of the owner's table."""

    owner: Int8
    row: Int64
    kind: Int8
    name: Int32
    ns: Int64


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What the runtime reported: GOMAXPROCS, and bytes of heap in use and aimed at."""

    kind: Int8
    time: Int64
    value: Int64


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


_Columns = TypeVar("_Columns", States, Goroutines, Regions, Tasks, Logs, Ranges, Parts, Metrics)


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
        parts=_concatenate(_renumber(parts)),
        metrics=_concatenate([table.metrics for table in parts]),
    )


def _concatenate(columns: list[_Columns]) -> _Columns:
    kind = type(columns[0])
    return kind(**{f.name: np.concatenate([getattr(c, f.name) for c in columns]) for f in fields(kind)})


def _renumber(tables: list[Table]) -> list[Parts]:
    """The parts of each table with their rows counted from the first table on."""
    goroutines = regions = 0
    renumbered = []
    for table in tables:
        own = table.parts
        shift = np.where(own.owner == Owner.REGION, regions, goroutines)
        renumbered.append(
            Parts(owner=own.owner, row=own.row + shift, kind=own.kind, name=own.name, ns=own.ns)
        )
        goroutines += len(table.goroutines.id)
        regions += len(table.regions.goroutine)
    return renumbered
