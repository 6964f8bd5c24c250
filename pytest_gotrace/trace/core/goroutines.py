"""Goroutines: created, started, stopped, unblocked, ended; and what they do as a generation begins."""

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint64_t
from cython.cimports.pytest_gotrace.trace.core import layout as wire
from cython.cimports.pytest_gotrace.trace.core.idmap import find
from cython.cimports.pytest_gotrace.trace.core.layout import (
    Bytes,
    CursorP,
    GoroutineP,
    HandlerP,
    MachineP,
    RegionP,
    ThreadP,
)
from cython.cimports.pytest_gotrace.trace.core.ledger import (
    begin_life,
    begin_syscall,
    block_forever,
    end_life,
    enter,
    leave_runnable,
    leave_running,
    leave_waiting,
    push_region,
)
from cython.cimports.pytest_gotrace.trace.core.machine import (
    cut_off,
    end_goroutine,
    fail,
    follows,
    has_proc,
    new_goroutine,
    new_thread,
    running,
    stack_of,
    stamp,
    text_of,
)
from cython.cimports.pytest_gotrace.trace.core.wire import took, uvarint

# The thread of what no thread wrote.
NOBODY = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)


# As a generation begins.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_status(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    thread_key: uint64_t = uvarint(cython.address(at))
    status: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at)) if c.type == wire.EV_GO_STATUS_STACK else 0
    stack: int32_t
    slot: int32_t
    if not took(c, at):
        return cut_off(m)
    stack = stack_of(m, stack_key)
    if stack < 0:
        return -1
    if status < wire.RUNNABLE or status > wire.WAITING:
        return fail(m, wire.F_GOROUTINE_STATUS, key, status)
    slot = find(cython.address(m.goroutine_ids), key)
    if slot >= 0:
        if m.goroutines[slot].status != status:
            return fail(m, wire.F_GOROUTINE_STATE, key, m.goroutines[slot].status)
        m.goroutines[slot].seq = 0
        m.goroutines[slot].era = m.era
        stamp(m, c)
    elif m.era == 1:
        slot = new_goroutine(m, key)
        if slot < 0:
            return fail(m, wire.F_MEMORY, 0, 0)
        if first_seen(m, slot, cython.cast(uint8_t, status), t.proc, stack, stamp(m, c)) < 0:
            return -1
    else:
        return fail(m, wire.F_GOROUTINE_NEW, key, 0)
    if status == wire.RUNNING:
        t.goroutine = slot
    elif status == wire.SYSCALL:
        return sits_in_syscall(m, c, t, slot, thread_key)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def first_seen(
    m: MachineP, slot: int32_t, status: uint8_t, proc: int32_t, stack: int32_t, now: int64_t
) -> cython.int:
    """A goroutine that was there before the trace: it has been in its state since the generation began."""
    g: GoroutineP = begin_life(m, slot, status, stack, m.sync)
    if g == cython.NULL:
        return -1
    if status == wire.RUNNING:
        g.start = now
    elif status == wire.SYSCALL:
        begin_syscall(m, slot, proc)
        if proc < 0:
            # It is known to have blocked so far, and not what it does from now on.
            g.times[wire.SYSCALL_BLOCK] = now - m.sync
            g.times[wire.IN_SYSCALL] = m.sync - now
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sits_in_syscall(m: MachineP, c: CursorP, t: ThreadP, slot: int32_t, thread_key: uint64_t) -> cython.int:
    owner: int32_t
    if thread_key == NOBODY:
        return fail(m, wire.F_GOROUTINE_THREAD, m.goroutines[slot].id, thread_key)
    if c.thread != 0 and thread_key == t.id:
        if m.era != 1 and t.goroutine != slot:
            return fail(m, wire.F_GOROUTINE_THREAD, m.goroutines[slot].id, thread_key)
        t.goroutine = slot
        return 1
    # The goroutine has sat in this call on another thread for the whole generation, without a processor.
    owner = find(cython.address(m.thread_ids), thread_key)
    if owner < 0:
        owner = new_thread(m, thread_key)  # may move the threads: t is not used any more
        if owner < 0:
            return fail(m, wire.F_MEMORY, 0, 0)
    if not m.threads[owner].seen:
        m.threads[owner].seen = 1
        m.threads[owner].goroutine = slot
    elif m.threads[owner].goroutine != slot:
        return fail(m, wire.F_GOROUTINE_THREAD, m.goroutines[slot].id, thread_key)
    return 1


# Beginnings and ends.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_create(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    own_key: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    status: uint8_t = wire.WAITING if c.type == wire.EV_GO_CREATE_BLOCKED else wire.RUNNABLE
    own_stack: int32_t
    stack: int32_t
    slot: int32_t
    g: GoroutineP
    if not took(c, at):
        return cut_off(m)
    if not has_proc(m, c, t):
        return -1
    if t.goroutine >= 0 and m.goroutines[t.goroutine].status != wire.RUNNING:
        g = m.goroutines + t.goroutine
        return fail(m, wire.F_GOROUTINE_STATE, g.id, g.status)
    if find(cython.address(m.goroutine_ids), key) >= 0:
        return fail(m, wire.F_GOROUTINE_TWICE, key, 0)
    stack = stack_of(m, stack_key)
    own_stack = stack_of(m, own_key) if stack >= 0 else -1
    if own_stack < 0:
        return -1
    slot = new_goroutine(m, key)
    if slot < 0:
        return fail(m, wire.F_MEMORY, 0, 0)
    g = begin_life(m, slot, status, own_stack, stamp(m, c))
    if g == cython.NULL:
        return -1
    g.creation_stack = stack
    return inherit(m, g, m.goroutines + t.goroutine) if t.goroutine >= 0 else 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def inherit(m: MachineP, g: GoroutineP, creator: GoroutineP) -> cython.int:
    """If its creator is in a region, the task of that region is taken to be the goroutine's own, too."""
    r: RegionP
    g.creator = creator.life
    if creator.open != cython.NULL and creator.open.region_count > 0:
        r = push_region(g)
        if r == cython.NULL:
            return fail(m, wire.F_MEMORY, 0, 0)
        r.task = creator.open.regions[creator.open.region_count - 1].task
        r.start = g.create
        r.inherited = 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_destroy(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    now: int64_t
    c.at = c.args
    g: GoroutineP = running(m, c, t, wire.RUNNING)
    if g == cython.NULL:
        return -1
    now = stamp(m, c)
    if leave_running(m, g, now) < 0 or end_life(m, t.goroutine, now) < 0:
        return -1
    end_goroutine(m, t.goroutine)
    t.goroutine = -1
    return 1


# From state to state.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_start(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    g: GoroutineP
    now: int64_t
    if not took(c, at):
        return cut_off(m)
    slot = find(cython.address(m.goroutine_ids), key)
    if slot < 0:
        return 0
    g = m.goroutines + slot
    if g.status != wire.RUNNABLE or not follows(m, g.era, g.seq, seq):
        return 0
    if not has_proc(m, c, t):
        return -1
    if t.goroutine >= 0:
        return fail(m, wire.F_HAS_GOROUTINE, c.type, t.id)
    g.seq = seq
    now = stamp(m, c)
    if leave_runnable(m, g, now) < 0:
        return -1
    enter(m, g, wire.RUNNING, 0, 0, now)
    t.goroutine = slot
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_stop(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    """The running goroutine yields or blocks, and says why."""
    at: Bytes = c.args
    reason_key: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    status: uint8_t = wire.WAITING if c.type == wire.EV_GO_BLOCK else wire.RUNNABLE
    reason: int32_t
    stack: int32_t
    g: GoroutineP
    now: int64_t
    if not took(c, at):
        return cut_off(m)
    g = running(m, c, t, wire.RUNNING)
    if g == cython.NULL:
        return -1
    reason = text_of(m, reason_key)
    stack = stack_of(m, stack_key) if reason >= 0 else -1
    if stack < 0:
        return -1
    now = stamp(m, c)
    if leave_running(m, g, now) < 0:
        return -1
    enter(m, g, status, reason, stack, now)
    t.goroutine = -1
    if reason == m.forever and status == wire.WAITING:
        return block_forever(m, g, now)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_unblock(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    stack: int32_t
    g: GoroutineP
    now: int64_t
    if not took(c, at):
        return cut_off(m)
    slot = find(cython.address(m.goroutine_ids), key)
    if slot < 0:
        return 0
    g = m.goroutines + slot
    if g.status != wire.WAITING or not follows(m, g.era, g.seq, seq):
        return 0
    stack = stack_of(m, stack_key)
    if stack < 0:
        return -1
    g.seq = seq
    now = stamp(m, c)
    if leave_waiting(m, g, now, m.goroutines[t.goroutine].life if t.goroutine >= 0 else -1, stack) < 0:
        return -1
    enter(m, g, wire.RUNNABLE, 0, 0, now)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_switch(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    """A coroutine switch: the next goroutine is unblocked, this one blocks or ends, and the next one starts."""
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    this: GoroutineP
    g: GoroutineP
    now: int64_t
    if not took(c, at):
        return cut_off(m)
    this = running(m, c, t, wire.RUNNING)
    if this == cython.NULL:
        return -1
    slot = find(cython.address(m.goroutine_ids), key)
    if slot < 0:
        return 0
    g = m.goroutines + slot
    if g.status != wire.WAITING or not follows(m, g.era, g.seq, seq):
        return 0
    g.seq = seq
    now = stamp(m, c)
    if leave_waiting(m, g, now, this.life, 0) < 0:
        return -1
    enter(m, g, wire.RUNNABLE, 0, 0, now)
    now = stamp(m, c)
    if leave_running(m, this, now) < 0:
        return -1
    if c.type == wire.EV_GO_SWITCH:
        enter(m, this, wire.WAITING, 0, 0, now)
    else:
        if end_life(m, t.goroutine, now) < 0:
            return -1
        end_goroutine(m, t.goroutine)
    now = stamp(m, c)
    if leave_runnable(m, g, now) < 0:
        return -1
    enter(m, g, wire.RUNNING, 0, 0, now)
    t.goroutine = slot
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def install(handlers: HandlerP) -> cython.void:
    handlers[wire.EV_GO_STATUS] = go_status
    handlers[wire.EV_GO_STATUS_STACK] = go_status
    handlers[wire.EV_GO_CREATE] = go_create
    handlers[wire.EV_GO_CREATE_BLOCKED] = go_create
    handlers[wire.EV_GO_DESTROY] = go_destroy
    handlers[wire.EV_GO_START] = go_start
    handlers[wire.EV_GO_STOP] = go_stop
    handlers[wire.EV_GO_BLOCK] = go_stop
    handlers[wire.EV_GO_UNBLOCK] = go_unblock
    handlers[wire.EV_GO_SWITCH] = go_switch
    handlers[wire.EV_GO_SWITCH_DESTROY] = go_switch
