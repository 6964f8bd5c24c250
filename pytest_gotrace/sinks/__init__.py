"""Where a report goes: one small file for each place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_gotrace.sinks.protocol import Sink
    from pytest_gotrace.templating import UserTemplate


def built_in(directory: Path | None, template: UserTemplate | None = None) -> Sequence[Sink]:
    """Our own: files in `directory` if there is one, and what GitHub Actions shows and hands on."""
    from pytest_gotrace.sinks.annotations import Annotations
    from pytest_gotrace.sinks.htmlfile import HtmlFile
    from pytest_gotrace.sinks.jsonfile import JsonFile
    from pytest_gotrace.sinks.metricsfile import MetricsFile
    from pytest_gotrace.sinks.outputs import Outputs
    from pytest_gotrace.sinks.stepsummary import StepSummary
    from pytest_gotrace.sinks.summary import Summary

    runner = (StepSummary(template=template), Annotations(), Outputs(directory=directory))
    if directory is None:
        return runner
    return (
        JsonFile(path=directory / "report.json"),
        Summary(path=directory / "summary.md", template=template),
        HtmlFile(path=directory / "report.html"),
        MetricsFile(path=directory / "metrics.txt"),
        *runner,
    )
