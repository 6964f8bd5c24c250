"""Git, asked in such a way that nothing in a repository can make it run anything.

Measured on git 2.39: a relative `core.hooksPath`, a smudge filter, an option hidden in a ref name and a lazy
fetch all start programs that a revision can choose. Each is closed here, for every call.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import CheckoutError

OLDEST = (2, 32)
"""The first git with `GIT_CONFIG_GLOBAL`, by which a person's own filters are kept out."""

_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "submodule.recurse": "false",
    "protocol.allow": "never",  # also stops a partial clone from fetching behind our back
    "advice.detachedHead": "false",
    "core.quotePath": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "filter.lfs.clean": "",
    "filter.lfs.smudge": "",
    "filter.lfs.process": "",
    "filter.lfs.required": "false",
}

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",  # messages are read below
}

_WITHOUT_PERSONAL_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
}

_ADVICE = (
    (
        r"No space left on device|Out of diskspace|failed to write new configuration file",
        "the disk is full: free some space, or set TMPDIR to a larger one",
    ),
    (r"Disk quota exceeded", "the disk quota is used up: set TMPDIR to another disk"),
    (r"Read-only file system", "set TMPDIR to a directory that can be written"),
    (r"Permission denied", "give yourself permission to read it, or have git ignore it"),
    (r"dubious ownership", "the repository belongs to another user, and git refuses it"),
    (
        r"unable to (?:write|create) (?:file|temporary file)",
        "the disk is full or cannot be written to: free some space, or set TMPDIR to another one",
    ),
    (r"File name too long", "set TMPDIR to a directory with a shorter name"),
    (
        r"transport .\w+. not allowed|lazy fetching|promisor|unable to read|bad object|missing (?:blob|tree)",
        "objects are missing, as in a partial clone: `git fetch --refetch --no-filter` brings them",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """How to run git in a directory: with the process's environment, every `GIT_*` replaced by ours."""

    program: str
    directory: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> str:
        """What git prints, without the last newline. Raises `CheckoutError` with git's words and advice."""
        done = self.ask(*arguments, stdin=stdin)
        if done.returncode:
            raise failure(f"`git {arguments[0]}` failed in {self.directory}", os.fsdecode(done.stderr))
        return os.fsdecode(done.stdout).rstrip("\n")

    def names(self, *arguments: str | Path) -> tuple[str, ...]:
        """The parts of an answer separated by NUL (`-z`), the only separator that no file name contains."""
        return tuple(filter(None, self(*arguments).split("\0")))

    def ask(self, *arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run git where failing is one of the answers."""
        try:
            return subprocess.run(
                [self.program, *map(str, arguments)],
                cwd=self.directory,
                env=self._environ(),
                input=stdin,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise CheckoutError(f"git cannot be started in {self.directory}: {error.strerror}") from error

    def _environ(self) -> dict[str, str]:
        """A hook's `GIT_DIR` and `GIT_INDEX_FILE` would lead to another repository than the one asked for."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        settings = {**_SETTINGS, **self.settings}
        numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (name, value) in enumerate(settings.items()):
            numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return {**inherited, **_ENVIRONMENT, **numbered, **self.environment}


def find_git() -> str:
    """The `git` on PATH, new enough to be kept from a person's filters. Raises `CheckoutError`."""
    program = shutil.which("git")
    if program is None:
        raise CheckoutError("git was not found on PATH; it is needed to have both sides. Install git.")
    said = Git(program=program, directory=Path("/"))("version")
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < OLDEST:
        raise CheckoutError(f"git 2.32 or newer is needed, and {program} is {said!r}. Update git.")
    return program


def alone(directory: Path, program: str, settings: Mapping[str, str], environment: Mapping[str, str]) -> Git:
    """A git that knows no settings but ours: no filter, hook or alias of the person's own."""
    return Git(
        program=program,
        directory=directory,
        settings=settings,
        environment={**_WITHOUT_PERSONAL_SETTINGS, **environment},
    )


def failure(message: str, detail: str) -> CheckoutError:
    """An error that ends with what to do about it, as far as that is known."""
    lines = [line for line in detail.strip().splitlines() if not line.startswith("hint:")]
    advice = next((advice for pattern, advice in _ADVICE if re.search(pattern, detail)), "")
    return CheckoutError("; ".join(filter(None, (f"{message}: {' '.join(lines[:3])}", advice))))


@contextlib.contextmanager
def explained(message: str) -> Iterator[None]:
    """Turn an error of the operating system, such as a full disk, into a `CheckoutError` with what to do."""
    try:
        yield
    except OSError as error:
        raise failure(message, str(error)) from error
