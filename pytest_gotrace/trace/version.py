"""The first sixteen bytes of a file: which wire format the rest is written in."""

from __future__ import annotations

import re
from enum import IntEnum

from pytest_gotrace.errors import TraceError

HEADER_SIZE = 16
_HEADER = re.compile(rb"go 1\.(\d{1,4}) trace")


class WireVersion(IntEnum):
    """A wire format, named after the Go release that introduced it, not after the toolchain that wrote the file.

    Go 1.24 writes `GO_123`, and Go 1.27 writes `GO_126`.
    """

    GO_122 = 22
    GO_123 = 23
    GO_125 = 25
    GO_126 = 26

    def __str__(self) -> str:
        return f"go 1.{self.value}"


def read_header(head: bytes) -> WireVersion:
    """The wire format that the file's first 16 bytes announce; `TraceError` if there is none we can read."""
    if not head:
        raise TraceError("the file is empty: nothing was traced, or the traced program did not end", offset=0)
    found = _HEADER.match(head)
    if found is None or head[found.end() :].strip(b"\0") or len(head) < HEADER_SIZE:
        raise TraceError(
            f"not a Go execution trace: it begins with {head!r}, expected 'go 1.N trace'", offset=0
        )
    minor = int(found[1])
    try:
        return WireVersion(minor)
    except ValueError:
        raise TraceError(_refusal(minor), offset=0) from None


def _refusal(minor: int) -> str:
    if minor <= 21:
        return (
            f"the trace was written by Go 1.{minor} or a release close to it, in the format used before Go 1.22, "
            "which is another one; record it again with Go 1.22 or newer"
        )
    known = ", ".join(str(version) for version in WireVersion)
    return f"wire format go 1.{minor} is not known (known are {known}); a newer pytest-gotrace may read it"
