"""Files that once broke the core, made smaller: each is now an error that says what is wrong, and where."""

from __future__ import annotations

from pathlib import Path

import pytest
from oracle import TRACES

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace import join, read_trace

DAMAGED = TRACES / "damaged"
FOUND = {
    # Threads that all ran one goroutine freed its slot once each, and wrote beyond the list of free slots.
    "goroutine-ends-on-many-threads": "byte 47, generation 1: .* does not fit the state .* that goroutine 1 is in",
    # Strings that moved as the second generation was begun were looked for where they had been.
    "no-clock-behind-many-strings": "byte 131, generation 2: the generation has no frequency",
    # What regions open at the end may say was out of bounds, and came out as a MemoryError.
    "regions-open-at-the-end": "generation 1: regions are nested deeper",
}


@pytest.mark.parametrize("path", sorted(DAMAGED.glob("*.trace")), ids=lambda path: path.stem)
def test_found_by_fuzzing(path: Path):
    """What is wrong is said; what stands before it can be had, and is marked as partial."""
    with pytest.raises(TraceError, match=FOUND[path.stem]):
        join(read_trace(path))
    assert join(read_trace(path, partial=True)).partial


def test_all_are_there():
    """Each file has a reason to be kept, and each reason its file."""
    assert {path.stem for path in DAMAGED.glob("*.trace")} == set(FOUND)
