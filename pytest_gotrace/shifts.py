"""What moved between the runs of two sides: the time in each state, at each line, at each stack.

Each is compared run by run and tested on its own: what is steady stands out of its own noise, and does so too often to
be luck. Spots are matched by function, since a change above a line moves its number.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_gotrace.metrics import CATALOGUE
from pytest_gotrace.recording import SIDES, Recording, Run
from pytest_gotrace.spots import Spot
from pytest_gotrace.stats.ranks import rank_sum
from pytest_gotrace.trace import Frame

#: What lies across the states of goroutines: they add up without it.
ACROSS = ("gc-pause", "mark-assist", "sweep")
LEAK = "goroutine-leak"
UNKNOWN = "unknown"

#: How often a shift is steady by luck alone; four runs a side that do not overlap are not luck. There are few lines in
#: a change, and a cause is likely to be among them: of those less is asked.
_LUCK = 0.03
_LUCK_IN_CHANGE = 0.1
_ORDER = [metric.name for metric in CATALOGUE]
_STATES = ("exec", "sched-wait", "sync-block", "net-wait", "sleep", "syscall", *ACROSS)
_TESTS = "_test.go"

#: Whether the change touches this line or its function; files of the module are told relative to it.
Touched = Callable[[Frame], bool]


def never(frame: Frame) -> bool:
    """Nothing is known about what the change touches."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Time in one state, ns per operation, mean over each side's runs; `luck` is how likely chance alone does that."""

    state: str
    base: float
    head: float
    luck: float

    @property
    def steady(self) -> bool:
        """Whether it stands out of its noise."""
        return self.luck < _LUCK

    @property
    def grown(self) -> float:
        return self.head - self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A `Shift` at one line `at`; `by` is the line that ended the waits, `group` where those goroutines began.

    `changed` and `by_changed`: the line is in the change.
    """

    shift: Shift
    at: Frame
    by: Frame | None = None
    group: str = ""
    changed: bool = False
    by_changed: bool = False

    @property
    def steady(self) -> bool:
        """As of a `Shift`."""
        return self.shift.luck < (_LUCK_IN_CHANGE if self.changed or self.by_changed else _LUCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A `Shift` at one stack, innermost call first."""

    shift: Shift
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The traced runs of both sides, (base, head): all of them, and those among them that have CPU samples."""

    traced: tuple[Sequence[Run], Sequence[Run]]
    sampled: tuple[Sequence[Run], Sequence[Run]]

    def __bool__(self) -> bool:
        return all(self.traced)


def runs_of(benchmark: str, recording: Recording) -> Runs:
    """The runs of a benchmark that explain it, without warm-ups."""

    def kind(*, sampled: bool) -> tuple[list[Run], list[Run]]:
        base, head = (
            [run for run in recording.of(side, benchmark, traced=True, sampled=sampled) if run.round >= 0]
            for side in SIDES
        )
        return base, head

    plain, sampled = kind(sampled=False), kind(sampled=True)
    return Runs(traced=(plain[0] + sampled[0], plain[1] + sampled[1]), sampled=sampled)


def states(runs: Runs, inside: str = "") -> list[Shift]:
    """Every state that occurred, in the order of the catalogue; `inside` as in `Spot.inside`."""
    told = [[_by_state(run, inside) for run in side] for side in runs.traced]
    names = {name for side in told for totals in side for name in totals}
    return [
        shift(name, *([totals.get(name, 0.0) for totals in side] for side in told)) for name in _sorted(names)
    ]


def _by_state(run: Run, inside: str) -> dict[str, float]:
    """Totals by state. Those of the whole round are series, but for what the catalogue does not know."""
    found = (
        {} if inside else {str(k): d.total for k, d in run.series.items() if _is_state(k.metric, k.subject)}
    )
    for spot in run.spots:
        if spot.inside == inside and (inside or spot.state == UNKNOWN):
            found[spot.state] = found.get(spot.state, 0.0) + spot.total
    return found


def _is_state(metric: str, subject: str) -> bool:
    return metric in _STATES and (metric == "sync-block") == bool(subject)


def _sorted(names: Iterable[str]) -> list[str]:
    """In the order of the catalogue, `unknown` last."""
    known = {name: _ORDER.index(kind) for name in names if (kind := name.split("[")[0]) in _ORDER}
    return sorted(names, key=lambda name: (known.get(name, len(_ORDER)), name))


def shift(state: str, base: Sequence[float], head: Sequence[float]) -> Shift:
    """The numbers of the runs of both sides as one `Shift`."""
    before, after = (sum(side) / len(side) if side else 0.0 for side in (base, head))
    return Shift(state=state, base=before, head=after, luck=rank_sum(base, head))


def places(runs: Runs, inside: str = "", touched: Touched = never) -> list[Place]:
    """Lines where steadily more time is spent, the most first; a line in the change counts double.

    So of two that are close the one in the change comes first, and a small one never hides a large one.
    """
    ours = _functions_touched(runs.traced[1], touched)
    found = (
        _place(moved, spots, ours, touched)
        for moved, spots in _compared(runs, inside, lambda spot: _line(spot, ours))
        if moved.grown > 0
    )
    return sorted(
        (place for place in found if place.steady),
        key=lambda place: -place.shift.grown * (1 + place.changed),
    )


def _functions_touched(head: Sequence[Run], touched: Touched) -> frozenset[str]:
    """The functions that the change touches. Lines of the base are others, so there functions go by their name.

    Tests are left out: all that a benchmark does is done below them.
    """
    frames = {frame for run in head for spot in run.spots for frame in spot.stack}
    return frozenset(frame.function for frame in frames if touched(frame) and not frame.file.endswith(_TESTS))


def stacks(runs: Runs, inside: str = "") -> list[Stack]:
    """Every stack, steady or not, the largest difference first."""
    found = [
        Stack(shift=moved, frames=max(spots, key=lambda spot: spot.total).stack)
        for moved, spots in _compared(runs, inside, _functions)
    ]
    return sorted(found, key=lambda stack: -abs(stack.shift.grown))


def _functions(spot: Spot) -> Hashable:
    if not spot.stack or spot.state == LEAK:
        return None
    return spot.state, tuple(frame.function for frame in spot.stack)


def _line(spot: Spot, ours: frozenset[str]) -> Hashable:
    """What makes a line: its function and who ended the waits. Of a line that calls others also whom it calls there."""
    at, callee = _calling(spot, ours)
    if at is None or spot.state == UNKNOWN:
        return None
    return spot.state, at.function, callee, spot.by and spot.by.function


def _calling(spot: Spot, ours: frozenset[str]) -> tuple[Frame | None, str]:
    """The innermost call of a function in the change, and what it calls; else the innermost of the benchmark's own.

    Whoever changed a caller wants to see what it does there, and not the old function that now has more to do.
    """
    for number, frame in enumerate(spot.stack):
        if frame.function in ours:
            return frame, spot.stack[number - 1].function if number and frame != spot.at else ""
    return spot.at, ""


def _place(moved: Shift, spots: Sequence[Spot], ours: frozenset[str], touched: Touched) -> Place:
    """The place of spots that are one line to us, where most of their time is spent."""
    spent: dict[tuple[Frame | None, Frame | None, str], float] = {}
    for spot in spots:
        shown = (_calling(spot, ours)[0], spot.by, spot.by_group)
        spent[shown] = spent.get(shown, 0.0) + spot.total
    at, by, group = max(spent, key=lambda shown: spent[shown])
    assert at is not None
    return Place(
        shift=moved,
        at=at,
        by=by,
        group=group,
        changed=touched(at),
        by_changed=by is not None and touched(by),
    )


def _compared(
    runs: Runs, inside: str, name: Callable[[Spot], Hashable]
) -> Iterator[tuple[Shift, list[Spot]]]:
    """How the spots of each name moved, and those of the head; of the base where the head has none.

    A name has one state; spots named None are left out.
    """
    for sides, wanted in ((runs.traced, False), (runs.sampled, True)):
        told = [[_named(run, inside, name, computing=wanted) for run in side] for side in sides]
        for key in dict.fromkeys(key for side in told for run in side for key in run):
            base, head = ([run.get(key, []) for run in side] for side in told)
            spots = [spot for found in head for spot in found] or [spot for found in base for spot in found]
            yield (
                shift(
                    spots[0].state, *([sum(s.total for s in run) for run in side] for side in (base, head))
                ),
                spots,
            )


def _named(
    run: Run, inside: str, name: Callable[[Spot], Hashable], *, computing: bool
) -> dict[Hashable, list[Spot]]:
    """Where time was spent computing only CPU samples say."""
    found: dict[Hashable, list[Spot]] = {}
    for spot in run.spots:
        if spot.inside == inside and (spot.state == "exec") == computing and (key := name(spot)) is not None:
            found.setdefault(key, []).append(spot)
    return found
