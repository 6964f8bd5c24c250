"""Why a benchmark moved: the time of its goroutines by state, and the lines where they waited, base to head.

A difference counts only where it stands out of its own noise: that of the means is more than twice its standard
error. What is shown is therefore the large and the steady, not the lucky.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.distributions import Wait
from pytest_gotrace.recording import Recording, Run
from pytest_gotrace.trace import Frame

#: A goroutine is always in one of the states; what lies across them is shown beside them.
_ACROSS = ("gc-pause", "mark-assist", "sweep")
_STATES = ("exec", "sched-wait", "sync-block", "net-wait", "sleep", "syscall", *_ACROSS)

#: Where goroutines waited: state, function, and the function that ended the wait.
_Spot = tuple[str, str, str]

_LEAK = "goroutine-leak"
_STANDARD_ERRORS = 2.0
_SHOWN_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Time in one state, ns per operation, mean over each side's runs; `steady` if it stands out of its noise."""

    state: str
    base: float
    head: float
    steady: bool

    @property
    def grown(self) -> float:
        return self.head - self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A `Shift` at one source line `at`; `by` is the line that ended the waits, if the trace knows."""

    shift: Shift
    at: Frame
    by: Frame | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Where the time of one benchmark went, largest growth first."""

    benchmark: str
    shifts: tuple[Shift, ...]
    places: tuple[Place, ...]
    sentence: str
    advice: str


#: What a state's growth usually means, and what to look at first.
ADVICE: Mapping[str, str] = {
    "sync-block[chan send]": "Senders outrun the receiver: look at the channel's buffer, and at what the receiver does "
    "between two receives.",
    "sync-block[chan receive]": "Receivers starve: look at who sends, and whether that became slower, rarer or serial.",
    "sync-block[select]": "A select waits longer for any of its cases: look at who feeds them.",
    "sync-block[sync]": "Goroutines queue for a lock or a WaitGroup: look at how long it is held, and whether it could "
    "be finer.",
    "sync-block[sync.(*Cond).Wait]": "Goroutines wait longer to be signalled: look at who signals.",
    "sched-wait": "More goroutines can run than there are processors: bound how many are started at once.",
    "syscall": "More time in the kernel per operation: batch the calls, or move them off the hot path.",
    "net-wait": "The other side of a connection answers later, or there are more round trips.",
    "sleep": "The code sleeps longer or more often.",
    "mark-assist": "The code allocates faster than the collector marks: allocate less per operation, or reuse buffers.",
    "gc-pause": "Collections became longer or more frequent: allocate less per operation.",
    "sweep": "Allocation has to sweep more: allocate less per operation.",
    "goroutine-leak": "Nothing ends these goroutines: look at what they wait for, and who should have closed or "
    "cancelled it.",
    "exec": "The code itself runs longer: a CPU profile says where.",
}


def diagnose(benchmark: str, recording: Recording, over: Sequence[str] = ()) -> Diagnosis:
    """Compare the traced runs of both sides of one benchmark; without traced runs there is nothing to say.

    `over` are the series that broke their budget (`sync-block[chan send]`): if one of them is a state, that is what
    the reader asks about, whatever else grew beside it.
    """
    base, head = (recording.of(side, benchmark, traced=True) for side in ("base", "head"))
    if not base or not head:
        return Diagnosis(benchmark=benchmark, shifts=(), places=(), sentence="", advice="")
    shifts = tuple(sorted(_shifts(base, head), key=lambda shift: -abs(shift.grown)))
    asked = [shift for shift in shifts if shift.state in over]
    cause = _cause(asked) or _cause(shifts)
    places = sorted(
        _places(base, head),
        key=lambda place: (cause is None or place.shift.state != cause.state, -place.shift.grown),
    )
    if _LEAK in over:
        leak = _shift(_LEAK, base, head, partial(_state_total, _LEAK))
        return _leaking(benchmark, leak.grown, shifts, places)
    return Diagnosis(
        benchmark=benchmark,
        shifts=tuple(sorted(shifts, key=lambda shift: shift is not cause)),
        places=tuple(place for place in places if place.shift.state != _LEAK)[:_SHOWN_LINES],
        sentence=_sentence(cause, shifts, places) if cause else "",
        advice=ADVICE.get(cause.state, "") if cause else "",
    )


def _leaking(benchmark: str, more: float, shifts: Sequence[Shift], places: Sequence[Place]) -> Diagnosis:
    """Where the goroutines were started that stay, `more` of them per operation, which is what their `Place`s count."""
    started = [place for place in places if place.shift.state == _LEAK]
    where = f", started at {_line(started[0].at)}" if started else ""
    return Diagnosis(
        benchmark=benchmark,
        shifts=tuple(shifts),
        places=tuple(place for place in places if place.shift.state != _LEAK)[:_SHOWN_LINES],
        sentence=f"{_goroutines(more)} the benchmark{where}",
        advice=ADVICE[_LEAK],
    )


def _goroutines(number: float) -> str:
    if f"{number:.3g}" == "1":
        return "1 goroutine more per operation outlives"
    return f"{number:.3g} goroutines more per operation outlive"


def _shifts(base: Sequence[Run], head: Sequence[Run]) -> list[Shift]:
    names = {str(key) for run in (*base, *head) for key in run.series if _is_state(key.metric, key.subject)}
    return [_shift(name, base, head, partial(_state_total, name)) for name in sorted(names)]


def _is_state(metric: str, subject: str) -> bool:
    return metric in _STATES and (metric == "sync-block") == bool(subject)


def _state_total(name: str, run: Run) -> float:
    return next((d.total for key, d in run.series.items() if str(key) == name), 0.0)


def _shift(name: str, base: Sequence[Run], head: Sequence[Run], total: Callable[[Run], float]) -> Shift:
    before, after = (np.array([total(run) for run in runs]) for runs in (base, head))
    return Shift(
        state=name, base=float(before.mean()), head=float(after.mean()), steady=_steady(before, after)
    )


def _steady(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    if min(len(before), len(after)) < 2:
        return False
    error = float(np.sqrt(before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after)))
    return abs(float(after.mean() - before.mean())) > _STANDARD_ERRORS * error


def _places(base: Sequence[Run], head: Sequence[Run]) -> list[Place]:
    """Lines that wait longer. Sides are matched by function, since a change above a line moves its number."""
    longest: dict[_Spot, Wait] = {}
    for wait in sorted((wait for run in head for wait in run.waits), key=lambda wait: wait.total):
        longest[_spot(wait)] = wait
    found = []
    for spot, wait in longest.items():
        shift = _shift(wait.state, base, head, partial(_spot_total, spot))
        if wait.at is not None and shift.steady and shift.grown > 0:
            found.append(Place(shift=shift, at=wait.at, by=wait.by))
    return found


def _spot(wait: Wait) -> _Spot:
    return wait.state, wait.at.function if wait.at else "", wait.by.function if wait.by else ""


def _spot_total(spot: _Spot, run: Run) -> float:
    return sum(wait.total for wait in run.waits if _spot(wait) == spot)


def _cause(shifts: Sequence[Shift]) -> Shift | None:
    """The state that grew most; assists and pauses come first where they grew by as much as a tenth of it."""
    grown = [shift for shift in shifts if shift.steady and shift.grown > 0]
    if not grown:
        return None
    most = max(shift.grown for shift in grown)
    collector = [shift for shift in grown if shift.state == "mark-assist" and shift.grown > most / 10]
    return max(collector or grown, key=lambda shift: shift.grown)


def _sentence(cause: Shift, shifts: Sequence[Shift], places: Sequence[Place]) -> str:
    from pytest_gotrace.units import format_quantity

    grown = sum(s.grown for s in shifts if s.steady and s.grown > 0 and s.state not in _ACROSS)
    share = f", {cause.grown / grown:.0%} of what was added" if 0 < cause.grown <= grown else ""
    text = f"`{cause.state}` +{format_quantity(cause.grown, 'ns')} per operation{share}"
    place = next((place for place in places if place.shift.state == cause.state), None)
    if place is None:
        return text
    text += f", at {_line(place.at)}"
    return text + (f", ended by {_line(place.by)}" if place.by and place.by != place.at else "")


def _line(frame: Frame) -> str:
    return f"`{frame.function.rsplit('/', 1)[-1]}` (`{frame.file}:{frame.line}`)"
