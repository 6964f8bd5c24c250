"""Files that once broke the core, made smaller: each is now an error that says what is wrong, and where."""

from __future__ import annotations

import time
import tracemalloc
from itertools import product
from pathlib import Path

import pytest
from oracle import TRACES
from texttrace import batch, number, uvarint

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace import join, read_trace

DAMAGED = TRACES / "damaged"
FOUND = {
    # Threads that all ran one goroutine freed its slot once each, and wrote beyond the list of free slots.
    "goroutine-ends-on-many-threads": "byte 47, generation 1: .* does not fit the state .* that goroutine 1 is in",
    # Strings that moved as the second generation was begun were looked for where they had been.
    "no-clock-behind-many-strings": "byte 131, generation 2: the generation has no frequency",
    # What regions open at the end may say was out of bounds, and came out as a MemoryError.
    "regions-open-at-the-end": "generation 1: regions are nested deeper",
}


@pytest.mark.parametrize("path", sorted(DAMAGED.glob("*.trace")), ids=lambda path: path.stem)
def test_found_by_fuzzing(path: Path):
    """What is wrong is said; what stands before it can be had, and is marked as partial."""
    with pytest.raises(TraceError, match=FOUND[path.stem]):
        join(read_trace(path))
    assert join(read_trace(path, partial=True)).partial


def test_all_are_there():
    """Each file has a reason to be kept, and each reason its file."""
    assert {path.stem for path in DAMAGED.glob("*.trace")} == set(FOUND)


# Undoes the multiplication by the golden ratio, by which the hash map spread IDs.
KNOWN = pow(0x9E3779B97F4A7C15, -1, 2**64)


def test_ids_made_to_collide(tmp_path: Path):
    """IDs that were all meant for one place of the hash map are found as fast as others."""
    begin = number("ProcStatus") + bytes((0, 0, 1)) + number("GoStatus") + bytes((0, 0, 0, 2))
    ids = [(k % 2**16 << 48 | k >> 16) * KNOWN % 2**64 for k in range(1, 100_001)]
    events = [number("GoCreate") + uvarint(0) + uvarint(key) + b"\0\0" for key in ids]
    batches = [batch(1, 0, 1, b"".join(events[at : at + 4000])) for at in range(0, len(events), 4000)]
    clock = batch(1, 0, 0, number("Frequency") + uvarint(1000))
    path = tmp_path / "collide.trace"
    path.write_bytes(b"go 1.22 trace\0\0\0" + batch(1, 0, 0, begin) + b"".join(batches) + clock)
    before = time.process_time()
    assert len(join(read_trace(path)).goroutines.id) == 100_001
    assert time.process_time() - before < 2


def colliding_frames(count: int, strings: int) -> list[tuple[int, int, int]]:
    """Function, file and line of frames whose tuples have the same hash in CPython, whose xxHash has no secret."""
    one, two, five = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x27D4EB2F165667C5
    frames: list[tuple[int, int, int]] = []
    for pair in product(range(1, strings + 1), repeat=2):
        mixed = five
        for code in pair:
            mixed = (mixed + (code + 1) * two) % 2**64
            mixed = (mixed << 31 | mixed >> 33) % 2**64 * one % 2**64
        line = (12345 - mixed) * pow(two, -1, 2**64) % 2**64
        if line < 2**61 - 1 and len(frames) < count:
            frames.append((*pair, line))
    return frames


def test_frames_made_to_collide(tmp_path: Path):
    """Frames that were all meant for one place of a dictionary are told apart as fast as others."""
    strings, frames = 420, colliding_frames(20_000, 420)
    # A string's code is its ID and one more: the file's first code is the empty string, its second the core's own.
    assert len({hash((function + 1, file + 1, line)) for function, file, line in frames}) == 1
    named = b"".join(number("String") + uvarint(n) + b"\3%03x" % n for n in range(1, strings + 1))
    head = batch(1, 0, 0, b"") + batch(1, 0, 0, number("Strings") + named)
    stacks = []
    for at in range(0, len(frames), 100):
        body = b"".join(
            uvarint(at + n) + b"".join(map(uvarint, f)) for n, f in enumerate(frames[at : at + 100])
        )
        stacks.append(batch(1, 0, 0, number("Stacks") + number("Stack") + uvarint(at + 1) + b"\x64" + body))
    clock = batch(1, 0, 0, number("Frequency") + uvarint(1000))
    path = tmp_path / "collide.trace"
    path.write_bytes(b"go 1.22 trace\0\0\0" + head + b"".join(stacks) + clock)
    before = time.process_time()
    assert len(join(read_trace(path)).stacks) == 201
    assert time.process_time() - before < 2


def test_tiny_generations(tmp_path: Path):
    """Ten thousand generations of nine bytes take memory in proportion to their bytes, all tables held at once."""
    clock = number("Frequency") + uvarint(1000)
    path = tmp_path / "tiny.trace"
    path.write_bytes(b"go 1.22 trace\0\0\0" + b"".join(batch(gen, 0, 0, clock) for gen in range(1, 10_001)))
    tracemalloc.start()
    try:
        assert len(list(read_trace(path))) == 10_000
        assert tracemalloc.get_traced_memory()[1] < 400 * path.stat().st_size
    finally:
        tracemalloc.stop()
