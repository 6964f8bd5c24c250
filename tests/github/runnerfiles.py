"""What GitHub's runner does with what a step leaves behind: its rules, after `actions/runner`'s own source.

`FileCommandManager.cs` for the file of outputs, `ActionCommand.cs` for the commands that a line of a log may hold.
"""

from __future__ import annotations

import re

_OLD = re.compile(r"##\[(?P<name>[^\s\]]+)[^\]]*\]")


def outputs(text: str) -> dict[str, str]:
    """The outputs of a step; raises `ValueError` where the runner fails the step."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc < 0 or 0 <= equals < heredoc:
            name, _, found[name] = line.partition("=")
            continue
        name, _, end = line.partition("<<")
        value: list[str] = []
        for inner in lines:
            if inner == end:
                break
            value.append(inner)
        else:
            raise ValueError(f"no delimiter {end!r}")
        found[name] = "\n".join(value)
    return found


def commands(log: str) -> list[str]:
    """The names of the commands that the runner obeys, in order."""
    return [name for line in re.split(r"\r\n|\r|\n", log) if (name := _command(line))]


def _command(line: str) -> str | None:
    if line.lstrip().startswith("::") and (found := re.match(r"::\s*([^\s:]+)[^:]*::", line.lstrip())):
        return found[1]
    found = _OLD.search(line)
    return found["name"] if found else None
