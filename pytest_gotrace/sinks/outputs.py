"""The outputs of a step of GitHub Actions: a word and some numbers, for an `if:` or the step after."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pytest_gotrace.errors import ExitCode, UsageError
from pytest_gotrace.report import OUTCOMES, Report, exit_code

_VARIABLE = "GITHUB_OUTPUT"

Word = Literal["pass", "fail", "inconclusive", "error"]
#: Every verdict in one word.
WORDS: tuple[Word, ...] = get_args(Word)

_WORDS: Mapping[ExitCode, Word] = {
    ExitCode.PASS: "pass",
    ExitCode.OVER_BUDGET: "fail",
    ExitCode.MEASUREMENT_FAILED: "error",
    ExitCode.NOTHING_MATCHED: "error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Appends outputs to the file that `GITHUB_OUTPUT` names; nothing where that is not set.

    `directory` is where the report's files are, if they are anywhere.
    """

    directory: Path | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    name: str = "outputs"

    def write(self, report: Report) -> None:
        """Raises `UsageError` if the file cannot be written."""
        if not self.environ.get(_VARIABLE):
            return
        path = Path(self.environ[_VARIABLE])
        try:
            with path.open("a", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                file.write("".join(_entry(name, value) for name, value in outputs(report, self.directory)))
        except OSError as error:
            raise UsageError(
                f"{path}: cannot append the outputs: {error.strerror}; unset {_VARIABLE}"
            ) from error


def outputs(report: Report, directory: Path | None) -> Iterator[tuple[str, str]]:
    """Names and values: words of ours, whole numbers, and a path that the person named. Nothing that was measured."""
    code = exit_code(report)
    yield "verdict", word(report)
    yield "exit-code", str(int(code))
    yield from ((outcome, str(report.counts[outcome])) for outcome in OUTCOMES)
    if directory is not None:
        yield "report-dir", str(directory.absolute())


def word(report: Report) -> Word:
    """`fail` where the exit code is 1, `error` where it says that something was not measured."""
    found = _WORDS[exit_code(report)]
    return "inconclusive" if found == "pass" and report.counts["inconclusive"] else found


def _entry(name: str, value: str) -> str:
    """The form for any value: it ends at a line that nobody can foresee."""
    end = f"end_{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{value}\n{end}\n"
