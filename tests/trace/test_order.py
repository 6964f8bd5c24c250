"""Orderings that times do not give, written as text, each as Go's reader has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle import differences
from schedules import Schedule
from texttrace import assemble

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace import State, Table, join, read_trace

STOLEN = """
Trace go 1.22
Batch gen=1 m=0 time=0
  ProcStatus dt=1 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
  GoSyscallBegin dt=8 p_seq=1 stack=main.read,main.main
  GoSyscallEndBlocked dt=90
  ProcStart dt=1 p=0 p_seq=3
  GoStart dt=1 g=1 g_seq=1
Batch gen=1 m=1 time=0
  ProcStatus dt=5 p=1 pstatus=1
  GoStatus dt=1 g=2 m=1 gstatus=2
  ProcSteal dt=34 p=0 p_seq=2 m=0
"""

STOLEN_BEHIND_BORDER = """
Trace go 1.22
Batch gen=1 m=0 time=0
  ProcStatus dt=1 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
  GoSyscallBegin dt=8 p_seq=1 stack=main.read,main.main
Batch gen=1 m=1 time=0
  ProcStatus dt=5 p=1 pstatus=1
  GoStatus dt=1 g=2 m=1 gstatus=2
Batch gen=2 m=1 time=100
  ProcStatus dt=1 p=1 pstatus=1
  GoStatus dt=1 g=2 m=1 gstatus=2
  ProcStatus dt=1 p=0 pstatus=4
  ProcSteal dt=1 p=0 p_seq=1 m=0
Batch gen=2 m=0 time=150
  GoStatus dt=1 g=1 m=0 gstatus=3
  GoSyscallEndBlocked dt=1
"""

AGAINST_THE_CLOCK = """
Trace go 1.22
Batch gen=1 m=0 time=500
  ProcStatus dt=0 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
  GoCreate dt=1 new_g=7 new_stack=main.child stack=main.main
  GoUnblock dt=9 g=7 g_seq=2 stack=main.wake,main.main
Batch gen=1 m=1 time=10
  ProcStatus dt=0 p=1 pstatus=1
  GoStart dt=1 g=7 g_seq=1
  GoBlock dt=1 reason_string="chan receive" stack=main.wait,main.child
  GoStart dt=1 g=7 g_seq=3
  GoDestroy dt=1
"""

TASK_ACROSS_BORDER = """
Trace go 1.22
Batch gen=1 m=0 time=0
  ProcStatus dt=1 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
  UserTaskBegin dt=1 task=2 parent_task=0 name_string="my task" stack=main.main
  UserRegionBegin dt=1 task=2 name_string="my region"
Batch gen=2 m=0 time=50
  ProcStatus dt=1 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
  UserLog dt=1 task=2 key_string="other" value_string="strings first"
  UserRegionEnd dt=1 task=2 name_string="my region"
  UserTaskEnd dt=1 task=2
"""

CREATED_BY_NOBODY = """
Trace go 1.22
Batch gen=1 m=0 time=0
  ProcStatus dt=1 p=0 pstatus=1
  GoCreate dt=1 new_g=5 new_stack=main.child
  GoStart dt=1 g=5 g_seq=1
  GoStop dt=1 reason_string="yield"
"""

THREAD_ID_REUSED = """
Trace go 1.22
Batch gen=1 m=0 time=0
  GoCreateSyscall dt=1 new_g=4
  GoSyscallEndBlocked dt=1
  ProcStatus dt=1 p=0 pstatus=2
  ProcStart dt=1 p=0 p_seq=1
  GoStart dt=1 g=4 g_seq=1
  GoSyscallBegin dt=1 p_seq=2
  GoDestroySyscall dt=1
Batch gen=1 m=0 time=20
  ProcStatus dt=1 p=1 pstatus=2
  ProcStart dt=1 p=1 p_seq=1
  ProcSteal dt=1 p=0 p_seq=3 m=0
"""

SPLIT_OVER_BATCHES = """
Trace go 1.22
Batch gen=1 m=0 time=0
  ProcStatus dt=1 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
Batch gen=1 m=1 time=3
  ProcStatus dt=0 p=1 pstatus=1
  GoStatus dt=1 g=2 m=1 gstatus=2
Batch gen=1 m=0 time=10
  GoBlock dt=0 reason_string="sync"
Batch gen=1 m=1 time=20
  GoUnblock dt=0 g=1 g_seq=1
Batch gen=1 m=0 time=15
  GoStart dt=0 g=1 g_seq=2
"""

SYSCALL_OF_OTHER_THREAD = """
Trace go 1.22
Batch gen=1 m=0 time=0
  ProcStatus dt=1 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
  GoStatus dt=1 g=9 m=7 gstatus=3
  GoStatus dt=1 g=8 m=18446744073709551615 gstatus=4
Batch gen=1 m=7 time=60
  GoSyscallEndBlocked dt=1
"""

SWITCH = """
Trace go 1.23
Batch gen=1 m=0 time=0
  ProcStatus dt=1 p=0 pstatus=1
  GoStatus dt=1 g=1 m=0 gstatus=2
  GoCreateBlocked dt=1 new_g=2 new_stack=main.coroutine stack=main.main
  GoSwitch dt=10 g=2 g_seq=1
  GoSwitch dt=10 g=1 g_seq=1
  GoSwitch dt=10 g=2 g_seq=2
  GoSwitchDestroy dt=10 g=1 g_seq=2
"""

RANGES = """
Trace go 1.26
Batch gen=1 m=0 time=0
  ProcStatus dt=1 p=0 pstatus=1
  GoStatusStack dt=1 g=1 m=0 gstatus=2 stack=main.main
  GCMarkAssistActive dt=1 g=1
  GCSweepActive dt=1 p=0
  GCActive dt=1 gc_seq=3
  GCMarkAssistEnd dt=1
  GCSweepEnd dt=1
  GCEnd dt=1 gc_seq=4
  STWBegin dt=1 kind_string="GC mark termination" stack=main.stop
  STWEnd dt=10
  GCSweepBegin dt=1 stack=main.sweep
  GCSweepEnd dt=5
  GCMarkAssistBegin dt=1 stack=main.assist
  HeapAlloc dt=1 heapalloc_value=4096
  HeapGoal dt=1 heapgoal_value=8192
  ProcsChange dt=1 procs_value=4
  GoLabel dt=1 label_string="label"
"""

TEXTS = {
    name.lower(): text
    for name, text in list(globals().items())
    if isinstance(text, str) and text.startswith("\nTrace")
}


def table(text: str, tmp_path: Path) -> Table:
    return join(read_trace(write(text, tmp_path)))


def write(text: str, tmp_path: Path) -> Path:
    path = tmp_path / "text.trace"
    path.write_bytes(assemble(text))
    return path


def states(found: Table, goroutine: int) -> list[tuple[State, str, int]]:
    """What a goroutine did, in order: state, reason, and how long (-1 if it goes on)."""
    own = found.states
    rows = np.flatnonzero(own.goroutine == goroutine)
    return [
        (
            State(own.state[row]),
            found.strings[own.reason[row]],
            int(own.end[row] - own.begin[row]) if own.end[row] >= 0 else -1,
        )
        for row in rows[np.argsort(own.begin[rows])].tolist()
    ]


@pytest.mark.parametrize("name", TEXTS)
def test_as_go_reads_it(name: str, oracle: Path, tmp_path: Path):
    """Go's reader says the same of every text below."""
    assert list(differences(oracle, write(TEXTS[name], tmp_path))) == []


def test_stolen(tmp_path: Path):
    """A call is blocked from where its processor is stolen, though the thief's event stands in another stream."""
    own = table(STOLEN, tmp_path).goroutines
    row = own.id.tolist().index(1)
    assert (own.syscall[row], own.syscall_block[row]) == (30 * 64, 60 * 64)


def test_stolen_behind_border(tmp_path: Path):
    """A processor may be stolen in the generation after the one in which its call began."""
    first, second = read_trace(write(STOLEN_BEHIND_BORDER, tmp_path))
    assert (first.generation, second.generation) == (1, 2)
    own = second.goroutines
    row = own.id.tolist().index(1)
    assert own.syscall_block[row] == 48 * 64  # stolen at tick 104, back at tick 152
    assert states(join([first, second]), 1)[1][0] == State.SYSCALL


def test_against_the_clock(tmp_path: Path):
    """Sequence numbers decide: what one clock puts before the creation of a goroutine happens after it."""
    found = table(AGAINST_THE_CLOCK, tmp_path)
    assert [state for state, _, _ in states(found, 7)] == [
        State.RUNNABLE,
        State.RUNNING,
        State.WAITING,
        State.RUNNABLE,
        State.RUNNING,
    ]
    wait = found.states.state.tolist().index(State.WAITING)
    assert found.strings[found.states.reason[wait]] == "chan receive"
    assert found.states.waker[wait] == 1
    assert [frame.function for frame in found.stacks[found.states.waker_stack[wait]]] == [
        "main.wake",
        "main.main",
    ]
    assert [frame.function for frame in found.stacks[found.states.stack[wait]]] == ["main.wait", "main.child"]
    assert (found.states.end >= found.states.begin)[found.states.end >= 0].all()


def test_task_across_border(tmp_path: Path):
    """Tasks and regions go on over a border, where the same string has another number."""
    found = table(TASK_ACROSS_BORDER, tmp_path)
    row = found.tasks.id.tolist().index(2)
    assert found.strings[found.tasks.name[row]] == "my task"
    assert (found.tasks.logs[row], found.tasks.regions[row]) == (1, 1)
    assert found.regions.end[0] - found.regions.start[0] == 50 * 64
    assert found.strings[found.regions.name[0]] == "my region"
    assert [found.strings[code] for code in (found.logs.category[0], found.logs.message[0])] == [
        "other",
        "strings first",
    ]


def test_created_by_nobody(tmp_path: Path):
    """A goroutine may be created on a processor that runs none; it has no creator."""
    found = table(CREATED_BY_NOBODY, tmp_path)
    assert found.goroutines.creator.tolist() == [-1]
    assert states(found, 5) == [
        (State.RUNNABLE, "", 64),
        (State.RUNNING, "", 64),
        (State.RUNNABLE, "yield", -1),
    ]


def test_thread_id_reused(tmp_path: Path):
    """A thread with the ID of an ended one steals that one's processor, and not its own."""
    found = table(THREAD_ID_REUSED, tmp_path)
    assert [state for state, _, _ in states(found, 4)][-1] == State.SYSCALL
    assert found.goroutines.end.tolist() == [7 * 64 + 1]  # the processor was lost at that tick, too


def test_split_over_batches(tmp_path: Path):
    """The batches of a thread are one stream, in the order of the file, whatever the time they claim."""
    assert states(table(SPLIT_OVER_BATCHES, tmp_path), 1) == [
        (State.RUNNING, "", 10 * 64 - 1),  # time 0 stands for none: the trace begins at 1
        (State.WAITING, "sync", 10 * 64),
        (State.RUNNABLE, "", 1),
        (State.RUNNING, "", -1),
    ]


def test_switch(tmp_path: Path):
    """A coroutine switch unblocks one goroutine, blocks or ends the other, and starts the first."""
    found = table(SWITCH, tmp_path)
    assert [state for state, _, _ in states(found, 2)] == [
        State.WAITING,
        State.RUNNABLE,
        State.RUNNING,
        State.WAITING,
        State.RUNNABLE,
        State.RUNNING,
    ]
    ended = found.goroutines.id.tolist().index(2)
    assert found.goroutines.creator[ended] == 1
    assert found.goroutines.end[ended] > 0


def test_ranges(tmp_path: Path):
    """Ranges have their scope, -1 for an end that the trace does not have, and the stack of their begin."""
    found = table(RANGES, tmp_path)
    own = found.ranges
    rows = {
        (
            found.strings[own.name[i]],
            int(own.goroutine[i]),
            int(own.proc[i]),
            own.begin[i] >= 0,
            own.end[i] >= 0,
        ): [frame.function for frame in found.stacks[own.stack[i]]]
        for i in range(len(own.name))
    }
    assert rows == {
        ("GC mark assist", 1, -1, False, True): [],
        ("GC incremental sweep", -1, 0, False, True): [],
        ("GC concurrent mark phase", -1, -1, False, True): [],
        ("stop-the-world (GC mark termination)", 1, -1, True, True): ["main.stop"],
        ("GC incremental sweep", -1, 0, True, True): ["main.sweep"],
        ("GC mark assist", 1, -1, True, False): ["main.assist"],
    }
    assert list(zip(found.metrics.kind.tolist(), found.metrics.value.tolist(), strict=True)) == [
        (1, 4096),
        (2, 8192),
        (0, 4),
    ]


IMPOSSIBLE = {
    "GoStart dt=1 g=9 g_seq=1": "no thread can go on: GoStart",
    "GoCreate dt=1 new_g=1": "goroutine 1 is created, but exists already",
    "GoSyscallEnd dt=1": "does not fit the state",
    "GoStatus dt=1 g=3 m=0 gstatus=9": "goroutine 3 has status 9",
    "ProcStatus dt=1 p=3 pstatus=9": "processor 3 has status 9",
    "ProcStatus dt=1 p=0 pstatus=2": "does not fit the state",
    "GoSyscallBegin dt=1 p_seq=7": "a system call has number 7",
    "STWEnd dt=1": "no such range is under way",
    "GCMarkAssistEnd dt=1": "no such range is under way",
    "GCSweepEnd dt=1": "no such range is under way",
    "GCSweepActive dt=1 p=8": "processor 8, which nothing was heard of",
    "GCMarkAssistActive dt=1 g=8": "goroutine 8, which nothing was heard of",
    "UserTaskBegin dt=1 task=1\n UserTaskBegin dt=1 task=1": "task 1 begins, but has begun already",
    'UserRegionBegin dt=1 name_string="a"\n UserRegionEnd dt=1 name_string="b"': "not the innermost one",
    "UserLog dt=1 task=1 key_string=77": "string 77 is not in the generation's table",
    "GoBlock dt=1 stack=77": "stack 77 is not in the generation's table",
    "GoSwitch dt=1 g=2 g_seq=1": "byte 45 begins no event of this wire format",
    "GoCreateSyscall dt=1 new_g=5": "which runs a goroutine already",
    "raw=03": "byte 3 begins no event",
    "raw=10": "does not fit in its batch",
    "raw=1001ffffffffffffffffffff0101": "does not fit in its batch, or holds a number of more than 64 bits",
}


@pytest.mark.parametrize("event", IMPOSSIBLE)
def test_impossible(event: str, tmp_path: Path):
    """What cannot be is an error that says what, and where it stands."""
    text = f"""
        Trace go 1.22
        Batch gen=1 m=0 time=0
          ProcStatus dt=1 p=0 pstatus=1
          GoStatus dt=1 g=1 m=0 gstatus=2
          {event}
    """
    with pytest.raises(TraceError, match="generation 1") as caught:
        table(text, tmp_path)
    assert IMPOSSIBLE[event] in str(caught.value)


def test_impossible_place(tmp_path: Path):
    """The error's offset is that of the event."""
    path = write(
        "Trace go 1.22\nBatch gen=1 m=0 time=0\n ProcStatus p=0 pstatus=1\n GoDestroy dt=300", tmp_path
    )
    with pytest.raises(TraceError) as caught:
        list(read_trace(path))
    assert caught.value.offset is not None
    assert path.read_bytes()[caught.value.offset :][:3] == bytes((17, 0xAC, 2))


@pytest.mark.parametrize("seed", range(36))
def test_random_schedules(seed: int, oracle: Path, tmp_path: Path):
    """Streams of up to 150 threads, with equal times and clocks that disagree, come out as Go's reader has them."""
    threads = (2, 5, 12, 13, 20, 40, 70, 110, 150)[seed % 9]
    schedule = Schedule(seed, threads, skew=(0, 3, 20, 200)[seed % 4], grain=(1, 8, 64)[seed // 3 % 3])
    path = write(schedule.text(1500, wire=(22, 23, 25, 26)[seed % 4]), tmp_path)
    assert list(differences(oracle, path)) == []
