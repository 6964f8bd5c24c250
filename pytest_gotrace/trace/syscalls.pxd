from pytest_gotrace.trace.layout cimport Handler

cdef void install(Handler *handlers) noexcept
