"""Where a report goes: one small file for each place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_gotrace.sinks.protocol import Sink


def built_in(directory: Path | None) -> Sequence[Sink]:
    """Our own: the report as JSON, Markdown and HTML in `directory` if there is one, and GitHub's step summary."""
    from pytest_gotrace.sinks.htmlfile import HtmlFile
    from pytest_gotrace.sinks.jsonfile import JsonFile
    from pytest_gotrace.sinks.stepsummary import StepSummary
    from pytest_gotrace.sinks.summary import Summary

    if directory is None:
        return (StepSummary(),)
    return (
        JsonFile(path=directory / "report.json"),
        Summary(path=directory / "summary.md"),
        HtmlFile(path=directory / "report.html"),
        StepSummary(),
    )
