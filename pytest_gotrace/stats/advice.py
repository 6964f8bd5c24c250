"""Words for a comparison: why it was decided so, and what the reader can do about what is doubtful.

A warning never changes a decision.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor, log10

import numpy as np

from pytest_gotrace.stats.types import PAIRS_TO_FAIL, PAIRS_TO_PASS, Cell, Comparison, Plan

#: Below this mean a count cannot be shown to be within a relative budget, unless `COUNT_FLOOR` events are
#: allowed.
COUNT_MEAN = 30
COUNT_FLOOR = 3


def advise(comparison: Comparison, cell: Cell, plan: Plan) -> Comparison:
    """The comparison with its reason and its warnings."""
    warnings = [text for text in (rule(comparison, cell, plan) for rule in _WARNINGS) if text]
    return replace(
        comparison, reason=comparison.reason or _reason(comparison, cell, plan), warnings=tuple(warnings)
    )


def _reason(c: Comparison, cell: Cell, plan: Plan) -> str:
    limit = "its cap" if cell.cap is not None else "its budget"
    if c.decision == "over":
        return f"even allowing for noise and for the other cells, it is beyond {limit}"
    if c.decision == "within":
        return f"noise cannot hide a value beyond {limit}"
    if c.decision == "ungated":
        return "changed, though no budget names it" if c.noticed else ""
    if c.pairs < PAIRS_TO_PASS and not c.exact:
        return f"need at least {PAIRS_TO_PASS} pairs to decide, have {c.pairs}"
    if c.exact:
        return f"need at least {PAIRS_TO_FAIL} pairs to decide, have {c.pairs}"
    if c.pairs_needed is None:
        return "not decidable at this noise"
    expected, low, high = c.pairs_needed
    return f"both within and over are still possible; about {expected} pairs would tell ({low} to {high})"


def _undecidable(c: Comparison, cell: Cell, plan: Plan) -> str:
    if c.decision != "inconclusive" or c.exact or c.pairs_needed or c.pairs < PAIRS_TO_PASS:
        return ""
    budget = f" to at least {_percent(c.advisable, cell)}" if c.advisable else ""
    return f"not decidable at this noise: raise the budget{budget}, make runs longer, or drop the budget"


def _underpowered(c: Comparison, cell: Cell, plan: Plan) -> str:
    if not c.underpowered or c.provable is None:
        return ""
    return (
        f"underpowered: at this noise {plan.looks[-1]} pairs prove budgets from "
        f"{_percent(c.provable, cell)} on; raise the budget or make runs longer"
    )


def _suspect(c: Comparison, cell: Cell, plan: Plan) -> str:
    if not c.suspect:
        return ""
    return f"suspect: alone it would count as over (p {c.p_over:.2g}), among all cells it needs more pairs"


def _incomplete(c: Comparison, cell: Cell, plan: Plan) -> str:
    left_out = len(cell.head) - c.pairs
    if not left_out or c.budget_beta is None:
        return ""
    return f"{left_out} of {len(cell.head)} pairs left out because a run has no value; look at those runs"


def _clipped(c: Comparison, cell: Cell, plan: Plan) -> str:
    """One pair far off is what chance gives: one of six in 16 % of normal samples, two or more in 5 %."""
    if c.clipped < 2:
        return ""
    return (
        f"{c.clipped} of {c.pairs} pairs lay far off and were pulled in; look for other load on the machine"
    )


def _small_count(c: Comparison, cell: Cell, plan: Plan) -> str:
    if c.decision != "inconclusive" or c.exact or cell.cap is not None or (cell.absolute or 0) >= COUNT_FLOOR:
        return ""
    runs = cell.head if cell.base is None else np.concatenate([cell.base, cell.head])
    runs = runs[~np.isnan(runs)]
    if (runs != np.rint(runs)).any() or not 0 < runs.mean() < COUNT_MEAN:
        return ""
    return (
        f"about {runs.mean():.2g} events per run are too few for this budget; "
        f"make runs longer, or allow at least {COUNT_FLOOR} events more"
    )


_WARNINGS = (_undecidable, _underpowered, _suspect, _incomplete, _clipped, _small_count)


def _percent(size: float, cell: Cell) -> str:
    """A size rounded up to two digits: a budget a little too small would not do."""
    digits = 1 - floor(log10(size)) if size > 0 else 0
    share = ceil(round(size * 10.0**digits, 6)) / 10.0**digits
    return f"{100 * share:.{max(digits - 2, 0)}f} %" + (" of the base" if cell.relative is None else "")
