"""Benchmarks measured outside any budget: for a test that asks for one, and for a first budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pytest_gotrace.distributions import Distribution
from pytest_gotrace.errors import UsageError
from pytest_gotrace.measure import Needs, orders, pairs
from pytest_gotrace.metrics import QUANTILES, Key, nearest
from pytest_gotrace.prepare import Benchmark, Failure, prepare
from pytest_gotrace.recording import Run
from pytest_gotrace.schedule import EVENTS_MARGIN, Schedule
from pytest_gotrace.stats import events_needed

_BOTH = Needs(modes=(False, True), events={})

#: What is worth a line in a first budget: units of `go test`, and waits by their total per operation.
_UNITS = ("ns/op", "B/op", "allocs/op")
_WAITS = ("sched-wait", "sync-block", "net-wait", "syscall")


def measure_one(
    schedule: Schedule, root: Path, directory: Path, name: str, most: int, seed: int
) -> tuple[Run, ...]:
    """`most` pairs of the benchmark `name` of the package in `directory`, traced and untraced, on the sides it is on.

    `root` is the repository's. Raises `UsageError` if there is no such benchmark, `GoTestError` if it fails.
    """
    module = module_of(directory, root)
    package = _below(module, directory)
    found = prepare(schedule.bench, _below(root, module), lambda candidate: candidate == package)
    for failure in found.failures:
        raise failure.error
    benchmark = next((b for b in found.benchmarks if b.name == name), None)
    if benchmark is None or benchmark.status["head"].presence == "absent":
        names = [b.name for b in found.benchmarks]
        raise UsageError(
            f"{directory} has no benchmark {name!r}{nearest(name, names)}; it has: {', '.join(names)}"
        )
    _raise_failure(benchmark)
    if benchmark.status["head"].presence == "skipped":
        raise UsageError(f"{benchmark.id} skips itself: {benchmark.status['head'].detail}")
    return _runs(schedule, benchmark, most, seed)


def survey(
    schedule: Schedule, root: Path, directory: Path, most: int, seed: int
) -> list[tuple[str, Key, float, float]]:
    """Every benchmark of the module in `directory` `most` times: its path, and mean and CV over the runs of each key.

    Keys are those a first budget is made of. Raises `GoTestError` when a package or a benchmark fails.
    """
    module = prepare(schedule.bench, _below(root, directory), lambda package: True)
    for failure in module.failures:
        raise failure.error
    for benchmark in module.benchmarks:
        _raise_failure(benchmark)
    return [
        (benchmark.path, *numbers)
        for benchmark in module.benchmarks
        if benchmark.status["head"].presence == "found"
        for numbers in summary(_runs(schedule, benchmark, most, seed))
    ]


def _raise_failure(benchmark: Benchmark) -> None:
    for status in benchmark.status.values():
        if status.failure is not None:
            raise status.failure.error


def summary(runs: Sequence[Run]) -> Iterator[tuple[Key, float, float]]:
    """Mean and coefficient of variation of the keys a first budget is made of, of one benchmark's runs."""
    keys = {Key(metric=unit) for unit in _UNITS}
    for series, distribution in ((s, d) for run in runs for s, d in run.series.items()):
        keys |= {replace(series, statistic=name) for name in _statistics(series, distribution)}
    for key in sorted(keys):
        traced = bool(key.statistic)
        values = np.array([run.number(key) for run in runs if run.traced == traced], dtype=np.float64)
        if len(values) > 1 and not np.isnan(values).any() and values.mean() > 0:
            yield key, float(values.mean()), float(values.std(ddof=1) / values.mean())


def _statistics(series: Key, distribution: Distribution) -> tuple[str, ...]:
    """Regions and tasks by their quantiles, as far as there are enough events."""
    if series.metric in ("region", "task"):
        return tuple(
            name
            for name in ("p50", "p99")
            if distribution.count >= EVENTS_MARGIN * events_needed(QUANTILES[name])
        )
    return ("total",) if series.metric in _WAITS else ()


def _runs(schedule: Schedule, benchmark: Benchmark, most: int, seed: int) -> tuple[Run, ...]:
    """The runs without the pair that warms up. Raises `GoTestError`."""
    if most < 1:
        raise UsageError(f"{benchmark.id}: {most} pairs were asked for; at least one is needed")
    for status in benchmark.status.values():
        if status.failure:
            raise status.failure.error
    sides = tuple(side for side in schedule.sides if benchmark.status[side].presence == "found")
    target = schedule.target((), benchmark, sides, _BOTH)
    if isinstance(target, Failure):
        raise target.error
    runs = []
    order = orders(seed, most, sides)
    for result in pairs(schedule.bench, schedule.reading(), [target], range(-1, most), order):
        if isinstance(result, Failure):
            raise result.error
        runs.append(result)
    return tuple(run for run in runs if run.round >= 0)


def module_of(directory: Path, root: Path) -> Path:
    """The nearest directory upwards that has a go.mod. Raises `UsageError` where none has within `root`."""
    for candidate in (directory, *directory.parents):
        if (candidate / "go.mod").is_file() and candidate.is_relative_to(root):
            return candidate
    raise UsageError(f"{directory} is in no Go module of {root}: there is no go.mod from there upwards")


def _below(parent: Path, directory: Path) -> str:
    relative = directory.relative_to(parent).as_posix()
    return "" if relative == "." else relative
