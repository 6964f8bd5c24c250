"""Runs of two sides in, a decision per cell out. Knows arrays, and nothing of traces, benchmarks or files.

    cells = [Cell(base=base, head=head, relative=0.05, kind="ns/op"), ...]
    comparisons = judge(cells, look=0, plan=Plan())

The procedure, in one paragraph: every run gives one number per cell; base and head runs are pairs, back to
back; the differences of pairs are tested against the cell's *budget*, once for being over it and once for
being within, with a t-test whose variance is shared among cells. Being over is corrected for the number of
cells and of looks, so that a pull request with every cell exactly at its budget fails with 5 %. What is
neither is inconclusive and says how many more pairs would tell.

Importing this costs no scipy; that waits for the first name that computes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_gotrace.stats.types import (
    PAIRS_TO_FAIL,
    PAIRS_TO_PASS,
    Cell,
    Comparison,
    Decision,
    Plan,
    Sample,
    Summary,
)

if TYPE_CHECKING:
    from pytest_gotrace.stats.describe import mean_intervals, summarize
    from pytest_gotrace.stats.diagnostics import Diagnosis, diagnose
    from pytest_gotrace.stats.judgement import judge
    from pytest_gotrace.stats.quantile import events_needed, quantiles

__all__ = [
    "PAIRS_TO_FAIL",
    "PAIRS_TO_PASS",
    "Cell",
    "Comparison",
    "Decision",
    "Diagnosis",
    "Plan",
    "Sample",
    "Summary",
    "diagnose",
    "events_needed",
    "judge",
    "mean_intervals",
    "quantiles",
    "summarize",
]

_HOMES = {
    "Diagnosis": "diagnostics",
    "diagnose": "diagnostics",
    "events_needed": "quantile",
    "judge": "judgement",
    "mean_intervals": "describe",
    "quantiles": "quantile",
    "summarize": "describe",
}


def __getattr__(name: str) -> Any:  # the type checker sees the imports above instead
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
