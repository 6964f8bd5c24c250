"""One rule, one benchmark, one outcome, one reason.

A `Question` is what a line of the budget asks about one benchmark; it becomes one pytest item. Its answers are
`Verdict`s: one for each series that the rule's metric names (a rule on `region[*]` has many). Whatever can be answered
without numbers is; the rest is judged in one family, because the false alarms of a pull request are controlled
for the whole of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from pathlib import Path

import numpy as np

from pytest_gotrace.budget import Budget, Requirement, Rule, Waiver
from pytest_gotrace.metrics import QUANTILES, Key, Metric, find, nearest
from pytest_gotrace.prepare import Benchmark, Failure
from pytest_gotrace.recording import Recording, Run, Side
from pytest_gotrace.stats import Cell, Comparison, Decision, Plan, events_needed
from pytest_gotrace.units import format_change

#: `pytest_gotrace.stats.judge`, or what a project put in its place.
Compare = Callable[[Sequence[Cell], int, Plan, "Sequence[Decision | None]"], Sequence[Comparison]]


class Outcome(str, Enum):
    """What can be said of one rule on one benchmark."""

    OVER = "over"
    FAILED = "failed"
    MISSING = "missing"
    INCONCLUSIVE = "inconclusive"
    NEW = "new"
    WITHIN = "within"
    IDENTICAL = "identical"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """What one line of a budget asks about one benchmark."""

    benchmark: Benchmark
    rule: Rule | Requirement
    budget: Budget

    @property
    def text(self) -> str:
        """What is asked: the metric, or `require region[db]`."""
        if isinstance(self.rule, Rule):
            return str(self.rule.key)
        return f"require {self.rule.key_series}" if self.rule.key_series else "require"

    @property
    def level(self) -> str:
        return self.rule.level if isinstance(self.rule, Rule) else "fail"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """One answer. `reason` is one sentence where numbers do not say it; `settled` if more pairs would not change it."""

    question: Question
    key: Key | None
    outcome: Outcome
    reason: str = ""
    comparison: Comparison | None = None
    waiver: Waiver | None = None
    settled: bool = True

    @property
    def blocks(self) -> bool:
        """Whether this alone keeps the change from passing."""
        bad = self.outcome in (Outcome.OVER, Outcome.MISSING, Outcome.FAILED)
        strict = self.question.budget.defaults.on_inconclusive == "fail"
        bad |= strict and self.outcome is Outcome.INCONCLUSIVE
        return bad and self.level == "fail" and self.waiver is None

    @property
    def level(self) -> str:
        """The question's; an inconclusive one only warns where no number of pairs could have shown the budget kept."""
        hopeless = self.comparison is not None and self.comparison.underpowered
        return "warn" if hopeless and self.outcome is Outcome.INCONCLUSIVE else self.question.level


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that was found out: runs, and by id the benchmarks that failed while they were measured."""

    recording: Recording
    has_base: bool
    metrics: tuple[Metric, ...]
    failures: Mapping[str, Failure] = field(default_factory=dict)
    foreign: bool = False  # the base was recorded on another machine

    def runs(self, side: Side, benchmark: Benchmark, *, traced: bool) -> tuple[Run, ...]:
        return tuple(run for run in self.recording.of(side, benchmark.id, traced=traced) if run.round >= 0)


#: The name of a cell from look to look: the line of the budget, benchmark, key, and which part of the limit it is
#: for. (Lines of two budgets may ask about the same number.)
_CellName = tuple[Path, int, str, Key, str]
Decisions = Mapping[_CellName, Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A key of a question that needs numbers, and its cells: one for the change, one for the cap."""

    question: Question
    key: Key
    cells: Mapping[str, Cell]

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
    answers = [_without_numbers(question, facts) for question in questions]
    cases = [
        case
        for question, answer in zip(questions, answers, strict=True)
        if answer is None
        for case in _cases(question, facts)
    ]
    named = {
        case.name(part): cell
        for case in cases
        if isinstance(case, _Case)
        for part, cell in case.cells.items()
    }
    found = compare(tuple(named.values()), look, plan, [earlier.get(name) for name in named])
    compared = dict(zip(named, found, strict=True))
    by_question: dict[Question, list[Verdict]] = {}
    for case in cases:
        verdict = _verdict(case, compared, facts) if isinstance(case, _Case) else case
        by_question.setdefault(verdict.question, []).append(_waived(verdict, today))
    verdicts = tuple(
        (_waived(answer, today),) if answer else tuple(by_question.get(question, ()))
        for question, answer in zip(questions, answers, strict=True)
    )
    return verdicts, {name: comparison.decision for name, comparison in compared.items()}


def _waived(verdict: Verdict, today: date) -> Verdict:
    question = verdict.question
    waiver = question.budget.waiver_for(question.benchmark.path, verdict.key or Key(metric=""), today)
    return (
        replace(verdict, waiver=waiver)
        if waiver and verdict.outcome in (Outcome.OVER, Outcome.MISSING)
        else verdict
    )


def _without_numbers(question: Question, facts: Facts) -> Verdict | None:
    """What the presence of the benchmark alone decides; None where it is there to be measured on the sides it needs."""
    status, benchmark = question.benchmark.status, question.benchmark
    base, head = status["base"], status["head"]
    rule = question.rule
    key = rule.key if isinstance(rule, Rule) else None

    def answer(outcome: Outcome, reason: str) -> Verdict:
        return Verdict(question=question, key=key, outcome=outcome, reason=reason)

    if failure := facts.failures.get(benchmark.id):
        return answer(Outcome.FAILED, f"on the {failure.side}: {failure.error.message}")
    if head.presence == "failed":
        return answer(Outcome.FAILED, f"on the head: {head.detail}")
    if head.presence == "skipped":
        return answer(Outcome.MISSING, f"it skips itself on the head: {head.detail}")
    if head.presence == "absent":
        where = (
            "it was on the base and is gone" if base.presence != "absent" else "there is no such benchmark"
        )
        return answer(Outcome.MISSING, where)
    if isinstance(rule, Requirement):
        return answer(Outcome.WITHIN, "") if rule.key_series is None else None
    if benchmark.identical:
        return answer(
            Outcome.IDENTICAL, "both sides compile to the same bytes, so there is nothing to measure"
        )
    if rule.limit.cap is not None:
        return None
    if base.presence == "failed":
        return answer(Outcome.FAILED, f"on the base: {base.detail}")
    if not facts.has_base:
        return answer(Outcome.NEW, "there is no base to compare with; only a `max` is judged")
    if base.presence != "found":
        skips = f"skips itself there: {base.detail}" if base.presence == "skipped" else "is not on the base"
        return answer(Outcome.NEW, f"the benchmark {skips}")
    return None


def _cases(question: Question, facts: Facts) -> Iterator[_Case | Verdict]:
    rule = question.rule
    if isinstance(rule, Requirement):
        yield _required(question, rule, facts)
        return
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
        yield _by_presence(question, key, base, head, facts) or _case(question, rule, key, base, head, facts)


def _keys(rule: Rule, runs: Sequence[Run], facts: Facts) -> tuple[Key, ...]:
    """The keys that the rule is about: itself, or what its glob finds in the runs."""
    seen = {replace(series, statistic=rule.key.statistic) for run in runs for series in run.series}
    found = {key for key in seen if rule.covers(key)}
    named = find(rule.key.metric, facts.metrics).subject == "required"
    return tuple(sorted(found)) if found or (named and "*" in rule.key.subject) else (rule.key,)


def _by_presence(
    question: Question, key: Key, base: Sequence[Run], head: Sequence[Run], facts: Facts
) -> Verdict | None:
    """Named things (regions, tasks, custom units) that one side does not have; and quantiles of too few events."""
    if find(key.metric, facts.metrics).subject == "required":
        on_base, on_head = _has(base, key), _has(head, key)
        if not on_head:
            near = nearest(
                key.subject, sorted({k.subject for run in head for k in run.series if k.metric == key.metric})
            )
            where = "is on the base and not on the head" if on_base else f"is on neither side{near}"
            return Verdict(
                question=question, key=key, outcome=Outcome.MISSING, reason=f"{key.series} {where}"
            )
        if base and not on_base:
            return Verdict(
                question=question, key=key, outcome=Outcome.NEW, reason=f"{key.series} is not on the base"
            )
    probability = QUANTILES.get(key.statistic)
    if probability is None:
        return None
    events = min((_events(runs, key) for runs in (base, head) if runs), default=0.0)
    needed = events_needed(probability)
    if 0 < events < needed:
        reason = (
            f"a run has {events:.0f} events, and {key.statistic} needs {needed}: "
            "make runs longer (--gotrace-run-time), or budget a lower quantile"
        )
        return Verdict(question=question, key=key, outcome=Outcome.INCONCLUSIVE, reason=reason)
    return None


def _has(runs: Sequence[Run], key: Key) -> bool:
    return any(key.series in run.series or (not key.statistic and key.subject in run.values) for run in runs)


def _events(runs: Sequence[Run], key: Key) -> float:
    counts = [run.series[key.series].count if key.series in run.series else 0 for run in runs]
    return float(np.median(counts)) if counts else 0.0


def _case(
    question: Question, rule: Rule, key: Key, base: Sequence[Run], head: Sequence[Run], facts: Facts
) -> _Case:
    limit = rule.limit
    before, after = _paired(base, head, key)
    cells = {}
    if (limit.relative is not None or limit.absolute is not None) and before.size:
        cells["change"] = Cell(
            base=before,
            head=after,
            relative=limit.relative,
            absolute=limit.absolute,
            better=limit.better,
            kind=key.metric,
        )
    if limit.cap is not None and head:
        numbers = np.array([run.number(key) for run in head], dtype=np.float64)
        cells["cap"] = Cell(head=numbers, cap=limit.cap, kind=key.metric)
    return _Case(question=question, key=key, cells=cells)


def _paired(
    base: Sequence[Run], head: Sequence[Run], key: Key
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The numbers of the rounds that both sides have, in order."""
    per_round = [{run.round: run.number(key) for run in runs} for runs in (base, head)]
    rounds = sorted(per_round[0].keys() & per_round[1].keys())
    before, after = (np.array([numbers[r] for r in rounds], dtype=np.float64) for numbers in per_round)
    return before, after


def _required(question: Question, rule: Requirement, facts: Facts) -> Verdict:
    wanted = rule.key_series
    if wanted is None or question.benchmark.identical:
        return Verdict(question=question, key=wanted, outcome=Outcome.IDENTICAL if wanted else Outcome.WITHIN)
    runs = facts.runs("head", question.benchmark, traced=True)
    if any(rule.met_by(run.series) for run in runs):
        return Verdict(question=question, key=wanted, outcome=Outcome.WITHIN)
    names = sorted({key.subject for run in runs for key in run.series if key.metric == wanted.metric})
    there = f"; there are: {', '.join(names)}" if names else ""
    return Verdict(
        question=question,
        key=wanted,
        outcome=Outcome.MISSING,
        reason=f"{wanted} is required and not on the head{there}",
    )


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


def _verdict(case: _Case, compared: Mapping[_CellName, Comparison], facts: Facts) -> Verdict:
    """The worst of a key's parts. Being over settles it; anything else only if no part can change any more."""
    order = list(Outcome)
    parts = [_part(case, compared[case.name(part)], facts) for part in case.cells]
    if not parts:
        return Verdict(
            question=case.question,
            key=case.key,
            outcome=Outcome.INCONCLUSIVE,
            reason=f"{case.key} was not measured on both sides",
        )
    worst = min(parts, key=lambda verdict: order.index(verdict.outcome))
    settled = worst.outcome is Outcome.OVER or all(verdict.settled for verdict in parts)
    return replace(worst, settled=settled)


def _part(case: _Case, comparison: Comparison, facts: Facts) -> Verdict:
    outcome, settled = _OUTCOMES[comparison.decision]
    reason = comparison.reason
    if comparison.underpowered and comparison.provable is not None:
        reason += (
            f"; this machine can only show budgets from {format_change(comparison.provable)} on to be kept, "
            "so this blocks nothing"
        )
    if comparison.decision in ("removed", "nothing") and not case.key.statistic:
        outcome, reason = Outcome.MISSING, f"no run of the head reports {case.key}"
    if facts.foreign:
        outcome, settled, reason = Outcome.INCONCLUSIVE, True, "the base was recorded on another machine"
    return Verdict(
        question=case.question,
        key=case.key,
        outcome=outcome,
        reason=reason,
        comparison=comparison,
        settled=settled,
    )
