"""Traces that stay, to be looked at: of each side the median and the worst of the runs that explain a benchmark.

With them go profiles for `go tool pprof -diff_base`, the moment to look at first, and the heap over time.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.commands import profile_path
from pytest_gotrace.errors import UsageError
from pytest_gotrace.explanation import KeptTrace, Timeline, Which
from pytest_gotrace.measure import kept_trace
from pytest_gotrace.metrics import Key
from pytest_gotrace.moments import longest
from pytest_gotrace.recording import SIDES, Run
from pytest_gotrace.rounds import measured_round
from pytest_gotrace.trace import Metric, Table, join, read_trace
from pytest_gotrace.views import scope
from pytest_gotrace.views.pprof import profile
from pytest_gotrace.views.waits import PROFILES, samples

#: Below the report's directory.
FOLDER = "traces"
#: The number that a run is ranked by where no traced metric is over its budget.
_TIME = Key(metric="ns/op")
#: Points of a timeline, and collections in it.
_POINTS = 300
_MS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was kept of one benchmark, the worst of the head first."""

    traces: tuple[KeptTrace, ...] = ()
    timelines: tuple[Timeline, ...] = ()


def keep(
    runs: Sequence[Run], traces: Path, report: Path, over: Key | None = None, *, highest: bool = True
) -> Kept:
    """Copy what is worth it from `traces` into the directory of the report; `runs` are those of one benchmark.

    `over` is the key that runs are ranked by, `highest` says that the largest is the worst. Raises `UsageError` where
    the report's directory cannot be written to, `TraceError` where a trace cannot be read.
    """
    kept, timelines = [], []
    for run, which in _chosen(runs, over or _TIME, highest=highest):
        path = f"{FOLDER}/{folder_name(run.benchmark)}/{run.side}-{which}.trace"
        try:
            (report / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept_trace(traces, run.side, run.round), report / path)
            table = join(read_trace(report / path))
            if which == "median":
                _write_profiles(table, report / path)
        except OSError as error:
            raise UsageError(f"{report / path}: cannot keep the trace: {error.strerror}") from error
        kept.append(_described(run, which, path, table, over))
        timelines.append(timeline(run, which, table))
    return Kept(traces=tuple(kept), timelines=tuple(timelines))


def folder_name(benchmark: str) -> str:
    """A name for a folder that no benchmark can escape from, and that no two share."""
    plain = re.sub(r"[^A-Za-z0-9=.-]+", "_", benchmark)[:80]
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9=.-]*(/[A-Za-z0-9=.-]+)*", benchmark) and len(benchmark) <= 80:
        return plain
    return f"{plain}-{hashlib.sha256(benchmark.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _chosen(runs: Sequence[Run], key: Key, *, highest: bool) -> Iterator[tuple[Run, Which]]:
    for side in reversed(SIDES):
        ranked = sorted((run for run in runs if run.side == side), key=lambda run: run.number(key))
        ranked = ranked if highest else ranked[::-1]
        if len(ranked) > 1:
            yield ranked[-1], "worst"
        if ranked:
            yield ranked[(len(ranked) - 1) // 2], "median"


def _write_profiles(table: Table, trace: Path) -> None:
    looked = scope(table)
    for found in PROFILES.values():
        if counted := samples(looked, found):
            path = trace.with_name(Path(profile_path(trace.name, found.name)).name)
            path.write_bytes(profile(counted, looked.end - looked.begin))


def _described(run: Run, which: Which, path: str, table: Table, over: Key | None) -> KeptTrace:
    moment = None
    if over is not None:
        reported = run.values["ns/op"] * run.iterations if "ns/op" in run.values else None
        moment = longest(measured_round(table, run.iterations, reported), over.series)
    return KeptTrace(
        benchmark=run.benchmark,
        side=run.side,
        which=which,
        path=path,
        series=str(over.series) if over else "",
        **(
            {"goroutine": moment.goroutine, "begin": moment.begin, "duration": moment.duration}
            if moment
            else {}
        ),
    )


def timeline(run: Run, which: Which, table: Table) -> Timeline:
    """Heap, its goal and collections over the whole trace, thinned out."""
    heap, goal = (_sizes(table, kind) for kind in (Metric.HEAP_ALLOC, Metric.HEAP_GOAL))
    times = _thinned(heap[0])
    begins, ends = _collections(table)
    return Timeline(
        benchmark=run.benchmark,
        side=run.side,
        which=which,
        times=_ms(times, table),
        heap=_at(times, heap),
        goal=_at(times, goal),
        gc_begin=_ms(begins, table),
        gc_end=_ms(ends, table),
    )


_Ints = NDArray[np.int64]


def _sizes(table: Table, kind: Metric) -> tuple[_Ints, _Ints]:
    """Times and values of one kind, by time."""
    rows = table.metrics
    picked = np.flatnonzero(rows.kind == int(kind))
    order = picked[np.argsort(rows.time[picked], kind="stable")]
    return rows.time[order], rows.value[order]


def _thinned(values: _Ints) -> _Ints:
    if len(values) <= _POINTS:
        return values
    return values[np.linspace(0, len(values) - 1, _POINTS).astype(np.int64)]


def _collections(table: Table) -> tuple[_Ints, _Ints]:
    rows = table.ranges
    codes = [code for code, text in enumerate(table.strings) if text == "GC concurrent mark phase"]
    picked = np.flatnonzero(np.isin(rows.name, codes) & (rows.begin >= 0) & (rows.end >= 0))[:_POINTS]
    return rows.begin[picked], rows.end[picked]


def _at(times: _Ints, sizes: tuple[_Ints, _Ints]) -> tuple[float, ...]:
    """The last value known at each time; 0 before there is one."""
    known, values = sizes
    if not len(known):
        return tuple(0.0 for _ in times)
    at = np.searchsorted(known, times, side="right") - 1
    return tuple(np.where(at < 0, 0, values[np.maximum(at, 0)]).astype(np.float64).tolist())


def _ms(times: _Ints, table: Table) -> tuple[float, ...]:
    return tuple(round(float(time - table.begin) / _MS, 3) for time in times)
