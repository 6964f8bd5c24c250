"""Tables under way: rows of equally wide columns that are filled without the interpreter, and become NumPy arrays.

Touching fresh memory is a good part of what reading a trace costs. So most columns have 32 bits: codes, and times as
nanoseconds since the generation began or as durations; what does not fit is kept beside them. Room is asked for once,
by foresight; it is not NumPy's, which asks for large pages, cheap where the machine has them at hand and slow where it
has not; and when nobody looks at a table any more its memory is kept for the next one, since whoever measures reads one
trace after the other.
"""

import cython
import numpy as np
from cython.cimports.cpython.buffer import Py_buffer, PyBuffer_FillInfo
from cython.cimports.libc.stdint import int64_t, uint32_t
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.libc.string import memcpy
from cython.cimports.pytest_gotrace.trace.core.layout import F_MEMORY, LATE, MachineP, RowsP
from cython.cimports.pytest_gotrace.trace.core.sheets import MARK, Block, add, count

FIRST_ROWS = 64
LEAST_SPARE = cython.declare(cython.size_t, 64 << 10)  # smaller blocks are malloc's business
MOST_SPARE = cython.declare(cython.size_t, 256 << 20)  # bytes that are kept at most
PLACES = cython.declare(cython.int, 256)

SPARE = cython.declare(Block[256])  # the blocks that are kept; all access is under the interpreter's lock
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
class Sheet:
    """A table under way, `columns` numbers of 32 or 64 bits wide. Who fills it adds to the rows it was bound to."""

    def __cinit__(self, columns: int, bits: int):
        self.dtype = np.dtype(f"i{bits // 8}")
        self.columns = columns
        self.nothing = np.empty((0, columns), self.dtype)

    @cython.cfunc
    def bind(self, rows: RowsP) -> cython.void:
        """Manages the memory of `rows`, which are empty."""
        self.rows = rows
        rows.width = self.columns * self.dtype.itemsize
        rows.owner = cython.cast(cython.p_void, self)
        rows.data = rows.next = cython.NULL
        self.allocate(FIRST_ROWS)

    @cython.cfunc
    def allocate(self, capacity: int64_t) -> cython.void:
        """Room for `capacity` rows, to which those so far are moved."""
        rows: RowsP = self.rows
        used: cython.size_t = rows.next - rows.data
        fresh: Memory = Memory(capacity * rows.width)
        if used:
            memcpy(fresh.block.start, rows.data, used)
        rows.data = fresh.block.start
        rows.next = rows.data + used
        rows.limit = rows.data + capacity * rows.width
        self.memory = fresh

    def take(self):
        """The rows so far, an array of shape (rows, columns). Starts anew."""
        rows: RowsP = self.rows
        used: cython.size_t = rows.next - rows.data
        sparse: cython.bint = used < cython.cast(cython.size_t, rows.limit - rows.data) >> 2
        if used == 0:
            # The same each time, and the room stays: generations may be tiny, and many.
            return self.nothing
        array = np.frombuffer(self.memory, self.dtype, used // self.dtype.itemsize)
        rows.next = rows.data
        if sparse:
            array = array.copy()  # the rest would be kept with them
        else:
            self.allocate(FIRST_ROWS)
        return array.reshape(-1, self.columns)


@cython.cfunc
@cython.with_gil
@cython.exceptval(check=False)
def reserve(rows: RowsP, capacity: int64_t) -> cython.int:
    """Room for `capacity` rows; 0 if there is no memory."""
    sheet: Sheet = cython.cast(Sheet, rows.owner)
    try:
        sheet.allocate(capacity)
    except MemoryError:
        return 0
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def grow(rows: RowsP) -> cython.int:
    """Doubles the room; 0 if there is no memory."""
    return reserve(rows, (rows.limit - rows.data) // rows.width * 2)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def foresee(rows: RowsP, share: cython.double) -> cython.int:
    """Makes room for all rows to come, after a `share` of the input; 0 if there is none.

    Moving rows again and again would cost more than room that is never touched.
    """
    wanted: int64_t
    if share < 0.02:
        return 1
    wanted = cython.cast(int64_t, cython.cast(cython.double, count(rows)) / share * 1.25) + 4096
    return reserve(rows, wanted) if wanted * rows.width > rows.limit - rows.data else 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def late(m: MachineP, sheet: cython.int, column: cython.int, value: int64_t) -> uint32_t:
    """Keeps a number that does not fit into the last row of a sheet; what to write there instead."""
    rows: RowsP = cython.address(m.rows[LATE])
    row: cython.pointer(int64_t) = cython.cast(cython.pointer(int64_t), add(rows, 32))
    if row == cython.NULL:
        m.fault = F_MEMORY
        return MARK
    row[0] = sheet
    row[1] = column
    row[2] = count(cython.address(m.rows[sheet])) - 1
    row[3] = value
    return MARK
