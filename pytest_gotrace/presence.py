"""Questions that need no numbers: what is there answers them, or that it is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pytest_gotrace.budget import Requirement, Rule
from pytest_gotrace.metrics import QUANTILES, Key, find, nearest
from pytest_gotrace.recording import Run
from pytest_gotrace.stats import events_needed
from pytest_gotrace.verdict import Facts, Outcome, Question, Verdict

#: Why there is nothing to measure, by whether the code was compared or the bytes.
_IDENTICAL = {
    False: "both sides compile to the same bytes, so there is nothing to measure",
    True: "both sides differ only in comments and layout, so there is nothing to measure",
}


def of_benchmark(question: Question, facts: Facts) -> Verdict | None:
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
        return answer(Outcome.IDENTICAL, _IDENTICAL[benchmark.by_tokens])
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


def of_requirement(question: Question, rule: Requirement, facts: Facts) -> Verdict:
    """Whether what is required of a benchmark that runs was seen in it."""
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


def of_key(
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
