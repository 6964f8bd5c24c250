"""Traces that stay, to be looked at: of each side the median and the worst of the runs that explain a benchmark.

With them go profiles for `go tool pprof -diff_base`, the moment to look at first, and the heap over time.
"""

from __future__ import annotations

import hashlib
import math
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.commands import profile_path
from pytest_gotrace.errors import UsageError
from pytest_gotrace.explanation import KeptTrace, LineShift, Timeline, Which
from pytest_gotrace.measure import kept_trace
from pytest_gotrace.metrics import Key
from pytest_gotrace.moments import Moment, longest, longest_at
from pytest_gotrace.recording import SIDES, Run
from pytest_gotrace.rounds import Round, measured_round
from pytest_gotrace.trace import Frame, Metric, Table, join, read_trace
from pytest_gotrace.views import scope
from pytest_gotrace.views.pprof import profile
from pytest_gotrace.views.waits import PROFILES, samples

#: Below the report's directory.
FOLDER = "traces"
#: Points of a timeline, and collections in it.
_POINTS = 300
_MS = 1e6
#: What runs are ranked by where nothing is over its budget.
_TIME = Key(metric="ns/op")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The number that runs are ranked by, its unit, and whether the highest is the worst."""

    key: Key = _TIME
    unit: str = "ns"
    highest: bool = True

    def __call__(self, run: Run) -> tuple[float, float]:
        """How bad a run is, by its time where others are as bad; one without the number is not at all."""
        value = run.number(self.key)
        bad = -math.inf if math.isnan(value) else value if self.highest else -value
        return bad, run.values.get("ns/op", 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was kept of one benchmark, the worst of the head first."""

    traces: tuple[KeptTrace, ...] = ()
    timelines: tuple[Timeline, ...] = ()


def keep(
    runs: Sequence[Run],
    traces: Path,
    report: Path,
    ranking: Ranking | None = None,
    line: LineShift | None = None,
) -> Kept:
    """Copy what is worth it from `traces` into the directory of the report; `runs` are those of one benchmark.

    What to look at first is at `line`, of which the why speaks; else it is of the series that runs are ranked by.
    Raises `UsageError` where the report's directory cannot be written to, `TraceError` where a trace cannot be read.
    """
    ranking = ranking or Ranking()
    kept, timelines = [], []
    for run, which, among in _chosen(runs, ranking):
        path = f"{FOLDER}/{folder_name(run.benchmark)}/{run.side}-{which}.trace"
        try:
            (report / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept_trace(traces, run.side, run.round), report / path)
            table = join(read_trace(report / path))
            if which == "median":
                _write_profiles(table, report / path)
        except OSError as error:
            raise UsageError(f"{report / path}: cannot keep the trace: {error.strerror}") from error
        described = _described(run, which, path, ranking)
        kept.append(replace(described, runs=among, **_pointed(_round(run, table), ranking.key.series, line)))
        timelines.append(timeline(run, which, table))
    return Kept(traces=tuple(kept), timelines=tuple(timelines))


def folder_name(benchmark: str) -> str:
    """A name for a folder that no benchmark can escape from, and that no two share."""
    plain = re.sub(r"[^A-Za-z0-9=.-]+", "_", benchmark)[:80]
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9=.-]*(/[A-Za-z0-9=.-]+)*", benchmark) and len(benchmark) <= 80:
        return plain
    return f"{plain}-{hashlib.sha256(benchmark.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _chosen(runs: Sequence[Run], ranking: Ranking) -> Iterator[tuple[Run, Which, int]]:
    """Each run that is worth it, and among how many of its side."""
    for side in reversed(SIDES):
        ranked = sorted((run for run in runs if run.side == side), key=ranking)
        if len(ranked) > 1:
            yield ranked[-1], "worst", len(ranked)
        if ranked:
            yield ranked[(len(ranked) - 1) // 2], "median", len(ranked)


def _write_profiles(table: Table, trace: Path) -> None:
    looked = scope(table)
    for found in PROFILES.values():
        if counted := samples(looked, found):
            path = trace.with_name(Path(profile_path(trace.name, found.name)).name)
            path.write_bytes(profile(counted, looked.end - looked.begin))


def _described(run: Run, which: Which, path: str, ranking: Ranking) -> KeptTrace:
    value = run.number(ranking.key)
    return KeptTrace(
        benchmark=run.benchmark,
        side=run.side,
        which=which,
        path=path,
        by=str(ranking.key),
        value=value if math.isfinite(value) else None,
        unit=ranking.unit,
    )


def _round(run: Run, table: Table) -> Round:
    reported = run.values["ns/op"] * run.iterations if "ns/op" in run.values else None
    return measured_round(table, run.iterations, reported)


def _pointed(measured: Round, series: Key, line: LineShift | None) -> dict[str, Any]:
    """The fields of a kept trace that say what to look at first."""
    if line and (found := longest_at(measured, line.state, line.function, line.line)):
        return {**_moment(found), "series": line.state, "at": _place(found.at, line.file)}
    first = longest(measured, series)
    return {**_moment(first), "series": str(series)} if first else {}


def _place(call: Frame | None, file: str) -> str:
    """File and line, "" where the function is in another file than on the head."""
    return f"{file}:{call.line}" if call and f"/{call.file}".endswith(f"/{file}") else ""


def _moment(found: Moment) -> dict[str, int]:
    return {"goroutine": found.goroutine, "begin": found.begin, "duration": found.duration}


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
