"""What goes into a judgement, cells and a plan, and what comes out, comparisons. Nothing is computed here.

The words are those of golang/perf's benchmath: a sample is one number per run, a summary describes one side,
a comparison describes both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: One number per run, NaN where the run has none. A run is one process; events inside it are not a sample.
Sample: TypeAlias = NDArray[np.float64]

#: `ungated` is a cell that no budget names: it is described and may be noticed, but never fails and never
#: passes.
Decision: TypeAlias = Literal[
    "within", "over", "inconclusive", "not-estimable", "new", "removed", "nothing", "ungated"
]
Better: TypeAlias = Literal["lower", "higher"]
Method: TypeAlias = Literal["moderated", "exact"]

#: 2^-5 is the first sign-flip p below .05, so fewer pairs can never show that a budget is exceeded.
PAIRS_TO_FAIL = 5
#: Fewer pairs never show that a change stays within its budget, unless nothing varies at all.
PAIRS_TO_PASS = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """One metric of one benchmark: what both sides measured, and what is allowed.

    `base[i]` and `head[i]` are the two runs of pair i. With `relative` and `absolute` the cell is over its
    budget when it gets worse by more than max(relative * base, absolute); one of them may be absent. With
    `cap`, head alone must not be worse than that value, and `base` may be None. Ungated cells may have no
    budget at all. `kind` is the metric's name: cells of one kind lend each other their noise. `earlier` are the
    pairs (base, head) of earlier recordings of the same number, an entry for each recording: how much they
    scatter is remembered (`memory`), their level is not.
    """

    head: Sample
    base: Sample | None = None
    relative: float | None = None
    absolute: float | None = None
    cap: float | None = None
    better: Better = "lower"
    kind: str = ""
    gated: bool = True
    earlier: tuple[tuple[Sample, Sample], ...] = ()

    def __post_init__(self) -> None:
        allowed = self.relative is not None or self.absolute is not None
        if self.gated and allowed == (self.cap is not None):
            raise ValueError("a gated cell needs either a cap or a relative or absolute budget, and not both")
        if not self.gated and self.cap is not None:
            raise ValueError("a cell with a cap is always gated")
        if self.base is None and self.cap is None:
            raise ValueError("only a cell with a cap can do without base runs")
        if self.base is not None and len(self.base) != len(self.head):
            raise ValueError(f"base has {len(self.base)} runs and head {len(self.head)}; they come in pairs")
        if min(self.relative or 0.0, self.absolute or 0.0) < 0:
            raise ValueError("a budget is a size, so it cannot be negative")
        if self.better == "higher" and (self.relative or 0.0) >= 1:
            raise ValueError("a value cannot be allowed to fall by 100 % or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When to look and how much doubt to accept, fixed before the first run.

    `looks` are numbers of pairs. `alpha` is the chance that an unchanged pull request with every cell exactly
    at its budget fails, over all cells and all looks; `pass_level` is the p-value at one look that shows a
    cell to be within. `seed` only matters above 11 pairs, where not every sign flip can be tried.
    """

    looks: tuple[int, ...] = (6, 10, 14, 20)
    alpha: float = 0.05
    pass_level: float = 0.018
    method: Method = "moderated"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.looks or any(a >= b for a, b in zip((0, *self.looks), self.looks, strict=False)):
            raise ValueError(f"looks must be growing numbers of pairs, found {self.looks}")
        if not (0 < self.alpha < 1 and 0 < self.pass_level < 1):
            raise ValueError("alpha and pass_level are probabilities")

    def level(self, look: int) -> float:
        """What look number `look` (0-based) may spend of `alpha`: its share of the pairs, those new at it."""
        before = self.looks[look - 1] if look else 0
        return self.alpha * (self.looks[look] - before) / self.looks[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A typical value and how far it may be off: between `low` and `high` with that confidence.

    One run alone says nothing about noise: then `low` and `high` are as far out as the scale goes, up to
    infinity.
    """

    center: float
    low: float
    high: float
    confidence: float = 0.95
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is known about one cell after one look.

    `base`, `head` and `difference` are in the metric's own unit; `change` is relative (0.14 is +14 %) and
    absent when base is zero. Signs are natural: + means head is larger, whichever way is better. `detectable`
    is the smallest relative change for the worse that these pairs would have caught four times out of five,
    `provable` the smallest budget that an unchanged cell could be shown to keep at the plan's last look,
    `advisable` the smallest that this cell with the change seen could as well; all three are sizes. `pairs_needed`
    is (expected, low, high). What is open has one of the two: the pairs that would tell, or where no reasonable number
    of them would, the budget. `budget_beta` is the budget on the scale the test uses. What does not apply is
    None.
    """

    decision: Decision
    pairs: int
    reason: str = ""
    base: Summary | None = None
    head: Summary | None = None
    change: Summary | None = None
    difference: Summary | None = None
    budget_beta: float | None = None
    p_over: float | None = None
    p_over_adjusted: float | None = None
    p_within: float | None = None
    p_changed: float | None = None
    p_changed_adjusted: float | None = None
    noticed: bool = False
    exact: bool = False
    suspect: bool = False
    underpowered: bool = False
    detectable: float | None = None
    provable: float | None = None
    advisable: float | None = None
    pairs_needed: tuple[int, int, int] | None = None
    clipped: int = 0
    warnings: tuple[str, ...] = ()
