"""`judge`: cells and a plan in, one comparison per cell out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.stats.advice import advise
from pytest_gotrace.stats.decision import SUSPECT_LEVEL, Rulings, notice, rule
from pytest_gotrace.stats.describe import Described, describe, relative, summarize
from pytest_gotrace.stats.memory import recall, remember
from pytest_gotrace.stats.moderated import Effects, analyse
from pytest_gotrace.stats.power import Outlook, outlook
from pytest_gotrace.stats.rows import Absence, Rows, arrange
from pytest_gotrace.stats.types import PAIRS_TO_PASS, Cell, Comparison, Decision, Plan

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def judge(
    cells: Sequence[Cell], *, look: int, plan: Plan, previous: Sequence[Decision | None] = ()
) -> tuple[Comparison, ...]:
    """Compare both sides of every cell at look number `look` (0-based) of the plan, in the order of `cells`.

    All cells that a pull request is judged by belong into one call: they share the family's error and lend
    each other their noise. Each look may be taken once; `previous` are the decisions of the look before, in
    the same order (none at the first). The same input gives the same answer to the last bit.

    1. Reduce each cell to differences of pairs on the scale of its budget.     `rows`, `scale`
    2. Estimate effect and noise of each, with the noise of all, and of before. `moderated`, `memory`
    3. Decide what is within, over and open.                                    `decision`, `signflip`
    4. Look ahead: how many more pairs, what could be seen at all.              `power`
    5. Say it in the metric's unit, with what the reader can do.                `describe`, `advice`

    Raises `ValueError` when `look` is not one of the plan's, or `previous` does not match `cells`.
    """
    if not 0 <= look < len(plan.looks):
        raise ValueError(f"look {look} is not one of the plan's {len(plan.looks)}")
    if previous and len(previous) != len(cells):
        raise ValueError(f"previous has {len(previous)} decisions for {len(cells)} cells")
    rows = arrange(cells)
    remembered = remember(cells, rows) if any(cell.earlier for cell in cells) else None
    effects = analyse(rows.differences, rows.groups, partial(recall, remembered) if remembered else None)
    judged = np.flatnonzero(rows.decides >= 0).astype(np.int64)
    gated = np.array([cell.gated for cell in cells], dtype=np.bool_)[judged]
    deciding = effects.take(rows.decides[judged])
    beta = rows.scales.beta[rows.decides[judged], 0]
    was = _earlier(previous, judged, "within"), _earlier(previous, judged, "over")
    rulings = rule(deciding, beta, gated, was, look, plan)
    ahead = outlook(deciding, beta, int(rulings.family.sum()), int(gated.sum()), plan)
    described = describe(rows, effects)
    numbers = _numbers(cells, judged, rows, described, deciding, beta, gated, rulings, ahead)
    done = dict(zip(judged.tolist(), numbers, strict=True))
    comparisons = (done.get(i) or _absent(cell, rows.absent[i]) for i, cell in enumerate(cells))
    others = int(gated.sum()) - 1
    return tuple(advise(c, cell, others) for c, cell in zip(comparisons, cells, strict=True))


def _earlier(previous: Sequence[Decision | None], judged: NDArray[np.int64], decision: Decision) -> Flags:
    return np.array([bool(previous) and previous[i] == decision for i in judged.tolist()], dtype=np.bool_)


def _absent(cell: Cell, absence: Absence) -> Comparison:
    base = None if cell.base is None else summarize(cell.base)
    pairs = 0 if cell.base is None else int((~np.isnan(cell.base) & ~np.isnan(cell.head)).sum())
    return Comparison(
        decision=absence.decision, reason=absence.reason, pairs=pairs, base=base, head=summarize(cell.head)
    )


def _numbers(
    cells: Sequence[Cell],
    judged: NDArray[np.int64],
    rows: Rows,
    described: Sequence[Described],
    effects: Effects,
    beta: Floats,
    gated: Flags,
    rulings: Rulings,
    ahead: Outlook,
) -> Iterator[Comparison]:
    """Comparisons of the judged cells with everything but words."""
    open_ = gated & ~rulings.within & ~rulings.over
    decision = np.select(
        [~gated, rulings.over, rulings.within], ["ungated", "over", "within"], "inconclusive"
    )
    p_changed, p_adjusted, noticed = notice(effects, ~gated)
    suspect = open_ & rulings.family & (rulings.p_over <= SUSPECT_LEVEL)
    paired = np.array([cells[i].cap is None for i in judged], dtype=bool)
    typical = _typical_base(cells, judged, rows, described)
    scales = rows.scales.take(rows.decides[judged])
    noisy = ~effects.exact & (effects.df > 0)
    detectable = relative(scales, typical, np.where(paired, ahead.detectable, ahead.detectable - beta))
    provable = relative(scales, typical, ahead.provable)
    advisable = relative(scales, typical, np.maximum(ahead.provable, ahead.provable_here))
    underpowered = open_ & paired & noisy & (beta < ahead.provable)
    foreseen = open_ & noisy & (effects.pairs >= PAIRS_TO_PASS)
    advised = foreseen & paired & ~ahead.decidable
    for k, i in enumerate(judged.tolist()):
        row = rows.describes[i]
        about = described[row] if row >= 0 else None
        yield Comparison(
            decision=decision[k].item(),
            pairs=int(effects.pairs[k]),
            base=about.base if about else None,
            head=about.head if about else summarize(cells[i].head),
            change=about.change if about else None,
            difference=about.difference if about else None,
            budget_beta=float(beta[k]) if gated[k] else None,
            p_over=float(rulings.p_over[k]) if gated[k] else None,
            p_over_adjusted=_number(rulings.p_over_adjusted[k]),
            p_within=float(rulings.p_within[k]) if gated[k] else None,
            p_changed=float(p_changed[k]) if paired[k] else None,
            p_changed_adjusted=_number(p_adjusted[k]),
            noticed=bool(noticed[k]),
            exact=bool(effects.exact[k]),
            suspect=bool(suspect[k]),
            underpowered=bool(underpowered[k]),
            detectable=_number(detectable[k]) if noisy[k] else None,
            provable=_number(provable[k]) if noisy[k] and paired[k] else None,
            advisable=_number(advisable[k]) if advised[k] else None,
            pairs_needed=_triple(ahead.pairs[k]) if foreseen[k] and ahead.decidable[k] else None,
            clipped=int(effects.clipped[k]),
        )


def _typical_base(
    cells: Sequence[Cell], judged: NDArray[np.int64], rows: Rows, described: Sequence[Described]
) -> Floats:
    """What relative changes are relative to: the base, or the cap."""
    caps = ((cells[i].cap, rows.describes[i]) for i in judged)
    return np.array(
        [described[row].base.center if cap is None else cap for cap, row in caps], dtype=np.float64
    )


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _triple(pairs: NDArray[np.int64]) -> tuple[int, int, int]:
    expected, low, high = pairs.tolist()
    return expected, low, high
