from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from pytest_gotrace.trace.core.layout cimport CursorP, GoroutineP, MachineP, Open, ThreadP
from pytest_gotrace.trace.core.layout cimport F_CUT_OFF, F_GOROUTINE_STATE, F_STACK, F_STRING
from pytest_gotrace.trace.core.wire cimport code

cdef int fail(MachineP m, int fault, uint64_t value, uint64_t other) noexcept nogil
cdef int runs_not(MachineP m, CursorP c, ThreadP t) noexcept nogil
cdef int32_t new_goroutine(MachineP m, uint64_t key) noexcept nogil
cdef void end_goroutine(MachineP m, int32_t slot) noexcept nogil
cdef int32_t new_proc(MachineP m, uint64_t key, uint8_t status) noexcept nogil
cdef int32_t new_thread(MachineP m, uint64_t key) noexcept nogil
cdef Open *opened(GoroutineP g) noexcept nogil

# The time an event is given: its own, or just after the event before it. Counts the event.
cdef inline int64_t stamp(MachineP m, CursorP c) noexcept nogil:
    cdef int64_t time = c.time
    if time <= m.last_time:
        time = m.last_time + 1
    m.last_time = time
    m.events += 1
    return time

# Why arguments cannot be: they do not fit in their batch.
cdef inline int cut_off(MachineP m) noexcept nogil:
    return fail(m, F_CUT_OFF, 0, 0)

# 1 if the thread runs a goroutine on a processor, as user code needs.
cdef inline int runs(MachineP m, CursorP c, ThreadP t) noexcept nogil:
    if t.goroutine >= 0 and t.proc >= 0 and c.thread != 0:
        return 1
    return runs_not(m, c, t)

# 1 if the thread has a processor.
cdef inline int has_proc(MachineP m, CursorP c, ThreadP t) noexcept nogil:
    if t.proc >= 0 and c.thread != 0:
        return 1
    return runs_not(m, c, t)

# The goroutine on the thread, if it is in `status`; else a fault.
cdef inline GoroutineP running(MachineP m, CursorP c, ThreadP t, int status) noexcept nogil:
    cdef GoroutineP g
    if runs(m, c, t):
        g = m.goroutines + t.goroutine
        if g.status == status:
            return g
        fail(m, F_GOROUTINE_STATE, g.id, g.status)
    return NULL

# Whether number `seq` is the next one in this generation.
cdef inline bint follows(MachineP m, int32_t era, uint64_t before, uint64_t seq) noexcept nogil:
    return era == m.era and seq == before + 1

# The file-wide code of a string, or a fault and -1.
cdef inline int32_t text_of(MachineP m, uint64_t key) noexcept nogil:
    cdef int32_t found = code(&m.strings, key)
    return found if found >= 0 else fail(m, F_STRING, key, 0)

# The file-wide code of a stack, or a fault and -1.
cdef inline int32_t stack_of(MachineP m, uint64_t key) noexcept nogil:
    cdef int32_t found = code(&m.stacks, key)
    return found if found >= 0 else fail(m, F_STACK, key, 0)
