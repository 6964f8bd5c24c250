"""One sequential test: runs of both sides, and what is said about them at each look.

    test = SequentialTest(schedule, origin, root=..., changes=..., began=..., resumed=..., deadline=...)
    test.answer(questions, memory)
    test.verdicts, test.failures, test.recording()

At a look everything that was asked is judged as one family; what is settled gets no more runs.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

from pytest_gotrace import continuing, recordingfile, rollcall
from pytest_gotrace.budget import Budget, Rule
from pytest_gotrace.changes import Changes
from pytest_gotrace.errors import GotraceError
from pytest_gotrace.explained import spoken_of, touched, why
from pytest_gotrace.explanation import LineShift
from pytest_gotrace.judge import Decisions, judge
from pytest_gotrace.keeping import Kept, Ranking, keep
from pytest_gotrace.measure import Target, orders
from pytest_gotrace.metrics import TAIL, Key
from pytest_gotrace.noisememory import NoiseMemory
from pytest_gotrace.prepare import Failure, Module
from pytest_gotrace.recording import Planned, Recording, Run, Side
from pytest_gotrace.schedule import Schedule, seconds_per_pair
from pytest_gotrace.stats import Plan
from pytest_gotrace.verdict import Facts, Outcome, Question, Verdict, tally

#: Pairs that explain a benchmark; those that explain a tail, since few of their CPU samples lie in it; and the most
#: benchmarks that are explained.
_EXPLAINING = 6
_EXPLAINING_TAIL = 12
_EXPLAINED = 20

_Result = TypeVar("_Result")


class SequentialTest:
    """`origin` is what every recording of this test begins with: machine, sides, seed, time, and recorded base runs.

    `root` is the repository's, `changes` what differs between the sides, `resumed` the file of a test that goes on; no
    look begins after `deadline`, which like `began` is of `time.monotonic`.
    """

    def __init__(
        self,
        schedule: Schedule,
        origin: Recording,
        *,
        root: Path,
        changes: Changes,
        began: float,
        resumed: Path | None = None,
        deadline: float | None = None,
    ) -> None:
        self.verdicts: dict[Question, tuple[Verdict, ...]] = {}
        self.failures: dict[str, Failure] = {}
        self.out_of_time = False
        self.kept: tuple[Kept, ...] = ()
        self.doubts: tuple[str, ...] = ()
        self._schedule, self._origin, self._root, self._changes = schedule, origin, root, changes
        self._began, self._resumed, self._deadline = began, resumed, deadline
        self._options, self._customs = schedule.options, schedule.customs
        self._progress = schedule.bench.progress
        self._runs: list[Run] = [*schedule.stored.runs] if schedule.stored else []
        self._explaining: list[Run] = []
        self._memory = NoiseMemory()
        self._plan: Planned | None = None
        self._budgets: dict[Path, Budget] = {}

    def answer(
        self,
        questions: Sequence[Question],
        memory: NoiseMemory,
        modules: Sequence[Module] = (),
        budgets: Sequence[Budget] = (),
    ) -> None:
        """Measure what has to be measured, look by look, until each question has its verdict.

        Benchmarks whose questions are all settled get no more runs. Nothing is judged that was not asked. `modules` is
        everything that was found, for whoever judges the recording elsewhere, and `budgets` are those that ask others.
        """
        self.verdicts, self._memory = dict.fromkeys(questions, ()), memory
        self._budgets = {budget.path: budget for budget in (*budgets, *(q.budget for q in questions))}
        plan = self.plan()
        order = orders(plan.seed, plan.looks[-1], self._schedule.sides)
        taken, decisions, targets = self._begin(plan)
        warming_up: tuple[int, ...] = (-1,)
        for look in range(taken, len(plan.looks)):
            begun = plan.looks[look - 1] if look else 0
            self._measure(targets, (*warming_up, *range(begun, plan.looks[look])), order)
            warming_up = ()
            decisions = self._judge(look, plan, decisions)
            targets = self._unsettled(targets)
            if not targets or self._late():
                break
        self._explain(order)
        self._record(modules)

    def plan(self) -> Plan:
        """At how many pairs is looked, by what was asked."""
        return self._schedule.plan(self._budgets.values(), self._origin.seed)

    def facts(self, pairs: int | None = None) -> Facts:
        """What is judged by, of all runs so far or of so many pairs."""
        recorded = self._schedule.recorded
        return Facts(
            recording=self.recording(pairs),
            has_base=self._options.has_base,
            metrics=self._customs.metrics,
            failures=self.failures,
            foreign=recorded is not None and bool(recorded.foreign),
            memory=self._memory,
        )

    def recording(self, pairs: int | None = None) -> Recording:
        """Every run so far of both sides, or those of so many pairs; warm-ups left out."""
        runs = (run for run in self._runs if run.round >= 0 and (pairs is None or run.round < pairs))
        every = (*self._origin.runs, *runs)
        return replace(self._origin, runs=every, explaining=tuple(self._explaining), plan=self._plan)

    def _begin(self, plan: Plan) -> tuple[int, Decisions, list[Target]]:
        """Judge what was stored at the looks that were taken, and say what has to be run.

        Returns the number of those looks, what was decided at them, and the targets.
        """
        questions = tuple(self.verdicts)
        family = continuing.family(questions, self._root, self._memory)
        self._plan = Planned(
            looks=plan.looks,
            taken=0,
            family=family,
            budgets=continuing.digests(self._budgets, self._root),
            recorded=self._schedule.recorded is not None,
            shard=str(self._options.shard or ""),
        )
        taken = continuing.looks_taken(self._schedule.stored, self._plan, self._resumed)
        decisions: Decisions = {}
        for look in range(taken):
            decisions = self._judge(look, plan, decisions)
        finished = taken == len(plan.looks)
        targets = [] if finished else list(self._good(self._schedule.targets(questions)))
        if taken:
            targets = self._unsettled(targets)
        others = len({question.benchmark.id for question in questions}) - len(targets)
        self._progress.say(self._schedule.outlook(targets, plan, taken, others))
        return taken, decisions, targets

    def _good(self, results: Iterable[_Result | Failure]) -> Iterator[_Result]:
        """What went well; the rest is remembered."""
        for result in results:
            if isinstance(result, Failure):
                self.failures[result.benchmark] = result
            else:
                yield result

    def _measure(
        self, targets: Sequence[Target], rounds: Sequence[int], order: Sequence[tuple[Side, ...]]
    ) -> None:
        expected, began = seconds_per_pair(targets), time.monotonic()
        a_pair = sum(len(target.sides) * len(target.modes) for target in targets)
        results = self._schedule.run(self.verdicts, targets, rounds, order)
        for number, run in enumerate(self._good(results), 1):
            self._runs.append(run)
            done = run.round + 1
            pace = (time.monotonic() - began) / number * a_pair  # reading a large trace takes time, too
            self._progress.round(done, len(order), run.benchmark, max(expected, pace) * (len(order) - done))

    def _judge(self, look: int, plan: Plan, earlier: Decisions) -> Decisions:
        questions = tuple(self.verdicts)
        found, decisions = judge(
            questions,
            self.facts(plan.looks[look]),
            look=look,
            plan=plan,
            compare=self._customs.compare,
            earlier=earlier,
            today=date.today(),
        )
        for question, verdicts in zip(questions, found, strict=True):
            self.verdicts[question] = tuple(map(self._customs.verdict, verdicts))
        if self._plan:
            self._plan = replace(self._plan, taken=look + 1)
        self._progress.judged(tally(verdict for of_one in self.verdicts.values() for verdict in of_one))
        return decisions

    def _unsettled(self, targets: Sequence[Target]) -> list[Target]:
        """What needs more runs; a recording and A/A get all of them: nobody knows what they will be asked."""
        everything = self._options.record is not None or self._options.aa
        undecided = {
            question.benchmark.id
            for question, verdicts in self.verdicts.items()
            if everything or not all(verdict.settled for verdict in verdicts)
        }
        return [target for target in targets if target.benchmark.id in undecided - self.failures.keys()]

    def _late(self) -> bool:
        self.out_of_time = self._deadline is not None and time.monotonic() >= self._deadline
        return self.out_of_time

    def _explain(self, order: Sequence[tuple[Side, ...]]) -> None:
        """Trace once more what is over its budget: nobody believes a verdict without a why.

        These runs have the CPU profile on and are never judged. The first are what blocks.
        """
        asked: dict[str, list[Question]] = {}
        for question in self.verdicts:
            if self._wants_why(question):
                asked.setdefault(question.benchmark.id, []).append(question)
        gravest = sorted(asked.values(), key=lambda questions: min(map(self._calm, questions)))
        try:
            for questions in gravest[:_EXPLAINED]:
                self._explain_one(questions, order)
        except KeyboardInterrupt:
            # all verdicts are there, and whoever does not want to wait wants to see them
            self.doubts += ("interrupted while tracing to say why; the verdicts stand",)

    def _explain_one(self, questions: Sequence[Question], order: Sequence[tuple[Side, ...]]) -> None:
        self._progress.step(f"tracing {questions[0].benchmark.id}, to say why")
        number = _EXPLAINING_TAIL if self._asks_for_tail(questions) else _EXPLAINING
        pairs = [*itertools.islice(itertools.cycle(order), number)]
        with tempfile.TemporaryDirectory(dir=self._schedule.bench.scratch) as directory:
            results = self._schedule.explain(questions, pairs, Path(directory))
            runs = [result for result in results if isinstance(result, Run) and result.round >= 0]
            self._explaining += runs
            self.kept += self._keep(runs, Path(directory), questions)

    def _calm(self, question: Question) -> int:
        """0 for what blocks, 1 for what is over, 2 for the rest."""
        verdicts = self.verdicts[question]
        return 2 - any(v.blocks for v in verdicts) - any(v.outcome is Outcome.OVER for v in verdicts)

    def _wants_why(self, question: Question) -> bool:
        if question.benchmark.id in self.failures or question.benchmark.identical:
            return False
        every = self._options.keep_traces == "all" and self._options.report is not None
        return every or any(verdict.outcome is Outcome.OVER for verdict in self.verdicts[question])

    def _asks_for_tail(self, questions: Sequence[Question]) -> bool:
        return any(key.statistic in TAIL for _, key in self._over(questions))

    def _over(self, questions: Sequence[Question]) -> list[tuple[Verdict, Key]]:
        """What is over its budget, and by which number."""
        verdicts = (verdict for question in questions for verdict in self.verdicts[question])
        return [(v, v.key) for v in verdicts if v.outcome is Outcome.OVER and v.key]

    def _keep(self, runs: Sequence[Run], traces: Path, questions: Sequence[Question]) -> tuple[Kept, ...]:
        """The traces that stay. What cannot be kept is told, and costs no verdict."""
        report = self._options.report
        if report is None or self._options.keep_traces == "none" or not runs:
            return ()
        try:
            return (keep(runs, traces, report, self._ranking(questions), self._line(questions)),)
        except GotraceError as error:
            self.doubts += (f"no trace of {questions[0].benchmark.id} was kept: {error}",)
            return ()

    def _ranking(self, questions: Sequence[Question]) -> Ranking | None:
        """By what is over its budget, by something that is seen in a trace if there is such."""
        for verdict, key in sorted(
            self._over(questions), key=lambda over: (not over[1].statistic, over[0].gravity)
        ):
            rule = verdict.question.rule
            if isinstance(rule, Rule):
                return Ranking(key=key, unit=rule.limit.unit, highest=rule.limit.better == "lower")
        return None

    def _line(self, questions: Sequence[Question]) -> LineShift | None:
        """The line that the why of these questions' benchmark will speak of."""
        benchmark, over = questions[0].benchmark, [key for _, key in self._over(questions)]
        changed = touched(self._changes, benchmark.module)
        return spoken_of(why(benchmark.id, self.recording(), over, changed)) if over else None

    def _record(self, modules: Sequence[Module]) -> None:
        """Keep every run, also where the test came from: what it looked at must not be looked at again."""
        asked = {question.benchmark.id for question in self.verdicts}
        roll = rollcall.call(modules, asked, self.failures)
        earlier = self._schedule.stored.seconds if self._schedule.stored else 0.0
        seconds = round(earlier + time.monotonic() - self._began, 1)
        for path in dict.fromkeys(filter(None, (self._options.record, self._resumed))):
            recordingfile.write(replace(self.recording(), roll=roll, seconds=seconds), path)
