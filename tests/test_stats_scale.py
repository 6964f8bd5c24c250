from math import inf, log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_gotrace.stats.scale import NEEDS_FLOOR, Facts, Scale, backward, choose, forward, stack
from pytest_gotrace.stats.types import Cell

RUNS = np.ones(6)
POSITIVE = Facts(lowest=1.0, base=100.0, head=110.0, base_always_zero=False)
WITH_ZEROS = Facts(lowest=0.0, base=100.0, head=110.0, base_always_zero=False)
ZERO_BASE = Facts(lowest=0.0, base=0.0, head=3.0, base_always_zero=True)

sizes = st.floats(0, 1e6)
budgets = st.tuples(st.floats(0.01, 0.9), st.floats(0.1, 1e4))


def scale(facts=POSITIVE, **budget):
    found = choose(Cell(base=RUNS, head=RUNS, **budget), facts)
    assert isinstance(found, Scale)
    return found


def worse(scale, base, head):
    """By how much head is worse than base on the scale."""
    values = forward(stack([scale]), np.array([[base, head]]))[0]
    return scale.sign * (values[1] - values[0])


@given(base=sizes, head=sizes, budget=budgets, better=st.sampled_from(["lower", "higher"]))
def test_beyond_beta_is_beyond_the_budget(base, head, budget, better):
    """On either side of the knee the distance exceeds beta just when the change exceeds max(r * base, a)."""
    relative, absolute = budget
    knee = absolute / relative
    assume((base < knee) == (head < knee))
    s = scale(relative=relative, absolute=absolute, better=better)
    excess = (head - base if better == "lower" else base - head) - max(relative * base, absolute)
    assume(abs(excess) > 1e-6 * max(base, head, absolute))
    assert (worse(s, base, head) > s.beta) == (excess > 0)


@given(values=st.lists(st.floats(0, 1e6), min_size=2, max_size=8, unique=True), budget=budgets)
def test_is_monotone_and_has_a_way_back(values, budget):
    """Larger values lie further up the scale, and come back as they were."""
    columns = stack([scale(relative=budget[0], absolute=budget[1])])
    ordered = np.sort(np.array([values]), axis=1)
    up = forward(columns, ordered)
    assert (np.diff(up) >= 0).all()
    np.testing.assert_allclose(backward(columns, up), ordered, rtol=1e-9, atol=1e-9)


def test_meets_at_the_knee():
    """Just below and at the knee the scale has the same value."""
    columns = stack([scale(relative=0.1, absolute=20.0)])
    below, at = forward(columns, np.array([[200 * (1 - 1e-12), 200.0]]))[0]
    assert below == pytest.approx(at)


def test_only_relative_is_the_logarithm():
    """Without an absolute floor the scale is the logarithm and beta is log(1 + r)."""
    s = scale(relative=0.1)
    assert worse(s, 50.0, 60.0) == pytest.approx(log(60 / 50))
    assert s.beta == pytest.approx(log(1.1))


def test_only_absolute_is_a_line():
    """Without a relative part the distance is the difference, in units in which beta is the budget."""
    s = scale(absolute=5.0)
    assert worse(s, 7.0, 27.0) / s.beta == pytest.approx(20 / 5)


def test_higher_is_better_may_fall_by_its_budget():
    """Where higher is better, falling by exactly r lies at beta and rising is an improvement."""
    s = scale(relative=0.2, better="higher")
    assert worse(s, 100.0, 80.0) == pytest.approx(s.beta)
    assert worse(s, 100.0, 120.0) < 0


@pytest.mark.parametrize(("better", "bad"), [("lower", 10.1), ("higher", 9.9)])
def test_cap_lies_at_beta(better, bad):
    """A value at the cap lies at beta, one beyond it beyond beta, zeros included in the scale."""
    s = choose(Cell(head=RUNS, cap=10.0, better=better), WITH_ZEROS)
    at, beyond, zero = s.sign * forward(stack([s]), np.array([[10.0, bad, 0.0]]))[0]
    assert at == pytest.approx(s.beta)
    assert beyond > s.beta
    assert zero == 0


def test_cap_of_zero_is_the_plain_value():
    """A cap of 0 has a scale too: anything above 0 is beyond it."""
    s = choose(Cell(head=RUNS, cap=0.0), ZERO_BASE)
    assert s.beta == 0
    assert (forward(stack([s]), np.array([[0.0, 1.0]]))[0] > s.beta).tolist() == [False, True]


def test_zeros_need_an_absolute_floor():
    """A relative budget alone cannot judge values of 0, and says what is missing."""
    assert choose(Cell(base=RUNS, head=RUNS, relative=0.1), WITH_ZEROS) == NEEDS_FLOOR


def test_base_always_zero_needs_no_floor():
    """A share of 0 is 0: if base is always 0, any increase is beyond a relative budget."""
    s = choose(Cell(base=RUNS, head=RUNS, relative=0.1), ZERO_BASE)
    assert (s.knee, s.beta) == (inf, 0.0)


def test_ungated_zeros_get_a_line():
    """Cells without a budget are described whatever their values."""
    assert choose(Cell(base=RUNS, head=RUNS, gated=False), WITH_ZEROS).knee == inf
