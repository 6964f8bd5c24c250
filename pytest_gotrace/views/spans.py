"""When which goroutine counts: intervals of time for each goroutine, and how much of other intervals lies inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.errors import TraceError

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_LARGEST = 2**62


class Axis:
    """The times of all goroutines end to end on one axis: goroutine after goroutine, each as long as the trace.

    So one binary search answers for all goroutines at once. Raises `TraceError` if the axis does not fit into 62 bits
    (2,000 goroutines over 70 years).
    """

    def __init__(self, goroutines: Ints, *, first: int, last: int) -> None:
        self._first, self._last = first, max(first, last)
        self._ids = np.unique(goroutines)
        self._width = self._last - self._first + 2
        if self._width * (len(self._ids) + 1) > _LARGEST:
            raise TraceError(f"{len(self._ids)} goroutines over {self._width} ns are too much to look at")

    def known(self, goroutines: Ints) -> Mask:
        """Whether each goroutine is on the axis."""
        if len(self._ids) == 0:
            return np.zeros(len(goroutines), dtype=np.bool_)
        at = np.minimum(np.searchsorted(self._ids, goroutines), len(self._ids) - 1)
        found: Mask = self._ids[at] == goroutines
        return found

    def places(self, goroutines: Ints, times: Ints) -> Ints:
        """Where the times of goroutines that are on the axis are; what is outside the trace is at its border."""
        into = np.clip(times, self._first, self._last) - self._first
        return (np.searchsorted(self._ids, goroutines) * self._width + into).astype(np.int64)


class Spans:
    """Intervals of goroutines from `first` to `last`. Those of one goroutine may overlap; they count once.

    Raises as `Axis`.
    """

    def __init__(self, goroutines: Ints, begins: Ints, ends: Ints, *, first: int, last: int) -> None:
        self._axis = Axis(goroutines, first=first, last=last)
        low, high = self._axis.places(goroutines, begins), self._axis.places(goroutines, ends)
        order = np.argsort(low, kind="stable")
        self._begins, self._ends = _merged(low[order], high[order])
        self._done = np.concatenate(([0], np.cumsum(self._ends - self._begins)))

    def inside(self, goroutines: Ints, begins: Ints, ends: Ints) -> Ints:
        """For each interval of a goroutine, how many ns of it lie inside the goroutine's spans."""
        if len(self._begins) == 0 or len(goroutines) == 0:
            return np.zeros(len(goroutines), dtype=np.int64)
        places = (self._axis.places(goroutines, times) for times in (begins, ends))
        before, after = map(self._before, places)
        return np.where(self.known(goroutines), np.maximum(after - before, 0), 0).astype(np.int64)

    def known(self, goroutines: Ints) -> Mask:
        """Whether each goroutine has any span."""
        return self._axis.known(goroutines)

    def _before(self, places: Ints) -> Ints:
        at = np.searchsorted(self._begins, places, side="right") - 1
        span = np.maximum(at, 0)
        into = np.minimum(places, self._ends[span]) - self._begins[span]
        return np.where(at < 0, 0, self._done[span] + into).astype(np.int64)


def _merged(begins: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Sorted intervals as disjoint ones."""
    if len(begins) == 0:
        return begins, ends
    reach = np.maximum.accumulate(ends)
    new = np.append(True, begins[1:] > reach[:-1])
    last = np.append(np.flatnonzero(new)[1:] - 1, len(begins) - 1)
    return begins[new], reach[last]
