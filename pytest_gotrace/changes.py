"""Which lines and functions of the head a change touches, as git tells them.

Git itself knows where Go functions begin and end (its built-in `golang` driver), so the answer comes from two diffs:
one without context has the lines, one with whole functions as context has the functions that they lie in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")

#: Lines of one file, as ranges of their numbers.
Ranges = Mapping[str, tuple[range, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """By file, relative to the repository: the lines of the head that changed, and the functions they lie in.

    Where lines were only taken away, the line before them counts as changed.
    """

    lines: Ranges = field(default_factory=dict)
    functions: Ranges = field(default_factory=dict)

    def touch(self, file: str, line: int) -> bool:
        """Whether a line lies in a function that the change touches, or is changed itself."""
        return any(line in one for where in (self.functions, self.lines) for one in where.get(file, ()))

    def nearest(self, file: str, line: int) -> int | None:
        """The changed line nearest to `line` in the function that it lies in; None where nothing is touched."""
        around = next((one for one in self.functions.get(file, ()) if line in one), None)
        if around is None:
            return None
        closest = (min(max(line, one.start), one.stop - 1) for one in self.lines.get(file, ()))
        inside = (number for number in closest if number in around)
        return min(inside, key=lambda number: abs(number - line), default=None)


def changes(diff: Callable[..., str]) -> Changes:
    """What `diff` says, which runs `git diff-tree -p` on both sides with the options that it is given."""
    return Changes(lines=_ranges(diff("-U0")), functions=_ranges(diff("-U0", "--function-context")))


def _ranges(text: str) -> Ranges:
    found: dict[str, list[range]] = {}
    for file, lines in _hunks(text):
        found.setdefault(file, []).append(lines)
    return {file: tuple(ranges) for file, ranges in found.items()}


def _hunks(text: str) -> Iterator[tuple[str, range]]:
    """File and lines of the head of each hunk.

    What a hunk says is skipped by its length: a line of a file may look like the head of another file.
    """
    lines, file = iter(text.split("\n")), ""
    for line in lines:
        if line.startswith("+++ "):
            file = line.removeprefix("+++ ").rstrip("\t")
        elif hunk := _HUNK.match(line):
            taken, first, given = (int(number) if number else 1 for number in hunk.groups())
            _skip(lines, taken, given)
            yield file, range(max(first, 1), max(first, 1) + max(given, 1))


def _skip(lines: Iterator[str], taken: int, given: int) -> None:
    """Go past so many lines of the base and of the head; a line of context is one of both."""
    while taken > 0 or given > 0:
        kind = next(lines, "")[:1]
        if kind == "\\":  # `\ No newline at end of file`
            continue
        taken -= kind != "+"
        given -= kind != "-"
