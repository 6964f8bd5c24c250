"""From the test's scale back to values with units: both sides and the change between them."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_gotrace.stats.moderated import Effects, winsorise
from pytest_gotrace.stats.rows import Rows
from pytest_gotrace.stats.scale import Scales, backward, forward
from pytest_gotrace.stats.types import Sample, Summary

Floats = NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Described:
    """One row in the metric's unit. `change` is None where base is zero: there is no ratio to zero."""

    base: Summary
    head: Summary
    change: Summary | None
    difference: Summary


def summarize(sample: Sample) -> Summary | None:
    """A typical run of one side and its 95 % interval, None without any run.

    Geometric mean and its t interval, or the plain mean where a value is not positive.
    """
    values = sample[~np.isnan(sample)]
    if not values.size:
        return None
    logs = bool((values > 0).all())
    scaled = np.log(values) if logs else values
    center, half = float(scaled.mean()), float(_half_widths(scaled[None, :])[0])
    ends = np.array([center, center - half, center + half])
    if np.ptp(values) == 0:
        return Summary(
            center=float(values[0]), low=float(values[0]), high=float(values[0]), warnings=_few(values)
        )
    with np.errstate(over="ignore"):
        middle, low, high = (np.exp(ends) if logs else ends).tolist()
    return Summary(center=middle, low=low, high=high, warnings=_few(values))


def describe(rows: Rows, effects: Effects) -> list[Described]:
    """Every row of pairs in the metric's unit.

    Base and head lie half the estimated change below and above the middle of the pairs. So the two and their
    change always agree, also where an outlying pair was pulled in; otherwise each is the mean of its runs on
    the test's scale.
    """
    middle = winsorise((rows.base + rows.head) / 2)[0]
    present = ~np.isnan(middle)
    middle = np.where(present, middle, 0.0).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    effect, half = rows.scales.sign[:, 0] * effects.estimate, effects.half_width(CONFIDENCE)
    base, head = middle - effect / 2, middle + effect / 2
    of_base, of_head = _half_widths(rows.base), _half_widths(rows.head)
    ends = [base, base - of_base, base + of_base, head, head - of_head, head + of_head]
    ends += [base + effect - half, base + effect + half]
    with np.errstate(over="ignore", invalid="ignore"):
        values = backward(rows.scales, np.stack(ends, axis=1))
    return [
        _described(*row) for row in zip(_tidy(values, rows).tolist(), effects.pairs.tolist(), strict=True)
    ]


def relative(scales: Scales, base: Floats, shift: Floats) -> Floats:
    """By what share a base changes that gets worse by `shift` on the test's scale; not finite for 0."""
    column = base[:, None]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        moved = backward(scales, forward(scales, column) + scales.sign * shift[:, None])
        return np.asarray(np.abs(moved / column - 1)[:, 0])


def mean_intervals(rows: Floats) -> tuple[Floats, Floats]:
    """Mean of each column of `rows` (runs x columns), and half of its 95 % t interval; of at least two runs."""
    return np.asarray(rows.mean(axis=0)), _half_widths(rows.T)


def _half_widths(scaled: Floats) -> Floats:
    """Of the t interval of each row's mean; infinite below two values."""
    present = ~np.isnan(scaled)
    n = present.sum(axis=1)
    mean = np.where(present, scaled, 0.0).sum(axis=1) / np.maximum(n, 1)
    squares = np.where(present, (scaled - mean[:, None]) ** 2, 0.0).sum(axis=1)
    error = np.sqrt(squares / np.maximum(n - 1, 1) / np.maximum(n, 1))
    return np.where(n > 1, special.stdtrit(np.maximum(n - 1, 1), (1 + CONFIDENCE) / 2) * error, inf)


def _described(values: list[float], pairs: int) -> Described:
    base, base_low, base_high, head, head_low, head_high, low, high = values
    few = _few(range(pairs))
    difference = Summary(center=head - base, low=low - base, high=high - base, warnings=few)
    ratio = [(x - base) / abs(base) for x in (head, low, high)] if base else None
    return Described(
        base=Summary(center=base, low=base_low, high=base_high, warnings=few),
        head=Summary(center=head, low=head_low, high=head_high, warnings=few),
        change=Summary(center=ratio[0], low=ratio[1], high=ratio[2], warnings=few) if ratio else None,
        difference=difference,
    )


def _tidy(values: Floats, rows: Rows) -> Floats:
    """Twelve digits, so that 100 comes back from its logarithm as 100; no negative ends for sizes."""
    runs = np.concatenate([rows.base, rows.head], axis=1)
    sizes = ~(runs < 0).any(axis=1, keepdims=True)
    usable = np.isfinite(values) & (values != 0)
    digits = 10.0 ** (11 - np.floor(np.log10(np.abs(np.where(usable, values, 1.0)))))
    rounded = np.where(usable, np.rint(np.where(usable, values, 0.0) * digits) / digits, values)
    return np.where(sizes, np.maximum(rounded, 0.0), rounded)


def _few(runs: Sized) -> tuple[str, ...]:
    return () if len(runs) > 1 else ("need at least 2 runs for an interval, have 1",)
