"""`report.json`: what other programs read, and what the door with the token posts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_gotrace.report import Report
from pytest_gotrace.report_json import to_json
from pytest_gotrace.sinks.files import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFile:
    """The whole report, for programs."""

    path: Path
    name: str = "json"

    def write(self, report: Report) -> str:
        """Raises `UsageError` if the file cannot be written, `RecordingError` if nobody could read it."""
        write_whole(self.path, to_json(report))
        return f"report: {self.path}"
