"""Rows of columns gathered into groups: sums, maxima and percentiles, exact in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Column = NDArray[np.int64] | NDArray[np.int32]


class Groups:
    """Rows with the same code are one group; `keys` are the codes in order, and every answer is in that order.

    `first` is the first row of each group.
    """

    def __init__(self, codes: Column) -> None:
        self._codes = codes
        self._order = np.argsort(codes, kind="stable")
        self.keys, self._starts = np.unique(codes[self._order], return_index=True)
        self.first = self._order[self._starts]
        self.counts = np.diff(np.append(self._starts, len(codes)))

    def sum(self, values: Ints) -> Ints:
        if len(values) == 0:
            return np.zeros(0, dtype=np.int64)
        return np.add.reduceat(values[self._order].astype(np.int64), self._starts)

    def max(self, values: Ints) -> Ints:
        return self.quantiles(values, (1.0,))[0]

    def quantiles(self, values: Ints, probabilities: tuple[float, ...]) -> list[Ints]:
        """For each probability the smallest value of each group that this share of its values does not exceed."""
        ordered = values[np.lexsort((values, self._codes))]
        return [
            ordered[self._starts + np.maximum(np.ceil(self.counts * share).astype(np.int64) - 1, 0)]
            for share in probabilities
        ]


def combined(*columns: Column) -> Ints:
    """One code for each combination of the columns' codes."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        distinct, which = np.unique(column, return_inverse=True)
        codes = np.unique(codes * max(len(distinct), 1) + which.ravel(), return_inverse=True)[1].ravel()
    return codes.astype(np.int64)
