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

from pytest_gotrace.stats.moderated import (
    CELLS_FOR_PRIOR,
    CLIP_AT_MADS,
    CLIP_AT_MOST,
    MAD_TO_SD,
    Effects,
    fit_prior,
)

Floats = NDArray[np.float64]

#: Up to here all 2^N patterns are tried, above it this many drawn ones; either way the pattern seen is among
#: them.
ALL_FLIPS_UP_TO = 11
DRAWN_FLIPS = 2048
#: A cell is clearly below its budget if its p-value for "at budget or worse" is at most this (t about -1.5).
CLEARLY_BELOW = 0.07


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

    Westfall and Young's step-down maximum over sign flips, so cells that move together cost little. A flip's
    sums are studentised with moderated variances as the t-test's, but everything that is the same for all
    flips, the clipping and the prior, is made from sizes alone: with a mean or a median in it, the pattern
    seen would be a special one. Cells clearly below their budget are centred, otherwise their distance from
    it would count as noise.
    """
    shifted = effects.differences - beta[:, None]
    below = effects.p_less(beta) <= CLEARLY_BELOW
    shifted[below] -= np.nanmean(shifted[below], axis=1, keepdims=True)
    shifted = np.nan_to_num(_clipped(shifted))
    size = (shifted**2).sum(axis=1) / np.maximum(effects.pairs, 1)
    prior = (0.0, 0.0)
    if (size > 0).sum() >= CELLS_FOR_PRIOR:
        prior = fit_prior(size[size > 0], effects.pairs[size > 0].astype(np.float64))
    unflipped = _studentised(shifted, effects.pairs, prior, np.ones((1, shifted.shape[1])))[0]
    seen = np.where(below, -np.inf, unflipped)
    order = np.argsort(-seen, kind="stable")
    flipped = _studentised(shifted, effects.pairs, prior, patterns(shifted.shape[1], seed))[:, order]
    highest = np.maximum.accumulate(flipped[:, ::-1], axis=1)[:, ::-1]
    p = np.empty(len(beta))
    p[order] = np.maximum.accumulate((highest >= seen[order] - 1e-9).mean(axis=0))
    return p


def _clipped(shifted: Floats) -> Floats:
    """As `winsorise`, but around zero, so that flipping signs before or after is the same."""
    reach = CLIP_AT_MADS * MAD_TO_SD * np.nanmedian(np.abs(shifted), axis=1, keepdims=True)
    outside = (np.abs(shifted) > reach).sum(axis=1, keepdims=True)
    few = outside <= np.floor(CLIP_AT_MOST * (~np.isnan(shifted)).sum(axis=1, keepdims=True))
    return np.where(few & (reach > 0), np.clip(shifted, -reach, reach), shifted)


def _p_rows(values: Floats, signs: Floats) -> Floats:
    seen = values.sum(axis=1)
    # Patterns that differ only by rounding from what was seen are as bad as it.
    slack = 1e-12 * np.abs(values).sum(axis=1)
    return np.asarray(((signs @ values.T) >= seen - slack).mean(axis=0))


def _studentised(
    shifted: Floats, pairs: NDArray[np.int64], prior: tuple[float, float], signs: Floats
) -> Floats:
    """t of each flip and cell, of shape (flips, cells)."""
    n, df = np.maximum(pairs, 1), np.maximum(pairs - 1, 1)
    mean = signs @ shifted.T / n
    own = np.maximum((shifted**2).sum(axis=1) / n - mean**2, 0.0) * n / df
    posterior = (prior[0] * prior[1] + df * own) / (prior[0] + df)
    variance = np.maximum(posterior, (posterior + own) / 2)
    t = np.divide(mean, np.sqrt(variance / n), out=np.where(mean > 0, np.inf, 0.0), where=variance > 0)
    return np.asarray(t, dtype=np.float64)
