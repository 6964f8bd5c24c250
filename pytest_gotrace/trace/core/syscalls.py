"""System calls, with or without the loss of the processor, and the goroutines of threads that C made."""

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint64_t
from cython.cimports.pytest_gotrace.trace.core import layout as wire
from cython.cimports.pytest_gotrace.trace.core.idmap import find
from cython.cimports.pytest_gotrace.trace.core.layout import (
    Bytes,
    CursorP,
    GoroutineP,
    HandlerP,
    MachineP,
    ProcP,
    ThreadP,
)
from cython.cimports.pytest_gotrace.trace.core.ledger import (
    begin_life,
    begin_syscall,
    end_life,
    enter,
    leave_running,
    leave_syscall,
    lose_proc,
)
from cython.cimports.pytest_gotrace.trace.core.machine import (
    cut_off,
    end_goroutine,
    fail,
    follows,
    new_goroutine,
    running,
    stack_of,
    stamp,
)
from cython.cimports.pytest_gotrace.trace.core.wire import took, uvarint


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def syscall_begin(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    seq: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    stack: int32_t
    now: int64_t
    g: GoroutineP
    p: ProcP
    if not took(c, at):
        return cut_off(m)
    g = running(m, c, t, wire.RUNNING)
    if g == cython.NULL:
        return -1
    p = m.procs + t.proc
    # The number only tells which of several calls a processor was stolen from; here it must be right.
    if not follows(m, p.era, p.seq, seq):
        return fail(m, wire.F_PROC_SEQUENCE, p.id, seq)
    stack = stack_of(m, stack_key)
    if stack < 0:
        return -1
    p.status = wire.PROC_SYSCALL
    p.seq = seq
    now = stamp(m, c)
    if leave_running(m, g, now) < 0:
        return -1
    enter(m, g, wire.SYSCALL, 0, stack, now)
    begin_syscall(m, t.goroutine, t.proc)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def syscall_end(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    g: GoroutineP
    p: ProcP
    now: int64_t
    c.at = c.args
    g = running(m, c, t, wire.SYSCALL)
    if g == cython.NULL:
        return -1
    p = m.procs + t.proc
    if p.status != wire.PROC_SYSCALL:
        return fail(m, wire.F_PROC_STATE, p.id, p.status)
    p.status = wire.PROC_RUNNING
    now = stamp(m, c)
    if leave_syscall(m, g, now) < 0:
        return -1
    enter(m, g, wire.RUNNING, 0, 0, now)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def in_syscall(m: MachineP, c: CursorP, t: ThreadP) -> GoroutineP:
    """The goroutine in a system call on the thread, which may have lost its processor; else a fault."""
    g: GoroutineP
    if c.thread == 0:
        fail(m, wire.F_NO_THREAD, c.type, 0)
        return cython.NULL
    if t.goroutine < 0:
        fail(m, wire.F_NO_GOROUTINE, c.type, t.id)
        return cython.NULL
    g = m.goroutines + t.goroutine
    if g.status != wire.SYSCALL:
        fail(m, wire.F_GOROUTINE_STATE, g.id, g.status)
        return cython.NULL
    return g


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def syscall_end_blocked(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    g: GoroutineP
    now: int64_t
    c.at = c.args
    # The event says that the processor was lost during the call: until that is seen, wait.
    if t.proc >= 0 and m.procs[t.proc].status == wire.PROC_SYSCALL:
        return 0
    g = in_syscall(m, c, t)
    if g == cython.NULL:
        return -1
    now = stamp(m, c)
    if leave_syscall(m, g, now) < 0:
        return -1
    enter(m, g, wire.RUNNABLE, 0, 0, now)
    t.goroutine = -1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_create_syscall(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    """A thread that C made calls into Go: its goroutine appears, in a system call."""
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    if not took(c, at):
        return cut_off(m)
    if c.thread == 0:
        return fail(m, wire.F_NO_THREAD, c.type, 0)
    if t.goroutine >= 0:
        return fail(m, wire.F_HAS_GOROUTINE, c.type, t.id)
    if find(cython.address(m.goroutine_ids), key) >= 0:
        return fail(m, wire.F_GOROUTINE_TWICE, key, 0)
    slot = new_goroutine(m, key)
    if slot < 0:
        return fail(m, wire.F_MEMORY, 0, 0)
    if begin_life(m, slot, wire.SYSCALL, 0, stamp(m, c)) == cython.NULL:
        return -1
    begin_syscall(m, slot, t.proc)
    t.goroutine = slot
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_destroy_syscall(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    """A thread that C made leaves Go: its goroutine ends, and the processor it may have had is not its any more.

    The system may give the thread's ID to another one, from which that processor must not seem to be stolen.
    """
    now: int64_t
    g: GoroutineP
    p: ProcP
    c.at = c.args
    g = in_syscall(m, c, t)
    if g == cython.NULL:
        return -1
    if t.proc >= 0:
        p = m.procs + t.proc
        if p.status != wire.PROC_SYSCALL:
            return fail(m, wire.F_PROC_STATE, p.id, p.status)
        p.status = wire.PROC_ABANDONED
        lose_proc(m, t.proc, stamp(m, c))
    now = stamp(m, c)
    if leave_syscall(m, g, now) < 0 or end_life(m, t.goroutine, now) < 0:
        return -1
    end_goroutine(m, t.goroutine)
    t.goroutine = -1
    t.proc = -1
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def install(handlers: HandlerP) -> cython.void:
    handlers[wire.EV_GO_SYSCALL_BEGIN] = syscall_begin
    handlers[wire.EV_GO_SYSCALL_END] = syscall_end
    handlers[wire.EV_GO_SYSCALL_END_BLOCKED] = syscall_end_blocked
    handlers[wire.EV_GO_CREATE_SYSCALL] = go_create_syscall
    handlers[wire.EV_GO_DESTROY_SYSCALL] = go_destroy_syscall
