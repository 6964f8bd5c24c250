"""Compare the Go execution traces of two revisions against a budget.

What a `conftest.py` or a test may want to name is listed here and resolved on first use, so that importing the package
costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_gotrace.errors import ExitCode, GotraceError
    from pytest_gotrace.metrics import Key, Metric
    from pytest_gotrace.report import Report
    from pytest_gotrace.rounds import Round
    from pytest_gotrace.stats import Cell, Comparison, Plan
    from pytest_gotrace.trace import read_trace
    from pytest_gotrace.verdict import Outcome, Verdict

_HOME = {
    "Cell": "stats",
    "Comparison": "stats",
    "ExitCode": "errors",
    "GotraceError": "errors",
    "Key": "metrics",
    "Metric": "metrics",
    "Outcome": "verdict",
    "Plan": "stats",
    "Report": "report",
    "Round": "rounds",
    "Verdict": "verdict",
    "read_trace": "trace",
}

__all__ = [
    "Cell",
    "Comparison",
    "ExitCode",
    "GotraceError",
    "Key",
    "Metric",
    "Outcome",
    "Plan",
    "Report",
    "Round",
    "Verdict",
    "read_trace",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"pytest_gotrace.{_HOME[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("pytest-gotrace")
    raise AttributeError(f"module 'pytest_gotrace' has no attribute {name!r}")
