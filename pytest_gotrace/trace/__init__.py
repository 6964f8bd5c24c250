"""Go execution traces, bytes in, columns out: the wire formats of Go 1.22 to 1.27, as Go's own reader understands them.

The hot modules are compiled from the Python beside them when the package is built.
"""

from __future__ import annotations

try:
    from pytest_gotrace.trace.reader import read_trace
except ImportError as missing:
    if "cython" not in str(missing).lower() and not str(getattr(missing, "path", "")).endswith(".py"):
        raise
    raise ImportError(
        "the compiled modules of pytest_gotrace.trace are missing; build them with `pip install -e .` "
        "(or `python setup.py build_ext --inplace`) in the source tree, or install a wheel"
    ) from missing
from pytest_gotrace.trace.names import Frame
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
    "State",
    "States",
    "Table",
    "Tasks",
    "WireVersion",
    "join",
    "read_trace",
]
