"""Columns of equal length that are filled without the interpreter, and become NumPy arrays without a copy.

Touching fresh memory is nearly half of what reading a trace costs. So room is asked for once, by foresight; it is not
NumPy's, which asks for large pages, cheap where the machine has them at hand and slow where it has not; and when nobody
looks at a table any more its memory is kept for the next one, since whoever measures reads one trace after the other.
"""

import cython
import numpy as np
from cython.cimports.cpython.buffer import Py_buffer, PyBuffer_FillInfo
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.libc.string import memcpy
from cython.cimports.pytest_gotrace.trace.columns import Block, Rows

FIRST_ROWS = 256
LEAST_SPARE = cython.declare(cython.size_t, 256 << 10)  # smaller blocks are malloc's business
MOST_SPARE = cython.declare(cython.size_t, 256 << 20)  # bytes that are kept at most
PLACES = cython.declare(cython.int, 64)

SPARE = cython.declare(Block[64])  # the blocks that are kept; all access is under the interpreter's lock
spare_bytes = cython.declare(cython.size_t, 0)


@cython.cfunc
@cython.exceptval(check=False)
def obtain(size: cython.size_t) -> Block:
    """A block of at least `size` bytes: the smallest that is kept, if it is not far too large. NULL without memory."""
    global spare_bytes
    best: cython.int = -1
    i: cython.int
    block: Block
    for i in range(PLACES):
        if SPARE[i].start != cython.NULL and size <= SPARE[i].size and SPARE[i].size <= 2 * size:
            if best < 0 or SPARE[i].size < SPARE[best].size:
                best = i
    if best >= 0:
        block = SPARE[best]
        SPARE[best].start = cython.NULL
        spare_bytes -= block.size
        return block
    block.start = cython.cast(cython.p_char, malloc(size))
    block.size = size
    return block


@cython.cfunc
@cython.exceptval(check=False)
def give_back(block: Block) -> cython.void:
    global spare_bytes
    i: cython.int
    if block.size >= LEAST_SPARE and block.start != cython.NULL and spare_bytes + block.size <= MOST_SPARE:
        for i in range(PLACES):
            if SPARE[i].start == cython.NULL:
                SPARE[i] = block
                spare_bytes += block.size
                return
    free(block.start)


@cython.final
@cython.cclass
class Memory:
    """A block that is taken as long as an array looks at it."""

    block: Block

    def __cinit__(self, size: cython.Py_ssize_t):
        self.block = obtain(size)
        if self.block.start == cython.NULL:
            raise MemoryError

    def __dealloc__(self):
        give_back(self.block)

    def __getbuffer__(self, buffer: cython.pointer(Py_buffer), flags: cython.int):
        PyBuffer_FillInfo(buffer, self, self.block.start, self.block.size, 0, flags)


@cython.final
@cython.cclass
class Columns:
    """A table under way. Whoever fills it writes through `rows`, and calls `grow` when it is full."""

    def __cinit__(self, dtypes):
        self.dtypes = [np.dtype(code) for code in dtypes]
        self.rows.owner = cython.cast(cython.p_void, self)
        self.memory = []
        self.nothing = [np.empty(0, dtype) for dtype in self.dtypes]
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
                memcpy(fresh.block.start, self.rows.data[column], self.rows.count * width)
            self.rows.data[column] = fresh.block.start
        self.memory = memory
        self.rows.capacity = capacity

    def take(self) -> list:
        """The rows so far, as arrays. Starts anew."""
        if self.rows.count == 0:
            # The same each time, and the room stays: generations may be tiny, and many.
            return self.nothing
        arrays = [
            np.frombuffer(memory, dtype, self.rows.count)
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
