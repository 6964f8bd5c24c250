"""The rank-sum test: exact where it can be, and blind to how far out an outlier is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from pytest_gotrace.stats.ranks import rank_sum


@pytest.mark.parametrize(("n", "m"), [(2, 2), (4, 4), (5, 7), (8, 8)])
def test_without_ties_it_is_that_of_scipy(n, m):
    """For samples without ties the p-value is the exact one of scipy's Mann-Whitney test."""
    rng = np.random.default_rng(n * 10 + m)
    for shift in (0.0, 1.0, 3.0):
        base, head = rng.normal(size=n), rng.normal(shift, size=m)
        assert rank_sum(base, head) == pytest.approx(mannwhitneyu(base, head, method="exact").pvalue)


def test_many_runs_take_the_normal_limit():
    """Where there are too many ways to deal ranks out it is scipy's limit, with its correction for ties."""
    rng = np.random.default_rng(5)
    base, head = rng.integers(0, 6, 15), rng.integers(1, 7, 12)
    assert rank_sum(base, head) == pytest.approx(mannwhitneyu(base, head, method="asymptotic").pvalue)


SIDE = st.lists(st.integers(0, 3), min_size=1, max_size=4)


@given(base=SIDE, head=SIDE)
def test_ties_are_dealt_out_too(base, head):
    """With ties it is the share of all ways to deal the values out that put the sides as far apart."""
    values = np.array(base + head, dtype=float)
    ranks = np.array([(values < value).sum() + ((values == value).sum() + 1) / 2 for value in values])
    middle = len(base) * ranks.mean()
    sums = [sum(ranks[list(chosen)]) for chosen in combinations(range(len(values)), len(base))]
    seen = abs(sum(ranks[: len(base)]) - middle)
    expected = np.mean([abs(total - middle) >= seen - 1e-9 for total in sums])
    assert rank_sum(base, head) == pytest.approx(expected)


def test_a_tail_does_not_hide_a_shift():
    """One run that took a hundred times as long makes nothing less sure."""
    assert rank_sum([1, 2, 3, 4], [5, 6, 7, 8]) == rank_sum([1, 2, 3, 4], [5, 6, 7, 800]) == 2 / 70


@pytest.mark.parametrize(
    ("base", "head"),
    [([], []), ([], [1.0]), ([1.0], [9.0]), ([0.0] * 6, [0.0] * 6), ([0.0] * 20, [0.0] * 20)],
)
def test_nothing_is_sure_of_nothing(base, head):
    """No run, a single one, or runs that are all alike tell no difference."""
    assert rank_sum(base, head) == 1.0
