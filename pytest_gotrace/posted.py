"""What the door with the token answers: five outputs, of which none is a word from outside."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_gotrace.errors import ExitCode, GotraceError, UsageError

Done = Literal["created", "updated", "unchanged", "deleted", "skipped"]

#: Why nothing was posted; "" if something was.
Reason = Literal[
    "",
    "ambiguous",
    "dry-run",
    "never",
    "no-artifact",
    "no-comment",
    "no-pull-request",
    "nothing-to-say",
    "older-run",
    "other-event",
    "other-repository",
    "other-workflow",
    "stale",
    "permission",
    "limited",
    "unavailable",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What was done to which comment; numbers are 0 where there is none."""

    done: Done
    reason: Reason = ""
    comment: int = 0
    url: str = ""
    number: int = 0

    def outputs(self) -> dict[str, str]:
        """By the names that a workflow sees."""
        return {
            "posted": self.done,
            "comment-id": str(self.comment or ""),
            "comment-url": self.url,
            "pull-request": str(self.number or ""),
            "reason": self.reason,
        }


class Skip(GotraceError):
    """There is nothing to do, and that is fine: the reason for a workflow, and a sentence for a person."""

    exit_code = ExitCode.PASS

    def __init__(self, reason: Reason, sentence: str) -> None:
        self.reason = reason
        super().__init__(sentence)


def write(posted: Posted, environ: Mapping[str, str]) -> None:
    """Append the outputs to the file that `GITHUB_OUTPUT` names, if it does. Raises `UsageError`."""
    path = environ.get("GITHUB_OUTPUT")
    if not path:
        return
    text = "".join(_entry(name, value) for name, value in posted.outputs().items())
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot write the outputs: {error.strerror}; unset GITHUB_OUTPUT"
        ) from error


def _entry(name: str, value: str) -> str:
    """One output as the runner reads it, between two lines that no value can know."""
    end = f"gotrace-{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{value}\n{end}\n"
