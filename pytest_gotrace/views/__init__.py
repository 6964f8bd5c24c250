"""What one trace says, as small tables: views by name, each from columns to listings of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_gotrace.views import (
    collector,
    goroutines,
    logs,
    mutator,
    overview,
    processors,
    regions,
    tasks,
    waits,
)
from pytest_gotrace.views.listing import Column, Kind, Listing, Merge, Value
from pytest_gotrace.views.scope import Scope, scope

__all__ = ["VIEWS", "Column", "Kind", "Listing", "Merge", "Scope", "Value", "look", "scope"]

View = Callable[[Scope], tuple[Listing, ...]]

VIEWS: Mapping[str, View] = {
    "goroutines": goroutines.view,
    "regions": regions.view,
    "tasks": tasks.view,
    "logs": logs.view,
    **{name: waits.view(name) for name in waits.PROFILES},
    "gc": collector.gc,
    "mmu": mutator.view,
    "heap": collector.heap,
    "procs": processors.view,
}


def look(scope: Scope, name: str) -> tuple[Listing, ...]:
    """The listings of the view `name` of `VIEWS`; of `all` of them, behind an overview."""
    if name != "all":
        return VIEWS[name](scope)
    return (*overview.view(scope), *(shown for view in VIEWS.values() for shown in view(scope)))
