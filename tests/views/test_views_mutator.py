"""The minimum of a step function over windows, against sliding the window along."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gotrace.views.mutator import Utilization

steps = st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=8)


@given(steps, st.integers(1, 60))
def test_minimum(found, window):
    """No window has a lower mean than the minimum, and one has it."""
    lengths, values = (list(column) for column in zip(*found, strict=True))
    times = np.cumsum([5, *lengths])
    function = Utilization(times=times, values=np.array([*values, 0.0]))
    course = np.repeat(values, lengths)
    window = min(window, len(course))
    means = [course[at : at + window].mean() for at in range(len(course) - window + 1)]
    assert function.minimum(window) == pytest.approx(min(means))


def test_no_time():
    """A function over no time has no utilization."""
    assert Utilization(times=np.array([5]), values=np.array([0.0])).minimum(1000) == 0.0
