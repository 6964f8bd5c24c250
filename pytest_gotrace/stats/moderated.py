"""Effect, noise and p-values of every cell: a paired t-test whose variance is shared among cells.

With six pairs the variance of one cell is badly known; the variances of all cells together are not. Following
Smyth (2004, "Linear models and empirical Bayes methods", the method of limma's squeezeVar), each cell's
variance is drawn towards what is usual. We draw only so far that no cell counts as quieter than halfway
between its own and the usual variance, which keeps the error rate in families of very unequal cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

#: Consistency factor: 1.4826 MAD estimates the standard deviation of normal noise.
MAD_TO_SD = 1.4826
CLIP_AT_MADS = 3.0
#: More outliers than this share of the pairs are not outliers, they are the noise.
CLIP_AT_MOST = 0.2
CELLS_FOR_OWN_PRIOR = 8
CELLS_FOR_PRIOR = 5
PRIOR_DF_AT_MOST = 50.0


@dataclass(frozen=True, slots=True)
class Effects:
    """Per cell, over its complete pairs. `values` are `differences` winsorised, NaN where incomplete."""

    differences: Floats
    values: Floats
    pairs: NDArray[np.int64]
    clipped: NDArray[np.int64]
    estimate: Floats
    variance: Floats
    df: Floats
    prior_df: Floats
    prior_variance: Floats
    exact: NDArray[np.bool_]

    @property
    def standard_error(self) -> Floats:
        """Of the estimate; 0 for an exact cell, NaN below two pairs."""
        return np.sqrt(self.variance / np.maximum(self.pairs, 1))

    def take(self, rows: NDArray[np.int64]) -> Effects:
        """The effects of these rows."""
        return Effects(*(getattr(self, field.name)[rows] for field in fields(self)))

    def half_width(self, confidence: float) -> Floats:
        """Of the confidence interval of the effect; infinite where nothing is known of the noise."""
        t = special.stdtrit(np.maximum(self.df, 1), (1 + confidence) / 2)
        return np.where(self.exact | (self.df > 0), t * self.standard_error, np.inf)

    def p_greater(self, than: Floats | float) -> Floats:
        """One-sided p-values of "the effect is at most `than`"; 1 where nothing can be said."""
        return self._tail(than - self.estimate)

    def p_less(self, than: Floats | float) -> Floats:
        """One-sided p-values of "the effect is at least `than`"; 1 where nothing can be said."""
        return self._tail(self.estimate - than)

    def _tail(self, distance: Floats) -> Floats:
        error = self.standard_error
        usable = (error > 0) & (self.df > 0)
        t = np.divide(distance, error, out=np.zeros_like(distance), where=usable)
        p = special.stdtr(np.where(usable, self.df, 1.0), t)
        # An exact cell has no doubt: it is on the one side or, a rounding error apart, on the other.
        certain = np.where(distance < -1e-9 * np.maximum(1.0, np.abs(self.estimate)), 0.0, 1.0)
        return np.where(usable, p, np.where(self.exact, certain, 1.0))


#: Today's variances, their degrees of freedom, and the family's prior (degrees of freedom, variance) -> a better one.
Recall = Callable[[Floats, Floats, tuple[Floats, Floats]], tuple[Floats, Floats]]


def analyse(differences: Floats, groups: Sequence[tuple[str, str]], recall: Recall | None = None) -> Effects:
    """Effects of `differences` (cells x pairs, NaN where a pair is incomplete).

    `groups` says per cell, as (form, kind), whose noise is alike: cells of different forms never share.
    `recall` puts what is known of single cells in the place of what is usual among them.
    """
    values, clipped = winsorise(differences)
    present = ~np.isnan(values)
    pairs = present.sum(axis=1)
    estimate = np.where(present, values, 0.0).sum(axis=1) / np.maximum(pairs, 1)
    spread = np.where(present, values - estimate[:, None], 0.0)
    exact = (pairs > 0) & (
        np.abs(spread).max(axis=1, initial=0.0) <= 1e-12 * np.maximum(1.0, np.abs(estimate))
    )
    own = _variance((spread**2).sum(axis=1), pairs, clipped)
    own[exact] = 0.0
    prior_df, prior_variance = _priors(own, pairs - 1, groups, usable=(pairs > 1) & ~exact)
    if recall is not None:
        prior_df, prior_variance = recall(own, (pairs - 1).astype(float), (prior_df, prior_variance))
    df = prior_df + np.maximum(pairs - 1, 0)
    posterior = (prior_df * prior_variance + (pairs - 1) * own) / np.maximum(df, 1)
    variance = np.where(exact, 0.0, np.maximum(posterior, (posterior + own) / 2))
    return Effects(
        differences, values, pairs, clipped, estimate, variance, df, prior_df, prior_variance, exact
    )


def winsorise(differences: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Pull values further than 3 MAD from the median in to there, and count them (cells x pairs, per cell).

    Only where they are at most a fifth of the pairs; the count is 0 for cells left alone.
    """
    centre = _median(differences)
    deviation = np.abs(differences - centre)
    reach = CLIP_AT_MADS * MAD_TO_SD * _median(deviation)
    outside = np.nan_to_num(deviation, nan=0.0) > reach
    count = outside.sum(axis=1)
    few = count <= np.floor(CLIP_AT_MOST * (~np.isnan(differences)).sum(axis=1))
    apply = (count > 0) & few & (reach[:, 0] > 0)
    pulled = np.clip(differences, centre - reach, centre + reach)
    return np.where(apply[:, None], pulled, differences), np.where(apply, count, 0)


def fit_prior(variances: Floats, df: Floats) -> tuple[float, float]:
    """Degrees of freedom d0 (at most 50) and variance s0^2 of the prior behind positive sample variances.

    Smyth (2004), section 6.2: log variances have a known spread from their degrees of freedom; what is left
    over is the spread of the true variances.
    """
    half = df / 2
    e = np.log(variances) - special.digamma(half) + np.log(half)
    left_over = float(e.var(ddof=1) - special.polygamma(1, half).mean())
    d0 = min(2 * trigamma_inverse(left_over), PRIOR_DF_AT_MOST) if left_over > 0 else PRIOR_DF_AT_MOST
    return d0, float(np.exp(e.mean() + special.digamma(d0 / 2) - np.log(d0 / 2)))


def trigamma_inverse(value: float) -> float:
    """The x > 0 with trigamma(x) = value, by the Newton iteration of Smyth (2004), appendix."""
    if value > 1e7:
        return float(1 / np.sqrt(value))
    if value < 1e-6:
        return 1 / value
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(special.polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, x))
        x += step
        if -step < 1e-8 * x:
            break
    return x


def _median(values: Floats) -> Floats:
    """Row medians that ignore NaN, of shape (rows, 1); NaN for rows with nothing else."""
    ordered = np.sort(values, axis=1)
    count = (~np.isnan(values)).sum(axis=1, keepdims=True)
    if not values.shape[1]:
        return np.full((len(values), 1), np.nan)
    lower = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=1)
    upper = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[1] - 1), axis=1)
    return np.asarray((lower + upper) / 2)


def _variance(squares: Floats, pairs: NDArray[np.int64], clipped: NDArray[np.int64]) -> Floats:
    """Variances, with Tukey's correction where some values were pulled in and only the rest is noise."""
    kept = pairs - clipped
    correction = (pairs - 1) * pairs / np.maximum(kept * (kept - 1), 1)
    return squares / np.maximum(pairs - 1, 1) * correction


def _priors(
    variances: Floats, df: NDArray[np.int64], groups: Sequence[tuple[str, str]], usable: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Prior per cell: from its own kind if that has 8 cells, else from all of its form, and none below 5."""
    prior_df, prior_variance = np.zeros(len(variances)), np.zeros(len(variances))
    form_of, kind_of = _codes([g[0] for g in groups]), _codes(groups)
    for codes, least in ((form_of, CELLS_FOR_PRIOR), (kind_of, CELLS_FOR_OWN_PRIOR)):
        for code in range(codes.max(initial=-1) + 1):
            members = codes == code
            source = members & usable & (variances > 0)
            if source.sum() >= least:
                prior_df[members], prior_variance[members] = fit_prior(
                    variances[source], df[source].astype(float)
                )
    return prior_df, prior_variance


def _codes(labels: Sequence[object]) -> NDArray[np.int64]:
    """Labels as small integers, numbered in order of appearance."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.int64)
