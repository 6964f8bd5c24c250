"""Time by name: short lists of what goroutines blocked for and which ranges they were in."""

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint32_t
from cython.cimports.libc.stdlib import realloc
from cython.cimports.pytest_gotrace.trace.core import layout as wire
from cython.cimports.pytest_gotrace.trace.core.layout import MachineP, Part, PartsP
from cython.cimports.pytest_gotrace.trace.core.machine import fail
from cython.cimports.pytest_gotrace.trace.core.sheets import add, narrow


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def more_parts(parts: PartsP, count: int32_t) -> cython.int:
    """Room for `count` parts; 0 if there is no memory."""
    capacity: int32_t = parts.capacity if parts.capacity else 1
    while capacity < count:
        if capacity > 1 << 29:
            return 0
        capacity *= 2
    rows: cython.p_void = realloc(parts.rows, cython.cast(cython.size_t, capacity) * cython.sizeof(Part))
    if rows == cython.NULL:
        return 0
    parts.rows = cython.cast(cython.pointer(Part), rows)
    parts.capacity = capacity
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_parts(m: MachineP, owner: cython.int, row: int64_t, parts: PartsP) -> cython.int:
    """The rows of parts that are not zero, of a row of the owner's sheet."""
    out: cython.pointer(uint32_t)
    i: int32_t
    for i in range(parts.count):
        if parts.rows[i].time == 0:
            continue
        m.budget -= 1
        if m.budget < 0:
            return fail(m, wire.F_BUDGET, 0, 0)
        out = cython.cast(cython.pointer(uint32_t), add(cython.address(m.rows[wire.PARTS]), 16))
        if out == cython.NULL:
            return fail(m, wire.F_MEMORY, 0, 0)
        out[0] = owner << 2 | (parts.rows[i].key & 3)
        out[1] = cython.cast(uint32_t, row)
        out[2] = cython.cast(uint32_t, parts.rows[i].key >> 2)
        out[3] = narrow(m, wire.PARTS, 3, parts.rows[i].time, 0)
    return 1
