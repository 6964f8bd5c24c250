"""What the decision procedure promises, one chapter for each, on simulated pull requests.

A chapter yields promises: what was simulated, what is demanded, what was got, and its standard error where chance
plays a part. T1 to T13 are numbered as in the study that the procedure was chosen by; the last chapter shows where
promises end.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np

from benchmarks import events, noise
from benchmarks.noise import Floats
from benchmarks.pull_requests import (
    BUDGETS,
    CVS,
    NS_PER_OP,
    P99,
    SEQUENTIAL,
    Draws,
    decide,
    family,
    fingerprint,
    one,
    over,
    repeat,
    sides,
    unequal,
)
from pytest_gotrace.stats import Cell, Plan

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One line of the table: `got` has to lie between `least` and `most`."""

    what: str
    got: float
    least: float = -inf
    most: float = inf
    error: float = 0.0
    unit: str = " %"

    def kept(self, errors: float = 0.0) -> bool:
        """Whether it holds; a short run may miss it by some standard errors."""
        slack = errors * self.error
        return self.least - slack <= self.got <= self.most + slack

    @property
    def demanded(self) -> str:
        """The demand as text: `at most 7 %`."""
        if (self.least, self.most) == (-inf, inf):
            return "nothing"
        if self.least == -inf:
            return f"at most {self.most:g}{self.unit}"
        if self.most == inf:
            return f"at least {self.least:g}{self.unit}"
        return f"{self.least:g} to {self.most:g}{self.unit}"


def share(what: str, outcomes: Floats, *, least: float = -inf, most: float = inf) -> Promise:
    """A promise on a share of pull requests, in percent."""
    p, n = float(outcomes.mean()), len(outcomes)
    error = 100 * float(np.sqrt(max(p * (1 - p), 1 / n) / n))
    return Promise(what=what, got=100 * p, error=error, least=least, most=most)


def mean_pairs(what: str, pairs: Floats, most: float) -> Promise:
    """A promise on the mean number of pairs until the decision."""
    error = float(pairs.std() / np.sqrt(len(pairs)))
    return Promise(what=what, got=float(pairs.mean()), error=error, most=most, unit=" pairs")


def t1(draws: Draws) -> Iterator[Promise]:
    """All 20 cells exactly at their budgets: how often any of them fails"""
    budgets = np.full(20, 0.05)
    plans = {f"{n} pairs": Plan(looks=(n,)) for n in (6, 10, 20)}
    plans |= {"sequential": SEQUENTIAL, "10 pairs, method exact": Plan(looks=(10,), method="exact")}
    every = []
    for number, (name, kind) in enumerate(noise.ALL.items()):
        for plan_name, plan in plans.items():
            failed = repeat(draws, (1, number), kind, None, budgets, budgets, plan).failed
            every.append(failed)
            yield share(f"{name} noise, {plan_name}", failed, most=7)
    yield share("mean of all above", np.concatenate(every), most=5)


def t2(draws: Draws) -> Iterator[Promise]:
    """No change, budgets of 1.5 times the noise and more: false alarms"""
    for number, kind in enumerate((noise.drift, noise.ugly)):
        found = repeat(draws, (2, number), kind, CVS, BUDGETS, np.zeros(20))
        yield share(f"{kind.__name__} noise: FAIL", found.failed, most=0.5)


def t3(draws: Draws) -> Iterator[Promise]:
    """One of 20 cells exactly at its budget: how often the pull request passes"""
    for number, kind in enumerate((noise.drift, noise.ugly)):
        found = repeat(draws, (3, number), kind, CVS, BUDGETS, one(NS_PER_OP, BUDGETS))
        yield share(f"{kind.__name__} noise: PASS", found.passed, most=5)


def t4(draws: Draws) -> Iterator[Promise]:
    """A single cell, exactly at its budget, without others: how often it passes"""
    at = np.array([0.05])
    for number, (name, kind) in enumerate(noise.ALL.items()):
        yield share(f"{name} noise: PASS", repeat(draws, (4, number), kind, None, at, at).passed, most=6.5)


def t5(draws: Draws) -> Iterator[Promise]:
    """No change: how often everything is shown to be within its budget by 20 pairs"""
    for number, kind in enumerate((noise.drift, noise.ugly)):
        found = repeat(draws, (5, number), kind, CVS, BUDGETS, np.zeros(20))
        yield share(f"{kind.__name__} noise: PASS", found.passed, least=80)


def t6(draws: Draws) -> Iterator[Promise]:
    """A slower ns/op (noise 2 %, budget 5 %) among 20 cells"""
    for change, power, pairs in ((0.08, 68, 17.5), (0.10, 93, 13.5), (0.15, 99, 8.5), (0.25, 100, 6.5)):
        found = repeat(draws, (6,), noise.drift, CVS, BUDGETS, one(NS_PER_OP, change))
        yield share(f"ns/op {change:+.0%}: FAIL", found.failed, least=power)
        yield mean_pairs(f"ns/op {change:+.0%}: pairs until decided", found.pairs, most=pairs)
        yield share(f"ns/op {change:+.0%}: an innocent cell FAILs", found.others_failed, most=5)


def t7(draws: Draws) -> Iterator[Promise]:
    """A slower p99 (noise 12 %, budget 25 %) among 20 cells"""
    for factor, power, pairs in ((1.5, 93, 12.5), (2.0, 99, 7)):
        found = repeat(draws, (7,), noise.drift, CVS, BUDGETS, one(P99, factor - 1))
        yield share(f"p99 ×{factor:g}: FAIL", found.failed, least=power)
        yield mean_pairs(f"p99 ×{factor:g}: pairs until decided", found.pairs, most=pairs)


def t8(draws: Draws) -> Iterator[Promise]:
    """A budget of 0 and a fixed number of pairs: +10 % at 3 % noise, among cells of 1 to 8 %"""
    for pairs, power in ((5, 57), (6, 74), (8, 88), (10, 95)):
        rng, hits = draws.rng(8, pairs), []
        for _ in range(draws.times):
            cv = np.concatenate([[0.03], unequal(rng, 19)])
            base, head = sides(rng, noise.drift, cv, one(0, 0.10), pairs)
            found, _ = decide(family(base, head, np.zeros(20)), Plan(looks=(pairs,)))
            hits.append(found[0].decision == "over")
        yield share(f"{pairs} pairs: FAIL", np.array(hits, dtype=np.float64), least=power - 8)


def t9(draws: Draws) -> Iterator[Promise]:
    """How often the 95 % interval of the change holds the true change of +10 %"""
    for number, (name, kind) in enumerate(noise.ALL.items()):
        for pairs in (6, 10, 20):
            rng, held = draws.rng(9, number, pairs), []
            for _ in range(draws.times):
                base, head = sides(rng, kind, unequal(rng, 20), np.full(20, 0.1), pairs)
                found, _ = decide(family(base, head, np.full(20, 0.05)), Plan(looks=(pairs,)))
                held.append(np.mean([c.change.low <= 0.1 <= c.change.high for c in found if c.change]))
            error = 100 * float(max(np.std(held), 1 / len(held)) / np.sqrt(len(held)))
            got = 100 * float(np.mean(held))
            yield Promise(what=f"{name} noise, {pairs} pairs", got=got, error=error, least=92.5, most=99)


def t10(draws: Draws) -> Iterator[Promise]:
    """A neighbour that hits every tenth pair by 30 % hides no +10 % (noise 1.25 %, budget 5 %)"""
    for pairs, power in ((10, 80), (20, 95)):
        cv, budgets = np.full(20, 0.0125), np.full(20, 0.05)
        found = repeat(draws, (10,), noise.rare_neighbour, cv, budgets, one(0, 0.10), Plan(looks=(pairs,)))
        yield share(f"{pairs} pairs: FAIL", found.failed, least=power)


def t11(draws: Draws) -> Iterator[Promise]:
    """Eight counts exactly at their budgets of max(25 %, 1 event) and twelve other cells at theirs"""
    plans = {f"{n} pairs": Plan(looks=(n,)) for n in (6, 10, 20)} | {"sequential": SEQUENTIAL}
    for number, (name, plan) in enumerate(plans.items()):
        rng = draws.rng(11, number)
        failed = [over(decide(_counts(rng, plan.looks[-1]), plan)[0]).any() for _ in range(draws.times)]
        yield share(f"{name}: FAIL", np.array(failed, dtype=np.float64), most=7)


def _counts(rng: np.random.Generator, pairs: int) -> list[Cell]:
    means = np.array([3.0, 3.0, 6.0, 10.0, 20.0, 40.0, 40.0, 100.0])
    at_budget = means + np.maximum(0.25 * means, 1)
    runs = [rng.poisson(m[:, None], size=(len(means), pairs)).astype(np.float64) for m in (means, at_budget)]
    counts = [Cell(base=b, head=h, relative=0.25, absolute=1.0) for b, h in zip(*runs, strict=True)]
    budgets = np.full(12, 0.05)
    return counts + family(*sides(rng, noise.drift, np.full(12, 0.03), budgets, pairs), budgets)


#: Change, the metric it must be seen in (as a number of `events.METRICS`), and the share that must be seen.
END_TO_END = {
    "no change": (events.Change(), None, 0),
    "tail only, p99 ×2": (events.Change(tail=2.0), 2, 88),
    "waits ×1.5": (events.Change(waiting=1.5), 3, 94),
    "6 collections become 18": (events.Change(collections=3.0), 5, 98),
}


def t12(draws: Draws) -> Iterator[Promise]:
    """From single events to verdicts: four benchmarks of six metrics, a change in one metric of the first"""
    for number, (name, (change, metric, power)) in enumerate(END_TO_END.items()):
        rng = draws.rng(12, number)
        found: Floats = np.array([_end_to_end(rng, change) for _ in range(draws.times)])
        if metric is not None:
            yield share(f"{name}: FAIL", np.asarray(found[:, metric]), least=power)
        innocent = found if metric is None else found[:, len(events.METRICS) :]
        stopped = np.asarray(innocent.max(axis=1), dtype=np.float64)
        yield share(f"{name}: an innocent benchmark FAILs", stopped, most=0.5)


def _end_to_end(rng: np.random.Generator, change: events.Change) -> Floats:
    request = events.pull_request(rng, change, SEQUENTIAL.looks[-1])
    return over(decide(request.cells(), SEQUENTIAL)[0]).astype(np.float64)


def t13(draws: Draws) -> Iterator[Promise]:
    """The same input and seed: byte-identical verdicts in every process"""
    program = f"from benchmarks.pull_requests import fingerprint; print(fingerprint({draws.seed}))"
    found = {fingerprint(draws.seed)}
    for number in range(1, 3):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(number)}
        env |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(number))
        command = [sys.executable, "-c", program]
        found.add(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.strip())
    what = "processes with other hash seeds and numbers of threads: answers that differ"
    yield Promise(what=what, got=len(found) - 1, most=0, unit="")


def limits(draws: Draws) -> Iterator[Promise]:
    """Not promised: only the head's noise is lopsided, so that its mean is at the budget and most runs are not"""
    budgets = np.full(20, 0.05)
    at = budgets[:1]
    for number, kind in enumerate((noise.rarely_faster, noise.rarely_slower)):
        name = kind.__name__.replace("_", " ")
        found = repeat(draws, (14, number), kind, None, budgets, budgets)
        yield share(f"head {name}, 20 cells exactly at budget: FAIL", found.failed)
        yield share(
            f"head {name}, one cell exactly at budget: PASS",
            repeat(draws, (15, number), kind, None, at, at).passed,
        )


#: Each chapter and how many pull requests a line of it stands for.
CHAPTERS: dict[str, tuple[Callable[[Draws], Iterator[Promise]], int]] = {
    "T1": (t1, 1000),
    "T2": (t2, 1000),
    "T3": (t3, 1000),
    "T4": (t4, 2000),
    "T5": (t5, 500),
    "T6": (t6, 500),
    "T7": (t7, 500),
    "T8": (t8, 1000),
    "T9": (t9, 200),
    "T10": (t10, 1000),
    "T11": (t11, 1000),
    "T12": (t12, 400),
    "T13": (t13, 1),
    "Limits": (limits, 500),
}
