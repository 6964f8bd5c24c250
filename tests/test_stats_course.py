"""How a number went: level, in steps, or creeping; and how rarely noise is taken for any of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from pytest_gotrace.stats.course import SEGMENT_AT_LEAST, _segments, course

NOISE = 0.02


def noise(seed, n=60):
    return np.random.default_rng(seed).normal(0, NOISE, n)


def test_noise_alone_is_level():
    """Of 300 series of nothing but noise hardly any is said to have moved."""
    moved = [seed for seed in range(300) if course(noise(seed)).kind != "level"]
    assert len(moved) <= 9


@pytest.mark.parametrize("seed", range(10))
def test_a_step(seed):
    """A rise of five standard deviations is one step, at its place, and of its size."""
    found = course(noise(seed) + 0.1 * (np.arange(60) >= 40))
    assert found.kind == "steps"
    assert len(found.starts) == 2
    assert abs(found.starts[1] - 40) <= 1
    assert found.levels[1] - found.levels[0] == pytest.approx(0.1, abs=0.02)
    assert found.noise == pytest.approx(NOISE, rel=0.5)


@pytest.mark.parametrize("seed", range(10))
def test_a_creep(seed):
    """A rise that is a sixth of the noise from one recording to the next is a creep, not a staircase."""
    found = course(noise(seed) + 0.0033 * np.arange(60))
    assert found.kind == "creep"
    assert found.slope == pytest.approx(0.0033, abs=0.0006)
    assert found.levels[1] - found.levels[0] == pytest.approx(59 * found.slope)


def test_up_and_down_again():
    """Two steps, one up and one down, are both found."""
    i = np.arange(60)
    found = course(noise(3) + 0.15 * ((i >= 20) & (i < 40)))
    assert found.kind == "steps"
    assert found.starts == (0, 20, 40)


@pytest.mark.parametrize("at", [0, 1, 30, 58, 59])
def test_one_odd_recording(at):
    """A single recording far off is no change, wherever it is."""
    x = noise(4)
    x[at] += 1.0
    assert course(x).kind == "level"
    exact = np.zeros(60)
    exact[at] = 1.0
    assert course(exact).kind == "level"


def test_what_never_varies():
    """A constant is level; one that became another constant is a step, exactly there."""
    assert course(np.full(20, 3.0)).kind == "level"
    found = course(np.where(np.arange(20) < 12, np.log(100), np.log(101)))
    assert (found.kind, found.starts) == ("steps", (0, 12))


@pytest.mark.parametrize("n", [0, 1, 5])
def test_too_few(n):
    """A handful of recordings has no course."""
    found = course(np.arange(n, dtype=float))
    assert (found.kind, len(found.levels)) == ("few", min(n, 1))


def test_recordings_that_know_their_errors():
    """A series is not quieter than its recordings are sure of themselves."""
    x = np.tile([0.0, 0.0001], 10) + 0.0005 * (np.arange(20) > 12)
    assert course(x).kind == "steps"
    assert course(x, np.full(20, 0.01)).kind == "level"


@pytest.mark.parametrize("seed", range(5))
def test_no_segmentation_is_cheaper(seed):
    """The segmentation is the cheapest of all that there are."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=14) + 3 * (np.arange(14) >= 6)
    penalty = 4.0

    def cost(cuts):
        return sum(((part - part.mean()) ** 2).sum() for part in np.split(x, cuts)) + penalty * len(cuts)

    def allowed(cuts):
        return all(b - a >= SEGMENT_AT_LEAST for a, b in zip((0, *cuts), (*cuts, 14), strict=True))

    every = [cuts for k in range(5) for cuts in combinations(range(1, 14), k) if allowed(cuts)]
    starts, found = _segments(x, penalty)
    assert found == pytest.approx(min(map(cost, every)))
    assert cost(starts[1:]) == pytest.approx(found)
