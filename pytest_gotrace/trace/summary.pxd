from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from pytest_gotrace.trace.columns cimport Columns, Rows
from pytest_gotrace.trace.idmap cimport IdMap
from pytest_gotrace.trace.layout cimport Event

# Time under one name: a reason to block, or a range.
cdef struct Part:
    int64_t key
    int64_t time

cdef struct Parts:
    Part *rows
    int32_t count
    int32_t capacity

# A range under way on a goroutine: since when its time counts (0: not), and where it began (-1: before the trace).
cdef struct Flight:
    int64_t key
    int64_t since
    int64_t begin
    int32_t stack

cdef struct Region:
    int64_t start
    int64_t task
    int64_t times[5]
    int32_t name
    int32_t stack
    int32_t saved        # how many parts its snapshot has on the goroutine's pile
    uint8_t inherited

cdef enum Time:
    EXEC
    SCHED_WAIT
    IN_SYSCALL
    SYSCALL_BLOCK
    TOTAL

# What a goroutine has done so far.
cdef struct Life:
    int64_t id
    int64_t begin        # of the state it is in, as a row
    int64_t since        # of the state it is in, as far as it counts
    int32_t reason
    int32_t stack
    int32_t name
    uint8_t state
    uint8_t live
    uint8_t final        # blocked for ever: Go takes it for an end
    int64_t times[5]
    int64_t create
    int64_t start
    int64_t end
    int64_t blocked      # since when it has been in a system call without a processor, 0 if it is not
    Parts parts
    Parts saved
    Region *regions
    int32_t region_count
    int32_t region_capacity
    Flight *flights
    int32_t flight_count
    int32_t flight_capacity
    int32_t number       # distinguishes those that had the same id one after the other
    int64_t creator
    int32_t creation_stack
    int32_t syscall_proc

cdef struct ProcLife:
    int32_t syscalling   # the goroutine whose system call it serves, -1 for none
    int64_t id
    int32_t sweeper      # number of the goroutine that swept when the sweep began, -1 for none
    int64_t sweep_begin  # 0: no sweep
    int32_t sweep_stack

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

cdef struct State:
    Rows *states
    Rows *goroutines
    Rows *regions
    Rows *tasks_rows
    Rows *logs
    Rows *ranges
    Rows *parts
    Rows *metrics
    Life *lives
    int64_t life_count
    int64_t life_capacity
    int32_t lives_begun
    ProcLife *procs
    int32_t proc_count
    Task *tasks
    int32_t task_count
    int32_t task_capacity
    int32_t latest_task
    IdMap task_ids
    Parts snapshot
    int64_t times[5]     # of the snapshot
    int64_t sync
    int64_t gc_begin     # 0: not running, -1: since before the trace
    int32_t gc_stack
    const int32_t *roots
    const uint8_t *system
    int32_t forever
    int64_t budget       # rows of parts that may still be made
    int32_t fault
    int64_t fault_value

ctypedef State *StateP
ctypedef Life *LifeP
ctypedef Rows *RowsP
ctypedef Region *RegionP
ctypedef Parts *PartsP
ctypedef Flight *FlightP
ctypedef Task *TaskP
ctypedef ProcLife *ProcLifeP
ctypedef const Event *EventP

cdef class Summary:
    cdef State state
    cdef dict tables
    cdef object names
    cdef Event *buffer
