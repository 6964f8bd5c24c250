"""The example of `how-a-verdict-is-reached.md`: real runs, and what is decided about them at each look."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.stats import Cell, Comparison, Plan, judge
from pytest_gotrace.stats.moderated import Effects, analyse
from pytest_gotrace.stats.rows import arrange

Floats = NDArray[np.float64]

RUNS = Path(__file__).with_name("example.json")
PLAN = Plan()
SMALL_RENDER, SMALL_TIME = "small region[render].p50", "small ns/op"


@dataclass(frozen=True, slots=True)
class Look:
    """One look: what is said about each cell, and the numbers behind it on the scale where the budget is `beta`."""

    pairs: int
    level: float
    names: tuple[str, ...]
    said: tuple[Comparison, ...]
    effects: Effects
    beta: Floats

    def of(self, name: str) -> Comparison:
        """What is said about one cell."""
        return self.said[self.names.index(name)]

    def budgets(self, name: str) -> tuple[float, float, float]:
        """Estimate and 95 % interval of a cell's change, in budgets: 0 is no change, 1 is at the budget."""
        i = self.names.index(name)
        half = float(self.effects.half_width(0.95)[i])
        estimate, beta = float(self.effects.estimate[i]), float(self.beta[i])
        return estimate / beta, (estimate - half) / beta, (estimate + half) / beta


class Example:
    """A pull request on `example-go-repo`: the price of a line is written by `fmt` instead of `strconv`."""

    def __init__(self, path: Path = RUNS) -> None:
        """Read the runs."""
        self.data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        self.rows = {self.name(row): row for row in self.data["cells"]}
        self.cells = {
            name: Cell(
                base=np.array(row["base"]),
                head=np.array(row["head"]),
                relative=row["relative"],
                absolute=row["absolute"],
                kind=row["metric"],
            )
            for name, row in self.rows.items()
        }

    @staticmethod
    def name(row: dict[str, Any]) -> str:
        """`small ns/op`: the last part of the benchmark, and the metric."""
        return f"{row['benchmark'].rpartition('/')[2]} {row['metric']}"

    @cached_property
    def looks(self) -> list[Look]:
        """Every look of the plan, each knowing what was decided at the one before."""
        found: list[Look] = []
        for number, pairs in enumerate(PLAN.looks):
            cells = [_first(cell, pairs) for cell in self.cells.values()]
            earlier = [c.decision for c in found[-1].said] if found else []
            said = judge(cells, look=number, plan=PLAN, previous=earlier)
            rows = arrange(cells)
            effects, beta = analyse(rows.differences, rows.groups), rows.scales.beta[:, 0]
            found.append(Look(pairs, PLAN.level(number), tuple(self.cells), said, effects, beta))
        return found


def _first(cell: Cell, pairs: int) -> Cell:
    base = None if cell.base is None else cell.base[:pairs]
    return replace(cell, base=base, head=cell.head[:pairs])
