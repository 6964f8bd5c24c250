"""Trace tables and rounds made by hand, for tests that say exactly what happened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pytest_gotrace.rounds import Clock, Round
from pytest_gotrace.trace import Frame, State, Table
from pytest_gotrace.trace.table import (
    Goroutines,
    Logs,
    Metrics,
    Parts,
    Ranges,
    Regions,
    Samples,
    States,
    Tasks,
)
from pytest_gotrace.trace.version import WireVersion

BENCH = 7
"""The goroutine of the benchmark, in tables that do not say otherwise."""


class Names(list):
    """Codes for what has no code yet; code 0 is the empty one."""

    def code(self, value):
        if value not in self:
            self.append(value)
        return self.index(value)


def frame(function: str, line: int = 1) -> Frame:
    """`db.Get` as a frame of the module example.com/m."""
    package = function.split(".")[0]
    return Frame(f"example.com/m/{function}", f"example.com/m/{package}/{package}.go", line)


def columns(kind, rows: Sequence[dict], defaults: dict | None = None):
    """Rows as columns; what a row does not say is 0."""
    types = {"state": np.uint8, "kind": np.uint8, "owner": np.uint8}
    names = {"name", "reason", "stack", "waker_stack", "creation_stack", "category", "message"}
    return kind.of(
        **{
            name: np.array(
                [row.get(name, (defaults or {}).get(name, 0)) for row in rows],
                dtype=types.get(name, np.int32 if name in names else np.int64),
            )
            for name in kind.names()
        }
    )


def a_round(
    *,
    spans: Sequence[tuple[int, int]] = ((0, 1000),),
    states: Sequence[tuple] = (),
    goroutines: Sequence[dict] = (),
    regions: Sequence[tuple] = (),
    tasks: Sequence[tuple] = (),
    ranges: Sequence[tuple] = (),
    samples: Sequence[tuple] = (),
    operations: int = 1,
    foreign: Sequence[int] = (),
) -> Round:
    """A round.

    States are (state, begin, end), and may go on: reason, stack, waker stack, goroutine, waker. Regions, tasks and
    ranges are (name, begin, end), and may go on: regions with goroutine and task, tasks with their ID, ranges with a
    stack. CPU samples are (time, goroutine, stack). Stacks are tuples of frames.
    """
    strings, stacks = Names([""]), Names([()])
    state_rows = []
    for state, begin, end, *more in states:
        reason, stack, waker_stack, goroutine, waker = (*more, *("", (), (), BENCH, -1)[len(more) :])
        state_rows.append(
            {
                "state": int(State[state]),
                "begin": begin,
                "end": end,
                "reason": strings.code(reason),
                "stack": stacks.code(stack),
                "waker_stack": stacks.code(waker_stack),
                "waker": waker,
                "goroutine": goroutine,
            }
        )
    goroutine_rows = [
        row | {"name": strings.code(row["name"]), "creation_stack": stacks.code(row.get("stack", ()))}
        for row in goroutines
    ]
    named = {
        kind: [
            {"name": strings.code(name), "start": begin, "end": end, **dict(zip(fields, more, strict=False))}
            for name, begin, end, *more in rows
        ]
        for kind, fields, rows in ((Regions, ("goroutine", "task"), regions), (Tasks, ("id",), tasks))
    }
    range_rows = [
        {"name": strings.code(name), "begin": begin, "end": end, "stack": stacks.code(*(more or [()]))}
        for name, begin, end, *more in ranges
    ]
    sample_rows = [
        {"time": time, "goroutine": goroutine, "stack": stacks.code(stack)}
        for time, goroutine, stack in sorted(samples, key=lambda sample: sample[0])
    ]
    table = Table(
        wire=WireVersion.GO_126,
        generation=1,
        begin=-1000,
        end=10_000,
        events=0,
        partial=False,
        strings=strings,
        stacks=stacks,
        states=columns(States, state_rows),
        goroutines=columns(Goroutines, goroutine_rows, {"end": -1, "create": -1}),
        regions=columns(Regions, named[Regions]),
        tasks=columns(Tasks, named[Tasks]),
        logs=columns(Logs, ()),
        ranges=columns(Ranges, range_rows),
        parts=columns(Parts, ()),
        metrics=columns(Metrics, ()),
        samples=columns(Samples, sample_rows),
    )
    begins, ends = np.array(spans, dtype=np.int64).T
    return Round(
        table=table,
        clock=Clock(begins=begins, ends=ends),
        operations=operations,
        goroutine=BENCH,
        foreign=frozenset(foreign),
    )
