"""What remembered noise does to a judgement: fewer pairs are enough, and a changed machine costs little."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_gotrace.stats import Cell, Plan, judge
from pytest_gotrace.stats.memory import DF_AT_MOST, remember
from pytest_gotrace.stats.rows import arrange

CELLS = 20
BUDGET = 0.05


def sides(rng, cv, pairs):
    """Both sides of every cell, lognormal, a part of the noise in common."""
    common = np.sqrt(0.4) * rng.normal(size=(2, 1, pairs))
    return 100 * np.exp(cv[:, None] * (common + np.sqrt(0.6) * rng.normal(size=(2, len(cv), pairs))))


def family(rng, pairs, changes, *, remembered, today=1.0, recordings=(10, 10), budget=BUDGET):
    """Twenty cells of 1 to 8 % noise, today's `today` times as much; and what is remembered of it."""
    cv = np.exp(rng.uniform(np.log(0.01), np.log(0.08), CELLS))
    cv[0] = 0.03
    then = [sides(rng, cv, n) for n in recordings] if remembered else []
    base, head = sides(rng, cv * today, pairs)
    head = head * (1 + changes)[:, None]
    return [
        Cell(
            base=base[i],
            head=head[i],
            relative=budget,
            earlier=tuple((7 * b[i], 7 * h[i]) for b, h in then),  # another level, the same scatter
        )
        for i in range(CELLS)
    ]


def share_over(times, pairs, changes, among=slice(None), seed=1, **how):
    """In how many of so many families a cell among those is called over."""
    rng, plan = np.random.default_rng(seed), Plan(looks=(pairs,))
    found = 0
    for _ in range(times):
        decisions = [c.decision for c in judge(family(rng, pairs, changes, **how), look=0, plan=plan)]
        found += "over" in decisions[among]
    return found / times


def test_fewer_pairs_are_enough():
    """With five pairs +10 % is found clearly more often where the noise of 20 earlier pairs is remembered."""
    change = np.eye(CELLS)[0] * 0.10
    how = {"among": slice(1), "budget": 0.0}
    forgetful = share_over(120, 5, change, remembered=False, **how)
    remembering = share_over(120, 5, change, remembered=True, **how)
    assert remembering >= forgetful + 0.05
    assert remembering >= 0.78


@pytest.mark.parametrize(
    ("today", "most"),
    [(1.0, 0.07), (2.0, 0.07), (0.5, 0.07), (np.where(np.arange(CELLS) < 5, 2.0, 1.0), 0.11)],
    ids=["as then", "noisier", "quieter", "five cells noisier"],
)
def test_false_alarms_stay_rare(today, most):
    """All cells exactly at budget fail about as rarely as without memory, also on a day unlike those before."""
    at = np.full(CELLS, BUDGET)
    assert share_over(150, 6, at, remembered=True, today=today) <= most


def one(earlier, base=(100.0, 101.0, 99.0, 100.0, 102.0, 98.0), **budget):
    numbers = np.array(base)
    head = numbers[::-1] * 1.001
    return Cell(base=numbers, head=head, earlier=earlier, **(budget or {"relative": 0.05}))


def test_only_the_scatter_counts():
    """Recordings of different levels have no scatter between them; each adds its pairs less one."""
    rng = np.random.default_rng(1)
    b, h = 100 * np.exp(0.02 * rng.normal(size=(2, 2, 5)))
    cell = one(tuple((b[i] * level, h[i] * level) for i, level in enumerate((1.0, 10.0))))
    found = remember([cell], arrange([cell]))
    assert found.df.tolist() == [8.0]
    assert np.sqrt(found.variance[0]) == pytest.approx(0.02 * np.sqrt(2), rel=0.5)


def test_a_long_history_is_not_believed_more():
    """However many pairs are remembered, they count for twenty degrees of freedom."""
    rng = np.random.default_rng(2)
    cell = one(tuple(tuple(100 * np.exp(0.02 * rng.normal(size=(2, 50)))) for _ in range(4)))
    assert remember([cell], arrange([cell])).df.tolist() == [DF_AT_MOST]


@pytest.mark.parametrize(
    "earlier",
    [
        (),
        ((np.array([]), np.array([])),),
        ((np.array([100.0]), np.array([101.0])),),
        ((np.full(9, np.nan), np.full(9, 1.0)),),
        ((np.zeros(9), np.zeros(9)),),
        ((np.full(9, 5.0), np.full(9, 5.0)),),
    ],
    ids=["nothing", "no pairs", "one pair", "no numbers", "no logarithms", "no scatter"],
)
def test_a_memory_of_nothing(earlier):
    """What remembers nothing changes nothing."""
    plan = Plan(looks=(6,))
    with_, without = (judge([one(e)], look=0, plan=plan) for e in (earlier, ()))
    assert with_ == without


def test_a_cap_and_an_exact_cell_have_no_memory():
    """Caps look at the head alone, and what does not vary today needs no memory of when it did."""
    noisy = ((np.array([1.0, 2.0, 3.0, 4.0]), np.array([4.0, 1.0, 2.0, 3.0])),)
    constant = Cell(base=np.full(6, 3.0), head=np.full(6, 3.0), relative=0.05, earlier=noisy)
    cap = Cell(head=np.array([1.0, 1.1, 0.9, 1.0, 1.05, 1.0]), cap=2.0, earlier=noisy)
    found = judge([constant, cap], look=0, plan=Plan(looks=(6,)))
    assert [c.decision for c in found] == ["within", "within"]
