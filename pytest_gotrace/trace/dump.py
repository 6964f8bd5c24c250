"""A trace as JSON lines: goroutines with their regions, tasks, stops of the world, CPU samples, sums, and an end.

The same lines can be had from Go's own reader and summarizer (`tests/oracle`), which is how ours are checked.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from os import PathLike
from typing import Any

import numpy as np

from pytest_gotrace.trace.reader import read_trace
from pytest_gotrace.trace.table import Int32, Int64, Owner, PartKind, Table, join

_TIMES = ("exec", "sched_wait", "syscall", "syscall_block", "total")
_STOP = "stop-the-world"

Row = dict[str, Any]
PartsOf = dict[int, tuple[dict[str, int], dict[str, int]]]


def lines(path: str | PathLike[str], *, partial: bool = False) -> Iterator[str]:
    """What `gotrace show --format jsonl` prints of the trace at `path`, a line at a time; raises as `read_trace`."""
    tables = list(read_trace(path, partial=partial))
    whole = join(tables)
    for row in _rows(whole, len(tables)):
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _rows(table: Table, generations: int) -> Iterator[Row]:
    yield from _goroutines(table)
    yield from _tasks(table)
    yield from _stops(table)
    yield from _samples(table)
    yield {"kind": "ranges", "totals": _totals(table)}
    end: Row = {"kind": "end", "wire": str(table.wire), "events": table.events, "generations": generations}
    if table.partial:
        end["partial"] = True
    yield end


def _goroutines(table: Table) -> Iterator[Row]:
    """Each goroutine with its regions behind it; of goroutines that shared an id, the last, as Go has it."""
    own = table.goroutines
    blocks, regions = _parts(table, Owner.GOROUTINE), _regions(table)
    for i in _last_lives(own.id, own.life):
        yield {
            "kind": "goroutine",
            "id": int(own.id[i]),
            "name": table.strings[own.name[i]],
            "create": int(own.create[i]),
            "start": _said(own.start[i]),
            "end": _said(own.end[i]),
            **_durations(own, i, blocks),
        }
        yield from regions.get(int(own.life[i]), ())


def _regions(table: Table) -> dict[int, list[Row]]:
    """The regions of each goroutine, by start, those without one first; keyed by the goroutine's life."""
    own = table.regions
    blocks = _parts(table, Owner.REGION)
    regions: dict[int, list[Row]] = defaultdict(list)
    for i in np.lexsort((_last_if_absent(own.end), own.start)).tolist():
        regions[int(own.life[i])].append(
            {
                "kind": "region",
                "goroutine": int(own.goroutine[i]),
                "name": table.strings[own.name[i]],
                "task": _unsigned(own.task[i]),
                "start": _said(own.start[i]),
                "end": _said(own.end[i]),
                **_durations(own, i, blocks),
            }
        )
    return regions


def _tasks(table: Table) -> Iterator[Row]:
    own = table.tasks
    for i in np.argsort(own.id.astype(np.uint64), kind="stable").tolist():
        yield {
            "kind": "task",
            "id": _unsigned(own.id[i]),
            "name": table.strings[own.name[i]],
            "parent": _said(own.parent[i]),
            "start": _said(own.start[i]),
            "end": _said(own.end[i]),
            "logs": int(own.logs[i]),
            "regions": int(own.regions[i]),
            "complete": bool(own.start[i] >= 0 and own.end[i] >= 0),
        }


def _stops(table: Table) -> Iterator[Row]:
    own = table.ranges
    for i in np.flatnonzero(_closed(table)).tolist():
        name = table.strings[own.name[i]]
        if name.startswith(_STOP):
            yield {
                "kind": "stw",
                "name": name,
                "begin": int(own.begin[i]),
                "duration": int(own.end[i] - own.begin[i]),
            }


def _samples(table: Table) -> Iterator[Row]:
    """CPU samples with their stacks, leaf first."""
    own = table.samples
    for time, goroutine, stack in zip(
        own.time.tolist(), own.goroutine.tolist(), own.stack.tolist(), strict=True
    ):
        frames = [f"{frame.function} {frame.file}:{frame.line}" for frame in table.stacks[stack]]
        yield {"kind": "sample", "time": time, "goroutine": _said(goroutine), "stack": frames}


def _totals(table: Table) -> dict[str, int]:
    closed = _closed(table)
    codes, where = np.unique(table.ranges.name[closed], return_inverse=True)
    sums = np.zeros(len(codes), np.int64)
    np.add.at(sums, where, table.ranges.end[closed] - table.ranges.begin[closed])
    return dict(sorted(zip((table.strings[code] for code in codes.tolist()), sums.tolist(), strict=True)))


def _closed(table: Table) -> Any:
    return (table.ranges.begin >= 0) & (table.ranges.end >= 0)


def _parts(table: Table, owner: Owner) -> PartsOf:
    """For each row of the owner's table what is not zero of its blocked times and ranges, by name."""
    own = table.parts
    found: PartsOf = defaultdict(lambda: ({}, {}))
    chosen = own.owner == owner
    columns: tuple[Int64 | Int32, ...] = (own.row[chosen], own.name[chosen], own.ns[chosen])
    for row, kind, name, ns in zip(
        columns[0].tolist(), own.kind[chosen].tolist(), columns[1].tolist(), columns[2].tolist(), strict=True
    ):
        found[row][kind == PartKind.RANGE][table.strings[name]] = ns
    return found


def _durations(own: Any, i: int, parts: PartsOf) -> Row:
    block, ranges = parts.get(i, ({}, {}))
    return {**{name: int(getattr(own, name)[i]) for name in _TIMES}, "block": block, "range": ranges}


def _last_lives(ids: Int64, lives: Int32) -> list[int]:
    """The rows of the last life of each id, by id."""
    order = np.lexsort((lives, ids))
    last = np.append(ids[order][1:] != ids[order][:-1], True)[: len(order)]
    rows: list[int] = order[last].tolist()
    return rows


def _last_if_absent(times: Int64) -> Int64:
    return np.where(times < 0, np.iinfo(np.int64).max, times)


def _said(time: Any) -> int | None:
    return None if time == -1 else int(time)


def _unsigned(number: Any) -> int:
    return int(number) & 0xFFFFFFFFFFFFFFFF
