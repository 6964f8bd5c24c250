"""What later steps may read."""

from __future__ import annotations

import pytest
from composite import entries
from hypothesis import given
from hypothesis import strategies as st

from action.outcome import CONCLUSIONS, conclusion, entry, exit_code


@given(
    st.lists(st.tuples(st.from_regex(r"[a-z-]{1,8}", fullmatch=True), st.text()), unique_by=lambda e: e[0])
)
def test_a8_no_value_is_another_output(values):
    """A8: whatever a value is, the runner reads it back as the value of its name, and nothing else."""
    kept = [(name, "\n".join(value.splitlines())) for name, value in values]
    assert entries("".join(entry(name, value) for name, value in kept)) == dict(kept)


@pytest.mark.parametrize(
    ("code", "fail_on", "ends"),
    [
        (0, "regression", 0),
        (1, "regression", 1),
        (1, "never", 0),
        (6, "never", 6),
        (4, "never", 4),
        (5, "inconclusive", 5),
    ],
)
def test_exit_codes(code, fail_on, ends):
    """A regression fails the step if it is to; an error always does."""
    found = conclusion(code, None)
    assert found in CONCLUSIONS
    assert exit_code(code, found, fail_on) == ends


def test_undecided_may_fail():
    """`fail-on: inconclusive` fails a step in which nothing is over budget, but something undecided."""
    assert exit_code(0, "inconclusive", "inconclusive") == 1
    assert exit_code(0, "inconclusive", "regression") == 0
