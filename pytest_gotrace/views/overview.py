"""The trace itself: how long, how large, how much a second."""

from __future__ import annotations

from pytest_gotrace.views.listing import Kind, Listing, listing, note, total, worst
from pytest_gotrace.views.scope import Scope


def view(scope: Scope) -> tuple[Listing, ...]:
    """One row about the whole file, whatever part of it is looked at."""
    table = scope.table
    time = table.end - table.begin
    row = (
        str(table.wire),
        time,
        table.events,
        scope.size,
        scope.size * 1e9 / time if time else None,
        len(table.goroutines.id),
        "yes" if table.partial else "no",
    )
    columns = (
        note("wire"),
        total("time"),
        total("events", Kind.COUNT),
        total("bytes", Kind.BYTES),
        worst("bytes a second", Kind.RATE),
        total("goroutines", Kind.COUNT),
        note("partial"),
    )
    return (listing("trace", "Trace", columns, [row]),)
