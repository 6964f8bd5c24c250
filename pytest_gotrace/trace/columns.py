"""Columns of equal length that are filled without the interpreter, and become NumPy arrays without a copy.

Touching fresh memory is what filling them costs most, so it is asked for once, by foresight, and not moved. It is not
NumPy's: that asks for large pages, which are cheap where the machine has them at hand, and slow where it has not.
"""

import cython
import numpy as np
from cython.cimports.cpython.buffer import Py_buffer, PyBuffer_FillInfo
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.stdlib import calloc, free
from cython.cimports.libc.string import memcpy
from cython.cimports.pytest_gotrace.trace.columns import Rows

FIRST_ROWS = 256


@cython.final
@cython.cclass
class Memory:
    """Zeroed memory that lives as long as an array looks at it."""

    start: cython.p_char
    size: cython.Py_ssize_t

    def __cinit__(self, size: cython.Py_ssize_t):
        self.start = cython.cast(cython.p_char, calloc(size, 1))
        self.size = size
        if self.start == cython.NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.start)

    def __getbuffer__(self, buffer: cython.pointer(Py_buffer), flags: cython.int):
        PyBuffer_FillInfo(buffer, self, self.start, self.size, 0, flags)


@cython.final
@cython.cclass
class Columns:
    """A table under way. Whoever fills it writes through `rows`, and calls `grow` when it is full; what is not written
    is zero."""

    def __cinit__(self, dtypes):
        self.dtypes = [np.dtype(code) for code in dtypes]
        self.rows.owner = cython.cast(cython.p_void, self)
        self.memory = []
        self.allocate(FIRST_ROWS)

    @cython.cfunc
    def allocate(self, capacity: int64_t) -> cython.void:
        """Room for `capacity` rows, to which those so far are moved."""
        memory = [Memory(capacity * dtype.itemsize) for dtype in self.dtypes]
        column: cython.int
        for column in range(len(memory)):
            fresh: Memory = memory[column]
            width: cython.size_t = self.dtypes[column].itemsize
            if self.rows.count:
                memcpy(fresh.start, self.rows.data[column], self.rows.count * width)
            self.rows.data[column] = fresh.start
        self.memory = memory
        self.rows.capacity = capacity

    def take(self) -> list:
        """The rows so far, as arrays. Starts anew."""
        arrays = [np.empty(0, dtype) for dtype in self.dtypes]
        if self.rows.count:
            arrays = [
                np.frombuffer(memory, dtype)[: self.rows.count]
                for memory, dtype in zip(self.memory, self.dtypes, strict=True)
            ]
            if self.rows.count < self.rows.capacity >> 2:
                arrays = [array.copy() for array in arrays]  # the rest would be kept with them
        self.rows.count = 0
        self.allocate(FIRST_ROWS)
        return arrays


@cython.cfunc
@cython.with_gil
@cython.exceptval(check=False)
def reserve(rows: cython.pointer(Rows), capacity: int64_t) -> cython.int:
    """Room for `capacity` rows; 0 if there is no memory."""
    columns: Columns = cython.cast(Columns, rows.owner)
    try:
        columns.allocate(capacity)
    except MemoryError:
        return 0
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def grow(rows: cython.pointer(Rows)) -> cython.int:
    """Doubles the room; 0 if there is no memory."""
    return reserve(rows, rows.capacity * 2)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def nearly_full(rows: cython.pointer(Rows)) -> cython.int:
    return rows.count > rows.capacity - (rows.capacity >> 3)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def foresee(rows: cython.pointer(Rows), share: cython.double) -> cython.int:
    """Makes room for all rows to come, after a `share` of the input; 0 if there is none.

    Moving rows again and again would cost more than room that is never touched.
    """
    if share < 0.02 or not nearly_full(rows):
        return 1
    wanted: int64_t = cython.cast(int64_t, cython.cast(cython.double, rows.count) / share * 1.25) + 4096
    return reserve(rows, wanted) if wanted > rows.capacity else 1
