"""Whole runs for simulations: thousands of events each, from which every metric's one number is made.

Durations inside a run are lognormal, move together in phases, and one in eighty or so is a spike; how often
spikes come differs from run to run, which is what makes tails so much noisier than medians. Runs then vary by
2 % in ns/op, 3 % in p50, 9 % in p99 and 8 % in totals, about as real benchmarks do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks import noise
from pytest_gotrace.stats import quantiles

Floats = NDArray[np.float64]

BENCHMARKS = 4
EVENTS, WAITS, COLLECTIONS = 2000, 300, 6
PHASES = 20
#: Metric, relative budget, absolute floor (0 for none).
METRICS = (
    ("ns/op", 0.05, 0.0),
    ("region.p50", 0.05, 0.0),
    ("region.p99", 0.30, 0.0),
    ("sched-wait.total", 0.20, 0.0),
    ("sched-wait.p50", 0.30, 0.0),
    ("gc-pause.count", 0.50, 4.0),
)
#: The variation of a whole run's speed; the machine's comes on top.
RUN_CV = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What head does differently in the first benchmark: factors; `tail` is that of the slowest 3 %."""

    tail: float = 1.0
    waiting: float = 1.0
    collections: float = 1.0


def pull_request(rng: np.random.Generator, change: Change, pairs: int) -> tuple[Floats, Floats]:
    """One number per metric and run: base and head, (benchmarks x metrics) x pairs."""
    speeds = [np.exp(side) for side in noise.drift(rng, np.full(BENCHMARKS, RUN_CV), pairs)]
    sides = [
        np.array([_metrics(rng, row, change if head and i == 0 else Change()) for i, row in enumerate(speed)])
        for head, speed in enumerate(speeds)
    ]
    base, head = (np.moveaxis(side, 2, 1).reshape(-1, pairs) for side in sides)
    return base, head


def _metrics(rng: np.random.Generator, speeds: Floats, change: Change) -> Floats:
    """Runs x metrics of one benchmark on one side."""
    return np.array([_run(rng, speed, change) for speed in speeds])


def _run(rng: np.random.Generator, speed: float, change: Change) -> list[float]:
    region = speed * _durations(rng, EVENTS)
    slowest = region > np.quantile(region, 0.97)
    region[slowest] *= change.tail
    waits = change.waiting * speed * rng.lognormal(0, 0.05) * _durations(rng, WAITS)
    collections = rng.poisson(COLLECTIONS * change.collections)
    p50, p99 = quantiles(region, (0.5, 0.99))
    return [speed, p50, p99, waits.sum(), quantiles(waits, (0.5,))[0], collections]


def _durations(rng: np.random.Generator, n: int) -> Floats:
    phases = np.repeat(rng.lognormal(0, 0.05, PHASES), -(-n // PHASES))[:n]
    spikes = np.where(rng.random(n) < rng.uniform(0.010, 0.015), rng.uniform(4, 6, n), 1.0)
    return np.asarray(phases * rng.lognormal(0, 0.6, n) * spikes)
