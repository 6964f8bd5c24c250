"""A/A: what runs of one revision against itself say about a budget on this machine.

Nothing changed, so whatever is called over is a false alarm, and what cannot be shown to be within asks for more
than the machine can see. From the recorded pairs:

1. each cell's noise, and the effects and budgets that this many pairs can show       `examine`
2. the false alarms of this very family: where nothing changed, the two runs of a pair might as well have changed
   places, so pairs in random order with sides exchanged by a coin are judged, many times  `trials`
3. for each rule the smallest round budget that can be kept                           `propose`
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.budget import Rule
from pytest_gotrace.judge import Case, Compare, answers
from pytest_gotrace.limit import Limit
from pytest_gotrace.stats import PAIRS_TO_FAIL, Cell, Comparison, Decision, Plan
from pytest_gotrace.units import format_change
from pytest_gotrace.verdict import Facts, Outcome, Question, Verdict

#: A standard deviation from 20 pairs is in one of five cases larger by this factor than it looks.
MARGIN = 1.2
#: A budget of so many run-to-run CVs is the rule of thumb for 20 pairs, however few rules there are.
CVS_AT_LEAST = 1.5
#: A rule that four times out of five misses even so large an increase can be said never to fail.
NEVER_CAUGHT = 10.0
#: Judged families: as many as have so many cells in all, within these bounds.
_CELLS_JUDGED, _FEWEST, MOST_FAMILIES = 10_000, 100, 500
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
class Sight:
    """What can be seen of one number. `cv` is the run-to-run coefficient of variation, from differences of pairs.

    `provable` and `detectable` are relative; None where nothing varies, or for a cap. `doubt` says why the rule can
    never or seldom pass, or never fail; it is "" for a rule that can do both.
    """

    question: Question
    rule: Rule
    name: str
    value: float | None = None
    cv: float | None = None
    detectable: float | None = None
    provable: float | None = None
    doubt: str = ""

    @property
    def mild(self) -> bool:
        """Whether somebody decided that the rule blocks nothing."""
        return self.rule.level == "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """How many of `families` unchanged families were judged to be over, and how many passed in all their cells."""

    families: int
    over: int
    passed: int


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
        then=trials([_with(case, limits) for case in cases], plan, compare, most),
        pairs=max((len(case.base_first) for case in cases), default=0),
    )


# 1. what can be seen


def examine(
    found: Iterable[tuple[Question, Case | Verdict]], plan: Plan, compare: Compare
) -> tuple[Sight, ...]:
    """What can be seen of each number that a rule is about, at the last look of the plan."""
    found = tuple(found)
    compared = _compared([answer for _, answer in found if isinstance(answer, Case)], plan, compare)
    sights = []
    for question, answer in found:
        if not isinstance(question.rule, Rule):
            continue
        if isinstance(answer, Case):
            sights.append(_sight(question, question.rule, answer, compared.get(answer.name("change")), plan))
        elif answer.outcome in (Outcome.INCONCLUSIVE, Outcome.MISSING):
            sights.append(
                Sight(
                    question=question, rule=question.rule, name=str(answer.key), doubt=_never_judged(answer)
                )
            )
    return tuple(sights)


def _never_judged(verdict: Verdict) -> str:
    return f"can never pass nor fail: {verdict.reason}"


def _compared(cases: Sequence[Case], plan: Plan, compare: Compare) -> dict[object, Comparison]:
    """Each cell at the last look, by its name, judged as if it were the only one."""
    cells = {case.name(part): cell for case in cases for part, cell in case.cells.items()}
    last = compare(tuple(cells.values()), len(plan.looks) - 1, plan, [None] * len(cells))
    return dict(zip(cells, last, strict=True))


def _sight(question: Question, rule: Rule, case: Case, comparison: Comparison | None, plan: Plan) -> Sight:
    cell = case.cells.get("change")
    sight = Sight(question=question, rule=rule, name=str(case.key))
    if cell is None or cell.base is None or comparison is None:
        return sight
    value, cv = _noise(cell.base, cell.head)
    doubt = next((text for check in _DOUBTS if (text := check(rule, comparison, plan))), "")
    return replace(
        sight,
        value=value,
        cv=cv,
        detectable=comparison.detectable,
        provable=comparison.provable,
        doubt=doubt,
    )


def _noise(base: NDArray[np.float64], head: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Mean of all runs, and sd(head - base) / sqrt 2 as a share of it."""
    there = ~(np.isnan(base) | np.isnan(head))
    base, head = base[there], head[there]
    if len(base) < 2:
        return None, None
    mean = float(np.concatenate([base, head]).mean())
    spread = float((head - base).std(ddof=1) / math.sqrt(2))
    return mean, (spread / abs(mean) if mean else (None if spread else 0.0))


def _undefined(rule: Rule, found: Comparison, plan: Plan) -> str:
    return f"can never pass nor fail: {found.reason}" if found.decision == "not-estimable" else ""


def _too_tight(rule: Rule, found: Comparison, plan: Plan) -> str:
    if found.provable is None or found.base is None:
        return ""
    share = _allowed(rule.limit, found.base.center) / found.provable
    if share >= 1:
        return ""
    often = next(text for least, text in _HOW_OFTEN if share >= least)
    return f"{often}: {plan.looks[-1]} pairs prove budgets from {format_change(found.provable)} on"


#: Where nothing changed, a budget of half the provable one is shown to be kept in one of two cases, of a sixth in 5 %.
_HOW_OFTEN = (
    (1 / 2, "is tighter than the noise"),
    (1 / 6, "passes less than every second time"),
    (0.0, "can hardly ever pass"),
)


def _too_noisy(rule: Rule, found: Comparison, plan: Plan) -> str:
    most = NEVER_CAUGHT if rule.limit.better == "lower" else 1.0
    if found.detectable is None or found.detectable < most:
        return ""
    largest = format_change(most) if rule.limit.better == "lower" else "a fall to zero"
    return f"can hardly ever fail: even {largest} is missed once in five times"


def _too_few_pairs(rule: Rule, found: Comparison, plan: Plan) -> str:
    if found.exact or plan.looks[-1] >= PAIRS_TO_FAIL:
        return ""
    return f"can never fail: that takes {PAIRS_TO_FAIL} pairs, and at most {plan.looks[-1]} are run"


def _only_warns(rule: Rule, found: Comparison, plan: Plan) -> str:
    return "can never block: its level is warn" if rule.level == "warn" else ""


_DOUBTS = (_undefined, _too_few_pairs, _too_noisy, _too_tight, _only_warns)


# 2. false alarms


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


# 3. proposals


def propose(cases: Sequence[Case], plan: Plan, compare: Compare) -> tuple[Proposal, ...]:
    """For each rule the limit that it needs, never a smaller one than it has: what was wanted stays if it can be kept.

    It is the smallest that an unchanged change is shown to keep at the last look, such that all rules are with 80 %,
    with a margin for the noise that these pairs did not show; and at least 1.5 CV.
    """
    of_rule: dict[Rule, list[Case]] = {}
    for case in cases:
        if "change" in case.cells and isinstance(case.question.rule, Rule):
            of_rule.setdefault(_line_of(case.question.rule), []).append(case)
    limits = {rule: rule.limit for rule in of_rule}
    for _ in range(_ROUNDS):
        compared = _compared([_with(case, limits) for case in cases], plan, compare)
        better = {
            rule: _raised(limits[rule], rule, [(case, compared[case.name("change")]) for case in of_one])
            for rule, of_one in of_rule.items()
        }
        if better == limits:
            break
        limits = better
    return tuple(Proposal(rule=r, limit=limits[r], cells=len(of_one)) for r, of_one in of_rule.items())


def _line_of(rule: Rule) -> Rule:
    """The rule as its line has it, whichever benchmark it was resolved for."""
    return replace(rule, unless=())


def _with(case: Case, limits: Mapping[Rule, Limit]) -> Case:
    rule = case.question.rule
    limit = limits.get(_line_of(rule)) if isinstance(rule, Rule) else None
    if limit is None or "change" not in case.cells:
        return case
    change = replace(case.cells["change"], relative=limit.relative, absolute=limit.absolute)
    return replace(case, cells={**case.cells, "change": change})


def _raised(limit: Limit, rule: Rule, found: Sequence[tuple[Case, Comparison]]) -> Limit:
    """The limit, raised as far as the neediest of the rule's cells wants it."""
    if any(comparison.decision == "not-estimable" for _, comparison in found):
        return replace(limit, absolute=limit.absolute or _floor(rule)) if limit.better == "lower" else limit
    needs = [need for case, comparison in found if (need := _need(case, comparison))]
    short = [(need, value) for need, value in needs if _allowed(limit, value) < need]
    if not short:
        return limit
    if limit.relative is None:
        return replace(limit, absolute=_round_up(max(need * value for need, value in short)))
    by_floor = [(need, value) for need, value in short if limit.absolute is not None and need > _FOURFOLD]
    by_share = [need for need, value in short if (need, value) not in by_floor]
    if by_floor:
        limit = replace(limit, absolute=_round_up(max(need * value for need, value in by_floor)))
    if by_share:
        most = _LARGEST if limit.better == "lower" else _DEEPEST_FALL
        limit = replace(limit, relative=max(limit.relative or 0.0, min(_percent_up(max(by_share)), most)))
    return limit


def _need(case: Case, comparison: Comparison) -> tuple[float, float] | None:
    """The smallest relative budget for a cell, and the value it is relative to; None where nothing varies."""
    cell = case.cells["change"]
    if comparison.provable is None or comparison.base is None or cell.base is None:
        return None
    _, cv = _noise(cell.base, cell.head)
    return max(MARGIN * comparison.provable, CVS_AT_LEAST * (cv or 0.0)), abs(comparison.base.center)


def _allowed(limit: Limit, value: float) -> float:
    """What the limit lets pass, as a share of the value."""
    absolute = (limit.absolute or 0.0) / abs(value) if value else (math.inf if limit.absolute else 0.0)
    return max(limit.relative or 0.0, absolute)


def _floor(rule: Rule) -> float:
    return _TOTAL_FLOOR if rule.key.statistic == "total" else _FLOORS[rule.limit.unit]


def _percent_up(share: float) -> float:
    """Up to the next whole percent, above 20 % the next five, above 100 % the next ten."""
    step = 0.01 if share <= 0.2 else 0.05 if share <= 1 else 0.1
    return round(math.ceil(round(share / step, 6)) * step, 2)


def _round_up(value: float) -> float:
    """Up to two significant digits."""
    digits = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(round(value / digits, 6)) * digits:.2g}")


def doubts(sights: Iterable[Sight]) -> Iterator[tuple[Rule, str]]:
    """Each rule that can never or seldom pass, or never fail, with the first reason."""
    reasons: dict[Rule, str] = {}
    for sight in sights:
        if sight.doubt:
            reasons.setdefault(_line_of(sight.rule), sight.doubt)
    yield from reasons.items()
