"""Sign flips: if a pair's two runs may change places, its difference may change its sign.

Under "typically no more than the budget" every pattern of signs of the differences (less the budget) is
equally likely, whatever their distribution, as long as it is symmetric. So the share of patterns that look at
least as bad as what was seen is an exact p-value. It guards the t-test here, and is the gate itself with
`method="exact"`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.stats.moderated import Effects

Floats = NDArray[np.float64]

#: Up to here all 2^N patterns are tried, above it this many drawn ones; either way the pattern seen is among
#: them.
ALL_FLIPS_UP_TO = 11
DRAWN_FLIPS = 2048


@lru_cache(maxsize=64)
def patterns(n: int, seed: int) -> Floats:
    """Signs, of shape (patterns, n), the first of them all +1."""
    if n <= ALL_FLIPS_UP_TO:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    else:
        bits = np.random.default_rng((seed, n)).integers(0, 2, size=(DRAWN_FLIPS, n))
        bits[0] = 0
    signs = np.asarray(1.0 - 2.0 * bits, dtype=np.float64)
    signs.flags.writeable = False
    return signs


def p_flip(differences: Floats, seed: int) -> Floats:
    """One-sided p-values per row: how often flipped signs give as large a sum as was seen, NaN left out."""
    result = np.ones(len(differences))
    present = ~np.isnan(differences)
    counts = present.sum(axis=1)
    packed = np.take_along_axis(differences, np.argsort(~present, axis=1, kind="stable"), axis=1)
    for n in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == n)
        result[rows] = _p_rows(packed[rows, :n], patterns(int(n), seed))
    return result


def p_flip_max(effects: Effects, beta: Floats, seed: int) -> Floats:
    """Family-wise adjusted one-sided p-values of "the effect is at most beta", for all rows together.

    Westfall and Young's step-down maximum over sign flips, so cells that move together cost little. Each
    flip's sums are studentised with the same moderated variance as the data. Cells below their budget are
    centred on zero first: otherwise their distance from it would count as noise.
    """
    shifted = np.nan_to_num(effects.values - np.minimum(beta, effects.estimate)[:, None])
    unflipped = _studentised(effects, shifted, np.ones((1, shifted.shape[1])))[0]
    seen = np.where(effects.estimate > beta, unflipped, -np.inf)
    order = np.argsort(-seen, kind="stable")
    flipped = _studentised(effects, shifted, patterns(shifted.shape[1], seed))[:, order]
    highest = np.maximum.accumulate(flipped[:, ::-1], axis=1)[:, ::-1]
    p = np.empty(len(beta))
    p[order] = np.maximum.accumulate((highest >= seen[order] - 1e-9).mean(axis=0))
    return p


def _p_rows(values: Floats, signs: Floats) -> Floats:
    seen = values.sum(axis=1)
    # Patterns that differ only by rounding from what was seen are as bad as it.
    slack = 1e-12 * np.abs(values).sum(axis=1)
    return np.asarray(((signs @ values.T) >= seen - slack).mean(axis=0))


def _studentised(effects: Effects, shifted: Floats, signs: Floats) -> Floats:
    """t of each flip and cell, of shape (flips, cells)."""
    pairs = np.maximum(effects.pairs, 1)
    mean = signs @ shifted.T / pairs
    df = np.maximum(effects.pairs - 1, 1)
    own = np.maximum((shifted**2).sum(axis=1) / pairs - mean**2, 0.0) * pairs / df
    posterior = (effects.prior_df * effects.prior_variance + df * own) / (effects.prior_df + df)
    variance = np.maximum(posterior, (posterior + own) / 2)
    t = np.divide(mean, np.sqrt(variance / pairs), out=np.zeros_like(mean), where=variance > 0)
    return np.asarray(t, dtype=np.float64)
