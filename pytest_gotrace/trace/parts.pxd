from libc.stdint cimport int32_t, int64_t
from pytest_gotrace.trace.layout cimport MachineP, Part, Parts, PartsP

cdef int push_part(PartsP parts, int64_t key, int64_t time) noexcept nogil
cdef int copy_parts(PartsP to, int32_t at, const Part *rows, int32_t count) noexcept nogil
cdef int put_parts(MachineP m, int owner, int64_t row, PartsP parts) noexcept nogil

# Adds to the part of that name, which may be new; 0 if there is no memory.
cdef inline int add_part(PartsP parts, int64_t key, int64_t time) noexcept nogil:
    cdef int32_t i
    for i in range(parts.count):
        if parts.rows[i].key == key:
            parts.rows[i].time += time
            return 1
    return push_part(parts, key, time)
