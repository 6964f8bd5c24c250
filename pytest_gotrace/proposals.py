"""Budgets that can be kept: for each rule the smallest round limit with which an unchanged change passes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_gotrace.budget import Rule
from pytest_gotrace.judge import Case, Compare
from pytest_gotrace.limit import Limit
from pytest_gotrace.sights import allowed, at_last_look, line_of, noise
from pytest_gotrace.stats import Comparison, Plan
from pytest_gotrace.units import rounded_up

#: A standard deviation from 20 pairs is in one of five cases larger by this factor than it looks.
MARGIN = 1.2
#: A budget of so many run-to-run CVs is the rule of thumb for 20 pairs, however few rules there are.
CVS_AT_LEAST = 1.5
#: Noise that is larger than this against the value is noise of next to nothing: there a floor says more.
_FOURFOLD = 3.0
#: No percentage is raised further.
_LARGEST, _DEEPEST_FALL = 10.0, 0.95
#: The floors of the research for a rule that needs one and has none.
_FLOORS = {"ns": 1_000.0, "B": 1_024.0, "1": 3.0}
_TOTAL_FLOOR = 50_000.0
#: Proposals are judged anew, since a budget shapes the scale that its noise is measured on.
_ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The limit for one line of a budget with which an unchanged change passes; the old one where that does."""

    rule: Rule
    limit: Limit
    cells: int

    @property
    def changed(self) -> bool:
        """Whether the line is to be written anew."""
        return self.limit != self.rule.limit


def propose(cases: Sequence[Case], plan: Plan, compare: Compare) -> tuple[Proposal, ...]:
    """For each rule the limit that it needs, never a smaller one than it has: what was wanted stays if it can be kept.

    It is the smallest that an unchanged change is shown to keep at the last look, such that all rules are with 80 %,
    with a margin for the noise that these pairs did not show; and at least 1.5 CV.
    """
    of_rule: dict[Rule, list[Case]] = {}
    for case in cases:
        if "change" in case.cells and isinstance(case.question.rule, Rule):
            of_rule.setdefault(line_of(case.question.rule), []).append(case)
    limits = {rule: rule.limit for rule in of_rule}
    for _ in range(_ROUNDS):
        compared = at_last_look([with_limits(case, limits) for case in cases], plan, compare)
        better = {
            rule: _raised(limits[rule], rule, [(case, compared[case.name("change")]) for case in of_one])
            for rule, of_one in of_rule.items()
        }
        if better == limits:
            break
        limits = better
    return tuple(Proposal(rule=r, limit=limits[r], cells=len(of_one)) for r, of_one in of_rule.items())


def with_limits(case: Case, limits: Mapping[Rule, Limit]) -> Case:
    """The case as it would be if its rule had the limit that is given for it."""
    rule = case.question.rule
    limit = limits.get(line_of(rule)) if isinstance(rule, Rule) else None
    if limit is None or "change" not in case.cells:
        return case
    change = replace(case.cells["change"], relative=limit.relative, absolute=limit.absolute)
    return replace(case, cells={**case.cells, "change": change})


def _raised(limit: Limit, rule: Rule, found: Sequence[tuple[Case, Comparison]]) -> Limit:
    """The limit, raised as far as the neediest of the rule's cells wants it."""
    if any(comparison.decision == "not-estimable" for _, comparison in found):
        return replace(limit, absolute=limit.absolute or _floor(rule)) if limit.better == "lower" else limit
    needs = [need for case, comparison in found if (need := _need(case, comparison))]
    short = [(need, value) for need, value in needs if allowed(limit, value) < need]
    if not short:
        return limit
    if limit.relative is None:
        return replace(limit, absolute=rounded_up(max(need * value for need, value in short)))
    by_floor = [(need, value) for need, value in short if limit.absolute is not None and need > _FOURFOLD]
    by_share = [need for need, value in short if (need, value) not in by_floor]
    if by_floor:
        limit = replace(limit, absolute=rounded_up(max(need * value for need, value in by_floor)))
    if by_share:
        most = _LARGEST if limit.better == "lower" else _DEEPEST_FALL
        limit = replace(limit, relative=max(limit.relative or 0.0, min(_percent_up(max(by_share)), most)))
    return limit


def _need(case: Case, comparison: Comparison) -> tuple[float, float] | None:
    """The smallest relative budget for a cell, and the value it is relative to; None where nothing varies."""
    cell = case.cells["change"]
    if comparison.provable is None or comparison.base is None or cell.base is None:
        return None
    _, cv = noise(cell.base, cell.head)
    return max(MARGIN * comparison.provable, CVS_AT_LEAST * (cv or 0.0)), abs(comparison.base.center)


def _floor(rule: Rule) -> float:
    return _TOTAL_FLOOR if rule.key.statistic == "total" else _FLOORS[rule.limit.unit]


def _percent_up(share: float) -> float:
    """Up to the next whole percent, above 20 % the next five, above 100 % the next ten."""
    step = 0.01 if share <= 0.2 else 0.05 if share <= 1 else 0.1
    return round(math.ceil(round(share / step, 6)) * step, 2)
