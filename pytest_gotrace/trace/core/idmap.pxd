from libc.stdint cimport int32_t, int64_t, uint64_t

cdef struct IdMap:
    uint64_t *keys
    int32_t *values
    uint64_t mask
    uint64_t factor      # another one in every process
    int32_t shift        # leaves as many of 64 bits as the mask has
    int64_t used

cdef int make(IdMap *ids) noexcept nogil
cdef void drop(IdMap *ids) noexcept nogil
cdef int insert(IdMap *ids, uint64_t key, int32_t value) noexcept nogil
cdef void remove(IdMap *ids, uint64_t key) noexcept nogil

# Where a search begins: the upper bits of the product, which depend on all bits of the key (multiply-shift,
# doi:10.1006/jagm.1997.0873).
cdef inline uint64_t home(const IdMap *ids, uint64_t key) noexcept nogil:
    return (key * ids.factor) >> ids.shift

# The slot of `key`, or -1.
cdef inline int32_t find(const IdMap *ids, uint64_t key) noexcept nogil:
    cdef uint64_t at = home(ids, key)
    while ids.values[at] >= 0:
        if ids.keys[at] == key:
            return ids.values[at]
        at = (at + 1) & ids.mask
    return -1
