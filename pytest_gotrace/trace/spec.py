"""The wire format's vocabulary: one row per event, from which every version's table is cut.

The numbers, names and arguments are those of Go's `internal/trace/tracev2`. The first argument of a timed event is
always the ticks since the event before it on the same thread, and is left out here.
"""

from __future__ import annotations

from typing import NamedTuple

from pytest_gotrace.trace.version import WireVersion

NOT_TIMED = 0xFF  # in `argument_counts`: no event of a thread's stream has this number

MAX_BATCH_SIZE = 64 << 10
MAX_STRING_SIZE = 1 << 10
MAX_FRAMES = 128


class EventSpec(NamedTuple):
    """One event: `number` is its first byte, `args` what follows the ticks (names ending in `_string` and `stack`
    are indices into the generation's tables), `timed` whether it stands in a thread's stream."""

    number: int
    name: str
    args: tuple[str, ...] = ()
    timed: bool = True
    since: WireVersion = WireVersion.GO_122


def _table(number: int, since: WireVersion, timed: bool, rows: str) -> list[EventSpec]:
    specs = []
    for at, line in enumerate(rows.strip().splitlines()):
        name, *args = line.split()
        specs.append(EventSpec(number + at, name, tuple(args), timed, since))
    return specs


SPECS: tuple[EventSpec, ...] = (
    *_table(
        1,
        WireVersion.GO_122,
        False,
        """
        EventBatch gen m time size
        Stacks
        Stack id nframes
        Strings
        String id
        CPUSamples
        CPUSample time m p g stack
        Frequency freq
        """,
    ),
    *_table(
        9,
        WireVersion.GO_122,
        True,
        """
        ProcsChange procs_value stack
        ProcStart p p_seq
        ProcStop
        ProcSteal p p_seq m
        ProcStatus p pstatus
        GoCreate new_g new_stack stack
        GoCreateSyscall new_g
        GoStart g g_seq
        GoDestroy
        GoDestroySyscall
        GoStop reason_string stack
        GoBlock reason_string stack
        GoUnblock g g_seq stack
        GoSyscallBegin p_seq stack
        GoSyscallEnd
        GoSyscallEndBlocked
        GoStatus g m gstatus
        STWBegin kind_string stack
        STWEnd
        GCActive gc_seq
        GCBegin gc_seq stack
        GCEnd gc_seq
        GCSweepActive p
        GCSweepBegin stack
        GCSweepEnd swept_value reclaimed_value
        GCMarkAssistActive g
        GCMarkAssistBegin stack
        GCMarkAssistEnd
        HeapAlloc heapalloc_value
        HeapGoal heapgoal_value
        GoLabel label_string
        UserTaskBegin task parent_task name_string stack
        UserTaskEnd task stack
        UserRegionBegin task name_string stack
        UserRegionEnd task name_string stack
        UserLog task key_string value_string stack
        """,
    ),
    *_table(
        45,
        WireVersion.GO_123,
        True,
        """
        GoSwitch g g_seq
        GoSwitchDestroy g g_seq
        GoCreateBlocked new_g new_stack stack
        GoStatusStack g m gstatus stack
        """,
    ),
    *_table(49, WireVersion.GO_123, False, "ExperimentalBatch exp gen m time"),
    *_table(50, WireVersion.GO_125, False, "Sync"),
    *_table(51, WireVersion.GO_125, False, "ClockSnapshot ticks mono sec nsec"),
    *_table(52, WireVersion.GO_126, False, "EndOfGeneration"),
    *_table(
        128,
        WireVersion.GO_123,
        True,
        """
        Span id npages_value kindclass
        SpanAlloc id npages_value kindclass
        SpanFree id
        HeapObject id type
        HeapObjectAlloc id type
        HeapObjectFree id
        GoroutineStack id order
        GoroutineStackAlloc id order
        GoroutineStackFree id
        """,
    ),
)

BY_NAME: dict[str, EventSpec] = {spec.name: spec for spec in SPECS}
BY_NUMBER: dict[int, EventSpec] = {spec.number: spec for spec in SPECS}


def argument_counts(wire: WireVersion) -> bytes:
    """For each of the 256 first bytes: how many arguments follow the ticks in `wire`, or `NOT_TIMED`."""
    counts = bytearray([NOT_TIMED]) * 256
    for spec in SPECS:
        if spec.timed and spec.since <= wire:
            counts[spec.number] = len(spec.args)
    return bytes(counts)
