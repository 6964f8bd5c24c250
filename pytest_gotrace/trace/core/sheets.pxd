from libc.stdint cimport int64_t, uint32_t, uint64_t
from pytest_gotrace.trace.core.layout cimport LATE, MachineP, Rows, RowsP

cdef struct Block:
    char *start
    size_t size

cdef class Sheet:
    cdef Rows *rows
    cdef object dtype
    cdef int columns
    cdef object memory
    cdef object nothing  # its array without rows
    cdef void bind(self, RowsP rows) except *
    cdef void allocate(self, int64_t capacity) except *

cdef int grow(RowsP rows) noexcept nogil
cdef int foresee(RowsP rows, double share) noexcept nogil
cdef uint32_t late(MachineP m, int sheet, int column, int64_t value) noexcept nogil

cdef enum:
    MARK = 0xFFFFFFFF    # stands for a number that `LATE` has
    NEVER = 0xFFFFFFFE   # for none

# A new row of `width` bytes, which is the sheet's last; NULL if there is no memory.
cdef inline void *add(RowsP rows, int width) noexcept nogil:
    cdef char *row = rows.next
    if row == rows.limit:
        if not grow(rows):
            return NULL
        row = rows.next
    rows.next = row + width
    return row

cdef inline int64_t count(const Rows *rows) noexcept nogil:
    return (rows.next - rows.data) / rows.width

# `value` as what it is more than `base`, for a column of a sheet's last row.
cdef inline uint32_t narrow(MachineP m, int sheet, int column, int64_t value, int64_t base) noexcept nogil:
    cdef uint64_t over = <uint64_t> (value - base)
    if over < <uint64_t> NEVER:
        return <uint32_t> over
    return late(m, sheet, column, value)

cdef inline int nearly_full(const Rows *rows) noexcept nogil:
    return rows.limit - rows.next < (rows.limit - rows.data) >> 3
