"""A gate whose runs were made elsewhere: it judges shards by the budget, and needs no Go, no git and no checkout.

Where the repository has both sides, lines of the change are marked as they are where it is measured.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path

from pytest_gotrace import rollcall, shards
from pytest_gotrace import untouched as reach
from pytest_gotrace.budget import Budget, load
from pytest_gotrace.continuing import digest
from pytest_gotrace.errors import CheckoutError, RecordingError
from pytest_gotrace.judge import Decisions, judge
from pytest_gotrace.metrics import Metric
from pytest_gotrace.options import Customs, Options
from pytest_gotrace.prepare import Progress
from pytest_gotrace.questions import ask, doubts, refuse_unmatched
from pytest_gotrace.report import PROBLEMS, Report
from pytest_gotrace.reporting import Circumstances, build, place
from pytest_gotrace.schedule import plan_of
from pytest_gotrace.sides import Sides, found_again
from pytest_gotrace.stats import Plan
from pytest_gotrace.verdict import Facts, Outcome, Question, Verdict, tally

_NOWHERE = Sides(measured={}, checkouts={}, changed=())


class ShardGate:
    """To pytest the same as `gate.Gate`: questions, answers, report. Raises `RecordingError` as `shards.read` does."""

    def __init__(self, options: Options, customs: Customs, progress: Progress, cwd: Path) -> None:
        self.progress, self.root = progress, _root(cwd)
        self._customs = customs
        self.left_out = False  # but for what no change reaches: what a shard left out, another has measured
        self._budgets: dict[Path, Budget] = {}
        self._verdicts: dict[Question, tuple[Verdict, ...]] = {}
        paths = shards.matching(options.shards, cwd)
        found = shards.read(paths, expected=options.shards_expected, metrics=customs.metrics)
        self._recording = shards.joined(found)
        self._failures = shards.failures(self._recording.roll)
        self._warnings = [*shards.stopped_early(found)]
        self._notes = [*shards.notes(found)]
        self._planned = shards.whole_plan(found)

    def close(self) -> None:
        """There is nothing to put away."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The catalogue, with what a project added to it."""
        return self._customs.metrics

    def collect(self, path: Path) -> tuple[Question, ...]:
        """What the budget file at `path` asks about the benchmarks on the rolls of the shards.

        Raises `BudgetError` as `Gate.collect` does, and `RecordingError` where it is not what they were measured under.
        """
        path = path.resolve()
        budget = load(path, self._customs.metrics)
        where = place(path, self.root)
        self._refuse_other(path, where)
        directory = Path(where).parent.as_posix()
        module = rollcall.module_of("" if directory == "." else directory, self._recording.roll)
        refuse_unmatched(budget, module, self.root)
        self.left_out |= bool(module.untouched)
        self._notes += reach.notes(module.untouched)
        self._budgets[path] = budget
        self._warnings += doubts(budget, self.root, date.today())
        if budget.defaults.noise_memory:
            self._warnings.append(f"{where}: noise_memory is not used where shards are judged together")
        return tuple(ask(budget, module))

    def _refuse_other(self, path: Path, where: str) -> None:
        measured = self._planned.budgets
        if where not in measured:
            known = ", ".join(sorted(measured)) or "none"
            raise RecordingError(f"no shard was measured under {where}; they were under: {known}")
        if digest(path) != measured[where]:
            raise RecordingError(
                f"{where} is not as it was when the shards were measured: what is judged is decided before anybody "
                "has seen numbers. Use the file of the same commit, or measure again"
            )

    def answer(self, questions: Sequence[Question]) -> None:
        """Judge the whole family at each look that was taken, as if all had been measured in one place."""
        self._verdicts = dict.fromkeys(questions, ())
        self.progress.say(f"nothing to measure: {len(questions)} rules are judged by what was recorded")
        plan = self._plan(questions)
        decisions: Decisions = {}
        for look in range(max(1, self._planned.taken)):
            decisions = self._judge(look, plan, decisions)

    def _judge(self, look: int, plan: Plan, earlier: Decisions) -> Decisions:
        found, decisions = judge(
            tuple(self._verdicts),
            self._facts(plan.looks[look]),
            look=look,
            plan=plan,
            compare=self._customs.compare,
            earlier=earlier,
            today=date.today(),
        )
        for question, verdicts in zip(self._verdicts, found, strict=True):
            self._verdicts[question] = tuple(map(self._customs.verdict, verdicts))
        self.progress.judged(tally(chain.from_iterable(self._verdicts.values())))
        return decisions

    def _plan(self, questions: Sequence[Question]) -> Plan:
        """The looks are those that were planned when the first pair was measured."""
        plan = plan_of([question.budget.defaults for question in questions], self._recording.seed)
        return replace(plan, looks=self._planned.looks)

    def _facts(self, pairs: int) -> Facts:
        runs = tuple(run for run in self._recording.runs if run.round < pairs)
        return Facts(
            recording=replace(self._recording, runs=runs),
            has_base="base" in self._recording.sides,
            metrics=self._customs.metrics,
            failures=self._failures,
        )

    def verdicts(self, question: Question) -> tuple[Verdict, ...]:
        """The answers to a question that was handed to `answer`."""
        return self._verdicts[question]

    def report(self) -> Report:
        """Everything that a reader will see; the environment tells of each machine, the time is that of all of them."""
        with self._sides() as (sides, doubts):
            return build(
                [*chain.from_iterable(self._verdicts.values())],
                Circumstances(
                    recording=self._recording,
                    recorded_base=False,
                    failures=tuple(self._failures.values()),
                    budget_files=tuple(place(path, self.root) for path in self._budgets),
                    root=self.root,
                    looks=self._planned.looks,
                    elapsed=self._recording.seconds,
                    warnings=tuple(dict.fromkeys(self._warnings)),
                    notes=tuple(dict.fromkeys([*self._notes, *doubts])),
                    metrics=self.metrics,
                    changes=sides.changes,
                    head=sides.checkouts.get("head"),
                    strict=any(b.defaults.on_inconclusive == "fail" for b in self._budgets.values()),
                ),
            )

    @contextlib.contextmanager
    def _sides(self) -> Iterator[tuple[Sides, list[str]]]:
        """The sides if they are here and something is to be shown in them, and what is not known without."""
        outcomes = {verdict.outcome.value for verdict in chain.from_iterable(self._verdicts.values())}
        doubts: list[str] = []
        with contextlib.ExitStack() as opened:
            sides = _NOWHERE
            try:
                if not outcomes.isdisjoint(PROBLEMS):  # they have a place in the head's files
                    sides = opened.enter_context(found_again(self.root, self._recording.sides))
            except CheckoutError as error:
                if Outcome.OVER.value in outcomes:
                    doubts.append(f"which lines are in this change is not known: {error}")
            yield sides, doubts


def _root(cwd: Path) -> Path:
    """The top of the repository that budgets are named from, as far as there is one here."""
    here = cwd.resolve()
    return next((above for above in (here, *here.parents) if (above / ".git").exists()), here)
