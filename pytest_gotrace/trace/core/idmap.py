"""A hash map from the wire's 64-bit IDs to slots: open addressing, linear probing, a value of -1 marks a free place.

It is never more than half full, and multiplies keys by a number that is another one in every process: so a search ends
soon whatever the keys are, even if whoever chose them meant them to collide.
"""

import os

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.pytest_gotrace.trace.core.idmap import IdMap, home

# Begins like the golden ratio, which spreads IDs that count up; how it goes on nobody can know.
FACTOR = cython.declare(uint64_t, 0x9E37 << 48 | int.from_bytes(os.urandom(6), "little") | 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def make(ids: cython.pointer(IdMap)) -> cython.int:
    """An empty map; 0 if there is no memory."""
    ids.mask = 0
    ids.used = 0
    ids.factor = FACTOR
    ids.keys = cython.NULL
    ids.values = cython.NULL
    return resize(ids, 64)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def drop(ids: cython.pointer(IdMap)) -> cython.void:
    free(ids.keys)
    free(ids.values)
    ids.keys = cython.NULL
    ids.values = cython.NULL


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def resize(ids: cython.pointer(IdMap), size: uint64_t) -> cython.int:
    keys: cython.pointer(uint64_t) = cython.cast(cython.pointer(uint64_t), malloc(size * 8))
    values: cython.pointer(int32_t) = cython.cast(cython.pointer(int32_t), malloc(size * 4))
    old: IdMap = ids[0]
    at: uint64_t
    if keys == cython.NULL or values == cython.NULL:
        free(keys)
        free(values)
        return 0
    for at in range(size):
        values[at] = -1
    ids.keys = keys
    ids.values = values
    ids.mask = size - 1
    ids.shift = 64
    while size > 1:
        size >>= 1
        ids.shift -= 1
    if old.values != cython.NULL:
        for at in range(old.mask + 1):
            if old.values[at] >= 0:
                place(ids, old.keys[at], old.values[at])
        free(old.keys)
        free(old.values)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def place(ids: cython.pointer(IdMap), key: uint64_t, value: int32_t) -> cython.void:
    at: uint64_t = home(ids, key)
    while ids.values[at] >= 0:
        at = (at + 1) & ids.mask
    ids.keys[at] = key
    ids.values[at] = value


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def insert(ids: cython.pointer(IdMap), key: uint64_t, value: int32_t) -> cython.int:
    """Adds a key that is not there; 0 if there is no memory."""
    if ids.used * 2 > cython.cast(int64_t, ids.mask) and not resize(ids, (ids.mask + 1) * 2):
        return 0
    ids.used += 1
    place(ids, key, value)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def remove(ids: cython.pointer(IdMap), key: uint64_t) -> cython.void:
    """Takes a key away, and moves those behind it forward, so that no search stops at the gap."""
    hole: uint64_t = home(ids, key)
    at: uint64_t
    while ids.values[hole] >= 0 and ids.keys[hole] != key:
        hole = (hole + 1) & ids.mask
    if ids.values[hole] < 0:
        return
    ids.used -= 1
    at = (hole + 1) & ids.mask
    while ids.values[at] >= 0:
        # The entry at `at` may fill the hole only if its home does not lie behind the hole.
        if ((at - home(ids, ids.keys[at])) & ids.mask) >= ((at - hole) & ids.mask):
            ids.keys[hole] = ids.keys[at]
            ids.values[hole] = ids.values[at]
            hole = at
        at = (at + 1) & ids.mask
    ids.values[hole] = -1
