"""Why a benchmark moved: the state that its time went into, the line where, who ended it, and what that usually means.

A difference counts only where it stands out of its own noise (`shifts`). What is shown is therefore the large and the
steady, not the lucky.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_gotrace.causes import Load, find, load
from pytest_gotrace.metrics import TAIL, Key
from pytest_gotrace.recording import Recording
from pytest_gotrace.shifts import (
    ACROSS,
    LEAK,
    UNKNOWN,
    Place,
    Runs,
    Shift,
    Stack,
    Touched,
    never,
    places,
    runs_of,
    shift,
    stacks,
    states,
)
from pytest_gotrace.trace import Frame

_SHOWN_LINES = 5
#: The least share of the time that a line must have added to be a cause of its own.
_WORTH = 0.02
#: What was taken away is told from this share of what was added on.
_LITTLE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Where the time of one benchmark went: the state that is the cause first, then the largest shift.

    `shifts`, `places` and `stacks` are of the whole round, or of what happened inside the region or task that is over
    its budget. `rule`, `meaning` and `advice` are a row of `causes`, or "".
    """

    benchmark: str
    shifts: tuple[Shift, ...] = ()
    places: tuple[Place, ...] = ()
    stacks: tuple[Stack, ...] = ()
    sentence: str = ""
    rule: str = ""
    meaning: str = ""
    advice: str = ""


def breakdown(benchmark: str, recording: Recording) -> tuple[Shift, ...]:
    """The time of a benchmark by state, in the order of the catalogue; nothing where a side has no traced runs."""
    runs = runs_of(benchmark, recording)
    return tuple(states(runs)) if runs else ()


def diagnose(
    benchmark: str, recording: Recording, over: Sequence[Key] = (), touched: Touched = never
) -> Diagnosis:
    """Compare the traced runs of both sides of one benchmark; without traced runs there is nothing to say.

    `over` are the numbers that broke their budget: if one of them is of a state, that is what the reader asks about,
    whatever else grew beside it; if it is of a region, what happened inside. `touched` says which lines are in the
    change.
    """
    runs = runs_of(benchmark, recording)
    if not runs:
        return Diagnosis(benchmark=benchmark)
    asked = [str(key.series) for key in over]
    inside = _inside(runs, over)
    shifts = sorted(states(runs, inside), key=lambda shift: -abs(shift.grown))
    found = places(runs, inside, touched)
    cause = (
        _leak(runs) if LEAK in asked else _cause([s for s in shifts if _is_asked(s, asked)]) or _cause(shifts)
    )
    cause = cause or _telling(found, shifts, inside)
    there = [place for place in found if cause and place.shift.state == cause.state]
    elsewhere = [place for place in found if place not in there and place.shift.state != LEAK]
    row = find(cause.state if cause else "", asked, *_loads(runs, shifts, recording))
    return Diagnosis(
        benchmark=benchmark,
        shifts=tuple(sorted(shifts, key=lambda shift: cause is None or shift.state != cause.state)),
        places=(*there, *elsewhere)[:_SHOWN_LINES],
        stacks=tuple(stacks(runs, inside)),
        sentence=_sentence(cause, shifts, inside, there[:1]) if cause else "",
        rule=row.name if row else "",
        meaning=row.diagnosis if row else "",
        advice=row.advice if row else "",
    )


def _inside(runs: Runs, over: Sequence[Key]) -> str:
    """The region or task that is asked about, as in `Spot.inside`; "" if states are, or nobody looked inside."""
    if any(key.metric not in ("region", "task") for key in over):
        return ""
    known = {spot.inside for side in runs.traced for run in side for spot in run.spots}
    wanted = [f"{key.series}.p90" if key.statistic in TAIL else str(key.series) for key in over]
    return next((series for series in wanted if series in known), "")


def _leak(runs: Runs) -> Shift:
    """How many goroutines more per operation outlive the round."""
    base, head = (
        [sum(d.total for key, d in run.series.items() if key.metric == LEAK) for run in side]
        for side in runs.traced
    )
    return shift(LEAK, base, head)


def _is_asked(shift: Shift, asked: Sequence[str]) -> bool:
    """Whether the state, or all of its kind together, is over its budget."""
    return shift.state in asked or shift.state.split("[")[0] in asked


def _cause(shifts: Sequence[Shift]) -> Shift | None:
    """The state that grew most; assists come first where they grew by as much as a tenth of it."""
    grown = [shift for shift in shifts if shift.steady and shift.grown > 0 and shift.state != UNKNOWN]
    if not grown:
        return None
    most = max(shift.grown for shift in grown)
    collector = [shift for shift in grown if shift.state == "mark-assist" and shift.grown > most / 10]
    return max(collector or grown, key=lambda shift: shift.grown)


def _telling(found: Sequence[Place], shifts: Sequence[Shift], inside: str) -> Shift | None:
    """The line that explains where no state does: one in the change, or inside of what is asked about.

    There are many lines, and luck finds some of them, so it must be worth talking about. And time that only went from
    one function to another (a closure has a new number) is not added to its state.
    """
    worth = _WORTH * sum(shift.head for shift in shifts if shift.state not in (*ACROSS, UNKNOWN))
    grown = {shift.state: shift.grown for shift in shifts}
    return next(
        (
            place.shift
            for place in found
            if (place.changed or inside)
            and place.shift.grown > worth
            and 2 * grown.get(place.shift.state, 0.0) > place.shift.grown
        ),
        None,
    )


def _loads(runs: Runs, shifts: Sequence[Shift], recording: Recording) -> tuple[Load, Load]:
    processors = recording.environment.get("gomaxprocs", "")
    base, head = runs.traced
    return (
        load(base, {shift.state: shift.base for shift in shifts}, processors),
        load(head, {shift.state: shift.head for shift in shifts}, processors),
    )


def _sentence(cause: Shift, shifts: Sequence[Shift], inside: str, there: Sequence[Place]) -> str:
    """What grew by how much, at which line, and who ended it: `there` is the line, if one is known."""
    from pytest_gotrace.units import format_quantity

    if cause.state == LEAK:
        started = f", started at {_line(there[0].at, there[0].changed)}" if there else ""
        return f"{_goroutines(cause.grown)} the benchmark{started}"
    text = f"`{cause.state}` +{format_quantity(cause.grown, 'ns')} per operation{_share(cause, shifts)}"
    return text + _scope(inside) + "".join(_where(place) for place in there)


def _share(cause: Shift, shifts: Sequence[Shift]) -> str:
    """Which share of what was added the cause is, and what was taken away elsewhere: the sum of both is what is left.

    What lies across the states may be more than all of it, and has no share.
    """
    from pytest_gotrace.units import format_quantity

    moved = [s.grown for s in shifts if s.steady and s.state not in (*ACROSS, UNKNOWN)]
    added, taken = sum(grown for grown in moved if grown > 0), -sum(grown for grown in moved if grown < 0)
    if not 0 < cause.grown <= added:
        return ""
    share = f" explains {100 * cause.grown / added:.0f} % of "
    if taken < _LITTLE * added:
        return f"{share}what was added"
    more, less = (format_quantity(size, "ns") for size in (added, taken))
    return f"{share}the {more} that were added ({less} were taken away elsewhere)"


def _scope(inside: str) -> str:
    series = inside.removesuffix(".p90")
    slowest = "the slowest tenth of " if series != inside else ""
    return f" inside {slowest}`{series}`" if inside else ""


def _where(place: Place) -> str:
    text = f", at {_line(place.at, place.changed)}"
    if place.by is None or place.by == place.at:
        return text
    group = (
        "" if place.group in ("", place.by.function) or place.group.startswith("testing.") else place.group
    )
    text += f", ended by {_line(place.by, place.by_changed)}"
    return text + (f" in `{_short(group)}`" if group else "")


def _line(frame: Frame, changed: bool) -> str:
    return f"`{_short(frame.function)}` (`{frame.file}:{frame.line}`{', in this change' if changed else ''})"


def _short(function: str) -> str:
    return function.rsplit("/", 1)[-1]


def _goroutines(number: float) -> str:
    if f"{number:.3g}" == "1":
        return "1 goroutine more per operation outlives"
    return f"{number:.3g} goroutines more per operation outlive"
