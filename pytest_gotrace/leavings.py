"""What runs of ours leave in a working tree: recordings and reports, which are no part of the code that is measured.

A shard that is recorded beside another would else be of another head, and a tree with a report in it would be one with
changes. Files are told by how they begin, whatever they are called and whichever run wrote them; a report's other files
by their names beside its `report.json`. Below a `testdata` everything is the project's: a benchmark may read it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from .escape import shorten, visible

#: Beginnings of what is told by itself: a recording, a report, and what `--junit-xml` writes at its side.
_RECORDING, _REPORT = b'{"kind": "recording", ', b'{"version":1,"tool":"'
_JUNIT = b'<testsuite name="pytest"'
_BEGINNING = 200
#: Longest name in a note.
_SHOWN = 100

#: Relative to the directory of a report. (`sinks`, `keeping`)
_BESIDE = re.compile(
    r"summary\.md|report\.html|metrics\.txt|traces/[^/]+/(base|head)-(median|worst)\.(trace|[a-z]+\.pb\.gz)"
)
#: What Python compiles when pytest reads a `conftest.py`.
_COMPILED = re.compile(r"(?:.*/)?__pycache__/[^/]+\.pyc")


def leavings(root: Path, untracked: Iterable[str]) -> Iterator[str]:
    """Those of the untracked files that a run of ours wrote; all relative to `root`. Follows no link.

    None is below a directory `testdata`, which is where Go's tests have their files.
    """

    @cache
    def is_report(directory: str) -> bool:
        return _beginning(root / directory / "report.json").startswith(_REPORT)

    for name in untracked:
        if "testdata" in name.split("/")[:-1]:
            continue
        if _COMPILED.fullmatch(name) or _told_by_itself(root / name) or any(map(is_report, _reports(name))):
            yield name


def notes(left_out: Sequence[str], *, most: int = 3) -> Iterator[str]:
    """What a reader is told of files that are left out. What Python compiled goes without saying."""
    names = [name for name in left_out if not _COMPILED.fullmatch(name)]
    if not names:
        return
    named = ", ".join(f"`{shorten(visible(name), _SHOWN)}`" for name in names[:most])
    more = f" and {len(names) - most} more" if len(names) > most else ""
    count = "1 file" if len(names) == 1 else f"{len(names)} files"
    yield f"{count} of other runs left out of the head: {named}{more}; `git add` what a benchmark reads"


def _told_by_itself(file: Path) -> bool:
    begins = _beginning(file)
    return begins.startswith((_RECORDING, _REPORT)) or (begins.startswith(b"<?xml") and _JUNIT in begins)


def _reports(name: str) -> Iterator[str]:
    """The directories in which a report would have a file of this name."""
    parts = name.split("/")
    for depth in range(len(parts)):
        if _BESIDE.fullmatch("/".join(parts[depth:])):
            yield "/".join(parts[:depth])


def _beginning(file: Path) -> bytes:
    """The first bytes of a plain file; b"" of whatever cannot be read, which git will speak of."""
    with contextlib.suppress(OSError, ValueError):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                return opened.read(_BEGINNING)
    return b""
