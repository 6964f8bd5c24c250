"""What the program logged, in time order."""

from __future__ import annotations

import numpy as np

from pytest_gotrace.views.listing import Kind, Listing, listing, note
from pytest_gotrace.views.scope import Scope


def view(scope: Scope) -> tuple[Listing, ...]:
    """Logs of the goroutines and tasks looked at."""
    own, strings = scope.table.logs, scope.table.strings
    picked = (own.time >= scope.begin) & (own.time <= scope.end)
    if scope.tasks is not None:
        picked &= np.isin(own.task, scope.tasks)
    else:
        picked &= scope.has(own.goroutine)
    rows = np.flatnonzero(picked)
    found = [
        (
            int(own.time[row]) - scope.table.begin,
            int(own.goroutine[row]),
            strings[name],
            int(own.task[row]) & 0xFFFFFFFFFFFFFFFF,
            strings[own.category[row]],
            strings[own.message[row]],
        )
        for row, name in zip(rows.tolist(), scope.names(own.goroutine[rows]).tolist(), strict=True)
    ]
    columns = (
        note("at", Kind.MOMENT),
        note("goroutine", Kind.ID),
        note("function", Kind.FUNCTION),
        note("task", Kind.ID),
        note("category"),
        note("message"),
    )
    return (listing("logs", "Logs", columns, found),)
