"""Bytes that no Go has written: an error with a place, or a table, but never a crash, a hang, or memory without end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import TRACES
from texttrace import assemble, batch, number, uvarint

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace import dump, join, read_trace

COMMITTED = {path.stem: path.read_bytes() for path in sorted(TRACES.glob("*.trace"))}

Damage = Callable[[bytearray, Random], None]


def flip(data: bytearray, random: Random) -> None:
    data[random.randrange(16, len(data))] ^= 1 << random.randrange(8)


def overwrite(data: bytearray, random: Random) -> None:
    at = random.randrange(16, len(data))
    data[at : at + 8] = random.choice((b"\xff" * 8, b"\0" * 8, random.randbytes(8)))


def cut(data: bytearray, random: Random) -> None:
    del data[random.randrange(16, len(data)) :]


def repeat(data: bytearray, random: Random) -> None:
    at = random.randrange(16, len(data))
    data[at:at] = data[at : at + random.randrange(1, 2000)]


def drop(data: bytearray, random: Random) -> None:
    at = random.randrange(16, len(data))
    del data[at : at + random.randrange(1, 200)]


def survive(data: bytes, path: Path) -> bool:
    """Reads the bytes both ways; whether they were a trace. Whatever comes must be usable."""
    path.write_bytes(data)
    whole, damage = True, None
    try:
        for line in dump.lines(path):
            assert line
    except TraceError as error:
        whole, damage = False, error
    if damage is not None:
        assert str(path) in str(damage)
        assert damage.offset is None or 0 <= damage.offset <= len(data)
    try:
        found = join(read_trace(path, partial=True))
    except TraceError:
        return whole
    assert found.partial != whole
    for codes in (
        found.states.reason,
        found.regions.name,
        found.tasks.name,
        found.parts.name,
        found.ranges.name,
    ):
        assert len(codes) == 0 or 0 <= codes.min() <= codes.max() < len(found.strings)
    for codes in (found.states.stack, found.states.waker_stack, found.ranges.stack, found.regions.stack):
        assert len(codes) == 0 or 0 <= codes.min() <= codes.max() < len(found.stacks)
    assert len(list(found.stacks)) == len(found.stacks)
    return whole


@pytest.mark.parametrize("name", COMMITTED)
@settings(
    derandomize=True,
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    damages=st.lists(st.sampled_from((flip, overwrite, cut, repeat, drop)), min_size=1),
)
def test_a17_damaged(name: str, seed: int, damages: list[Damage], tmp_path: Path):
    """Real traces with bits flipped, bytes overwritten, repeated, dropped or cut off are survived."""
    random = Random(seed)
    data = bytearray(COMMITTED[name])
    for damage in damages:
        if len(data) > 32:
            damage(data, random)
    survive(bytes(data), tmp_path / "damaged.trace")


@settings(
    derandomize=True,
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(wire=st.sampled_from((22, 23, 25, 26)), body=st.binary(max_size=200))
def test_noise(wire: int, body: bytes, tmp_path: Path):
    """Noise as a thread's stream is survived."""
    text = assemble(
        f"Trace go 1.{wire}\nBatch gen=1 m=0 time=0\n ProcStatus p=0 pstatus=1\n GoStatus g=1 gstatus=2"
    )
    start = 16 + 5
    data = text[:16] + batch(1, 0, 0, text[start : start + 8] + body) + text[start + 8 :]
    survive(data, tmp_path / "noise.trace")


def every(step: int) -> list[int]:
    return list(range(0, len(COMMITTED["go126-syscalls"]), step))


def test_every_cut(tmp_path: Path):
    """A trace cut anywhere is an error, and of its one generation nothing is invented."""
    data = COMMITTED["go126-syscalls"]
    for size in every(97):
        path = tmp_path / "cut.trace"
        path.write_bytes(data[:size])
        with pytest.raises(TraceError):
            join(read_trace(path))


def test_last_byte_matters(tmp_path: Path):
    """A batch that ends with the file may end within an event, or in the last byte that there is."""
    head = b"go 1.22 trace\0\0\0"
    clock = batch(1, 5, 0, number("Frequency") + uvarint(10**9))
    for body in (b"\x0b", b"\x0d\x01", b"\x0d\x01\x00\x01", b"\x0d\x01\x00\x81", b"\x80", b"\xff" * 20):
        survive(head + clock + batch(1, 0, 0, body), tmp_path / "last.trace")


def unlucky(count: int, size: int) -> list[int]:
    """Numbers that a dictionary of `size` places looks at one after the other when it searches for 0."""
    path = [size]
    while len(path) < count:
        path.append((5 * path[-1] + 1) % size)
    return path


BOMBS = {
    "collisions": b"".join(batch(1, thread, 0, b"") for thread in unlucky(80_000, 1 << 17))
    + batch(1, 0, 0, b"") * 60_000,
    "threads": b"".join(batch(1, thread, 0, b"") for thread in range(1000, 80_000)),
    "goroutines": batch(1, 0, 0, b"\x0d\x00\x00\x01")
    + b"".join(
        batch(1, 0, 0, b"".join(b"\x0e\x00" + uvarint(g) + b"\0\0" for g in range(at, at + 9000)))
        for at in range(1, 90_000, 9000)
    ),
    "sparse ids": batch(1, 0, 0, b"")
    + batch(
        1,
        9,
        0,
        number("Strings") + b"".join(number("String") + uvarint(2**64 - 1 - k) + b"\1a" for k in range(5000)),
    ),
    "regions": batch(1, 0, 0, b"\x0d\x00\x00\x01\x19\x00\x01\x00\x02")
    + b"".join(batch(1, 0, 0, b"\x2a\x00\x01\x00\x00" * 13_000) for _ in range(12)),
    "entangled": b"".join(batch(1, thread, 0, b"\x10\0\x63\x01") for thread in range(1, 60_000))
    + b"".join(
        batch(1, 0, 10**6, b"\x0d\x00\x00\x01" * (k == 0) + b"\x25\x01\x00" * 15_000) for k in range(8)
    ),
    "processors": b"".join(
        batch(1, 0, 0, b"".join(b"\x0d\x00" + uvarint(p) + b"\x02" for p in range(at, at + 9000)))
        for at in range(0, 90_000, 9000)
    ),
}

MEASURE = """
import re, resource, sys
from pathlib import Path
from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace import join, read_trace

def peak():  # that of getrusage begins with the parent's
    return int(re.search("VmHWM:.*?([0-9]+) kB", Path("/proc/self/status").read_text())[1])

resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
before = peak()
try:
    found = join(read_trace(sys.argv[1], partial=True))
    for columns in (found.states, found.goroutines, found.regions, found.parts, found.ranges, found.tasks):
        for name in columns.names():
            getattr(columns, name)
except TraceError:
    pass
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says how much memory was used")
@pytest.mark.parametrize("name", BOMBS)
def test_in_proportion(name: str, tmp_path: Path):
    """Memory and time stay in proportion to the file, whatever the file claims there is."""
    path = tmp_path / "bomb.trace"
    clock = batch(1, 9, 0, number("Frequency") + uvarint(10**9))
    path.write_bytes(b"go 1.22 trace\0\0\0" + clock + BOMBS[name])
    done = subprocess.run((sys.executable, "-c", MEASURE, path), capture_output=True, text=True, check=True)
    kilobytes = int(done.stdout)
    assert kilobytes < 40_000 + 400 * path.stat().st_size // 1000


def test_entangled(tmp_path: Path):
    """An order that takes a walk through all threads for every event is given up, with the place."""
    path = tmp_path / "bomb.trace"
    clock = batch(1, 9, 0, number("Frequency") + uvarint(10**9))
    path.write_bytes(b"go 1.22 trace\0\0\0" + clock + BOMBS["entangled"])
    with pytest.raises(TraceError, match="cannot be found with any reasonable effort"):
        join(read_trace(path))
