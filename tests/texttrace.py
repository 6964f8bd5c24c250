"""Readable text becomes the bytes of a trace, so that a test can say exactly which events there are.

A trace is a header, batches, and in each batch one event a line, with the names and arguments of `trace.spec`:

    Trace go 1.22
    Batch gen=1 m=0 time=0
      ProcStatus dt=1 p=0 pstatus=1           # dt is ticks since the event before; what is left out is 0
      GoStatus dt=1 g=1 m=0 gstatus=2
      GoBlock dt=1 reason_string="sleep" stack=main.work,main.main

Text in quotes is a string, and a stack is its functions, leaf first: both are put into the tables of the generation.
Those, the clock, and from Go 1.26 on the mark of the end follow each generation by themselves. `raw=` with hexadecimal
digits puts bytes into a batch as they are. Nothing is checked but spelling: traces that cannot be are what tests need.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from pytest_gotrace.trace.spec import BY_NAME

FREQUENCY = 15_625_000  # ticks a second: one is 64 ns
NOBODY = 2**64 - 1  # the thread of what no thread wrote
FILE = "main.go"


def uvarint(value: int) -> bytes:
    """A number as the wire has it: seven bits a byte, the lowest first."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(name: str) -> bytes:
    return bytes([BY_NAME[name].number])


def batch(gen: int, thread: int, time: int, body: bytes) -> bytes:
    return number("EventBatch") + b"".join(map(uvarint, (gen, thread, time, len(body)))) + body


@dataclass(slots=True)
class Tables:
    """What one generation has named so far."""

    strings: dict[str, int] = field(default_factory=dict)
    stacks: dict[str, int] = field(default_factory=dict)

    def string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings) + 1) if text else 0

    def stack(self, text: str) -> int:
        for function in text.split(","):
            self.string(function)
        return self.stacks.setdefault(text, len(self.stacks) + 1)

    def batches(self, gen: int, wire: int) -> bytes:
        """The batches that follow the events of a generation."""
        clock = number("Frequency") + uvarint(FREQUENCY)
        if wire >= 25:
            snapshot = number("ClockSnapshot") + b"".join(map(uvarint, (0, 1, 1, 1)))
            clock = number("Sync") + clock + snapshot
        file = self.string(FILE)
        stacks, strings = number("Stacks"), number("Strings")
        for text, key in self.stacks.items():
            functions = text.split(",")
            stacks += number("Stack") + uvarint(key) + uvarint(len(functions))
            for function in functions:
                code = self.string(function)
                stacks += b"".join(map(uvarint, (0x1000 + code, code, file, 10 * code)))
        for text, key in self.strings.items():
            raw = text.encode("utf-8", "surrogateescape")
            strings += number("String") + uvarint(key) + uvarint(len(raw)) + raw
        end = number("EndOfGeneration") if wire >= 26 else b""
        return b"".join(batch(gen, NOBODY, 0, body) for body in (clock, stacks, strings)) + end


def assemble(text: str) -> bytes:
    """The bytes of a trace written as above; `ValueError` names the line that cannot be understood."""
    lines = [line for line in (raw.split("#")[0].strip() for raw in text.splitlines()) if line]
    header = re.fullmatch(r"Trace go 1\.(\d+)", lines[0])
    if header is None:
        raise ValueError(f"expected 'Trace go 1.N' first, found {lines[0]!r}")
    wire = int(header[1])
    out = f"go 1.{wire} trace".encode().ljust(16, b"\0")
    tables, gen = Tables(), 0
    for head, *body in _batches(lines[1:]):
        place = dict(word.split("=") for word in head.split()[1:])
        if gen and int(place["gen"]) != gen:
            out += tables.batches(gen, wire)
            tables = Tables()
        gen = int(place["gen"])
        events = b"".join(_event(line, tables) for line in body)
        out += batch(gen, int(place["m"]), int(place["time"]), events)
    return out + tables.batches(gen, wire)


def _batches(lines: list[str]) -> list[list[str]]:
    batches: list[list[str]] = []
    for line in lines:
        if line.startswith("Batch "):
            batches.append([line])
        elif batches:
            batches[-1].append(line)
        else:
            raise ValueError(f"an event before the first batch: {line!r}")
    return batches


def _event(line: str, tables: Tables) -> bytes:
    if line.startswith("raw="):
        return bytes.fromhex(line.removeprefix("raw="))
    name, *words = shlex.split(line)
    if name not in BY_NAME:
        raise ValueError(f"no event is called {name!r}: {line!r}")
    given = dict(word.split("=", 1) for word in words)
    out = number(name)
    for arg in ("dt", *BY_NAME[name].args):
        out += uvarint(_value(arg, given.pop(arg, "0"), tables))
    if given:
        raise ValueError(f"{name} has no argument {', '.join(given)}: {line!r}")
    return out


def _value(arg: str, text: str, tables: Tables) -> int:
    if text.isdecimal():
        return int(text)
    return tables.string(text) if arg.endswith("_string") else tables.stack(text)
