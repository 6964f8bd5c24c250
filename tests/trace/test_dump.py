"""The lines of a dump: their kinds, their order, and what they leave out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from oracle import TRACES
from texttrace import assemble

from pytest_gotrace.trace import dump


def rows(path: Path, **options: bool) -> list[dict[str, object]]:
    return [json.loads(line) for line in dump.lines(path, **options)]


def test_order():
    """Goroutines by id with their regions behind them, then tasks, stops of the world, ranges, and the end."""
    found = rows(TRACES / "go126-regions.trace")
    kinds = [str(row["kind"]) for row in found]
    last = {kind: len(kinds) - 1 - kinds[::-1].index(kind) for kind in kinds}
    assert sorted(last, key=last.__getitem__)[-4:] == ["task", "stw", "ranges", "end"]
    ids = [row["id"] for row in found if row["kind"] == "goroutine"]
    assert ids == sorted(ids, key=int)
    owner = None
    for row in found:
        owner = row["id"] if row["kind"] == "goroutine" else owner
        if row["kind"] == "region":
            assert row["goroutine"] == owner
    assert found[-1]["wire"] == "go 1.26"


def test_unseen():
    """A region that began before the trace has no start, one that goes on has no end, and both are there."""
    found = [row for row in rows(TRACES / "go126-regions.trace") if row["kind"] == "region"]
    assert [row["name"] for row in found if row["start"] is None] == ["began before the trace"] * 2
    assert "open when the trace ends" in [row["name"] for row in found if row["end"] is None]


def test_nothing_is_zero():
    """Blocked times and ranges list only what is not zero."""
    for row in rows(TRACES / "go125-border.trace"):
        for times in (row.get("block", {}), row.get("range", {})):
            assert isinstance(times, dict)
            assert all(times.values())


def test_partial(tmp_path: Path):
    """What stands before damage is dumped if asked for, and marked."""
    path = tmp_path / "a.trace"
    path.write_bytes(
        assemble(
            "Trace go 1.22\nBatch gen=1 m=0 time=9\n ProcStatus p=0 pstatus=1\n GoStatus g=1 gstatus=2\n raw=03"
        )
    )
    found = rows(path, partial=True)
    assert [row["kind"] for row in found] == ["goroutine", "ranges", "end"]
    assert found[-1]["partial"] is True


def test_last_life():
    """Of goroutines that shared an id, as threads of C do, the last one counts, as Go has it."""
    ids = [row["id"] for row in rows(TRACES / "go126-callbacks.trace") if row["kind"] == "goroutine"]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.trace")), ids=lambda path: path.stem)
def test_times(path: Path):
    """Regions begin and end within the trace."""
    found = rows(path)
    assert found[-1]["events"] > 100
    for row in found:
        if row["kind"] == "region" and row["start"] is not None and row["end"] is not None:
            assert int(row["end"]) - int(row["start"]) == row["total"]
