"""What the fuzzer runs: bytes become a trace file, which is read in every way there is.

    python target.py [libFuzzer's arguments]

The outcome must be tables that hold what they promise, or a `TraceError`. All else is a finding, and so is what the
sanitizers report, a read of more than a few seconds, memory out of proportion to the file, and memory not given back.
Runs with the sanitizers' runtime preloaded (see `__main__`), for one file or without end.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import atheris

with atheris.instrument_imports(include=["pytest_gotrace"]):
    from pytest_gotrace.errors import TraceError
    from pytest_gotrace.trace import Table, join, read_trace
    from pytest_gotrace.trace.dump import lines

from checks import check
from mutate import Mutator

# Bytes that reading may take beyond a share of the file: first rooms of tables, which do not depend on the file,
# and the parts of nested regions, which are bounded by themselves.
FLOOR = 6 << 20
SHARE = 600
LEAK = 256
SAMPLE = 101  # one file in so many is read again, to see whether memory comes back

_allocated = ctypes.CDLL(None).__sanitizer_get_current_allocated_bytes
_allocated.restype = ctypes.c_size_t


@contextmanager
def mapped(data: bytes) -> Iterator[str]:
    """A file, which is mapped into memory when it is read."""
    file = os.memfd_create("trace")
    try:
        os.write(file, data)
        yield f"/proc/self/fd/{file}"
    finally:
        os.close(file)


@contextmanager
def piped(data: bytes) -> Iterator[str]:
    """A pipe, whose bytes are copied to the heap, where the sanitizer sees reads beyond their end."""
    read, write = os.pipe()
    try:
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, max(4096, len(data)))
        os.write(write, data)
        os.close(write)
        yield f"/proc/self/fd/{read}"
    finally:
        os.close(read)


def tables(data: bytes, partial: bool) -> list[Table] | None:
    """The tables; None for bytes of which nothing can be read."""
    with piped(data) as path:
        try:
            return list(read_trace(path, partial=partial))
        except TraceError as error:
            if error.offset is not None and not 0 <= error.offset <= len(data):
                raise AssertionError(f"damage at {error.offset} of {len(data)} bytes") from error
            return None


def dumped(data: bytes) -> int | None:
    """How many lines `gotrace show` would print; None if it would not."""
    with mapped(data) as path:
        try:
            return sum(len(line.encode()) > 2 for line in lines(path, partial=True))
        except TraceError:
            return None


def read_all(data: bytes) -> None:
    """Reads the file as far as it goes; by chance, but always the same for a file, also as a whole, or as text."""
    before = _allocated()
    found = tables(data, partial=True)
    taken = _allocated() - before
    if taken > FLOOR + SHARE * len(data):
        raise AssertionError(f"{taken} bytes of memory for a file of {len(data)} bytes")
    if found is not None:
        for table in found:
            check(table)
        check(join(found))
    way = zlib.crc32(data) % 4
    if way == 0:
        whole = tables(data, partial=False)
        sound = found is not None and not any(table.partial for table in found)
        assert (whole is not None) == sound, "what is damaged depends on who asks"
        assert not whole or sum(t.events for t in whole) == sum(t.events for t in found or [])
    elif way == 1 and (dumped(data) is None) != (found is None):
        raise AssertionError("the tables of a file cannot be dumped, or lines are made of nothing")


def leaks(data: bytes) -> bool:
    """Whether each further time that the file is read takes more memory."""
    last = 0
    for attempt in range(6):
        tables(data, partial=True)
        gc.collect()
        now = _allocated()
        if attempt > 1 and now - last < LEAK:
            return False
        last = now
    return True


def test_one(data: bytes) -> None:
    read_all(data)
    if zlib.crc32(data) % SAMPLE == 0 and leaks(data):
        raise AssertionError("memory is not given back")


SIZE, BYTES = ctypes.c_size_t, ctypes.c_void_p


@ctypes.CFUNCTYPE(SIZE, BYTES, SIZE, SIZE, ctypes.c_uint)
def mutate(data: int, size: int, most: int, seed: int) -> int:
    out = Mutator(seed, atheris.Mutate).mutate(ctypes.string_at(data, size), most)
    ctypes.memmove(data, out, len(out))
    return len(out)


@ctypes.CFUNCTYPE(SIZE, BYTES, SIZE, BYTES, SIZE, BYTES, SIZE, ctypes.c_uint)
def cross(data: int, size: int, other: int, other_size: int, out: int, most: int, seed: int) -> int:
    one, two = ctypes.string_at(data, size), ctypes.string_at(other, other_size)
    crossed = Mutator(seed, atheris.Mutate).cross(one, two, most)
    ctypes.memmove(out, crossed, len(crossed))
    return len(crossed)


def hook(name: str, function: object) -> None:
    """Makes `hooks.c`, which was loaded before Python, call a function of ours."""
    ctypes.c_void_p.in_dll(ctypes.CDLL(None), name).value = ctypes.cast(function, ctypes.c_void_p).value


if __name__ == "__main__":
    warnings.simplefilter("error")
    gc.freeze()  # what is there by now need not be looked at again and again
    hook("python_mutate", mutate)
    hook("python_cross", cross)
    atheris.Setup(sys.argv, test_one)
    atheris.Fuzz()
