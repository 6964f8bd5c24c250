"""One file under way: generations in, rows out; what happens in between happens without the interpreter's lock."""

from array import array

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint64_t
from cython.cimports.libc.stdlib import calloc, free
from cython.cimports.libc.string import memcpy, memset
from cython.cimports.pytest_gotrace.trace.core import (
    annotations,
    goroutines,
    layout,
    processors,
    ranges,
    syscalls,
)
from cython.cimports.pytest_gotrace.trace.core.idmap import drop, find, make
from cython.cimports.pytest_gotrace.trace.core.layout import (
    Codes,
    Cursor,
    CursorP,
    GoroutineP,
    Handler,
    Head,
    Machine,
    MachineP,
    RowsP,
)
from cython.cimports.pytest_gotrace.trace.core.ledger import finish_life
from cython.cimports.pytest_gotrace.trace.core.machine import new_thread, stamp_at
from cython.cimports.pytest_gotrace.trace.core.order import advance, blame, next_event, push_head, share
from cython.cimports.pytest_gotrace.trace.core.sheets import Sheet, foresee, nearly_full
from cython.cimports.pytest_gotrace.trace.core.wire import nanoseconds

# The thread of what no thread wrote.
NOBODY = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)
# Events between two looks at whether the tables have room for what is to come.
CHUNK = cython.declare(cython.int, 4096)

# The tables in the order that `layout` numbers them: how many columns of how many bits.
SHEETS = (
    ("runs", 4, 32),
    ("states", 5, 32),
    ("waits", 7, 32),
    ("goroutines", 12, 32),
    ("regions", 11, 32),
    ("parts", 4, 32),
    ("tasks", 7, 64),
    ("logs", 5, 64),
    ("ranges", 7, 64),
    ("metrics", 3, 64),
    ("ids", 1, 64),
    ("late", 4, 64),
)


@cython.final
@cython.cclass
class Emulator:
    """Go's scheduler, driven by a file's events: `load` a generation, `run` it, `finish` the last, `take` the rows."""

    machine: Machine
    handlers: Handler[256]
    view: cython.const[cython.uchar][::1]
    names: object
    sheets: tuple
    # What the machine points into, for as long as it does.
    data: object
    generation: object
    tables: object
    links: object

    def __cinit__(self, data, counts: bytes, names):
        m: MachineP = cython.address(self.machine)
        i: cython.int
        memset(m, 0, cython.sizeof(self.machine))
        memset(self.handlers, 0, cython.sizeof(self.handlers))
        self.data = data
        self.view = data
        self.names = names
        self.sheets = tuple(Sheet(columns, bits) for _, columns, bits in SHEETS)
        for i in range(layout.SHEETS):
            bind(self.sheets[i], cython.address(m.rows[i]))
        memcpy(m.counts, cython.cast(cython.p_char, counts), 256)
        m.data = cython.address(self.view[0])
        m.size = self.view.shape[0]
        m.fault_offset = -1
        m.forever = names.string(b"forever")
        # A trace as Go writes it needs a few attempts an event; one made to waste time could need as many as there
        # are threads, each time.
        m.effort = 64 * m.size + 50_000_000
        m.budget = m.size // 2 + (1 << 16)
        goroutines.install(self.handlers)
        syscalls.install(self.handlers)
        processors.install(self.handlers)
        ranges.install(self.handlers)
        annotations.install(self.handlers)
        if not (
            make(cython.address(m.goroutine_ids))
            and make(cython.address(m.proc_ids))
            and make(cython.address(m.thread_ids))
            and make(cython.address(m.task_ids))
            and new_thread(m, NOBODY) == 0
        ):
            raise MemoryError

    def __dealloc__(self):
        m: MachineP = cython.address(self.machine)
        i: int64_t
        g: GoroutineP
        for i in range(m.goroutine_count):
            g = m.goroutines + i
            free(g.parts.rows)
            if g.open != cython.NULL:
                free(g.open.saved.rows)
                free(g.open.regions)
                free(g.open.flights)
                free(g.open)
        free(cython.cast(cython.p_void, m.tail))
        free(m.cursors)
        free(m.heads)
        free(m.goroutines)
        free(m.free_goroutines)
        free(m.procs)
        free(m.threads)
        free(m.tasks)
        free(m.snapshot.rows)
        drop(cython.address(m.goroutine_ids))
        drop(cython.address(m.proc_ids))
        drop(cython.address(m.thread_ids))
        drop(cython.address(m.task_ids))

    @property
    def events(self) -> int:
        """How many events Go's reader would have returned so far."""
        return self.machine.events

    @property
    def begin(self) -> int:
        """When the generation began; the times of its rows count from here."""
        return self.machine.sync

    @property
    def last_time(self) -> int:
        return self.machine.last_time

    def load(self, generation, tables) -> None:
        """Sets the frontier to the first event of each thread of `generation`.

        `names` must have all of the strings and stacks that `tables` speaks of.
        """
        m: MachineP = cython.address(self.machine)
        batches: cython.const[uint64_t][::1] = generation.events
        count: int32_t = batches.shape[0] // 4
        self.generation = generation
        self.tables = tables
        m.era += 1
        m.batches = cython.address(batches[0]) if count else cython.NULL
        m.frequency = tables.frequency
        load_codes(cython.address(m.strings), tables.strings)
        load_codes(cython.address(m.stacks), tables.stacks)
        samples: int64_t[::1] = tables.samples.time
        m.sample_count = samples.shape[0]
        m.samples = cython.address(samples[0]) if m.sample_count else cython.NULL
        self.find_names()
        self.copy_tail(batches, count)
        self.links = self.link_batches(batches)
        m.opened = 0
        m.bytes = sum(generation.events[3::4]) - sum(generation.events[2::4])
        links: cython.int[::1] = self.links
        m.next_batch = (
            cython.cast(cython.pointer(int32_t), cython.address(links[0])) if count else cython.NULL
        )
        self.open_cursors(batches, links)
        # Go's reader has an event that opens a generation, and one that closes the file.
        m.sync = stamp_at(m, cython.cast(int64_t, nanoseconds(generation.first_tick, m.frequency)))

    @cython.cfunc
    def find_names(self) -> cython.void:
        """Where the names are: they move as more are read, be it of a generation that is never begun."""
        m: MachineP = cython.address(self.machine)
        roots: cython.const[int32_t][::1] = self.names.roots
        system: cython.const[uint8_t][::1] = self.names.system
        m.roots = cython.address(roots[0])
        m.system = cython.address(system[0])

    @cython.cfunc
    def copy_tail(self, batches: cython.const[uint64_t][::1], count: int32_t) -> cython.void:
        """Batches that end close to the end of the file are read from a copy, behind which zeros follow."""
        m: MachineP = cython.address(self.machine)
        at: cython.Py_ssize_t
        first: int64_t = m.size
        for at in range(count):
            if cython.cast(int64_t, batches[4 * at + 3]) + layout.MARGIN > m.size:
                first = min(first, cython.cast(int64_t, batches[4 * at + 2]))
        free(cython.cast(cython.p_void, m.tail))
        tail: cython.p_uchar = cython.cast(cython.p_uchar, calloc(m.size - first + layout.MARGIN, 1))
        m.tail = tail
        if tail == cython.NULL:
            raise MemoryError
        memcpy(tail, m.data + first, m.size - first)
        m.tail_offset = first

    @cython.cfunc
    def link_batches(self, batches: cython.const[uint64_t][::1]):
        """For each batch the next one of the same thread, -1 if it is the last.

        Threads are found by slot: a dictionary of their IDs could be made slow by whoever chose them.
        """
        count: cython.Py_ssize_t = batches.shape[0] // 4
        at: cython.Py_ssize_t
        links = array("i", [-1]) * count
        slots = array("i", [self.thread(batches[4 * at]) for at in range(count)])
        last = array("i", [-1]) * self.machine.thread_count
        for at in range(count):
            slot: int32_t = slots[at]
            if last[slot] >= 0:
                links[last[slot]] = at
            last[slot] = at
        return links

    @cython.cfunc
    def open_cursors(self, batches: cython.const[uint64_t][::1], links: cython.int[::1]) -> cython.void:
        m: MachineP = cython.address(self.machine)
        heads: list = firsts(batches, links)
        i: int32_t
        c: CursorP
        free(m.cursors)
        free(m.heads)
        m.cursors = cython.cast(CursorP, calloc(len(heads) + 1, cython.sizeof(Cursor)))
        m.heads = cython.cast(cython.pointer(Head), calloc(len(heads) + 1, cython.sizeof(Head)))
        m.head_count = 0
        if m.cursors == cython.NULL or m.heads == cython.NULL:
            raise MemoryError
        for i in range(len(heads)):
            c = m.cursors + i
            c.batch = heads[i]
            c.thread = self.thread(batches[4 * c.batch])
            if next_event(m, c) > 0:
                push_head(m, i)
            elif m.fault:
                blame(m, c)
                return

    @cython.cfunc
    def thread(self, key: uint64_t) -> int32_t:
        m: MachineP = cython.address(self.machine)
        slot: int32_t = 0 if key == NOBODY else find(cython.address(m.thread_ids), key)
        if slot < 0:
            slot = new_thread(m, key)
            if slot < 0:
                raise MemoryError
        return slot

    def run(self) -> None:
        """Lets all that the generation has happen, until a fault."""
        m: MachineP = cython.address(self.machine)
        with cython.nogil:
            while advance(m, self.handlers, CHUNK) and make_room(m):
                pass

    def finish(self) -> None:
        """The trace ends: what is still open is closed as far as Go closes it, or there is a fault."""
        m: MachineP = cython.address(self.machine)
        slot: int32_t
        g: GoroutineP
        now: int64_t = stamp_at(m, m.last_time)
        m.fault_offset = -1  # what goes wrong now has no place
        self.find_names()
        done: cython.bint = ranges.finish_ranges(m) > 0
        for slot in range(m.goroutine_count):
            g = m.goroutines + slot
            if g.status != layout.GONE:
                done = done and ranges.put_flights(m, g) > 0 and finish_life(m, g, now) > 0
        if done:
            annotations.put_tasks(m)

    @property
    def samples_left(self) -> int:
        """How many CPU samples of the generation have not happened: all have, unless it went wrong."""
        return self.machine.sample_count

    def take(self) -> dict:
        """The rows of each table since the last time: arrays of shape (rows, columns), as `SHEETS` has them."""
        return {name: sheet.take() for (name, _, _), sheet in zip(SHEETS, self.sheets, strict=True)}

    def fault(self):
        """What stopped it, as (number, byte offset, value, other value); None if nothing did."""
        m: MachineP = cython.address(self.machine)
        if not m.fault:
            return None
        return m.fault, m.fault_offset if m.fault_offset >= 0 else None, m.fault_value, m.fault_other


@cython.cfunc
def bind(sheet: Sheet, rows: RowsP) -> cython.void:
    sheet.bind(rows)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def make_room(m: MachineP) -> cython.int:
    """Makes room in the tables that may have many rows, before they are full; 0 if there is none."""
    i: cython.int
    for i in range(layout.PARTS + 1):
        if nearly_full(cython.address(m.rows[i])) and not foresee(cython.address(m.rows[i]), share(m)):
            m.fault = layout.F_MEMORY
            return 0
    return 1


@cython.cfunc
def load_codes(codes: cython.pointer(Codes), table) -> cython.void:
    values: cython.const[int32_t][::1] = table.codes
    codes.count = values.shape[0]
    codes.codes = cython.address(values[0]) if codes.count else cython.NULL
    codes.ids = cython.NULL
    if not table.dense:
        ids: cython.const[uint64_t][::1] = table.ids
        codes.ids = cython.address(ids[0])


@cython.cfunc
def firsts(batches: cython.const[uint64_t][::1], links: cython.int[::1]) -> list:
    """The first batch of each thread, in the order of the file."""
    later = bytearray(links.shape[0])
    at: cython.Py_ssize_t
    for at in range(links.shape[0]):
        if links[at] >= 0:
            later[links[at]] = 1
    return [at for at in range(links.shape[0]) if not later[at]]
