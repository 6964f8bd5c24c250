"""The vocabulary of the wire format, and that the compiled modules have the same one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_gotrace.trace import WireVersion, spec

LAYOUT = Path(spec.__file__).parent / "core" / "layout.pxd"


def enum(name: str) -> dict[str, int]:
    """The members of a C enum in the shared layout."""
    found = re.search(rf"cdef enum:  # {name}\n((?:    .*\n)+)", LAYOUT.read_text())
    assert found is not None
    members: dict[str, int] = {}
    value = -1
    for line in found[1].splitlines():
        word, _, given = line.split("#")[0].strip().partition(" = ")
        value = int(given) if given else value + 1
        members[word] = value
    return members


def test_numbers_agree():
    """Every event of a thread's stream has the same number in the table and in the compiled code."""
    compiled = {
        name.removeprefix("EV_").replace("_", "").lower(): number for name, number in enum("Wire").items()
    }
    table = {row.name.lower(): row.number for row in spec.SPECS if row.timed and row.number < 128}
    assert compiled == table


def test_numbers_are_unique():
    """No two events share a number or a name."""
    assert len(spec.BY_NUMBER) == len(spec.BY_NAME) == len(spec.SPECS)


@pytest.mark.parametrize(("wire", "timed"), [(22, 36), (23, 49), (25, 49), (26, 49)])
def test_argument_counts(wire: int, timed: int):
    """A wire format has the events that were there when it was made, and no later ones."""
    counts = spec.argument_counts(WireVersion(wire))
    assert sum(count != spec.NOT_TIMED for count in counts) == timed
    assert counts[spec.BY_NAME["GoUnblock"].number] == 3
    assert counts[spec.BY_NAME["EventBatch"].number] == spec.NOT_TIMED
    assert (counts[spec.BY_NAME["GoSwitch"].number] == spec.NOT_TIMED) == (wire == 22)


def test_longest_event():
    """No event is longer than the margin that the compiled code reads without looking at the end."""
    longest = 1 + 10 + 10 * max(len(row.args) for row in spec.SPECS if row.timed)
    margin = re.search(r"MARGIN = (\d+)", LAYOUT.read_text())
    assert margin is not None
    assert longest <= int(margin[1])
