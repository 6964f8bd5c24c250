"""One gate from beginning to end: both sides, questions, runs, verdicts, report.

    gate = Gate(options, customs, progress, cwd)
    with gate:
        questions = gate.collect(Path("gotrace.yaml"))     # builds, and tries each benchmark once
        gate.answer(questions)                             # measures, and judges at each look
        gate.verdicts(questions[0]), gate.report()

pytest and the command line are only two ways to call this; it knows neither.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from types import TracebackType

from pytest_gotrace import checkout, continuing, gomod, gotest, interference, leavings, recordingfile, survey
from pytest_gotrace import untouched as reach
from pytest_gotrace.aa import Calibration, calibrate
from pytest_gotrace.budget import Budget, load
from pytest_gotrace.interference import Watch
from pytest_gotrace.metrics import Key, Metric
from pytest_gotrace.noisememory import NoiseMemory, remember
from pytest_gotrace.options import Customs, Options
from pytest_gotrace.prepare import Bench, Module, Progress, prepare
from pytest_gotrace.process import on_cpus
from pytest_gotrace.questions import (
    ask,
    doubts,
    module_directory,
    refuse_unmatched,
    wanted,
    with_recorded,
)
from pytest_gotrace.recording import Recording, Run
from pytest_gotrace.report import Report
from pytest_gotrace.reporting import Circumstances, build, place
from pytest_gotrace.schedule import Schedule
from pytest_gotrace.sequential import SequentialTest
from pytest_gotrace.shard import notes as part
from pytest_gotrace.shard import own
from pytest_gotrace.sides import put_in_place, recorded_base
from pytest_gotrace.verdict import Question, Verdict

#: How long a benchmark process may run where neither a budget nor the command line says so, in seconds.
_TIMEOUT = 600.0

_AA = "both sides are one revision (A/A): nothing changed, so whatever is over budget is a false alarm"


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
        self._warnings: list[str] = []
        self._notes: list[str] = []
        self.left_out = False
        """Whether benchmarks were left out on purpose: no change reaches them, or they are another machine's."""
        self._noted: set[str] = set()  # modules whose go.mod was compared
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
        resumed = cwd / options.resume if options.resume else None
        self._repository = checkout.open_repository(cwd)
        try:
            progress.step("reading the repository")
            self._sides = put_in_place(self._repository, options, self._recorded)
            if self._stored and resumed:
                continuing.refuse_other_sides(self._stored, self._sides.measured, resumed)
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
            env=gotest.child_environment(environ, passed=options.env_pass),
            timeout=options.timeout or _TIMEOUT,
            progress=progress,
            watch=Watch(names=watched, around=partial(on_cpus, options.cpus)),
            cpus=options.cpus,
            isolate_cache=options.isolate_cache,
        )
        self._schedule = Schedule(
            bench=bench, options=options, customs=customs, recorded=self._recorded, stored=self._stored
        )
        self._test = SequentialTest(
            self._schedule,
            Recording(
                environment=self._environment,
                sides=self._sides.measured,
                runs=self._recorded.recording.runs if self._recorded else (),
                seed=self._seed,
                when=continuing.when(self._stored),
            ),
            root=self.root,
            changes=self._sides.changes,
            began=self._began,
            resumed=resumed,
            deadline=None if options.time_budget is None else self._began + options.time_budget,
        )
        self._notes += continuing.anew(options, self._sides.measured)
        self._notes += leavings.notes(self._sides.left_out)
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
        asked = tuple(ask(budget, module))
        ours = own(asked, self._options.shard, chain.from_iterable(self._earlier.values()))
        self.left_out |= len(ours) < len(asked)
        return ours

    def _remember(self, budget: Budget) -> None:
        """Read the recordings that the budget names as a memory of noise."""
        pattern = budget.defaults.noise_memory
        files = sorted(budget.path.parent.glob(pattern)) if pattern else []
        if pattern and not files:
            self._warnings.append(f"no file matches noise_memory {pattern}: noise is that of this run alone")
        self._earlier |= {path: self._read(path) for path in files if path not in self._earlier}

    def _read(self, path: Path) -> tuple[Recording, ...]:
        return recordingfile.read_all(path, self._customs.metrics)

    def _module(self, budget: Budget, directory: str) -> Module:
        """The module with every package that this budget or one before it is about."""
        before = self._modules.get(directory, Module(directory=directory))
        bench = replace(self._schedule.bench, timeout=self._options.timeout or budget.defaults.timeout)
        untouched = before.untouched
        if self._options.changed_packages and directory not in self._modules:
            untouched = reach.untouched(bench, directory)
            self._notes += reach.notes(untouched)
            self.left_out |= bool(untouched)
        new = prepare(
            bench,
            directory,
            lambda package: wanted(budget, package) and package not in (*before.packages, *untouched),
        )
        new = replace(new, untouched=untouched)
        if self._options.aa:  # that both sides are the same is the point
            new = replace(
                new, benchmarks=tuple(replace(b, identical=False, by_tokens=False) for b in new.benchmarks)
            )
        module = self._modules[directory] = before.joined(new)
        if "base" in bench.checkouts and directory not in self._noted:
            self._noted.add(directory)
            both = bench.checkouts["base"], bench.checkouts["head"]
            self._notes += gomod.notes(bench.toolchain, *both, directory, bench.env)
        return with_recorded(module, self._recorded.recording) if self._recorded else module

    # 2. runs and verdicts

    def answer(self, questions: Sequence[Question]) -> None:
        """Measure what has to be measured, look by look, until each question has its verdict."""
        self._memory = remember(chain.from_iterable(self._earlier.values()), self._environment)
        if self._memory.foreign:
            self._warnings.append(
                f"{self._memory.foreign} recordings of noise are of another machine and not used"
            )
        self._notes += part(self._options.shard, empty=not questions)
        whole = (
            tuple(self._budgets.values()) if self.left_out else ()
        )  # others ask by them, of what is left out here
        self._test.answer(questions, self._memory, tuple(self._modules.values()), whole)
        if self._test.out_of_time:
            budget = self._options.time_budget
            self._warnings.append(
                f"the time budget of {budget:.0f} s was used up before everything was decided"
            )

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
        test = self._test
        return calibrate(tuple(test.verdicts), test.facts(), test.plan(), self._customs.compare)

    def verdicts(self, question: Question) -> tuple[Verdict, ...]:
        """The answers to a question that was handed to `answer`; none where nothing matched."""
        return self._test.verdicts[question]

    def recording(self) -> Recording:
        """Every run so far of both sides; warm-ups left out."""
        return self._test.recording()

    def report(self) -> Report:
        """Everything that a reader will see."""
        made = self.recording()
        if self._memory.recordings:
            count = self._memory.recordings
            remembered = {"noise memory": f"{count} recording{'' if count == 1 else 's'}"}
            made = replace(made, environment={**made.environment, **remembered})
        return build(
            [*chain.from_iterable(self._test.verdicts.values())],
            Circumstances(
                recording=made,
                recorded_base=self._recorded is not None,
                failures=tuple(self._test.failures.values()),
                budget_files=tuple(place(path, self.root) for path in self._budgets),
                root=self.root,
                looks=self._test.plan().looks,
                elapsed=time.monotonic() - self._began,
                warnings=tuple(dict.fromkeys(self._warnings)),
                notes=tuple(dict.fromkeys((*self._notes, *self._test.doubts))),
                watching=self._schedule.bench.watch.seconds,
                continued=self._stored is not None,
                metrics=self.metrics,
                changes=self._sides.changes,
                head=self._sides.checkouts.get("head"),
                traces=tuple(trace for kept in self._test.kept for trace in kept.traces),
                timelines=tuple(line for kept in self._test.kept for line in kept.timelines),
                strict=any(b.defaults.on_inconclusive == "fail" for b in self._budgets.values()),
            ),
        )


__all__ = ["Customs", "Gate", "Options"]
