"""A measured round as intervals of its goroutines: in which state, at which stack, and who ended it.

One table for waiting, being ready, running, what the collector takes and CPU samples, so that whatever is asked of one
(how much of it lies inside these regions?) can be asked of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.distributions import PAUSES, named, state_name
from pytest_gotrace.metrics import Key
from pytest_gotrace.rounds import Ints, Round
from pytest_gotrace.trace import State, Table
from pytest_gotrace.views.scope import last_lives
from pytest_gotrace.views.spans import Spans
from pytest_gotrace.views.waits import origins

#: For how many names of regions and tasks, those that take longest, it is said what happened inside.
INSIDE = 4
#: The slow instances of a region or task are those that take at least as long as this quantile of the run's.
SLOW = 0.9

_RANGES = {"mark-assist": ("GC mark assist",), "sweep": ("GC incremental sweep",), "gc-pause": PAUSES}

#: `time` is how many ns of it count; `state` is a code of `Intervals.states`; `by` and `group` are the stack and the
#: start function of the goroutine that ended it. A CPU sample is an interval of 1 ns.
_ROW = np.dtype(
    [
        *((name, np.int64) for name in ("goroutine", "begin", "end", "time")),
        *((name, np.int32) for name in ("state", "stack", "by", "group")),
        ("sample", np.bool_),
    ]
)
Rows = NDArray[Any]


def intervals(measured: Round) -> tuple[Rows, tuple[str, ...]]:
    """All that touches the round, its `time` being what lies inside, and the names of the states."""
    codes: dict[str, int] = {}
    rows = np.concatenate([*_states(measured, codes), *_ranges(measured, codes), _samples(measured, codes)])
    rows["time"] = np.where(rows["sample"], 1, measured.clock.inside(rows["begin"], rows["end"]))
    return rows, tuple(codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """The instances of one series of regions or tasks; inside a task is inside its regions.

    `whole` is when which goroutine is inside one, `slow` when inside a slow one (`SLOW`). `regions` are rows, with how
    long the instance took as their `time`.
    """

    series: str
    whole: Spans
    slow: Spans
    regions: Rows

    def inside(self, rows: Rows) -> Rows:
        """What of the rows lies inside."""
        return _inside(rows, self.whole)

    def slowest(self, inside: Rows) -> Rows:
        """What of the rows that lie inside lies inside a slow one.

        A CPU sample makes the instance longer that it is taken in: where all take about as long, it is the samples that
        make instances slow. So samples are ranked among themselves. Those in the longest instances count, as large a
        share of all as the slow ones have of the running time.
        """
        sampled = inside["sample"]
        samples, slow = inside[sampled], _inside(inside[~sampled], self.slow)
        if len(samples) == 0:
            return slow
        running, long = (
            int(rows["time"][rows["state"] == samples["state"][0]].sum()) for rows in (inside[~sampled], slow)
        )
        longest = samples[np.argsort(-self._took(samples), kind="stable")]
        return np.concatenate([slow, longest[: round(len(samples) * long / max(running, 1))]])

    def _took(self, samples: Rows) -> Ints:
        """How long the longest instance took that each sample lies in."""
        own = self.regions
        around = (
            own["time"][
                (own["goroutine"] == one["goroutine"])
                & (own["begin"] < one["end"])
                & (one["begin"] < own["end"])
            ]
            for one in samples
        )
        return np.array([took.max(initial=0) for took in around], np.int64)


def _inside(rows: Rows, spans: Spans) -> Rows:
    within = rows.copy()
    within["time"] = spans.inside(rows["goroutine"], rows["begin"], rows["end"])
    kept: Rows = within[within["time"] > 0]
    return kept


def instances(measured: Round, rename: Callable[[Key], Key]) -> Iterator[Instances]:
    """Those series of regions and tasks that take longest. `rename` may merge names, as in `distributions.extract`."""
    own, table = measured.table.regions, measured.table
    owners = {"region": np.arange(len(own.name)), "task": own.task}
    ranked = sorted(_series(measured, rename), key=lambda one: -int(one[2].sum()))
    for series, kind, took, ids in ranked[:INSIDE]:
        at = np.flatnonzero(np.isin(owners[kind], ids) & (own.start >= 0) & (own.end >= 0))
        order = np.argsort(ids)
        regions = _rows(
            0,
            goroutine=own.goroutine[at],
            begin=own.start[at],
            end=own.end[at],
            time=took[order][np.searchsorted(ids[order], owners[kind][at])],
        )
        slow = regions[regions["time"] >= np.quantile(took, SLOW, method="higher")]
        whole, some = (
            Spans(rows["goroutine"], rows["begin"], rows["end"], first=table.begin, last=table.end)
            for rows in (regions, slow)
        )
        yield Instances(series=series, whole=whole, slow=some, regions=regions)


def _series(measured: Round, rename: Callable[[Key], Key]) -> Iterator[tuple[str, str, Ints, Ints]]:
    """Each series: of regions or tasks, how long its instances took, their rows of `table.regions` or IDs of tasks."""
    regions, tasks = measured.table.regions, measured.table.tasks
    found: dict[tuple[str, str], list[tuple[Ints, Ints]]] = {}
    for kind, own, ids in (("region", regions, np.arange(len(regions.name))), ("task", tasks, tasks.id)):
        for name, rows in named(measured, own):
            series = str(rename(Key(metric=kind, subject=name)).series)
            found.setdefault((series, kind), []).append(((own.end - own.start)[rows], ids[rows]))
    for (series, kind), parts in found.items():
        took, ids = (np.concatenate(part) for part in zip(*parts, strict=True))
        yield series, kind, took, ids


def _states(measured: Round, codes: dict[str, int]) -> Iterator[Rows]:
    """Time in states, with who ended waits; being ready stands where the goroutine was made so, running nowhere."""
    own, strings = measured.table.states, measured.table.strings
    for state in State:
        at = np.flatnonzero(measured.states(state))
        reasons, which = np.unique(own.reason[at] * (state == State.WAITING), return_inverse=True)
        names = [state_name(state, strings[reason]) for reason in reasons.tolist()]
        rows = _rows(
            _coded(codes, names)[which.ravel()],
            goroutine=own.goroutine[at],
            begin=own.begin[at],
            end=measured.closed(own.end[at]),
        )
        if state == State.WAITING:
            rows["by"], rows["group"] = own.waker_stack[at], _start_functions(measured.table, own.waker[at])
        if state != State.RUNNING:
            rows["stack"] = origins(measured.table, at) if state == State.RUNNABLE else own.stack[at]
        yield rows


def _ranges(measured: Round, codes: dict[str, int]) -> Iterator[Rows]:
    """What lies across the states: the collector's pauses, and the work that it makes others do."""
    own = measured.table.ranges
    for name, ranges in _RANGES.items():
        at = np.flatnonzero(measured.ranges(*ranges))
        yield _rows(
            _coded(codes, [name])[0],
            goroutine=own.goroutine[at],
            begin=own.begin[at],
            end=measured.closed(own.end[at]),
            stack=own.stack[at],
        )


def _samples(measured: Round, codes: dict[str, int]) -> Rows:
    """The CPU samples of the benchmark's goroutines."""
    own = measured.table.samples
    at = np.flatnonzero(measured.clock.running(own.time) & measured.own(own.goroutine) & (own.goroutine >= 0))
    return _rows(
        _coded(codes, ["exec"])[0],
        goroutine=own.goroutine[at],
        begin=own.time[at],
        end=own.time[at] + 1,
        stack=own.stack[at],
        sample=np.ones(len(at), np.bool_),
    )


def _rows(state: Any, **columns: NDArray[Any]) -> Rows:
    rows = np.zeros(len(columns["begin"]), _ROW)
    for name, column in {"state": state, **columns}.items():
        rows[name] = column
    return rows


def _coded(codes: dict[str, int], names: list[str]) -> Ints:
    return np.array([codes.setdefault(name, len(codes)) for name in names], np.int64)


def _start_functions(table: Table, goroutines: Ints) -> NDArray[np.int32]:
    """Codes of the functions that goroutines began in, 0 for those that are not known."""
    lives = last_lives(table)
    ids, names = np.append(table.goroutines.id[lives], -1), np.append(table.goroutines.name[lives], 0)
    order = np.argsort(ids)
    found = order[np.minimum(np.searchsorted(ids, goroutines, sorter=order), len(ids) - 1)]
    return np.where(ids[found] == goroutines, names[found], 0).astype(np.int32)
