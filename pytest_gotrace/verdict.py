"""What is asked, and what is answered: one rule, one benchmark, one outcome, one reason.

A `Question` is what a line of the budget asks about one benchmark; it becomes one pytest item. Its answers are
`Verdict`s: one for each series that the rule's metric names (a rule on `region[*]` has many). `judge` finds them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from pytest_gotrace.budget import Budget, Requirement, Rule, Waiver
from pytest_gotrace.metrics import Key, Metric
from pytest_gotrace.noisememory import NoiseMemory
from pytest_gotrace.prepare import Benchmark, Failure
from pytest_gotrace.recording import Recording, Run, Side
from pytest_gotrace.report import CALM, PROBLEMS
from pytest_gotrace.stats import Comparison


class Outcome(str, Enum):
    """What can be said of one rule on one benchmark."""

    OVER = "over"
    FAILED = "failed"
    MISSING = "missing"
    INCONCLUSIVE = "inconclusive"
    NEW = "new"
    WITHIN = "within"
    IDENTICAL = "identical"

    @property
    def calm(self) -> bool:
        """Whether nobody has to read it."""
        return self.value in CALM


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
        bad = self.outcome.value in PROBLEMS
        strict = self.question.budget.defaults.on_inconclusive == "fail"
        bad |= strict and self.outcome is Outcome.INCONCLUSIVE
        return bad and self.level == "fail" and self.waiver is None

    @property
    def gravity(self) -> tuple[bool, int]:
        """What blocks comes first, then the worse outcome."""
        return not self.blocks, list(Outcome).index(self.outcome)

    @property
    def level(self) -> str:
        """The question's; an inconclusive one only warns where no number of pairs could have shown the budget kept."""
        hopeless = self.comparison is not None and self.comparison.underpowered
        return "warn" if hopeless and self.outcome is Outcome.INCONCLUSIVE else self.question.level


def tally(verdicts: Iterable[Verdict]) -> str:
    """`3 within, 1 over, 2 open`: how far a judgement is; open is what more pairs could still change."""
    counts = Counter(verdict.outcome.value if verdict.settled else "open" for verdict in verdicts)
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that was found out: runs, and by id the benchmarks that failed while they were measured."""

    recording: Recording
    has_base: bool
    metrics: tuple[Metric, ...]
    failures: Mapping[str, Failure] = field(default_factory=dict)
    foreign: bool = False  # the base was recorded on another machine
    memory: NoiseMemory = field(default_factory=NoiseMemory)

    def runs(self, side: Side, benchmark: Benchmark, *, traced: bool) -> tuple[Run, ...]:
        return tuple(run for run in self.recording.of(side, benchmark.id, traced=traced) if run.round >= 0)
