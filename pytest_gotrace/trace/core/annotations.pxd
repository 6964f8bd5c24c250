from pytest_gotrace.trace.core.layout cimport Handler, MachineP

cdef void install(Handler *handlers) noexcept
cdef int put_tasks(MachineP m) noexcept nogil
