"""Whole runs for simulations: thousands of events each, from which every metric's one number is made.

Durations inside a run are lognormal, move together in phases, and one in eighty or so is a spike; how often
spikes come differs from run to run, which is what makes tails so much noisier than medians. Runs then vary by
2 % in ns/op, 3 % in p50, 9 % in p99 and 8 % in totals, about as real benchmarks do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks import noise
from benchmarks.noise import Floats, Noise
from pytest_gotrace.stats import Cell, quantiles

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

    speed: float = 1.0
    tail: float = 1.0
    waiting: float = 1.0
    collections: float = 1.0


UNCHANGED = Change()


@dataclass(frozen=True, slots=True)
class Run:
    """One run: a number for each of `METRICS`, and the single durations behind them."""

    numbers: tuple[float, ...]
    regions: Floats
    waits: Floats


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Runs of both sides: of each benchmark one for each pair."""

    base: tuple[tuple[Run, ...], ...]
    head: tuple[tuple[Run, ...], ...]

    def numbers(self, side: str) -> Floats:
        """One number per metric and run of "base" or "head": (benchmarks x metrics) x pairs."""
        runs = getattr(self, side)
        return np.concatenate([np.array([run.numbers for run in benchmark]).T for benchmark in runs])

    def cells(self) -> list[Cell]:
        """Every metric of every benchmark with its budget."""
        rows = zip(self.numbers("base"), self.numbers("head"), METRICS * BENCHMARKS, strict=True)
        return [
            Cell(base=base, head=head, relative=relative, absolute=floor or None, kind=name)
            for base, head, (name, relative, floor) in rows
        ]


def pull_request(
    rng: np.random.Generator,
    change: Change,
    pairs: int,
    kind: Noise = noise.drift,
    cv: float = RUN_CV,
) -> PullRequest:
    """Runs of a pull request with that change, on machines with that kind and size of noise."""
    base, head = (np.exp(side) for side in kind(rng, np.full(BENCHMARKS, cv), pairs))
    changes = [change] + [UNCHANGED] * (BENCHMARKS - 1)
    return PullRequest(
        tuple(tuple(_run(rng, speed, UNCHANGED) for speed in row) for row in base),
        tuple(tuple(_run(rng, speed, how) for speed in row) for row, how in zip(head, changes, strict=True)),
    )


def _run(rng: np.random.Generator, speed: float, change: Change) -> Run:
    speed *= change.speed
    regions = speed * _durations(rng, EVENTS)
    slowest = regions > np.quantile(regions, 0.97)
    regions[slowest] *= change.tail
    waits = change.waiting * speed * rng.lognormal(0, 0.05) * _durations(rng, WAITS)
    collections = float(rng.poisson(COLLECTIONS * change.collections))
    p50, p99 = quantiles(regions, (0.5, 0.99))
    numbers = (speed, p50, p99, waits.sum(), quantiles(waits, (0.5,))[0], collections)
    return Run(tuple(map(float, numbers)), regions, waits)


def _durations(rng: np.random.Generator, n: int) -> Floats:
    phases = np.repeat(rng.lognormal(0, 0.05, PHASES), -(-n // PHASES))[:n]
    spikes = np.where(rng.random(n) < rng.uniform(0.010, 0.015), rng.uniform(4, 6, n), 1.0)
    return np.asarray(phases * rng.lognormal(0, 0.6, n) * spikes)
