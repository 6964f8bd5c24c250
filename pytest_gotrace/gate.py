"""One gate from beginning to end: both sides, questions, runs, verdicts, report.

    gate = Gate(options, customs, progress, cwd)
    with gate:
        questions = gate.collect(Path("gotrace.yaml"))     # builds, and tries each benchmark once
        gate.answer(questions)                             # measures, and judges at each look
        gate.verdicts(questions[0]), gate.report()

pytest and the command line are only two ways to call this; it knows neither.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from pytest_gotrace import checkout, continuing, gomod, gotest, interference, recording, survey
from pytest_gotrace.aa import Calibration, calibrate
from pytest_gotrace.budget import Budget, load
from pytest_gotrace.interference import Watch
from pytest_gotrace.judge import Decisions, judge
from pytest_gotrace.measure import Target, orders
from pytest_gotrace.metrics import Key, Metric
from pytest_gotrace.noisememory import NoiseMemory, remember
from pytest_gotrace.options import Customs, Options
from pytest_gotrace.prepare import Bench, Failure, Module, Progress, prepare
from pytest_gotrace.process import on_cpus
from pytest_gotrace.questions import (
    ask,
    doubts,
    module_directory,
    refuse_unmatched,
    wanted,
    with_recorded,
)
from pytest_gotrace.recording import Planned, Recording, Run, Side
from pytest_gotrace.report import Report
from pytest_gotrace.reporting import Circumstances, build, place
from pytest_gotrace.schedule import Schedule, seconds_per_pair
from pytest_gotrace.sides import put_in_place, recorded_base
from pytest_gotrace.stats import Plan
from pytest_gotrace.verdict import Facts, Outcome, Question, Verdict, tally

#: Traced pairs that explain a regression whose budget only asked for untraced ones.
_EXPLAINING = 6
#: How long a benchmark process may run where neither a budget nor the command line says so, in seconds.
_TIMEOUT = 600.0

_AA = "both sides are one revision (A/A): nothing changed, so whatever is over budget is a false alarm"

_Result = TypeVar("_Result")


class Gate:
    """The state of one run. Use it in a `with` statement: both checkouts live as long as it does."""

    def __init__(
        self,
        options: Options,
        customs: Customs,
        progress: Progress,
        cwd: Path,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.progress = progress
        self._options, self._customs = options, customs
        self._began = time.monotonic()
        self._modules: dict[str, Module] = {}
        self._budgets: dict[Path, Budget] = {}
        self._runs: list[Run] = []
        self._failures: dict[str, Failure] = {}
        self._verdicts: dict[Question, tuple[Verdict, ...]] = {}
        self._warnings: list[str] = []
        self._notes: list[str] = []
        self._noted: set[str] = set()  # modules whose go.mod was compared
        self._resumed = cwd / options.resume if options.resume else None
        self._plan: Planned | None = None
        self._memory = NoiseMemory()
        toolchain = gotest.find_go(environ)
        watched = interference.available()
        self._environment = {
            **gotest.environment(toolchain, environ, options.cpus),
            "watched": ", ".join(watched),
        }
        self._recorded = recorded_base(options, cwd, self._environment, customs.metrics)
        self._earlier = {cwd / path: self._read(cwd / path) for path in options.noise_memory}
        self._stored = continuing.stored_test(options, cwd, self._environment, customs.metrics)
        self._seed = continuing.seed(options, self._stored)
        self._when = continuing.when(self._stored)
        self._repository = checkout.open_repository(cwd)
        try:
            progress.step("reading the repository")
            self._sides = put_in_place(self._repository, options, self._recorded)
            if self._stored and self._resumed:
                continuing.refuse_other_sides(self._stored, self._sides.measured, self._resumed)
                self._runs += self._stored.runs
            scratch = self._repository.temporary / "scratch"
            scratch.mkdir()
        except BaseException:
            self._repository.close()
            raise
        bench = Bench(
            toolchain=toolchain,
            checkouts=self._sides.checkouts,
            changed=self._sides.changed,
            scratch=scratch,
            env=gotest.child_environment(environ),
            timeout=options.timeout or _TIMEOUT,
            progress=progress,
            watch=Watch(names=watched, around=partial(on_cpus, options.cpus)),
            cpus=options.cpus,
        )
        self._schedule = Schedule(
            bench=bench, options=options, customs=customs, recorded=self._recorded, stored=self._stored
        )
        self._notes += continuing.anew(options, self._sides.measured)
        if self._recorded:
            self._warnings += self._recorded.doubts()
        if options.aa:
            self._warnings.append(_AA)

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove both checkouts and everything that was built or traced."""
        self._repository.close()

    @property
    def root(self) -> Path:
        """The top of the repository, which places are told relative to."""
        return self._repository.root

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The catalogue, with what a project added to it."""
        return self._customs.metrics

    # 1. questions

    def collect(self, path: Path) -> tuple[Question, ...]:
        """What the budget file at `path` asks about the benchmarks of the module it lies beside.

        Raises `BudgetError` where the file is wrong, or a rule is about nothing.
        """
        path = path.resolve()
        budget = load(path, self._customs.metrics)
        module = self._module(budget, module_directory(path, self.root))
        refuse_unmatched(budget, module, self.root)
        self._budgets[path] = budget
        self._warnings += doubts(budget, self.root, date.today())
        self._remember(budget)
        return tuple(ask(budget, module))

    def _remember(self, budget: Budget) -> None:
        """Read the recordings that the budget names as a memory of noise."""
        pattern = budget.defaults.noise_memory
        files = sorted(budget.path.parent.glob(pattern)) if pattern else []
        if pattern and not files:
            self._warnings.append(f"no file matches noise_memory {pattern}: noise is that of this run alone")
        self._earlier |= {path: self._read(path) for path in files if path not in self._earlier}

    def _read(self, path: Path) -> tuple[Recording, ...]:
        return recording.read_all(path, self._customs.metrics)

    def _module(self, budget: Budget, directory: str) -> Module:
        """The module with every package that this budget or one before it is about."""
        before = self._modules.get(directory, Module(directory=directory))
        bench = replace(self._schedule.bench, timeout=self._options.timeout or budget.defaults.timeout)
        new = prepare(
            bench, directory, lambda package: wanted(budget, package) and package not in before.packages
        )
        if self._options.aa:  # that both sides are the same is the point
            new = replace(new, benchmarks=tuple(replace(b, identical=False) for b in new.benchmarks))
        module = self._modules[directory] = before.joined(new)
        if "base" in bench.checkouts and directory not in self._noted:
            self._noted.add(directory)
            both = bench.checkouts["base"], bench.checkouts["head"]
            self._notes += gomod.notes(bench.toolchain, *both, directory, bench.env)
        return with_recorded(module, self._recorded.recording) if self._recorded else module

    # 2. runs and verdicts

    def answer(self, questions: Sequence[Question]) -> None:
        """Measure what has to be measured, look by look, until each question has its verdict.

        Benchmarks whose questions are all settled get no more runs. Nothing is judged that was not asked.
        """
        plan = self._schedule.plan(questions, self._seed)
        self._verdicts = dict.fromkeys(questions, ())
        self._memory = remember(itertools.chain.from_iterable(self._earlier.values()), self._environment)
        if self._memory.foreign:
            self._warnings.append(
                f"{self._memory.foreign} recordings of noise are of another machine and not used"
            )
        self._plan = Planned(looks=plan.looks, taken=0, family=continuing.family(questions, self.root))
        taken, decisions, targets = self._begin(plan, self._plan, questions)
        order = orders(self._seed, plan.looks[-1], self._schedule.sides)
        warming_up: tuple[int, ...] = (-1,)
        for look in range(taken, len(plan.looks)):
            begun = plan.looks[look - 1] if look else 0
            self._measure(targets, (*warming_up, *range(begun, plan.looks[look])), order)
            warming_up = ()
            decisions = self._judge(look, plan, decisions)
            targets = self._unsettled(targets)
            if not targets or self._out_of_time():
                break
        self._explain(order)
        self._record()

    def _begin(
        self, plan: Plan, planned: Planned, questions: Sequence[Question]
    ) -> tuple[int, Decisions, list[Target]]:
        """Judge what was stored at the looks that were taken, and say what has to be run.

        Returns the number of those looks, what was decided at them, and the targets.
        """
        decisions: Decisions = {}
        taken = continuing.looks_taken(self._stored, planned, self._resumed)
        for look in range(taken):
            decisions = self._judge(look, plan, decisions)
        finished = taken == len(plan.looks)
        targets = [] if finished else list(self._good(self._schedule.targets(questions)))
        if taken:
            targets = self._unsettled(targets)
        others = len({question.benchmark.id for question in questions}) - len(targets)
        self.progress.say(self._schedule.outlook(targets, plan, taken, others))
        return taken, decisions, targets

    def _record(self) -> None:
        """Keep every run, also where the test came from: what it looked at must not be looked at again."""
        for path in dict.fromkeys(filter(None, (self._options.record, self._resumed))):
            recording.write(self.recording(), path)

    def _good(self, results: Iterable[_Result | Failure]) -> Iterator[_Result]:
        """What went well; the rest is remembered."""
        for result in results:
            if isinstance(result, Failure):
                self._failures[result.benchmark] = result
            else:
                yield result

    def _measure(
        self, targets: Sequence[Target], rounds: Sequence[int], order: Sequence[tuple[Side, ...]]
    ) -> None:
        per_pair = seconds_per_pair(targets)
        results = self._schedule.run(self._verdicts, targets, rounds, order)
        for run in self._good(results):
            self._runs.append(run)
            done = run.round + 1
            self.progress.round(done, len(order), run.benchmark, per_pair * (len(order) - done))

    def _judge(self, look: int, plan: Plan, earlier: Decisions) -> Decisions:
        questions = tuple(self._verdicts)
        found, decisions = judge(
            questions,
            self._facts(plan.looks[look]),
            look=look,
            plan=plan,
            compare=self._customs.compare,
            earlier=earlier,
            today=date.today(),
        )
        for question, verdicts in zip(questions, found, strict=True):
            self._verdicts[question] = tuple(map(self._customs.verdict, verdicts))
        if self._plan:
            self._plan = replace(self._plan, taken=look + 1)
        self.progress.judged(tally(verdict for of_one in self._verdicts.values() for verdict in of_one))
        return decisions

    def _facts(self, pairs: int | None = None) -> Facts:
        return Facts(
            recording=self.recording(pairs),
            has_base=self._options.has_base,
            metrics=self._customs.metrics,
            failures=self._failures,
            foreign=self._recorded is not None and bool(self._recorded.foreign),
            memory=self._memory,
        )

    def _unsettled(self, targets: Sequence[Target]) -> list[Target]:
        """What needs more runs; a recording and A/A get all of them: nobody knows what they will be asked."""
        everything = self._options.record is not None or self._options.aa
        undecided = {
            question.benchmark.id
            for question, verdicts in self._verdicts.items()
            if everything or not all(verdict.settled for verdict in verdicts)
        }
        return [target for target in targets if target.benchmark.id in undecided - self._failures.keys()]

    def _out_of_time(self) -> bool:
        budget = self._options.time_budget
        if budget is None or time.monotonic() - self._began < budget:
            return False
        self._warnings.append(f"the time budget of {budget:.0f} s was used up before everything was decided")
        return True

    def _explain(self, order: Sequence[tuple[Side, ...]]) -> None:
        """Trace what regressed without having been traced: nobody believes a verdict without a why."""
        traced = {run.benchmark for run in self._runs if run.traced}
        slower: dict[str, list[Question]] = {}
        for question, verdicts in self._verdicts.items():
            if question.benchmark.id not in traced and any(v.outcome is Outcome.OVER for v in verdicts):
                slower.setdefault(question.benchmark.id, []).append(question)
        for questions in slower.values():
            self.progress.step(f"tracing {questions[0].benchmark.id}, to say why")
            results = self._schedule.explain(questions, order[:_EXPLAINING])
            self._runs += [result for result in results if isinstance(result, Run)]

    # 3. outside any budget

    def measure_one(self, directory: Path, name: str, most: int) -> tuple[Run, ...]:
        """`survey.measure_one` with the sides of this gate."""
        return survey.measure_one(self._schedule, self.root, directory, name, most, self._seed)

    def survey(self, directory: Path, most: int) -> list[tuple[str, Key, float, float]]:
        """`survey.survey` with the sides of this gate."""
        return survey.survey(self._schedule, self.root, directory, most, self._seed)

    # 4. what came out

    def calibration(self) -> Calibration:
        """What the runs of one revision against itself say about the budgets, after `answer`."""
        self.progress.step("judging what chance would have made of these runs")
        questions = tuple(self._verdicts)
        plan = self._schedule.plan(questions, self._seed)
        return calibrate(questions, self._facts(), plan, self._customs.compare)

    def verdicts(self, question: Question) -> tuple[Verdict, ...]:
        """The answers to a question that was handed to `answer`; none where nothing matched."""
        return self._verdicts[question]

    def recording(self, pairs: int | None = None) -> Recording:
        """Every run so far of both sides, or those of so many pairs; warm-ups left out."""
        base = self._recorded.recording.runs if self._recorded else ()
        runs = (run for run in self._runs if run.round >= 0 and (pairs is None or run.round < pairs))
        return Recording(
            environment=self._environment,
            sides=self._sides.measured,
            runs=(*base, *runs),
            seed=self._seed,
            when=self._when,
            plan=self._plan,
        )

    def report(self) -> Report:
        """Everything that a reader will see."""
        made = self.recording()
        if self._memory.recordings:
            count = self._memory.recordings
            remembered = {"noise memory": f"{count} recording{'' if count == 1 else 's'}"}
            made = replace(made, environment={**made.environment, **remembered})
        return build(
            [verdict for verdicts in self._verdicts.values() for verdict in verdicts],
            Circumstances(
                recording=made,
                recorded_base=self._recorded is not None,
                failures=tuple(self._failures.values()),
                budget_files=tuple(place(path, self.root) for path in self._budgets),
                root=self.root,
                looks=self._schedule.plan(self._verdicts, self._seed).looks,
                elapsed=time.monotonic() - self._began,
                warnings=tuple(dict.fromkeys(self._warnings)),
                notes=tuple(dict.fromkeys(self._notes)),
                watching=self._schedule.bench.watch.seconds,
                continued=self._stored is not None,
                strict=any(b.defaults.on_inconclusive == "fail" for b in self._budgets.values()),
            ),
        )


__all__ = ["Customs", "Gate", "Options"]
