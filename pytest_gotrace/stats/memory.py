"""Noise remembered: the variance that a cell had in earlier recordings, as the prior of the one it has today.

The prior of `moderated` says what is usual among cells; this one says what is usual for the cell. It may only help as
long as today is like then, so

1. it counts for at most 20 degrees of freedom, however long the history is;
2. a day on which cells vary more than they used to makes all memories larger by as much; a quiet day changes nothing;
3. a cell that varies more than its memory allows (F test, 20 %) is judged as if there were none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_gotrace.stats.moderated import CELLS_FOR_PRIOR, winsorise
from pytest_gotrace.stats.rows import Rows
from pytest_gotrace.stats.scale import forward
from pytest_gotrace.stats.types import Cell

Floats = NDArray[np.float64]

DF_AT_MOST = 20.0
#: How rare a day's noise must be, were the memory right, for the memory to be wrong.
UNLIKE = 0.2


@dataclass(frozen=True, slots=True)
class Memory:
    """Per row: the variance of a difference in earlier recordings, and its degrees of freedom; 0 for none."""

    variance: Floats
    df: Floats


def remember(cells: Sequence[Cell], rows: Rows) -> Memory:
    """What the earlier pairs of the cells say, each on the scale of today's budget.

    Recordings differ in level, so only the scatter within each counts.
    """
    variance, df = np.zeros(len(rows.groups)), np.zeros(len(rows.groups))
    for i, cell in enumerate(cells):
        row = int(rows.decides[i])
        if cell.cap is None and row >= 0 and cell.earlier:
            scatter = [_scatter(rows, row, base, head) for base, head in cell.earlier]
            df[row] = sum(found for _, found in scatter)
            variance[row] = sum(squares for squares, _ in scatter) / max(df[row], 1.0)
    return Memory(variance, np.minimum(np.where(variance > 0, df, 0.0), DF_AT_MOST))


def _scatter(rows: Rows, row: int, base: Floats, head: Floats) -> tuple[float, float]:
    """Squares about the mean of one recording's differences, winsorised as today's are, and degrees of freedom."""
    scales = rows.scales.take(np.array([row]))
    with np.errstate(divide="ignore", invalid="ignore"):
        d = (forward(scales, head[None, :]) - forward(scales, base[None, :]))[0]
    d = winsorise(d[np.isfinite(d)][None, :])[0][0]
    return (float(((d - d.mean()) ** 2).sum()), float(len(d) - 1)) if len(d) > 1 else (0.0, 0.0)


def recall(memory: Memory, own: Floats, df: Floats, prior: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """The prior's degrees of freedom and variance per row, from memory where there is one that holds today.

    `own` are today's variances with `df` degrees of freedom; 0 for a row that does not vary.
    """
    known = (memory.df > 0) & (own > 0) & (df > 0)
    expected = np.where(known, memory.variance, 1.0) * _day(memory, own, df, known)
    ratio = np.where(known, own / expected, 0.0)
    like = special.fdtrc(np.maximum(df, 1), np.maximum(memory.df, 1), ratio) > UNLIKE
    use = known & like
    return np.where(use, memory.df, prior[0]), np.where(use, expected, prior[1])


def _day(memory: Memory, own: Floats, df: Floats, known: NDArray[np.bool_]) -> float:
    """How many times as much cells vary today, in the mean of logarithms; never below 1, and 1 for a few cells."""
    if known.sum() < CELLS_FOR_PRIOR:
        return 1.0
    today = np.log(own[known]) - _bias(df[known])
    then = np.log(memory.variance[known]) - _bias(memory.df[known])
    return float(np.exp(max(0.0, (today - then).mean())))


def _bias(df: Floats) -> Floats:
    """By how much the logarithm of a variance from so many degrees of freedom is too small in the mean."""
    return np.asarray(special.digamma(df / 2) - np.log(df / 2))
