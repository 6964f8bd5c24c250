"""The streams of the threads become one order, by emulating Go's scheduler.

1. Each thread's batches are one stream, in the order of the file. A heap holds every thread's next event by time.
2. The earliest event is tried first. It advances if goroutines and processors are in the state, and at the sequence
   number, that the event says; otherwise the other threads' next events are tried in the order of their times.
   Sequence numbers decide and times do not: clocks of different cores may disagree.
3. An event that advanced has changed the machine, at a time later than that of the event before it.

Order and times are those of Go's `internal/trace`, down to the order of equal times: its heap and its sort are
emulated step by step, since a tie put the other way would move a duration by a nanosecond.
"""

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint64_t
from cython.cimports.pytest_gotrace.trace.core import layout
from cython.cimports.pytest_gotrace.trace.core.gosort import sort_heads, swap
from cython.cimports.pytest_gotrace.trace.core.layout import (
    Bytes,
    CursorP,
    HandlerP,
    HeadP,
    MachineP,
    ThreadP,
)
from cython.cimports.pytest_gotrace.trace.core.machine import cut_off, fail, stamp_at
from cython.cimports.pytest_gotrace.trace.core.wire import nanoseconds, uvarint


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def next_event(m: MachineP, c: CursorP) -> cython.int:
    """Goes to the thread's next event: its type, time and arguments. 0 if there is none, -1 if it makes no sense."""
    at: Bytes
    while c.at == c.end:
        if c.batch < 0:
            return 0
        open_batch(m, c)
    at = c.at
    c.event = at
    c.type = at[0]
    if m.counts[c.type] == layout.NOT_TIMED:
        return fail(m, layout.F_NOT_TIMED, c.type, 0)
    at += 1
    c.time = cython.cast(
        int64_t, cython.cast(uint64_t, c.time) + nanoseconds(uvarint(cython.address(at)), m.frequency)
    )
    c.args = at
    if cython.cast(cython.size_t, at - c.event) > cython.cast(cython.size_t, c.end - c.event):
        return cut_off(m)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def open_batch(m: MachineP, c: CursorP) -> cython.void:
    batch: cython.pointer(cython.const[uint64_t]) = m.batches + 4 * c.batch
    start: int64_t = cython.cast(int64_t, batch[2])
    end: int64_t = cython.cast(int64_t, batch[3])
    if end + layout.MARGIN > m.size:
        c.at = m.tail + (start - m.tail_offset)
    else:
        c.at = m.data + start
    c.origin = c.at
    c.event = c.at
    c.offset = start
    c.end = c.at + (end - start)
    c.time = cython.cast(int64_t, nanoseconds(batch[1], m.frequency))
    c.batch = m.next_batch[c.batch]
    m.opened += end - start


# The frontier.


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def sift_up(heads: HeadP, i: int32_t) -> int32_t:
    while i > 0 and heads[(i - 1) >> 1].time > heads[i].time:
        swap(heads, (i - 1) >> 1, i)
        i = (i - 1) >> 1
    return i


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def sift_down(heads: HeadP, count: int32_t, i: int32_t) -> cython.void:
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
def push_head(m: MachineP, cursor: int32_t) -> cython.void:
    m.heads[m.head_count].time = m.cursors[cursor].time
    m.heads[m.head_count].cursor = cursor
    m.head_count += 1
    sift_up(m.heads, m.head_count - 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def remove_head(m: MachineP, i: int32_t) -> cython.void:
    """Takes a head out, as Go does: moved up to the top first, whatever that does to the order of ties."""
    while i > 0:
        swap(m.heads, (i - 1) >> 1, i)
        i = (i - 1) >> 1
    m.head_count -= 1
    swap(m.heads, 0, m.head_count)
    sift_down(m.heads, m.head_count, 0)


# The order.


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def step(m: MachineP, handlers: HandlerP, i: int32_t) -> cython.int:
    """Tries the event at place `i` of the frontier, and puts the thread's next one there if it advanced."""
    c: CursorP = m.cursors + m.heads[i].cursor
    t: ThreadP = m.threads + c.thread
    done: cython.int
    t.seen = 1
    done = handlers[c.type](m, c, t)
    if done > 0:
        if c.thread == 0:
            m.threads[0].goroutine = -1
            m.threads[0].proc = -1
        done = next_event(m, c)
        if done > 0:
            m.heads[i].time = c.time
            if sift_up(m.heads, i) == i:
                sift_down(m.heads, m.head_count, i)
        elif done == 0:
            remove_head(m, i)
            return 1
    if done < 0:
        blame(m, c)
    return done


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def blame(m: MachineP, c: CursorP) -> cython.void:
    """Notes which event it is that cannot be."""
    m.fault_offset = c.offset + (c.event - c.origin)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def step_any(m: MachineP, handlers: HandlerP) -> cython.int:
    """The earliest event cannot advance yet: the first other one, by time, that can."""
    i: int32_t
    done: cython.int
    m.effort -= m.head_count
    if m.effort < 0:
        blame(m, m.cursors + m.heads[0].cursor)
        return fail(m, layout.F_EFFORT, 0, m.head_count)
    sort_heads(m.heads, m.head_count)
    for i in range(1, m.head_count):
        done = step(m, handlers, i)
        if done != 0:
            return done
    blame(m, m.cursors + m.heads[0].cursor)
    return fail(m, layout.F_STUCK, m.cursors[m.heads[0].cursor].type, m.head_count)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def advance(m: MachineP, handlers: HandlerP, most: cython.int) -> cython.int:
    """Lets up to `most` events happen; how many. 0 if no more come, be it for a fault."""
    done: cython.int
    count: cython.int = 0
    while count < most and not m.fault:
        if m.sample_count and (m.head_count == 0 or m.samples[0] < m.heads[0].time):
            m.samples[0] = stamp_at(m, m.samples[0])  # a sample is an event, too
            m.samples += 1
            m.sample_count -= 1
            continue
        if m.head_count == 0:
            break
        done = step(m, handlers, 0)
        if done == 0:
            done = step_any(m, handlers)
        count += done > 0
    return count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def share(m: MachineP) -> cython.double:
    """How much of the generation's bytes have become events, from 0 to 1."""
    unread: int64_t = 0
    i: int32_t
    for i in range(m.head_count):
        c: CursorP = m.cursors + m.heads[i].cursor
        unread += c.end - c.event
    return cython.cast(cython.double, m.opened - unread) / (m.bytes + 1)
