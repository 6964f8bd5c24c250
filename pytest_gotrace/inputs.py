"""What `gotrace comment` and the publishing action may be asked: one table, read from options and variables alike.

`run-id` is the option `--run-id` and the variable `GOTRACE_RUN_ID`. A composite action gets no `INPUT_*`, and an input
that is `required` may be empty all the same, so each value is checked here, and a wrong one is named. The token is no
option: a command line can be read by every process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pytest_gotrace.errors import UsageError

When = Literal["always", "changes", "regressions", "never"]

#: Where the token is looked for; nothing else is.
TOKENS = ("GOTRACE_TOKEN", "GITHUB_TOKEN")

_TRUTH = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The answers, checked.

    `run_id` is 0 for that of the event; `results` a local `report.json` in its place; `comment_author` "" for whoever
    the token is. `max_artifact_kb` bounds what is downloaded.
    """

    run_id: int
    results: str
    artifact: str
    workflow_path: str
    key: str
    when: When
    delete: bool
    comment_author: str
    comment_required: bool
    max_artifact_kb: int
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One question: its default as text, how an answer is read, and what is expected where it cannot be."""

    default: str
    read: Callable[[str], Any]
    expected: str
    help: str

    def value(self, name: str, text: str) -> Any:
        """Raises `UsageError` that names the input."""
        try:
            return self.read(text or self.default)
        except (KeyError, ValueError):
            raise UsageError(f"input {name}: found {text[:80]!r}, expected {self.expected}") from None


def _matching(pattern: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return read


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(_matching(r"[0-9]{1,19}")(text))
        if not least <= number <= most:
            raise ValueError
        return number

    return read


def _when(text: str) -> str:
    if text not in get_args(When):
        raise ValueError
    return text


def _switch(default: str, help: str) -> Input:
    return Input(default=default, read=_TRUTH.__getitem__, expected="true or false", help=help)


#: By name, in the order of the action's documentation; the names are the fields of `Inputs` with hyphens.
INPUTS: Mapping[str, Input] = {
    "run-id": Input(
        default="0",
        read=_number(0, 2**63 - 1),
        expected="the ID of a workflow run",
        help="the workflow run that measured; by default that of the event",
    ),
    "results": Input(
        default="", read=str, expected="a file", help="a report.json on this machine, instead of --run-id"
    ),
    "artifact": Input(
        default="gotrace-result",
        read=_matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"),
        expected="letters, digits, dots, hyphens and underscores",
        help="the name of the artifact with report.json",
    ),
    "workflow-path": Input(
        default=".github/workflows/gotrace.yml",
        read=_matching(r"\.github/workflows/[^/@\s]{1,200}\.ya?ml"),
        expected="such as .github/workflows/gotrace.yml",
        help="the workflow that measures; runs of others are not believed",
    ),
    "key": Input(
        default="default",
        read=_matching(r"(?=.{1,40}\Z)[a-z0-9]+(-[a-z0-9]+)*"),
        expected="at most 40 of a to z, 0 to 9 and single hyphens inside",
        help="which of several comments on one pull request",
    ),
    "when": Input(
        default="changes",
        read=_when,
        expected=" or ".join(get_args(When)),
        help="what is worth a new comment; one that is there is brought up to date unless never",
    ),
    "delete": _switch("false", "remove the comment"),
    "comment-author": Input(
        default="",
        read=_matching(r"([A-Za-z0-9_-]{1,100}(\[bot\])?)?"),
        expected="a login, such as my-app[bot]",
        help="whose comments the token writes, if it is the token of an app",
    ),
    "comment-required": _switch("false", "fail if GitHub refuses the comment, rather than warn"),
    "max-artifact-kb": Input(
        default="1024",
        read=_number(1, 2**20),
        expected="a number of KiB",
        help="the largest artifact that is downloaded",
    ),
    "dry-run": _switch("false", "show what would be posted in the step summary, and post nothing"),
}


def read(options: Mapping[str, str | None], environ: Mapping[str, str]) -> Inputs:
    """An option that was given, else its variable, else the default. Raises `UsageError`."""
    texts = {name: options.get(name) or environ.get(variable(name), "") for name in INPUTS}
    return Inputs(
        **{name.replace("-", "_"): asked.value(name, texts[name].strip()) for name, asked in INPUTS.items()}
    )


def variable(name: str) -> str:
    """`GOTRACE_RUN_ID` for `run-id`."""
    return f"GOTRACE_{name.replace('-', '_').upper()}"
