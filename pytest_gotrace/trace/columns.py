"""Columns of equal length that are filled without the interpreter, and are NumPy arrays from the beginning.

NumPy asks the system for large pages where there are any; touching fresh memory is what filling columns costs most.
"""

import cython
import numpy as np
from cython.cimports.libc.stdint import int64_t
from cython.cimports.pytest_gotrace.trace.columns import Rows

FIRST_ROWS = 256


@cython.final
@cython.cclass
class Columns:
    """A table under way. Whoever fills it writes through `rows`, and calls `grow` when it is full."""

    def __cinit__(self, dtypes):
        self.dtypes = [np.dtype(code) for code in dtypes]
        self.rows.owner = cython.cast(cython.p_void, self)
        self.arrays = []
        self.allocate(FIRST_ROWS)

    def allocate(self, capacity: int64_t) -> None:
        """Room for `capacity` rows, to which those so far are moved."""
        arrays = [np.empty(capacity, dtype) for dtype in self.dtypes]
        for column, filled in enumerate(self.arrays):
            arrays[column][: self.rows.count] = filled[: self.rows.count]
        self.arrays = arrays
        self.rows.capacity = capacity
        column: cython.int
        for column in range(len(arrays)):
            start: cython.size_t = arrays[column].ctypes.data
            self.rows.data[column] = cython.cast(cython.p_char, start)

    def take(self, capacity: int64_t = FIRST_ROWS) -> list:
        """The rows so far, as arrays. Starts anew, with room for `capacity` rows."""
        arrays = [array[: self.rows.count] for array in self.arrays]
        if self.rows.count == 0:
            arrays = [np.empty(0, dtype) for dtype in self.dtypes]
        elif self.rows.count < self.rows.capacity >> 2:
            arrays = [array.copy() for array in arrays]  # the rest would be kept with them
        self.arrays = []
        self.rows.count = 0
        self.allocate(max(capacity, FIRST_ROWS))
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
