# The shapes that the compiled modules share: what a C header would hold, and nothing that runs.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from pytest_gotrace.trace.core.idmap cimport IdMap

ctypedef const unsigned char *Bytes

cdef enum:
    NOT_TIMED = 0xFF     # no event of a thread's stream: `spec.NOT_TIMED`
    MARGIN = 64          # an event has at most 51 bytes: so far may be read without a look at the end

# The events of a thread's stream, by their first byte; the rows of `spec.SPECS` (a test keeps the two alike).
cdef enum:  # Wire
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

# Ranges, as the keys of parts have them.
cdef enum Range:
    RANGE_GC = 1
    RANGE_SWEEP
    RANGE_ASSIST

# How the key of a part ends: blocked for a reason, in a range, in a stop of the world for a reason.
cdef enum PartKey:
    BLOCK = 0
    RANGE = 1
    STOP = 2

# Why an event cannot be; `faults.FAULTS` has the sentences.
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

# The tables that are filled, in the order of `emulator.SHEETS`.
cdef enum:
    RUNS             # a goroutine running, and being ready before that
    STATES           # another state, or one with a reason or a stack
    WAITS            # a state that somebody ended
    GOROUTINES
    REGIONS
    PARTS
    TASKS
    LOGS
    RANGES
    METRICS
    IDS              # of goroutines, by life
    LATE             # what does not fit in 32 bits where it belongs
    SHEETS

# Rows that are being filled, of `width` bytes each; whoever owns them is asked for more room.
cdef struct Rows:
    char *next
    char *limit
    char *data
    int64_t width
    void *owner

ctypedef Rows *RowsP

# Codes by the IDs of one generation.
cdef struct Codes:
    const int32_t *codes
    const uint64_t *ids  # sorted; NULL: the ID is the index
    int64_t count

ctypedef const Codes *CodesP

# Time under one name. The key is a code of a string or a `Range`, shifted by two, and which of them: a `PartKey`.
cdef struct Part:
    int64_t key
    int64_t time

cdef struct Parts:
    Part *rows
    int32_t count
    int32_t capacity

ctypedef Parts *PartsP

# A range under way on a goroutine: since when its time counts (0: not), and where it began (-1: before the trace).
cdef struct Flight:
    int64_t key
    int64_t since
    int64_t begin
    int32_t stack

ctypedef Flight *FlightP

# Where the time of a goroutine goes that is not in its parts.
cdef enum:
    EXEC
    SCHED_WAIT
    IN_SYSCALL
    SYSCALL_BLOCK
    TOTAL
    TIMES

cdef struct Region:
    int64_t start
    int64_t task
    int64_t times[TIMES] # of the goroutine when it began
    int32_t name
    int32_t stack
    int32_t saved        # how many parts it has on the goroutine's pile
    uint8_t inherited

ctypedef Region *RegionP

# What a goroutine has open besides its state; many have nothing.
cdef struct Open:
    Parts saved          # what its regions keep of the parts
    Region *regions
    int32_t region_count
    int32_t region_capacity
    Flight *flights
    int32_t flight_count
    int32_t flight_capacity
    int32_t stops[4]     # reasons of the stops of the world under way

cdef struct Goroutine:
    uint64_t id
    uint64_t seq
    int32_t era          # the generation that seq counts in
    int32_t life         # tells apart goroutines that had the same id one after the other
    uint8_t status
    uint8_t assisting
    uint8_t stopping     # how many stops of the world are under way
    uint8_t final        # blocked for ever: Go takes it for an end
    # The state it is in.
    int32_t reason
    int32_t stack
    int32_t name
    int64_t begin
    int64_t ready        # how long it was ready before it runs now, if there is no row of that; else -1
    int64_t times[TIMES]
    Parts parts
    int64_t create
    int64_t start        # 0: not yet, as `end`
    int64_t end
    int64_t blocked      # since when it has been in a system call without a processor, 0 if it is not
    Open *open
    int32_t creator      # its life
    int32_t creation_stack
    int32_t syscall_proc

ctypedef Goroutine *GoroutineP

cdef struct Proc:
    uint64_t id
    uint64_t seq
    int32_t era
    uint8_t status
    uint8_t sweeping
    int32_t syscalling   # the goroutine whose system call it serves, -1 for none
    int32_t sweeper      # the life that swept when the sweep began, -1 for none
    int32_t sweep_stack
    int64_t sweep_begin  # 0: no sweep, -1: since before the trace

ctypedef Proc *ProcP

cdef struct Thread:
    uint64_t id
    int32_t goroutine    # that runs on it, -1 for none
    int32_t proc
    uint8_t seen         # has any event been about it yet?

ctypedef Thread *ThreadP

cdef struct Task:
    int64_t id
    int64_t parent
    int64_t start
    int64_t end
    int64_t logs
    int64_t regions
    int64_t begun_parent
    int32_t name
    int32_t begun_name
    uint8_t begun

ctypedef Task *TaskP

# A thread's stream.
cdef struct Cursor:
    Bytes event          # the next event
    Bytes args           # its arguments
    Bytes at             # what follows it
    Bytes end            # of the batch
    Bytes origin         # where the batch lies in memory
    int64_t offset       # where it lies in the file
    int64_t time         # of the next event
    int32_t thread
    int32_t batch        # the next batch of the thread, -1 if this was the last
    uint8_t type

ctypedef Cursor *CursorP

# The next event of a thread, by its time.
cdef struct Head:
    int64_t time
    int32_t cursor

ctypedef Head *HeadP

# Go's scheduler as far as the trace tells of it, and the streams that drive it.
cdef struct Machine:
    # The file and the generation.
    Bytes data
    int64_t size
    uint8_t counts[256]  # of arguments, by type of event; NOT_TIMED: there is none in this wire format
    Bytes tail
    int64_t tail_offset
    const uint64_t *batches
    int32_t *next_batch
    double frequency
    int64_t bytes        # of all batches
    int64_t opened       # of those begun
    int32_t era
    int64_t sync         # when the generation began; times in rows count from here
    Codes strings
    Codes stacks
    int64_t *samples
    int64_t sample_count
    # The frontier: a heap of each thread's next event.
    Cursor *cursors
    Head *heads
    int32_t head_count
    # The scheduler.
    Goroutine *goroutines
    int32_t goroutine_count
    int32_t goroutine_capacity
    int32_t *free_goroutines
    int32_t free_count
    int32_t lives
    Proc *procs
    int32_t proc_count
    int32_t proc_capacity
    Thread *threads
    int32_t thread_count
    int32_t thread_capacity
    Task *tasks
    int32_t task_count
    int32_t task_capacity
    int32_t latest_task
    IdMap goroutine_ids
    IdMap proc_ids
    IdMap thread_ids
    IdMap task_ids
    uint64_t gc_seq
    uint8_t gc_state     # 0 unknown, 1 off, 2 on
    int64_t gc_begin     # 0: not running, -1: since before the trace
    int32_t gc_stack
    # What is known of the names.
    const int32_t *roots
    const uint8_t *system
    int32_t forever
    # What comes out.
    Rows rows[SHEETS]
    Parts snapshot       # of one goroutine, now
    int64_t times[TIMES] # the same goroutine's
    int64_t last_time
    int64_t events
    # How much a file may ask for: attempts in vain, rows of parts.
    int64_t effort
    int64_t budget
    # What went wrong.
    int32_t fault
    int64_t fault_offset
    uint64_t fault_value
    uint64_t fault_other

ctypedef Machine *MachineP

# What an event does. Answers 1 (advanced), 0 (not yet: try another thread) or -1 (cannot be: a fault is noted).
ctypedef int (*Handler)(MachineP m, CursorP c, ThreadP t) noexcept nogil

ctypedef Handler *HandlerP
