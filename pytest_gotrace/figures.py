"""The pictures of the HTML report, as data: what plotly draws, and the same in words and as a table.

A figure is plain dictionaries in plotly's own terms. A colour is written as `--name`, a token of `report.css` that has
one value on light and one on dark paper. What stands in a picture as text went through `label`, for plotly reads a
little HTML there.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_gotrace.errors import UsageError
from pytest_gotrace.escape import shorten, visible
from pytest_gotrace.limit import Limit, parse_limit
from pytest_gotrace.metrics import parse_key
from pytest_gotrace.report import QuantileShift, Runs, VerdictEntry
from pytest_gotrace.sentences import found_text
from pytest_gotrace.units import format_pair, format_quantity, scale_for

#: Half the distance on the axis between the two runs of a pair: the left one ran first.
_APART = 0.16

#: Of more pairs not every one has its number on the axis.
_MOST_TICKS = 20

_LABEL_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One picture: `kind` has its layout in `LAYOUTS`, `layout` what differs from that.

    `text` is a sentence for who does not see it, `rows` under `head` are all of it as text.
    """

    kind: str
    title: str
    text: str
    traces: Sequence[dict[str, Any]]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    layout: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """For JSON. `dataclasses.asdict` copies every number, which takes longer than all the rest."""
        return {name: getattr(self, name) for name in self.__slots__}


_RUNS: dict[str, Any] = {
    "height": 280,
    "xaxis": {"title": {"text": "pair, in measuring order"}, "showgrid": False, "tickformat": "d"},
    "yaxis": {"rangemode": "nonnegative"},
}
#: With room for all of the dot at 99; what people call by name has its number.
_PERCENTS: dict[str, Any] = {
    "title": {"text": "percentile of a run's events"},
    "range": [0, 104],
    "tickvals": [10, 50, 90, 99],
    "anchor": "y2",
}
_SHIFT: dict[str, Any] = {
    "height": 380,
    "xaxis": _PERCENTS,
    "yaxis": {"domain": [0.47, 1], "title": {"text": "events"}},
    "yaxis2": {"domain": [0, 0.37], "title": {"text": "shift"}, "zeroline": True},
}

#: By the kind of a figure.
LAYOUTS: dict[str, dict[str, Any]] = {
    "runs": _RUNS,
    "shift": _SHIFT,
    "states": {
        "barmode": "stack",
        "xaxis": {"title": {"text": "per operation"}, "showgrid": False, "ticks": "outside"},
        "yaxis": {"autorange": "reversed", "showgrid": False},
        "legend": {"traceorder": "normal"},
    },
    "stacks": {"margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "uniformtext": {"minsize": 10, "mode": "hide"}},
    "heap": {
        "height": 320,
        "xaxis": {"title": {"text": "ms since the trace began"}, "anchor": "y2"},
        "yaxis": {"domain": [0.3, 1], "rangemode": "tozero"},
        "yaxis2": {
            "domain": [0, 0.16],
            "type": "category",
            "categoryarray": ["head", "base"],
            "range": [-0.6, 1.6],
            "showgrid": False,
        },
    },
}


def metric_figures(entry: VerdictEntry) -> Iterator[Figure]:
    """What is known of one metric beside its verdict: its runs, and how the quantiles of its events moved."""
    if entry.runs is not None and entry.runs.head:
        yield runs_figure(entry, entry.runs)
    if entry.quantiles:
        yield shift_figure(entry, entry.quantiles)


def runs_figure(entry: VerdictEntry, runs: Runs) -> Figure:
    """One dot a run, pairs joined, with what the budget allows: drift and two modes become visible."""
    ends = budget_ends(entry)
    divisor, symbol = scale_for((*runs.base, *runs.head, *ends), entry.unit)
    base_at, head_at = _places(runs)
    base, head = ([number(value / divisor) for value in side] for side in (runs.base, runs.head))
    joined = list(zip(base_at, head_at, base, head, strict=False))
    traces = [
        _line(
            [x for left, right, _, _ in joined for x in (left, right, None)],
            [y for _, _, left, right in joined for y in (left, right, None)],
            line={"color": "--line", "width": 1.5},
            hoverinfo="skip",
            showlegend=False,
        ),
        _dots("base", base_at, base, symbol, marker={"color": "--base", "symbol": "circle-open"}),
        _dots("head", head_at, head, symbol, marker={"color": "--head", "symbol": "circle"}),
        *_budget(entry, [end / divisor for end in ends], len(runs.head), symbol),
    ]
    return Figure(
        kind="runs",
        title="Run by run",
        text=f"{len(runs.head)} runs a side, joined pair by pair: {found_text(entry)}."
        + (f" The budget is {entry.budget}." if entry.budget else ""),
        traces=traces if runs.base else traces[2:],
        head=("pair", "base", "head", "first"),
        rows=[(str(pair), *texts, first) for pair, (texts, first) in enumerate(_spoken(runs, entry.unit), 1)],
        layout={
            "xaxis": {"dtick": 1 if len(runs.head) <= _MOST_TICKS else None},
            "yaxis": _amounts(entry, symbol),
        },
    )


def shift_figure(entry: VerdictEntry, quantiles: Sequence[QuantileShift]) -> Figure:
    """Quantiles of both sides, and below them the shift of each with its interval (a shift function)."""
    divisor, symbol = scale_for((x for q in quantiles for x in (q.base, q.head)), entry.unit)
    percents = [number(100 * q.probability) for q in quantiles]
    base, head = ([number(x / divisor) for x in side] for side in _sides(quantiles))
    shifts = [q.difference for q in quantiles]
    traces = [
        _dots("base", percents, base, symbol, mode="lines+markers", line={"color": "--base"}),
        _dots("head", percents, head, symbol, mode="lines+markers", line={"color": "--head"}),
        _dots(
            "shift",
            percents,
            [number(shift.center / divisor) for shift in shifts],
            symbol,
            marker={"color": [_direction(shift.low, shift.high) for shift in shifts]},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [number((shift.high - shift.center) / divisor) for shift in shifts],
                "arrayminus": [number((shift.center - shift.low) / divisor) for shift in shifts],
                "color": "--soft",
                "thickness": 1.5,
                "width": 3,
            },
            yaxis="y2",
            showlegend=False,
        ),
    ]
    suffix = _suffix(symbol)
    return Figure(
        kind="shift",
        title="Quantiles, and how far each moved",
        text=_shift_text(quantiles),
        traces=traces,
        head=("percentile", "base", "head", "shift", "interval"),
        rows=[tuple(_shift_row(q, entry.unit)) for q in quantiles],
        layout={"yaxis": suffix, "yaxis2": suffix},
    )


def budget_ends(entry: VerdictEntry) -> tuple[float, ...]:
    """Where the budget ends, in the entry's unit: the base and what it allows on top, the cap, or both.

    Empty where the report does not say enough, as for a metric of a plugin.
    """
    try:
        limit = parse_limit(entry.budget, parse_key(entry.metric)) if entry.budget else Limit()
    except UsageError:
        return ()
    ends = [limit.cap] if limit.cap is not None else []
    if entry.base is not None and not (limit.relative is None and limit.absolute is None):
        allowed = max((limit.relative or 0) * abs(entry.base.center), limit.absolute or 0)
        ends.append(entry.base.center + (allowed if limit.better == "lower" else -allowed))
    return tuple(ends)


def label(text: str) -> str:
    """A name as plotly shows it: one line, cut, and none of it read as plotly's HTML."""
    return html.escape(shorten(visible(text), _LABEL_CHARACTERS), quote=False)


def number(value: float) -> float | None:
    """Five digits are more than anybody sees; what is not finite is a gap."""
    return float(f"{value:.5g}") if math.isfinite(value) else None


def signed(value: float, unit: str) -> str:
    """`+271 µs`: a difference."""
    return ("+" if value > 0 else "") + format_quantity(value, unit)


def _suffix(symbol: str) -> dict[str, Any]:
    return {"ticksuffix": f" {symbol}".rstrip()}


def _amounts(entry: VerdictEntry, symbol: str) -> dict[str, Any]:
    """An axis of what one run gave: its numbers have a unit, or the axis says what is counted."""
    counted = {"title": {"text": label(entry.metric)}} if entry.unit == "1" else {}
    return _suffix(symbol) | counted


def _places(runs: Runs) -> tuple[list[float], list[float]]:
    """Where base and head stand on the axis of pairs: side by side, the one that ran first on the left."""
    if not runs.base:
        return [], [float(pair) for pair in range(1, len(runs.head) + 1)]
    base = [pair - _APART if first else pair + _APART for pair, first in enumerate(_first(runs), 1)]
    return base, [round(2 * round(at) - at, 2) for at in base]


def _first(runs: Runs) -> list[bool]:
    """Whether base ran first; where nobody says, it did."""
    unknown = max(len(runs.base), len(runs.head)) - len(runs.base_first)
    return [*runs.base_first, *([True] * unknown)]


def _spoken(runs: Runs, unit: str) -> Iterator[tuple[tuple[str, str], str]]:
    if not runs.base:
        yield from ((("", format_quantity(head, unit)), "head") for head in runs.head)
    for base, head, first in zip(runs.base, runs.head, _first(runs), strict=False):
        yield format_pair(base, head, unit), "base" if first else "head"


def _budget(entry: VerdictEntry, ends: Iterable[float], pairs: int, symbol: str) -> Iterator[dict[str, Any]]:
    blocks = entry.level == "fail" and entry.waived is None
    for end in ends:
        yield _line(
            [0.5, pairs + 0.5],
            [number(end)] * 2,
            name=label(f"budget {entry.budget}"),
            line={"color": "--over" if blocks else "--doubt", "width": 1.5, "dash": "dash"},
            hovertemplate=f"%{{y}} {symbol}".rstrip(),
        )


def _line(x: Sequence[float | None], y: Sequence[float | None], **how: Any) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, **how}


def _dots(
    name: str, x: Sequence[float | None], y: Sequence[float | None], symbol: str, **how: Any
) -> dict[str, Any]:
    marker = {"size": 8, **how.pop("marker", {})}
    seen = f"%{{y:.4~g}} {symbol}".rstrip()
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": x,
        "y": y,
        "marker": marker,
        "hovertemplate": seen,
        **how,
    }


def _sides(quantiles: Sequence[QuantileShift]) -> tuple[list[float], list[float]]:
    return [q.base for q in quantiles], [q.head for q in quantiles]


def _direction(low: float, high: float) -> str:
    """The colour of a change: that of head where it grew, of base where it shrank, else neither."""
    return "--head" if low > 0 else "--base" if high < 0 else "--soft"


def _shift_text(quantiles: Sequence[QuantileShift]) -> str:
    up = sum(q.difference.low > 0 for q in quantiles)
    down = sum(q.difference.high < 0 for q in quantiles)
    return f"Of {len(quantiles)} quantiles {up} moved up and {down} down by more than their intervals."


def _shift_row(shift: QuantileShift, unit: str) -> Iterator[str]:
    yield f"{100 * shift.probability:g}"
    yield from format_pair(shift.base, shift.head, unit)
    yield signed(shift.difference.center, unit)
    yield f"{signed(shift.difference.low, unit)} to {signed(shift.difference.high, unit)}"
