"""Which cells are within their budget, which are over it, and what cannot be told yet.

At one look, over all cells of one judgement:

1. A cell is within if its one-sided p-value for "at budget or worse" is at most `pass_level` and, up to 10
   pairs, a sign flip agrees (p <= .05). No correction for many cells: a pull request passes only if every
   cell does.
2. Cells that were within or over at an earlier look stay so.
3. A cell that does not vary at all needs no test: from 5 pairs on it is where it is.
4. The other gated cells are one family. Their p-values for "at most the budget" are divided by 1 -
   pass_level, because cells within were taken out of the family, and adjusted by Holm's method; a cell is
   over if that is at most the look's share of alpha and a sign flip agrees (p <= .05).
5. Everything else is open.

Cells without a budget are tested against "no change", two-sided, with a false discovery rate of 10 %: worth a
look, never a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.stats.moderated import Effects
from pytest_gotrace.stats.signflip import p_flip, p_flip_max
from pytest_gotrace.stats.types import PAIRS_TO_FAIL, PAIRS_TO_PASS, Plan

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

GUARD_LEVEL = 0.05
#: Above this many pairs the t-test needs no second opinion before it lets a cell pass.
GUARD_PASS_UP_TO = 10
FALSE_DISCOVERIES = 0.10
SUSPECT_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Rulings:
    """Per cell. `family` are the cells tested for being over; elsewhere the adjusted p-value is NaN."""

    within: Flags
    over: Flags
    family: Flags
    p_over: Floats
    p_over_adjusted: Floats
    p_within: Floats


def rule(
    effects: Effects, beta: Floats, gated: Flags, was: tuple[Flags, Flags], look: int, plan: Plan
) -> Rulings:
    """Rulings on cells with budget `beta`; `was` are those within and those over at earlier looks."""
    p_over = effects.p_greater(beta)
    # Exactly at the budget is within it, so a cell without noise is on one side or the other.
    p_within = np.where(effects.exact, 1 - p_over, effects.p_less(beta))
    certain = effects.exact & (effects.pairs >= PAIRS_TO_FAIL)
    within = (
        was[0] | (gated & _shown_within(effects, beta, p_within, plan)) | (gated & certain & (p_over > 0))
    )
    within &= ~was[1]
    over = was[1] | (gated & certain & (p_over == 0) & ~within)
    family = gated & ~effects.exact & ~within & ~over
    adjusted = _adjusted(effects, beta, p_over, family, plan)
    rejected = family & (np.nan_to_num(adjusted, nan=1.0) <= plan.level(look))
    rejected[rejected] = p_flip((effects.values - beta[:, None])[rejected], plan.seed) <= GUARD_LEVEL
    return Rulings(within, over | rejected, family, p_over, adjusted, p_within)


def holm(p: Floats) -> Floats:
    """Holm (1979): family-wise adjusted p-values."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def notice(effects: Effects, among: Flags) -> tuple[Floats, Floats, Flags]:
    """p-values of "no change", the same adjusted (Benjamini and Hochberg, 1995), and which stand out."""
    p = np.minimum(1.0, 2 * np.minimum(effects.p_greater(0.0), effects.p_less(0.0)))
    among = among & (effects.pairs >= PAIRS_TO_FAIL)
    adjusted = np.full(len(p), np.nan)
    if among.any():
        from scipy.stats import (
            false_discovery_control,
        )  # half a second, and only needed for cells without a budget

        adjusted[among] = false_discovery_control(p[among])
    return p, adjusted, np.nan_to_num(adjusted, nan=1.0) <= FALSE_DISCOVERIES


def _shown_within(effects: Effects, beta: Floats, p_within: Floats, plan: Plan) -> Flags:
    shown = ~effects.exact & (p_within <= plan.pass_level) & (effects.pairs >= PAIRS_TO_PASS)
    guarded = np.flatnonzero(shown & (effects.pairs <= GUARD_PASS_UP_TO))
    shown[guarded] = p_flip(beta[guarded, None] - effects.values[guarded], plan.seed) <= GUARD_LEVEL
    return shown


def _adjusted(effects: Effects, beta: Floats, p_over: Floats, family: Flags, plan: Plan) -> Floats:
    adjusted = np.full(len(beta), np.nan)
    members = np.flatnonzero(family)
    if not members.size:
        return adjusted
    if plan.method == "exact":
        p = p_flip_max(effects.take(members), beta[members], plan.seed)
        adjusted[members] = np.minimum(1.0, p / (1 - plan.pass_level))
    else:
        adjusted[members] = holm(np.minimum(1.0, p_over[members] / (1 - plan.pass_level)))
    return adjusted
