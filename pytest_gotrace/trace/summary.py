"""Ordered events become columns: intervals of goroutine states, and the time that goroutines and regions spent in each.

The accounting is that of Go's `internal/trace` summarizer, its oddities included, since its numbers are the truth that
ours are compared with. A goroutine's time so far is a handful of sums and a short list of parts by name; a region
keeps the sums of its beginning and subtracts them at its end.
"""

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc, realloc
from cython.cimports.libc.string import memcpy, memset
from cython.cimports.pytest_gotrace.trace import layout as wire
from cython.cimports.pytest_gotrace.trace.columns import Columns, foresee, grow, nearly_full
from cython.cimports.pytest_gotrace.trace.idmap import drop, find, insert, make
from cython.cimports.pytest_gotrace.trace.layout import Event
from cython.cimports.pytest_gotrace.trace.order import Ordering
from cython.cimports.pytest_gotrace.trace.summary import (
    EventP,
    Flight,
    FlightP,
    Life,
    LifeP,
    Part,
    PartsP,
    ProcLife,
    ProcLifeP,
    Region,
    RegionP,
    RowsP,
    State,
    StateP,
    Task,
    TaskP,
)

MOST_PARTS = cython.declare(
    cython.int, 64
)  # names of parts a goroutine may have; Go's runtime knows some forty
BLOCK = cython.declare(cython.int, 0)  # how the key of a part ends: blocked, in a range, in a stop-the-world
RANGE = cython.declare(cython.int, 1)
STOP = cython.declare(cython.int, 2)


# Lists that grow. All answer 0 if there is no memory.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def add_part(parts: PartsP, key: int64_t, time: int64_t) -> cython.int:
    i: int32_t
    for i in range(parts.count):
        if parts.rows[i].key == key:
            parts.rows[i].time += time
            return 1
    return push_part(parts, key, time)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def copy_parts(to: PartsP, at: int32_t, source: PartsP) -> cython.int:
    """Puts all of `source` at place `at` of `to`, where it ends."""
    i: int32_t
    while to.capacity < at + source.count:
        if not more_parts(to):
            return 0
    for i in range(source.count):
        to.rows[at + i] = source.rows[i]
    to.count = at + source.count
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def more_parts(parts: PartsP) -> cython.int:
    capacity: int32_t = parts.capacity * 2 if parts.capacity else 4
    rows: cython.p_void = realloc(parts.rows, cython.cast(cython.size_t, capacity) * cython.sizeof(Part))
    if rows == cython.NULL or capacity > 1 << 29:
        return 0
    parts.rows = cython.cast(cython.pointer(Part), rows)
    parts.capacity = capacity
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def push_part(parts: PartsP, key: int64_t, time: int64_t) -> cython.int:
    if parts.count == parts.capacity and not more_parts(parts):
        return 0
    parts.rows[parts.count].key = key
    parts.rows[parts.count].time = time
    parts.count += 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def find_flight(g: LifeP, key: int64_t) -> FlightP:
    i: int32_t
    for i in range(g.flight_count):
        if g.flights[i].key == key:
            return g.flights + i
    return cython.NULL


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def add_flight(g: LifeP, key: int64_t) -> FlightP:
    """The range under way with this key, a new one if there is none; NULL if there is no memory."""
    f: FlightP = find_flight(g, key)
    if f != cython.NULL:
        return f
    if g.flight_count == g.flight_capacity:
        capacity: int32_t = g.flight_capacity * 2 if g.flight_capacity else 2
        flights: cython.p_void = realloc(
            g.flights, cython.cast(cython.size_t, capacity) * cython.sizeof(Flight)
        )
        if flights == cython.NULL:
            return cython.NULL
        g.flights = cython.cast(FlightP, flights)
        g.flight_capacity = capacity
    f = g.flights + g.flight_count
    g.flight_count += 1
    f.key = key
    f.since = 0
    f.begin = -1
    f.stack = 0
    return f


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def push_region(g: LifeP) -> RegionP:
    if g.region_count == g.region_capacity:
        capacity: int32_t = g.region_capacity * 2 if g.region_capacity else 4
        regions: cython.p_void = realloc(
            g.regions, cython.cast(cython.size_t, capacity) * cython.sizeof(Region)
        )
        if regions == cython.NULL or capacity > 1 << 29:
            return cython.NULL
        g.regions = cython.cast(RegionP, regions)
        g.region_capacity = capacity
    memset(g.regions + g.region_count, 0, cython.sizeof(Region))
    g.region_count += 1
    return g.regions + g.region_count - 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def task_of(s: StateP, key: uint64_t) -> TaskP:
    """The task with this id, a new one if it was not mentioned before; NULL if there is no memory."""
    slot: int32_t = s.latest_task
    t: TaskP
    if slot < s.task_count and s.tasks[slot].id == cython.cast(int64_t, key):
        return s.tasks + slot
    slot = find(cython.address(s.task_ids), key)
    if slot >= 0:
        s.latest_task = slot
        return s.tasks + slot
    if s.task_count == s.task_capacity:
        capacity: int32_t = s.task_capacity * 2 if s.task_capacity else 64
        tasks: cython.p_void = realloc(s.tasks, cython.cast(cython.size_t, capacity) * cython.sizeof(Task))
        if tasks == cython.NULL or capacity > 1 << 29:
            return cython.NULL
        s.tasks = cython.cast(TaskP, tasks)
        s.task_capacity = capacity
    if not insert(cython.address(s.task_ids), key, s.task_count):
        return cython.NULL
    t = s.tasks + s.task_count
    s.task_count += 1
    memset(t, 0, cython.sizeof(Task))
    t.id = cython.cast(int64_t, key)
    t.parent = -1
    t.start = -1
    t.end = -1
    return t


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def fail(s: StateP, fault: cython.int, value: int64_t) -> cython.int:
    s.fault = fault
    s.fault_value = value
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def room_for_lives(s: StateP, slot: int64_t) -> cython.int:
    capacity: int64_t = s.life_capacity if s.life_capacity else 64
    while capacity <= slot:
        capacity *= 2
    if capacity > s.life_capacity:
        lives: cython.p_void = realloc(s.lives, capacity * cython.sizeof(Life))
        if lives == cython.NULL:
            return 0
        s.lives = cython.cast(LifeP, lives)
        memset(s.lives + s.life_capacity, 0, (capacity - s.life_capacity) * cython.sizeof(Life))
        s.life_capacity = capacity
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def proc_of(s: StateP, slot: int32_t) -> ProcLifeP:
    """What is known of a processor; NULL if there is no memory."""
    if slot >= s.proc_count:
        count: int32_t = slot + 1 + (slot >> 1)
        procs: cython.p_void = realloc(s.procs, cython.cast(cython.size_t, count) * cython.sizeof(ProcLife))
        if procs == cython.NULL:
            return cython.NULL
        s.procs = cython.cast(ProcLifeP, procs)
        i: int32_t
        for i in range(s.proc_count, count):
            s.procs[i].syscalling = -1
            s.procs[i].sweeper = -1
            s.procs[i].sweep_begin = 0
        s.proc_count = count
    return s.procs + slot


# Rows.


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def put8(rows: RowsP, at: int64_t, column: cython.int, value: int64_t) -> cython.void:
    cython.cast(cython.pointer(int64_t), rows.data[column])[at] = value


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def put4(rows: RowsP, at: int64_t, column: cython.int, value: int32_t) -> cython.void:
    cython.cast(cython.pointer(int32_t), rows.data[column])[at] = value


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def put1(rows: RowsP, at: int64_t, column: cython.int, value: uint8_t) -> cython.void:
    cython.cast(cython.pointer(uint8_t), rows.data[column])[at] = value


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def put_state(rows: RowsP, g: LifeP, end: int64_t, waker: int64_t, waker_stack: int32_t) -> cython.int:
    """The state a goroutine is in, from its begin to `end` (-1: it goes on)."""
    at: int64_t
    if rows.count == rows.capacity and not grow(rows):
        return 0
    at = rows.count
    put8(rows, at, 0, g.id)
    put1(rows, at, 1, g.state)
    put4(rows, at, 2, g.reason)
    put8(rows, at, 3, g.begin)
    put8(rows, at, 4, end)
    put4(rows, at, 5, g.stack)
    put8(rows, at, 6, waker)
    put4(rows, at, 7, waker_stack)
    rows.count += 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_parts(s: StateP, rows: RowsP, owner: uint8_t, row: int64_t, parts: PartsP) -> cython.int:
    at: int64_t
    i: int32_t
    for i in range(parts.count):
        if parts.rows[i].time == 0:
            continue
        s.budget -= 1
        if s.budget < 0:
            return fail(s, wire.F_BUDGET, 0)
        if rows.count == rows.capacity and not grow(rows):
            return fail(s, wire.F_MEMORY, 0)
        at = rows.count
        put1(rows, at, 0, owner)
        put8(rows, at, 1, row)
        put1(rows, at, 2, parts.rows[i].key & 3)
        put4(rows, at, 3, cython.cast(int32_t, parts.rows[i].key >> 2))
        put8(rows, at, 4, parts.rows[i].time)
        rows.count += 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_range(
    rows: RowsP,
    key: int64_t,
    goroutine: int64_t,
    proc: int64_t,
    begin: int64_t,
    end: int64_t,
    stack: int32_t,
) -> cython.int:
    at: int64_t
    if rows.count == rows.capacity and not grow(rows):
        return 0
    at = rows.count
    put1(rows, at, 0, key & 3)
    put4(rows, at, 1, cython.cast(int32_t, key >> 2))
    put8(rows, at, 2, goroutine)
    put8(rows, at, 3, proc)
    put8(rows, at, 4, begin)
    put8(rows, at, 5, end)
    put4(rows, at, 6, stack)
    rows.count += 1
    return 1


# What a goroutine's time so far is.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def snapshot(s: StateP, g: LifeP, now: int64_t) -> cython.int:
    """The goroutine's times and parts up to `now`, into `s.times` and `s.snapshot`."""
    i: int32_t
    memcpy(s.times, g.times, cython.sizeof(s.times))
    if not copy_parts(cython.address(s.snapshot), 0, cython.address(g.parts)):
        return fail(s, wire.F_MEMORY, 0)
    if g.times[4] == 0:
        s.times[4] = now - g.create
    if g.final:
        return 1
    if g.state == wire.RUNNING:
        s.times[0] += now - g.since
    elif g.state == wire.RUNNABLE:
        s.times[1] += now - g.since
    elif g.state == wire.SYSCALL:
        s.times[2] += now - g.since
        if g.blocked:
            s.times[1] += now - g.blocked  # Go counts it here as long as the call has not ended
    elif g.state == wire.WAITING:
        if not add_part(
            cython.address(s.snapshot), cython.cast(int64_t, g.reason) << 2 | BLOCK, now - g.since
        ):
            return fail(s, wire.F_MEMORY, 0)
    for i in range(g.flight_count):
        if g.flights[i].since and not add_part(
            cython.address(s.snapshot), g.flights[i].key, now - g.flights[i].since
        ):
            return fail(s, wire.F_MEMORY, 0)
    return 1


# The columns of each table, in the order of its fields in `table`; parts and ranges are named by the reader.
TABLES = {
    "states": ("i8", "u1", "i4", "i8", "i8", "i4", "i8", "i4"),
    "goroutines": ("i8", "i4", "i4", "i8", "i8", "i8", "i8", "i8", "i8", "i8", "i8", "i8", "i4"),
    "regions": ("i8", "i4", "i4", "i8", "i8", "i8", "i8", "i8", "i8", "i8", "i8", "i4"),
    "tasks": ("i8", "i4", "i8", "i8", "i8", "i8", "i8"),
    "logs": ("i8", "i8", "i8", "i4", "i4"),
    "ranges": ("u1", "i4", "i8", "i8", "i8", "i8", "i4"),
    "parts": ("u1", "i8", "u1", "i4", "i8"),
    "metrics": ("u1", "i8", "i8"),
}


@cython.final
@cython.cclass
class Summary:
    """What has happened so far in one file. `sync` opens a generation, `run` feeds it, `take` hands out its columns."""

    def __cinit__(self, names, size: int):
        s: StateP = cython.address(self.state)
        memset(s, 0, cython.sizeof(State))
        self.names = names
        self.tables = {name: Columns(dtypes) for name, dtypes in TABLES.items()}
        s.states = rows_of(self.tables["states"])
        s.goroutines = rows_of(self.tables["goroutines"])
        s.regions = rows_of(self.tables["regions"])
        s.tasks_rows = rows_of(self.tables["tasks"])
        s.logs = rows_of(self.tables["logs"])
        s.ranges = rows_of(self.tables["ranges"])
        s.parts = rows_of(self.tables["parts"])
        s.metrics = rows_of(self.tables["metrics"])
        s.forever = names.string(b"forever")
        s.budget = size // 2 + (1 << 16)
        self.buffer = cython.cast(cython.pointer(Event), malloc(wire.CHUNK * cython.sizeof(Event)))
        if not make(cython.address(s.task_ids)) or self.buffer == cython.NULL:
            raise MemoryError

    def __dealloc__(self):
        s: StateP = cython.address(self.state)
        i: int64_t
        for i in range(s.life_capacity):
            free(s.lives[i].parts.rows)
            free(s.lives[i].saved.rows)
            free(s.lives[i].flights)
            free(s.lives[i].regions)
        free(s.lives)
        free(s.procs)
        free(s.tasks)
        free(s.snapshot.rows)
        free(self.buffer)
        drop(cython.address(s.task_ids))

    def sync(self, time: int64_t) -> None:
        """A generation begins at `time`; `names` has all of its strings and stacks."""
        self.find_names()
        self.state.sync = time

    def find_names(self) -> None:
        """Where the names are: they move as more are read, be it of a generation that is never begun."""
        s: StateP = cython.address(self.state)
        roots: cython.const[int32_t][::1] = self.names.roots
        system: cython.const[uint8_t][::1] = self.names.system
        s.roots = cython.address(roots[0])
        s.system = cython.address(system[0])

    def run(self, ordering: Ordering) -> None:
        """Takes all that the ordering has of this generation, without the interpreter's lock."""
        s: StateP = cython.address(self.state)
        count: cython.int
        with cython.nogil:
            while True:
                count = ordering.fill(self.buffer, wire.CHUNK)
                if count == 0 or not consume(s, self.buffer, count):
                    break
                if not foresee_all(s, ordering):
                    break

    def fault(self):
        """What stopped the summary, as (number, value); None if nothing did."""
        return (self.state.fault, self.state.fault_value) if self.state.fault else None

    def finish(self, time: int64_t) -> None:
        """The trace ends at `time`: what is still open is closed, as far as Go closes it, or there is a fault."""
        s: StateP = cython.address(self.state)
        i: int64_t
        self.find_names()
        done: cython.bint = finish_ranges(s)
        for i in range(s.life_count):
            done = done and finish_life(s, s.lives + i, time)
        for i in range(s.task_count):
            done = done and put_task(s, s.tasks + i)
        if not done and not s.fault:
            fail(s, wire.F_MEMORY, 0)

    def take(self) -> dict:
        """The columns of each table since the last time, by the table's name."""
        return {name: table.take() for name, table in self.tables.items()}


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def foresee_all(s: StateP, ordering: Ordering) -> cython.int:
    """Makes room in the tables that may have a row an event, before they are full."""
    if not (nearly_full(s.states) or nearly_full(s.regions) or nearly_full(s.parts)):
        return 1
    share: cython.double = ordering.share()
    if foresee(s.states, share) and foresee(s.regions, share) and foresee(s.parts, share):
        return 1
    return fail(s, wire.F_MEMORY, 0)


@cython.cfunc
@cython.exceptval(check=False)
def rows_of(table: Columns) -> RowsP:
    return cython.address(table.rows)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def finish_life(s: StateP, g: LifeP, now: int64_t) -> cython.int:
    """The rows of a goroutine that is still there when the trace ends."""
    i: int32_t
    f: FlightP
    if not g.live:
        return 1
    if not put_state(s.states, g, -1, -1, 0):
        return 0
    for i in range(g.flight_count):
        f = g.flights + i
        # A sweep among them has a row of its own, with the processor.
        if f.key != (wire.RANGE_SWEEP << 2 | RANGE) and not put_range(
            s.ranges, f.key, g.id, -1, f.begin, -1, f.stack
        ):
            return 0
    return finalize(s, g, now, False) and put_goroutine(s, g)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def finish_ranges(s: StateP) -> cython.int:
    """The rows of sweeps and of the mark phase that go on when the trace ends."""
    i: int32_t
    p: ProcLifeP
    for i in range(s.proc_count):
        p = s.procs + i
        if p.sweep_begin and not put_range(
            s.ranges, wire.RANGE_SWEEP << 2 | RANGE, -1, p.id, p.sweep_begin, -1, p.sweep_stack
        ):
            return 0
    if s.gc_begin:
        return put_range(s.ranges, wire.RANGE_GC << 2 | RANGE, -1, -1, s.gc_begin, -1, s.gc_stack)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_task(s: StateP, t: TaskP) -> cython.int:
    at: int64_t
    if s.tasks_rows.count == s.tasks_rows.capacity and not grow(s.tasks_rows):
        return 0
    at = s.tasks_rows.count
    put8(s.tasks_rows, at, 0, t.id)
    put4(s.tasks_rows, at, 1, t.name)
    put8(s.tasks_rows, at, 2, t.parent)
    put8(s.tasks_rows, at, 3, t.start)
    put8(s.tasks_rows, at, 4, t.end)
    put8(s.tasks_rows, at, 5, t.logs)
    put8(s.tasks_rows, at, 6, t.regions)
    s.tasks_rows.count += 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_goroutine(s: StateP, g: LifeP) -> cython.int:
    """The row of a goroutine whose times are final, and the rows of its parts."""
    at: int64_t
    i: cython.int
    if s.goroutines.count == s.goroutines.capacity and not grow(s.goroutines):
        return fail(s, wire.F_MEMORY, 0)
    at = s.goroutines.count
    put8(s.goroutines, at, 0, g.id)
    put4(s.goroutines, at, 1, g.number)
    put4(s.goroutines, at, 2, g.name)
    put8(s.goroutines, at, 3, g.create)
    put8(s.goroutines, at, 4, g.start if g.start else -1)
    put8(s.goroutines, at, 5, g.end if g.end else -1)
    for i in range(5):
        put8(s.goroutines, at, 6 + i, g.times[i])
    put8(s.goroutines, at, 11, g.creator)
    put4(s.goroutines, at, 12, g.creation_stack)
    s.goroutines.count += 1
    return put_parts(s, s.parts, 0, s.goroutines.count - 1, cython.address(g.parts))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_region(s: StateP, g: LifeP, r: RegionP, start: int64_t, end: int64_t) -> cython.int:
    """The row of a region, whose times are those of the snapshot now less those of its own beginning."""
    at: int64_t
    i: int32_t
    saved: cython.pointer(Part) = g.saved.rows + (g.saved.count - r.saved)
    if s.regions.count == s.regions.capacity and not grow(s.regions):
        return fail(s, wire.F_MEMORY, 0)
    at = s.regions.count
    put8(s.regions, at, 0, g.id)
    put4(s.regions, at, 1, g.number)
    put4(s.regions, at, 2, r.name)
    put8(s.regions, at, 3, r.task)
    put8(s.regions, at, 4, start)
    put8(s.regions, at, 5, end)
    for i in range(5):
        put8(s.regions, at, 6 + i, s.times[i] - r.times[i])
    put4(s.regions, at, 11, r.stack)
    s.regions.count += 1
    for i in range(r.saved):
        # Parts only ever join at the end: nearly always what was saved stands at the same place now.
        if i < s.snapshot.count and s.snapshot.rows[i].key == saved[i].key:
            s.snapshot.rows[i].time -= saved[i].time
        elif not add_part(cython.address(s.snapshot), saved[i].key, -saved[i].time):
            return fail(s, wire.F_MEMORY, 0)
    return put_parts(s, s.parts, 1, s.regions.count - 1, cython.address(s.snapshot))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def finalize(s: StateP, g: LifeP, now: int64_t, ended: cython.bint) -> cython.int:
    """A goroutine ends, or the trace does: its times are final, and so are those of its open regions."""
    r: RegionP
    i: int32_t
    if ended:
        g.end = now
    if not snapshot(s, g, now):
        return 0
    memcpy(g.times, s.times, cython.sizeof(s.times))
    if not copy_parts(cython.address(g.parts), 0, cython.address(s.snapshot)):
        return fail(s, wire.F_MEMORY, 0)
    # Goroutines of the runtime are never part of a region, even if they were started within one.
    if not s.system[g.name]:
        g.saved.count = 0
        for i in range(g.region_count):
            r = g.regions + i
            g.saved.count += r.saved
            if not copy_parts(cython.address(s.snapshot), 0, cython.address(g.parts)):
                return fail(s, wire.F_MEMORY, 0)
            if not put_region(s, g, r, r.start, now if ended else -1):
                return 0
    g.saved.count = 0
    g.region_count = 0
    g.flight_count = 0
    g.blocked = 0
    g.final = 1
    return 1


# Goroutines.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def begin_life(s: StateP, e: EventP) -> LifeP:
    """A goroutine appears: fresh sums on whatever memory its slot had before."""
    g: LifeP
    if e.target >= s.life_count:
        if not room_for_lives(s, e.target):
            fail(s, wire.F_MEMORY, 0)
            return cython.NULL
        s.life_count = e.target + 1
    g = s.lives + e.target
    g.id = cython.cast(int64_t, e.value)
    g.number = s.lives_begun
    s.lives_begun += 1
    g.creator = -1
    g.creation_stack = e.stack
    g.create = e.time
    g.start = 0
    g.end = 0
    g.begin = e.time
    g.since = e.time
    g.blocked = 0
    memset(g.times, 0, cython.sizeof(g.times))
    g.parts.count = 0
    g.saved.count = 0
    g.flight_count = 0
    g.region_count = 0
    g.name = s.roots[e.own_stack]
    g.stack = e.own_stack
    g.reason = 0
    g.syscall_proc = -1
    g.state = e.state
    g.live = 1
    g.final = 0
    return g


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def first_seen(s: StateP, e: EventP) -> cython.int:
    """A goroutine that was there before the trace: it has been in its state since the generation began."""
    g: LifeP = begin_life(s, e)
    before: int64_t = e.time - s.sync
    if g == cython.NULL:
        return 0
    g.create = s.sync
    g.begin = s.sync
    if e.state == wire.RUNNING:
        g.times[0] += before
    elif e.state == wire.RUNNABLE:
        g.times[1] += before
    elif e.state == wire.WAITING:
        if not add_part(cython.address(g.parts), BLOCK, before):
            return fail(s, wire.F_MEMORY, 0)
    elif e.proc < 0:
        g.times[3] += before
    else:
        g.times[2] += before
    return enter(s, g, e)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def created(s: StateP, e: EventP) -> cython.int:
    """A goroutine begins. If its creator is in a region, the task of that region is taken to be its own, too."""
    g: LifeP = begin_life(s, e)
    creator: LifeP
    r: RegionP
    if g == cython.NULL:
        return 0
    if e.goroutine >= 0:
        creator = s.lives + e.goroutine
        g.creator = creator.id
        if creator.region_count > 0:
            r = push_region(g)
            if r == cython.NULL:
                return fail(s, wire.F_MEMORY, 0)
            r.task = creator.regions[creator.region_count - 1].task
            r.start = e.time
            r.inherited = 1
    return enter(s, g, e)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def leave(s: StateP, g: LifeP, now: int64_t) -> cython.int:
    """Counts the time in the state that the goroutine leaves."""
    past: int64_t = now - g.since
    if g.state == wire.RUNNING:
        g.times[0] += past
    elif g.state == wire.RUNNABLE:
        g.times[1] += past
    elif g.state == wire.WAITING:
        if not g.final:
            if not add_part(cython.address(g.parts), cython.cast(int64_t, g.reason) << 2 | BLOCK, past):
                return fail(s, wire.F_MEMORY, 0)
            if g.parts.count > MOST_PARTS:
                return fail(s, wire.F_REASONS, g.id)
    elif g.state == wire.SYSCALL:
        if g.blocked:
            g.times[3] += now - g.blocked
            g.times[2] += g.blocked - g.since
            g.blocked = 0
        else:
            g.times[2] += past
        # Go forgets whichever call the processor serves by now, even if it is another goroutine's.
        if g.syscall_proc >= 0:
            s.procs[g.syscall_proc].syscalling = -1
    return 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def enter(s: StateP, g: LifeP, e: EventP) -> cython.int:
    """The goroutine is in its new state: what that means beyond the time it takes."""
    p: ProcLifeP
    if g.state == wire.RUNNING:
        if g.start == 0:
            g.start = e.time
    elif g.state == wire.WAITING:
        if g.reason == s.forever:
            return finalize_forever(s, g, e.time)
    elif g.state == wire.SYSCALL:
        g.syscall_proc = e.proc
        if e.proc >= 0:
            p = proc_of(s, e.proc)
            if p == cython.NULL:
                return fail(s, wire.F_MEMORY, 0)
            p.syscalling = e.target
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def finalize_forever(s: StateP, g: LifeP, now: int64_t) -> cython.int:
    """Blocked for ever is the end, says Go: the wait does not count, only the row of it goes on."""
    g.state = wire.GONE
    if not finalize(s, g, now, True):
        return 0
    g.state = wire.WAITING
    return 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def changed(s: StateP, e: EventP) -> cython.int:
    g: LifeP = s.lives + e.target
    waker: int64_t = -1
    if g.state == wire.WAITING and e.goroutine >= 0:
        waker = s.lives[e.goroutine].id
    if not put_state(s.states, g, e.time, waker, e.stack):
        return fail(s, wire.F_MEMORY, 0)
    if not leave(s, g, e.time):
        return 0
    if g.name == 0:
        g.name = s.roots[e.own_stack]
    g.state = e.state
    g.reason = e.text
    g.stack = e.own_stack
    g.begin = e.time
    g.since = e.time
    return enter(s, g, e)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def destroyed(s: StateP, e: EventP) -> cython.int:
    g: LifeP = s.lives + e.target
    if not put_state(s.states, g, e.time, -1, 0):
        return fail(s, wire.F_MEMORY, 0)
    if not leave(s, g, e.time):
        return 0
    g.state = wire.GONE
    g.live = 0
    if not finalize(s, g, e.time, True):
        return 0
    return put_goroutine(s, g)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def proc_idle(s: StateP, e: EventP) -> cython.int:
    """A processor stops. If it served a system call, that call blocks from here on."""
    p: ProcLifeP = proc_of(s, e.target)
    if p == cython.NULL:
        return fail(s, wire.F_MEMORY, 0)
    if p.syscalling >= 0:
        s.lives[p.syscalling].blocked = e.time
        p.syscalling = -1
    return 1


# Ranges.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def range_key(e: EventP) -> int64_t:
    if e.state == wire.RANGE_STW:
        return cython.cast(int64_t, e.text) << 2 | STOP
    return cython.cast(int64_t, e.state) << 2 | RANGE


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def ranged(s: StateP, e: EventP) -> cython.int:
    if e.state == wire.RANGE_GC:
        return gc_range(s, e)
    if e.state == wire.RANGE_SWEEP:
        return sweep_range(s, e)
    return own_range(s, e)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def gc_range(s: StateP, e: EventP) -> cython.int:
    """The mark phase belongs to no goroutine."""
    if e.kind == wire.K_RANGE_BEGIN:
        s.gc_begin = e.time
        s.gc_stack = e.own_stack
    elif e.kind == wire.K_RANGE_ACTIVE:
        if s.gc_begin == 0:
            s.gc_begin = -1
            s.gc_stack = 0
    elif s.gc_begin:
        if not put_range(s.ranges, range_key(e), -1, -1, s.gc_begin, e.time, s.gc_stack):
            return fail(s, wire.F_MEMORY, 0)
        s.gc_begin = 0
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sweep_range(s: StateP, e: EventP) -> cython.int:
    """A sweep belongs to its processor; its time is the goroutine's if that runs there at both ends."""
    p: ProcLifeP = proc_of(s, e.target)
    g: LifeP = s.lives + e.goroutine if e.goroutine >= 0 else cython.NULL
    if p == cython.NULL:
        return fail(s, wire.F_MEMORY, 0)
    p.id = cython.cast(int64_t, e.value)
    if e.kind != wire.K_RANGE_END:
        if e.kind == wire.K_RANGE_BEGIN or p.sweep_begin == 0:
            p.sweep_begin = e.time if e.kind == wire.K_RANGE_BEGIN else -1
            p.sweep_stack = e.own_stack
        if g == cython.NULL:
            return 1
        p.sweeper = g.number
        return count_from(s, g, e) != cython.NULL
    if not put_range(s.ranges, range_key(e), -1, p.id, p.sweep_begin, e.time, p.sweep_stack):
        return fail(s, wire.F_MEMORY, 0)
    p.sweep_begin = 0
    if g != cython.NULL and p.sweeper == g.number and not count_to(s, g, e):
        return 0
    p.sweeper = -1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def own_range(s: StateP, e: EventP) -> cython.int:
    """A mark assist, or a stop of the world: the whole of it is the goroutine's."""
    g: LifeP = s.lives + e.target
    f: FlightP
    if e.kind != wire.K_RANGE_END:
        f = count_from(s, g, e)
        if f == cython.NULL:
            return 0
        if e.kind == wire.K_RANGE_BEGIN:
            f.begin = e.time
            f.stack = e.own_stack
        return 1
    f = find_flight(g, range_key(e))
    if f != cython.NULL and not put_range(s.ranges, f.key, g.id, -1, f.begin, e.time, f.stack):
        return fail(s, wire.F_MEMORY, 0)
    return count_to(s, g, e)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def count_from(s: StateP, g: LifeP, e: EventP) -> FlightP:
    """The goroutine's time in the range counts from here on; from the generation's beginning if it goes on."""
    f: FlightP = add_flight(g, range_key(e))
    if f == cython.NULL:
        fail(s, wire.F_MEMORY, 0)
        return f
    if e.kind == wire.K_RANGE_BEGIN:
        f.since = e.time
        return f
    if f.since and not add_part(cython.address(g.parts), f.key, s.sync - f.since):
        fail(s, wire.F_MEMORY, 0)
        return cython.NULL
    f.since = s.sync
    return f


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def count_to(s: StateP, g: LifeP, e: EventP) -> cython.int:
    f: FlightP = find_flight(g, range_key(e))
    if f == cython.NULL or f.since == 0:
        return 1
    if not add_part(cython.address(g.parts), f.key, e.time - f.since):
        return fail(s, wire.F_MEMORY, 0)
    g.flight_count -= 1
    f[0] = g.flights[g.flight_count]
    if g.parts.count > MOST_PARTS:
        return fail(s, wire.F_REASONS, g.id)
    return 1


# Regions, tasks and logs.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def region_begin(s: StateP, e: EventP) -> cython.int:
    g: LifeP = s.lives + e.goroutine
    r: RegionP
    t: TaskP = task_of(s, e.value)
    if t == cython.NULL or not snapshot(s, g, e.time):
        return fail(s, wire.F_MEMORY, 0)
    t.regions += 1
    r = push_region(g)
    if r == cython.NULL:
        return fail(s, wire.F_MEMORY, 0)
    r.start = e.time
    r.task = cython.cast(int64_t, e.value)
    r.name = e.text
    r.stack = e.own_stack
    memcpy(r.times, s.times, cython.sizeof(s.times))
    r.saved = s.snapshot.count
    s.budget -= r.saved
    if s.budget < 0:
        return fail(s, wire.F_BUDGET, 0)
    return copy_parts(cython.address(g.saved), g.saved.count, cython.address(s.snapshot)) or fail(
        s, wire.F_MEMORY, 0
    )


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def region_end(s: StateP, e: EventP) -> cython.int:
    """The innermost region of the goroutine ends, or one that began before the trace."""
    g: LifeP = s.lives + e.goroutine
    before = cython.declare(Region)
    r: RegionP = cython.address(before)
    t: TaskP
    start: int64_t = -1
    if not snapshot(s, g, e.time):
        return 0
    if g.region_count > 0:
        r = g.regions + g.region_count - 1
        if not r.inherited and (r.name != e.text or r.task != cython.cast(int64_t, e.value)):
            return fail(s, wire.F_REGION, g.id)
        start = r.start
        s.budget += r.saved
    else:
        memset(r, 0, cython.sizeof(Region))
        r.name = e.text
        r.task = cython.cast(int64_t, e.value)
        t = task_of(s, e.value)
        if t == cython.NULL:
            return fail(s, wire.F_MEMORY, 0)
        t.regions += 1
    if not put_region(s, g, r, start, e.time):
        return 0
    if g.region_count > 0:
        g.saved.count -= r.saved
        g.region_count -= 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def adopt(s: StateP, key: uint64_t, parent: uint64_t) -> cython.int:
    """Gives the task its parent, unless it has one; a parent is a task, too, even if nothing else says so."""
    t: TaskP
    if cython.cast(int64_t, parent) == -1 or task_of(s, key).parent != -1:
        return 1
    if task_of(s, parent) == cython.NULL:
        return fail(s, wire.F_MEMORY, 0)
    t = task_of(s, key)
    t.parent = cython.cast(int64_t, parent)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def task_begin(s: StateP, e: EventP) -> cython.int:
    t: TaskP = task_of(s, e.value)
    if t == cython.NULL:
        return fail(s, wire.F_MEMORY, 0)
    if t.begun:
        return fail(s, wire.F_TASK_TWICE, t.id)
    t.begun = 1
    t.begun_name = e.text
    t.begun_parent = cython.cast(int64_t, e.other)
    t.name = e.text
    t.start = e.time
    return adopt(s, e.value, e.other)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def task_end(s: StateP, e: EventP) -> cython.int:
    """A task ends. Its name and parent are those of its begin, if that was seen."""
    t: TaskP = task_of(s, e.value)
    if t == cython.NULL:
        return fail(s, wire.F_MEMORY, 0)
    t.end = e.time
    if not t.begun:
        t.name = 0
        return 1
    t.name = t.begun_name
    t.begun = 0
    return adopt(s, e.value, cython.cast(uint64_t, t.begun_parent))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def logged(s: StateP, e: EventP) -> cython.int:
    at: int64_t
    t: TaskP = task_of(s, e.value)
    if t == cython.NULL or (s.logs.count == s.logs.capacity and not grow(s.logs)):
        return fail(s, wire.F_MEMORY, 0)
    t.logs += 1
    at = s.logs.count
    put8(s.logs, at, 0, e.time)
    put8(s.logs, at, 1, s.lives[e.goroutine].id)
    put8(s.logs, at, 2, cython.cast(int64_t, e.value))
    put4(s.logs, at, 3, e.text)
    put4(s.logs, at, 4, cython.cast(int32_t, e.other))
    s.logs.count += 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def measured(s: StateP, e: EventP) -> cython.int:
    at: int64_t
    if s.metrics.count == s.metrics.capacity and not grow(s.metrics):
        return fail(s, wire.F_MEMORY, 0)
    at = s.metrics.count
    put1(s.metrics, at, 0, e.state)
    put8(s.metrics, at, 1, e.time)
    put8(s.metrics, at, 2, cython.cast(int64_t, e.value))
    s.metrics.count += 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def consume(s: StateP, events: EventP, count: cython.int) -> cython.int:
    """Takes in ordered events; 0 if one of them cannot be."""
    i: cython.int
    kind: cython.int
    done: cython.int
    e: EventP
    for i in range(count):
        e = events + i
        kind = e.kind
        if kind == wire.K_CHANGE:
            done = changed(s, e)
        elif kind == wire.K_REGION_BEGIN:
            done = region_begin(s, e)
        elif kind == wire.K_REGION_END:
            done = region_end(s, e)
        elif kind == wire.K_PROC_IDLE:
            done = proc_idle(s, e)
        elif kind == wire.K_CREATE:
            done = created(s, e)
        elif kind == wire.K_DESTROY:
            done = destroyed(s, e)
        elif kind == wire.K_FIRST:
            done = first_seen(s, e)
        elif kind == wire.K_TASK_BEGIN:
            done = task_begin(s, e)
        elif kind == wire.K_TASK_END:
            done = task_end(s, e)
        elif kind == wire.K_LOG:
            done = logged(s, e)
        elif kind == wire.K_METRIC:
            done = measured(s, e)
        else:
            done = ranged(s, e)
        if not done:
            return 0
    return 1
