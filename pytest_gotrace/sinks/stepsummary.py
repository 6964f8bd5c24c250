"""The page of a GitHub Actions run: it needs no permission, and so works for forks too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_gotrace.errors import UsageError
from pytest_gotrace.render import COMMENT_BYTES, render_summary
from pytest_gotrace.report import Report
from pytest_gotrace.templating import UserTemplate

#: GitHub drops the whole summary of a step if its file is larger than 1 MiB.
STEP_BYTES = 1_000_000

_VARIABLE = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSummary:
    """Appends the summary to the file that `GITHUB_STEP_SUMMARY` names; nothing where that is not set."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    template: UserTemplate | None = None
    name: str = "step summary"

    def write(self, report: Report) -> str | None:
        """Leaves the file alone if what other programs wrote there leaves no room. Raises `UsageError`."""
        if not self.environ.get(_VARIABLE):
            return None
        path = Path(self.environ[_VARIABLE])
        try:
            room = STEP_BYTES - (path.stat().st_size if path.exists() else 0) - 1
            if room < COMMENT_BYTES:
                return f"{self.name}: left out, as {path} is nearly full"
            text = render_summary(report, limit=room, template=self.template)
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write("\n" + text)
        except OSError as error:
            raise UsageError(
                f"{path}: cannot append the summary: {error.strerror}; unset {_VARIABLE}"
            ) from error
        return None
