from libc.stdint cimport int32_t, int64_t
from pytest_gotrace.trace.core.layout cimport MachineP, Part, Parts, PartsP

cdef int more_parts(PartsP parts, int32_t count) noexcept nogil
cdef int put_parts(MachineP m, int owner, int64_t row, PartsP parts) noexcept nogil

# Puts `count` parts at place `at` of `to`, where it ends; 0 if there is no memory.
cdef inline int copy_parts(PartsP to, int32_t at, const Part *rows, int32_t count) noexcept nogil:
    cdef int32_t i
    if to.capacity < at + count and not more_parts(to, at + count):
        return 0
    for i in range(count):
        to.rows[at + i] = rows[i]
    to.count = at + count
    return 1

# Adds to the part of that name among those from `first` on, which may be new; 0 if there is no memory.
cdef inline int add_part_from(PartsP parts, int32_t first, int64_t key, int64_t time) noexcept nogil:
    cdef int32_t i
    for i in range(first, parts.count):
        if parts.rows[i].key == key:
            parts.rows[i].time += time
            return 1
    if parts.count == parts.capacity and not more_parts(parts, parts.count + 1):
        return 0
    parts.rows[parts.count].key = key
    parts.rows[parts.count].time = time
    parts.count += 1
    return 1

cdef inline int add_part(PartsP parts, int64_t key, int64_t time) noexcept nogil:
    return add_part_from(parts, 0, key, time)
