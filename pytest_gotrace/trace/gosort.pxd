from libc.stdint cimport int32_t, int64_t

# A thread's next event on the frontier, by its time.
cdef struct Head:
    int64_t time
    int32_t cursor

ctypedef Head *HeadP

cdef void sort_heads(HeadP heads, int32_t count) noexcept nogil
