"""A measured round as intervals of its goroutines: in which state, at which stack, and who ended it.

One table for waiting, being ready, running, what the collector takes and CPU samples, so that whatever is asked of one
(how much of it lies inside these regions?) can be asked of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
#: The slow instances of a region or task are those between these quantiles of the run's. Beyond them is what the
#: machine did to some of them: with it a busy machine would be all that there is to see.
SLOW = (0.9, 0.99)

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


def inside(rows: Rows, spans: Spans) -> Rows:
    """What of the rows lies inside spans of their goroutines."""
    within = rows.copy()
    within["time"] = spans.inside(rows["goroutine"], rows["begin"], rows["end"])
    kept: Rows = within[within["time"] > 0]
    return kept


def instances(measured: Round, rename: Callable[[Key], Key]) -> Iterator[tuple[str, Spans, Spans]]:
    """The series of regions and tasks that take longest: when which goroutine is inside one, and inside a slow one.

    Inside a task is inside its regions. `rename` may merge names, as in `distributions.extract`.
    """
    regions = measured.table.regions
    owners = {"region": np.arange(len(regions.name)), "task": regions.task}
    ranked = sorted(_series(measured, rename), key=lambda one: -int(one[2].sum()))
    for series, kind, took, ids in ranked[:INSIDE]:
        belongs = owners[kind]
        whole, slow = (_spans(measured, np.isin(belongs, some)) for some in (ids, ids[_slow(took)]))
        yield series, whole, slow


def _slow(took: Ints) -> NDArray[np.bool_]:
    """Which instances are slow; of few the longest."""
    low = np.quantile(took, SLOW[0], method="higher")
    high = np.quantile(took, SLOW[1], method="lower")
    slow: NDArray[np.bool_] = (took >= low) & (took <= max(low, high))
    return slow


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


def _spans(measured: Round, rows: NDArray[np.bool_]) -> Spans:
    own, table = measured.table.regions, measured.table
    rows &= (own.start >= 0) & (own.end >= 0)
    return Spans(own.goroutine[rows], own.start[rows], own.end[rows], first=table.begin, last=table.end)
