"""The runs behind a verdict, as a picture needs them: a number of each, and how the quantiles of their events moved."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.distributions import PROBABILITIES
from pytest_gotrace.explanation import Interval
from pytest_gotrace.judge import paired
from pytest_gotrace.metrics import Key
from pytest_gotrace.recording import Run
from pytest_gotrace.report import Events, QuantileShift, Runs
from pytest_gotrace.stats import mean_intervals

#: Digits of a number in a picture: more than it can show.
_DIGITS = 6


def runs_of(base: Sequence[Run], head: Sequence[Run], key: Key) -> Runs | None:
    """The number of each pair of runs, or of the head alone where there is no base; None where there is no number."""
    if not base:
        alone = tuple(_short(number) for run in head if (number := run.number(key)) == number)
        return Runs(head=alone) if alone else None
    before, after, base_first = paired(base, head, key)
    both = ~(np.isnan(before) | np.isnan(after))
    if not both.any():
        return None
    first = tuple(np.array(base_first, dtype=bool)[both].tolist())
    return Runs(base=_all_short(before[both]), head=_all_short(after[both]), base_first=first)


def quantile_shifts(base: Sequence[Run], head: Sequence[Run], key: Key) -> tuple[QuantileShift, ...]:
    """How each decile of a run's events, and the 99th percentile, moved from base to head: means over the pairs.

    The interval is that of the mean of the pairs' differences, 95 %. Nothing for what has no events, nor for what moved
    because there are more or fewer of them: each may be as long as ever, and a picture would say that nothing moved.
    """
    if _by_number(base, head, key):
        return ()
    earlier = {run.round: run for run in base if key.series in run.series}
    pairs = [(earlier[run.round], run) for run in head if run.round in earlier and key.series in run.series]
    if not key.statistic or len(pairs) < 2:
        return ()
    before, after = (_quantiles(runs, key) for runs in zip(*pairs, strict=True))
    center, half = mean_intervals(after - before)
    columns = (before.mean(axis=0), after.mean(axis=0), center, center - half, center + half)
    return tuple(
        QuantileShift(
            probability=probability,
            base=earlier_one,
            head=later_one,
            difference=Interval(center=middle, low=low, high=high),
        )
        for probability, earlier_one, later_one, middle, low, high in zip(
            PROBABILITIES, *map(_all_short, columns), strict=True
        )
    )


def events_of(base: Sequence[Run], head: Sequence[Run], key: Key) -> Events | None:
    """What a `.total` is made of; None for every other number, and where neither side has an event."""
    if key.statistic != "total" or not any(key.series in run.series for run in (*base, *head)):
        return None
    (base_number, base_length), (head_number, head_length) = (_events(runs, key) for runs in (base, head))
    return Events(
        base_number=base_number, head_number=head_number, base_length=base_length, head_length=head_length
    )


def _events(runs: Sequence[Run], key: Key) -> tuple[float, float]:
    """The number of events in an operation and the length of one, over all the runs."""
    found = [run.series[key.series] for run in runs if key.series in run.series]
    count, operations = sum(events.count for events in found), sum(run.iterations for run in runs)
    length = sum(events.mean * events.count for events in found)
    return _short(count / max(operations, 1)), _short(length / max(count, 1))


def _by_number(base: Sequence[Run], head: Sequence[Run], key: Key) -> bool:
    """Whether the number of events moved the key, and their lengths hardly did: by less than a third, as factors go."""
    events = events_of(base, head, key)
    if events is None:
        return key.statistic == "count"
    return _factor(events.more) > _factor(events.longer) ** 2


def _factor(ratio: float) -> float:
    """How far a ratio is from 1, whichever way."""
    return max(ratio, 1 / ratio) if ratio else inf


def _quantiles(runs: Sequence[Run], key: Key) -> NDArray[np.float64]:
    return np.array([run.series[key.series].quantiles for run in runs], dtype=np.float64)


def _all_short(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(map(_short, numbers.tolist()))


def _short(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")
