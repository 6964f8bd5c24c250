"""What tracing costs: how much longer an operation takes with the tracer than without, on each side.

A trace's price is that of its events, so a change that makes more events makes the traced side slower by itself. That
is no fault of the change, and where it is beyond noise a reader of traced metrics has to know it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pytest_gotrace.recording import SIDES, Recording, Side
from pytest_gotrace.stats import Cell, Plan, judge
from pytest_gotrace.units import format_change

#: A difference between the sides is only told if chance makes one like it in one run of a hundred, over all benchmarks.
LEVEL = 0.01

_TIME = "ns/op"

#: By benchmark, side and round: time with the tracer over time without.
_Ratios = Mapping[str, Mapping[Side, Mapping[int, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Time of a traced operation as a multiple of an untraced one, 1.4 is 40 % longer; None where a side has not both.

    `difference` is how much larger the head's is (0.1 is 10 %), where that is beyond noise.
    """

    benchmark: str
    base: float | None = None
    head: float | None = None
    difference: float | None = None

    @property
    def doubt(self) -> str:
        """What a reader of traced metrics must know; "" where the sides are alike."""
        if self.difference is None:
            return ""
        more = format_change(self.difference)
        return (
            f"{self.benchmark}: tracing costs the sides differently, {more} time on the head "
            f"(operations take {self.base:.2f} times as long on the base and {self.head:.2f} times on the head); "
            "traced times differ by that, too"
        )


def overheads(recording: Recording) -> tuple[Overhead, ...]:
    """The overhead of every benchmark that ran with and without the tracer on a side, by name."""
    ratios = _ratios(recording)
    differences = _differences(ratios)
    return tuple(
        Overhead(
            benchmark=name,
            difference=differences.get(name),
            **{side: float(np.median([*of_side.values()])) for side, of_side in sides.items()},
        )
        for name, sides in ratios.items()
    )


def _differences(ratios: _Ratios) -> dict[str, float]:
    """By benchmark, how much larger the head's ratio is, where that is beyond noise."""
    cells = dict(_cells(ratios))
    if not cells:
        return {}
    plan = Plan(looks=(max(len(cell.head) for cell in cells.values()),))
    compared = zip(cells, judge([*cells.values()], look=0, plan=plan), strict=True)
    return {
        name: found.change.center
        for name, found in compared
        if found.change is not None
        and found.p_changed_adjusted is not None
        and found.p_changed_adjusted <= LEVEL
    }


def _ratios(recording: Recording) -> _Ratios:
    """Of every benchmark the sides and rounds that ran both ways for as many iterations; benchmarks by name.

    (Runs that only explain a verdict come after the others, and with a count of their own: they are no pair.)
    """
    times: dict[tuple[str, Side, bool], dict[tuple[int, int], float]] = {}
    for run in recording.runs:
        if run.round >= 0 and run.values.get(_TIME, 0.0) > 0:
            of_side = times.setdefault((run.benchmark, run.side, run.traced), {})
            of_side[run.round, run.iterations] = run.values[_TIME]
    found: dict[str, dict[Side, Mapping[int, float]]] = {}
    for name, side, _ in sorted(key for key in times if key[2]):
        plain, traced = (times.get((name, side, mode), {}) for mode in (False, True))
        if both := sorted(plain.keys() & traced.keys()):
            found.setdefault(name, {})[side] = {key[0]: traced[key] / plain[key] for key in both}
    return found


def _cells(ratios: _Ratios) -> Iterator[tuple[str, Cell]]:
    for name, sides in ratios.items():
        rounds = sorted(set.intersection(*(set(sides.get(side, ())) for side in SIDES)))
        if rounds:
            base, head = (np.array([sides[side][number] for number in rounds]) for side in SIDES)
            yield name, Cell(base=base, head=head, gated=False, kind="overhead")
