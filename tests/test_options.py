"""CPUs are named like in `taskset --cpu-list`, and only those that are there are accepted."""

from __future__ import annotations

import os

import pytest

from pytest_gotrace.errors import UsageError
from pytest_gotrace.options import parse_cpus

OURS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
linux = pytest.mark.skipif(not OURS, reason="only Linux lets a program choose its CPUs")


@linux
def test_cpus_that_are_there():
    """Single numbers and ranges, in any order and more than once, are a sorted set."""
    first, last = OURS[0], OURS[-1]
    assert parse_cpus(f"{last},{first},{last}") == tuple(sorted({first, last}))
    assert parse_cpus(f"{first}-{first}") == (first,)


@linux
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected numbers of CPUs like 0,1 or 2-5, found ''"),
        ("first", "found 'first'"),
        ("0,", "found '0,'"),
        ("-1", "found '-1'"),
        ("0x1", "found '0x1'"),
        ("99999", "99999 is not among the CPUs this program may use: "),
        ("5-4", "5-4 is not among"),
    ],
)
def test_cpus_that_are_not(text, complaint):
    """What is no list, or names what is not there, is refused with what there is."""
    with pytest.raises(UsageError, match=complaint):
        parse_cpus(text)


def test_a_system_that_cannot(monkeypatch):
    """Elsewhere than on Linux the option is refused."""
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with pytest.raises(UsageError, match="only Linux"):
        parse_cpus("0")
