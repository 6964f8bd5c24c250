"""Every way the program can fail, on one page.

A message says where, what was found, what was expected, and what to do. Each class carries the exit code
that a session ends with when nothing worse happened (see `ExitCode`).
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import ClassVar, Literal


class ExitCode(IntEnum):
    """What `pytest --gotrace-*` and `gotrace` answer to the shell; 0 to 5 are pytest's own meanings."""

    PASS = 0
    OVER_BUDGET = 1
    INTERRUPTED = 2
    INTERNAL = 3
    USAGE = 4
    NOTHING_MATCHED = 5
    MEASUREMENT_FAILED = 6


class GotraceError(Exception):
    """What all our errors have in common: a sentence for a person, and an exit code."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL


class UsageError(GotraceError):
    """The command line, or the place it was run in, cannot work."""

    exit_code = ExitCode.USAGE


class CheckoutError(UsageError):
    """Git has no such revision, no such history, or no repository at all."""


class BudgetError(UsageError):
    """A budget file that cannot be understood, with the line where it goes wrong (1-based)."""

    def __init__(self, message: str, path: Path | str, line: int | None = None) -> None:
        self.message, self.path, self.line = message, path, line
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")


class RecordingError(UsageError):
    """A recording or a report that is damaged, too new, or from another machine."""


class TraceError(GotraceError):
    """A trace that is damaged, cut short, or not one that can be read.

    `offset` is the byte where reading stopped making sense, `generation` the trace generation (1-based).
    """

    exit_code = ExitCode.MEASUREMENT_FAILED

    def __init__(
        self,
        message: str,
        path: Path | str | None = None,
        offset: int | None = None,
        generation: int | None = None,
    ) -> None:
        self.message, self.path, self.offset, self.generation = message, path, offset, generation
        place = [f"{path}" if path is not None else "trace"]
        if offset is not None:
            place.append(f"byte {offset}")
        if generation:
            place.append(f"generation {generation}")
        super().__init__(f"{', '.join(place)}: {message}")


class GoTestError(GotraceError):
    """A `go` or test process that failed: the command, its exit code, and the end of what it printed."""

    exit_code = ExitCode.MEASUREMENT_FAILED

    def __init__(
        self, message: str, command: tuple[str, ...] = (), exit_code: int | None = None, tail: str = ""
    ) -> None:
        self.message, self.command, self.returned, self.tail = message, command, exit_code, tail
        super().__init__(message + (f"\n{tail}" if tail else ""))


class GitHubError(GotraceError):
    """GitHub's API did not do what it was asked; `status` is its answer, None if there was none.

    `unclear`: what was asked may have been done all the same.
    """

    kind: ClassVar[Literal["permission", "limited", "unavailable"]] = "unavailable"

    def __init__(self, message: str, status: int | None = None, *, unclear: bool = False) -> None:
        self.status, self.unclear = status, unclear
        super().__init__(message)


class GitHubPermissionError(GitHubError):
    """The token may not do this, or may not even see it."""

    kind = "permission"


class GitHubLimitedError(GitHubError):
    """Too many requests, and the limit lasts longer than we wait."""

    kind = "limited"


class GitHubUnavailableError(GitHubError):
    """No answer, or none that can be used."""
