from libc.stdint cimport int32_t, int64_t, uint8_t

cdef class Columns:
    cdef char *data[16]
    cdef int widths[16]
    cdef int count
    cdef readonly int64_t rows
    cdef int64_t capacity
    cdef object dtypes
    cdef int grow(self) noexcept nogil
    cdef void put8(self, int column, int64_t value) noexcept nogil
    cdef void put4(self, int column, int32_t value) noexcept nogil
    cdef void put1(self, int column, uint8_t value) noexcept nogil
