"""Go execution traces, bytes in, columns out: the wire formats of Go 1.22 to 1.27, as Go's own reader understands them.

The hot modules are compiled from the Python beside them when the package is built.
"""

from __future__ import annotations

from pytest_gotrace.trace import built  # noqa: F401  first, since it says what to do if the next ones fail
from pytest_gotrace.trace.names import Frame
from pytest_gotrace.trace.reader import read_trace
from pytest_gotrace.trace.table import (
    Goroutines,
    Logs,
    Metric,
    Metrics,
    Owner,
    PartKind,
    Parts,
    Ranges,
    Regions,
    Samples,
    State,
    States,
    Table,
    Tasks,
    join,
)
from pytest_gotrace.trace.version import WireVersion

__all__ = [
    "Frame",
    "Goroutines",
    "Logs",
    "Metric",
    "Metrics",
    "Owner",
    "PartKind",
    "Parts",
    "Ranges",
    "Regions",
    "Samples",
    "State",
    "States",
    "Table",
    "Tasks",
    "WireVersion",
    "join",
    "read_trace",
]
