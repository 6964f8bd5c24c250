# The shapes that the compiled modules share: what a C header would hold, and nothing that runs.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

ctypedef const unsigned char *Bytes

cdef enum:
    NOT_TIMED = 0xFF     # no event of a thread's stream: `spec.NOT_TIMED`
    MARGIN = 64          # an event has at most 51 bytes: so far may be read without a look at the end
    CHUNK = 512          # events that go from the ordering to the summary at once: as many as the fast caches hold

# The events of a thread's stream, by their first byte; the rows of `spec.SPECS` (a test keeps the two alike).
cdef enum Wire:
    EV_PROCS_CHANGE = 9
    EV_PROC_START
    EV_PROC_STOP
    EV_PROC_STEAL
    EV_PROC_STATUS
    EV_GO_CREATE
    EV_GO_CREATE_SYSCALL
    EV_GO_START
    EV_GO_DESTROY
    EV_GO_DESTROY_SYSCALL
    EV_GO_STOP
    EV_GO_BLOCK
    EV_GO_UNBLOCK
    EV_GO_SYSCALL_BEGIN
    EV_GO_SYSCALL_END
    EV_GO_SYSCALL_END_BLOCKED
    EV_GO_STATUS
    EV_STW_BEGIN
    EV_STW_END
    EV_GC_ACTIVE
    EV_GC_BEGIN
    EV_GC_END
    EV_GC_SWEEP_ACTIVE
    EV_GC_SWEEP_BEGIN
    EV_GC_SWEEP_END
    EV_GC_MARK_ASSIST_ACTIVE
    EV_GC_MARK_ASSIST_BEGIN
    EV_GC_MARK_ASSIST_END
    EV_HEAP_ALLOC
    EV_HEAP_GOAL
    EV_GO_LABEL
    EV_USER_TASK_BEGIN
    EV_USER_TASK_END
    EV_USER_REGION_BEGIN
    EV_USER_REGION_END
    EV_USER_LOG
    EV_GO_SWITCH
    EV_GO_SWITCH_DESTROY
    EV_GO_CREATE_BLOCKED
    EV_GO_STATUS_STACK

# What a goroutine does; Go's numbers on the wire, and the members of `table.State`.
cdef enum GoState:
    GONE = 0
    RUNNABLE = 1
    RUNNING = 2
    SYSCALL = 3
    WAITING = 4

cdef enum ProcState:
    PROC_RUNNING = 1
    PROC_IDLE = 2
    PROC_SYSCALL = 3
    PROC_ABANDONED = 4

# What the ordering tells the summary; wire events that mean the same to it share a kind.
cdef enum Kind:
    K_FIRST          # target was there before the trace: value its id, state, own_stack
    K_CREATE         # target is new: value its id, state, own_stack; stack is its creator's
    K_CHANGE         # target goes over into state, for the reason text; own_stack its stack, stack its waker's
    K_DESTROY        # target ends
    K_PROC_IDLE      # proc target stops
    K_RANGE_BEGIN    # state is the family, text the kind of a stop-the-world, target goroutine or proc
    K_RANGE_ACTIVE
    K_RANGE_END
    K_TASK_BEGIN     # value its id, other its parent, text its name
    K_TASK_END
    K_REGION_BEGIN   # value its task, text its name
    K_REGION_END
    K_LOG            # value its task, text category, own_stack message
    K_METRIC         # state which one, value

cdef enum Family:
    RANGE_GC = 1
    RANGE_SWEEP
    RANGE_ASSIST
    RANGE_STW

# One ordered event. Goroutines and procs are slots (-1 for none), strings and stacks the file-wide codes.
cdef struct Event:
    int64_t time
    uint64_t value
    uint64_t other
    int32_t goroutine
    int32_t proc
    int32_t target
    int32_t text
    int32_t stack
    int32_t own_stack
    uint8_t kind
    uint8_t state

# Why an event cannot be; `order.FAULTS` has the sentences.
cdef enum Fault:
    F_NONE
    F_NOT_TIMED
    F_CUT_OFF
    F_MEMORY
    F_STUCK
    F_EFFORT
    F_STRING
    F_STACK
    F_NO_THREAD
    F_NO_PROC
    F_HAS_PROC
    F_NO_GOROUTINE
    F_HAS_GOROUTINE
    F_GOROUTINE_STATE
    F_GOROUTINE_STATUS
    F_GOROUTINE_NEW
    F_GOROUTINE_TWICE
    F_GOROUTINE_UNKNOWN
    F_GOROUTINE_THREAD
    F_PROC_STATE
    F_PROC_STATUS
    F_PROC_UNKNOWN
    F_PROC_SEQUENCE
    F_PROC_THREAD
    F_GC
    F_RANGE_TWICE
    F_RANGE_MISSING
    F_RANGE_DEEP
    F_TASK_TWICE
    F_REGION
    F_REASONS
    F_BUDGET
