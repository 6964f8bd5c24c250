"""What the program and the runtime say themselves: tasks, regions, logs, labels, and a few numbers."""

import cython
from cython.cimports.libc.stdint import int32_t, int64_t, uint64_t
from cython.cimports.libc.stdlib import realloc
from cython.cimports.libc.string import memset
from cython.cimports.pytest_gotrace.trace.core import layout as wire
from cython.cimports.pytest_gotrace.trace.core.idmap import find, insert
from cython.cimports.pytest_gotrace.trace.core.layout import (
    Bytes,
    CursorP,
    GoroutineP,
    HandlerP,
    MachineP,
    Open,
    Region,
    RegionP,
    Task,
    TaskP,
    ThreadP,
)
from cython.cimports.pytest_gotrace.trace.core.ledger import push_region, put_region, snapshot
from cython.cimports.pytest_gotrace.trace.core.machine import (
    cut_off,
    fail,
    has_proc,
    runs,
    stack_of,
    stamp,
    text_of,
)
from cython.cimports.pytest_gotrace.trace.core.sheets import add
from cython.cimports.pytest_gotrace.trace.core.wire import took, uvarint

# The parent of a task that has none: for a task 0 says so on the wire, for a region it is the background task.
NONE = cython.declare(int64_t, -1)


# Regions.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def user_region(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    task: uint64_t = uvarint(cython.address(at))
    name_key: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    name: int32_t
    stack: int32_t
    g: GoroutineP
    if not took(c, at):
        return cut_off(m)
    if not runs(m, c, t):
        return -1
    name = text_of(m, name_key)
    stack = stack_of(m, stack_key) if name >= 0 else -1
    if stack < 0:
        return -1
    g = m.goroutines + t.goroutine
    if c.type == wire.EV_USER_REGION_BEGIN:
        return region_begin(m, g, task, name, stack, stamp(m, c))
    return region_end(m, g, task, name, stamp(m, c))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def region_begin(
    m: MachineP, g: GoroutineP, task: uint64_t, name: int32_t, stack: int32_t, now: int64_t
) -> cython.int:
    r: RegionP = push_region(g)
    tasked: TaskP = task_of(m, task)
    before: int32_t
    if r == cython.NULL or tasked == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    tasked.regions += 1
    r.start = now
    r.task = cython.cast(int64_t, task)
    r.name = name
    r.stack = stack
    before = g.open.saved.count
    if snapshot(m, g, now, r.times, cython.address(g.open.saved)) < 0:
        return -1
    r.saved = g.open.saved.count - before
    m.budget -= r.saved
    return 1 if m.budget >= 0 else fail(m, wire.F_BUDGET, 0, 0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def region_end(m: MachineP, g: GoroutineP, task: uint64_t, name: int32_t, now: int64_t) -> cython.int:
    """The innermost region of the goroutine ends, or one that began before the trace."""
    o: cython.pointer(Open) = g.open
    r: RegionP
    m.snapshot.count = 0
    if snapshot(m, g, now, m.times, cython.address(m.snapshot)) < 0:
        return -1
    if o == cython.NULL or o.region_count == 0:
        return unbegun(m, g, task, name, now)
    r = o.regions + o.region_count - 1
    if not r.inherited and (r.name != name or r.task != cython.cast(int64_t, task)):
        return fail(m, wire.F_REGION, g.id, 0)
    m.budget += r.saved
    if put_region(m, g, r, r.start, now) < 0:
        return -1
    o.saved.count -= r.saved
    o.region_count -= 1
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def unbegun(m: MachineP, g: GoroutineP, task: uint64_t, name: int32_t, now: int64_t) -> cython.int:
    before = cython.declare(Region)
    tasked: TaskP = task_of(m, task)
    if tasked == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    tasked.regions += 1
    memset(cython.address(before), 0, cython.sizeof(Region))
    before.name = name
    before.task = cython.cast(int64_t, task)
    return put_region(m, g, cython.address(before), -1, now)


# Tasks and logs.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def task_of(m: MachineP, key: uint64_t) -> TaskP:
    """The task with this id, a new one if it was not mentioned before; NULL if there is no memory."""
    slot: int32_t = m.latest_task
    t: TaskP
    if slot < m.task_count and m.tasks[slot].id == cython.cast(int64_t, key):
        return m.tasks + slot
    slot = find(cython.address(m.task_ids), key)
    if slot >= 0:
        m.latest_task = slot
        return m.tasks + slot
    if m.task_count == m.task_capacity:
        capacity: int32_t = m.task_capacity * 2 if m.task_capacity else 64
        if capacity > 1 << 29:
            return cython.NULL
        tasks: cython.p_void = realloc(m.tasks, cython.cast(cython.size_t, capacity) * cython.sizeof(Task))
        if tasks == cython.NULL:
            return cython.NULL
        m.tasks = cython.cast(TaskP, tasks)
        m.task_capacity = capacity
    if not insert(cython.address(m.task_ids), key, m.task_count):
        return cython.NULL
    t = m.tasks + m.task_count
    m.task_count += 1
    memset(t, 0, cython.sizeof(Task))
    t.id = cython.cast(int64_t, key)
    t.parent = -1
    t.start = -1
    t.end = -1
    return t


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def task_begin(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    parent: uint64_t = uvarint(cython.address(at))
    name_key: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    name: int32_t
    task: TaskP
    if not took(c, at):
        return cut_off(m)
    name = text_of(m, name_key)
    if name < 0 or stack_of(m, stack_key) < 0 or not runs(m, c, t):
        return -1
    task = task_of(m, key)
    if task == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    if task.begun:
        return fail(m, wire.F_TASK_TWICE, key, 0)
    task.begun = 1
    task.begun_name = name
    task.begun_parent = cython.cast(int64_t, parent) if parent else NONE
    task.name = name
    task.start = stamp(m, c)
    return adopt(m, key, task.begun_parent)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def task_end(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    """A task ends. Its name and parent are those of its begin, if that was seen."""
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    task: TaskP
    if not took(c, at):
        return cut_off(m)
    if stack_of(m, stack_key) < 0 or not runs(m, c, t):
        return -1
    task = task_of(m, key)
    if task == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    task.end = stamp(m, c)
    if not task.begun:
        task.name = 0
        return 1
    task.name = task.begun_name
    task.begun = 0
    return adopt(m, key, task.begun_parent)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def adopt(m: MachineP, key: uint64_t, parent: int64_t) -> cython.int:
    """Gives the task its parent, unless it has one; a parent is a task, too, even if nothing else says so."""
    if parent == NONE or task_of(m, key).parent != NONE:
        return 1
    if task_of(m, cython.cast(uint64_t, parent)) == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    task_of(m, key).parent = parent  # the tasks may have moved
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def user_log(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    key: uint64_t = uvarint(cython.address(at))
    category_key: uint64_t = uvarint(cython.address(at))
    message_key: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at))
    category: int32_t
    message: int32_t
    task: TaskP
    row: cython.pointer(int64_t)
    if not took(c, at):
        return cut_off(m)
    if not runs(m, c, t):
        return -1
    category = text_of(m, category_key)
    message = text_of(m, message_key) if category >= 0 else -1
    if message < 0 or stack_of(m, stack_key) < 0:
        return -1
    task = task_of(m, key)
    row = cython.cast(cython.pointer(int64_t), add(cython.address(m.rows[wire.LOGS]), 40))
    if task == cython.NULL or row == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    task.logs += 1
    row[0] = stamp(m, c)
    row[1] = cython.cast(int64_t, m.goroutines[t.goroutine].id)
    row[2] = cython.cast(int64_t, key)
    row[3] = category
    row[4] = message
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_tasks(m: MachineP) -> cython.int:
    """The rows of all tasks."""
    i: int32_t
    t: TaskP
    row: cython.pointer(int64_t)
    for i in range(m.task_count):
        t = m.tasks + i
        row = cython.cast(cython.pointer(int64_t), add(cython.address(m.rows[wire.TASKS]), 56))
        if row == cython.NULL:
            return fail(m, wire.F_MEMORY, 0, 0)
        row[0] = t.id
        row[1] = t.name
        row[2] = t.parent
        row[3] = t.start
        row[4] = t.end
        row[5] = t.logs
        row[6] = t.regions
    return 1


# The runtime's own.


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def metric(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    procs: cython.bint = c.type == wire.EV_PROCS_CHANGE
    value: uint64_t = uvarint(cython.address(at))
    stack_key: uint64_t = uvarint(cython.address(at)) if procs else 0
    row: cython.pointer(int64_t)
    if not took(c, at):
        return cut_off(m)
    if not (runs(m, c, t) if procs else has_proc(m, c, t)) or stack_of(m, stack_key) < 0:
        return -1
    row = cython.cast(cython.pointer(int64_t), add(cython.address(m.rows[wire.METRICS]), 24))
    if row == cython.NULL:
        return fail(m, wire.F_MEMORY, 0, 0)
    row[0] = 0 if procs else 1 if c.type == wire.EV_HEAP_ALLOC else 2
    row[1] = stamp(m, c)
    row[2] = cython.cast(int64_t, value)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_label(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    at: Bytes = c.args
    label: uint64_t = uvarint(cython.address(at))
    if not took(c, at):
        return cut_off(m)
    if not runs(m, c, t) or text_of(m, label) < 0:
        return -1
    stamp(m, c)
    return 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def experimental(m: MachineP, c: CursorP, t: ThreadP) -> cython.int:
    """An event of an experiment of the runtime's: it has a time, and says nothing else to us."""
    at: Bytes = c.args
    _: cython.int
    for _ in range(m.counts[c.type]):
        uvarint(cython.address(at))
    if not took(c, at):
        return cut_off(m)
    if c.thread == 0:
        return fail(m, wire.F_NO_THREAD, c.type, 0)
    stamp(m, c)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def install(handlers: HandlerP) -> cython.void:
    number: cython.int
    handlers[wire.EV_USER_REGION_BEGIN] = user_region
    handlers[wire.EV_USER_REGION_END] = user_region
    handlers[wire.EV_USER_TASK_BEGIN] = task_begin
    handlers[wire.EV_USER_TASK_END] = task_end
    handlers[wire.EV_USER_LOG] = user_log
    handlers[wire.EV_PROCS_CHANGE] = metric
    handlers[wire.EV_HEAP_ALLOC] = metric
    handlers[wire.EV_HEAP_GOAL] = metric
    handlers[wire.EV_GO_LABEL] = go_label
    for number in range(128, 256):
        handlers[number] = experimental
