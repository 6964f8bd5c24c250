"""Recordings of one branch, one after the other: where each number went, and when it changed.

    recordings  ─► those of one machine, in order  ─►  one series for each number  ─►  its course (`stats.course`)

A pull request is compared with the one before it, so growth by less than a budget passes each time; here it is seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pytest_gotrace.metrics import CATALOGUE, Key, Metric, find, unit_of
from pytest_gotrace.recording import Recording, Side, differences
from pytest_gotrace.stats.course import Course, course
from pytest_gotrace.survey import summary

#: The chance that noise alone makes any series move, over all of them.
ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One recording of one number: its mean over the runs in the metric's unit, and the runs' variation."""

    sha: str
    when: str
    value: float
    cv: float
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change between two recordings, relative to the level before; the commits lie after one and up to the other."""

    at: int
    after: str
    upto: str
    when: str
    change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One number over time. `change` is from the first level to the last, `per_recording` that of a creep.

    Both are relative (0.14 is +14 %), as is `noise`, the deviation of a single recording.
    """

    benchmark: str
    key: Key
    unit: str
    better: str
    kind: str
    change: float
    per_recording: float
    noise: float
    steps: tuple[Step, ...]
    points: tuple[Point, ...]

    @property
    def worse(self) -> float:
        """The change, counted so that more is worse."""
        return self.change if self.better == "lower" else -self.change


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All series, those that became worse most first, and why recordings were left out."""

    series: tuple[Series, ...]
    recordings: int
    left_out: tuple[str, ...]


def history(recordings: Sequence[Recording], catalogue: Sequence[Metric] = CATALOGUE) -> History:
    """The series of recordings in the order given, or by their time where all of them have one.

    Times of two machines are not comparable: the machine of the last recording counts.
    """
    ordered = list(recordings)
    if all(recording.when for recording in ordered):
        ordered.sort(key=lambda recording: recording.when)
    of_one = [r for r in ordered if not differences(r.environment, ordered[-1].environment)]
    points: dict[tuple[str, Key], list[Point]] = {}
    for recording in of_one:
        for name, key, point in _points(recording):
            points.setdefault((name, key), []).append(point)
    alpha = ALPHA / max(len(points), 1)
    series = [_series(name, key, found, catalogue, alpha) for (name, key), found in points.items()]
    foreign = len(ordered) - len(of_one)
    return History(
        series=tuple(
            sorted(series, key=lambda s: (s.kind in ("level", "few"), -s.worse, s.benchmark, s.key))
        ),
        recordings=len(of_one),
        left_out=(f"{foreign} of another machine than the last one",) if foreign else (),
    )


def _points(recording: Recording) -> Iterator[tuple[str, Key, Point]]:
    """What was measured of the head, or of the base where nothing else was recorded."""
    side: Side = "head" if recording.benchmarks("head") else "base"
    sha = recording.sides[side].sha if side in recording.sides else ""
    for name in recording.benchmarks(side):
        runs = [r for r in recording.runs if r.side == side and r.benchmark == name and r.round >= 0]
        rounds = len({run.round for run in runs})
        for key, mean, cv in summary(runs):
            yield name, key, Point(sha=sha, when=recording.when, value=mean, cv=cv, runs=rounds)


def _series(
    name: str, key: Key, points: Sequence[Point], catalogue: Sequence[Metric], alpha: float
) -> Series:
    values = np.log([point.value for point in points])  # `summary` leaves out what is not above 0
    errors = [point.cv / math.sqrt(point.runs) for point in points]
    found = course(values, errors, alpha)
    return Series(
        benchmark=name,
        key=key,
        unit=unit_of(key, catalogue),
        better=find(key.metric, catalogue).better,
        kind=found.kind,
        change=math.expm1(found.levels[-1] - found.levels[0]),
        per_recording=math.expm1(found.slope),
        noise=found.noise,
        steps=tuple(_steps(found, points)) if found.kind == "steps" else (),
        points=tuple(points),
    )


def _steps(found: Course, points: Sequence[Point]) -> Iterator[Step]:
    for at, before, after in zip(found.starts[1:], found.levels, found.levels[1:], strict=False):
        yield Step(
            at=at,
            after=points[at - 1].sha,
            upto=points[at].sha,
            when=points[at].when,
            change=math.expm1(after - before),
        )


def as_json(series: Series) -> dict[str, Any]:
    """A series for programs: names as budgets write them, numbers as they are."""
    return {**asdict(series), "key": str(series.key)}
