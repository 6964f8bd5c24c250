from pytest_gotrace.trace.core.layout cimport GoroutineP, Handler, MachineP

cdef void install(Handler *handlers) noexcept
cdef int put_flights(MachineP m, GoroutineP g) noexcept nogil
cdef int finish_ranges(MachineP m) noexcept nogil
