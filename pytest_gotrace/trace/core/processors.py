"""Processors: which thread has one, and who takes it away.

A thread in a system call keeps its processor until another one steals it. The event of the theft stands in the thief's
stream, its number says in which order with the victim's events, and the clocks of both may disagree.
"""

import cython
from cython.cimports.libc.stdint import int32_t, uint8_t, uint64_t
from cython.cimports.pytest_gotrace.trace.core import layout as wire
from cython.cimports.pytest_gotrace.trace.core.idmap import find
from cython.cimports.pytest_gotrace.trace.core.layout import (
    Bytes,
    CursorP,
    HandlerP,
    MachineP,
    ProcP,
    ThreadP,
)
from cython.cimports.pytest_gotrace.trace.core.ledger import lose_proc
from cython.cimports.pytest_gotrace.trace.core.machine import (
    cut_off,
    fail,
    follows,
    has_proc,
    new_proc,
    stamp,
)
from cython.cimports.pytest_gotrace.trace.core.wire import took, uvarint


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def proc_status(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    """What the processor does as the generation begins; in the first one, or later, that is how we learn of it."""
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    status: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    if not took(c, at):
        return cut_off(m)
    if status < wire.PROC_RUNNING or status > wire.PROC_ABANDONED:
        return fail(m, wire.F_PROC_STATUS, key, status)
    slot = find(cython.address(m.proc_ids), key)
    if slot < 0:
        slot = new_proc(m, key, cython.cast(uint8_t, status))
        if slot < 0:
            return fail(m, wire.F_MEMORY, 0, 0)
    elif agree(m, slot, status) < 0:
        return -1
    stamp(m, c)
    if status == wire.PROC_RUNNING or status == wire.PROC_SYSCALL:
        t.proc = slot
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def agree(m: MachineP, slot: int32_t, status: uint64_t) -> cython.int:
    """Whether a known processor may have that status; its numbers count anew."""
    p: ProcP = m.procs + slot
    other: int32_t
    if status == wire.PROC_ABANDONED and p.status == wire.PROC_SYSCALL:
        # We know more than the event does: which thread is in the call. It must be one.
        m.effort -= m.thread_count
        if m.effort < 0:
            return fail(m, wire.F_EFFORT, 0, m.thread_count)
        for other in range(m.thread_count):
            if m.threads[other].proc == slot:
                break
        else:
            return fail(m, wire.F_PROC_THREAD, p.id, 0)
    elif p.status != status:
        return fail(m, wire.F_PROC_STATE, p.id, p.status)
    p.seq = 0
    p.era = m.era
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def proc_start(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    p: ProcP
    if not took(c, at):
        return cut_off(m)
    slot = find(cython.address(m.proc_ids), key)
    if slot < 0 or t.proc >= 0:
        return 0
    p = m.procs + slot
    if p.status != wire.PROC_IDLE or not follows(m, p.era, p.seq, seq):
        return 0
    if c.thread == 0:
        return fail(m, wire.F_NO_THREAD, c.type, 0)
    p.status = wire.PROC_RUNNING
    p.seq = seq
    t.proc = slot
    stamp(m, c)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def proc_stop(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    p: ProcP
    c.at = c.args
    if not has_proc(m, c, t):
        return -1
    p = m.procs + t.proc
    if p.status != wire.PROC_RUNNING and p.status != wire.PROC_SYSCALL:
        return fail(m, wire.F_PROC_STATE, p.id, p.status)
    p.status = wire.PROC_IDLE
    lose_proc(m, t.proc, stamp(m, c))
    t.proc = -1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def proc_steal(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    victim_key: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    victim: int32_t
    status: uint8_t
    p: ProcP
    if not took(c, at):
        return cut_off(m)
    slot = find(cython.address(m.proc_ids), key)
    if slot < 0:
        return 0
    p = m.procs + slot
    status = p.status
    if (status != wire.PROC_SYSCALL and status != wire.PROC_ABANDONED) or not follows(m, p.era, p.seq, seq):
        return 0
    if c.thread == 0:
        return fail(m, wire.F_NO_THREAD, c.type, 0)
    p.status = wire.PROC_IDLE
    p.seq = seq
    if status == wire.PROC_ABANDONED:
        stamp(m, c)  # who had it is lost, and may have moved on
        return 1
    victim = c.thread if victim_key == t.id else find(cython.address(m.thread_ids), victim_key)
    if victim < 0 or not m.threads[victim].seen or m.threads[victim].proc != slot:
        return fail(m, wire.F_PROC_THREAD, key, victim_key)
    lose_proc(m, slot, stamp(m, c))
    m.threads[victim].proc = -1
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def install(handlers: HandlerP) -> cython.void:
    handlers[wire.EV_PROC_STATUS] = proc_status
    handlers[wire.EV_PROC_START] = proc_start
    handlers[wire.EV_PROC_STOP] = proc_stop
    handlers[wire.EV_PROC_STEAL] = proc_steal
