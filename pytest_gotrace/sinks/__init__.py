"""Where a report goes: one small file for each place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_gotrace.sinks.protocol import Sink


def built_in(directory: Path | None) -> Sequence[Sink]:
    """Our own: files in `directory` if there is one, and what GitHub Actions shows and hands on."""
    from pytest_gotrace.sinks.annotations import Annotations
    from pytest_gotrace.sinks.jsonfile import JsonFile
    from pytest_gotrace.sinks.metricsfile import MetricsFile
    from pytest_gotrace.sinks.outputs import Outputs
    from pytest_gotrace.sinks.stepsummary import StepSummary
    from pytest_gotrace.sinks.summary import Summary

    runner = (StepSummary(), Annotations(), Outputs(directory=directory))
    if directory is None:
        return runner
    return (
        JsonFile(path=directory / "report.json"),
        Summary(path=directory / "summary.md"),
        MetricsFile(path=directory / "metrics.txt"),
        *runner,
    )
