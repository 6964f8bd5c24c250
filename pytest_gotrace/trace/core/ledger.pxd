from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from pytest_gotrace.trace.core.layout cimport BLOCK, EXEC, F_MEMORY, F_REASONS, GoroutineP, MachineP, PartsP, RegionP
from pytest_gotrace.trace.core.layout cimport RUNNING, RUNS, SCHED_WAIT, STOPS, WAITS
from pytest_gotrace.trace.core.machine cimport fail
from pytest_gotrace.trace.core.parts cimport add_part
from pytest_gotrace.trace.core.sheets cimport NEVER, add, narrow

cdef GoroutineP begin_life(MachineP m, int32_t slot, uint8_t status, int32_t stack, int64_t now) noexcept nogil
cdef void begin_syscall(MachineP m, int32_t slot, int32_t proc) noexcept nogil
cdef void lose_proc(MachineP m, int32_t proc, int64_t now) noexcept nogil
cdef void end_syscall(MachineP m, GoroutineP g, int64_t now) noexcept nogil
cdef int block_forever(MachineP m, GoroutineP g, int64_t now) noexcept nogil
cdef int end_life(MachineP m, int32_t slot, int64_t now) noexcept nogil
cdef int finish_life(MachineP m, GoroutineP g, int64_t now) noexcept nogil
cdef int snapshot(MachineP m, GoroutineP g, int64_t now, int64_t *times, PartsP to) noexcept nogil
cdef RegionP push_region(GoroutineP g) noexcept nogil
cdef int put_region(MachineP m, GoroutineP g, RegionP r, int64_t start, int64_t end) noexcept nogil

cdef enum:
    MOST_PARTS = 64      # names of parts a goroutine may have; Go's runtime knows some forty

# The row of a goroutine running, and of its being ready before, if there is nothing to say but how long it was.
cdef inline int put_run(MachineP m, GoroutineP g, int64_t end) noexcept nogil:
    cdef uint32_t *row = <uint32_t *> add(&m.rows[RUNS], 16)
    if row == NULL:
        return fail(m, F_MEMORY, 0, 0)
    row[0] = g.life
    row[1] = narrow(m, RUNS, 1, end, m.sync)
    row[2] = narrow(m, RUNS, 2, end - g.begin, 0)
    row[3] = narrow(m, RUNS, 3, g.ready, 0) if g.ready >= 0 else NEVER
    g.ready = -1
    return 1

# The row of the state a goroutine is in, from its begin to `end` (-1: it goes on).
cdef inline int put_stop(MachineP m, GoroutineP g, int64_t end) noexcept nogil:
    cdef uint32_t *row = <uint32_t *> add(&m.rows[STOPS], 20)
    if row == NULL:
        return fail(m, F_MEMORY, 0, 0)
    row[0] = g.life
    row[1] = narrow(m, STOPS, 1, end, m.sync)
    row[2] = narrow(m, STOPS, 2, end - g.begin, 0)
    row[3] = <uint32_t> g.reason << 3 | g.status
    row[4] = g.stack
    return 1

# The row of a state that somebody ended.
cdef inline int put_wait(MachineP m, GoroutineP g, int64_t end, int32_t waker, int32_t waker_stack) noexcept nogil:
    cdef uint32_t *row = <uint32_t *> add(&m.rows[WAITS], 28)
    if row == NULL:
        return fail(m, F_MEMORY, 0, 0)
    row[0] = g.life
    row[1] = narrow(m, WAITS, 1, end, m.sync)
    row[2] = narrow(m, WAITS, 2, end - g.begin, 0)
    row[3] = <uint32_t> g.reason << 3 | g.status
    row[4] = g.stack
    row[5] = waker
    row[6] = waker_stack
    return 1

# A goroutine leaves its state: the row of it, and its time where it counts. The next one is to be entered.
cdef inline int leave_running(MachineP m, GoroutineP g, int64_t now) noexcept nogil:
    g.times[EXEC] += now - g.begin
    return put_stop(m, g, now) if g.stack else put_run(m, g, now)

cdef inline int leave_runnable(MachineP m, GoroutineP g, int64_t now) noexcept nogil:
    cdef int64_t ready = now - g.begin
    g.times[SCHED_WAIT] += ready
    if g.stack | g.reason:
        return put_stop(m, g, now)
    g.ready = ready
    return 1

cdef inline int leave_waiting(MachineP m, GoroutineP g, int64_t now, int32_t waker, int32_t waker_stack) noexcept nogil:
    if not g.final:
        if not add_part(&g.parts, <int64_t> g.reason << 2 | BLOCK, now - g.begin):
            return fail(m, F_MEMORY, 0, 0)
        if g.parts.count > MOST_PARTS:
            return fail(m, F_REASONS, g.id, 0)
    return put_wait(m, g, now, waker, waker_stack)

cdef inline int leave_syscall(MachineP m, GoroutineP g, int64_t now) noexcept nogil:
    end_syscall(m, g, now)
    return put_stop(m, g, now)

# The goroutine is in a new state from now on, for a reason, where `stack` says.
cdef inline void enter(MachineP m, GoroutineP g, uint8_t status, int32_t reason, int32_t stack, int64_t now) noexcept nogil:
    g.status = status
    g.reason = reason
    g.stack = stack
    g.begin = now
    if g.name == 0:
        g.name = m.roots[stack]
    if status == RUNNING and g.start == 0:
        g.start = now
