import numpy as np
import pytest

from pytest_gotrace.stats import diagnose

RNG = np.random.default_rng
ORDER = np.array([True, False, False, True] * 5)


def sides(seed=0, pairs=20, cv=0.02):
    base, head = 100 * np.exp(RNG(seed).normal(scale=cv, size=(2, pairs)))
    return base, head


def test_ordinary_runs_get_no_warning():
    """Noise without structure is rarely commented on: about three times in a hundred."""
    assert sum(bool(diagnose(*sides(seed), ORDER).warnings) for seed in range(100)) <= 6


def test_order_effect():
    """Second runs that are 5 % slower show as an order effect of 10 %, with what to do."""
    base, head = sides()
    found = diagnose(np.where(ORDER, base, base * 1.05), np.where(ORDER, head * 1.05, head), ORDER)
    assert found.order_effect == pytest.approx(2 * np.log(1.05), abs=0.03)
    assert found.order_effect_sds > 1
    assert any("ran base first" in w for w in found.warnings)


def test_load_that_comes_and_goes():
    """Differences that stay high and then stay low are correlated from pair to pair."""
    base, head = sides()
    found = diagnose(base, head * np.repeat([1.0, 1.2], 10), ORDER)
    assert found.lag1 > 0.5
    assert any("neighbouring pairs are alike" in w for w in found.warnings)


def test_two_modes_are_named():
    """Runs around 100 and around 130 fall into two groups on that side only, and the groups are named."""
    base, head = sides()
    found = diagnose(base, head * np.where(np.arange(20) % 3 == 0, 1.3, 1.0), ORDER)
    assert found.base_modes == ()
    assert found.head_modes == pytest.approx((100, 130), rel=0.03)
    assert any(w.startswith("head runs fall into two groups, around") for w in found.warnings)


def test_unequal_noise():
    """Head runs five times as noisy as base runs are pointed out."""
    base, head = sides()
    found = diagnose(base, 100 * (head / 100) ** 5, ORDER)
    assert found.variance_ratio > 9
    assert any("times as much as base" in w for w in found.warnings)


def test_lopsided_changes():
    """A few pairs with far larger changes than the rest make the change lopsided."""
    base, head = sides()
    head[[2, 11, 17]] *= [1.5, 2.0, 1.7]
    found = diagnose(base, head, ORDER)
    assert found.skewness > 1.5
    assert any("lopsided" in w for w in found.warnings)
    assert found.clipped == pytest.approx(3 / 20)


def test_too_few_pairs_say_nothing():
    """Below six pairs nothing is computed that needs more, and nothing is warned of."""
    base, head = sides(pairs=5)
    found = diagnose(base, head * [1, 1, 1, 1, 9], ORDER[:5])
    assert np.isnan([found.order_effect, found.lag1, found.skewness, found.variance_ratio]).all()
    assert found.warnings == ()


@pytest.mark.parametrize("pairs", [0, 1, 8, 20])
def test_constant_and_missing_runs_are_no_trouble(pairs):
    """Constant runs, zeros, and pairs without a value are diagnosed without complaint."""
    runs = np.zeros(pairs)
    runs[::4] = np.nan
    assert diagnose(runs, np.zeros(pairs), ORDER[:pairs]).warnings == ()
