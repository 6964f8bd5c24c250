from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from pytest_gotrace.trace.layout cimport BLOCK, EXEC, F_MEMORY, F_REASONS, GoroutineP, IN_SYSCALL, MachineP, RegionP, RUNNABLE
from pytest_gotrace.trace.layout cimport RUNNING, RUNS, SCHED_WAIT, STOPS, SYSCALL, SYSCALL_BLOCK, WAITING, WAITS
from pytest_gotrace.trace.machine cimport fail
from pytest_gotrace.trace.parts cimport add_part
from pytest_gotrace.trace.sheets cimport add, narrow

cdef GoroutineP begin_life(MachineP m, int32_t slot, uint8_t status, int32_t stack, int64_t now) noexcept nogil
cdef void begin_syscall(MachineP m, int32_t slot, int32_t proc) noexcept nogil
cdef void lose_proc(MachineP m, int32_t proc, int64_t now) noexcept nogil
cdef void end_syscall(MachineP m, GoroutineP g, int64_t now) noexcept nogil
cdef int block_forever(MachineP m, GoroutineP g, int64_t now) noexcept nogil
cdef int end_life(MachineP m, int32_t slot, int64_t now) noexcept nogil
cdef int finish_life(MachineP m, GoroutineP g, int64_t now) noexcept nogil
cdef int snapshot(MachineP m, GoroutineP g, int64_t now) noexcept nogil
cdef RegionP push_region(GoroutineP g) noexcept nogil
cdef int put_region(MachineP m, GoroutineP g, RegionP r, int64_t start, int64_t end) noexcept nogil

cdef enum:
    MOST_PARTS = 64      # names of parts a goroutine may have; Go's runtime knows some forty

# The row of the state a goroutine is in, from its begin to `end` (-1: it goes on); what it does not say is left out.
cdef inline int put_state(MachineP m, GoroutineP g, int64_t end, int32_t waker, int32_t waker_stack) noexcept nogil:
    cdef uint32_t *row
    cdef int sheet = STOPS
    if g.status <= RUNNING and (g.reason | g.stack) == 0:
        row = <uint32_t *> add(m.rows[RUNS])
        if row == NULL:
            return fail(m, F_MEMORY, 0, 0)
        row[0] = <uint32_t> g.life << 1 | (g.status == RUNNABLE)
        row[1] = narrow(m, RUNS, 1, end, m.sync)
        row[2] = narrow(m, RUNS, 2, end - g.begin, 0)
        return 1
    if waker >= 0 or waker_stack != 0:
        sheet = WAITS
    row = <uint32_t *> add(m.rows[sheet])
    if row == NULL:
        return fail(m, F_MEMORY, 0, 0)
    row[0] = g.life
    row[1] = narrow(m, sheet, 1, end, m.sync)
    row[2] = narrow(m, sheet, 2, end - g.begin, 0)
    row[3] = <uint32_t> g.reason << 3 | g.status
    row[4] = g.stack
    if sheet == WAITS:
        row[5] = waker
        row[6] = waker_stack
    return 1

# The goroutine leaves its state: the row of it, and its time where it counts. The next one is to be entered.
cdef inline int leave(MachineP m, GoroutineP g, int64_t now, int32_t waker, int32_t waker_stack) noexcept nogil:
    if put_state(m, g, now, waker, waker_stack) < 0:
        return -1
    if g.status == RUNNING:
        g.times[EXEC] += now - g.since
    elif g.status == RUNNABLE:
        g.times[SCHED_WAIT] += now - g.since
    elif g.status == SYSCALL:
        end_syscall(m, g, now)
    elif not g.final:
        if not add_part(&g.parts, <int64_t> g.reason << 2 | BLOCK, now - g.since):
            return fail(m, F_MEMORY, 0, 0)
        if g.parts.count > MOST_PARTS:
            return fail(m, F_REASONS, g.id, 0)
    return 1

# The goroutine is in a new state since now, for a reason, where `stack` says.
cdef inline void enter(MachineP m, GoroutineP g, uint8_t status, int32_t reason, int32_t stack, int64_t now) noexcept nogil:
    g.status = status
    g.reason = reason
    g.stack = stack
    g.begin = now
    g.since = now
    if g.name == 0:
        g.name = m.roots[stack]
    if status == RUNNING and g.start == 0:
        g.start = now
