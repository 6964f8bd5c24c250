from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from pytest_gotrace.trace.gosort cimport Head
from pytest_gotrace.trace.idmap cimport IdMap
from pytest_gotrace.trace.layout cimport Bytes, Event

cdef struct Goroutine:
    uint64_t id
    uint64_t seq
    int32_t era          # the generation that seq counts in
    uint8_t status
    uint8_t assisting
    uint8_t stopping     # how many of stops are in use
    int32_t stops[4]     # kinds of stop-the-world under way

cdef struct Proc:
    uint64_t id
    uint64_t seq
    int32_t era
    uint8_t status
    uint8_t sweeping

cdef struct Thread:
    uint64_t id
    int32_t goroutine    # that runs on it, -1 for none
    int32_t proc
    uint8_t seen         # has any event been about it yet?

cdef struct Codes:
    const int32_t *codes
    const uint64_t *ids  # NULL: the ID is the index
    int64_t count

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

# The state of a scheduler, and the streams that drive it.
cdef struct Order:
    # The file and the generation.
    Bytes data
    int64_t size
    Bytes tail
    int64_t tail_offset
    uint8_t counts[256]
    const uint64_t *batches
    int32_t *next_batch
    double frequency
    int64_t bytes        # of all batches
    int64_t opened       # of those begun
    int32_t era
    Codes strings
    Codes stacks
    const int64_t *samples
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
    Proc *procs
    int32_t proc_count
    int32_t proc_capacity
    Thread *threads
    int32_t thread_count
    int32_t thread_capacity
    IdMap goroutine_ids
    IdMap proc_ids
    IdMap thread_ids
    uint64_t gc_seq
    uint8_t gc_state     # 0 unknown, 1 off, 2 on
    # What comes out.
    Event *out
    int32_t out_count
    int64_t last_time
    int64_t effort       # attempts that may still be made in vain
    int64_t events
    # What went wrong.
    int32_t fault
    int64_t fault_offset
    uint64_t fault_value
    uint64_t fault_other

ctypedef Order *OrderP
ctypedef Cursor *CursorP
ctypedef Thread *ThreadP
ctypedef Goroutine *GoroutineP
ctypedef Proc *ProcP
ctypedef Event *EventP
ctypedef const Codes *CodesP

cdef class Ordering:
    cdef Order order
    cdef object data
    cdef object generation
    cdef object tables
    cdef object links
    cdef const unsigned char[::1] view
    cdef int fill(self, Event *out, int capacity) noexcept nogil
    cdef double share(self) noexcept nogil
