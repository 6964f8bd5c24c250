"""One trace as a table for people: every series with its distribution."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_gotrace.distributions import built_in_metrics, extract
from pytest_gotrace.escape import log_line
from pytest_gotrace.metrics import STATISTICS, unit_of
from pytest_gotrace.rounds import whole_trace
from pytest_gotrace.trace import join, read_trace
from pytest_gotrace.units import format_quantity


def table(path: str | Path) -> Iterator[str]:
    """The lines of the table; `total` is of the whole trace. Raises `TraceError`."""
    whole = join(read_trace(path))
    yield f"{path}: {whole.wire}, {format_quantity(whole.end - whole.begin, 'ns')}, {whole.events} events"
    series = extract(whole_trace(whole), built_in_metrics())
    shown = Table("series", *STATISTICS, box=box.SIMPLE)
    for column in shown.columns[1:]:
        column.justify = "right"
    for key, distribution in series.items():
        unit = unit_of(key)
        numbers = (
            str(distribution.count)
            if name == "count"
            else format_quantity(distribution.statistic(name), unit)
            for name in STATISTICS
        )
        shown.add_row(Text(log_line(str(key))), *(Text(number) for number in numbers))
    text = StringIO()
    Console(file=text, width=max(100, Console().width)).print(shown)
    yield from (line.rstrip() for line in text.getvalue().splitlines())
