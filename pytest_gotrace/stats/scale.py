"""The scale on which "got worse by more than max(r * base, a)" is one fixed distance.

    g(x) = L x / a              below the knee x0 = a / r       L = log(1 + r), or -log(1 - r) where higher is
    better g(x) = L / r + log(x / x0)  from the knee on

Then a cell is over its budget exactly when g(head) - g(base) > L: below the knee the absolute part of the
budget decides, above it the relative one. Zeros are ordinary values. The limits of it:

* only a relative budget: g = log. A value that is not positive has no place there, so such a cell cannot be
  judged, except where base is always 0: then its budget is 0 as well and the plain difference is tested
  against it;
* only an absolute budget: g(x) = x / s. The typical value s makes the noise of such cells comparable with
  that of the others, nothing else;
* a cap: knee at the cap, and head alone is tested against g(cap) = 1; a cap of 0 uses the plain value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import inf, log1p

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.stats.types import Better, Cell

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scale:
    """g(x) = slope * x below `knee`, offset + log(x / unit) from there on; `beta` is the budget on it.

    `sign` is -1 where higher is better, so that a change for the worse is always positive.
    """

    knee: float
    unit: float
    offset: float
    slope: float
    beta: float
    sign: float = 1.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What choosing a scale needs to know of the values: the smallest, and the mean size of either side."""

    lowest: float
    base: float
    head: float
    base_always_zero: bool


NEEDS_FLOOR = "values of 0 have no relative change; give the budget an absolute floor as well"


def choose(cell: Cell, facts: Facts) -> Scale | str:
    """The scale for a cell, or a sentence why there is none."""
    if cell.cap is not None:
        return _capped(cell.cap, cell.better, facts)
    if cell.relative and cell.absolute:
        return _lin_log(cell.relative, cell.absolute, cell.better)
    if facts.base_always_zero or (cell.absolute is not None and not cell.relative):
        return _plain(cell.absolute or 0.0, cell.better, facts)
    if facts.lowest > 0:
        return _log(cell.relative or 0.0, cell.better)
    return NEEDS_FLOOR if cell.gated else _plain(0.0, cell.better, facts)


def forward(scales: Scales, values: Floats) -> Floats:
    """g of `values` (cells x runs), without the sign; NaN stays NaN."""
    upper = values >= scales.knee
    logs = scales.offset + np.log(np.where(upper, values, 1.0) / scales.unit)
    return np.where(upper, logs, scales.slope * values)


def backward(scales: Scales, shifted: Floats) -> Floats:
    """The values whose g is `shifted` (cells x anything)."""
    upper = shifted >= scales.bend
    values = scales.unit * np.exp(np.where(upper, shifted - scales.offset, 0.0))
    return np.where(upper, values, shifted / np.where(scales.slope > 0, scales.slope, 1.0))


@dataclass(frozen=True, slots=True)
class Scales:
    """Scales of many cells as columns of shape (cells, 1); `bend` is g(knee), where the way back changes."""

    knee: Floats
    unit: Floats
    offset: Floats
    slope: Floats
    beta: Floats
    sign: Floats
    bend: Floats

    def take(self, rows: NDArray[np.int64]) -> Scales:
        """The scales of these rows."""
        return Scales(*(getattr(self, field.name)[rows] for field in fields(self)))


def stack(scales: Sequence[Scale]) -> Scales:
    """Many scales as columns."""
    table = np.array([(s.knee, s.unit, s.offset, s.slope, s.beta, s.sign) for s in scales]).reshape(-1, 6)
    knee, unit, offset, slope, beta, sign = table.T[:, :, None]
    bends = (knee > 0) & np.isfinite(knee)
    at_knee = offset + np.log(np.where(bends, knee, 1.0) / unit)
    return Scales(
        knee, unit, offset, slope, beta, sign, np.where(bends, at_knee, np.where(knee > 0, inf, -inf))
    )


def _sign(better: Better) -> float:
    return 1.0 if better == "lower" else -1.0


def _distance(relative: float, better: Better) -> float:
    return log1p(relative) if better == "lower" else -log1p(-relative)


def _lin_log(relative: float, absolute: float, better: Better) -> Scale:
    beta, knee = _distance(relative, better), absolute / relative
    return Scale(
        knee=knee, unit=knee, offset=beta / relative, slope=beta / absolute, beta=beta, sign=_sign(better)
    )


def _log(relative: float, better: Better) -> Scale:
    return Scale(
        knee=0.0, unit=1.0, offset=0.0, slope=0.0, beta=_distance(relative, better), sign=_sign(better)
    )


def _plain(absolute: float, better: Better, facts: Facts) -> Scale:
    size = max(facts.base, absolute) or facts.head or 1.0
    return Scale(knee=inf, unit=1.0, offset=0.0, slope=1 / size, beta=absolute / size, sign=_sign(better))


def _capped(cap: float, better: Better, facts: Facts) -> Scale:
    sign = _sign(better)
    if cap <= 0:
        size = abs(cap) or facts.head or 1.0
        return Scale(knee=inf, unit=1.0, offset=0.0, slope=1 / size, beta=sign * cap / size, sign=sign)
    # At the cap both branches are 1 and rise by 1/cap.
    return Scale(knee=cap, unit=cap, offset=1.0, slope=1 / cap, beta=sign, sign=sign)
