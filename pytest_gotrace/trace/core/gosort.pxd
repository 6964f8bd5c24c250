from libc.stdint cimport int32_t
from pytest_gotrace.trace.core.layout cimport Head, HeadP

cdef void sort_heads(HeadP heads, int32_t count) noexcept nogil

cdef inline void swap(HeadP heads, int32_t i, int32_t j) noexcept nogil:
    cdef Head kept = heads[i]
    heads[i] = heads[j]
    heads[j] = kept
