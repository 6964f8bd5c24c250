"""Whether two sides differ, told from ranks alone: for what explains a verdict, and is none.

Runs on a busy machine have tails, of which a mean and its error make nothing sure; ranks do not mind them.
(F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1, 1945. Every way to deal the ranks out
is tried, so that ties are exact, too; where there are too many ways the normal limit is taken.)
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import comb, erfc, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Up to here all ways to deal ranks out to two sides are tried.
ALL_DEALS_UP_TO = 20_000


def rank_sum(base: ArrayLike, head: ArrayLike) -> float:
    """The two-sided p-value of "both sides come from one distribution"; 1 where a side has no run."""
    x, y = np.asarray(base, dtype=np.float64), np.asarray(head, dtype=np.float64)
    n, m = len(x), len(y)
    if not n or not m:
        return 1.0
    ranks = _ranks(np.concatenate([x, y]))
    surplus = ranks[:n].sum() - n * ranks.mean()
    if comb(n + m, n) <= ALL_DEALS_UP_TO:
        dealt = ranks[_deals(n, m)].sum(axis=1) - n * ranks.mean()
        return float(np.mean(np.abs(dealt) >= abs(surplus) - 1e-9))
    spread = sqrt(n * m / (n + m) * float(ranks.var(ddof=1)))
    return erfc(max(abs(float(surplus)) - 0.5, 0.0) / spread / sqrt(2)) if spread else 1.0


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1 on; equal values share the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: NDArray[np.float64] = (last - (counts - 1) / 2)[which.ravel()]
    return shared


@lru_cache(maxsize=32)
def _deals(n: int, m: int) -> NDArray[np.intp]:
    """Every choice of n of n + m places, a row each."""
    return np.array(list(combinations(range(n + m), n)), dtype=np.intp)
