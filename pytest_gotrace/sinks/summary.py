"""`summary.md`: what people read, in a form that a comment on any forge can hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_gotrace.render import COMMENT_BYTES, render_summary
from pytest_gotrace.report import Report
from pytest_gotrace.sinks.files import write_whole
from pytest_gotrace.templating import UserTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The report as Markdown of at most `limit` bytes, for people."""

    path: Path
    limit: int = COMMENT_BYTES
    template: UserTemplate | None = None
    name: str = "summary"

    def write(self, report: Report) -> str:
        """Raises `UsageError` if the file cannot be written, or something goes wrong in the template."""
        write_whole(self.path, render_summary(report, limit=self.limit, template=self.template))
        return f"summary: {self.path}"
