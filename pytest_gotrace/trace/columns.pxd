from libc.stdint cimport int32_t, int64_t, uint8_t

# Equally long columns that are being filled: a row is written at index count, and counted after.
cdef struct Rows:
    char *data[16]
    int64_t count
    int64_t capacity
    void *owner          # the Columns, which is asked for more room

cdef struct Block:
    char *start
    size_t size

cdef class Columns:
    cdef Rows rows
    cdef list dtypes
    cdef list memory
    cdef list nothing    # its arrays without rows
    cdef void allocate(self, int64_t capacity) except *

cdef int grow(Rows *rows) noexcept nogil
cdef int nearly_full(Rows *rows) noexcept nogil
cdef int foresee(Rows *rows, double share) noexcept nogil
