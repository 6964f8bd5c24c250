"""Signs that runs are not what the test takes them for. They change no decision, they say what to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pytest_gotrace.stats.moderated import winsorise
from pytest_gotrace.stats.types import Sample

Floats = NDArray[np.float64]

ORDER_EFFECT_SDS = 1.0
LAG1_AT_MOST = 0.5
#: Two modes: a gap this many times as wide as the noise inside them, with this share of the runs on each
#: side. Of normal noise, 4 in 1000 samples of 14 show such a gap; with fewer runs it is too many.
MODE_GAP_SDS = 3.0
MODE_SHARE = 0.2
RUNS_FOR_MODES = 12
#: How rare in ordinary noise an order effect, a skewness or a ratio must be to be worth a word.
RARE = 0.01
#: Fewer pairs say nothing about order, correlation or shape.
PAIRS_AT_LEAST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """How the pairs of one cell behave. NaN where there are too few to say.

    `order_effect` is the median difference of pairs that ran base first less that of those that ran head
    first, `order_effect_sds` the same in standard deviations of a difference; `lag1` the correlation of
    neighbouring differences; `modes` the centres of two groups of runs per side, empty for one group;
    `skewness` that of the differences; `variance_ratio` head over base; `clipped` the share of pairs that the
    test would pull in. Differences are of logarithms, or plain where a value is not positive.
    """

    order_effect: float
    order_effect_sds: float
    lag1: float
    base_modes: tuple[float, ...]
    head_modes: tuple[float, ...]
    skewness: float
    variance_ratio: float
    clipped: float
    warnings: tuple[str, ...]


def _plain(value: float) -> str:
    return f"{value:.4g}"


def diagnose(
    base: Sample, head: Sample, base_first: ArrayLike, shown: Callable[[float], str] = _plain
) -> Diagnosis:
    """Diagnose one cell, pairs in the order they ran; `base_first[i]` says which run of pair i came first.

    `shown` writes a value of the cell for a person, with its unit.
    """
    complete = ~(np.isnan(base) | np.isnan(head))
    first = np.asarray(base_first, dtype=bool)[complete]
    base, head = base[complete], head[complete]
    positive = bool((np.concatenate([base, head]) > 0).all())
    x, y = (np.log(base), np.log(head)) if positive else (base, head)
    d = y - x
    effect, in_sds = _order_effect(d, first)
    lag1, skewness, ratio = _lag1(d), _skewness(d), _variance_ratio(x, y)
    clipped = float(winsorise(d[None, :])[1][0] / len(d)) if len(d) else 0.0
    modes = _modes(base), _modes(head)
    said = (
        _say_order(in_sds, _chance_order_effect(first)),
        _say_lag1(lag1),
        *_say_modes(*modes, shown=shown),
        _say_shape(d, skewness, x, ratio),
    )
    return Diagnosis(
        order_effect=effect,
        order_effect_sds=in_sds,
        lag1=lag1,
        base_modes=modes[0],
        head_modes=modes[1],
        skewness=skewness,
        variance_ratio=ratio,
        clipped=clipped,
        warnings=tuple(text for text in said if text),
    )


def _order_effect(d: Floats, base_first: NDArray[np.bool_]) -> tuple[float, float]:
    if len(d) < PAIRS_AT_LEAST or base_first.all() or not base_first.any():
        return np.nan, np.nan
    medians = np.where(base_first, np.median(d[base_first]), np.median(d[~base_first]))
    effect = float(np.median(d[base_first]) - np.median(d[~base_first]))
    within = float(np.sqrt(((d - medians) ** 2).sum() / (len(d) - 2)))
    return effect, effect / within if within else 0.0


def _chance_order_effect(base_first: NDArray[np.bool_]) -> float:
    """The order effect in standard deviations that normal noise exceeds once in a hundred."""
    first = int(base_first.sum())
    share = 1 / max(first, 1) + 1 / max(len(base_first) - first, 1)
    return float(special.ndtri(1 - RARE / 2) * np.sqrt(np.pi / 2 * share))


def _lag1(d: Floats) -> float:
    centred = d - d.mean() if len(d) else d
    total = float((centred**2).sum())
    return float((centred[1:] * centred[:-1]).sum()) / total if len(d) >= PAIRS_AT_LEAST and total else np.nan


def _modes(runs: Floats) -> tuple[float, ...]:
    """Centres of two groups, if the widest gap between runs is far wider than the noise inside them."""
    n, least = len(runs), int(np.ceil(MODE_SHARE * len(runs)))
    if n < RUNS_FOR_MODES:
        return ()
    ordered = np.sort(runs)
    gaps = np.diff(ordered)[least - 1 : n - least]
    cut = int(gaps.argmax()) + least
    groups = ordered[:cut], ordered[cut:]
    inside = np.sqrt(sum(float(((group - group.mean()) ** 2).sum()) for group in groups) / (n - 2))
    if gaps.max() <= MODE_GAP_SDS * inside:
        return ()
    return float(np.median(groups[0])), float(np.median(groups[1]))


def _skewness(d: Floats) -> float:
    centred = d - d.mean() if len(d) else d
    second = float((centred**2).mean()) if len(d) >= PAIRS_AT_LEAST else 0.0
    return float((centred**3).mean()) / second**1.5 if second else np.nan


def _variance_ratio(x: Floats, y: Floats) -> float:
    below = float(x.var(ddof=1)) if len(x) >= PAIRS_AT_LEAST else 0.0
    return float(y.var(ddof=1)) / below if below else np.nan


def _say_order(in_sds: float, by_chance: float) -> str:
    if not abs(in_sds) > max(ORDER_EFFECT_SDS, by_chance):
        return ""
    which = "first" if in_sds > 0 else "second"
    return (
        f"pairs that ran base {which} differ by {abs(in_sds):.1f} standard deviations from the others; "
        "the machine slows down or warms up within a pair: let it rest between runs"
    )


def _say_lag1(lag1: float) -> str:
    if not lag1 > LAG1_AT_MOST:
        return ""
    return f"neighbouring pairs are alike (correlation {lag1:.1f}); look for load that comes and goes"


def _say_modes(*sides: tuple[float, ...], shown: Callable[[float], str]) -> list[str]:
    named = [(name, modes) for name, modes in zip(("base", "head"), sides, strict=True) if modes]
    return [
        f"{name} runs fall into two groups, around {shown(modes[0])} and {shown(modes[1])}; find out why"
        for name, modes in named
    ]


def _say_shape(d: Floats, skewness: float, x: Floats, ratio: float) -> str:
    """Skewed differences or unequal noise: with either, the mean change is not the typical one."""
    limit = special.ndtri(1 - RARE / 2) * np.sqrt(6 / max(len(d), 1))
    if abs(skewness) > limit:
        return "the change is lopsided among pairs, so its mean is not typical; look at the single runs"
    df = len(x) - 1
    if ratio == ratio and min(special.fdtr(df, df, ratio), special.fdtrc(df, df, ratio)) < RARE / 2:
        return f"head varies {np.sqrt(ratio):.2g} times as much as base; look at the single runs"
    return ""
