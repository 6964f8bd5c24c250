"""A/A: what runs of one revision against itself say about a budget on this machine.

Nothing changed, so whatever is called over is a false alarm, and what cannot be shown to be within asks for more
than the machine can see. From the recorded pairs:

1. each cell's noise, and the effects and budgets that this many pairs can show       `sights`
2. the false alarms of this very family: where nothing changed, the two runs of a pair might as well have changed
   places, so pairs in random order with sides exchanged by a coin are judged, many times  `trials`
3. for each rule the smallest round budget that can be kept                           `proposals`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.budget import Rule
from pytest_gotrace.judge import Case, Compare, answers
from pytest_gotrace.limit import Limit
from pytest_gotrace.proposals import Proposal, propose, with_limits
from pytest_gotrace.sights import Sight, examine
from pytest_gotrace.stats import Cell, Decision, Plan
from pytest_gotrace.verdict import Facts, Question

#: Judged families: as many as have so many cells in all, within these bounds.
_CELLS_JUDGED, _FEWEST, MOST_FAMILIES = 10_000, 100, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """How many of `families` unchanged families were judged to be over, and how many passed in all their cells."""

    families: int
    over: int
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """All that A/A has to say. `now` are the trials of the budget as it is, `then` those of the proposed one."""

    sights: tuple[Sight, ...]
    proposals: tuple[Proposal, ...]
    now: Trials
    then: Trials
    pairs: int

    def changes(self) -> dict[Path, dict[Rule, Limit]]:
        """The limits to be written, by budget file."""
        found: dict[Path, dict[Rule, Limit]] = {}
        for proposal in self.proposals:
            if proposal.changed:
                found.setdefault(proposal.rule.path, {})[proposal.rule] = proposal.limit
        return found


def calibrate(
    questions: Sequence[Question], facts: Facts, plan: Plan, compare: Compare, most: int = MOST_FAMILIES
) -> Calibration:
    """Everything, from the runs in `facts`, whose two sides are one revision; at most `most` trials."""
    found = [(question, answer) for question in questions for answer in answers(question, facts)]
    cases = [answer for _, answer in found if isinstance(answer, Case)]
    proposals = propose(cases, plan, compare)
    limits = {proposal.rule: proposal.limit for proposal in proposals}
    return Calibration(
        sights=examine(found, plan, compare),
        proposals=proposals,
        now=trials(cases, plan, compare, most),
        then=trials([with_limits(case, limits) for case in cases], plan, compare, most),
        pairs=max((len(case.base_first) for case in cases), default=0),
    )


def trials(cases: Sequence[Case], plan: Plan, compare: Compare, most: int = MOST_FAMILIES) -> Trials:
    """Families as likely as the one recorded, each judged look by look; caps are about the head and never count."""
    cells = [case.cells["change"] for case in cases if "change" in case.cells]
    if not cells:
        return Trials(families=0, over=0, passed=0)
    times = min(most, max(_FEWEST, _CELLS_JUDGED // len(cells)))
    rng = np.random.default_rng(plan.seed)
    pairs = max((len(cell.head) for cell in cells), default=0)
    ends = [
        _end([_rearranged(cell, order, swap) for cell in cells], plan, compare)
        for order, swap in ((rng.permutation(pairs), rng.random(pairs) < 0.5) for _ in range(times))
    ]
    return Trials(families=times, over=ends.count("over"), passed=ends.count("within"))


def _rearranged(cell: Cell, order: NDArray[np.int64], swap: NDArray[np.bool_]) -> Cell:
    """The pairs in another order, some with their sides exchanged: the same for every cell, as runs are shared."""
    here = order[order < len(cell.head)]
    assert cell.base is not None  # only cells of changes come here
    base, head = cell.base[here], cell.head[here]
    return replace(cell, base=np.where(swap[here], head, base), head=np.where(swap[here], base, head))


def _end(cells: Sequence[Cell], plan: Plan, compare: Compare) -> str:
    """`over` if any cell ends so, `within` if all do, else `inconclusive`."""
    decisions: list[Decision | None] = [None] * len(cells)
    for look, pairs in enumerate(plan.looks):
        found = compare([_first(cell, pairs) for cell in cells], look, plan, decisions)
        decisions = [comparison.decision for comparison in found]
        if "over" in decisions:
            return "over"
        if all(decision in _PASSES for decision in decisions):
            return "within"
    return "inconclusive"


#: What keeps no change from passing.
_PASSES = ("within", "nothing", "new", "removed")


def _first(cell: Cell, pairs: int) -> Cell:
    return replace(cell, base=None if cell.base is None else cell.base[:pairs], head=cell.head[:pairs])
