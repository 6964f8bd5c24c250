"""What to look at first in one trace: the longest event of a series, or the longest wait at a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gotrace.distributions import PAUSES, SYNC_WORDS
from pytest_gotrace.intervals import intervals
from pytest_gotrace.metrics import Key
from pytest_gotrace.rounds import Ints, Round
from pytest_gotrace.trace import Frame, State

#: Goroutine, begin and end of every event of a series; -1 where the trace does not say.
_Events = tuple[Ints, Ints, Ints]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One event: on which goroutine (-1 if on none), when it began (ns after the trace did), how long it took (ns).

    `at` is the call that it was looked for at; None where all of a series was.
    """

    goroutine: int
    begin: int
    duration: int
    at: Frame | None = None


def longest(measured: Round, series: Key) -> Moment | None:
    """The longest event of the series in the measured round; None where it has none that can be pointed at."""
    find = _EVENTS.get(series.metric)
    if find is None:
        return None
    return _longest(measured, *find(measured, series.subject))


def longest_at(measured: Round, state: str, function: str, line: int) -> Moment | None:
    """The longest stay in `state` with that line in its stack; where there is none, with any line of the function.

    So it is found in a trace of the base too, where the line had another number. None where stays have no stacks, as
    those of running.
    """
    rows, states = intervals(measured)
    if state not in states:
        return None
    rows = rows[(rows["state"] == states.index(state)) & ~rows["sample"]]
    calls = {
        code: frame
        for code in np.unique(rows["stack"]).tolist()
        if (frame := _frame(measured.table.stacks[code], function, line)) is not None
    }
    wanted = [code for code, call in calls.items() if call.line == line] or list(calls)
    rows = rows[np.isin(rows["stack"], wanted)]
    frames = [calls[code] for code in rows["stack"].tolist()]
    return _longest(measured, rows["goroutine"], rows["begin"], rows["end"], frames)


def _frame(stack: tuple[Frame, ...], function: str, line: int) -> Frame | None:
    """The call of the function that is at the line, else the innermost one."""
    calls = [frame for frame in stack if frame.function == function]
    return next((frame for frame in calls if frame.line == line), calls[0] if calls else None)


def _longest(
    measured: Round, goroutines: Ints, begins: Ints, ends: Ints, frames: Sequence[Frame] = ()
) -> Moment | None:
    ends = measured.closed(ends)
    inside = (begins >= 0) & measured.clock.touches(begins, ends)
    if not inside.any():
        return None
    at = int(np.argmax(np.where(inside, ends - begins, -1)))
    return Moment(
        goroutine=int(goroutines[at]),
        begin=int(begins[at]) - measured.table.begin,
        duration=int(ends[at] - begins[at]),
        at=frames[at] if frames else None,
    )


def _any(reason: str, subject: str) -> bool:
    return True


def _in_state(state: State, matches: Callable[[str, str], bool] = _any) -> Callable[..., _Events]:
    def events(measured: Round, subject: str) -> _Events:
        rows, strings = measured.table.states, measured.table.strings
        picked = measured.states(state)
        reasons = [
            code for code in np.unique(rows.reason[picked]).tolist() if matches(strings[code], subject)
        ]
        picked &= np.isin(rows.reason, reasons)
        return rows.goroutine[picked], rows.begin[picked], rows.end[picked]

    return events


def _sync(reason: str, subject: str) -> bool:
    return reason == subject if subject else any(word in reason for word in SYNC_WORDS)


def _ranges(*names: str) -> Callable[..., _Events]:
    def events(measured: Round, _: str) -> _Events:
        rows, picked = measured.table.ranges, measured.ranges(*names)
        return rows.goroutine[picked], rows.begin[picked], rows.end[picked]

    return events


def _regions(measured: Round, subject: str) -> _Events:
    rows = measured.table.regions
    picked = np.isin(rows.name, measured.codes(subject)) & (rows.end >= 0)
    return rows.goroutine[picked], rows.start[picked], rows.end[picked]


def _tasks(measured: Round, subject: str) -> _Events:
    rows = measured.table.tasks
    picked = np.isin(rows.name, measured.codes(subject)) & (rows.end >= 0)
    return np.full(int(picked.sum()), -1, dtype=np.int64), rows.start[picked], rows.end[picked]


_EVENTS: Mapping[str, Callable[[Round, str], _Events]] = {
    "region": _regions,
    "task": _tasks,
    "exec": _in_state(State.RUNNING),
    "sched-wait": _in_state(State.RUNNABLE),
    "sync-block": _in_state(State.WAITING, _sync),
    "net-wait": _in_state(State.WAITING, lambda reason, _: reason == "network"),
    "sleep": _in_state(State.WAITING, lambda reason, _: reason == "sleep"),
    "syscall": _in_state(State.SYSCALL),
    "gc-pause": _ranges(*PAUSES),
    "mark-assist": _ranges("GC mark assist"),
    "sweep": _ranges("GC incremental sweep"),
}
