"""Run-to-run noise as benchmarks have it, for simulations: logarithms of both sides, cells x pairs.

A machine's speed wanders and has a neighbour that comes and goes; runs have noise of their own, of which the
cells of one run share a part; some programs have two speeds. `cv` is the run-to-run variation of each cell
without the machine's, whatever its shape. Pairs run back to back, in blocks of two of opposite order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Logarithms of the base and of the head runs.
Sides = tuple[Floats, Floats]
Noise = Callable[[np.random.Generator, Floats, int], Sides]

SHARED = 0.4
#: A quarter of the runs lies this many standard deviations of the others higher; the last is what that adds.
MODE_GAP = 2.4
MODE_SHARE = 0.25
MODE_SPREAD = np.sqrt(1 + MODE_GAP**2 * MODE_SHARE * (1 - MODE_SHARE))
CELLS_PER_BENCHMARK = 5


def base_first(rng: np.random.Generator, pairs: int) -> NDArray[np.bool_]:
    """Which pairs run base before head: every second pair the other way round than the one before it."""
    coins = np.repeat(rng.integers(0, 2, size=(pairs + 1) // 2), 2)[:pairs]
    return np.asarray((coins + np.arange(pairs)) % 2 == 0)


def gauss(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """Lognormal noise, 40 % of its variance shared by all cells of a run."""
    return _sides(_own(rng, cv, pairs), base_first(rng, pairs))


def drift(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """The same on a machine whose speed wanders."""
    return _sides(_own(rng, cv, pairs) + _machine(rng, len(cv), pairs), base_first(rng, pairs))


def bimodal(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """A quarter of the runs in a slow mode, shared by the cells of a benchmark."""
    inside = cv / MODE_SPREAD
    return _sides(_own(rng, inside, pairs) + _modes(rng, inside, pairs), base_first(rng, pairs))


def ugly(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """Heavy tails, modes, a wandering machine, and second runs that are 1.5 % slower than first ones."""
    inside = cv / MODE_SPREAD
    tails = inside[:, None] * rng.standard_t(3, size=(len(cv), 2 * pairs)) / np.sqrt(3)
    runs = tails + _modes(rng, inside, pairs) + _machine(rng, len(cv), pairs)
    return _sides(runs + 0.015 * (np.arange(2 * pairs) % 2), base_first(rng, pairs))


def t2(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """Tails so heavy that there is no variance."""
    return _sides(cv[:, None] * rng.standard_t(2, size=(len(cv), 2 * pairs)), base_first(rng, pairs))


def lattice(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """A quarter of a benchmark's runs 10 % slower, and hardly any other noise."""
    modes = _modes(rng, np.full(len(cv), 0.1 / MODE_GAP), pairs)
    return _sides(modes + 0.001 * rng.normal(size=modes.shape), base_first(rng, pairs))


def rare_neighbour(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """Every tenth pair has one run that is 30 % slower or faster, in all cells."""
    hits = (rng.random(pairs) < 0.1) * rng.choice([-0.3, 0.3], size=pairs)
    runs = _own(rng, cv, pairs)
    runs[:, 2 * np.arange(pairs) + rng.integers(0, 2, size=pairs)] += hits
    return _sides(runs, base_first(rng, pairs))


def hetero(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """Cells whose noise differs by up to a factor of a hundred."""
    return gauss(rng, np.exp(rng.uniform(np.log(0.003), np.log(0.3), size=len(cv))), pairs)


def apart(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """The wandering machine again, measured as no gate should: all base runs, and then all head runs."""
    runs = _own(rng, cv, pairs) + _machine(rng, len(cv), pairs)
    return runs[:, :pairs], runs[:, pairs:]


def rarely_faster(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """Ordinary noise on the base; the head is at times much faster, and for that a little slower otherwise."""
    return cv[:, None] * rng.normal(size=(len(cv), pairs)), -_lopsided(rng, cv, pairs)


def rarely_slower(rng: np.random.Generator, cv: Floats, pairs: int) -> Sides:
    """Ordinary noise on the base; the head is at times much slower, and for that a little faster otherwise."""
    return cv[:, None] * rng.normal(size=(len(cv), pairs)), _lopsided(rng, cv, pairs)


#: Every noise that the procedure has to bear; `apart` is no noise but a mistake.
ALL: dict[str, Noise] = {
    "gauss": gauss,
    "drift": drift,
    "bimodal": bimodal,
    "ugly": ugly,
    "t2": t2,
    "lattice": lattice,
    "rare": rare_neighbour,
    "hetero": hetero,
}


def _own(rng: np.random.Generator, cv: Floats, pairs: int) -> Floats:
    common, own = rng.normal(size=(1, 2 * pairs)), rng.normal(size=(len(cv), 2 * pairs))
    return np.asarray(cv[:, None] * (np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * own))


def _lopsided(rng: np.random.Generator, cv: Floats, pairs: int) -> Floats:
    return np.asarray(cv[:, None] * (rng.exponential(size=(len(cv), pairs)) - 1))


def _machine(rng: np.random.Generator, cells: int, pairs: int) -> Floats:
    walk = np.cumsum(rng.normal(scale=0.005, size=2 * pairs))
    neighbour = 0.10 * (np.cumsum(rng.random(2 * pairs) < 0.1) % 2)
    return np.asarray(rng.uniform(0.5, 1.5, size=(cells, 1)) * (walk + neighbour))


def _modes(rng: np.random.Generator, cv: Floats, pairs: int) -> Floats:
    benchmarks = -(-len(cv) // CELLS_PER_BENCHMARK)
    slow = np.repeat(rng.random((benchmarks, 2 * pairs)) < MODE_SHARE, CELLS_PER_BENCHMARK, axis=0)[: len(cv)]
    return np.asarray(MODE_GAP * cv[:, None] * slow)


def _sides(runs: Floats, first: NDArray[np.bool_]) -> Sides:
    start = 2 * np.arange(len(first))
    return runs[:, start + ~first], runs[:, start + first]
