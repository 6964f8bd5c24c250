"""Goroutines, processors and threads by slot: what the handlers of events work on.

A slot's number is small and stays; its address does not, since making a new one may move all of its kind.
"""

import cython
from cython.cimports.libc.stdint import int32_t, uint8_t, uint64_t
from cython.cimports.libc.stdlib import calloc, realloc
from cython.cimports.pytest_gotrace.trace.core import layout as wire
from cython.cimports.pytest_gotrace.trace.core.idmap import insert, remove
from cython.cimports.pytest_gotrace.trace.core.layout import (
    CursorP,
    Goroutine,
    GoroutineP,
    MachineP,
    Open,
    Proc,
    ProcP,
    Thread,
    ThreadP,
)

MOST_SLOTS = cython.declare(int32_t, 1 << 29)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def fail(m: MachineP, fault: cython.int, value: uint64_t, other: uint64_t) -> cython.int:
    """Notes why an event cannot be; -1."""
    m.fault = fault
    m.fault_value = value
    m.fault_other = other
    return -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def runs_not(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    """Notes what the thread lacks; 0."""
    if c.thread == 0:
        fail(m, wire.F_NO_THREAD, c.type, 0)
    elif t.proc < 0:
        fail(m, wire.F_NO_PROC, c.type, t.id)
    else:
        fail(m, wire.F_NO_GOROUTINE, c.type, t.id)
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def more_goroutines(m: MachineP) -> cython.int:
    """Room for twice as many, each ever alive with a place among the free ones; 0 if there is no memory."""
    capacity: int32_t = m.goroutine_capacity * 2 if m.goroutine_capacity else 64
    if capacity > MOST_SLOTS:
        return 0
    goroutines: cython.p_void = realloc(
        m.goroutines, cython.cast(cython.size_t, capacity) * cython.sizeof(Goroutine)
    )
    if goroutines == cython.NULL:
        return 0
    m.goroutines = cython.cast(GoroutineP, goroutines)
    unused: cython.p_void = realloc(m.free_goroutines, cython.cast(cython.size_t, capacity) * 4)
    if unused == cython.NULL:
        return 0
    m.free_goroutines = cython.cast(cython.pointer(int32_t), unused)
    m.goroutine_capacity = capacity
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def new_goroutine(m: MachineP, key: uint64_t) -> int32_t:
    """The slot of a goroutine that was not there before; -1 if there is no memory."""
    g: GoroutineP
    slot: int32_t = m.goroutine_count
    if m.free_count > 0:
        slot = m.free_goroutines[m.free_count - 1]
    elif slot == m.goroutine_capacity and not more_goroutines(m):
        return -1
    if not insert(cython.address(m.goroutine_ids), key, slot):
        return -1
    g = m.goroutines + slot
    if m.free_count > 0:
        m.free_count -= 1
    else:
        m.goroutine_count += 1
        g.open = cython.NULL
        g.parts.rows = cython.NULL
        g.parts.capacity = 0
    g.id = key
    g.seq = 0
    g.era = m.era
    g.assisting = 0
    g.stopping = 0
    return slot


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def end_goroutine(m: MachineP, slot: int32_t) -> cython.void:
    """Frees the slot. A damaged file may have the goroutine on other threads, too, where it cannot end again."""
    m.goroutines[slot].status = wire.GONE
    remove(cython.address(m.goroutine_ids), m.goroutines[slot].id)
    m.free_goroutines[m.free_count] = slot
    m.free_count += 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def opened(g: GoroutineP) -> cython.pointer(Open):
    """What the goroutine has open, once it has something; NULL if there is no memory."""
    if g.open == cython.NULL:
        g.open = cython.cast(cython.pointer(Open), calloc(1, cython.sizeof(Open)))
    return g.open


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def new_proc(m: MachineP, key: uint64_t, status: uint8_t) -> int32_t:
    """The slot of a processor that was not there before; -1 if there is no memory."""
    slot: int32_t = m.proc_count
    p: ProcP
    if slot == m.proc_capacity:
        capacity: int32_t = slot * 2 if slot else 64
        if slot >= MOST_SLOTS:
            return -1
        procs: cython.p_void = realloc(m.procs, cython.cast(cython.size_t, capacity) * cython.sizeof(Proc))
        if procs == cython.NULL:
            return -1
        m.procs = cython.cast(ProcP, procs)
        m.proc_capacity = capacity
    if not insert(cython.address(m.proc_ids), key, slot):
        return -1
    m.proc_count += 1
    p = m.procs + slot
    p.id = key
    p.seq = 0
    p.era = m.era
    p.status = status
    p.sweeping = 0
    p.syscalling = -1
    p.sweeper = -1
    p.sweep_begin = 0
    return slot


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def new_thread(m: MachineP, key: uint64_t) -> int32_t:
    """The slot of a thread that was not there before; -1 if there is no memory."""
    slot: int32_t = m.thread_count
    t: ThreadP
    if slot == m.thread_capacity:
        capacity: int32_t = slot * 2 if slot else 64
        if slot >= MOST_SLOTS:
            return -1
        threads: cython.p_void = realloc(
            m.threads, cython.cast(cython.size_t, capacity) * cython.sizeof(Thread)
        )
        if threads == cython.NULL:
            return -1
        m.threads = cython.cast(ThreadP, threads)
        m.thread_capacity = capacity
    # Slot 0 stands for no thread at all, and no event finds it by name.
    if slot > 0 and not insert(cython.address(m.thread_ids), key, slot):
        return -1
    m.thread_count += 1
    t = m.threads + slot
    t.id = key
    t.goroutine = -1
    t.proc = -1
    t.seen = 0
    return slot
