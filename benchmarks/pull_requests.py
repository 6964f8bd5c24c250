"""Simulated pull requests, from their first look to their decision."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks import noise
from benchmarks.noise import Floats, Noise
from pytest_gotrace.stats import Cell, Comparison, Plan, judge

SEQUENTIAL = Plan()
#: Run-to-run variation and budget of one benchmark's metrics: ns/op, p50, p99, sched-wait, GC; four benchmarks.
METRICS = np.array([(0.02, 0.05), (0.025, 0.05), (0.12, 0.25), (0.08, 0.20), (0.10, 0.25)] * 4)
CVS, BUDGETS = METRICS.T
NS_PER_OP, P99 = 0, 2
CELLS = len(METRICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """How often to repeat, and where chance comes from: each case has numbers of its own, the same every time."""

    times: int
    seed: int

    def rng(self, *case: int) -> np.random.Generator:
        """The random numbers of one case."""
        return np.random.default_rng((self.seed, *case))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of many simulated pull requests, one entry each."""

    failed: Floats
    passed: Floats
    pairs: Floats
    first_failed: Floats
    others_failed: Floats = field(repr=False)


def one(index: int, change: float | Floats, cells: int = CELLS) -> Floats:
    """True changes of all cells, of which only one is not zero."""
    return np.asarray(np.eye(cells)[index] * change, dtype=np.float64)


def unequal(rng: np.random.Generator, cells: int) -> Floats:
    """Run-to-run variation between 1 and 8 %, evenly on a logarithmic scale."""
    return np.asarray(np.exp(rng.uniform(np.log(0.01), np.log(0.08), size=cells)))


def sides(
    rng: np.random.Generator, kind: Noise, cv: Floats, changes: Floats, pairs: int
) -> tuple[Floats, Floats]:
    """Base and head runs around 100, cells x pairs."""
    log_base, log_head = kind(rng, cv, pairs)
    return 100 * np.exp(log_base), 100 * np.exp(log_head) * (1 + changes[:, None])


def family(base: Floats, head: Floats, budgets: Floats) -> list[Cell]:
    """One cell with a relative budget for each row."""
    rows = zip(base, head, budgets.tolist(), strict=True)
    return [Cell(base=b, head=h, relative=r) for b, h, r in rows]


def decide(cells: Sequence[Cell], plan: Plan) -> tuple[list[Comparison], int]:
    """From look to look until something is over or everything within: the last comparisons and their pairs."""
    found: list[Comparison] = []
    for look, pairs in enumerate(plan.looks):
        seen = [_first(cell, pairs) for cell in cells]
        found = list(judge(seen, look=look, plan=plan, previous=[c.decision for c in found]))
        decisions = {c.decision for c in found}
        if "over" in decisions or decisions == {"within"}:
            break
    return found, pairs


def over(found: Sequence[Comparison]) -> NDArray[np.bool_]:
    """Which cells are over their budgets."""
    return np.array([c.decision == "over" for c in found], dtype=np.bool_)


def repeat(
    draws: Draws,
    case: tuple[int, ...],
    kind: Noise,
    cv: Floats | None,
    budgets: Floats,
    changes: Floats,
    plan: Plan = SEQUENTIAL,
) -> Outcomes:
    """Many pull requests; without `cv` every one draws its cells' variation anew."""
    rng, rows = draws.rng(*case), []
    for _ in range(draws.times):
        drawn = unequal(rng, len(budgets)) if cv is None else cv
        base, head = sides(rng, kind, drawn, changes, plan.looks[-1])
        found, pairs = decide(family(base, head, budgets), plan)
        failed, within = over(found), all(c.decision == "within" for c in found)
        rows.append((failed.any(), within, pairs, failed[0], (failed & (changes == 0)).any()))
    return Outcomes(*np.array(rows, dtype=np.float64).T)


def fingerprint(seed: int) -> str:
    """SHA-256 of all that is said, to the last digit, about one pull request of each noise and method."""
    said = hashlib.sha256()
    for number, kind in enumerate(noise.ALL.values()):
        for method in ("moderated", "exact"):
            rng = np.random.default_rng((seed, number))
            base, head = sides(rng, kind, CVS, one(NS_PER_OP, 0.08), SEQUENTIAL.looks[-1])
            found, pairs = decide(family(base, head, BUDGETS), replace(SEQUENTIAL, method=method))
            said.update(repr((pairs, found)).encode())
    return said.hexdigest()


def _first(cell: Cell, pairs: int) -> Cell:
    return replace(cell, base=None if cell.base is None else cell.base[:pairs], head=cell.head[:pairs])
