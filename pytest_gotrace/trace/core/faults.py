"""Why the events of a trace cannot be, in words."""

from cython.cimports.pytest_gotrace.trace.core import layout as wire

# A sentence for each fault; {event} is the event's name, {value} and {other} what the fault is about.
FAULTS = {
    wire.F_NOT_TIMED: "byte {value} begins no event of this wire format",
    wire.F_CUT_OFF: "an event does not fit in its batch, or holds a number of more than 64 bits",
    wire.F_MEMORY: "there is no memory for what the trace holds",
    wire.F_STUCK: "no thread can go on: {event}, the earliest of {other} waiting, needs what never comes",
    wire.F_EFFORT: "the order of the events of {other} threads cannot be found with any reasonable effort",
    wire.F_STRING: "string {value} is not in the generation's table",
    wire.F_STACK: "stack {value} is not in the generation's table",
    wire.F_NO_THREAD: "{event} outside of any thread",
    wire.F_NO_PROC: "{event} on thread {other}, which has no processor",
    wire.F_NO_GOROUTINE: "{event} on thread {other}, which runs no goroutine",
    wire.F_HAS_GOROUTINE: "{event} on thread {other}, which runs a goroutine already",
    wire.F_GOROUTINE_STATE: "an event does not fit the state ({other}) that goroutine {value} is in",
    wire.F_GOROUTINE_STATUS: "goroutine {value} has status {other}, expected 1 to 4",
    wire.F_GOROUTINE_NEW: "goroutine {value} turns up after the first generation without having been created",
    wire.F_GOROUTINE_TWICE: "goroutine {value} is created, but exists already",
    wire.F_GOROUTINE_UNKNOWN: "a range goes on in goroutine {value}, which nothing was heard of",
    wire.F_GOROUTINE_THREAD: "goroutine {value} is said to be in a system call on thread {other}, which it is not",
    wire.F_PROC_STATE: "an event does not fit the state ({other}) that processor {value} is in",
    wire.F_PROC_STATUS: "processor {value} has status {other}, expected 1 to 4",
    wire.F_PROC_UNKNOWN: "a range goes on on processor {value}, which nothing was heard of",
    wire.F_PROC_SEQUENCE: "a system call has number {other} on processor {value}, which is not the next one",
    wire.F_PROC_THREAD: "processor {value} is taken from thread {other}, which does not have it",
    wire.F_GC: "a garbage collection begins, goes on or ends that cannot (state {other})",
    wire.F_RANGE_TWICE: "{event} of {other}, for which that range is under way already",
    wire.F_RANGE_MISSING: "{event} of {other}, for which no such range is under way",
    wire.F_RANGE_DEEP: "goroutine {other} stops the world more than four times over",
    wire.F_TASK_TWICE: "task {value} begins, but has begun already",
    wire.F_REGION: "goroutine {value} ends a region that is not the innermost one it is in",
    wire.F_REASONS: "goroutine {value} blocks for more than 64 different reasons",
    wire.F_BUDGET: "regions are nested deeper than any program could within a file of this size",
}
