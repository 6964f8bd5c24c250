"""How GitHub's runner reads a line of a log: its two parsers, ported from `ActionCommand.cs` of actions/runner.

Ported but for one thing: the runner obeys only the commands it knows, and here every name is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What the runner would do: a name, properties and data, unescaped."""

    name: str
    properties: dict[str, str] = field(default_factory=dict)
    data: str = ""


_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_OLD = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))


def commands(log):
    """The commands in some text: of each line the one by the new notation, or else the one by the old."""
    return [found for line in _lines(log) if (found := new(line) or old(line))]


def new(line):
    """`::name key=value,key=value::data` at the beginning of a line, spaces of any kind aside (`TryParseV2`)."""
    line = line.lstrip()
    if not line.startswith("::"):
        return None
    end = line.find("::", 2)
    if end < 0:
        return None
    name, _, rest = line[2:end].partition(" ")
    return Command(
        name=name,
        properties=_properties(rest.strip(), ",", _PROPERTY),
        data=_unescaped(line[end + 2 :], _DATA),
    )


def old(line):
    """`##[name key=value;key=value]data` anywhere in a line (`TryParse`)."""
    begin = line.find("##[")
    end = line.find("]", begin)
    if begin < 0 or end < 0:
        return None
    name, _, rest = line[begin + 3 : end].partition(" ")
    return Command(
        name=name, properties=_properties(rest.strip(), ";", _OLD), data=_unescaped(line[end + 1 :], _OLD)
    )


def _lines(log):
    """A runner reads lines as .NET does, which ends them at CR, LF and both."""
    return log.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _properties(text, separator, escapes):
    pairs = (part.split("=", 1) for part in text.split(separator) if part)
    return {pair[0]: _unescaped(pair[1], escapes) for pair in pairs if len(pair) == 2}


def _unescaped(text, escapes):
    for escaped, character in escapes:
        text = text.replace(escaped, character)
    return text
