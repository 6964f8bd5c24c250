"""Where a measured round spent its time: in which state, at which stack, and who ended it.

All of it is time of goroutines while the benchmark's timer ran. What is too little to be a spot of its own is in one
of its state without a place, so that the spots of a state add up to the time in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gotrace.distributions import leaked
from pytest_gotrace.intervals import Rows, instances, intervals
from pytest_gotrace.metrics import Key
from pytest_gotrace.rounds import Round, own_frame, relative
from pytest_gotrace.trace import Frame
from pytest_gotrace.views.groups import Groups, combined
from pytest_gotrace.views.spans import Mask

#: How many spots a run keeps, the longest first: of the whole round, and inside the regions or tasks of one name.
KEPT = 60
KEPT_INSIDE = 8

_DEPTH = 32
#: Ways into the scheduler, the allocator and the kernel: of such calls the one that was asked for says enough.
_PLUMBING = ("runtime.", "runtime/", "internal/", "sync.", "sync/", "syscall.")
_PREEMPTED = "runtime.asyncPreempt"
_HARNESS = ("testing.", "runtime.", "runtime/")

#: State, line, stack, the line that ended it, and the start function of the goroutine that did.
_Place = tuple[str, Frame | None, tuple[Frame, ...], Frame | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Time in one state at one stack, ended at one line by goroutines that started in one function.

    `at` is the line of `stack` that a reader wants to see; `stack` has the calls of the benchmark's own, innermost
    first. `by` is None and `by_group` "" if no goroutine is known to have ended it. `total` is ns per operation (of
    `goroutine-leak`: goroutines). `inside` is "" for the whole round, `region[db]` for what happened inside the regions
    of that name, and `region[db].p90` inside the slowest tenth of them (`intervals.SLOW`).

    Time in `exec` is running time, shared out by the CPU samples; of a run without them it has no place.
    """

    state: str
    at: Frame | None = None
    stack: tuple[Frame, ...] = ()
    by: Frame | None = None
    by_group: str = ""
    count: int
    total: float
    inside: str = ""


def spots(measured: Round, module: str, rename: Callable[[Key], Key] = lambda key: key) -> tuple[Spot, ...]:
    """The spots of the round, then those inside the regions and tasks that take longest; each time longest first.

    `rename` may merge the names of regions and tasks, as in `distributions.extract`.
    """
    rows, states = intervals(measured)
    teller = _Teller(measured, module, states)
    found = [*teller.spots(rows, "", KEPT), *teller.births()]
    for one in instances(measured, rename):
        within = one.inside(rows)
        found += teller.spots(within, one.series, KEPT_INSIDE)
        found += teller.spots(one.slowest(within), f"{one.series}.p90", KEPT_INSIDE)
    return tuple(found)


class _Teller:
    """Tells in words what rows of one round are."""

    def __init__(self, measured: Round, module: str, states: Sequence[str]) -> None:
        self._measured, self._table, self._module, self._states = measured, measured.table, module, states
        self._known: dict[int, tuple[Frame | None, tuple[Frame, ...]]] = {}
        self._foreign: dict[str, Frame] = {}

    def spots(self, rows: Rows, inside: str, kept: int) -> Iterator[Spot]:
        """The spots that took longest, and the rest of each state without a place."""
        ranked: dict[_Place, tuple[int, float]] = {}
        for place, count, total in sorted(self._places(rows), key=lambda found: -found[2]):
            if len(ranked) >= kept and place not in ranked:
                place = (place[0], None, (), None, "")
            seen, spent = ranked.get(place, (0, 0.0))
            ranked[place] = (seen + count, spent + total)
        for place, (count, total) in sorted(ranked.items(), key=lambda item: -item[1][1]):
            yield self._spot(place, count, total, inside)

    def births(self) -> Iterator[Spot]:
        """Where the goroutines were started that outlive the round."""
        stacks = self._table.goroutines.creation_stack[leaked(self._measured)]
        for stack, count in zip(
            *(part.tolist() for part in np.unique(stacks, return_counts=True)), strict=True
        ):
            yield self._spot(("goroutine-leak", *self._stack(stack), None, ""), count, float(count), "")

    def _spot(self, place: _Place, count: int, total: float, inside: str) -> Spot:
        state, at, stack, by, group = place
        return Spot(
            state=state,
            at=at,
            stack=stack,
            by=by,
            by_group=group,
            count=count,
            total=total / self._measured.operations,
            inside=inside,
        )

    def _places(self, rows: Rows) -> Iterator[tuple[_Place, int, float]]:
        """Rows by what they have in common. Running is where the samples are, if there are any."""
        running = rows["time"][self._running(rows)].sum()
        samples = int(rows["sample"].sum())
        rows = rows[~self._running(rows)] if samples else rows
        groups = Groups(combined(*(rows[name] for name in ("sample", "state", "stack", "by", "group"))))
        for row, count, total in zip(
            rows[groups.first], groups.counts.tolist(), groups.sum(rows["time"]).tolist(), strict=True
        ):
            at, stack = self._stack(int(row["stack"]))
            by, _ = self._stack(int(row["by"]))
            place = (self._states[row["state"]], at, stack, by, self._group(row["group"]))
            yield place, count, total * running / samples if row["sample"] else total

    def _running(self, rows: Rows) -> Mask:
        running: Mask = (rows["state"] == self._states.index("exec")) & ~rows["sample"]
        return running

    def _group(self, code: int) -> str:
        """The start function of who ended a wait, "" if that was the runtime."""
        name = self._table.strings[code]
        return "" if name.startswith("runtime.") else name

    def _stack(self, code: int) -> tuple[Frame | None, tuple[Frame, ...]]:
        """The line to show of a stack, and its calls without what every stack begins and ends with."""
        if code not in self._known:
            stack = self._table.stacks[code]
            calls = tuple(self._call(frame) for frame in _trimmed(stack)[:_DEPTH])
            self._known[code] = own_frame(stack, self._module), calls
        return self._known[code]

    def _call(self, frame: Frame) -> Frame:
        """A call of the module as it is, any other function at one line of it: which one is nobody's business."""
        own = relative(frame, self._module)
        return own if own != frame else self._foreign.setdefault(frame.function, frame)


def _trimmed(stack: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """The calls from the one into the runtime on, out to where the harness or the runtime began the goroutine."""
    first, last = 0, len(stack)
    while first < last and stack[first].function.startswith(_PREEMPTED):
        first += 1
    while last > first and (stack[last - 1].function or _HARNESS[0]).startswith(_HARNESS):
        last -= 1
    while first + 1 < last and all(f.function.startswith(_PLUMBING) for f in stack[first : first + 2]):
        first += 1
    return stack[first:last]
