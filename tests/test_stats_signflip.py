from itertools import product

import numpy as np
import pytest
from scipy import stats

from pytest_gotrace.stats.moderated import analyse
from pytest_gotrace.stats.signflip import _clipped, p_flip, p_flip_max, patterns


@pytest.mark.parametrize("n", [5, 6, 9, 11])
def test_is_the_permutation_test_of_paired_samples(n):
    """Up to 11 pairs the p-value is scipy's exact permutation test of pairs."""
    d = np.random.default_rng(n).normal(0.3, size=(3, n))
    for p, row in zip(p_flip(d, 0), d, strict=True):
        exact = stats.permutation_test(
            (row,), np.mean, permutation_type="samples", alternative="greater", n_resamples=np.inf
        )
        assert p == pytest.approx(exact.pvalue)


def test_smallest_p_is_one_pattern():
    """Pairs that all agree have the p-value of one pattern among all."""
    assert p_flip(np.ones((1, 6)), 0).tolist() == [2**-6]
    assert p_flip(np.ones((1, 14)), 0)[0] >= 1 / 2048


def test_drawn_patterns_contain_the_one_seen_and_are_fixed():
    """Above 11 pairs 2048 patterns are drawn, the first is the one seen, and a seed gives the same ones."""
    drawn = patterns(14, 3)
    assert drawn.shape == (2048, 14)
    assert (drawn[0] == 1).all()
    patterns.cache_clear()
    assert np.array_equal(patterns(14, 3), drawn)
    assert not np.array_equal(patterns(14, 4), drawn)


def test_missing_pairs_do_not_flip():
    """A row with a missing pair has the p-value of the row without it."""
    d = np.random.default_rng(2).normal(0.5, size=8)
    assert p_flip(np.insert(d, 3, np.nan)[None, :], 0)[0] == p_flip(d[None, :], 0)[0]


def test_ties_count_as_seen():
    """A pattern that gives the same sum up to rounding counts as at least as bad."""
    assert p_flip(np.array([[0.1, 0.2, 0.3, -0.3, 0.0]]), 0)[0] == pytest.approx(
        np.mean([s @ [1, 2, 3, -3, 0] >= 3 for s in map(np.array, product([1, -1], repeat=5))])
    )


def test_maximum_over_one_cell_is_that_cell():
    """For a single cell the family-wise p-value is its own sign-flip p-value."""
    d = np.random.default_rng(5).normal(0.4, size=(1, 8))
    effects = analyse(d, [("paired", "")])
    assert effects.clipped.tolist() == [0]
    assert p_flip_max(effects, np.zeros(1), 0)[0] == p_flip(d, 0)[0]


def test_maximum_is_the_step_down_of_westfall_and_young():
    """Without outliers the adjusted p-values are those of a step-down by hand with plain t statistics."""
    d = np.random.default_rng(12).normal([[0.8], [0.4], [0.1]], 0.5, size=(3, 6))
    effects = analyse(d, [("paired", "")] * 3)

    def t(x):
        return np.array([stats.ttest_1samp(row, 0).statistic for row in x])

    seen = t(d)
    order = np.argsort(-seen)
    flipped = np.array([t(d * np.array(s)) for s in product([1.0, -1.0], repeat=6)])
    by_hand, worst = np.empty(3), 0.0
    for i, cell in enumerate(order):
        worst = max(worst, float((flipped[:, order[i:]].max(axis=1) >= seen[cell] - 1e-9).mean()))
        by_hand[cell] = worst
    np.testing.assert_allclose(p_flip_max(effects, np.zeros(3), 0), by_hand)


def test_outliers_are_clipped_the_same_before_and_after_a_flip():
    """What is pulled in does not depend on signs, so the pattern seen is one among its equals."""
    d = np.random.default_rng(3).normal(size=(4, 10))
    d[1, 4] = 30
    signs = np.array([1, -1] * 5)
    assert abs(_clipped(d)[1, 4]) < 10
    np.testing.assert_array_equal(_clipped(d * signs), _clipped(d) * signs)


def test_cells_below_their_budget_do_not_cover_others():
    """Innocent cells far below their budget leave the guilty one as visible as noise around zero would."""
    d = np.random.default_rng(4).normal(size=(6, 10))
    d[0] += 3
    beta = np.zeros(6)
    near = p_flip_max(analyse(d, [("paired", "")] * 6), beta, 0)[0]
    d[1:] -= 50
    assert p_flip_max(analyse(d, [("paired", "")] * 6), beta, 0)[0] <= near + 0.01
