"""Columns of equal length that grow without the interpreter, and become NumPy arrays without a copy."""

import cython
import numpy as np
from cython.cimports.cpython.buffer import PyBuffer_FillInfo
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t
from cython.cimports.libc.stdlib import free, realloc

FIRST_ROWS = cython.declare(cython.int, 256)


@cython.cclass
class Memory:
    """Owns what was allocated outside Python, for as long as an array looks at it."""

    start: cython.p_char
    size: cython.Py_ssize_t

    def __dealloc__(self) -> None:
        free(self.start)

    def __getbuffer__(self, buffer: cython.pointer(Py_buffer), flags: cython.int) -> None:
        PyBuffer_FillInfo(buffer, self, self.start, self.size, 0, flags)


@cython.final
@cython.cclass
class Columns:
    """Rows are added by filling every column at index `rows` (`put8`, `put4`, `put1`) and then raising `rows`."""

    def __cinit__(self, dtypes):
        self.dtypes = [np.dtype(code) for code in dtypes]
        self.count = len(self.dtypes)
        for column in range(self.count):
            self.widths[column] = self.dtypes[column].itemsize
            self.data[column] = cython.NULL

    def __dealloc__(self):
        for column in range(self.count):
            free(self.data[column])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def grow(self) -> cython.int:
        """Room for at least one more row; 0 if there is no memory."""
        capacity: int64_t = self.capacity * 2 if self.capacity else FIRST_ROWS
        column: cython.int
        for column in range(self.count):
            larger: cython.p_char = cython.cast(
                cython.p_char, realloc(self.data[column], capacity * self.widths[column])
            )
            if larger == cython.NULL:
                return 0
            self.data[column] = larger
        self.capacity = capacity
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def put8(self, column: cython.int, value: int64_t) -> cython.void:
        cython.cast(cython.pointer(int64_t), self.data[column])[self.rows] = value

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def put4(self, column: cython.int, value: int32_t) -> cython.void:
        cython.cast(cython.pointer(int32_t), self.data[column])[self.rows] = value

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def put1(self, column: cython.int, value: uint8_t) -> cython.void:
        cython.cast(cython.pointer(uint8_t), self.data[column])[self.rows] = value

    def take(self):
        """The columns filled so far, as arrays that own their memory; starts again with none."""
        if self.rows == 0:
            return [np.empty(0, dtype) for dtype in self.dtypes]
        arrays = []
        for column in range(self.count):
            memory: Memory = Memory()
            memory.start = cython.cast(
                cython.p_char, realloc(self.data[column], self.rows * self.widths[column])
            )
            self.data[column] = cython.NULL
            if memory.start == cython.NULL:
                raise MemoryError
            memory.size = self.rows * self.widths[column]
            arrays.append(np.frombuffer(memory, dtype=self.dtypes[column]))
        self.rows = 0
        self.capacity = 0
        return arrays
