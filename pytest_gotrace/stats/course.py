"""How one number went over many recordings: level, in steps, or creeping.

1. A single odd recording is no change: a value further than three standard deviations from the median of the five
   nearest is replaced by that median (Hampel, 1974).
2. Steps: the segmentation with the least squares plus a penalty for each step, found exactly by optimal
   partitioning (Jackson et al., 2005; PELT of Killick et al., 2012, is its fast form for series of millions).
3. Creep: one straight line, which costs as much as one step. The cheapest of nothing, line and steps holds, so a
   creep is not taken for a staircase nor a step for a slope.

The penalty is 2 log(n / alpha): by the union bound over the n places of a step, a series of independent normal
noise gets any with a probability of at most about alpha. The noise is that between neighbours, so that steps do not
count as noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_gotrace.stats.moderated import MAD_TO_SD

Floats = NDArray[np.float64]
Kind = Literal["few", "level", "steps", "creep"]

#: Fewer recordings than this on either side of a step are an accident until there are more.
SEGMENT_AT_LEAST = 3
#: Fewer values say nothing about their course.
VALUES_AT_LEAST = 2 * SEGMENT_AT_LEAST
NEIGHBOURS = 5
ODD_AT_SDS = 3.0
#: The noise of what never varies: on a scale of logarithms, one in a million.
LEAST_NOISE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The course of a series, on the scale of its values.

    `starts` are the first indices of the segments (the first is 0), `levels` their means; a creep has one segment
    for each end of its line. `slope` is per recording, 0 without a creep. `noise` is the standard deviation of one
    recording.
    """

    kind: Kind
    starts: tuple[int, ...]
    levels: tuple[float, ...]
    slope: float
    noise: float


def course(values: ArrayLike, errors: ArrayLike = (), alpha: float = 0.01) -> Course:
    """The course of `values`, in order and without NaN; `errors` are their standard errors, where they are known."""
    raw = np.asarray(values, dtype=np.float64)
    noise = _noise(raw, np.asarray(errors, dtype=np.float64))
    if len(raw) < VALUES_AT_LEAST:
        level = (float(np.median(raw)),) if len(raw) else ()
        return Course(kind="few", starts=(0,)[: len(raw)], levels=level, slope=0.0, noise=noise)
    x = _without_odd(raw, noise) / noise
    penalty = 2 * float(np.log(len(x) / alpha))
    starts, steps_cost = _segments(x, penalty)
    slope, ends, line_cost = _line(x)
    if line_cost + penalty < steps_cost:
        return Course(
            kind="creep",
            starts=(0, len(x) - 1),
            levels=(ends[0] * noise, ends[1] * noise),
            slope=slope * noise,
            noise=noise,
        )
    levels = tuple(float(part.mean() * noise) for part in np.split(x, starts[1:]))
    return Course(
        kind="steps" if len(starts) > 1 else "level", starts=starts, levels=levels, slope=0.0, noise=noise
    )


def _noise(x: Floats, errors: Floats) -> float:
    """From differences of neighbours, which know no steps; never below what the recordings know of themselves."""
    known = float(np.median(errors)) if errors.size else 0.0
    if len(x) < 3:
        return max(known, LEAST_NOISE)
    d = np.diff(x)
    seen = MAD_TO_SD * float(np.median(np.abs(d - np.median(d)))) / 2**0.5
    return max(known, seen, LEAST_NOISE)


def _without_odd(x: Floats, noise: float) -> Floats:
    first = np.clip(np.arange(len(x)) - NEIGHBOURS // 2, 0, len(x) - NEIGHBOURS)
    usual = np.median(x[first[:, None] + np.arange(NEIGHBOURS)], axis=1)
    return np.where(np.abs(x - usual) > ODD_AT_SDS * noise, usual, x)


def _segments(x: Floats, penalty: float) -> tuple[tuple[int, ...], float]:
    """Where the segments begin, and the cost: squares about their means, and `penalty` for each after the first."""
    n = len(x)
    centred = x - x.mean()  # sums of squares of large numbers would lose their digits
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    before = np.zeros(n + 1, dtype=np.int64)
    for end in range(SEGMENT_AT_LEAST, n + 1):
        begin = np.arange(0, end - SEGMENT_AT_LEAST + 1)
        spread = squares[end] - squares[begin] - (sums[end] - sums[begin]) ** 2 / (end - begin)
        cost = best[begin] + spread + penalty
        before[end] = begin[cost.argmin()]
        best[end] = cost.min()
    starts = [int(before[n])]
    while starts[-1]:
        starts.append(int(before[starts[-1]]))
    return tuple(reversed(starts)), float(best[n])


def _line(x: Floats) -> tuple[float, tuple[float, float], float]:
    """Slope, both ends and squares of the straight line through `x`."""
    t = np.arange(len(x)) - (len(x) - 1) / 2
    slope = float(t @ x / (t @ t))
    fitted = x.mean() + slope * t
    return slope, (float(fitted[0]), float(fitted[-1])), float(((x - fitted) ** 2).sum())
