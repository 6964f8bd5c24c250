"""The zip that a run left behind: one file, read in memory and never unpacked.

Whoever's code was measured may have made it, so nothing that it says about itself is believed.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib

from pytest_gotrace.errors import GitHubUnavailableError, RecordingError
from pytest_gotrace.escape import code
from pytest_gotrace.event import dig
from pytest_gotrace.github import GitHub
from pytest_gotrace.posted import Skip

#: What the artifact must hold, and nothing else.
ENTRY = "report.json"

_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def fetch(github: GitHub, run: int, name: str, *, limit: int) -> bytes:
    """The newest artifact `name` of a run, at most `limit` bytes of zip.

    Raises `Skip` if there is none, `RecordingError` if it is too large, `GitHubError` as GitHub does.
    """
    found = [
        each
        for each in github.pages("actions", "runs", run, "artifacts", key="artifacts", name=name)
        if each.get("name") == name and isinstance(each.get("id"), int)
    ]
    if not found:
        raise Skip("no-artifact", f"run {run} left no artifact {name}, so there is nothing to say about it")
    newest = max(found, key=lambda each: each["id"])
    if dig(newest, "expired"):
        raise Skip("no-artifact", f"the artifact {name} of run {run} has expired")
    size = newest.get("size_in_bytes")
    if not isinstance(size, int) or size > limit:
        raise RecordingError(
            f"artifact {name}: found {size} bytes, expected at most {limit}; raise max-artifact-kb"
        )
    try:
        return github.download("actions", "artifacts", newest["id"], "zip", limit=limit)
    except GitHubUnavailableError as error:
        if error.status == 410:
            raise Skip("no-artifact", f"the artifact {name} of run {run} has expired") from None
        raise


def read_entry(data: bytes, *, limit: int) -> bytes:
    """`report.json` out of a zip, at most `limit` bytes. Raises `RecordingError` for any other zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive, _only_entry(archive, limit), limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise RecordingError(f"the artifact is no zip as we accept it: {type(error).__name__}") from None


def _only_entry(archive: zipfile.ZipFile, limit: int) -> zipfile.ZipInfo:
    entries = archive.infolist()
    if len(entries) != 1:
        raise RecordingError(f"the artifact: found {len(entries)} entries, expected {ENTRY} alone")
    (entry,) = entries
    # `filename` ends at a zero and has its separators changed; this is the name as it was written.
    if entry.orig_filename != ENTRY:
        raise RecordingError(f"the artifact: found {code(entry.orig_filename)}, expected {ENTRY}")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    for wrong, what in (
        (kind not in (0, stat.S_IFREG), "is no regular file"),
        (entry.flag_bits & _ENCRYPTED, "is encrypted"),
        (entry.compress_type not in _METHODS, "is packed in a way that we do not read"),
        (entry.file_size > limit, f"has more than {limit} bytes"),
    ):
        if wrong:
            raise RecordingError(f"the artifact: {ENTRY} {what}")
    return entry


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    with archive.open(entry) as file:
        data = file.read(limit + 1)
    if len(data) != entry.file_size:
        raise RecordingError(f"the artifact: {ENTRY} is not as long as it says")
    return data
