"""A history for people: a line for each number, its trend as a row of bars, and where it changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from pytest_gotrace.escape import log_line
from pytest_gotrace.grid import grid
from pytest_gotrace.history import History, Series, Step
from pytest_gotrace.units import format_change, format_quantity

_BARS = "▁▂▃▄▅▆▇█"
#: As many bars as fit beside the rest; of a longer series each bar is the mean of several recordings.
_MOST_BARS = 24
_HEADER = ("benchmark", "metric", "what happened", "trend", "first", "last", "change", "noise")


def table(found: History, width: int) -> Iterator[str]:
    """Every series, the worst first, then what was left out and how many did not move."""
    rows = [
        (
            log_line(series.benchmark),
            log_line(str(series.key)),
            _story(series),
            _trend([point.value for point in series.points]),
            format_quantity(series.points[0].value, series.unit),
            format_quantity(series.points[-1].value, series.unit),
            format_change(series.change) if series.kind in ("steps", "creep") else "",
            f"{100 * series.noise:.2g} %",
        )
        for series in found.series
    ]
    yield from grid(_HEADER, rows, texts=4, width=width)
    moved = sum(series.kind in ("steps", "creep") for series in found.series)
    yield f"{found.recordings} recordings, {len(found.series)} numbers, {moved} of them moved"
    yield from (f"left out: {text}" for text in found.left_out)


def _story(series: Series) -> str:
    if series.kind == "few":
        return "too few recordings"
    if series.kind == "creep":
        return f"creeps by {format_change(series.per_recording)} each time"
    return "; ".join(map(_step, series.steps)) or "level"


def _step(step: Step) -> str:
    where = f"{step.after[:8] or '?'}..{step.upto[:8] or '?'}"
    when = f" on {step.when[:10]}" if step.when else ""
    return f"{format_change(step.change)} in {where}{when}"


def _trend(values: Sequence[float]) -> str:
    """One bar for each recording, or for several of them; as high as between the least and the most."""
    count = min(len(values), _MOST_BARS)
    edges = [round(i * len(values) / count) for i in range(count + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    low, high = min(means), max(means)
    if high - low <= 1e-9 * high:
        return _BARS[0] * count
    return "".join(_BARS[round((mean - low) / (high - low) * (len(_BARS) - 1))] for mean in means)
