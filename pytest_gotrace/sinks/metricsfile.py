"""`metrics.txt`: what a collector of numbers reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_gotrace.openmetrics import openmetrics
from pytest_gotrace.report import Report
from pytest_gotrace.sinks.files import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsFile:
    """The numbers of the report as OpenMetrics text."""

    path: Path
    name: str = "metrics"

    def write(self, report: Report) -> str:
        """Raises `UsageError` if the file cannot be written."""
        write_whole(self.path, openmetrics(report))
        return f"metrics: {self.path}"
