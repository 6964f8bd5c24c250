"""Pictures made of text: where the runs of both sides lie, and how the quantiles of their events moved.

The strip is plain text and survives everywhere; the chart is Mermaid, which GitHub and GitLab draw.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from pytest_gotrace.errors import UsageError
from pytest_gotrace.escape import mermaid
from pytest_gotrace.limit import read_limit
from pytest_gotrace.report import VerdictEntry
from pytest_gotrace.units import fitting, format_pair, format_quantity

#: Columns of a strip, and how a column with few or many runs looks.
_COLUMNS = 56
_HEIGHTS = "▁▂▃▄▅▆▇█"
_END = "┊"
_LABEL = "budget  "

#: Both colours have a contrast of 3 and more on white and on GitHub's dark grey; GitHub gives texts the reader's own.
_LOOK = (
    '%%{init: {"themeVariables": {"xyChart": {"backgroundColor": "transparent", '
    '"plotColorPalette": "#8c959f, #db6d28"}}, "xyChart": {"height": 320}}}%%'
)
#: A chart of quantiles is about `region[db]`, whichever of them the budget limits.
_STATISTIC = re.compile(r"\.\w+\Z")
#: From here on numbers take more room than the picture.
_READABLE = 1e15
#: Mermaid knows no exponents, and nobody reads a chart of such numbers.
_DRAWABLE = (1e-6, 1e9)


def strip(entry: VerdictEntry) -> str:
    """The runs of each side along one scale, the higher the more of them, and where the budget ends; "" without runs.

    Lines of at most 64 characters for a fenced block.
    """
    if entry.runs is None or not entry.runs.head:
        return ""
    if max(map(abs, (*entry.runs.base, *entry.runs.head))) >= _READABLE:
        return ""
    sides = {"base": entry.runs.base, "head": entry.runs.head}
    runs = [*entry.runs.base, *entry.runs.head]
    end = budget_end(entry)
    # A budget far away would press all runs into one column.
    near = end is not None and min(runs) - _span(runs) <= end <= max(runs) + _span(runs)
    scale = [*runs, end] if near and end is not None else runs
    counts = {side: Counter(_column(value, scale) for value in values) for side, values in sides.items()}
    mark = _column(end, scale) if near and end is not None else None
    most = max(max(count.values(), default=0) for count in counts.values())
    lines = [_axis(scale, entry.unit)]
    lines += [f"{side:<{len(_LABEL)}}{_track(count, most, mark)}" for side, count in counts.items() if count]
    lines += [_mark(mark, end, entry.unit)] if end is not None else []
    return "\n".join(line.rstrip() for line in lines)


def chart(entry: VerdictEntry) -> str:
    """A Mermaid chart of quantiles, bars for base and a line for head; "" where there is nothing that can be drawn.

    Bars and a line are told apart without colours, and without the legend that Mermaid does not have.
    """
    values = [value for quantile in entry.quantiles for value in (quantile.base, quantile.head)]
    top = max(values, default=0.0)
    unit = fitting(top, entry.unit)
    scaled = [value / unit.factor for value in values]
    if not (_DRAWABLE[0] < top / unit.factor < _DRAWABLE[1]) or min(values) < 0:
        return ""
    digits = max(0, 3 - math.floor(math.log10(top / unit.factor)))
    numbers = [f"{value:.{digits}f}" for value in scaled]
    names = ", ".join(f'"p{mermaid(f"{100 * quantile.probability:.4g}")}"' for quantile in entry.quantiles)
    return "\n".join(
        (
            _LOOK,
            "xychart-beta",  # newer versions take `xychart` as well, older ones only this
            f'  title "{mermaid(_STATISTIC.sub("", entry.metric))}"',
            f"  x-axis [{names}]",
            f'  y-axis "{unit.shown or "number"}" 0 --> {max(numbers, key=float)}',
            f"  bar [{', '.join(numbers[::2])}]",
            f"  line [{', '.join(numbers[1::2])}]",
        )
    )


def budget_end(entry: VerdictEntry) -> float | None:
    """The number beyond which head is over the entry's budget, in its unit; None where that cannot be said."""
    try:
        limit = read_limit(entry.budget, entry.unit)
    except UsageError:
        return None
    return limit.end(entry.base.center if entry.base else None)


def _span(values: Sequence[float]) -> float:
    return max(values) - min(values)


def _column(value: float, scale: Sequence[float]) -> int:
    span = _span(scale)
    return round((value - min(scale)) / span * (_COLUMNS - 1)) if span else 0


def _track(count: Counter[int], most: int, mark: int | None) -> str:
    columns = [_HEIGHTS[math.ceil(8 * count[at] / most) - 1] if count[at] else " " for at in range(_COLUMNS)]
    if mark is not None and columns[mark] == " ":
        columns[mark] = _END
    return "".join(columns)


def _axis(scale: Sequence[float], unit: str) -> str:
    """The ends of the scale above the ends of the tracks."""
    low, high = format_pair(min(scale), max(scale), unit)
    if not _span(scale):
        high = ""
    return " " * len(_LABEL) + low + high.rjust(_COLUMNS - len(low))


def _mark(mark: int | None, end: float, unit: str) -> str:
    """Where the budget ends, below its mark; a budget that is not in the picture is said."""
    said = format_quantity(end, unit)
    if mark is None:
        return f"{_LABEL}ends at {said}, outside this picture"
    text = f"{said} {_END}" if mark + len(said) >= _COLUMNS else f"{_END} {said}"
    before = mark - len(text) + 1 if text.endswith(_END) else mark
    return _LABEL + " " * before + text
