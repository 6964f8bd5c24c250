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
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType

import numpy as np

from pytest_gotrace import checkout, gotest, recording
from pytest_gotrace.budget import Budget, Requirement, Rule, load, unmatched, unmatched_message
from pytest_gotrace.distributions import Distribution, built_in_metrics
from pytest_gotrace.errors import BudgetError, RecordingError, UsageError
from pytest_gotrace.gotest import GoCommand
from pytest_gotrace.measure import RUN_SECONDS, Needs, Reading, Target, calibrate, orders, pairs
from pytest_gotrace.metrics import QUANTILES, Key, Metric, find, nearest
from pytest_gotrace.prepare import Bench, Benchmark, Failure, Module, Progress, Status, prepare
from pytest_gotrace.recording import SIDES, Measured, Recording, Run, Side
from pytest_gotrace.report import Report
from pytest_gotrace.reporting import Circumstances, build
from pytest_gotrace.stats import Plan, events_needed
from pytest_gotrace.stats import judge as judge_cells
from pytest_gotrace.verdict import Compare, Decisions, Facts, Outcome, Question, Verdict, judge

#: Numbers of pairs after which may be decided (research: spending in proportion, four looks).
LOOKS = (6, 10, 14, 20)
#: Room above the events that a quantile needs, so that a run with a few less still counts.
_EVENTS_MARGIN = 1.3
#: Traced pairs that explain a regression whose budget only asked for untraced ones.
_EXPLAINING = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a person asked for. `baseline`: None is none, "" the merge-base, else a revision or a recording."""

    baseline: str | None = None
    head: str | None = None
    record: Path | None = None
    allow_foreign: bool = False
    pairs: int | None = None
    seed: int | None = None
    time_budget: float | None = None
    timeout: float | None = None
    run_seconds: float = RUN_SECONDS


def _same(key: Key) -> Key:
    return key


def _unchanged(command: GoCommand) -> GoCommand:
    return command


def _standard(cells: object, look: int, plan: Plan, earlier: object) -> object:
    return judge_cells(cells, look=look, plan=plan, previous=earlier)  # type: ignore[arg-type]  # see Compare


@dataclass(frozen=True, slots=True, kw_only=True)
class Customs:
    """The places where a project may have its own way (`hookspec`); the defaults are ours."""

    metrics: tuple[Metric, ...] = field(default_factory=built_in_metrics)
    rename: Callable[[Key], Key] = _same
    adapt: Callable[[GoCommand], GoCommand] = _unchanged
    compare: Compare = _standard  # type: ignore[assignment]  # the same shape with names of its own
    verdict: Callable[[Verdict], Verdict] = lambda verdict: verdict


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
        self._environ = environ
        self._modules: dict[str, Module] = {}
        self._budgets: dict[Path, Budget] = {}
        self._runs: list[Run] = []
        self._failures: dict[str, Failure] = {}
        self._verdicts: dict[int, tuple[Verdict, ...]] = {}
        self._answered: list[Question] = []
        self._warnings: list[str] = []
        self._seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
        self._toolchain = gotest.find_go(environ)
        self._environment = gotest.environment(self._toolchain, environ)
        self._recorded = self._read_recording()
        self._repository = checkout.open_repository(cwd)
        try:
            self._materialise()
        except BaseException:
            self._repository.close()
            raise

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
    def has_base(self) -> bool:
        return self._options.baseline is not None

    # 1. both sides

    def _read_recording(self) -> Recording | None:
        name = self._options.baseline
        if not name or not name.endswith(".jsonl"):
            return None
        found = recording.read(Path(name), self._customs.metrics)
        unlike = recording.differences(self._environment, found.environment)
        if unlike and not self._options.allow_foreign:
            raise RecordingError(
                f"{name} was recorded on another machine ({'; '.join(unlike)}), and times of two machines cannot be "
                "compared. Record the base here, or add --gotrace-allow-foreign to see the numbers without a verdict."
            )
        if unlike:
            self._warnings.append(
                f"the base was recorded on another machine ({'; '.join(unlike)}): nothing is decided"
            )
        if not found.runs:
            raise RecordingError(f"{name} has no runs in it; record again with --gotrace-record={name}")
        side: Side = "head" if found.benchmarks("head") else "base"
        runs = tuple(replace(run, side="base") for run in found.runs if run.side == side)
        self._warnings.append("the base is a recording: its runs and those of the head did not take turns")
        return replace(found, runs=runs, sides={"base": found.sides[side]})

    def _materialise(self) -> None:
        self.progress.step("reading the repository")
        repository, options = self._repository, self._options
        head = repository.resolve(options.head) if options.head else repository.working_tree()
        revisions: dict[Side, checkout.Revision] = {"head": head}
        if self.has_base and self._recorded is None:
            base = repository.resolve(options.baseline) if options.baseline else repository.default_base()
            revisions["base"] = base
        self._sides: dict[Side, Measured] = {
            side: Measured(name=r.name, sha=r.sha, dirty=r.dirty) for side, r in revisions.items()
        }
        if self._recorded:
            self._sides["base"] = self._recorded.sides["base"]
        checkouts: dict[Side, Path] = {}
        for side in SIDES:
            if side in revisions:
                checkouts[side] = repository.materialise(revisions[side], repository.temporary / side)
        changed = repository.changed_files(revisions["base"], head) if "base" in revisions else ()
        scratch = repository.temporary / "scratch"
        scratch.mkdir()
        self._bench = Bench(
            toolchain=self._toolchain,
            checkouts=checkouts,
            changed=changed,
            scratch=scratch,
            env=gotest.child_environment(self._environ),
            timeout=options.timeout or 600.0,
            progress=self.progress,
        )

    # 2. questions

    def collect(self, path: Path) -> tuple[Question, ...]:
        """What the budget file at `path` asks about the benchmarks of the module it lies beside.

        Raises `BudgetError` where the file is wrong, or a rule is about nothing.
        """
        path = path.resolve()
        budget = load(path, self._customs.metrics)
        directory = self._module_directory(path)
        if directory not in self._modules:
            bench = replace(self._bench, timeout=self._options.timeout or budget.defaults.timeout)
            module = prepare(bench, directory, lambda package: _wanted(budget, package))
            self._modules[directory] = self._with_recorded(module)
        module = self._modules[directory]
        self._budgets[path] = budget
        self._refuse_unmatched(budget, module)
        for waiver in budget.expired_waivers(date.today()):
            self._warnings.append(
                f"{_place(waiver.path, self._repository.root)}:{waiver.line}: the waiver for {waiver.benchmark_glob} "
                f"ended on {waiver.until}; it no longer counts"
            )
        self._warnings += budget.advice()
        return tuple(self._questions(budget, module))

    def _module_directory(self, budget: Path) -> str:
        root = self._repository.root
        if not budget.is_relative_to(root):
            raise BudgetError(
                f"outside the repository {root}; start in the repository that it belongs to", budget
            )
        directory = budget.parent.relative_to(root).as_posix()
        if not (budget.parent / "go.mod").is_file():
            raise BudgetError(
                "no go.mod beside it; a budget lies in the root directory of the module it is for", budget
            )
        return "" if directory == "." else directory

    def _with_recorded(self, module: Module) -> Module:
        """Take the recording's word for which benchmarks are on the base."""
        if self._recorded is None:
            return module
        on_base = set(self._recorded.benchmarks("base"))
        here = {benchmark.id for benchmark in module.benchmarks}
        known = [
            replace(b, status={**b.status, "base": Status(presence="found" if b.id in on_base else "absent")})
            for b in module.benchmarks
        ]
        below = f"{module.directory}/" if module.directory else ""
        gone = (
            _only_recorded(module.directory, id_) for id_ in sorted(on_base - here) if id_.startswith(below)
        )
        return replace(module, benchmarks=(*known, *gone))

    def _refuse_unmatched(self, budget: Budget, module: Module) -> None:
        names = [benchmark.path for benchmark in module.benchmarks]
        if module.failures:
            return  # what a package that does not build has in it is not known
        for rule in unmatched(budget, names):
            raise BudgetError(
                unmatched_message(rule, names), _place(rule.path, self._repository.root), rule.line
            )

    def _questions(self, budget: Budget, module: Module) -> Iterator[Question]:
        for benchmark in module.benchmarks:
            for rule in budget.rules_for(benchmark.path):
                yield Question(benchmark=benchmark, rule=rule, budget=budget)
        for requirement in budget.requirements:
            yield from self._required(budget, requirement, module)
        for failure in module.failures:
            everything = Requirement(benchmark="*", key_series=None, path=budget.path, line=0)
            yield Question(benchmark=_unknown(module, failure), rule=everything, budget=budget)

    def _required(self, budget: Budget, requirement: Requirement, module: Module) -> Iterator[Question]:
        found = [benchmark for benchmark in module.benchmarks if requirement.matches(benchmark.path)]
        for benchmark in found or [_absent(module.directory, requirement.benchmark)]:
            yield Question(benchmark=benchmark, rule=requirement, budget=budget)

    # 3. runs and verdicts

    def answer(self, questions: Sequence[Question]) -> None:
        """Measure what has to be measured, look by look, until each question has its verdict.

        Benchmarks whose questions are all settled get no more runs. Nothing is judged that was not asked.
        """
        self._answered = list(questions)
        plan = self._plan(questions)
        decisions: Decisions = {}
        targets = self._targets(questions)
        order = orders(self._seed, plan.looks[-1], self._measured_sides)
        if targets:
            self._measure(targets, range(-1, 0), order, plan)
        done = 0
        for look, upto in enumerate(plan.looks):
            self._measure(targets, range(done, upto), order, plan)
            done = upto
            decisions = self._judge(questions, look, plan, decisions)
            targets = self._unsettled(targets)
            if not targets or self._out_of_time():
                break
        self._explain(order)
        if self._options.record:
            recording.write(self.recording(), self._options.record)

    @property
    def _measured_sides(self) -> tuple[Side, ...]:
        return tuple(side for side in SIDES if side in self._bench.checkouts)

    def _plan(self, questions: Sequence[Question]) -> Plan:
        most = self._options.pairs or max((q.budget.defaults.max_pairs for q in questions), default=LOOKS[-1])
        if self._recorded:
            most = min(most, 1 + max(run.round for run in self._recorded.runs))
        looks = tuple(look for look in LOOKS if look < most)
        return Plan(looks=(*looks, most), seed=self._seed)

    def _targets(self, questions: Sequence[Question]) -> list[Target]:
        """Calibrate what needs runs. A benchmark that is not on the base runs on the head alone, for caps."""
        asked: dict[str, list[Question]] = {}
        for question in questions:
            asked.setdefault(question.benchmark.id, []).append(question)
        targets = []
        for of_one in asked.values():
            benchmark, needs = of_one[0].benchmark, self._needs(of_one)
            sides = tuple(s for s in self._measured_sides if benchmark.status[s].presence == "found")
            if needs is None or "head" not in sides:
                continue
            self.progress.step(f"calibrating {benchmark.id}")
            target = calibrate(self._bench, self._reading(of_one), benchmark, sides, needs)
            if isinstance(target, Failure):
                self._failures[benchmark.id] = target
            else:
                targets.append(self._as_recorded(target))
        return targets

    def _as_recorded(self, target: Target) -> Target:
        """Runs can only be compared if they do the same work as those of the recording."""
        iterations = self._recorded.iterations(target.benchmark.id) if self._recorded else None
        return replace(target, iterations=iterations) if iterations else target

    def _needs(self, questions: Sequence[Question]) -> Needs | None:
        """What must be run for these questions about one benchmark; None if presence alone answers them."""
        capped = any(isinstance(q.rule, Rule) and q.rule.limit.cap is not None for q in questions)
        required = any(isinstance(q.rule, Requirement) and q.rule.key_series for q in questions)
        benchmark = questions[0].benchmark
        compared = benchmark.status["base"].presence == "found" and self.has_base
        if benchmark.identical or not (compared or capped or required or self._options.record):
            return None
        keys = [q.rule.key if isinstance(q.rule, Rule) else q.rule.key_series for q in questions]
        named = [key for key in keys if key is not None]
        modes = {find(key.metric, self._customs.metrics).traced for key in named}
        if self._options.record:
            modes = {False, True}
        if not modes:
            return None
        events = {
            key.series: round(events_needed(QUANTILES[key.statistic]) * _EVENTS_MARGIN)
            for key in sorted(named, key=lambda key: QUANTILES.get(key.statistic, 0.0))
            if key.statistic in QUANTILES
        }
        return Needs(modes=tuple(sorted(modes)), events=events)

    def _reading(self, questions: Iterable[Question] = ()) -> Reading:
        most = max((question.budget.defaults.max_trace_mb for question in questions), default=64)
        return Reading(
            metrics=self._customs.metrics,
            rename=self._customs.rename,
            adapt=self._customs.adapt,
            max_trace_mb=most,
            run_seconds=self._options.run_seconds,
        )

    def _measure(
        self, targets: Sequence[Target], rounds: range, order: Sequence[tuple[Side, ...]], plan: Plan
    ) -> None:
        for result in pairs(self._bench, self._reading(self._answered), targets, rounds, order):
            if isinstance(result, Failure):
                self._failures[result.benchmark] = result
                continue
            self._runs.append(result)
            left = self._seconds_left(targets, result.round, rounds, plan)
            self.progress.round(result.round + 1, plan.looks[-1], result.benchmark, left)

    def _seconds_left(self, targets: Sequence[Target], number: int, rounds: range, plan: Plan) -> float:
        """Until the next look, and if nothing is decided there until the last one: the longest it can take."""
        per_pair = sum(target.seconds * len(target.sides) * len(target.modes) for target in targets)
        return per_pair * (plan.looks[-1] - number - 1)

    def _judge(self, questions: Sequence[Question], look: int, plan: Plan, earlier: Decisions) -> Decisions:
        facts = Facts(
            recording=self.recording(),
            has_base=self.has_base,
            metrics=self._customs.metrics,
            failures=self._failures,
        )
        found, decisions = judge(
            questions,
            facts,
            look=look,
            plan=plan,
            compare=self._customs.compare,
            earlier=earlier,
            today=date.today(),
        )
        for question, verdicts in zip(questions, found, strict=True):
            self._verdicts[id(question)] = tuple(self._customs.verdict(self._foreign(v)) for v in verdicts)
        return decisions

    def _foreign(self, verdict: Verdict) -> Verdict:
        """Numbers of two machines decide nothing, whatever they are."""
        if not (self._recorded and recording.differences(self._environment, self._recorded.environment)):
            return verdict
        if verdict.comparison is None:
            return verdict
        reason = "the base was recorded on another machine"
        return replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=reason, settled=True)

    def _unsettled(self, targets: Sequence[Target]) -> list[Target]:
        undecided = {
            question.benchmark.id
            for question in self._answered
            for verdict in self._verdicts[id(question)]
            if not verdict.settled
        }
        wanted = undecided | ({target.benchmark.id for target in targets} if self._options.record else set())
        return [target for target in targets if target.benchmark.id in wanted - self._failures.keys()]

    def _out_of_time(self) -> bool:
        budget = self._options.time_budget
        if budget is None or time.monotonic() - self._began < budget:
            return False
        self._warnings.append(f"the time budget of {budget:.0f} s was used up before everything was decided")
        return True

    def _explain(self, order: Sequence[tuple[Side, ...]]) -> None:
        """Trace what regressed without having been traced: nobody believes a verdict without a why."""
        traced = {run.benchmark for run in self._runs if run.traced}
        slower = {
            question.benchmark.id: question.benchmark
            for question in self._answered
            if any(verdict.outcome is Outcome.OVER for verdict in self._verdicts[id(question)])
        }
        untraced = [benchmark for id_, benchmark in slower.items() if id_ not in traced]
        for benchmark in untraced:
            iterations = self.recording().iterations(benchmark.id) or 1
            target = Target(
                benchmark=benchmark,
                sides=self._measured_sides,
                modes=(True,),
                iterations=iterations,
                seconds=0.0,
            )
            self.progress.step(f"tracing {benchmark.id}, to say why")
            results = pairs(self._bench, self._reading(self._answered), [target], range(_EXPLAINING), order)
            self._runs += [result for result in results if isinstance(result, Run)]

    def measure_one(self, directory: Path, name: str, most: int) -> tuple[Run, ...]:
        """Pairs of one benchmark outside any budget, traced and untraced, on the sides it is on.

        `directory` is its package's. Raises `UsageError` if there is no such benchmark, `GoTestError` if it fails.
        """
        module = _module_of(directory, self.root)
        package = directory.relative_to(module).as_posix().removeprefix(".")
        below = module.relative_to(self.root).as_posix().removeprefix(".")
        found = prepare(self._bench, below, lambda candidate: candidate == package)
        for failure in found.failures:
            raise failure.error
        benchmark = next((b for b in found.benchmarks if b.name == name), None)
        if benchmark is None or benchmark.status["head"].presence == "absent":
            names = [b.name for b in found.benchmarks]
            raise UsageError(
                f"{directory} has no benchmark {name!r}{nearest(name, names)}; it has: {', '.join(names)}"
            )
        sides = tuple(side for side in self._measured_sides if benchmark.status[side].presence == "found")
        target = calibrate(
            self._bench, self._reading(), benchmark, sides, Needs(modes=(False, True), events={})
        )
        if isinstance(target, Failure):
            raise target.error
        runs = []
        for result in pairs(
            self._bench, self._reading(), [target], range(-1, most), orders(self._seed, most, sides)
        ):
            if isinstance(result, Failure):
                raise result.error
            runs.append(result)
        return tuple(run for run in runs if run.round >= 0)

    def survey(self, directory: Path, most: int) -> list[tuple[str, Key, float, float]]:
        """Every benchmark of a module `most` times: its path, each key, the mean over the runs and their CV.

        Keys are those a first budget is made of: what `go test` reports, and the totals and quantiles of the trace.
        Raises `GoTestError` when a package or a benchmark fails.
        """
        below = directory.relative_to(self.root).as_posix().removeprefix(".")
        module = prepare(self._bench, below, lambda package: True)
        for failure in module.failures:
            raise failure.error
        found = []
        for benchmark in module.benchmarks:
            if benchmark.status["head"].presence == "found":
                runs = self.measure_one(directory / benchmark.package, benchmark.name, most)
                found += [(benchmark.path, *numbers) for numbers in _surveyed(runs)]
        return found

    # 4. what came out

    def verdicts(self, question: Question) -> tuple[Verdict, ...]:
        """The answers to a question that was handed to `answer`; none where nothing matched."""
        return self._verdicts[id(question)]

    def recording(self) -> Recording:
        """Every run so far of both sides, warm-ups left out."""
        runs = [run for run in self._runs if run.round >= 0]
        base = list(self._recorded.runs) if self._recorded else []
        return Recording(
            environment=self._environment, sides=self._sides, runs=tuple(base + runs), seed=self._seed
        )

    def report(self) -> Report:
        """Everything that a reader will see."""
        verdicts = [verdict for question in self._answered for verdict in self.verdicts(question)]
        return build(
            verdicts,
            Circumstances(
                recording=self.recording(),
                recorded_base=self._recorded is not None,
                failures=tuple(self._all_failures()),
                budget_files=tuple(_place(path, self._repository.root) for path in self._budgets),
                root=self._repository.root,
                looks=self._plan(self._answered).looks,
                elapsed=time.monotonic() - self._began,
                warnings=tuple(dict.fromkeys(self._warnings)),
                strict=any(b.defaults.on_inconclusive == "fail" for b in self._budgets.values()),
            ),
        )

    def _all_failures(self) -> Iterator[Failure]:
        yield from self._failures.values()
        seen = set()
        for question in self._answered:
            for status in question.benchmark.status.values():
                if status.failure and id(status.failure.error) not in seen:
                    seen.add(id(status.failure.error))
                    yield status.failure


def _surveyed(runs: Sequence[Run]) -> Iterator[tuple[Key, float, float]]:
    """Mean and coefficient of variation of the keys a first budget is made of, of one benchmark's runs."""
    keys = {Key(metric=unit) for unit in ("ns/op", "B/op", "allocs/op")}
    for series, distribution in ((s, d) for run in runs for s, d in run.series.items()):
        keys |= {replace(series, statistic=name) for name in _starting_statistics(series, distribution)}
    for key in sorted(keys):
        traced = bool(key.statistic)
        values = np.array([run.number(key) for run in runs if run.traced == traced], dtype=np.float64)
        if len(values) > 1 and not np.isnan(values).any() and values.mean() > 0:
            yield key, float(values.mean()), float(values.std(ddof=1) / values.mean())


def _starting_statistics(series: Key, distribution: Distribution) -> tuple[str, ...]:
    """Regions and tasks by their quantiles, as far as there are enough events; waits by their total per operation."""
    if series.metric in ("region", "task"):
        return tuple(
            name
            for name in ("p50", "p99")
            if distribution.count >= _EVENTS_MARGIN * events_needed(QUANTILES[name])
        )
    return ("total",) if series.metric in ("sched-wait", "sync-block", "net-wait", "syscall") else ()


def _module_of(directory: Path, root: Path) -> Path:
    """The nearest directory upwards that has a go.mod."""
    for candidate in (directory, *directory.parents):
        if (candidate / "go.mod").is_file() and candidate.is_relative_to(root):
            return candidate
    raise UsageError(f"{directory} is in no Go module of {root}: there is no go.mod from there upwards")


def _wanted(budget: Budget, package: str) -> bool:
    """Whether any line of the budget may be about a benchmark of this package: else it need not be built."""
    return any(_package_matches(glob, package) for glob in budget.globs())


def _package_matches(glob: str, package: str) -> bool:
    directory, found, _ = f"/{glob}".rpartition("/Benchmark")
    if not found:
        return True
    return fnmatchcase(f"/{package}" if package else "", directory)


def _absent(module: str, path: str) -> Benchmark:
    package, _, name = path.rpartition("Benchmark")
    nowhere: dict[Side, Status] = {side: Status(presence="absent") for side in SIDES}
    return Benchmark(
        module=module,
        package=package.rstrip("/"),
        name=f"Benchmark{name}",
        import_path="",
        status=nowhere,
        executables={},
    )


def _only_recorded(module: str, id_: str) -> Benchmark:
    gone = _absent(module, id_.removeprefix(f"{module}/") if module else id_)
    return replace(gone, status={**gone.status, "base": Status(presence="found")})


def _unknown(module: Module, failure: Failure) -> Benchmark:
    """Stands for whatever benchmarks a package has that does not build on any side."""
    status: dict[Side, Status] = {side: Status(presence="absent") for side in SIDES}
    status["head"] = Status(presence="failed", detail=failure.error.message, failure=failure)
    package = (
        failure.benchmark.removeprefix(f"{module.directory}/") if module.directory else failure.benchmark
    )
    return Benchmark(
        module=module.directory, package=package, name="", import_path="", status=status, executables={}
    )


def _place(path: Path | str, root: Path) -> str:
    """A path as a reader knows it: relative to the repository."""
    path = Path(path)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


__all__ = ["Customs", "Gate", "Options", "UsageError"]
