from libc.stdint cimport int32_t, int64_t, uint64_t

cdef struct IdMap:
    uint64_t *keys
    int32_t *values
    uint64_t mask
    int32_t shift        # leaves as many of 64 bits as the mask has
    int64_t used

cdef int make(IdMap *ids) noexcept nogil
cdef void drop(IdMap *ids) noexcept nogil
cdef int32_t find(const IdMap *ids, uint64_t key) noexcept nogil
cdef int insert(IdMap *ids, uint64_t key, int32_t value) noexcept nogil
cdef void remove(IdMap *ids, uint64_t key) noexcept nogil
