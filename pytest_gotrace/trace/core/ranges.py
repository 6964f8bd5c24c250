"""Ranges: the mark phase, sweeps, mark assists, and stops of the world.

The mark phase is the program's, a sweep its processor's, the others are a goroutine's. A range that is under way when
tracing begins is only known by an event that says so at the beginning of each generation.
"""

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint64_t
from cython.cimports.libc.stdlib import realloc
from cython.cimports.pytest_gotrace.trace.core import layout as wire
from cython.cimports.pytest_gotrace.trace.core.idmap import find
from cython.cimports.pytest_gotrace.trace.core.layout import (
    Bytes,
    CursorP,
    Flight,
    FlightP,
    GoroutineP,
    HandlerP,
    MachineP,
    Open,
    ProcP,
    ThreadP,
)
from cython.cimports.pytest_gotrace.trace.core.ledger import MOST_PARTS
from cython.cimports.pytest_gotrace.trace.core.machine import (
    cut_off,
    fail,
    has_proc,
    opened,
    runs,
    stack_of,
    stamp,
    text_of,
)
from cython.cimports.pytest_gotrace.trace.core.parts import add_part
from cython.cimports.pytest_gotrace.trace.core.sheets import add
from cython.cimports.pytest_gotrace.trace.core.wire import took, uvarint

MARKING = cython.declare(int64_t, wire.RANGE_GC << 2 | wire.RANGE)
SWEEP = cython.declare(int64_t, wire.RANGE_SWEEP << 2 | wire.RANGE)
ASSIST = cython.declare(int64_t, wire.RANGE_ASSIST << 2 | wire.RANGE)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_range(
    m: MachineP, key: int64_t, goroutine: int64_t, proc: int64_t, begin: int64_t, end: int64_t, stack: int32_t
) -> cython.int:
    row: cython.pointer(int64_t) = cython.cast(
        cython.pointer(int64_t), add(cython.address(m.rows[wire.RANGES]), 56)
    )
    if row == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    row[0] = key & 3
    row[1] = key >> 2
    row[2] = goroutine
    row[3] = proc
    row[4] = begin
    row[5] = end
    row[6] = stack
    return 1


# The mark phase.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def gc_event(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    begins: cython.bint = c.type == wire.EV_GC_BEGIN
    active: cython.bint = c.type == wire.EV_GC_ACTIVE
    seq: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at)) if begins else 0
    stack: int32_t
    if not took(c, at):
        return cut_off(m)
    stack = stack_of(m, stack_key)
    if stack < 0:
        return -1
    if m.era == 1 if active else begins and m.gc_state == 0:
        if m.gc_state != 0:
            return fail(m, wire.F_GC, c.type, m.gc_state)
    else:
        if seq != m.gc_seq + 1:
            return 0
        if m.gc_state != (1 if begins else 2):
            return fail(m, wire.F_GC, c.type, m.gc_state)
        if not runs(m, c, t):
            return -1
    m.gc_seq = seq
    m.gc_state = 1 if c.type == wire.EV_GC_END else 2
    return count_gc(m, c, stack)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def count_gc(m: MachineP, c: CursorP, stack: int32_t) -> cython.int:
    now: int64_t = stamp(m, c)
    begin: int64_t = m.gc_begin
    if c.type == wire.EV_GC_BEGIN:
        m.gc_begin = now
        m.gc_stack = stack
    elif c.type == wire.EV_GC_ACTIVE:
        if begin == 0:
            m.gc_begin = -1
            m.gc_stack = 0
    elif begin:
        m.gc_begin = 0
        return put_range(m, MARKING, -1, -1, begin, now, m.gc_stack)
    return 1


# Sweeps.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sweep_begin(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    stack_key: uint64_t = uvarint(cython.address(at))
    stack: int32_t
    p: ProcP
    if not took(c, at):
        return cut_off(m)
    if not has_proc(m, c, t):
        return -1
    p = m.procs + t.proc
    if p.sweeping:
        return fail(m, wire.F_RANGE_TWICE, c.type, p.id)
    stack = stack_of(m, stack_key)
    if stack < 0:
        return -1
    p.sweeping = 1
    p.sweep_begin = stamp(m, c)
    p.sweep_stack = stack
    return sweep_from(m, t, p, p.sweep_begin)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sweep_active(m: MachineP, c: CursorP, t: ThreadP, p: ProcP) -> cython.int:
    stamp(m, c)
    if p.sweep_begin == 0:
        p.sweep_begin = -1
        p.sweep_stack = 0
    return sweep_from(m, t, p, -1)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sweep_from(m: MachineP, t: ThreadP, p: ProcP, begin: int64_t) -> cython.int:
    """A sweep's time is the goroutine's if that runs there at both ends."""
    if t.goroutine < 0:
        return 1
    p.sweeper = m.goroutines[t.goroutine].life
    return 1 if count_from(m, m.goroutines + t.goroutine, SWEEP, begin) != cython.NULL else -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sweep_end(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    p: ProcP
    sweeper: int32_t
    now: int64_t
    uvarint(cython.address(at))  # bytes swept
    uvarint(cython.address(at))  # bytes reclaimed
    if not took(c, at):
        return cut_off(m)
    if not has_proc(m, c, t):
        return -1
    p = m.procs + t.proc
    if not p.sweeping:
        return fail(m, wire.F_RANGE_MISSING, c.type, p.id)
    p.sweeping = 0
    now = stamp(m, c)
    sweeper = p.sweeper
    p.sweeper = -1
    if put_range(m, SWEEP, -1, p.id, p.sweep_begin, now, p.sweep_stack) < 0:
        return -1
    p.sweep_begin = 0
    if t.goroutine >= 0 and m.goroutines[t.goroutine].life == sweeper:
        return count_to(m, m.goroutines + t.goroutine, SWEEP, now)
    return 1


# Mark assists.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def assist_begin(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    stack_key: uint64_t = uvarint(cython.address(at))
    stack: int32_t
    g: GoroutineP
    if not took(c, at):
        return cut_off(m)
    if not runs(m, c, t):
        return -1
    g = m.goroutines + t.goroutine
    if g.assisting:
        return fail(m, wire.F_RANGE_TWICE, c.type, g.id)
    stack = stack_of(m, stack_key)
    if stack < 0:
        return -1
    g.assisting = 1
    return own_begin(m, g, ASSIST, stack, stamp(m, c))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def assist_end(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    g: GoroutineP
    c.at = c.args
    if not runs(m, c, t):
        return -1
    g = m.goroutines + t.goroutine
    if not g.assisting:
        return fail(m, wire.F_RANGE_MISSING, c.type, g.id)
    g.assisting = 0
    return own_end(m, g, ASSIST, stamp(m, c))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def range_active(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    """A sweep or mark assist goes on as the generation begins; in the first one that is how we learn of it."""
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    sweep: cython.bint = c.type == wire.EV_GC_SWEEP_ACTIVE
    slot: int32_t
    active: cython.pointer(uint8_t)
    if not took(c, at):
        return cut_off(m)
    slot = find(cython.address(m.proc_ids) if sweep else cython.address(m.goroutine_ids), key)
    if slot < 0:
        return fail(m, wire.F_PROC_UNKNOWN if sweep else wire.F_GOROUTINE_UNKNOWN, key, c.type)
    active = cython.address(m.procs[slot].sweeping) if sweep else cython.address(m.goroutines[slot].assisting)
    if active[0] == (m.era == 1):
        return fail(m, wire.F_RANGE_TWICE if active[0] else wire.F_RANGE_MISSING, c.type, key)
    active[0] = 1
    if sweep:
        return sweep_active(m, c, t, m.procs + slot)
    stamp(m, c)
    return 1 if count_from(m, m.goroutines + slot, ASSIST, -1) != cython.NULL else -1


# Stops of the world.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def stw_begin(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    kind: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    text: int32_t
    stack: int32_t
    i: cython.int
    g: GoroutineP
    o: cython.pointer(Open)
    if not took(c, at):
        return cut_off(m)
    if not runs(m, c, t):
        return -1
    text = text_of(m, kind)
    stack = stack_of(m, stack_key) if text >= 0 else -1
    if stack < 0:
        return -1
    g = m.goroutines + t.goroutine
    o = opened(g)
    if o == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    for i in range(g.stopping):
        if o.stops[i] == text:
            return fail(m, wire.F_RANGE_TWICE, c.type, g.id)
    if g.stopping == 4:
        return fail(m, wire.F_RANGE_DEEP, c.type, g.id)
    o.stops[g.stopping] = text
    g.stopping += 1
    return own_begin(m, g, stop_key(text), stack, stamp(m, c))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def stw_end(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    g: GoroutineP
    text: int32_t
    c.at = c.args
    if not runs(m, c, t):
        return -1
    g = m.goroutines + t.goroutine
    if g.stopping == 0:
        return fail(m, wire.F_RANGE_MISSING, c.type, g.id)
    text = g.open.stops[0]
    g.stopping -= 1
    g.open.stops[0] = g.open.stops[g.stopping]
    return own_end(m, g, stop_key(text), stamp(m, c))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def stop_key(text: int32_t) -> int64_t:
    return cython.cast(int64_t, text) << 2 | wire.STOP


# What a goroutine spends in ranges.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def own_begin(m: MachineP, g: GoroutineP, key: int64_t, stack: int32_t, now: int64_t) -> cython.int:
    f: FlightP = count_from(m, g, key, now)
    if f == cython.NULL:
        return -1
    f.begin = now
    f.stack = stack
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def own_end(m: MachineP, g: GoroutineP, key: int64_t, now: int64_t) -> cython.int:
    f: FlightP = find_flight(g, key)
    if f != cython.NULL and put_range(m, key, g.id, -1, f.begin, now, f.stack) < 0:
        return -1
    return count_to(m, g, key, now)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def count_from(m: MachineP, g: GoroutineP, key: int64_t, begin: int64_t) -> FlightP:
    """The goroutine's time in the range counts from `begin` on; from the generation's beginning if that is negative.

    NULL if there is no memory.
    """
    f: FlightP = add_flight(g, key)
    if f == cython.NULL:
        fail(m, wire.F_MEMORY, 0, 0)
        return f
    if begin >= 0:
        f.since = begin
        return f
    if f.since and not add_part(cython.address(g.parts), key, m.sync - f.since):
        fail(m, wire.F_MEMORY, 0, 0)
        return cython.NULL
    f.since = m.sync
    return f


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def count_to(m: MachineP, g: GoroutineP, key: int64_t, now: int64_t) -> cython.int:
    f: FlightP = find_flight(g, key)
    if f == cython.NULL or f.since == 0:
        return 1
    if not add_part(cython.address(g.parts), key, now - f.since):
        return fail(m, wire.F_MEMORY, 0, 0)
    g.open.flight_count -= 1
    f[0] = g.open.flights[g.open.flight_count]
    if g.parts.count > MOST_PARTS:
        return fail(m, wire.F_REASONS, g.id, 0)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def find_flight(g: GoroutineP, key: int64_t) -> FlightP:
    i: int32_t
    if g.open != cython.NULL:
        for i in range(g.open.flight_count):
            if g.open.flights[i].key == key:
                return g.open.flights + i
    return cython.NULL


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def add_flight(g: GoroutineP, key: int64_t) -> FlightP:
    """The range under way with this key, a new one if there is none; NULL if there is no memory."""
    f: FlightP = find_flight(g, key)
    o: cython.pointer(Open) = opened(g)
    if f != cython.NULL or o == cython.NULL:
        return f
    if o.flight_count == o.flight_capacity:
        capacity: int32_t = o.flight_capacity * 2 if o.flight_capacity else 2
        flights: cython.p_void = realloc(
            o.flights, cython.cast(cython.size_t, capacity) * cython.sizeof(Flight)
        )
        if flights == cython.NULL:
            return cython.NULL
        o.flights = cython.cast(FlightP, flights)
        o.flight_capacity = capacity
    f = o.flights + o.flight_count
    o.flight_count += 1
    f.key = key
    f.since = 0
    f.begin = -1
    f.stack = 0
    return f


# What goes on when the trace ends.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_flights(m: MachineP, g: GoroutineP) -> cython.int:
    """The rows of a goroutine's own ranges; a sweep has a row with its processor."""
    i: int32_t
    f: FlightP
    if g.open == cython.NULL:
        return 1
    for i in range(g.open.flight_count):
        f = g.open.flights + i
        if f.key != SWEEP and put_range(m, f.key, g.id, -1, f.begin, -1, f.stack) < 0:
            return -1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def finish_ranges(m: MachineP) -> cython.int:
    """The rows of sweeps and of the mark phase."""
    i: int32_t
    p: ProcP
    for i in range(m.proc_count):
        p = m.procs + i
        if p.sweep_begin and put_range(m, SWEEP, -1, p.id, p.sweep_begin, -1, p.sweep_stack) < 0:
            return -1
    return put_range(m, MARKING, -1, -1, m.gc_begin, -1, m.gc_stack) if m.gc_begin else 1


@cython.cfunc
@cython.exceptval(check=False)
def install(handlers: HandlerP) -> cython.void:
    handlers[wire.EV_GC_ACTIVE] = gc_event
    handlers[wire.EV_GC_BEGIN] = gc_event
    handlers[wire.EV_GC_END] = gc_event
    handlers[wire.EV_GC_SWEEP_ACTIVE] = range_active
    handlers[wire.EV_GC_SWEEP_BEGIN] = sweep_begin
    handlers[wire.EV_GC_SWEEP_END] = sweep_end
    handlers[wire.EV_GC_MARK_ASSIST_ACTIVE] = range_active
    handlers[wire.EV_GC_MARK_ASSIST_BEGIN] = assist_begin
    handlers[wire.EV_GC_MARK_ASSIST_END] = assist_end
    handlers[wire.EV_STW_BEGIN] = stw_begin
    handlers[wire.EV_STW_END] = stw_end
