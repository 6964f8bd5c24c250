"""From questions to runs: at how many pairs to look, and what to run of each benchmark for how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_gotrace.budget import Budget, Defaults, Requirement, Rule
from pytest_gotrace.errors import UsageError
from pytest_gotrace.interference import SHARE
from pytest_gotrace.measure import Needs, Reading, Target, calibrate, pairs
from pytest_gotrace.metrics import QUANTILES, find
from pytest_gotrace.options import Customs, Options
from pytest_gotrace.prepare import Bench, Benchmark, Failure
from pytest_gotrace.recording import SIDES, Recording, Run, Side
from pytest_gotrace.sides import Recorded
from pytest_gotrace.stats import Plan, events_needed
from pytest_gotrace.units import format_duration
from pytest_gotrace.verdict import Question

#: Numbers of pairs after which may be decided (research: spending in proportion, four looks).
LOOKS = (6, 10, 14, 20)
#: The same for sign flips: of six pairs the least p-value is above what the first look may spend.
EXACT_LOOKS = (7, 10, 14, 20)
#: Room above the events that a quantile needs, so that a run with a few less still counts.
EVENTS_MARGIN = 1.3
#: A trace may grow to so many MiB where no budget says otherwise.
_TRACE_MB = 64


def plan_of(
    defaults: Sequence[Defaults], seed: int = 0, *, pairs: int | None = None, at_most: int | None = None
) -> Plan:
    """Our looks as far as they go, and one at the most pairs that are allowed; exact if any of the budgets says so.

    `pairs` is what the command line says, and holds over the budgets; `at_most` is how many there can be.
    """
    asked = max((d.max_pairs for d in defaults), default=LOOKS[-1]) if pairs is None else pairs
    most = asked if at_most is None else min(asked, at_most)
    exact = any(d.method == "exact" for d in defaults)
    looks = EXACT_LOOKS if exact else LOOKS
    return Plan(
        looks=(*(look for look in looks if look < most), most),
        seed=seed,
        method="exact" if exact else "moderated",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What decides about runs besides the questions.

    `recorded` is there if the base is a recording, `stored` if its test goes on.
    """

    bench: Bench
    options: Options
    customs: Customs
    recorded: Recorded | None = None
    stored: Recording | None = None

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that can be run here."""
        return tuple(side for side in SIDES if side in self.bench.checkouts)

    def plan(self, budgets: Iterable[Budget], seed: int) -> Plan:
        """The plan of everything that these budgets ask, which is one family."""
        defaults = [budget.defaults for budget in budgets]
        most = self.options.pairs
        if most is not None and most < 1:
            raise UsageError(f"--gotrace-pairs={most}: at least one pair is needed to measure anything")
        return plan_of(defaults, seed, pairs=most, at_most=self.recorded.pairs if self.recorded else None)

    def reading(self, questions: Iterable[Question] = ()) -> Reading:
        """How traces are read, with as much room as any of the questions allows."""
        return Reading(
            metrics=self.customs.metrics,
            rename=self.customs.rename,
            adapt=self.customs.adapt,
            max_trace_mb=max((q.budget.defaults.max_trace_mb for q in questions), default=_TRACE_MB),
            run_seconds=self.options.run_seconds,
        )

    def patient(self, questions: Iterable[Question]) -> Bench:
        """The bench, with as long a timeout as the command line or any of the questions allows."""
        longest = max((q.budget.defaults.timeout for q in questions), default=self.bench.timeout)
        return replace(self.bench, timeout=self.options.timeout or longest)

    def targets(self, questions: Sequence[Question]) -> Iterator[Target | Failure]:
        """Calibrate each benchmark that must be run. One that is not on the base runs on the head alone, for caps."""
        asked: dict[str, list[Question]] = {}
        for question in questions:
            asked.setdefault(question.benchmark.id, []).append(question)
        for of_one in asked.values():
            benchmark, needs = of_one[0].benchmark, self._needs(of_one)
            sides = self._sides(benchmark)
            if needs is not None and "head" in sides:
                yield self.target(of_one, benchmark, sides, needs)

    def target(
        self, questions: Sequence[Question], benchmark: Benchmark, sides: Sequence[Side], needs: Needs
    ) -> Target | Failure:
        """Calibrate one benchmark; runs that are paired with recorded ones, or join them, do the same work."""
        self.bench.progress.step(f"calibrating {benchmark.id}")
        target = calibrate(self.patient(questions), self.reading(questions), benchmark, sides, needs)
        earlier = self.recorded.recording if self.recorded else self.stored
        iterations = earlier.iterations(benchmark.id) if earlier else None
        if isinstance(target, Failure) or not iterations:
            return target
        return replace(target, iterations=iterations)

    def run(
        self,
        questions: Iterable[Question],
        targets: Sequence[Target],
        rounds: Sequence[int],
        order: Sequence[tuple[Side, ...]],
    ) -> Iterator[Run | Failure]:
        """`measure.pairs`, as these questions want it."""
        return pairs(self.patient(questions), self.reading(questions), targets, rounds, order)

    def explain(
        self, questions: Sequence[Question], order: Sequence[tuple[Side, ...]], keep: Path
    ) -> Iterator[Run | Failure]:
        """Traced pairs with CPU samples of the one benchmark of these questions, whose traces stay in `keep`."""
        benchmark = questions[0].benchmark
        needs = Needs(modes=(True,), events={})
        target = self.target(questions, benchmark, self._sides(benchmark), needs)
        if isinstance(target, Target):
            reading = replace(self.reading(questions), sampled=True, keep=keep)
            yield from pairs(self.patient(questions), reading, [target], range(len(order)), order)

    def outlook(self, targets: Sequence[Target], plan: Plan, taken: int, others: int) -> str:
        """What will be done, and how long it takes at the most; `others` is the number of benchmarks without runs."""
        done = plan.looks[taken - 1] if taken else 0
        spared = f"; {_count(others, 'benchmark')} without any" if others else ""
        if not targets or taken == len(plan.looks):
            return f"nothing to measure{spared}"
        first, most = (look - done for look in (plan.looks[taken], plan.looks[-1]))
        pairs = f"{most}" if first == most else f"{first} to {most}"
        until_first, until_last = (
            format_duration(seconds_per_pair(targets) * (1 + number * (1 + again)))
            for number, again in ((first, 0.0), (most, SHARE))
        )
        longest = f"{until_last} at the most" + (f", {until_first} at the least" if first != most else "")
        limit = self.options.time_budget
        ends = f", and no look begins after {format_duration(limit)}" if limit else ""
        return f"{_count(len(targets), 'benchmark')} with {pairs} pairs each{spared}: about {longest}{ends}"

    def _sides(self, benchmark: Benchmark) -> tuple[Side, ...]:
        """Where the benchmark can be run."""
        return tuple(side for side in self.sides if benchmark.status[side].presence == "found")

    def _needs(self, questions: Sequence[Question]) -> Needs | None:
        """What must be run for these questions about one benchmark; None if presence alone answers them.

        A recording has everything that any later budget may ask, but for what is the same on both sides: whoever wants
        the numbers of one revision records that alone.
        """
        benchmark, recorded = questions[0].benchmark, self.options.record is not None
        if benchmark.identical or not (recorded or self._numbers_asked(questions)):
            return None
        keys = [q.rule.key if isinstance(q.rule, Rule) else q.rule.key_series for q in questions]
        named = [key for key in keys if key is not None]
        modes = {find(key.metric, self.customs.metrics).traced for key in named}
        if not (modes or recorded):
            return None
        events = {
            key.series: round(events_needed(QUANTILES[key.statistic]) * EVENTS_MARGIN)
            for key in sorted(named, key=lambda key: QUANTILES.get(key.statistic, 0.0))
            if key.statistic in QUANTILES
        }
        return Needs(modes=(False, True) if recorded else tuple(sorted(modes)), events=events)

    def _numbers_asked(self, questions: Sequence[Question]) -> bool:
        """Whether there is a base to compare with, or a question that the head alone answers."""
        compared = questions[0].benchmark.status["base"].presence == "found" and self.options.has_base
        return compared or any(
            question.rule.key_series is not None
            if isinstance(question.rule, Requirement)
            else question.rule.limit.cap is not None
            for question in questions
        )


def seconds_per_pair(targets: Iterable[Target]) -> float:
    """What one pair of every target is expected to take, in all its modes."""
    return sum(target.seconds * len(target.sides) * len(target.modes) for target in targets)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
