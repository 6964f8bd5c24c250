"""Runs in pairs: base and head back to back, the order balanced and random, one process and one trace at a time.

1. Calibrate: the iteration count of each benchmark is found once, on the base, and is the same for both sides.
2. One pair to warm up, which is dropped.
3. Pairs in blocks of two, ABBA or BAAB by a fair coin of a recorded seed (statistics: drift cancels within a block).
4. Benchmarks take turns pair by pair, so that a noisy minute does not fall on one of them.
5. A pair during which others disturbed the machine is measured again, both sides, before anybody looks at it.

The trace is read between two runs and deleted; what stays of it is its distributions.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_gotrace import gotest
from pytest_gotrace.distributions import Distribution, extract
from pytest_gotrace.errors import GoTestError, TraceError
from pytest_gotrace.gotest import GoCommand
from pytest_gotrace.metrics import Key, Metric
from pytest_gotrace.prepare import Bench, Benchmark, Failure
from pytest_gotrace.recording import Run, Side
from pytest_gotrace.rounds import measured_round
from pytest_gotrace.spots import Spot, spots
from pytest_gotrace.trace import join, read_trace

#: How long a run should last, in seconds: long enough for its noise, short enough for many of them.
RUN_SECONDS = 0.25
#: A run is made longer than that, up to this factor, where its quantiles need more events.
LONGEST_STRETCH = 8.0
#: A run's trace may take this share of the limit; the rest is room for runs that are larger than the calibration's.
_TRACE_SHARE = 0.5
_MIB = 1 << 20

#: Go itself never runs a benchmark more often (`maxBenchPredictIters` in testing/benchmark.go); an empty one would.
_MOST_ITERATIONS = 1_000_000_000

#: A trial of the calibration should last this share of a run; how many there may be, and how long the first.
_TRIAL_SHARE, _TRIALS, _MOST_AT_FIRST = 0.25, 3, 1_000_000
#: The round of a trial; whoever judges leaves out rounds below 0.
_CALIBRATING = -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A benchmark and how to run it. `modes` says whether untraced (False) and traced (True) runs are wanted."""

    benchmark: Benchmark
    sides: tuple[Side, ...]
    modes: tuple[bool, ...]
    iterations: int
    seconds: float  # what one run is expected to take


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a run's trace is read for, and the two places where a project may have its own way.

    With `sampled` traced runs have the CPU profile on. Their traces stay in `keep`, by side and round, if it is given.
    """

    metrics: tuple[Metric, ...]
    rename: Callable[[Key], Key] = lambda key: key
    adapt: Callable[[GoCommand], GoCommand] = lambda command: command
    max_trace_mb: int = 64
    run_seconds: float = RUN_SECONDS
    sampled: bool = False
    keep: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the budget needs of a benchmark: which modes, and how many events of each series for its quantiles."""

    modes: tuple[bool, ...]
    events: Mapping[Key, int]


def orders(seed: int, pairs: int, sides: Sequence[Side]) -> list[tuple[Side, ...]]:
    """The order of the sides in each of `pairs` pairs: blocks AB BA or BA AB by a fair coin."""
    coin = random.Random(seed)
    forth, back = tuple(sides), tuple(reversed(sides))
    order: list[tuple[Side, ...]] = []
    while len(order) < pairs:
        order += [forth, back] if coin.random() < 0.5 else [back, forth]
    return order[:pairs]


def calibrate(
    bench: Bench, reading: Reading, benchmark: Benchmark, sides: Sequence[Side], needs: Needs
) -> Target | Failure:
    """Choose the iteration count on the first of `sides`: by time, then by events, within the limit on traces.

    The first guess comes from a single cold iteration, which may take a thousand times as long as those after it;
    so it is tried and corrected, until a trial was long enough to go by.
    """
    target = Target(benchmark=benchmark, sides=tuple(sides), modes=needs.modes, iterations=1, seconds=0.0)
    nanoseconds = benchmark.status[sides[0]].nanoseconds or 1e9 * reading.run_seconds
    iterations = min(
        max(1, round(_TRIAL_SHARE * reading.run_seconds * 1e9 / max(nanoseconds, 1.0))), _MOST_AT_FIRST
    )
    for _ in range(_TRIALS):
        began = time.perf_counter()
        tried = replace(target, iterations=iterations)
        trial = run(bench, reading, tried, sides[0], _CALIBRATING, 0, traced=needs.modes[-1])
        if isinstance(trial, Failure):
            return trial
        lasted = _seconds(trial, trial.iterations)
        overhead = max(0.0, time.perf_counter() - began - lasted)
        wished = _iterations(trial, needs, reading)
        target = replace(target, iterations=wished, seconds=_seconds(trial, wished) + min(overhead, 1.0))
        if lasted >= _TRIAL_SHARE / 2 * reading.run_seconds or wished <= 2 * iterations:
            break
        iterations = max(1, round(_TRIAL_SHARE * wished))
    return target


def _iterations(trial: Run, needs: Needs, reading: Reading) -> int:
    by_time = reading.run_seconds * trial.iterations / max(_seconds(trial, trial.iterations), 1e-9)
    by_events = [
        trial.iterations * events / trial.series[key].count
        for key, events in needs.events.items()
        if key in trial.series
    ]
    wished = min(max([by_time, *by_events]), by_time * LONGEST_STRETCH)
    if trial.trace_bytes:
        wished = min(
            wished, trial.iterations * reading.max_trace_mb * _MIB * _TRACE_SHARE / trial.trace_bytes
        )
    return max(1, round(min(wished, _MOST_ITERATIONS)))


def _seconds(run: Run, iterations: int) -> float:
    return run.values.get("ns/op", RUN_SECONDS * 1e9 / run.iterations) * iterations / 1e9


def pairs(
    bench: Bench,
    reading: Reading,
    targets: Sequence[Target],
    rounds: Sequence[int],
    order: Sequence[tuple[Side, ...]],
) -> Iterator[Run | Failure]:
    """Measure `rounds` of every target, in turns. A target that fails gets no more runs; the others go on.

    Round -1 is the pair that warms up: it is measured like any other, and whoever judges leaves it out.
    """
    failed: set[str] = set()
    bench.watch.plan(sum(len(target.modes) for target in targets) * sum(number >= 0 for number in rounds))
    for number in rounds:
        for target in targets:
            for traced in target.modes:
                sides = [side for side in order[number] if side in target.sides]
                if target.benchmark.id in failed:
                    continue
                for result in _undisturbed_pair(bench, reading, target, sides, number, traced):
                    if isinstance(result, Failure):
                        failed.add(target.benchmark.id)
                    yield result


def _undisturbed_pair(
    bench: Bench, reading: Reading, target: Target, sides: Sequence[Side], number: int, traced: bool
) -> list[Run | Failure]:
    """A pair; the second one, if the first was disturbed and may be repeated. The first is never looked at then."""
    first = list(_pair(bench, reading, target, sides, number, traced))
    runs = [result for result in first if isinstance(result, Run)]
    reasons = tuple(dict.fromkeys(source for run in runs for source in run.disturbed))
    if number < 0 or len(runs) < len(first) or not reasons or not bench.watch.may_repeat():
        return first
    again = _pair(bench, reading, target, sides, number, traced)
    return [replace(result, repeated=reasons) if isinstance(result, Run) else result for result in again]


def _pair(
    bench: Bench, reading: Reading, target: Target, sides: Sequence[Side], number: int, traced: bool
) -> Iterator[Run | Failure]:
    """One run on each side, in this order, up to the first that fails."""
    for position, side in enumerate(sides):
        result = run(bench, reading, target, side, number, position, traced=traced)
        yield result
        if isinstance(result, Failure):
            return


def run(
    bench: Bench, reading: Reading, target: Target, side: Side, number: int, position: int, *, traced: bool
) -> Run | Failure:
    """One process of one benchmark, and its trace read if it wrote one."""
    executable = target.benchmark.executables[side]
    trace = bench.scratch / "run.trace" if traced else None
    sampled = reading.sampled and traced
    try:
        with bench.watch.over(target.benchmark.id, side, traced) as seen:
            result = gotest.run_benchmark(
                executable.binary,
                target.benchmark.name,
                target.iterations,
                trace=trace,
                cwd=executable.directory,
                env=bench.env,
                timeout=bench.timeout,
                trace_bytes=reading.max_trace_mb * _MIB,
                cpus=bench.cpus,
                profile=bench.scratch / "run.cpu" if sampled else None,
                adapt=reading.adapt,
            )
        series, places = _read(trace, reading, target, result.values) if trace else ({}, ())
        size = trace.stat().st_size if trace else 0
        if trace and reading.keep and number >= 0:
            trace.replace(kept_trace(reading.keep, side, number))
        return Run(
            side=side,
            benchmark=target.benchmark.id,
            round=number,
            position=position,
            traced=traced,
            iterations=result.iterations,
            values=result.values,
            series=series,
            spots=places,
            trace_bytes=size,
            disturbed=seen.sources,
            sampled=sampled,
        )
    except (GoTestError, TraceError) as error:
        return Failure(
            benchmark=target.benchmark.id, side=side, error=_told(error, target.benchmark.id, bench.scratch)
        )
    finally:
        if trace is not None:
            with contextlib.suppress(OSError):
                trace.unlink()


def kept_trace(directory: Path, side: Side, number: int) -> Path:
    """Where a run's trace is kept."""
    return directory / f"{side}-{number}.trace"


def _told(error: GoTestError | TraceError, benchmark: str, scratch: Path) -> GoTestError:
    """The error as that of a measurement. On a full disk neither `go` nor a trace says what was the matter."""
    if shutil.disk_usage(scratch).free < _MIB:
        full = f"{benchmark}: the disk was full while it ran; free some space, or set TMPDIR to a larger one"
        return GoTestError(full)
    if isinstance(error, GoTestError):
        return error
    return GoTestError(f"{benchmark}: its trace cannot be read: {error.message}")


def _read(
    trace: Path, reading: Reading, target: Target, values: Mapping[str, float]
) -> tuple[dict[Key, Distribution], tuple[Spot, ...]]:
    reported = values["ns/op"] * target.iterations if "ns/op" in values else None
    measured = measured_round(join(read_trace(trace)), target.iterations, reported)
    module = target.benchmark.import_path.removesuffix(target.benchmark.package).rstrip("/")
    return extract(measured, reading.metrics, reading.rename), spots(measured, module, reading.rename)
