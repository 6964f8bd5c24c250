"""Strings and stacks under one code for the whole file: identical ones of different generations become the same.

A generation numbers its strings and stacks anew; those numbers end here.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import NamedTuple, overload

_ESCAPED = re.compile("[\udc80-\udcff]")
# As bytes: their hashes cannot be made to collide, those of tuples of numbers can.
_FRAME = Struct("=iiQ").pack


class Frame(NamedTuple):
    """One call of a stack: `line` is where in `file` the function was (1-based, 0 if unknown)."""

    function: str
    file: str
    line: int


class Stacks(Sequence[tuple[Frame, ...]]):
    """The stacks by code, leaf first. Grows while a file is read; a stack's frames are put together when asked for."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names.stack_frames)

    @overload
    def __getitem__(self, at: int) -> tuple[Frame, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> list[tuple[Frame, ...]]: ...
    def __getitem__(self, at: int | slice) -> tuple[Frame, ...] | list[tuple[Frame, ...]]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        frames = array("i")
        frames.frombytes(self._names.stack_frames[at])
        return tuple(map(self._names.frames.__getitem__, frames))

    def __iter__(self) -> Iterator[tuple[Frame, ...]]:
        return (self[at] for at in range(len(self)))


class Names:
    """What a file has named so far. Code 0 is the empty string, and the stack without frames."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        # By string: does a goroutine that starts in this function belong to the runtime?
        self.system = array("B")
        self.frames: list[Frame] = []
        self.stack_frames: list[bytes] = []
        self.roots = array("i")  # by stack: the function it starts in
        self.stacks = Stacks(self)
        self._string_codes: dict[bytes, int] = {}
        self._frame_codes: dict[bytes, int] = {}
        self._stack_codes: dict[bytes, int] = {}
        self.string(b"")
        self.stack(b"", 0)

    def string(self, raw: bytes) -> int:
        """The code of a string; what is not UTF-8 in it is replaced, byte by byte, as Go does."""
        code = self._string_codes.get(raw)
        if code is None:
            text = raw.decode("utf-8", "surrogateescape")
            self.strings.append(_ESCAPED.sub("\ufffd", text))
            self.system.append(raw == b"" or (raw.startswith(b"runtime.") and raw != b"runtime.main"))
            code = self._string_codes[raw] = len(self.strings) - 1
        return code

    def frame(self, function: int, file: int, line: int) -> int:
        """The code of a frame whose function and file are codes of strings."""
        key = _FRAME(function, file, line)
        code = self._frame_codes.get(key)
        if code is None:
            self.frames.append(Frame(self.strings[function], self.strings[file], line))
            code = self._frame_codes[key] = len(self.frames) - 1
        return code

    def stack(self, frames: bytes, root: int) -> int:
        """The code of a stack: its frames' codes as packed 32-bit integers, and the function of the outermost."""
        code = self._stack_codes.get(frames)
        if code is None:
            self.stack_frames.append(frames)
            self.roots.append(root)
            code = self._stack_codes[frames] = len(self.roots) - 1
        return code
