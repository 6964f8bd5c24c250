"""Remarks at lines of the change, as commands that GitHub's runner reads from the log; they need no permission."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from pytest_gotrace.escape import visible
from pytest_gotrace.explanation import Annotation
from pytest_gotrace.report import Report

#: GitHub shows ten of a kind for each step; some are left to the other programs of the step.
MOST = 8

#: The runner cuts a message after so many units of UTF-16, wherever that is.
MESSAGE_LENGTH = 4096

#: What would end a message, and in a property what would end the property; the percent sign first.
_IN_MESSAGE = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_IN_PROPERTY = (*_IN_MESSAGE, (":", "%3A"), (",", "%2C"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """Prints the report's annotations on `out` (standard output, if not said) in GitHub Actions; nothing elsewhere."""

    out: TextIO | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    name: str = "annotations"

    def write(self, report: Report) -> None:
        """A command is one only at the beginning of a line, and pytest may be in the middle of one."""
        if self.environ.get("GITHUB_ACTIONS") != "true":
            return
        out = self.out or sys.stdout
        if lines := [*commands(report)]:
            print("", *lines, sep="\n", file=out, flush=True)


def commands(report: Report) -> Iterator[str]:
    """One line for each annotation, worst first, and a notice where there are more rows over budget than these."""
    shown = report.annotations[:MOST]
    yield from map(command, shown)
    over = sum(row.outcome == "over" and row.waived is None for row in report.verdicts)
    if (rest := max(over, len(report.annotations)) - len(shown)) > 0:
        yield f"::notice title=gotrace::{rest}{' more' if shown else ''} over budget in the summary"


def command(remark: Annotation) -> str:
    """`::error file=pool/pool.go,line=41,title=…::message`; the line is left out where there is none."""
    where = {"file": remark.file, "line": str(remark.line or ""), "title": remark.title}
    properties = ",".join(
        f"{name}={_escaped(_shown(text), _IN_PROPERTY)}" for name, text in where.items() if text
    )
    return f"::{remark.level} {properties}::{_escaped(_cut(_shown(remark.message)), _IN_MESSAGE)}"


def _shown(text: str) -> str:
    """Lines with nothing invisible; and the runner obeys `##[cmd]` anywhere in a line, where no percent sign helps."""
    return "\n".join(map(visible, text.splitlines())).replace("##[", r"##\u{5b}")


def _cut(message: str) -> str:
    """At most `MESSAGE_LENGTH` units of whole characters, the last of them `…` if something was cut."""
    units = message.encode("utf-16-le")
    if len(units) <= 2 * MESSAGE_LENGTH:
        return message
    return units[: 2 * (MESSAGE_LENGTH - 1)].decode("utf-16-le", "ignore") + "…"


def _escaped(text: str, replacements: tuple[tuple[str, str], ...]) -> str:
    for character, replacement in replacements:
        text = text.replace(character, replacement)
    return text
