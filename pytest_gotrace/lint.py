"""What is wrong with a budget before anybody runs it: rules that can never fail or never pass, and waivers gone by.

Without a recording only what the file itself says; with one also what its runs say about noise and about events,
on the machine that it was made on. Needs neither Go nor git.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pytest_gotrace.budget import Budget, Rule
from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.errors import RecordingError
from pytest_gotrace.judge import Case, answers
from pytest_gotrace.metrics import Metric, find
from pytest_gotrace.options import Customs
from pytest_gotrace.prepare import Benchmark, Module, Status
from pytest_gotrace.proposals import Proposal, propose
from pytest_gotrace.questions import ask
from pytest_gotrace.recording import Recording, against_itself
from pytest_gotrace.schedule import plan_of
from pytest_gotrace.sights import doubts, examine
from pytest_gotrace.stats import PAIRS_TO_PASS
from pytest_gotrace.verdict import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What to look at, where, and what to do about it."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def lint(
    budget: Budget,
    recordings: Sequence[Recording],
    today: date,
    metrics: tuple[Metric, ...] | None = None,
) -> tuple[Finding, ...]:
    """Everything that was found, in the order of the file.

    Raises `RecordingError` where a recording has too few pairs to know any noise.
    """
    found = [*_expired(budget, today), *_toothless(budget)]
    for recording in recordings:
        found += _recorded(budget, recording, metrics or built_in_metrics())
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.line))


def _expired(budget: Budget, today: date) -> Iterator[Finding]:
    for waiver in budget.expired_waivers(today):
        what = f"the waiver for {waiver.benchmark_glob} {waiver.metric_glob} ended on {waiver.until}"
        yield Finding(
            path=waiver.path,
            line=waiver.line,
            message=f"{what} and no longer counts; remove it, or agree on a new day",
        )


def _toothless(budget: Budget) -> Iterator[Finding]:
    """Nothing can fail: every rule only warns, or is off."""
    for text in budget.advice():
        remedy = "delete the file, or give a rule that matters the level fail"
        yield Finding(path=budget.path, line=budget.rules[0].line, message=f"{text}; {remedy}")


def _recorded(budget: Budget, recording: Recording, metrics: tuple[Metric, ...]) -> Iterator[Finding]:
    pairs = against_itself(recording)
    longest = 1 + max((run.round for run in pairs.runs), default=-1)
    if longest < PAIRS_TO_PASS:
        raise RecordingError(
            f"a recording of {longest} pairs says nothing about noise; expected at least {PAIRS_TO_PASS}: "
            "record with --gotrace-aa --gotrace-record=FILE.jsonl"
        )
    recorded = {(run.benchmark, run.traced) for run in pairs.runs}
    questions = [
        question
        for question in ask(budget, _module(budget, pairs))
        if isinstance(question.rule, Rule)
        and (question.benchmark.id, find(question.rule.key.metric, metrics).traced) in recorded
    ]
    facts = Facts(recording=pairs, has_base=True, metrics=metrics)
    answered = [(question, answer) for question in questions for answer in answers(question, facts)]
    cases = [answer for _, answer in answered if isinstance(answer, Case)]
    plan, compare = plan_of([budget.defaults]), Customs(metrics=metrics).compare
    proposals = {_place(p.rule): p for p in propose(cases, plan, compare)}
    for rule, reason in doubts(sight for sight in examine(answered, plan, compare) if not sight.mild):
        yield Finding(
            path=rule.path,
            line=rule.line,
            message=f"{rule.text} {reason}{_remedy(proposals.get(_place(rule)))}",
        )


def _place(rule: Rule) -> tuple[Path, int, str]:
    return rule.path, rule.line, str(rule.key)


def _remedy(proposal: Proposal | None) -> str:
    return f"; write {proposal.limit}" if proposal and proposal.changed else ""


def _module(budget: Budget, recording: Recording) -> Module:
    """The recorded benchmarks as those of the module that the budget lies in."""
    directory = _directory(budget.path)
    below = f"{directory}/" if directory else ""
    there = Status(presence="found")
    benchmarks = (
        Benchmark(
            module=directory,
            package="",
            name=name.removeprefix(below),
            import_path="",
            status={"base": there, "head": there},
            executables={},
        )
        for name in recording.benchmarks("head")
        if name.startswith(below)
    )
    return Module(directory=directory, benchmarks=tuple(benchmarks))


def _directory(path: Path) -> str:
    """The module's directory in its repository, as recordings name it; "" where there is no repository."""
    module = path.resolve().parent
    root = next((parent for parent in (module, *module.parents) if (parent / ".git").exists()), module)
    return "" if root == module else module.relative_to(root).as_posix()
