"""What the decision procedure promises, simulated: `python -m benchmarks.simulate [--quick] [T1 T5 ...]`.

Every line shows a promise, what was found, and its standard error where chance plays a part. The exit code is
1 if a promise is missed by more than two standard errors.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks import events, noise
from benchmarks.noise import Floats, Noise
from pytest_gotrace.stats import Cell, Comparison, Plan, judge

SEQUENTIAL = Plan()
#: Run-to-run variation and budget of one benchmark's metrics: ns/op, p50, p99, sched-wait, GC.
METRICS = np.array([(0.02, 0.05), (0.025, 0.05), (0.12, 0.25), (0.08, 0.20), (0.10, 0.25)] * 4)
CVS, BUDGETS = METRICS.T
NS_PER_OP, P99 = 0, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One promise: `got` has to be at most (or with `least` at least) what is demanded."""

    what: str
    demanded: float
    got: float
    error: float = 0.0
    least: bool = False
    unit: str = "%"

    @property
    def kept(self) -> bool:
        """Whether the promise holds, two standard errors allowed."""
        missed_by = self.demanded - self.got if self.least else self.got - self.demanded
        return missed_by <= 2 * self.error


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of many simulated pull requests."""

    failed: Floats
    passed: Floats
    pairs: Floats
    others_failed: Floats = field(repr=False)


def follow(
    rng: np.random.Generator, kind: Noise, cv: Floats, budgets: Floats, changes: Floats, plan: Plan
) -> tuple[list[Comparison], int]:
    """One pull request from its first look to its decision: the last comparisons, and the pairs they took."""
    log_base, log_head = kind(rng, cv, plan.looks[-1])
    base, head = 100 * np.exp(log_base), 100 * np.exp(log_head) * (1 + changes[:, None])
    found: list[Comparison] = []
    for look, pairs in enumerate(plan.looks):
        cells = [
            Cell(base=b[:pairs], head=h[:pairs], relative=r)
            for b, h, r in zip(base, head, budgets, strict=True)
        ]
        found = list(judge(cells, look=look, plan=plan, previous=[c.decision for c in found]))
        decisions = {c.decision for c in found}
        if "over" in decisions or decisions == {"within"}:
            break
    return found, pairs


def repeat(
    times: int,
    seed: int,
    kind: Noise,
    cv: Floats | None,
    budgets: Floats,
    changes: Floats,
    plan: Plan = SEQUENTIAL,
) -> Outcomes:
    """`times` pull requests; without `cv` every one draws its cells' variation between 1 and 8 %."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(times):
        drawn = np.exp(rng.uniform(np.log(0.01), np.log(0.08), size=len(budgets))) if cv is None else cv
        found, pairs = follow(rng, kind, drawn, budgets, changes, plan)
        over = np.array([c.decision == "over" for c in found])
        within = all(c.decision == "within" for c in found)
        rows.append((over.any(), within, pairs, (over & (changes == 0)).any()))
    return Outcomes(*np.array(rows, dtype=float).T)


def share(what: str, demanded: float, outcomes: Floats, *, least: bool = False) -> Line:
    """A promise on a share of pull requests, in percent."""
    p = float(outcomes.mean())
    error = 100 * np.sqrt(max(p * (1 - p), 1 / len(outcomes)) / len(outcomes))
    return Line(what=what, demanded=demanded, got=100 * p, error=float(error), least=least)


def mean_pairs(what: str, demanded: float, outcomes: Floats) -> Line:
    """A promise on the mean number of pairs."""
    error = float(outcomes.std() / np.sqrt(len(outcomes)))
    return Line(what=what, demanded=demanded, got=float(outcomes.mean()), error=error, unit="pairs")


def t1(times: int) -> Iterator[Line]:
    """Family error with all 20 cells exactly at their budgets."""
    budgets = np.full(20, 0.05)
    plans = {"6 pairs": Plan(looks=(6,)), "10 pairs": Plan(looks=(10,)), "20 pairs": Plan(looks=(20,))}
    plans |= {"sequential": SEQUENTIAL, "10 pairs, exact": Plan(looks=(10,), method="exact")}
    every = []
    for seed, (name, kind) in enumerate(noise.ALL.items()):
        for plan_name, plan in plans.items():
            failed = repeat(times, seed, kind, None, budgets, budgets, plan).failed
            every.append(failed)
            yield share(f"all cells at budget, {name}, {plan_name}: FAIL", 7, failed)
    yield share("all cells at budget, mean over the above: FAIL", 5, np.concatenate(every))


def t2_t5(times: int) -> Iterator[Line]:
    """No change at all, with budgets of 1.5 times the noise and more."""
    for seed, kind in enumerate((noise.drift, noise.ugly)):
        found = repeat(times, seed, kind, CVS, BUDGETS, np.zeros(20))
        yield share(f"T2 no change, {kind.__name__}: FAIL", 0.5, found.failed)
        yield share(f"T5 no change, {kind.__name__}: PASS by 20 pairs", 80, found.passed, least=True)


def t3(times: int) -> Iterator[Line]:
    """One cell exactly at its budget among innocent ones."""
    for seed, kind in enumerate((noise.drift, noise.ugly)):
        changes = np.eye(20)[NS_PER_OP] * BUDGETS
        yield share(
            f"one of 20 cells at budget, {kind.__name__}: PASS",
            5,
            repeat(times, seed, kind, CVS, BUDGETS, changes).passed,
        )


def t4(times: int) -> Iterator[Line]:
    """One cell alone, exactly at its budget."""
    at = np.array([0.05])
    for seed, (name, kind) in enumerate(noise.ALL.items()):
        yield share(
            f"a single cell at budget, {name}: PASS", 6.5, repeat(times, seed, kind, None, at, at).passed
        )


def t6(times: int) -> Iterator[Line]:
    """ns/op with 2 % noise and a budget of 5 %."""
    for change, power, pairs in ((0.08, 68, 17.5), (0.10, 93, 13.5), (0.15, 99, 8.5), (0.25, 100, 6.5)):
        found = repeat(times, 6, noise.drift, CVS, BUDGETS, np.eye(20)[NS_PER_OP] * change)
        yield share(f"ns/op {change:+.0%} (budget 5 %): FAIL", power, found.failed, least=True)
        yield mean_pairs(f"ns/op {change:+.0%}: pairs until decided", pairs, found.pairs)
        yield share(f"ns/op {change:+.0%}: another cell FAILs", 5, found.others_failed)


def t7(times: int) -> Iterator[Line]:
    """p99 with 12 % noise and a budget of 25 %."""
    for factor, power, pairs in ((1.5, 93, 12.5), (2.0, 99, 7)):
        found = repeat(times, 7, noise.drift, CVS, BUDGETS, np.eye(20)[P99] * (factor - 1))
        yield share(f"p99 x{factor} (budget 25 %): FAIL", power, found.failed, least=True)
        yield mean_pairs(f"p99 x{factor}: pairs until decided", pairs, found.pairs)


def t8(times: int) -> Iterator[Line]:
    """A fixed number of pairs and no allowance at all: 3 % noise among 1 to 8 %, budget 0, +10 %."""
    for pairs, power in ((5, 57), (6, 74), (8, 88), (10, 95)):
        rng = np.random.default_rng(pairs)
        hits = []
        for _ in range(times):
            cv = np.exp(rng.uniform(np.log(0.01), np.log(0.08), size=20))
            cv[0] = 0.03
            found, _ = follow(rng, noise.drift, cv, np.zeros(20), np.eye(20)[0] * 0.10, Plan(looks=(pairs,)))
            hits.append(found[0].decision == "over")
        yield share(
            f"budget 0, {pairs} pairs, +10 %: FAIL", power - 8, np.array(hits, dtype=float), least=True
        )


def t9(times: int) -> Iterator[Line]:
    """The 95 % interval of the change holds the true change."""
    for seed, (name, kind) in enumerate(noise.ALL.items()):
        for pairs in (6, 20):
            rng = np.random.default_rng((seed, pairs))
            held = []
            for _ in range(max(times // 5, 20)):
                cv = np.exp(rng.uniform(np.log(0.01), np.log(0.08), size=20))
                found, _ = follow(rng, kind, cv, np.full(20, 0.05), np.full(20, 0.1), Plan(looks=(pairs,)))
                held.append(np.mean([c.change.low <= 0.1 <= c.change.high for c in found if c.change]))
            got, error = 100 * float(np.mean(held)), 100 * float(np.std(held) / np.sqrt(len(held)))
            yield Line(
                what=f"{name}, {pairs} pairs: interval holds", demanded=92.5, got=got, error=error, least=True
            )


def t10(times: int) -> Iterator[Line]:
    """A neighbour that hits every tenth pair by 30 % hides no change; all else varies by 1.25 %."""
    for pairs, power in ((10, 80), (20, 95)):
        cv = np.full(20, 0.0125)
        changes = np.eye(20)[0] * 0.10
        found = repeat(times, 10, noise.rare_neighbour, cv, np.full(20, 0.05), changes, Plan(looks=(pairs,)))
        yield share(
            f"rare neighbour, {pairs} pairs, +10 % (budget 5 %): FAIL", power, found.failed, least=True
        )


def t11(times: int) -> Iterator[Line]:
    """Counts exactly at their budget of max(25 %, 1 event), eight of them beside twelve ordinary cells."""
    means = np.array([3.0, 3.0, 6.0, 10.0, 20.0, 40.0, 40.0, 100.0])
    for looks in ((6,), (10,), (20,), SEQUENTIAL.looks):
        rng, failed = np.random.default_rng(len(looks) + looks[0]), []
        for _ in range(times):
            failed.append(_counts_fail(rng, means, Plan(looks=looks)))
        yield share(f"counts at budget, looks {looks}: FAIL", 7, np.array(failed, dtype=float))


def _counts_fail(rng: np.random.Generator, means: Floats, plan: Plan) -> bool:
    pairs = plan.looks[-1]
    at = means + np.maximum(0.25 * means, 1)
    base, head = (rng.poisson(m[:, None], size=(len(means), pairs)).astype(float) for m in (means, at))
    log_base, log_head = noise.drift(rng, np.full(12, 0.03), pairs)
    sides = zip(np.exp(log_base), 1.05 * np.exp(log_head), strict=True)
    others = [Cell(base=b, head=h, relative=0.05) for b, h in sides]
    counts = [Cell(base=b, head=h, relative=0.25, absolute=1.0) for b, h in zip(base, head, strict=True)]
    found: list[Comparison] = []
    for look, n in enumerate(plan.looks):
        cells = [
            Cell(base=c.base[:n], head=c.head[:n], relative=c.relative, absolute=c.absolute)
            for c in counts + others
            if c.base is not None
        ]
        found = list(judge(cells, look=look, plan=plan, previous=[c.decision for c in found]))
        if any(c.decision == "over" for c in found):
            return True
    return False


def t12(times: int) -> Iterator[Line]:
    """From events to verdicts: four benchmarks of six metrics, a change in one metric of the first."""
    cases = (
        ("no change", events.Change(), None, 0),
        ("tail only, p99 x2", events.Change(tail=2.0), 2, 88),
        ("sched-wait x1.5", events.Change(waiting=1.5), 3, 94),
        ("6 collections become 18", events.Change(collections=3.0), 5, 98),
    )
    for seed, (name, change, metric, power) in enumerate(cases):
        rng, hits, strays = np.random.default_rng((12, seed)), [], []
        for _ in range(times):
            over = _from_events(rng, change)
            hits.append(metric is not None and over[metric])
            strays.append(over[len(events.METRICS) :].any() or (metric is None and over.any()))
        if metric is not None:
            yield share(f"{name}: FAIL", power, np.array(hits, dtype=float), least=True)
        yield share(f"{name}: another benchmark FAILs", 0.5, np.array(strays, dtype=float))


def _from_events(rng: np.random.Generator, change: events.Change) -> NDArray[np.bool_]:
    base, head = events.pull_request(rng, change, SEQUENTIAL.looks[-1])
    found: list[Comparison] = []
    for look, n in enumerate(SEQUENTIAL.looks):
        cells = [
            Cell(base=b[:n], head=h[:n], relative=relative, absolute=floor or None, kind=name)
            for b, h, (name, relative, floor) in zip(
                base, head, events.METRICS * events.BENCHMARKS, strict=True
            )
        ]
        found = list(judge(cells, look=look, plan=SEQUENTIAL, previous=[c.decision for c in found]))
        if any(c.decision == "over" for c in found):
            break
    return np.array([c.decision == "over" for c in found])


def speed(times: int) -> Iterator[Line]:
    """2,000 cells of 20 pairs are judged in less than a second."""
    rng = np.random.default_rng(0)
    base, head = np.exp(0.03 * rng.normal(size=(2, 2000, 20)))
    cells = [Cell(base=b, head=h, relative=0.05) for b, h in zip(base, head, strict=True)]
    for method in ("moderated", "exact"):
        judge(cells[:20], look=3, plan=Plan(method=method))
        begin = time.perf_counter()
        judge(cells, look=3, plan=Plan(method=method))
        got = time.perf_counter() - begin
        yield Line(what=f"2,000 cells x 20 pairs, {method}", demanded=1.0, got=got, unit="s")


CHAPTERS: dict[str, tuple[Callable[[int], Iterator[Line]], int]] = {
    "T1": (t1, 800),
    "T2": (t2_t5, 500),
    "T3": (t3, 500),
    "T4": (t4, 2000),
    "T6": (t6, 500),
    "T7": (t7, 500),
    "T8": (t8, 500),
    "T9": (t9, 500),
    "T10": (t10, 500),
    "T11": (t11, 500),
    "T12": (t12, 150),
    "speed": (speed, 1),
}
QUICKER = 6


def main(arguments: list[str] | None = None) -> int:
    """Run the chapters asked for and print their lines; 0 if all promises were kept, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help=f"some of {', '.join(CHAPTERS)}")
    parser.add_argument("--quick", action="store_true", help=f"a {QUICKER}th of the repetitions")
    options = parser.parse_args(arguments)
    if unknown := set(options.chapters) - set(CHAPTERS):
        parser.error(f"no chapter {', '.join(sorted(unknown))}; there are {', '.join(CHAPTERS)}")
    kept = True
    for name in options.chapters or CHAPTERS:
        chapter, times = CHAPTERS[name]
        print(f"\n{name}  {(chapter.__doc__ or '').splitlines()[0]}", flush=True)
        for line in chapter(max(times // QUICKER, 1) if options.quick else times):
            kept &= line.kept
            sign, error = (">=" if line.least else "<="), (f" +- {line.error:.1f}" if line.error else "")
            print(
                f"  {'ok    ' if line.kept else 'MISSED'}  {line.what:<58} "
                f"{sign} {line.demanded:5g} {line.unit:<5} | {line.got:5.1f}{error}",
                flush=True,
            )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
