"""Questions and runs become verdicts, at one look.

Whatever can be answered without numbers is; the rest is judged in one family, because the false alarms of a pull
request are controlled for the whole of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace import presence
from pytest_gotrace.budget import Requirement, Rule
from pytest_gotrace.metrics import Key, find
from pytest_gotrace.recording import Run
from pytest_gotrace.stats import Cell, Comparison, Decision, Plan, diagnose
from pytest_gotrace.units import format_quantity
from pytest_gotrace.verdict import Facts, Outcome, Question, Verdict

#: `pytest_gotrace.stats.judge`, or what a project put in its place.
Compare = Callable[[Sequence[Cell], int, Plan, "Sequence[Decision | None]"], Sequence[Comparison]]

#: The name of a cell from look to look: the line of the budget, benchmark, key, and which part of the limit it is
#: for. (Lines of two budgets may ask about the same number.)
_CellName = tuple[Path, int, str, Key, str]
Decisions = Mapping[_CellName, Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A key of a question that needs numbers, and its cells: one for the change, one for the cap.

    `base_first` says of each pair of the change whether the base ran before the head.
    """

    question: Question
    key: Key
    cells: Mapping[str, Cell]
    base_first: tuple[bool, ...] = ()

    def name(self, part: str) -> _CellName:
        rule = self.question.rule
        return rule.path, rule.line, self.question.benchmark.id, self.key, part


def judge(
    questions: Sequence[Question],
    facts: Facts,
    *,
    look: int,
    plan: Plan,
    compare: Compare,
    earlier: Decisions,
    today: date,
) -> tuple[tuple[tuple[Verdict, ...], ...], Decisions]:
    """Answer every question at one look; also the decision of each cell, to be handed in at the next.

    1. What needs no numbers is answered at once.  2. The rest becomes cells, judged in one family.
    3. The cells of one key become one verdict; the worst counts.
    """
    answered = [tuple(answers(question, facts)) for question in questions]
    cells = {
        answer.name(part): cell
        for of_one in answered
        for answer in of_one
        if isinstance(answer, Case)
        for part, cell in answer.cells.items()
    }
    found = compare(tuple(cells.values()), look, plan, [earlier.get(name) for name in cells])
    compared = dict(zip(cells, found, strict=True))
    verdicts = (
        tuple(
            _waived(_verdict(answer, compared, facts) if isinstance(answer, Case) else answer, today)
            for answer in of_one
        )
        for of_one in answered
    )
    return tuple(verdicts), {name: comparison.decision for name, comparison in compared.items()}


def _waived(verdict: Verdict, today: date) -> Verdict:
    question = verdict.question
    waiver = question.budget.waiver_for(question.benchmark.path, verdict.key or Key(metric=""), today)
    return (
        replace(verdict, waiver=waiver)
        if waiver and verdict.outcome in (Outcome.OVER, Outcome.MISSING)
        else verdict
    )


def answers(question: Question, facts: Facts) -> Iterator[Case | Verdict]:
    """What is known of one question already, or for each of its keys what has to be judged."""
    rule = question.rule
    if answer := presence.of_benchmark(question, facts):
        yield answer
    elif isinstance(rule, Requirement):
        yield presence.of_requirement(question, rule, facts)
    else:
        yield from _cases(question, rule, facts)


def _cases(question: Question, rule: Rule, facts: Facts) -> Iterator[Case | Verdict]:
    traced = find(rule.key.metric, facts.metrics).traced
    base, head = (facts.runs(side, question.benchmark, traced=traced) for side in ("base", "head"))
    keys = _keys(rule, (*base, *head), facts)
    if not keys:
        yield Verdict(
            question=question,
            key=rule.key,
            outcome=Outcome.MISSING,
            reason=f"nothing on either side is called {rule.key.series}",
        )
    for key in keys:
        known = presence.of_key(question, key, base, head, facts)
        yield known or _case(question, rule, key, base, head, facts)


def _keys(rule: Rule, runs: Sequence[Run], facts: Facts) -> tuple[Key, ...]:
    """The keys that the rule is about: itself, or what its glob finds in the runs."""
    seen = {replace(series, statistic=rule.key.statistic) for run in runs for series in run.series}
    found = {key for key in seen if rule.covers(key)}
    named = find(rule.key.metric, facts.metrics).subject == "required"
    return tuple(sorted(found)) if found or (named and "*" in rule.key.subject) else (rule.key,)


def _case(
    question: Question, rule: Rule, key: Key, base: Sequence[Run], head: Sequence[Run], facts: Facts
) -> Case:
    limit = rule.limit
    before, after, base_first = paired(base, head, key)
    cells = {}
    if (limit.relative is not None or limit.absolute is not None) and before.size:
        cells["change"] = Cell(
            base=before,
            head=after,
            relative=limit.relative,
            absolute=limit.absolute,
            better=limit.better,
            kind=key.metric,
            earlier=facts.memory.of(
                question.benchmark.id, key, traced=head[0].traced, iterations=head[0].iterations
            ),
        )
    if limit.cap is not None and head:
        numbers = np.array([run.number(key) for run in head], dtype=np.float64)
        cells["cap"] = Cell(head=numbers, cap=limit.cap, kind=key.metric)
    return Case(question=question, key=key, cells=cells, base_first=base_first)


def paired(
    base: Sequence[Run], head: Sequence[Run], key: Key
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[bool, ...]]:
    """The numbers of the rounds that both sides have, in order, and which of them the base began."""
    before, after = ({run.round: run for run in runs} for runs in (base, head))
    rounds = sorted(before.keys() & after.keys())
    base_first = tuple(before[r].position < after[r].position for r in rounds)
    return _numbers(before, rounds, key), _numbers(after, rounds, key), base_first


def _numbers(runs: Mapping[int, Run], rounds: Sequence[int], key: Key) -> NDArray[np.float64]:
    return np.array([runs[number].number(key) for number in rounds], dtype=np.float64)


#: Noise at which a tenth of the budget could be shown to be kept is not looked at.
_QUIET = 0.1

#: Decisions of the statistics as outcomes, and whether more pairs could change them.
_OUTCOMES: Mapping[str, tuple[Outcome, bool]] = {
    "over": (Outcome.OVER, True),
    "inconclusive": (Outcome.INCONCLUSIVE, False),
    "not-estimable": (Outcome.INCONCLUSIVE, True),
    "removed": (Outcome.WITHIN, True),
    "new": (Outcome.NEW, True),
    "nothing": (Outcome.WITHIN, True),
    "within": (Outcome.WITHIN, True),
}


def _verdict(case: Case, compared: Mapping[_CellName, Comparison], facts: Facts) -> Verdict:
    """The worst of a key's parts. Being over settles it; anything else only if no part can change any more."""
    parts = [_part(case, part, compared[case.name(part)], facts) for part in case.cells]
    if not parts:
        return Verdict(
            question=case.question,
            key=case.key,
            outcome=Outcome.INCONCLUSIVE,
            reason=f"{case.key} was not measured on both sides",
        )
    worst = min(parts, key=lambda verdict: verdict.gravity)
    settled = worst.outcome is Outcome.OVER or all(verdict.settled for verdict in parts)
    return replace(worst, settled=settled)


def _diagnosed(case: Case, part: str, comparison: Comparison) -> Comparison:
    """The comparison with what its pairs look like as a warning, where they are not what the test takes them for.

    Noise far below the budget decides nothing, whatever it looks like: bytes that differ by a few are no two groups.
    """
    cell = case.cells[part]
    if part != "change" or cell.base is None or _quiet(cell, comparison):
        return comparison
    unit = case.question.rule.limit.unit if isinstance(case.question.rule, Rule) else "1"
    found = diagnose(cell.base, cell.head, case.base_first, shown=lambda value: format_quantity(value, unit))
    return replace(comparison, warnings=(*comparison.warnings, *found.warnings))


def _quiet(cell: Cell, comparison: Comparison) -> bool:
    if comparison.base is None or comparison.provable is None:
        return comparison.exact
    size = abs(comparison.base.center)
    allowed = max((cell.relative or 0.0) * size, cell.absolute or 0.0)
    return comparison.provable * size < _QUIET * allowed


def _part(case: Case, part: str, comparison: Comparison, facts: Facts) -> Verdict:
    outcome, settled = _OUTCOMES[comparison.decision]
    reason = comparison.reason
    if comparison.underpowered:
        reason += "; noise on this machine hides changes of the budget's size, so it blocks nothing"
    if comparison.decision in ("removed", "nothing") and not case.key.statistic:
        outcome, reason = Outcome.MISSING, f"no run of the head reports {case.key}"
    if facts.foreign:
        outcome, settled, reason = Outcome.INCONCLUSIVE, True, "the base was recorded on another machine"
        comparison = replace(comparison, pairs_needed=None, advisable=None)  # neither would help
    return Verdict(
        question=case.question,
        key=case.key,
        outcome=outcome,
        reason=reason,
        comparison=_diagnosed(case, part, comparison),
        settled=settled,
    )
