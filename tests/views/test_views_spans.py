"""Intervals of goroutines, against counting nanoseconds one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gotrace.errors import TraceError
from pytest_gotrace.views.spans import Spans

FIRST, LAST = 100, 140
rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(FIRST, LAST), st.integers(0, 15)).map(
        lambda row: (row[0], row[1], min(row[1] + row[2], LAST))
    ),
    max_size=8,
)


def columns(found):
    return np.array(found, dtype=np.int64).reshape(-1, 3).T


@given(rows, rows)
def test_inside(spans, asked):
    """What lies inside is counted once, however the goroutine's spans overlap."""
    looked = Spans(*columns(spans), first=FIRST, last=LAST)
    expected = [
        sum(any(g == own and b <= t < e for own, b, e in spans) for t in range(begin, end))
        for g, begin, end in asked
    ]
    assert looked.inside(*columns(asked)).tolist() == expected


def test_outside_of_the_trace():
    """What lies before the beginning or behind the end is not counted, and -1 is the beginning."""
    looked = Spans(*columns([(7, 110, 120)]), first=FIRST, last=LAST)
    assert looked.inside(*columns([(7, -1, 10**15), (7, 0, 50), (8, 0, 200)])).tolist() == [10, 0, 0]


def test_too_long():
    """Goroutines and time that do not fit on one axis are refused."""
    with pytest.raises(TraceError, match="too much to look at"):
        Spans(*columns([(1, 0, 5), (2, 0, 5)]), first=0, last=2**62)
