"""Whose time it is: what goroutines have done so far, and the rows of those that end.

The accounting is that of Go's `internal/trace` summarizer, its oddities included, since its numbers are the truth that
ours are compared with. A goroutine's time so far is a handful of sums and a short list of parts by name; a region keeps
the sums of its beginning and subtracts them at its end. `ledger.pxd` has what happens at every change of state.
"""

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint32_t
from cython.cimports.libc.stdlib import realloc
from cython.cimports.libc.string import memcpy, memset
from cython.cimports.pytest_gotrace.trace.core import layout as wire
from cython.cimports.pytest_gotrace.trace.core.layout import (
    FlightP,
    GoroutineP,
    MachineP,
    Open,
    Part,
    PartsP,
    Region,
    RegionP,
)
from cython.cimports.pytest_gotrace.trace.core.ledger import put_run, put_stop
from cython.cimports.pytest_gotrace.trace.core.machine import fail, opened
from cython.cimports.pytest_gotrace.trace.core.parts import add_part, add_part_from, copy_parts, put_parts
from cython.cimports.pytest_gotrace.trace.core.sheets import add, count, narrow


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def begin_life(m: MachineP, slot: int32_t, status: uint8_t, stack: int32_t, now: int64_t) -> GoroutineP:
    """A goroutine appears: fresh sums on whatever memory its slot had before. NULL if there is no memory."""
    g: GoroutineP = m.goroutines + slot
    key: cython.pointer(int64_t) = cython.cast(
        cython.pointer(int64_t), add(cython.address(m.rows[wire.IDS]), 8)
    )
    if key == cython.NULL:
        fail(m, wire.F_MEMORY, 0, 0)
        return cython.NULL
    key[0] = cython.cast(int64_t, g.id)
    g.life = m.lives
    m.lives += 1
    g.status = status
    g.final = 0
    g.reason = 0
    g.stack = stack
    g.name = m.roots[stack]
    g.begin = now
    g.ready = -1
    memset(g.times, 0, cython.sizeof(g.times))
    g.parts.count = 0
    g.create = now
    g.start = 0
    g.end = 0
    g.blocked = 0
    g.creator = -1
    g.creation_stack = 0
    g.syscall_proc = -1
    if g.open != cython.NULL:
        g.open.saved.count = 0
        g.open.region_count = 0
        g.open.flight_count = 0
    return g


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def end_life(m: MachineP, slot: int32_t, now: int64_t) -> cython.int:
    """A goroutine that has left its last state ends."""
    g: GoroutineP = m.goroutines + slot
    g.status = wire.GONE
    if finalize(m, g, now, True) < 0:
        return -1
    return put_goroutine(m, g)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def block_forever(m: MachineP, g: GoroutineP, now: int64_t) -> cython.int:
    """Blocked for ever is the end, says Go: the wait does not count, only the row of it goes on."""
    g.status = wire.GONE
    if finalize(m, g, now, True) < 0:
        return -1
    g.status = wire.WAITING
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def finish_life(m: MachineP, g: GoroutineP, now: int64_t) -> cython.int:
    """The rows of a goroutine that is still there when the trace ends."""
    plain: cython.bint = g.status == wire.RUNNING and g.stack == 0
    if (put_run(m, g, -1) if plain else put_stop(m, g, -1)) < 0 or finalize(m, g, now, False) < 0:
        return -1
    return put_goroutine(m, g)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def begin_syscall(m: MachineP, slot: int32_t, proc: int32_t) -> cython.void:
    """The goroutine is in a system call, which blocks from the moment on that it loses its processor."""
    m.goroutines[slot].syscall_proc = proc
    if proc >= 0:
        m.procs[proc].syscalling = slot


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def lose_proc(m: MachineP, proc: int32_t, now: int64_t) -> cython.void:
    """A processor stops. If it served a system call, that call blocks from here on."""
    if m.procs[proc].syscalling >= 0:
        m.goroutines[m.procs[proc].syscalling].blocked = now
        m.procs[proc].syscalling = -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def end_syscall(m: MachineP, g: GoroutineP, now: int64_t) -> cython.void:
    if g.blocked:
        g.times[wire.SYSCALL_BLOCK] += now - g.blocked
        g.times[wire.IN_SYSCALL] += g.blocked - g.begin
        g.blocked = 0
    else:
        g.times[wire.IN_SYSCALL] += now - g.begin
    # Go forgets whichever call the processor serves by now, even if it is another goroutine's.
    if g.syscall_proc >= 0:
        m.procs[g.syscall_proc].syscalling = -1


# What a goroutine's time so far is.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def snapshot(
    m: MachineP, g: GoroutineP, now: int64_t, times: cython.pointer(int64_t), to: PartsP
) -> cython.int:
    """The goroutine's times up to now into `times`, and its parts to the end of `to`."""
    past: int64_t = now - g.begin
    first: int32_t = to.count
    memcpy(times, g.times, cython.sizeof(g.times))
    if not copy_parts(to, first, g.parts.rows, g.parts.count):
        return fail(m, wire.F_MEMORY, 0, 0)
    if g.times[wire.TOTAL] == 0:
        times[wire.TOTAL] = now - g.create
    if g.final:
        return 1
    if g.status == wire.RUNNING:
        times[wire.EXEC] += past
    elif g.status == wire.RUNNABLE:
        times[wire.SCHED_WAIT] += past
    elif g.status == wire.SYSCALL:
        times[wire.IN_SYSCALL] += past
        if g.blocked:
            times[wire.SCHED_WAIT] += now - g.blocked  # Go counts it here as long as the call has not ended
    elif g.status == wire.WAITING:
        if not add_part_from(to, first, cython.cast(int64_t, g.reason) << 2 | wire.BLOCK, past):
            return fail(m, wire.F_MEMORY, 0, 0)
    return 1 if g.open == cython.NULL else add_flights(m, g.open, now, to, first)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def add_flights(m: MachineP, o: cython.pointer(Open), now: int64_t, to: PartsP, first: int32_t) -> cython.int:
    """Adds the ranges under way to the parts from `first` on."""
    i: int32_t
    f: FlightP
    for i in range(o.flight_count):
        f = o.flights + i
        if f.since and not add_part_from(to, first, f.key, now - f.since):
            return fail(m, wire.F_MEMORY, 0, 0)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def finalize(m: MachineP, g: GoroutineP, now: int64_t, ended: cython.bint) -> cython.int:
    """A goroutine ends, or the trace does: its times are final, and so are those of its open regions."""
    if ended:
        g.end = now
    m.snapshot.count = 0
    if snapshot(m, g, now, m.times, cython.address(m.snapshot)) < 0:
        return -1
    memcpy(g.times, m.times, cython.sizeof(m.times))
    if not copy_parts(cython.address(g.parts), 0, m.snapshot.rows, m.snapshot.count):
        return fail(m, wire.F_MEMORY, 0, 0)
    if g.open != cython.NULL and close_all(m, g, now if ended else -1) < 0:
        return -1
    g.blocked = 0
    g.final = 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def close_all(m: MachineP, g: GoroutineP, end: int64_t) -> cython.int:
    """The rows of a goroutine's open regions, except where it is one of the runtime's, which are never in a region."""
    o: cython.pointer(Open) = g.open
    r: RegionP
    i: int32_t
    if not m.system[g.name]:
        o.saved.count = 0
        for i in range(o.region_count):
            r = o.regions + i
            o.saved.count += r.saved
            if not copy_parts(cython.address(m.snapshot), 0, g.parts.rows, g.parts.count):
                return fail(m, wire.F_MEMORY, 0, 0)
            if put_region(m, g, r, r.start, end) < 0:
                return -1
    o.saved.count = 0
    o.region_count = 0
    o.flight_count = 0
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def push_region(g: GoroutineP) -> RegionP:
    """A new innermost region of the goroutine, all zero; NULL if there is no memory."""
    o: cython.pointer(Open) = opened(g)
    if o == cython.NULL:
        return cython.NULL
    if o.region_count == o.region_capacity:
        capacity: int32_t = o.region_capacity * 2 if o.region_capacity else 4
        if capacity > 1 << 29:
            return cython.NULL
        regions: cython.p_void = realloc(
            o.regions, cython.cast(cython.size_t, capacity) * cython.sizeof(Region)
        )
        if regions == cython.NULL:
            return cython.NULL
        o.regions = cython.cast(RegionP, regions)
        o.region_capacity = capacity
    memset(o.regions + o.region_count, 0, cython.sizeof(Region))
    o.region_count += 1
    return o.regions + o.region_count - 1


# Rows.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_goroutine(m: MachineP, g: GoroutineP) -> cython.int:
    """The row of a goroutine whose times are final, and the rows of its parts."""
    i: cython.int
    row: cython.pointer(uint32_t) = cython.cast(
        cython.pointer(uint32_t), add(cython.address(m.rows[wire.GOROUTINES]), 48)
    )
    if row == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    row[0] = g.life
    row[1] = g.name
    row[2] = narrow(m, wire.GOROUTINES, 2, g.create, m.sync)
    row[3] = narrow(m, wire.GOROUTINES, 3, g.start if g.start else -1, m.sync)
    row[4] = narrow(m, wire.GOROUTINES, 4, g.end if g.end else -1, m.sync)
    for i in range(wire.TIMES):
        row[5 + i] = narrow(m, wire.GOROUTINES, 5 + i, g.times[i], 0)
    row[10] = g.creator
    row[11] = g.creation_stack
    return put_parts(m, 0, count(cython.address(m.rows[wire.GOROUTINES])) - 1, cython.address(g.parts))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_region(m: MachineP, g: GoroutineP, r: RegionP, start: int64_t, end: int64_t) -> cython.int:
    """The row of a region, whose times are those of the snapshot now less those of its own beginning."""
    i: cython.int
    saved: cython.pointer(Part) = (
        g.open.saved.rows + (g.open.saved.count - r.saved) if r.saved else cython.NULL
    )
    row: cython.pointer(uint32_t) = cython.cast(
        cython.pointer(uint32_t), add(cython.address(m.rows[wire.REGIONS]), 44)
    )
    if row == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    row[0] = g.life
    row[1] = r.name
    row[2] = narrow(m, wire.REGIONS, 2, r.task, 0)
    row[3] = narrow(m, wire.REGIONS, 3, start, m.sync)
    row[4] = narrow(m, wire.REGIONS, 4, end, m.sync)
    for i in range(wire.TIMES):
        row[5 + i] = narrow(m, wire.REGIONS, 5 + i, m.times[i] - r.times[i], 0)
    row[10] = r.stack
    for i in range(r.saved):
        # Parts only ever join at the end: nearly always what was saved stands at the same place now.
        if i < m.snapshot.count and m.snapshot.rows[i].key == saved[i].key:
            m.snapshot.rows[i].time -= saved[i].time
        elif not add_part(cython.address(m.snapshot), saved[i].key, -saved[i].time):
            return fail(m, wire.F_MEMORY, 0, 0)
    return put_parts(m, 1, count(cython.address(m.rows[wire.REGIONS])) - 1, cython.address(m.snapshot))
