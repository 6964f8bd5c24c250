"""What runs of one revision against itself let us see: each number's noise, and what that many pairs can show of it.

Nothing changed, so a rule that cannot be shown to be kept asks for more than this machine can see.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.budget import Rule
from pytest_gotrace.judge import Case, Compare
from pytest_gotrace.limit import Limit
from pytest_gotrace.stats import PAIRS_TO_FAIL, Comparison, Plan
from pytest_gotrace.units import format_change
from pytest_gotrace.verdict import Outcome, Question, Verdict

#: A rule that four times out of five misses even so large an increase can be said never to fail.
NEVER_CAUGHT = 10.0


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


def examine(
    found: Iterable[tuple[Question, Case | Verdict]], plan: Plan, compare: Compare
) -> tuple[Sight, ...]:
    """What can be seen of each number that a rule is about, at the last look of the plan."""
    found = tuple(found)
    compared = at_last_look([answer for _, answer in found if isinstance(answer, Case)], plan, compare)
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


def at_last_look(cases: Sequence[Case], plan: Plan, compare: Compare) -> dict[object, Comparison]:
    """Each cell at the last look, by its name, judged as if it were the only one."""
    cells = {case.name(part): cell for case in cases for part, cell in case.cells.items()}
    last = compare(tuple(cells.values()), len(plan.looks) - 1, plan, [None] * len(cells))
    return dict(zip(cells, last, strict=True))


def _sight(question: Question, rule: Rule, case: Case, comparison: Comparison | None, plan: Plan) -> Sight:
    cell = case.cells.get("change")
    sight = Sight(question=question, rule=rule, name=str(case.key))
    if cell is None or cell.base is None or comparison is None:
        return sight
    value, cv = noise(cell.base, cell.head)
    doubt = next((text for check in _DOUBTS if (text := check(rule, comparison, plan))), "")
    return replace(
        sight,
        value=value,
        cv=cv,
        detectable=comparison.detectable,
        provable=comparison.provable,
        doubt=doubt,
    )


def noise(base: NDArray[np.float64], head: NDArray[np.float64]) -> tuple[float | None, float | None]:
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
    share = allowed(rule.limit, found.base.center) / found.provable
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


def doubts(sights: Iterable[Sight]) -> Iterator[tuple[Rule, str]]:
    """Each rule that can never or seldom pass, or never fail, with the first reason."""
    reasons: dict[Rule, str] = {}
    for sight in sights:
        if sight.doubt:
            reasons.setdefault(line_of(sight.rule), sight.doubt)
    yield from reasons.items()


def line_of(rule: Rule) -> Rule:
    """The rule as its line has it, whichever benchmark it was resolved for."""
    return replace(rule, unless=())


def allowed(limit: Limit, value: float) -> float:
    """What the limit lets pass, as a share of the value."""
    absolute = (limit.absolute or 0.0) / abs(value) if value else (math.inf if limit.absolute else 0.0)
    return max(limit.relative or 0.0, absolute)
