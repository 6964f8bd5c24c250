"""This gate beside what is used today, on the same pull requests: `python -m benchmarks.compare [--write FILE]`.

Every rule sees the same runs, from the same events; a rule of thumb gets ten runs a side, which is what benchstat's
documentation asks for, the sequential gate as many as it wants. Takes about six minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks import events, noise
from benchmarks.events import UNCHANGED, Change, PullRequest
from benchmarks.noise import Floats, Noise
from benchmarks.pull_requests import SEQUENTIAL, Draws, decide, over
from pytest_gotrace.stats import Plan

Flags = NDArray[np.bool_]

SEED, TIMES = 1, 300
RUNS = 10
ALPHA = 0.05
BUDGETS = np.array([relative for _, relative, _ in events.METRICS * events.BENCHMARKS])
FLOORS = np.array([floor for _, _, floor in events.METRICS * events.BENCHMARKS])
OF_FIRST = np.arange(len(BUDGETS)) < len(events.METRICS)


@dataclass(frozen=True, slots=True)
class Answer:
    """Which metrics of which benchmarks a rule calls worse, whether it lets the whole pass, and the pairs it took."""

    worse: Flags
    passes: bool
    pairs: int = RUNS


def benchstat(request: PullRequest) -> Answer:
    """Any metric whose medians differ for the worse with p < 0.05 in benchstat's test."""
    base, head = _ten(request)
    return _yes_or_no((mann_whitney(base, head) < ALPHA) & (_median(head) > _median(base)))


def benchstat_and_budget(request: PullRequest) -> Answer:
    """The same, and the medians differ by more than the budget."""
    base, head = _ten(request)
    allowed = np.maximum(BUDGETS * _median(base), FLOORS)
    return _yes_or_no((mann_whitney(base, head) < ALPHA) & (_median(head) - _median(base) > allowed))


def pooled_events(request: PullRequest) -> Answer:
    """Mann-Whitney on all events of all runs thrown together, for the two metrics that are made of events."""
    worse = np.zeros(len(BUDGETS), dtype=np.bool_)
    for number, (base, head) in enumerate(zip(request.base, request.head, strict=True)):
        for offset, name in ((1, "regions"), (4, "waits")):
            b, h = (np.concatenate([getattr(run, name) for run in side[:RUNS]]) for side in (base, head))
            p = stats.mannwhitneyu(b, h, method="asymptotic").pvalue
            worse[number * len(events.METRICS) + offset] = p < ALPHA and np.median(h) > np.median(b)
    return _yes_or_no(worse)


def ten_percent(request: PullRequest) -> Answer:
    """Any metric whose mean is more than 10 % larger, and by more than its floor."""
    base, head = (runs.mean(axis=1) for runs in _ten(request))
    return _yes_or_no(head - base > np.maximum(0.1 * base, FLOORS))


def fixed(request: PullRequest) -> Answer:
    """This gate with one look, at ten pairs."""
    return _gate(request, Plan(looks=(RUNS,)))


def sequential(request: PullRequest) -> Answer:
    """This gate as it is: 6, 10, 14 or 20 pairs, as soon as it can tell."""
    return _gate(request, SEQUENTIAL)


def mann_whitney(base: Floats, head: Floats) -> Floats:
    """Two-sided p-values per row, exact without ties as benchstat's; with ties by scipy's approximation."""
    tied = [len(np.unique(row)) < len(row) for row in np.concatenate([base, head], axis=1)]
    rows = zip(base, head, tied, strict=True)
    return np.array(
        [stats.mannwhitneyu(b, h, method="asymptotic" if ties else "exact").pvalue for b, h, ties in rows]
    )


def _yes_or_no(worse: Flags) -> Answer:
    return Answer(worse, passes=not worse.any())


def _gate(request: PullRequest, plan: Plan) -> Answer:
    found, pairs = decide(request.cells(), plan)
    return Answer(over(found), all(c.decision == "within" for c in found), pairs)


def _ten(request: PullRequest) -> tuple[Floats, Floats]:
    return request.numbers("base")[:, :RUNS], request.numbers("head")[:, :RUNS]


def _median(runs: Floats) -> Floats:
    return np.asarray(np.median(runs, axis=1))


RULES: dict[str, Callable[[PullRequest], Answer]] = {
    "benchstat, any p < 0.05": benchstat,
    "benchstat, p < 0.05 and beyond the budget": benchstat_and_budget,
    "Mann-Whitney on pooled events, p < 0.05": pooled_events,
    "means differ by more than 10 %": ten_percent,
    "pytest-gotrace, 10 pairs": fixed,
    "pytest-gotrace, as it is": sequential,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a pull request really does, on which machines, and how much those vary."""

    name: str
    change: Change = UNCHANGED
    kind: Noise = noise.drift
    cv: float = events.RUN_CV


NOISY = 0.05
HONEST = (
    Truth(name="nothing changed, quiet machine", kind=noise.gauss),
    Truth(name="nothing changed, shared machine"),
    Truth(name="nothing changed, noisy machine", cv=NOISY),
    Truth(name="nothing changed, ugly noise", kind=noise.ugly),
    Truth(name="3 % slower, 5 % allowed", change=Change(speed=1.03)),
    Truth(name="5 % slower, 5 % allowed", change=Change(speed=1.05)),
    Truth(name="nothing changed, base runs first", kind=noise.apart),
)
GUILTY = (
    Truth(name="8 % slower", change=Change(speed=1.08)),
    Truth(name="10 % slower", change=Change(speed=1.10)),
    Truth(name="10 % slower, noisy machine", change=Change(speed=1.10), cv=NOISY),
    Truth(name="p99 ×2, median the same", change=Change(tail=2.0)),
    Truth(name="waits ×1.5", change=Change(waiting=1.5)),
    Truth(name="6 collections become 18", change=Change(collections=3.0)),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What one rule says: for each truth the share of pull requests, and the mean number of pairs over all."""

    rule: str
    stopped: tuple[float, ...]
    named: tuple[float, ...]
    passed: tuple[float, ...]
    pairs: float


def compare(draws: Draws, truths: Sequence[Truth]) -> list[Row]:
    """Every rule's answers to the same pull requests.

    *Stopped*: anything is called worse. *Named*: the first benchmark, the one that may have changed, is. *Passed*:
    everything is said to be fine; a rule that knows no doubt says so whenever it does not stop.
    """
    answers = [[[rule(r) for rule in RULES.values()] for r in requests(draws, truth)] for truth in truths]
    told = np.array(
        [
            [[(a.worse.any(), a.worse[OF_FIRST].any(), a.passes, a.pairs) for a in row] for row in truth]
            for truth in answers
        ],
        dtype=np.float64,
    ).mean(axis=1)
    stopped, named, passed, pairs = np.moveaxis(told, (2, 1), (0, 1)).tolist()
    return [
        Row(rule, tuple(stopped[i]), tuple(named[i]), tuple(passed[i]), float(np.mean(pairs[i])))
        for i, rule in enumerate(RULES)
    ]


def requests(draws: Draws, truth: Truth) -> Iterator[PullRequest]:
    """Pull requests of that kind, with random numbers of their own."""
    rng = draws.rng((HONEST + GUILTY).index(truth))
    for _ in range(draws.times):
        yield events.pull_request(rng, truth.change, SEQUENTIAL.looks[-1], truth.kind, truth.cv)


def markdown(truths: Sequence[Truth], rows: Sequence[Row], what: str) -> str:
    """`stopped`, `named` or `passed` of all rows as a table, one column for each truth."""
    lines = [f"| rule | {' | '.join(truth.name for truth in truths)} | pairs |"]
    lines.append(f"|---|{'--:|' * (len(truths) + 1)}")
    for row in rows:
        shares = " | ".join(f"{100 * share:.0f} %" for share in getattr(row, what))
        lines.append(f"| {row.rule} | {shares} | {row.pairs:.1f} |")
    return "\n".join(lines)


PAGE = """\
# What other rules would have said

Written by `make simulate`; seed {seed}, {times} pull requests for each column, so that every share is known to
±{error:.0f} points or better. Each pull request has four benchmarks of six metrics (ns/op, median and p99 of a
region, total and median of a wait, garbage collections), made of 2,000 regions and 300 waits a run
(`benchmarks/events.py`), with budgets of 5 % for ns/op and the region's median and of 20 to 50 % for the rest. All
rules see the same runs: ten a side in alternating pairs, as benchstat's documentation asks for; the last row takes
as many as it wants. Only differences for the worse count. From run to run all of a benchmark varies by 1.2 %, on the
noisy machine by 5 %, the machine's wandering and each metric's own noise not counted (`benchmarks/noise.py`).

## How often an honest pull request is stopped

{stopped}

With *5 % slower, 5 % allowed* one benchmark's ns/op and region are exactly at their budgets. The last column is no
noise but a way to measure that is still common: all runs of the base, then all of the head. What the machine did in
between looks like a change, and no rule can tell; this gate never measures so.

## How often a guilty one is found

One benchmark of four is worse; *found* means that this benchmark is named.

{named}

A rule that stops nearly everything finds nearly everything: read both tables together. Pooled events tell a heavier
tail from nothing no better than a coin does: events of one run resemble each other, so 20,000 of them are not 20,000
observations.

## How often a guilty one is called fine

{passed}

Rules that know only yes and no call fine whatever they do not stop. This gate says *inconclusive*, and how many more
pairs would tell.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=TIMES, help="pull requests for each column")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there as well")
    asked = parser.parse_args(arguments)
    draws = Draws(times=asked.times, seed=asked.seed)
    honest, guilty = compare(draws, HONEST), compare(draws, GUILTY)
    page = PAGE.format(
        seed=asked.seed,
        times=asked.times,
        error=50 / asked.times**0.5,
        stopped=markdown(HONEST, honest, "stopped"),
        named=markdown(GUILTY, guilty, "named"),
        passed=markdown(GUILTY, guilty, "passed"),
    )
    print(page)
    if asked.write:
        asked.write.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
