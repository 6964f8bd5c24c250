"""Where a report goes: one small file for each place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_gotrace.sinks.protocol import Sink
    from pytest_gotrace.templating import UserTemplate


def built_in(directory: Path | None, template: UserTemplate | None = None) -> Sequence[Sink]:
    """Our own: `report.json` and `summary.md` in `directory` if there is one, and GitHub's step summary."""
    from pytest_gotrace.sinks.jsonfile import JsonFile
    from pytest_gotrace.sinks.stepsummary import StepSummary
    from pytest_gotrace.sinks.summary import Summary

    step = StepSummary(template=template)
    if directory is None:
        return (step,)
    return (
        JsonFile(path=directory / "report.json"),
        Summary(path=directory / "summary.md", template=template),
        step,
    )
