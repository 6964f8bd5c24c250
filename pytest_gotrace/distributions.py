"""One measured round becomes distributions: the events of each metric and subject, reduced run by run.

Events of several runs are never pooled: a thousand events of one run are not a thousand independent observations
(https://github.com/mui/mui-public/issues/1712 measured what pooling does to false alarms).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.metrics import CATALOGUE, QUANTILES, Key, Metric
from pytest_gotrace.rounds import Ints, Round
from pytest_gotrace.stats import quantiles
from pytest_gotrace.trace import Regions, State, Tasks

#: Quantiles kept of each run: those that rules may name, and the deciles that a picture needs.
PROBABILITIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)

PAUSES = ("stop-the-world (GC mark termination)", "stop-the-world (GC sweep termination)")
SYNC_WORDS = ("chan", "select", "sync")

#: Events of one metric by subject, each an array of durations in the metric's unit.
Events = Mapping[str, "Ints"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One run's events of one series, reduced. Times in ns; `total` is per operation, the rest per event."""

    count: int
    total: float
    mean: float
    max: float
    quantiles: tuple[float, ...]  # at PROBABILITIES

    def statistic(self, name: str) -> float:
        """The number that a rule's statistic names: `count`, `total`, `mean`, `max`, `p50`, `p90` or `p99`."""
        if name in QUANTILES:
            return self.quantiles[PROBABILITIES.index(QUANTILES[name])]
        return float(getattr(self, name))


def reduce(events: Ints, operations: int) -> Distribution:
    """A run's events as a `Distribution`; `events` must not be empty. Quantiles by Harrell and Davis."""
    values = events.astype(np.float64)
    return Distribution(
        count=len(values),
        total=float(values.sum()) / operations,
        mean=float(values.mean()),
        max=float(values.max()),
        quantiles=tuple(float(value) for value in quantiles(values, PROBABILITIES)),
    )


def extract(
    measured: Round, metrics: Sequence[Metric], rename: Callable[[Key], Key] = lambda key: key
) -> dict[Key, Distribution]:
    """Every series of a measured round. `rename` may merge series: `region[request-8123]` into `region[request]`."""
    merged: dict[Key, list[Ints]] = {}
    for metric in metrics:
        if metric.events is None:
            continue
        for subject, events in metric.events(measured).items():
            if len(events):
                merged.setdefault(rename(Key(metric=metric.name, subject=subject)), []).append(events)
    return {key: reduce(np.concatenate(parts), measured.operations) for key, parts in sorted(merged.items())}


def state_name(state: State, reason: str) -> str:
    """The catalogue's name of a goroutine state: `sched-wait`, `sync-block[chan send]`, …; else `unknown`.

    What is not the benchmark's doing is unknown: waits for reasons of the runtime's own, as to help the collector.
    """
    if state == State.RUNNABLE:
        return "sched-wait"
    if state == State.WAITING:
        if _is_sync(reason):
            return f"sync-block[{reason}]"
        return {"network": "net-wait", "sleep": "sleep"}.get(reason, "unknown")
    return {State.RUNNING: "exec", State.SYSCALL: "syscall"}[state]


def _is_sync(reason: str) -> bool:
    return any(word in reason for word in SYNC_WORDS)


def built_in_metrics() -> tuple[Metric, ...]:
    """The catalogue with, for each traced metric, the function that finds its events in a round."""
    return tuple(replace(metric, events=_EVENTS.get(metric.name)) for metric in CATALOGUE)


def _in_state(state: State) -> Callable[[Round], Events]:
    def events(measured: Round) -> Events:
        rows, picked = measured.table.states, measured.states(state)
        return {"": measured.durations(rows.begin[picked], rows.end[picked])}

    return events


def _waiting(matches: Callable[[str], bool], *, by_reason: bool) -> Callable[[Round], Events]:
    def events(measured: Round) -> Events:
        rows = measured.table.states
        strings = measured.table.strings
        waiting = measured.states(State.WAITING)
        reasons = [code for code in np.unique(rows.reason[waiting]).tolist() if matches(strings[code])]
        found: dict[str, Ints] = {}
        for code in reasons:
            picked = waiting & (rows.reason == code)
            found[strings[code]] = measured.durations(rows.begin[picked], rows.end[picked])
        if not found:
            return {}
        everything = {"": np.concatenate(list(found.values()))}
        return everything | found if by_reason else everything

    return events


def _ranges(*names: str) -> Callable[[Round], Events]:
    def events(measured: Round) -> Events:
        rows, picked = measured.table.ranges, measured.ranges(*names)
        return {"": measured.durations(rows.begin[picked], rows.end[picked])}

    return events


def _named(column: Callable[[Round], Regions | Tasks]) -> Callable[[Round], Events]:
    def events(measured: Round) -> Events:
        own = column(measured)
        return {name: (own.end - own.start)[rows] for name, rows in named(measured, own)}

    return events


def named(measured: Round, own: Regions | Tasks) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Rows of regions or tasks by name: whole, never cut, so only those that begin and end while the timer runs."""
    whole = (own.start >= 0) & (own.end >= 0)
    whole[whole] = measured.clock.running(own.start[whole]) & measured.clock.running(own.end[whole])
    whole &= own.name != 0  # a nameless region is the one that Go makes of an inherited task
    order = np.flatnonzero(whole)[np.argsort(own.name[whole], kind="stable")]
    codes, first = np.unique(own.name[order], return_index=True)
    for code, rows in zip(codes.tolist(), np.split(order, first)[1:], strict=True):
        yield measured.table.strings[code], rows


def _leaks(measured: Round) -> Events:
    """One event of value 1 for each goroutine born in the round that outlives it."""
    return {"": np.ones(int(leaked(measured).sum()), dtype=np.int64)}


def leaked(measured: Round) -> NDArray[np.bool_]:
    """Goroutines born in the round that outlive it, as a mask of the rows of `table.goroutines`.

    One that blocks for ever has an end for Go's summarizer, and is a leak for us.
    """
    rows, states = measured.table.goroutines, measured.table.states
    born = measured.clock.running(rows.create) & measured.own(rows.id)
    still_there = np.isin(rows.id, states.goroutine[states.end < 0])
    leaked: NDArray[np.bool_] = born & ((rows.end < 0) | (rows.end > measured.clock.ends[-1]) | still_there)
    return leaked


_EVENTS: Mapping[str, Callable[[Round], Events]] = {
    "region": _named(lambda r: r.table.regions),
    "task": _named(lambda r: r.table.tasks),
    "exec": _in_state(State.RUNNING),
    "sched-wait": _in_state(State.RUNNABLE),
    "sync-block": _waiting(_is_sync, by_reason=True),
    "net-wait": _waiting(lambda reason: reason == "network", by_reason=False),
    "sleep": _waiting(lambda reason: reason == "sleep", by_reason=False),
    "syscall": _in_state(State.SYSCALL),
    "gc-pause": _ranges(*PAUSES),
    "mark-assist": _ranges("GC mark assist"),
    "sweep": _ranges("GC incremental sweep"),
    "goroutine-leak": _leaks,
}
