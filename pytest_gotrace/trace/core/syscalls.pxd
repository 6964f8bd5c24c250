from pytest_gotrace.trace.core.layout cimport Handler

cdef void install(Handler *handlers) noexcept
