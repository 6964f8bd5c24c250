"""What a table promises, whatever the file was."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from pytest_gotrace.trace import Metric, Owner, PartKind, State, Table
from pytest_gotrace.trace.table import Columns

STRINGS = {"reason", "name", "category", "message"}
STACKS = {"stack", "waker_stack", "creation_stack"}
ENUMS = {
    ("states", "state"): State,
    ("parts", "owner"): Owner,
    ("parts", "kind"): PartKind,
    ("metrics", "kind"): Metric,
}
FRAMES = 128


def check(table: Table) -> None:
    """Raises `AssertionError` for what is not as it should be."""
    for name in (f.name for f in fields(table)):
        columns = getattr(table, name)
        if isinstance(columns, Columns):
            _columns(table, name, columns)
    assert table.events >= 0
    assert table.strings[0] == ""
    assert table.stacks[0] == ()
    for string in table.strings:
        string.encode()
    for stack in table.stacks:
        assert len(stack) <= FRAMES
    _rows(table)
    _times(table)
    _samples(table)


def _columns(table: Table, name: str, columns: Columns) -> None:
    lengths = set()
    for column in columns.names():
        values = getattr(columns, column)
        lengths.add(len(values))
        if column in STRINGS:
            _within(values, len(table.strings), f"{name}.{column}")
        elif column in STACKS:
            _within(values, len(table.stacks), f"{name}.{column}")
        if (name, column) in ENUMS:
            known = [member.value for member in ENUMS[name, column]]
            assert np.isin(values, known).all(), f"{name}.{column}: {np.setdiff1d(values, known)[:3]}"
    assert len(lengths) == 1, f"{name}: columns of {lengths} rows"


def _within(codes: Any, count: int, what: str) -> None:
    assert len(codes) == 0 or 0 <= codes.min() <= codes.max() < count, (
        f"{what}: {codes.min()} to {codes.max()}"
    )


def _times(table: Table) -> None:
    """States end in their generation, and not before they begin; unless a damaged clock has turned over."""
    own = table.states
    closed = own.end != -1
    if table.end < 1 << 62:
        assert (own.begin[closed] <= own.end[closed]).all()
        assert (own.end[closed] <= table.end).all()
        closed &= own.state != State.RUNNABLE  # which comes with the run that follows
        assert (own.end[closed] >= table.begin).all()


def _samples(table: Table) -> None:
    """CPU samples happen in order and in their generation; unless a damaged clock has turned over."""
    time = table.samples.time
    if len(time) and table.end < 1 << 62:
        assert (time[1:] >= time[:-1]).all()
        assert table.begin <= time[0]
        assert time[-1] <= table.end


def _rows(table: Table) -> None:
    """Parts belong to rows that are there."""
    parts = table.parts
    for owner, rows in ((Owner.GOROUTINE, table.goroutines.id), (Owner.REGION, table.regions.goroutine)):
        _within(parts.row[parts.owner == owner], len(rows), f"parts of {owner.name.lower()}s")
