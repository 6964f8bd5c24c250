"""The longest event of a series in one trace: what to look at first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pytest_gotrace.distributions import PAUSES, SYNC_WORDS
from pytest_gotrace.metrics import Key
from pytest_gotrace.rounds import Ints, Round
from pytest_gotrace.trace import State

#: Goroutine, begin and end of every event of a series; -1 where the trace does not say.
_Events = tuple[Ints, Ints, Ints]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One event: on which goroutine (-1 if on none), when it began (ns after the trace did), how long it took (ns)."""

    goroutine: int
    begin: int
    duration: int


def longest(measured: Round, series: Key) -> Moment | None:
    """The longest event of the series in the measured round; None where it has none that can be pointed at."""
    find = _EVENTS.get(series.metric)
    if find is None:
        return None
    goroutines, begins, ends = find(measured, series.subject)
    ends = np.where(ends < 0, measured.clock.ends[-1], ends)
    inside = (begins >= 0) & measured.clock.touches(begins, ends)
    if not inside.any():
        return None
    at = int(np.argmax(np.where(inside, ends - begins, -1)))
    return Moment(
        goroutine=int(goroutines[at]),
        begin=int(begins[at]) - measured.table.begin,
        duration=int(ends[at] - begins[at]),
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
