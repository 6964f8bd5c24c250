"""Runs and recordings made up for tests: both sides, pair by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pytest_gotrace.distributions import PROBABILITIES, Distribution
from pytest_gotrace.metrics import Key, parse_series
from pytest_gotrace.recording import Measured, Recording, Run
from pytest_gotrace.spots import Spot

MACHINE = {"cpu": "C", "cores": "2", "gomaxprocs": "2", "go": "go1.26.8", "os": "linux", "arch": "amd64"}
SIDES = {"base": Measured(name="main", sha="a" * 40), "head": Measured(name="working tree", dirty=True)}


def spread(center: float, pairs: int, noise: float = 0.01, seed: int = 1) -> list[float]:
    """Numbers of `pairs` runs around `center`, the same each time."""
    draws = np.random.default_rng(seed).normal(0, noise, pairs)
    return [float(center * (1 + draw)) for draw in draws]


def distribution(total: float, count: int = 1000, **others: float) -> Distribution:
    """One whose total is `total` per operation and whose every quantile is `value`, or the mean."""
    value = others.get("value", total / count)
    return Distribution(
        count=count, total=total, mean=value, max=2 * value, quantiles=(value,) * len(PROBABILITIES)
    )


def run(side: str, round_: int, benchmark: str = "BenchmarkX", *, traced: bool = False, **fields) -> Run:
    """A run; `series` may be given by text."""
    series = {
        key if isinstance(key, Key) else parse_series(key): value
        for key, value in fields.pop("series", {}).items()
    }
    return Run(
        side=side,
        benchmark=benchmark,
        round=round_,
        position=int(side == "head"),
        traced=traced,
        iterations=fields.pop("iterations", 100),
        values=fields.pop("values", {}),
        series=series,
        **fields,
    )


def runs_of(numbers: Mapping[str, Sequence[float]], unit: str = "ns/op", benchmark: str = "BenchmarkX"):
    """Untraced runs of both sides: `{"base": [...], "head": [...]}`, one number a round."""
    return tuple(
        run(side, round_, benchmark, values={unit: number})
        for side, values in numbers.items()
        for round_, number in enumerate(values)
    )


def traced_runs(
    totals: Mapping[str, Mapping[str, Sequence[float]]],
    benchmark: str = "BenchmarkX",
    spots: Mapping[str, Sequence[Spot]] | None = None,
    count: int = 1000,
):
    """Traced runs: by side and series the total of each round; `spots` are the same in each round of a side."""
    return tuple(
        run(
            side,
            round_,
            benchmark,
            traced=True,
            series={name: distribution(totals_[round_], count) for name, totals_ in series.items()},
            spots=tuple((spots or {}).get(side, ())),
        )
        for side, series in totals.items()
        for round_ in range(len(next(iter(series.values()))))
    )


def recording(*runs: Run, **fields) -> Recording:
    """A recording of this machine with both sides; sampled runs are those that explain."""
    judged, explaining = (tuple(r for r in runs if r.sampled == sampled) for sampled in (False, True))
    machine = fields.pop("environment", MACHINE)
    return Recording(environment=machine, sides=SIDES, runs=judged, **{"explaining": explaining, **fields})
