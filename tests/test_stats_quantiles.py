import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mstats

from pytest_gotrace.stats import events_needed, quantiles

PROBS = (0.01, 0.1, 0.5, 0.9, 0.99)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 57, 500, 5000])
def test_is_the_harrell_davis_estimate(n):
    """Up to 5000 events the quantiles are those of scipy's hdquantiles."""
    events = np.random.default_rng(n).lognormal(sigma=1.5, size=n)
    expected = np.asarray(mstats.hdquantiles(events, prob=PROBS)) if n > 1 else np.full(len(PROBS), events[0])
    np.testing.assert_allclose(quantiles(events, PROBS), expected, rtol=1e-10)


def test_many_events_are_interpolated():
    """Above 5000 events the quantiles are the usual type 7."""
    events = np.random.default_rng(7).exponential(size=5001)
    np.testing.assert_array_equal(quantiles(events, PROBS), np.quantile(events, PROBS))


def test_nothing_has_no_quantile():
    """Without events every quantile is NaN."""
    assert np.isnan(quantiles([], PROBS)).all()


def test_ends_are_minimum_and_maximum():
    """p 0 and 1 are the smallest and the largest event, whatever the order of the events."""
    assert quantiles([3.0, 1.0, 2.0], [0, 1]).tolist() == [1.0, 3.0]


@given(st.lists(st.floats(0, 1e9, allow_subnormal=False), min_size=1, max_size=60))
def test_grows_with_p_and_stays_inside(events):
    """A higher quantile is never smaller, and all lie between the smallest and the largest event."""
    found = quantiles(events, PROBS)
    slack = 1e-9 * max(events)
    assert (np.diff(found) >= -slack).all()
    assert min(events) - slack <= found[0]
    assert found[-1] <= max(events) + slack


@pytest.mark.parametrize(
    ("p", "events"), [(0.5, 10), (0.9, 50), (0.99, 500), (0.01, 500), (0.999, 5000), (1, 1)]
)
def test_events_needed(p, events):
    """Five events must lie on either side of a quantile; a maximum needs one."""
    assert events_needed(p) == events
