"""`report.html`: what people look at, in one file that opens without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_gotrace.page import render_page
from pytest_gotrace.report import Report
from pytest_gotrace.sinks.files import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlFile:
    """The report with its figures, for people."""

    path: Path
    name: str = "html"

    def write(self, report: Report) -> str:
        """Says what is missing where plotly is not installed. Raises `UsageError` if the file cannot be written."""
        try:
            text = render_page(report)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "plotly":
                raise
            return (
                f"{self.name}: left out; pip install 'pytest-gotrace[report]' brings plotly, which draws it"
            )
        write_whole(self.path, text)
        return f"{self.name}: {self.path}"
