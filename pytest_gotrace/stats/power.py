"""What more pairs would show: how many are missing, what could be caught, which budgets can be proved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_gotrace.stats.moderated import Effects
from pytest_gotrace.stats.types import Plan

Floats = NDArray[np.float64]

POWER = 0.80
#: The range given with a prediction is where the middle half of true effects would put it.
QUARTILE = 0.6745
#: A prediction of more than this many times the plan's pairs says "not at this noise".
TOO_MANY = 2


@dataclass(frozen=True, slots=True)
class Outlook:
    """Per cell: pairs (expected, low, high), and distances on the test's scale.

    `decidable` is False where no reasonable number of pairs would do. `detectable` is the smallest true
    effect that these pairs catch with 80 % power, `provable` the smallest budget an unchanged cell would be
    shown to keep at the plan's last look, such that all cells are with 80 %; `provable_here` the same for the
    effect as estimated.
    """

    pairs: NDArray[np.int64]
    decidable: NDArray[np.bool_]
    detectable: Floats
    provable: Floats
    provable_here: Floats


def outlook(effects: Effects, beta: Floats, undecided: int, gated: int, plan: Plan) -> Outlook:
    """The outlook of every cell while `undecided` of `gated` cells share the family's error."""
    deviation = np.sqrt(effects.variance)
    error = effects.standard_error
    last = plan.looks[-1]
    catch = _upper(plan.alpha / max(undecided, 1), effects.df) + _upper(1 - POWER, effects.df)
    final_df = np.maximum(effects.prior_df + last - 1, 1)
    all_pass = special.ndtri(POWER ** (1 / max(gated, 1)))
    prove = (_upper(plan.pass_level, final_df) + all_pass) * deviation / np.sqrt(last)
    here = (_upper(plan.pass_level, final_df) + _upper(1 - POWER, final_df)) * deviation / np.sqrt(last)
    pairs, decidable = _pairs_needed(effects, beta, deviation, error, undecided, plan)
    return Outlook(pairs, decidable, beta + catch * error, prove, np.maximum(effects.estimate, 0.0) + here)


def _pairs_needed(
    effects: Effects, beta: Floats, deviation: Floats, error: Floats, undecided: int, plan: Plan
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(cells, 3) numbers of pairs and whether the first is within reach.

    The smallest n with |effect - beta| sqrt(n) / sd >= t(level, n-1) + t(0.8, n-1). To be shown within a cell
    needs level .02; to be shown over it needs its share of alpha besides.
    """
    distance = np.abs(effects.estimate - beta)
    spread = np.stack([distance, distance + QUARTILE * error, distance - QUARTILE * error], axis=1)
    ratio = np.divide(spread, deviation[:, None], out=np.zeros_like(spread), where=deviation[:, None] > 0)
    most = TOO_MANY * plan.looks[-1]
    to_pass = _first_enough(ratio, 0.02, most)
    to_fail = _first_enough(ratio, min(0.02, plan.alpha / max(undecided, 1)), most)
    needed = np.where((effects.estimate > beta)[:, None], to_fail, to_pass)
    decidable = (needed[:, 0] <= most) & (distance >= error)
    # A cell that is undecided now needs at least one more pair, however good its chances looked.
    return np.clip(needed, effects.pairs[:, None] + 1, most), decidable


def _first_enough(ratio: Floats, level: float, most: int) -> NDArray[np.int64]:
    """The smallest n >= 2 whose required ratio is reached, or `most` + 1."""
    n = np.arange(2, most + 1)
    df = np.asarray(n - 1, dtype=np.float64)
    required = (_upper(level, df) + _upper(1 - POWER, df)) / np.sqrt(n)
    # `required` falls with n, so search it upside down.
    return np.asarray(2 + np.searchsorted(-required, -ratio), dtype=np.int64)


def _upper(level: float, df: Floats) -> Floats:
    """The t value that is exceeded with probability `level`."""
    return np.asarray(special.stdtrit(np.maximum(df, 1), 1 - level), dtype=np.float64)
