"""Rows of columns gathered into groups: sums, maxima and percentiles, exact in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Column = NDArray[np.int64] | NDArray[np.int32] | NDArray[np.bool_]

_LARGEST = 2**62


class Groups:
    """Rows with the same code are one group; `keys` are the codes in order, and every answer is in that order.

    `first` is the first row of each group.
    """

    def __init__(self, codes: Column) -> None:
        self._codes = codes
        self._order = np.argsort(codes, kind="stable")
        ordered = codes[self._order]
        self._starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(codes)])
        self.keys, self.first = ordered[self._starts], self._order[self._starts]
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
    """One code for each combination of the columns' codes, in their order: the digits of one number.

    Nothing is sorted, unless the number would have more than 62 bits; then what is there is numbered anew.
    """
    codes, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns if len(codes) else ():
        digits, base = column.astype(np.int64) - int(column.min()), int(column.max()) - int(column.min()) + 1
        if size * base > _LARGEST:
            (codes, size), (digits, base) = _numbered(codes), _numbered(digits)
        codes, size = codes * base + digits, size * base
    return codes


def _numbered(codes: Ints) -> tuple[Ints, int]:
    distinct, which = np.unique(codes, return_inverse=True)
    return which.ravel().astype(np.int64), len(distinct)
