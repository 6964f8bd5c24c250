"""The streams of the threads become one order, by emulating Go's scheduler.

1. Each thread's batches are one stream, in the order of the file. A heap holds every thread's next event by time.
2. The earliest event is tried first. It advances if goroutines and processors are in the state, and at the sequence
   number, that the event says; otherwise the other threads' next events are tried in the order of their times.
   Sequence numbers decide and times do not: clocks of different cores may disagree.
3. An event that advanced changes the scheduler, gets a time later than the one before it, and is passed on.

Order and times are those of Go's `internal/trace`, down to the order of equal times: its heap and its sort are
emulated step by step, since a tie put the other way would move a duration by a nanosecond.
"""

from array import array

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint64_t
from cython.cimports.libc.stdlib import calloc, free, realloc
from cython.cimports.libc.string import memcpy, memset
from cython.cimports.pytest_gotrace.trace import layout as wire
from cython.cimports.pytest_gotrace.trace.gosort import Head, sort_heads
from cython.cimports.pytest_gotrace.trace.idmap import drop, find, insert, make, remove
from cython.cimports.pytest_gotrace.trace.layout import Bytes
from cython.cimports.pytest_gotrace.trace.order import (
    Codes,
    CodesP,
    Cursor,
    CursorP,
    EventP,
    Goroutine,
    GoroutineP,
    Order,
    OrderP,
    Proc,
    ProcP,
    Thread,
    ThreadP,
)

# The thread of what no thread wrote, and the parent of no task.
NOBODY = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)
ZEROS = cython.declare(cython.uchar[64])


# Bytes to numbers.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def long_uvarint(at: Bytes, value: cython.pointer(uint64_t)) -> Bytes:
    """A varint of more than two bytes; returns what is behind it, ZEROS if it does not fit in 64 bits."""
    shift: cython.int
    byte: uint64_t
    value[0] = 0
    for shift in range(0, 70, 7):
        byte = at[0]
        at += 1
        if shift == 63 and byte > 1:
            break
        value[0] |= (byte & 0x7F) << shift
        if byte < 0x80:
            return at
    return cython.cast(Bytes, ZEROS)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def uvarint(at: cython.pointer(Bytes)) -> uint64_t:
    """The varint at `at`, which moves behind it; up to ten bytes are read, whatever the end of the batch is."""
    first: uint64_t = at[0][0]
    second: uint64_t
    value: uint64_t = 0
    if first < 0x80:
        at[0] += 1
        return first
    second = at[0][1]
    if second < 0x80:
        at[0] += 2
        return (first & 0x7F) | (second << 7)
    at[0] = long_uvarint(at[0], cython.address(value))
    return value


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def took(c: CursorP, at: Bytes) -> cython.bint:
    """Whether the arguments read up to `at` lie within the batch."""
    c.at = at
    return cython.cast(cython.size_t, at - c.args) <= cython.cast(cython.size_t, c.end - c.args)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def nanoseconds(ticks: uint64_t, frequency: cython.double) -> uint64_t:
    """Ticks as Go converts them: a product of doubles, cut off. Beyond 64 bits the lowest value, as amd64 does."""
    product: cython.double
    if cython.cast(int64_t, ticks) >= 0:
        product = cython.cast(cython.double, cython.cast(int64_t, ticks)) * frequency
    else:
        product = cython.cast(cython.double, ticks) * frequency
    if product < 9223372036854775808.0:
        return cython.cast(uint64_t, cython.cast(int64_t, product))
    return cython.cast(uint64_t, 1) << 63


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def code(table: CodesP, key: uint64_t) -> int32_t:
    """The file-wide code of a string or stack of this generation, -1 if it has none."""
    low: int64_t = 0
    high: int64_t = table.count
    middle: int64_t
    if key == 0:
        return 0
    if table.ids == cython.NULL:
        return table.codes[key] if key < cython.cast(uint64_t, high) else -1
    while low < high:
        middle = (low + high) >> 1
        if table.ids[middle] < key:
            low = middle + 1
        else:
            high = middle
    return table.codes[low] if low < table.count and table.ids[low] == key else -1


# What goes out.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def fail(o: OrderP, c: CursorP, fault: cython.int, value: uint64_t, other: uint64_t) -> cython.int:
    """Notes why the event of `c` cannot be; -1."""
    o.fault = fault
    o.fault_value = value
    o.fault_other = other
    o.fault_offset = c.offset + (c.event - c.origin)
    return -1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def stamp(o: OrderP, time: int64_t) -> int64_t:
    """The time an event is given: its own, or just after the event before it. Counts the event."""
    if time <= o.last_time:
        time = o.last_time + 1
    o.last_time = time
    o.events += 1
    return time


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def emit(o: OrderP, c: CursorP, t: ThreadP, kind: cython.int, target: int32_t) -> EventP:
    e: EventP = o.out + o.out_count
    o.out_count += 1
    e.time = stamp(o, c.time)
    e.kind = kind
    e.state = 0
    e.goroutine = t.goroutine
    e.proc = t.proc
    e.target = target
    e.text = 0
    e.stack = 0
    e.own_stack = 0
    return e


# The context an event needs.


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def runs(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    """1 if the thread runs a goroutine on a processor, as user code needs."""
    if t.goroutine >= 0 and t.proc >= 0 and c.thread != 0:
        return 1
    return runs_not(o, c, t)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def runs_not(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    if c.thread == 0:
        fail(o, c, wire.F_NO_THREAD, c.type, 0)
    elif t.proc < 0:
        fail(o, c, wire.F_NO_PROC, c.type, t.id)
    else:
        fail(o, c, wire.F_NO_GOROUTINE, c.type, t.id)
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def has_proc(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    """1 if the thread has a processor."""
    if t.proc >= 0 and c.thread != 0:
        return 1
    return runs_not(o, c, t)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def follows(o: OrderP, era: int32_t, before: uint64_t, seq: uint64_t) -> cython.bint:
    return era == o.era and seq == before + 1


# Goroutines, processors and threads by slot.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def new_goroutine(o: OrderP, key: uint64_t, status: uint8_t) -> int32_t:
    """The slot of a goroutine that was not there before; -1 if there is no memory."""
    slot: int32_t
    capacity: int32_t
    g: GoroutineP
    if o.free_count > 0:
        slot = o.free_goroutines[o.free_count - 1]
    else:
        slot = o.goroutine_count
        if slot == o.goroutine_capacity:
            if slot >= 1 << 29:
                return -1
            capacity = slot * 2 if slot else 64
            goroutines: cython.p_void = realloc(
                o.goroutines, cython.cast(cython.size_t, capacity) * cython.sizeof(Goroutine)
            )
            if goroutines == cython.NULL:
                return -1
            o.goroutines = cython.cast(GoroutineP, goroutines)
            unused: cython.p_void = realloc(o.free_goroutines, cython.cast(cython.size_t, capacity) * 4)
            if unused == cython.NULL:
                return -1
            o.free_goroutines = cython.cast(cython.pointer(int32_t), unused)
            o.goroutine_capacity = capacity
    if not insert(cython.address(o.goroutine_ids), key, slot):
        return -1
    if o.free_count > 0:
        o.free_count -= 1
    else:
        o.goroutine_count += 1
    g = o.goroutines + slot
    g.id = key
    g.seq = 0
    g.era = o.era
    g.status = status
    g.assisting = 0
    g.stopping = 0
    return slot


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def end_goroutine(o: OrderP, slot: int32_t) -> cython.void:
    """Frees the slot. A damaged file may have the goroutine on other threads, too, where it cannot end again."""
    o.goroutines[slot].status = wire.GONE
    remove(cython.address(o.goroutine_ids), o.goroutines[slot].id)
    o.free_goroutines[o.free_count] = slot
    o.free_count += 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def new_proc(o: OrderP, key: uint64_t, status: uint8_t) -> int32_t:
    slot: int32_t = o.proc_count
    p: ProcP
    if slot == o.proc_capacity:
        capacity: int32_t = slot * 2 if slot else 64
        procs: cython.p_void = realloc(o.procs, cython.cast(cython.size_t, capacity) * cython.sizeof(Proc))
        if procs == cython.NULL or slot >= 1 << 29:
            return -1
        o.procs = cython.cast(ProcP, procs)
        o.proc_capacity = capacity
    if not insert(cython.address(o.proc_ids), key, slot):
        return -1
    o.proc_count += 1
    p = o.procs + slot
    p.id = key
    p.seq = 0
    p.era = o.era
    p.status = status
    p.sweeping = 0
    return slot


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def new_thread(o: OrderP, key: uint64_t) -> int32_t:
    slot: int32_t = o.thread_count
    t: ThreadP
    if slot == o.thread_capacity:
        capacity: int32_t = slot * 2 if slot else 64
        threads: cython.p_void = realloc(
            o.threads, cython.cast(cython.size_t, capacity) * cython.sizeof(Thread)
        )
        if threads == cython.NULL or slot >= 1 << 29:
            return -1
        o.threads = cython.cast(ThreadP, threads)
        o.thread_capacity = capacity
    # Slot 0 stands for no thread at all, and no event finds it by name.
    if slot > 0 and not insert(cython.address(o.thread_ids), key, slot):
        return -1
    o.thread_count += 1
    t = o.threads + slot
    t.id = key
    t.goroutine = -1
    t.proc = -1
    t.seen = 0
    return slot


# Processors. Each handler answers 1 (advanced), 0 (not yet: try another thread) or -1 (cannot be).


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def proc_status(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    status: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    p: ProcP
    other: int32_t
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if status < wire.PROC_RUNNING or status > wire.PROC_ABANDONED:
        return fail(o, c, wire.F_PROC_STATUS, key, status)
    slot = find(cython.address(o.proc_ids), key)
    if slot < 0:
        slot = new_proc(o, key, cython.cast(uint8_t, status))
        if slot < 0:
            return fail(o, c, wire.F_MEMORY, 0, 0)
        if status == wire.PROC_IDLE or status == wire.PROC_ABANDONED:
            emit(o, c, t, wire.K_PROC_IDLE, slot)
        else:
            stamp(o, c.time)
    else:
        p = o.procs + slot
        if status == wire.PROC_ABANDONED and p.status == wire.PROC_SYSCALL:
            # We know more than the event does: which thread is in the call. It must be one.
            o.effort -= o.thread_count
            if o.effort < 0:
                return fail(o, c, wire.F_EFFORT, 0, o.thread_count)
            for other in range(o.thread_count):
                if o.threads[other].proc == slot:
                    break
            else:
                return fail(o, c, wire.F_PROC_THREAD, key, 0)
        elif p.status != status:
            return fail(o, c, wire.F_PROC_STATE, key, p.status)
        p.seq = 0
        p.era = o.era
        stamp(o, c.time)
    if status == wire.PROC_RUNNING or status == wire.PROC_SYSCALL:
        t.proc = slot
    return 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def proc_start(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    p: ProcP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    slot = find(cython.address(o.proc_ids), key)
    if slot < 0 or t.proc >= 0:
        return 0
    p = o.procs + slot
    if p.status != wire.PROC_IDLE or not follows(o, p.era, p.seq, seq):
        return 0
    if c.thread == 0:
        return fail(o, c, wire.F_NO_THREAD, c.type, 0)
    p.status = wire.PROC_RUNNING
    p.seq = seq
    t.proc = slot
    stamp(o, c.time)
    return 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def proc_stop(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    p: ProcP
    c.at = c.args
    if not has_proc(o, c, t):
        return -1
    p = o.procs + t.proc
    if p.status != wire.PROC_RUNNING and p.status != wire.PROC_SYSCALL:
        return fail(o, c, wire.F_PROC_STATE, p.id, p.status)
    p.status = wire.PROC_IDLE
    emit(o, c, t, wire.K_PROC_IDLE, t.proc)
    t.proc = -1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def proc_steal(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    victim_key: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    victim: int32_t
    status: uint8_t
    p: ProcP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    slot = find(cython.address(o.proc_ids), key)
    if slot < 0:
        return 0
    p = o.procs + slot
    status = p.status
    if (status != wire.PROC_SYSCALL and status != wire.PROC_ABANDONED) or not follows(o, p.era, p.seq, seq):
        return 0
    if c.thread == 0:
        return fail(o, c, wire.F_NO_THREAD, c.type, 0)
    p.status = wire.PROC_IDLE
    p.seq = seq
    if status == wire.PROC_ABANDONED:
        stamp(o, c.time)  # who had it is lost, and may have moved on
        return 1
    victim = c.thread if victim_key == t.id else find(cython.address(o.thread_ids), victim_key)
    if victim < 0 or not o.threads[victim].seen or o.threads[victim].proc != slot:
        return fail(o, c, wire.F_PROC_THREAD, key, victim_key)
    emit(o, c, t, wire.K_PROC_IDLE, slot)
    o.threads[victim].proc = -1
    return 1


# Goroutines.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_status(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    thread_key: uint64_t = uvarint(cython.address(at))
    status: uint64_t = uvarint(cython.address(at))
    stack: int32_t = 0
    slot: int32_t
    owner: int32_t
    stack_key: uint64_t = 0
    e: EventP
    if c.type == wire.EV_GO_STATUS_STACK:
        stack_key = uvarint(cython.address(at))
        stack = code(cython.address(o.stacks), stack_key)
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if stack < 0:
        return fail(o, c, wire.F_STACK, stack_key, 0)
    if status < wire.RUNNABLE or status > wire.WAITING:
        return fail(o, c, wire.F_GOROUTINE_STATUS, key, status)
    slot = find(cython.address(o.goroutine_ids), key)
    if slot >= 0:
        if o.goroutines[slot].status != status:
            return fail(o, c, wire.F_GOROUTINE_STATE, key, o.goroutines[slot].status)
        o.goroutines[slot].seq = 0
        o.goroutines[slot].era = o.era
        stamp(o, c.time)
    elif o.era == 1:
        slot = new_goroutine(o, key, cython.cast(uint8_t, status))
        if slot < 0:
            return fail(o, c, wire.F_MEMORY, 0, 0)
        e = emit(o, c, t, wire.K_FIRST, slot)
        e.value = key
        e.state = cython.cast(uint8_t, status)
        e.own_stack = stack
    else:
        return fail(o, c, wire.F_GOROUTINE_NEW, key, 0)
    if status == wire.RUNNING:
        t.goroutine = slot
    elif status == wire.SYSCALL:
        if thread_key == NOBODY:
            return fail(o, c, wire.F_GOROUTINE_THREAD, key, thread_key)
        if c.thread != 0 and thread_key == t.id:
            if o.era != 1 and t.goroutine != slot:
                return fail(o, c, wire.F_GOROUTINE_THREAD, key, thread_key)
            t.goroutine = slot
            return 1
        # The goroutine has sat in this call on another thread for the whole generation, without a processor.
        owner = find(cython.address(o.thread_ids), thread_key)
        if owner < 0:
            owner = new_thread(o, thread_key)  # may move the threads: t is not used any more
            if owner < 0:
                return fail(o, c, wire.F_MEMORY, 0, 0)
        if not o.threads[owner].seen:
            o.threads[owner].seen = 1
            o.threads[owner].goroutine = slot
        elif o.threads[owner].goroutine != slot:
            return fail(o, c, wire.F_GOROUTINE_THREAD, key, thread_key)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_create(o: OrderP, c: CursorP, t: ThreadP, state: cython.int) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    own_key: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if not has_proc(o, c, t):
        return -1
    if t.goroutine >= 0 and o.goroutines[t.goroutine].status != wire.RUNNING:
        return fail(
            o, c, wire.F_GOROUTINE_STATE, o.goroutines[t.goroutine].id, o.goroutines[t.goroutine].status
        )
    if find(cython.address(o.goroutine_ids), key) >= 0:
        return fail(o, c, wire.F_GOROUTINE_TWICE, key, 0)
    slot = new_goroutine(o, key, state)
    if slot < 0:
        return fail(o, c, wire.F_MEMORY, 0, 0)
    e = emit(o, c, t, wire.K_CREATE, slot)
    e.value = key
    e.state = state
    e.stack = code(cython.address(o.stacks), stack_key)
    e.own_stack = code(cython.address(o.stacks), own_key)
    if e.stack < 0 or e.own_stack < 0:
        o.out_count -= 1
        return fail(o, c, wire.F_STACK, stack_key if e.stack < 0 else own_key, 0)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_create_syscall(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    """A thread that C made calls into Go: its goroutine appears, in a system call."""
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if c.thread == 0:
        return fail(o, c, wire.F_NO_THREAD, c.type, 0)
    if t.goroutine >= 0:
        return fail(o, c, wire.F_HAS_GOROUTINE, c.type, t.id)
    if find(cython.address(o.goroutine_ids), key) >= 0:
        return fail(o, c, wire.F_GOROUTINE_TWICE, key, 0)
    slot = new_goroutine(o, key, wire.SYSCALL)
    if slot < 0:
        return fail(o, c, wire.F_MEMORY, 0, 0)
    e = emit(o, c, t, wire.K_CREATE, slot)
    e.value = key
    e.state = wire.SYSCALL
    t.goroutine = slot
    return 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def go_start(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    g: GoroutineP
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    slot = find(cython.address(o.goroutine_ids), key)
    if slot < 0:
        return 0
    g = o.goroutines + slot
    if g.status != wire.RUNNABLE or not follows(o, g.era, g.seq, seq):
        return 0
    if not has_proc(o, c, t):
        return -1
    if t.goroutine >= 0:
        return fail(o, c, wire.F_HAS_GOROUTINE, c.type, t.id)
    g.status = wire.RUNNING
    g.seq = seq
    e = emit(o, c, t, wire.K_CHANGE, slot)
    e.state = wire.RUNNING
    t.goroutine = slot
    return 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def running(o: OrderP, c: CursorP, t: ThreadP, status: cython.int) -> GoroutineP:
    """The goroutine on the thread, if it is in `status`; else a fault."""
    g: GoroutineP
    if runs(o, c, t):
        g = o.goroutines + t.goroutine
        if g.status == status:
            return g
        fail(o, c, wire.F_GOROUTINE_STATE, g.id, g.status)
    return cython.NULL


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def go_stop(o: OrderP, c: CursorP, t: ThreadP, state: cython.int) -> cython.int:
    """The running goroutine yields or blocks, and says why."""
    at: Bytes = c.args
    reason: uint64_t = uvarint(cython.address(at))
    stack: uint64_t = uvarint(cython.address(at))
    g: GoroutineP
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    g = running(o, c, t, wire.RUNNING)
    if g == cython.NULL:
        return -1
    g.status = state
    e = emit(o, c, t, wire.K_CHANGE, t.goroutine)
    e.state = state
    e.text = code(cython.address(o.strings), reason)
    e.own_stack = code(cython.address(o.stacks), stack)
    if (e.text | e.own_stack) < 0:
        o.out_count -= 1
        return fail(o, c, wire.F_STRING if e.text < 0 else wire.F_STACK, reason if e.text < 0 else stack, 0)
    t.goroutine = -1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_destroy(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    c.at = c.args
    if running(o, c, t, wire.RUNNING) == cython.NULL:
        return -1
    emit(o, c, t, wire.K_DESTROY, t.goroutine)
    end_goroutine(o, t.goroutine)
    t.goroutine = -1
    return 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def go_unblock(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    stack: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    g: GoroutineP
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    slot = find(cython.address(o.goroutine_ids), key)
    if slot < 0:
        return 0
    g = o.goroutines + slot
    if g.status != wire.WAITING or not follows(o, g.era, g.seq, seq):
        return 0
    g.status = wire.RUNNABLE
    g.seq = seq
    e = emit(o, c, t, wire.K_CHANGE, slot)
    e.state = wire.RUNNABLE
    e.stack = code(cython.address(o.stacks), stack)
    if e.stack < 0:
        o.out_count -= 1
        return fail(o, c, wire.F_STACK, stack, 0)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_switch(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    """A coroutine switch: the next goroutine is unblocked, this one blocks or ends, and the next one starts."""
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    seq: uint64_t = uvarint(cython.address(at))
    slot: int32_t
    this: GoroutineP
    g: GoroutineP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    this = running(o, c, t, wire.RUNNING)
    if this == cython.NULL:
        return -1
    slot = find(cython.address(o.goroutine_ids), key)
    if slot < 0:
        return 0
    g = o.goroutines + slot
    if g.status != wire.WAITING or not follows(o, g.era, g.seq, seq):
        return 0
    emit(o, c, t, wire.K_CHANGE, slot).state = wire.RUNNABLE
    if c.type == wire.EV_GO_SWITCH:
        this.status = wire.WAITING
        emit(o, c, t, wire.K_CHANGE, t.goroutine).state = wire.WAITING
    else:
        emit(o, c, t, wire.K_DESTROY, t.goroutine)
        end_goroutine(o, t.goroutine)
    g.status = wire.RUNNING
    g.seq = seq
    t.goroutine = -1
    emit(o, c, t, wire.K_CHANGE, slot).state = wire.RUNNING
    t.goroutine = slot
    return 1


# System calls.


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def syscall_begin(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    seq: uint64_t = uvarint(cython.address(at))
    stack: uint64_t = uvarint(cython.address(at))
    g: GoroutineP
    p: ProcP
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    g = running(o, c, t, wire.RUNNING)
    if g == cython.NULL:
        return -1
    g.status = wire.SYSCALL
    p = o.procs + t.proc
    p.status = wire.PROC_SYSCALL
    # The number only tells which of several calls a processor was stolen from; here it must be right.
    if not follows(o, p.era, p.seq, seq):
        return fail(o, c, wire.F_PROC_SEQUENCE, p.id, seq)
    p.seq = seq
    e = emit(o, c, t, wire.K_CHANGE, t.goroutine)
    e.state = wire.SYSCALL
    e.own_stack = code(cython.address(o.stacks), stack)
    if e.own_stack < 0:
        o.out_count -= 1
        return fail(o, c, wire.F_STACK, stack, 0)
    return 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def syscall_end(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    g: GoroutineP
    p: ProcP
    c.at = c.args
    g = running(o, c, t, wire.SYSCALL)
    if g == cython.NULL:
        return -1
    p = o.procs + t.proc
    if p.status != wire.PROC_SYSCALL:
        return fail(o, c, wire.F_PROC_STATE, p.id, p.status)
    g.status = wire.RUNNING
    p.status = wire.PROC_RUNNING
    emit(o, c, t, wire.K_CHANGE, t.goroutine).state = wire.RUNNING
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def in_syscall(o: OrderP, c: CursorP, t: ThreadP) -> GoroutineP:
    """The goroutine in a system call on the thread, which may have lost its processor; else a fault."""
    g: GoroutineP
    if c.thread == 0:
        fail(o, c, wire.F_NO_THREAD, c.type, 0)
        return cython.NULL
    if t.goroutine < 0:
        fail(o, c, wire.F_NO_GOROUTINE, c.type, t.id)
        return cython.NULL
    g = o.goroutines + t.goroutine
    if g.status != wire.SYSCALL:
        fail(o, c, wire.F_GOROUTINE_STATE, g.id, g.status)
        return cython.NULL
    return g


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def syscall_end_blocked(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    g: GoroutineP
    c.at = c.args
    # The event says that the processor was lost during the call: until that is seen, wait.
    if t.proc >= 0 and o.procs[t.proc].status == wire.PROC_SYSCALL:
        return 0
    g = in_syscall(o, c, t)
    if g == cython.NULL:
        return -1
    g.status = wire.RUNNABLE
    emit(o, c, t, wire.K_CHANGE, t.goroutine).state = wire.RUNNABLE
    t.goroutine = -1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_destroy_syscall(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    """A thread that C made leaves Go: its goroutine ends, and the processor it may have had is not its any more.

    The system may give the thread's ID to another one, from which that processor must not seem to be stolen.
    """
    p: ProcP
    c.at = c.args
    if in_syscall(o, c, t) == cython.NULL:
        return -1
    if t.proc >= 0:
        p = o.procs + t.proc
        if p.status != wire.PROC_SYSCALL:
            return fail(o, c, wire.F_PROC_STATE, p.id, p.status)
        p.status = wire.PROC_ABANDONED
        emit(o, c, t, wire.K_PROC_IDLE, t.proc)
    emit(o, c, t, wire.K_DESTROY, t.goroutine)
    end_goroutine(o, t.goroutine)
    t.goroutine = -1
    t.proc = -1
    return 1


# Ranges: garbage collection and stopping the world.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def emit_range(
    o: OrderP, c: CursorP, t: ThreadP, kind: cython.int, family: cython.int, target: int32_t
) -> EventP:
    e: EventP = emit(o, c, t, kind, target)
    e.state = family
    if family == wire.RANGE_SWEEP:
        e.value = o.procs[target].id
    return e


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def gc_event(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    seq: uint64_t = uvarint(cython.address(at))
    stack: uint64_t = uvarint(cython.address(at)) if c.type == wire.EV_GC_BEGIN else 0
    stack_code: int32_t
    kind: cython.int = wire.K_RANGE_ACTIVE
    first: cython.bint
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    stack_code = code(cython.address(o.stacks), stack)
    if stack_code < 0:
        return fail(o, c, wire.F_STACK, stack, 0)
    first = o.era == 1 if c.type == wire.EV_GC_ACTIVE else c.type == wire.EV_GC_BEGIN and o.gc_state == 0
    if not first:
        if seq != o.gc_seq + 1:
            return 0
        if o.gc_state != (1 if c.type == wire.EV_GC_BEGIN else 2):
            return fail(o, c, wire.F_GC, c.type, o.gc_state)
        if not runs(o, c, t):
            return -1
    elif o.gc_state != 0:
        return fail(o, c, wire.F_GC, c.type, o.gc_state)
    o.gc_seq = seq
    o.gc_state = 1 if c.type == wire.EV_GC_END else 2
    if c.type != wire.EV_GC_ACTIVE:
        kind = wire.K_RANGE_BEGIN if c.type == wire.EV_GC_BEGIN else wire.K_RANGE_END
    emit_range(o, c, t, kind, wire.RANGE_GC, -1).own_stack = stack_code
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sweep_begin(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    stack: uint64_t = uvarint(cython.address(at))
    stack_code: int32_t
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if not has_proc(o, c, t):
        return -1
    if o.procs[t.proc].sweeping:
        return fail(o, c, wire.F_RANGE_TWICE, c.type, o.procs[t.proc].id)
    stack_code = code(cython.address(o.stacks), stack)
    if stack_code < 0:
        return fail(o, c, wire.F_STACK, stack, 0)
    o.procs[t.proc].sweeping = 1
    emit_range(o, c, t, wire.K_RANGE_BEGIN, wire.RANGE_SWEEP, t.proc).own_stack = stack_code
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sweep_end(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    uvarint(cython.address(at))  # bytes swept
    uvarint(cython.address(at))  # bytes reclaimed
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if not has_proc(o, c, t):
        return -1
    if not o.procs[t.proc].sweeping:
        return fail(o, c, wire.F_RANGE_MISSING, c.type, o.procs[t.proc].id)
    o.procs[t.proc].sweeping = 0
    emit_range(o, c, t, wire.K_RANGE_END, wire.RANGE_SWEEP, t.proc)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def range_active(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    """A sweep or mark assist goes on as the generation begins; in the first one that is how we learn of it."""
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    sweep: cython.bint = c.type == wire.EV_GC_SWEEP_ACTIVE
    slot: int32_t
    active: cython.pointer(uint8_t)
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    slot = find(cython.address(o.proc_ids) if sweep else cython.address(o.goroutine_ids), key)
    if slot < 0:
        return fail(o, c, wire.F_PROC_UNKNOWN if sweep else wire.F_GOROUTINE_UNKNOWN, key, c.type)
    active = cython.address(o.procs[slot].sweeping) if sweep else cython.address(o.goroutines[slot].assisting)
    if active[0] == (o.era == 1):
        return fail(o, c, wire.F_RANGE_TWICE if active[0] else wire.F_RANGE_MISSING, c.type, key)
    active[0] = 1
    emit_range(o, c, t, wire.K_RANGE_ACTIVE, wire.RANGE_SWEEP if sweep else wire.RANGE_ASSIST, slot)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def assist_begin(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    stack: uint64_t = uvarint(cython.address(at))
    stack_code: int32_t
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if not runs(o, c, t):
        return -1
    if o.goroutines[t.goroutine].assisting:
        return fail(o, c, wire.F_RANGE_TWICE, c.type, o.goroutines[t.goroutine].id)
    stack_code = code(cython.address(o.stacks), stack)
    if stack_code < 0:
        return fail(o, c, wire.F_STACK, stack, 0)
    o.goroutines[t.goroutine].assisting = 1
    emit_range(o, c, t, wire.K_RANGE_BEGIN, wire.RANGE_ASSIST, t.goroutine).own_stack = stack_code
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def assist_end(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    c.at = c.args
    if not runs(o, c, t):
        return -1
    if not o.goroutines[t.goroutine].assisting:
        return fail(o, c, wire.F_RANGE_MISSING, c.type, o.goroutines[t.goroutine].id)
    o.goroutines[t.goroutine].assisting = 0
    emit_range(o, c, t, wire.K_RANGE_END, wire.RANGE_ASSIST, t.goroutine)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def stw_begin(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    kind: uint64_t = uvarint(cython.address(at))
    stack: uint64_t = uvarint(cython.address(at))
    text: int32_t
    stack_code: int32_t
    i: cython.int
    g: GoroutineP
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if not runs(o, c, t):
        return -1
    text = code(cython.address(o.strings), kind)
    stack_code = code(cython.address(o.stacks), stack)
    if text < 0 or stack_code < 0:
        return fail(o, c, wire.F_STRING if text < 0 else wire.F_STACK, kind if text < 0 else stack, 0)
    g = o.goroutines + t.goroutine
    for i in range(g.stopping):
        if g.stops[i] == text:
            return fail(o, c, wire.F_RANGE_TWICE, c.type, g.id)
    if g.stopping == 4:
        return fail(o, c, wire.F_RANGE_DEEP, c.type, g.id)
    g.stops[g.stopping] = text
    g.stopping += 1
    e = emit_range(o, c, t, wire.K_RANGE_BEGIN, wire.RANGE_STW, t.goroutine)
    e.text = text
    e.own_stack = stack_code
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def stw_end(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    g: GoroutineP
    c.at = c.args
    if not runs(o, c, t):
        return -1
    g = o.goroutines + t.goroutine
    if g.stopping == 0:
        return fail(o, c, wire.F_RANGE_MISSING, c.type, g.id)
    emit_range(o, c, t, wire.K_RANGE_END, wire.RANGE_STW, t.goroutine).text = g.stops[0]
    g.stopping -= 1
    g.stops[0] = g.stops[g.stopping]
    return 1


# Metrics, and what the program says itself.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def metric(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    value: uint64_t = uvarint(cython.address(at))
    stack: uint64_t = uvarint(cython.address(at)) if c.type == wire.EV_PROCS_CHANGE else 0
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if not (runs(o, c, t) if c.type == wire.EV_PROCS_CHANGE else has_proc(o, c, t)):
        return -1
    if code(cython.address(o.stacks), stack) < 0:
        return fail(o, c, wire.F_STACK, stack, 0)
    e = emit(o, c, t, wire.K_METRIC, -1)
    e.state = 0 if c.type == wire.EV_PROCS_CHANGE else 1 if c.type == wire.EV_HEAP_ALLOC else 2
    e.value = value
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_label(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    label: uint64_t = uvarint(cython.address(at))
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if not runs(o, c, t):
        return -1
    if code(cython.address(o.strings), label) < 0:
        return fail(o, c, wire.F_STRING, label, 0)
    stamp(o, c.time)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def user_task(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    begin: cython.bint = c.type == wire.EV_USER_TASK_BEGIN
    key: uint64_t = uvarint(cython.address(at))
    parent: uint64_t = uvarint(cython.address(at)) if begin else 0
    name: uint64_t = uvarint(cython.address(at)) if begin else 0
    stack: uint64_t = uvarint(cython.address(at))
    text: int32_t
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    text = code(cython.address(o.strings), name)
    if text < 0 or code(cython.address(o.stacks), stack) < 0:
        return fail(o, c, wire.F_STRING if text < 0 else wire.F_STACK, name if text < 0 else stack, 0)
    if not runs(o, c, t):
        return -1
    e = emit(o, c, t, wire.K_TASK_BEGIN if begin else wire.K_TASK_END, -1)
    e.value = key
    e.other = parent if parent else NOBODY  # 0 here is no parent; for a region it is the background task
    e.text = text
    return 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def user_region(o: OrderP, c: CursorP, t: ThreadP, kind: cython.int) -> cython.int:
    at: Bytes = c.args
    task: uint64_t = uvarint(cython.address(at))
    name: uint64_t = uvarint(cython.address(at))
    stack: uint64_t = uvarint(cython.address(at))
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if not runs(o, c, t):
        return -1
    e = emit(o, c, t, kind, -1)
    e.value = task
    e.text = code(cython.address(o.strings), name)
    e.own_stack = code(cython.address(o.stacks), stack)
    if (e.text | e.own_stack) < 0:
        o.out_count -= 1
        return fail(o, c, wire.F_STRING if e.text < 0 else wire.F_STACK, name if e.text < 0 else stack, 0)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def user_log(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    task: uint64_t = uvarint(cython.address(at))
    category: uint64_t = uvarint(cython.address(at))
    message: uint64_t = uvarint(cython.address(at))
    stack: uint64_t = uvarint(cython.address(at))
    text: int32_t
    other: int32_t
    e: EventP
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if not runs(o, c, t):
        return -1
    text = code(cython.address(o.strings), category)
    other = code(cython.address(o.strings), message)
    if text < 0 or other < 0:
        return fail(o, c, wire.F_STRING, category if text < 0 else message, 0)
    if code(cython.address(o.stacks), stack) < 0:
        return fail(o, c, wire.F_STACK, stack, 0)
    e = emit(o, c, t, wire.K_LOG, -1)
    e.value = task
    e.other = other
    e.text = text
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def experimental(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    """An event of an experiment of the runtime's: it has a time, and says nothing else to us."""
    at: Bytes = c.args
    _: cython.int
    for _ in range(o.counts[c.type]):
        uvarint(cython.address(at))
    if not took(c, at):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    if c.thread == 0:
        return fail(o, c, wire.F_NO_THREAD, c.type, 0)
    stamp(o, c.time)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def dispatch(o: OrderP, c: CursorP, t: ThreadP) -> cython.int:
    kind: cython.int = c.type
    if kind == wire.EV_GO_START:
        return go_start(o, c, t)
    elif kind == wire.EV_GO_BLOCK:
        return go_stop(o, c, t, wire.WAITING)
    elif kind == wire.EV_GO_UNBLOCK:
        return go_unblock(o, c, t)
    elif kind == wire.EV_GO_STOP:
        return go_stop(o, c, t, wire.RUNNABLE)
    elif kind == wire.EV_USER_REGION_BEGIN:
        return user_region(o, c, t, wire.K_REGION_BEGIN)
    elif kind == wire.EV_USER_REGION_END:
        return user_region(o, c, t, wire.K_REGION_END)
    elif kind == wire.EV_PROC_START:
        return proc_start(o, c, t)
    elif kind == wire.EV_PROC_STOP:
        return proc_stop(o, c, t)
    elif kind == wire.EV_GO_SYSCALL_BEGIN:
        return syscall_begin(o, c, t)
    elif kind == wire.EV_GO_SYSCALL_END:
        return syscall_end(o, c, t)
    elif kind == wire.EV_GO_SYSCALL_END_BLOCKED:
        return syscall_end_blocked(o, c, t)
    elif kind == wire.EV_GO_CREATE:
        return go_create(o, c, t, wire.RUNNABLE)
    elif kind == wire.EV_GO_CREATE_BLOCKED:
        return go_create(o, c, t, wire.WAITING)
    elif kind == wire.EV_GO_CREATE_SYSCALL:
        return go_create_syscall(o, c, t)
    elif kind == wire.EV_GO_DESTROY:
        return go_destroy(o, c, t)
    elif kind == wire.EV_GO_DESTROY_SYSCALL:
        return go_destroy_syscall(o, c, t)
    elif kind == wire.EV_GO_SWITCH or kind == wire.EV_GO_SWITCH_DESTROY:
        return go_switch(o, c, t)
    elif kind == wire.EV_GO_STATUS or kind == wire.EV_GO_STATUS_STACK:
        return go_status(o, c, t)
    elif kind == wire.EV_PROC_STATUS:
        return proc_status(o, c, t)
    elif kind == wire.EV_PROC_STEAL:
        return proc_steal(o, c, t)
    elif kind == wire.EV_GC_ACTIVE or kind == wire.EV_GC_BEGIN or kind == wire.EV_GC_END:
        return gc_event(o, c, t)
    elif kind == wire.EV_GC_SWEEP_BEGIN:
        return sweep_begin(o, c, t)
    elif kind == wire.EV_GC_SWEEP_END:
        return sweep_end(o, c, t)
    elif kind == wire.EV_GC_SWEEP_ACTIVE or kind == wire.EV_GC_MARK_ASSIST_ACTIVE:
        return range_active(o, c, t)
    elif kind == wire.EV_GC_MARK_ASSIST_BEGIN:
        return assist_begin(o, c, t)
    elif kind == wire.EV_GC_MARK_ASSIST_END:
        return assist_end(o, c, t)
    elif kind == wire.EV_STW_BEGIN:
        return stw_begin(o, c, t)
    elif kind == wire.EV_STW_END:
        return stw_end(o, c, t)
    elif kind == wire.EV_PROCS_CHANGE or kind == wire.EV_HEAP_ALLOC or kind == wire.EV_HEAP_GOAL:
        return metric(o, c, t)
    elif kind == wire.EV_GO_LABEL:
        return go_label(o, c, t)
    elif kind == wire.EV_USER_TASK_BEGIN or kind == wire.EV_USER_TASK_END:
        return user_task(o, c, t)
    elif kind == wire.EV_USER_LOG:
        return user_log(o, c, t)
    return experimental(o, c, t)


# The frontier.


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def next_event(o: OrderP, c: CursorP) -> cython.int:
    """Goes to the thread's next event: its type, time and arguments. 0 if there is none, -1 if it makes no sense."""
    at: Bytes
    while c.at == c.end:
        if c.batch < 0:
            return 0
        open_batch(o, c)
    at = c.at
    c.event = at
    c.type = at[0]
    if o.counts[c.type] == wire.NOT_TIMED:
        return fail(o, c, wire.F_NOT_TIMED, c.type, 0)
    at += 1
    c.time = cython.cast(
        int64_t, cython.cast(uint64_t, c.time) + nanoseconds(uvarint(cython.address(at)), o.frequency)
    )
    c.args = at
    if cython.cast(cython.size_t, at - c.event) > cython.cast(cython.size_t, c.end - c.event):
        return fail(o, c, wire.F_CUT_OFF, 0, 0)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def open_batch(o: OrderP, c: CursorP) -> cython.void:
    batch: cython.pointer(cython.const[uint64_t]) = o.batches + 4 * c.batch
    start: int64_t = cython.cast(int64_t, batch[2])
    end: int64_t = cython.cast(int64_t, batch[3])
    if end + wire.MARGIN > o.size:
        c.at = o.tail + (start - o.tail_offset)
    else:
        c.at = o.data + start
    c.origin = c.at
    c.event = c.at
    c.offset = start
    c.end = c.at + (end - start)
    c.time = cython.cast(int64_t, nanoseconds(batch[1], o.frequency))
    c.batch = o.next_batch[c.batch]
    o.opened += end - start


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def swap(heads: cython.pointer(Head), i: int32_t, j: int32_t) -> cython.void:
    kept: Head = heads[i]
    heads[i] = heads[j]
    heads[j] = kept


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def sift_up(heads: cython.pointer(Head), i: int32_t) -> int32_t:
    while i > 0 and heads[(i - 1) >> 1].time > heads[i].time:
        swap(heads, (i - 1) >> 1, i)
        i = (i - 1) >> 1
    return i


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def sift_down(heads: cython.pointer(Head), count: int32_t, i: int32_t) -> cython.void:
    """Of children that are equal the left one moves up, and a child only if it is earlier: the order of ties."""
    child: int32_t
    while True:
        child = 2 * i + 1
        if child >= count:
            return
        if child + 1 < count and heads[child + 1].time < heads[child].time:
            child += 1
        if heads[child].time >= heads[i].time:
            return
        swap(heads, i, child)
        i = child


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def push_head(o: OrderP, cursor: int32_t) -> cython.void:
    o.heads[o.head_count].time = o.cursors[cursor].time
    o.heads[o.head_count].cursor = cursor
    o.head_count += 1
    sift_up(o.heads, o.head_count - 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def remove_head(o: OrderP, i: int32_t) -> cython.void:
    while i > 0:
        swap(o.heads, (i - 1) >> 1, i)
        i = (i - 1) >> 1
    o.head_count -= 1
    swap(o.heads, 0, o.head_count)
    sift_down(o.heads, o.head_count, 0)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def step(o: OrderP, i: int32_t) -> cython.int:
    """Tries the event at place `i` of the frontier, and puts the thread's next one there if it advanced."""
    c: CursorP = o.cursors + o.heads[i].cursor
    t: ThreadP = o.threads + c.thread
    done: cython.int
    t.seen = 1
    done = dispatch(o, c, t)
    if done <= 0:
        return done
    if c.thread == 0:
        o.threads[0].goroutine = -1
        o.threads[0].proc = -1
    done = next_event(o, c)
    if done < 0:
        return done
    if done == 0:
        remove_head(o, i)
        return 1
    o.heads[i].time = c.time
    if sift_up(o.heads, i) == i:
        sift_down(o.heads, o.head_count, i)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def step_any(o: OrderP) -> cython.int:
    """The earliest event cannot advance yet: the first other one, by time, that can."""
    i: int32_t
    done: cython.int
    o.effort -= o.head_count
    if o.effort < 0:
        return fail(o, o.cursors + o.heads[0].cursor, wire.F_EFFORT, 0, o.head_count)
    sort_heads(o.heads, o.head_count)
    for i in range(1, o.head_count):
        done = step(o, i)
        if done != 0:
            return done
    return fail(
        o, o.cursors + o.heads[0].cursor, wire.F_STUCK, o.cursors[o.heads[0].cursor].type, o.head_count
    )


@cython.final
@cython.cclass
class Ordering:
    """The scheduler of one file. `load` a generation, then `fill` until nothing more comes."""

    def __cinit__(self, data, counts: bytes):
        o: OrderP = cython.address(self.order)
        memset(o, 0, cython.sizeof(Order))
        memcpy(o.counts, cython.cast(cython.p_char, counts), 256)
        self.data = data
        self.view = data
        o.data = cython.address(self.view[0])
        o.size = self.view.shape[0]
        # A trace as Go writes it needs a few attempts an event; one made to waste time could need as many as there
        # are threads, each time.
        o.effort = 64 * o.size + 50_000_000
        if not (
            make(cython.address(o.goroutine_ids))
            and make(cython.address(o.proc_ids))
            and make(cython.address(o.thread_ids))
        ):
            raise MemoryError
        if new_thread(o, NOBODY) != 0:
            raise MemoryError

    def __dealloc__(self):
        o: OrderP = cython.address(self.order)
        free(cython.cast(cython.p_void, o.tail))
        free(o.cursors)
        free(o.heads)
        free(o.goroutines)
        free(o.free_goroutines)
        free(o.procs)
        free(o.threads)
        drop(cython.address(o.goroutine_ids))
        drop(cython.address(o.proc_ids))
        drop(cython.address(o.thread_ids))

    @property
    def events(self) -> int:
        """How many events Go's reader would have returned so far."""
        return self.order.events

    @property
    def last_time(self) -> int:
        return self.order.last_time

    def sync(self, tick=None) -> int:
        """The time of the event that opens a generation, or without a tick of the one that closes the file."""
        o: OrderP = cython.address(self.order)
        if tick is None:
            return stamp(o, o.last_time)
        return stamp(o, cython.cast(int64_t, nanoseconds(tick, o.frequency)))

    def load(self, generation, tables) -> None:
        """Sets the frontier to the first event of each thread of `generation`."""
        o: OrderP = cython.address(self.order)
        batches: cython.const[uint64_t][::1] = generation.events
        count: int32_t = batches.shape[0] // 4
        self.generation = generation
        self.tables = tables
        o.era += 1
        o.batches = cython.address(batches[0]) if count else cython.NULL
        o.frequency = tables.frequency
        load_codes(cython.address(o.strings), tables.strings)
        load_codes(cython.address(o.stacks), tables.stacks)
        samples: cython.const[int64_t][::1] = tables.samples
        o.sample_count = samples.shape[0]
        o.samples = cython.address(samples[0]) if o.sample_count else cython.NULL
        self.copy_tail(batches, count)
        self.links = link_batches(batches)
        o.opened = 0
        o.bytes = sum(generation.events[3::4]) - sum(generation.events[2::4])
        links: cython.int[::1] = self.links
        o.next_batch = (
            cython.cast(cython.pointer(int32_t), cython.address(links[0])) if count else cython.NULL
        )
        self.open_cursors(batches, links, count)

    def copy_tail(self, batches: cython.const[uint64_t][::1], count: int) -> None:
        """Batches that end close to the end of the file are read from a copy, behind which zeros follow."""
        o: OrderP = cython.address(self.order)
        at: cython.Py_ssize_t
        first: int64_t = o.size
        for at in range(count):
            if cython.cast(int64_t, batches[4 * at + 3]) + wire.MARGIN > o.size:
                first = min(first, cython.cast(int64_t, batches[4 * at + 2]))
        free(cython.cast(cython.p_void, o.tail))
        tail: cython.p_uchar = cython.cast(cython.p_uchar, calloc(o.size - first + wire.MARGIN, 1))
        if tail == cython.NULL:
            raise MemoryError
        memcpy(tail, o.data + first, o.size - first)
        o.tail = tail
        o.tail_offset = first

    def open_cursors(self, batches: cython.const[uint64_t][::1], links: cython.int[::1], count: int) -> None:
        o: OrderP = cython.address(self.order)
        heads: list = firsts(batches, links)
        free(o.cursors)
        free(o.heads)
        o.cursors = cython.cast(CursorP, calloc(len(heads) + 1, cython.sizeof(Cursor)))
        o.heads = cython.cast(cython.pointer(Head), calloc(len(heads) + 1, cython.sizeof(Head)))
        o.head_count = 0
        if o.cursors == cython.NULL or o.heads == cython.NULL:
            raise MemoryError
        i: int32_t
        for i in range(len(heads)):
            c: CursorP = o.cursors + i
            first: int32_t = heads[i]
            c.batch = first
            c.thread = self.thread(batches[4 * first])
            if next_event(o, c) > 0:
                push_head(o, i)
            elif o.fault:
                return

    def thread(self, key: uint64_t) -> int:
        o: OrderP = cython.address(self.order)
        if key == NOBODY:
            return 0
        slot: int32_t = find(cython.address(o.thread_ids), key)
        if slot < 0:
            slot = new_thread(o, key)
            if slot < 0:
                raise MemoryError
        return slot

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def fill(self, out: EventP, capacity: cython.int) -> cython.int:
        """Orders up to `capacity` events into `out`; how many. 0 if no more come, be it for a fault."""
        o: OrderP = cython.address(self.order)
        done: cython.int
        o.out = out
        o.out_count = 0
        if o.fault:
            return 0
        while o.out_count <= capacity - 3:
            if o.sample_count and (o.head_count == 0 or o.samples[0] < o.heads[0].time):
                stamp(o, o.samples[0])
                o.samples += 1
                o.sample_count -= 1
                continue
            if o.head_count == 0:
                break
            done = step(o, 0)
            if done == 0:
                done = step_any(o)
            if done < 0:
                break
        return o.out_count

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def share(self) -> cython.double:
        """How much of the generation's bytes have become events, from 0 to 1."""
        o: OrderP = cython.address(self.order)
        unread: int64_t = 0
        i: int32_t
        for i in range(o.head_count):
            c: CursorP = o.cursors + o.heads[i].cursor
            unread += c.end - c.event
        return cython.cast(cython.double, o.opened - unread) / (o.bytes + 1)

    def fault(self):
        """What stopped the ordering, as (number, byte offset, value, other value); None if nothing did."""
        o: OrderP = cython.address(self.order)
        if not o.fault:
            return None
        return o.fault, o.fault_offset, o.fault_value, o.fault_other


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
def link_batches(batches: cython.const[uint64_t][::1]):
    """For each batch the next one of the same thread, -1 if it is the last."""
    last: dict = {}
    count: cython.Py_ssize_t = batches.shape[0] // 4
    links = array("i", [-1]) * count
    at: cython.Py_ssize_t
    for at in range(count):
        before = last.get(batches[4 * at])
        if before is not None:
            links[before] = at
        last[batches[4 * at]] = at
    return links


@cython.cfunc
def firsts(batches: cython.const[uint64_t][::1], links: cython.int[::1]) -> list:
    """The first batch of each thread, in the order of the file."""
    later = bytearray(links.shape[0])
    at: cython.Py_ssize_t
    for at in range(links.shape[0]):
        if links[at] >= 0:
            later[links[at]] = 1
    return [at for at in range(links.shape[0]) if not later[at]]


# A sentence for each fault; {event} is the event's name, {value} and {other} what the fault is about.
FAULTS = {
    wire.F_NOT_TIMED: "byte {value} begins no event of this wire format",
    wire.F_CUT_OFF: "an event does not fit in its batch, or holds a number of more than 64 bits",
    wire.F_MEMORY: "there is no memory for what the trace holds",
    wire.F_STUCK: "no thread can go on: {event}, the earliest of {other} waiting, needs what never comes",
    wire.F_EFFORT: "the order of the events of {other} threads cannot be found with any reasonable effort",
    wire.F_STRING: "string {value} is not in the generation's table",
    wire.F_STACK: "stack {value} is not in the generation's table",
    wire.F_NO_THREAD: "{event} outside of any thread",
    wire.F_NO_PROC: "{event} on thread {other}, which has no processor",
    wire.F_HAS_PROC: "{event} on thread {other}, which has a processor already",
    wire.F_NO_GOROUTINE: "{event} on thread {other}, which runs no goroutine",
    wire.F_HAS_GOROUTINE: "{event} on thread {other}, which runs a goroutine already",
    wire.F_GOROUTINE_STATE: "an event does not fit the state ({other}) that goroutine {value} is in",
    wire.F_GOROUTINE_STATUS: "goroutine {value} has status {other}, expected 1 to 4",
    wire.F_GOROUTINE_NEW: "goroutine {value} turns up after the first generation without having been created",
    wire.F_GOROUTINE_TWICE: "goroutine {value} is created, but exists already",
    wire.F_GOROUTINE_UNKNOWN: "a range goes on in goroutine {value}, which nothing was heard of",
    wire.F_GOROUTINE_THREAD: "goroutine {value} is said to be in a system call on thread {other}, which it is not",
    wire.F_PROC_STATE: "an event does not fit the state ({other}) that processor {value} is in",
    wire.F_PROC_STATUS: "processor {value} has status {other}, expected 1 to 4",
    wire.F_PROC_UNKNOWN: "a range goes on on processor {value}, which nothing was heard of",
    wire.F_PROC_SEQUENCE: "a system call has number {other} on processor {value}, which is not the next one",
    wire.F_PROC_THREAD: "processor {value} is taken from thread {other}, which does not have it",
    wire.F_GC: "a garbage collection begins, goes on or ends that cannot (state {other})",
    wire.F_RANGE_TWICE: "{event} of {other}, for which that range is under way already",
    wire.F_RANGE_MISSING: "{event} of {other}, for which no such range is under way",
    wire.F_RANGE_DEEP: "goroutine {other} stops the world more than four times over",
    wire.F_TASK_TWICE: "task {value} begins, but has begun already",
    wire.F_REGION: "goroutine {value} ends a region that is not the innermost one it is in",
    wire.F_REASONS: "goroutine {value} blocks for more than 64 different reasons",
    wire.F_BUDGET: "regions are nested deeper than any program could within a file of this size",
}
