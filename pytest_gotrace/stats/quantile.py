"""One number of a run's events: its quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

#: Above this many events the Harrell-Davis estimate and the plain quantile agree, and the plain one is
#: cheaper.
HARRELL_DAVIS_UP_TO = 5000

#: Events that must lie on either side of a quantile for a run to say anything about it.
EVENTS_BEYOND = 5

# The weights further out than this probability cannot be seen in a double.
_TAIL = 1e-20


def quantiles(events: ArrayLike, probs: Sequence[float]) -> NDArray[np.float64]:
    """The quantiles `probs` of one run's events, in the events' unit; NaN for each if there are no events.

    Harrell and Davis (1982), a weighted mean of all order statistics: in tails it varies less from run to run
    than any single order statistic. Above 5000 events the usual interpolation (type 7 of Hyndman and Fan).
    """
    values = np.asarray(events, dtype=np.float64)
    if not values.size:
        return np.full(len(probs), np.nan)
    if values.size > HARRELL_DAVIS_UP_TO:
        return np.asarray(np.quantile(values, probs), dtype=np.float64)
    ordered = np.sort(values)
    return np.array([_harrell_davis(ordered, p) for p in probs])


def events_needed(p: float) -> int:
    """Events a run needs so that five lie on either side of its quantile `p`: 10 for p50, 500 for p99."""
    if not 0 < p < 1:
        return 1
    return ceil(round(EVENTS_BEYOND / min(p, 1 - p), 6))


def _harrell_davis(ordered: NDArray[np.float64], p: float) -> float:
    if not 0 < p < 1:
        return float(ordered[0] if p <= 0 else ordered[-1])
    first, weights = _weights(len(ordered), p)
    return float(weights @ ordered[first : first + len(weights)])


@lru_cache(maxsize=4096)
def _weights(n: int, p: float) -> tuple[int, NDArray[np.float64]]:
    """The first weight that matters, and the weights: Beta((n+1)p, (n+1)(1-p)) over each (i/n, (i+1)/n)."""
    a, b = (n + 1) * p, (n + 1) * (1 - p)
    first = int(n * special.betaincinv(a, b, _TAIL))
    last = min(n, ceil(n * special.betainccinv(a, b, _TAIL)) + 1)
    weights = np.diff(special.betainc(a, b, np.arange(first, last + 1) / n))
    weights.flags.writeable = False
    return first, weights
