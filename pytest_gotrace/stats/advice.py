"""Words for a comparison: why it was decided so, and what the reader can do about what is doubtful.

A warning never changes a decision.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pytest_gotrace.stats.types import PAIRS_TO_FAIL, PAIRS_TO_PASS, Cell, Comparison

#: Below this mean a count cannot be shown to be within a relative budget, unless `COUNT_FLOOR` events are
#: allowed.
COUNT_MEAN = 30
COUNT_FLOOR = 3


def advise(comparison: Comparison, cell: Cell, others: int) -> Comparison:
    """The comparison with its reason and its warnings; `others` are judged together with it."""
    warnings = [text for text in (rule(comparison, cell, others) for rule in _WARNINGS) if text]
    return replace(
        comparison, reason=comparison.reason or _reason(comparison, cell, others), warnings=tuple(warnings)
    )


def _reason(c: Comparison, cell: Cell, others: int) -> str:
    limit = "its cap" if cell.cap is not None else "its budget"
    if c.decision == "over":
        return f"beyond {limit}, {_allowed(c, others)}"
    if c.decision == "within":
        return f"noise cannot hide a value beyond {limit}"
    if c.decision == "ungated":
        return "changed, though no budget names it" if c.noticed else ""
    if c.pairs < PAIRS_TO_PASS and not c.exact:
        return f"need at least {PAIRS_TO_PASS} pairs to decide, have {c.pairs}"
    if c.exact:
        return f"need at least {PAIRS_TO_FAIL} pairs to decide, have {c.pairs}"
    still = "both within and over are still possible"
    if c.pairs_needed or c.advisable is not None:
        return still
    return (
        f"{still}; no reasonable number of pairs would tell: raise {limit} or make the benchmark run longer"
    )


def _allowed(c: Comparison, others: int) -> str:
    """What an excess was allowed for, as far as there was any of it."""
    if c.exact:
        return "by the same in every pair"
    beside = f" and for {others} other comparison{'s' if others > 1 else ''}" if others else ""
    return f"even after allowing for noise{beside}"


def _suspect(c: Comparison, cell: Cell, others: int) -> str:
    if not c.suspect:
        return ""
    return (
        f"suspect: alone it would count as over (p {c.p_over:.2g}), but not beside {others} other comparisons"
    )


def _incomplete(c: Comparison, cell: Cell, others: int) -> str:
    left_out = len(cell.head) - c.pairs
    if not left_out or c.budget_beta is None:
        return ""
    return f"{left_out} of {len(cell.head)} pairs left out because a run has no value; look at those runs"


def _clipped(c: Comparison, cell: Cell, others: int) -> str:
    """One pair far off is what chance gives: one of six in 16 % of normal samples, two or more in 5 %."""
    if c.clipped < 2:
        return ""
    return (
        f"{c.clipped} of {c.pairs} pairs lay far off and were pulled in; look for other load on the machine"
    )


def _small_count(c: Comparison, cell: Cell, others: int) -> str:
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


_WARNINGS = (_suspect, _incomplete, _clipped, _small_count)
