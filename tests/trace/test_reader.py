"""Files that are empty, foreign, old, cut short or damaged, and the numbers that must add up in all others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from oracle import TRACES
from texttrace import NOBODY, assemble, batch, number, uvarint

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace import Owner, PartKind, State, Table, WireVersion, join, read_trace

COMMITTED = sorted(TRACES.glob("*.trace"))
BORDERS = sorted(TRACES.glob("*-border.trace"))
LEAST = """
Trace go 1.26
Batch gen=1 m=0 time=7
  ProcStatus dt=1 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
"""


def read(data: bytes, tmp_path: Path, *, partial: bool = False) -> Table:
    path = tmp_path / "a.trace"
    path.write_bytes(data)
    return join(read_trace(path, partial=partial))


REFUSED = {
    b"": "the file is empty",
    b"PK\3\4 and more than sixteen bytes": "not a Go execution trace",
    b"go 1.26": "not a Go execution trace",
    b"go 1.21 trace\0\0\0": "Go 1.21 or a release close to it.*record it again with Go 1.22 or newer",
    b"go 1.11 trace\0\0\0": "before Go 1.22",
    b"go 1.24 trace\0\0\0": "not known.*a newer pytest-gotrace",
    b"go 1.30 trace\0\0\0": "known are go 1.22, go 1.23, go 1.25, go 1.26",
    b"go 1.26 trace\0\0\0": "nothing behind the header",
    b"go 1.22 trace\0\0\0": "nothing behind the header",
}


@pytest.mark.parametrize("data", REFUSED)
def test_refused(data: bytes, tmp_path: Path):
    """A file that is no trace we read is refused with its path, what was found, and what to do."""
    with pytest.raises(TraceError) as caught:
        read(data, tmp_path)
    assert re.search(REFUSED[data], str(caught.value))
    assert "a.trace, byte" in str(caught.value)


def test_missing(tmp_path: Path):
    """A file that is not there is the system's error, not ours."""
    with pytest.raises(FileNotFoundError):
        next(read_trace(tmp_path / "none.trace"))


def test_least(tmp_path: Path):
    """The least trace has its events, its wire format, and a goroutine that goes on."""
    found = read(assemble(LEAST), tmp_path)
    assert (found.wire, str(found.wire), found.generation) == (WireVersion.GO_126, "go 1.26", 1)
    assert (found.events, found.begin, found.end, found.partial) == (4, 1, 9 * 64 + 1, False)
    assert found.goroutines.end.tolist() == [-1]
    assert found.states.end.tolist() == [-1]


CLOCK = number("Sync") + number("Frequency") + uvarint(1000)
CLOCK_126 = CLOCK + number("ClockSnapshot") + bytes((0, 1, 1, 1))
STRING = number("Strings") + number("String")
STACK = number("Stacks") + number("Stack")
TABLES = {
    "no frequency": (b"", "the generation has no frequency"),
    "no snapshot": (CLOCK, "the generation has no clock snapshot"),
    "two frequencies": (CLOCK_126 + number("Frequency") + uvarint(5), "a second frequency"),
    "frequency 0": (number("Sync") + number("Frequency") + uvarint(0), "the generation has no frequency"),
    "foreign byte": (number("Sync") + b"\x63", "expected a frequency or clock snapshot, found byte 99"),
    "long string": (
        STRING + uvarint(1) + uvarint(1025) + bytes(1025),
        "string 1 of 1025 bytes, expected at most 1024",
    ),
    "short string": (STRING + uvarint(1) + uvarint(9) + b"x", "string 1 of 9 bytes"),
    "string twice": (
        (STRING + b"\1\1a")[:2] + b"\1\1a" + number("String") + b"\1\1b",
        "string 1 is there twice",
    ),
    "many frames": (STACK + uvarint(1) + uvarint(129), "a stack of 129 frames, expected at most 128"),
    "unknown function": (STACK + bytes((1, 1, 9, 5, 5, 1)), "function of a frame is string 5"),
    "cut stack": (STACK + bytes((1, 2, 9)), "the function of a frame is cut off"),
    "huge number": (STACK + b"\xff" * 10 + b"\1", "does not fit in 64 bits"),
    "sample": (number("CPUSamples") + b"\x63", "expected a CPU sample"),
    "cut sample": (
        number("CPUSamples") + number("CPUSample") + b"\1\1",
        "processor of a CPU sample is cut off",
    ),
    "sampled nowhere": (
        number("CPUSamples") + number("CPUSample") + bytes((1, 1, 1, 1, 7)),
        "the stack of a CPU sample is stack 7, which the generation does not have",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_damaged_tables(name: str, tmp_path: Path):
    """A table that cannot be is an error with the place."""
    body, message = TABLES[name]
    data = b"go 1.26 trace\0\0\0"
    if not body.startswith(number("Sync")):
        data += batch(1, NOBODY, 0, CLOCK_126) if body else b""
    data += batch(1, 0, 0, b"") + (batch(1, NOBODY, 0, body) if body else b"") + number("EndOfGeneration")
    with pytest.raises(TraceError, match=r"byte \d+, generation 1") as caught:
        read(data, tmp_path)
    assert message in str(caught.value)


BATCHES = {
    b"\x07": "expected the start of a batch, found byte 7",
    number("EventBatch")
    + bytes((1, 0, 0))
    + uvarint(65537): "a batch of 65537 bytes, expected at most 65536",
    number("EventBatch") + bytes((1, 0, 0, 9, 1)): "a batch of 9 bytes, but the file ends 1 bytes on",
    number("EventBatch") + bytes((0, 0, 0, 0)): "generation 0",
    number("EventBatch") + b"\x80": "the file ends within the generation of a batch",
    number("EventBatch") + b"\xff" * 11: "does not fit in 64 bits",
    batch(1, 0, 0, b"") + batch(3, 0, 0, b""): "a batch of generation 3 stands among those of generation 1",
    batch(1, 0, 0, b""): "the end of the generation is missing",
}


@pytest.mark.parametrize("body", BATCHES)
def test_damaged_batches(body: bytes, tmp_path: Path):
    """A batch header that cannot be is an error with the place."""
    with pytest.raises(TraceError, match=r"byte \d+") as caught:
        read(b"go 1.26 trace\0\0\0" + body, tmp_path)
    assert BATCHES[body] in str(caught.value)


@pytest.mark.parametrize("path", BORDERS, ids=lambda path: path.stem)
def test_cut_short(path: Path, tmp_path: Path):
    """A trace cut short is an error behind its whole generations; with `partial` it is those, marked, with an end."""
    whole = list(read_trace(path))
    assert len(whole) == 3
    data = path.read_bytes()[:-40]
    cut = tmp_path / "cut.trace"
    cut.write_bytes(data)
    tables = []
    with pytest.raises(TraceError, match="cut short"):
        tables.extend(read_trace(cut))
    assert [table.generation for table in tables] == [1, 2]
    assert not any(table.partial for table in tables)
    kept = list(read_trace(cut, partial=True))
    assert kept[-1].partial
    assert join(kept).partial
    assert sum(table.events for table in kept) >= sum(table.events for table in tables)
    assert (kept[-1].states.end == -1).any()


def test_damaged_event(tmp_path: Path):
    """With `partial`, what stands before an event that cannot be is there, and goes on at the end."""
    text = LEAST + "  GoStop dt=5\n  GoDestroy dt=1"
    with pytest.raises(TraceError, match="GoDestroy on thread 0, which runs no goroutine"):
        read(assemble(text), tmp_path)
    found = read(assemble(text), tmp_path, partial=True)
    assert found.partial
    assert found.states.state.tolist() == [State.RUNNING, State.RUNNABLE]
    assert found.states.begin.tolist() == [found.begin, 896]
    assert found.states.end.tolist() == [896, -1]  # 14 ticks of 64 ns, whatever came after


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_states_fill_lives(path: Path):
    """The states of a goroutine follow each other without a gap, from its creation to its end."""
    found = join(read_trace(path))
    own = found.states
    order = np.lexsort((own.begin, own.goroutine))
    same = own.goroutine[order][1:] == own.goroutine[order][:-1]
    gaps = own.begin[order][1:] != own.end[order][:-1]
    alike = len(np.unique(found.goroutines.id)) == len(found.goroutines.id)  # no id twice
    assert not (same & gaps).any() or not alike
    assert (own.end[own.end >= 0] >= own.begin[own.end >= 0]).all()


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_times_add_up(path: Path):
    """What a goroutine or region did adds up to its total, and to its states."""
    found = join(read_trace(path))
    for owner, own in ((Owner.GOROUTINE, found.goroutines), (Owner.REGION, found.regions)):
        blocked = np.zeros(len(own.total), np.int64)
        chosen = (found.parts.owner == owner) & (found.parts.kind == PartKind.BLOCK)
        np.add.at(blocked, found.parts.row[chosen], found.parts.ns[chosen])
        sums = own.exec + own.sched_wait + own.syscall + own.syscall_block + blocked
        ended = own.end >= 0
        assert (sums[ended] == own.total[ended]).all()
    closed = found.states.end >= 0
    running = closed & (found.states.state == State.RUNNING)
    ended = np.isin(found.states.goroutine, found.goroutines.id[found.goroutines.end >= 0])
    spent = (found.states.end - found.states.begin)[running & ended].sum()
    assert spent == found.goroutines.exec[found.goroutines.end >= 0].sum()


@pytest.mark.parametrize("path", BORDERS, ids=lambda path: path.stem)
def test_join(path: Path):
    """Joined generations have all rows, one set of codes, and parts that point to their owners' rows."""
    tables = list(read_trace(path))
    whole = join(tables)
    assert whole.events == sum(table.events for table in tables)
    assert len(whole.states.begin) == sum(len(table.states.begin) for table in tables)
    assert (whole.begin, whole.end) == (tables[0].begin, tables[-1].end)
    assert whole.strings is tables[0].strings
    assert whole.stacks is tables[0].stacks
    assert len(set(whole.strings)) == len(whole.strings)
    assert len(set(whole.stacks)) == len(whole.stacks)
    assert (whole.strings[0], whole.stacks[0]) == ("", ())
    regions = whole.parts.owner == Owner.REGION
    assert regions.any()
    assert whole.parts.row[regions].max() < len(whole.regions.total)
    assert (whole.parts.ns[regions] <= whole.regions.total[whole.parts.row[regions]]).all()
    assert len(tables[0].tasks.id) == 0
    assert len(tables[-1].tasks.id) == 1


def test_join_nothing():
    """There is no table of nothing."""
    with pytest.raises(ValueError, match="no table"):
        join([])


def test_pipe(tmp_path: Path):
    """What cannot be mapped is read: a trace may come from a pipe."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = subprocess.Popen(("cp", BORDERS[0], pipe))
    assert len(list(read_trace(pipe))) == 3
    assert writer.wait() == 0


def test_imports_no_pytest():
    """The core is usable without pytest, and without the compiler of its modules."""
    code = "import pytest_gotrace.trace, sys; print([m for m in ('pytest', 'cython', 'Cython') if m in sys.modules])"
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_not_built(tmp_path: Path):
    """Without the compiled modules the import says how to build them."""
    package = Path(__file__).parents[2] / "pytest_gotrace"
    for source in (package / "errors.py", *package.glob("trace/*.py")):
        copy = tmp_path / source.relative_to(package.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text())
    done = subprocess.run(
        (sys.executable, "-c", "import pytest_gotrace.trace"), capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "build them with `pip install -e .`" in done.stderr


# CPU samples

SAMPLES = number("CPUSamples") + b"".join(
    number("CPUSample") + bytes(sample) for sample in ((60, 1, 0, 9, 1), (3, 1, 0, 0, 0), (5, 1, 0, 1, 1))
)


def sampled() -> bytes:
    """A generation of two events at ticks 8 and 9 with three samples, of which one comes after everything else."""
    stack = number("Stacks") + number("Stack") + bytes((1, 1, 9, 0, 0, 5))
    events = number("ProcStatus") + bytes((1, 0, 1)) + number("GoStatus") + bytes((1, 1, 0, 2))
    sync = (
        number("Sync") + number("Frequency") + uvarint(10**9) + number("ClockSnapshot") + bytes((0, 1, 1, 1))
    )
    tables = b"".join(batch(1, NOBODY, 7, body) for body in (stack, sync, SAMPLES))
    return b"go 1.26 trace\0\0\0" + batch(1, 0, 7, events) + tables + number("EndOfGeneration")


def test_samples(tmp_path: Path):
    """CPU samples stand in the order of their times, moved on where the clock already was, with -1 for no goroutine."""
    found = read(sampled(), tmp_path)
    assert found.samples.time.tolist() == [8, 9, 60]
    assert found.samples.goroutine.tolist() == [-1, 1, 9]
    assert [[frame.line for frame in found.stacks[code]] for code in found.samples.stack.tolist()] == [
        [],
        [5],
        [5],
    ]
    assert found.end >= 60


def test_samples_of_all_generations_are_joined(tmp_path: Path):
    """Samples count in the generation that has them, and in one table after the other."""
    path = tmp_path / "a.trace"
    path.write_bytes(sampled())
    (one,) = read_trace(path)
    assert join([one, one]).samples.time.tolist() == 2 * one.samples.time.tolist()
