"""Bytes to numbers, the rare cases: `wire.pxd` has those that every event needs."""

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint64_t
from cython.cimports.pytest_gotrace.trace.core.layout import Bytes, CodesP

ZEROS = cython.declare(cython.uchar[64])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def long_uvarint(at: cython.pointer(Bytes)) -> uint64_t:
    """A varint of nine or ten bytes. `at` goes to zeros outside of any batch if it does not fit in 64 bits."""
    value: uint64_t = 0
    byte: uint64_t
    shift: cython.int
    for shift in range(0, 70, 7):
        byte = at[0][0]
        at[0] += 1
        if shift == 63 and byte > 1:
            break
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
    at[0] = cython.cast(Bytes, ZEROS)
    return value


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def search(table: CodesP, key: uint64_t) -> int32_t:
    """The code of an ID that is not an index, or of none."""
    low: int64_t = 0
    high: int64_t = table.count
    middle: int64_t
    if key == 0:
        return 0
    if table.ids == cython.NULL:
        return -1
    while low < high:
        middle = (low + high) >> 1
        if table.ids[middle] < key:
            low = middle + 1
        else:
            high = middle
    return table.codes[low] if low < table.count and table.ids[low] == key else -1
