"""`summary.md`: what people read, in a form that a comment on any forge can hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_gotrace.render import COMMENT_BYTES, render_summary
from pytest_gotrace.report import Report
from pytest_gotrace.sinks.files import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The report as Markdown of at most `limit` bytes, for people."""

    path: Path
    limit: int = COMMENT_BYTES
    name: str = "summary"

    def write(self, report: Report) -> str:
        """Raises `UsageError` if the file cannot be written."""
        write_whole(self.path, render_summary(report, limit=self.limit))
        return f"summary: {self.path}"
