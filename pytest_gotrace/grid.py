"""Rows of text as a table that fits the terminal: texts are folded where there is no room, numbers never are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_LEAST_TEXT = 24


def grid(header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int, width: int) -> Iterator[str]:
    """The table line by line. The first `texts` columns are names and lean left; the others are numbers."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for i, name in enumerate(header):
        widest = max((len(row[i]) for row in rows), default=0)
        table.add_column(
            name,
            justify="left" if i < texts else "right",
            overflow="fold",
            no_wrap=i >= texts,
            min_width=min(widest, _LEAST_TEXT) if i < texts else max(widest, len(name)),
        )
    for row in rows:
        table.add_row(*map(Text, row))  # names come from outside: they are text, not markup
    least = sum((column.min_width or 0) + 3 for column in table.columns)
    text = StringIO()
    Console(file=text, width=max(width, least)).print(table)
    yield from (line.rstrip() for line in text.getvalue().splitlines() if line.strip())
