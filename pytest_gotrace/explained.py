"""A diagnosis becomes what a report says of it: values that know no object of ours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from pytest_gotrace import explanation
from pytest_gotrace.changes import Changes
from pytest_gotrace.diagnose import Diagnosis, breakdown, diagnose
from pytest_gotrace.metrics import Key
from pytest_gotrace.recording import Recording
from pytest_gotrace.shifts import Place, Shift, Stack, Touched, never
from pytest_gotrace.trace import Frame

#: As many stacks as a picture of them can show; and a report has room for so many states and benchmarks.
_STACKS, _STATES, _BENCHMARKS = 60, 100, 1000


def why(
    benchmark: str, recording: Recording, over: Sequence[Key], touched: Touched = never
) -> explanation.Why:
    """Why a benchmark is over its budget in `over`; `touched` says which lines are in the change."""
    return told(diagnose(benchmark, recording, over, touched))


def spoken_of(reason: explanation.Why) -> explanation.LineShift | None:
    """The line that the sentence of a why speaks of, if it knows one."""
    cause = reason.states[0].state if reason.sentence and reason.states else ""
    return next((line for line in reason.lines[:1] if line.state == cause), None)


def touched(changes: Changes, module: str) -> Touched:
    """Whether a line is in the change: files of stacks are told below the module, the change below the repository."""
    return lambda frame: changes.touch("/".join(filter(None, (module, frame.file))), frame.line)


def breakdowns(recording: Recording) -> tuple[explanation.Breakdown, ...]:
    """Where the time went of every benchmark that was traced on both sides."""
    found = (
        explanation.Breakdown(benchmark=name, states=tuple(map(_state, shifts[:_STATES])))
        for name in recording.benchmarks("head")
        if (shifts := breakdown(name, recording))
    )
    return tuple(islice(found, _BENCHMARKS))


def told(diagnosis: Diagnosis) -> explanation.Why:
    """A diagnosis in the words of a report."""
    return explanation.Why(
        benchmark=diagnosis.benchmark,
        sentence=diagnosis.sentence,
        rule=diagnosis.rule,
        diagnosis=diagnosis.meaning,
        advice=diagnosis.advice,
        states=tuple(map(_state, diagnosis.shifts[:_STATES])),
        lines=tuple(map(_line, diagnosis.places)),
        stacks=tuple(map(_stack, diagnosis.stacks[:_STACKS])),
    )


def _state(shift: Shift) -> explanation.StateShift:
    return explanation.StateShift(state=shift.state, base=shift.base, head=shift.head, steady=shift.steady)


def _line(place: Place) -> explanation.LineShift:
    by = place.by or Frame("", "", 0)
    return explanation.LineShift(
        state=place.shift.state,
        function=place.at.function,
        file=place.at.file,
        line=place.at.line,
        base=place.shift.base,
        head=place.shift.head,
        changed=place.changed,
        waker_function=by.function,
        waker_file=by.file,
        waker_line=by.line,
        waker_group=place.group,
        waker_changed=place.by_changed,
    )


def _stack(stack: Stack) -> explanation.StackShift:
    return explanation.StackShift(
        state=stack.shift.state,
        frames=tuple(f"{f.function} {f.file}:{f.line}" for f in reversed(stack.frames)),
        base=stack.shift.base,
        head=stack.shift.head,
    )
