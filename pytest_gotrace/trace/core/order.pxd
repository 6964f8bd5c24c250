from libc.stdint cimport int32_t
from pytest_gotrace.trace.core.layout cimport CursorP, HandlerP, MachineP

cdef int next_event(MachineP m, CursorP c) noexcept nogil
cdef void blame(MachineP m, CursorP c) noexcept nogil
cdef void push_head(MachineP m, int32_t cursor) noexcept nogil
cdef int advance(MachineP m, HandlerP handlers, int most) noexcept nogil
cdef double share(MachineP m) noexcept nogil
