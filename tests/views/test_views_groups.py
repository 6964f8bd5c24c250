"""Groups of rows, against Python's own arithmetic."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pytest_gotrace.views.groups import Groups, combined

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**60)), max_size=30)


@given(rows)
def test_sums_and_quantiles(pairs):
    """Sums are exact beyond what a float holds, and quantiles are values that occurred."""
    codes, values = (
        np.array(column, dtype=np.int64) for column in ([p[0] for p in pairs], [p[1] for p in pairs])
    )
    groups = Groups(codes)
    by_code = {code: sorted(v for c, v in pairs if c == code) for code in sorted(set(codes.tolist()))}
    assert groups.keys.tolist() == list(by_code)
    assert groups.counts.tolist() == [len(own) for own in by_code.values()]
    wrapped = [(sum(own) + 2**63) % 2**64 - 2**63 for own in by_code.values()]
    assert groups.sum(values).tolist() == wrapped
    middle, most = groups.quantiles(values, (0.5, 1.0))
    assert middle.tolist() == [own[math.ceil(len(own) / 2) - 1] for own in by_code.values()]
    assert most.tolist() == groups.max(values).tolist() == [own[-1] for own in by_code.values()]
    assert [pairs[first] for first in groups.first] == [
        next(p for p in pairs if p[0] == code) for code in by_code
    ]


@given(
    st.lists(st.tuples(st.integers(-1, 2**31), st.integers(0, 3), st.integers(-(2**40), 2**40)), min_size=1)
)
def test_combined(triples):
    """Rows have the same code where, and only where, all columns are the same."""
    codes = combined(*(np.array(column, dtype=np.int64) for column in zip(*triples, strict=True))).tolist()
    assert len(set(codes)) == len(set(triples)) == len(set(zip(codes, triples, strict=True)))


def test_more_than_fits_into_one_number():
    """Codes whose digits would need more than 62 bits are numbered anew, and stay apart and in order."""
    columns = [np.array([2**60, 0, 2**60, 5]), np.array([7, 2**50, 7, 2**50]), np.array([1, 1, 1, 2**31])]
    codes = combined(*columns).tolist()
    triples = list(zip(*(column.tolist() for column in columns), strict=True))
    assert np.argsort(codes, kind="stable").tolist() == sorted(range(4), key=lambda at: triples[at])
    assert [codes.index(code) for code in codes] == [triples.index(triple) for triple in triples]
