"""A trace taken apart without understanding it: header, batches, and what stands in a batch, as far as it makes sense.

What does not is kept as it is, so that every file comes out again with the bytes it went in with. Sizes and headers of
batches are written anew: that is what lets a mutation reach beyond them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_gotrace.trace.spec import BY_NAME, BY_NUMBER, SPECS

HEADER = 16
PLAIN, EXPERIMENTAL, END = (
    BY_NAME[name].number for name in ("EventBatch", "ExperimentalBatch", "EndOfGeneration")
)
STRING, STACK = BY_NAME["String"].number, BY_NAME["Stack"].number
TICKS = {spec.number for spec in SPECS if spec.timed}
BARE = {BY_NAME[name].number for name in ("Strings", "Stacks", "CPUSamples", "Sync")}
KNOWN = TICKS | BARE | {BY_NAME[name].number for name in ("CPUSample", "Frequency", "ClockSnapshot")}


@dataclass(slots=True)
class Batch:
    """One batch; `kind` alone says what it is, and the end of a generation has nothing else."""

    kind: int
    generation: int = 0
    thread: int = 0
    time: int = 0
    body: bytes = b""
    experiment: int = 0

    def encode(self) -> bytes:
        if self.kind == END:
            return bytes([END])
        experiment = bytes([self.experiment]) if self.kind == EXPERIMENTAL else b""
        numbers = b"".join(map(uvarint, (self.generation, self.thread, self.time, len(self.body))))
        return bytes([self.kind]) + experiment + numbers + self.body


@dataclass(slots=True)
class Trace:
    """A file; `rest` is what follows the last batch that could be read."""

    header: bytes
    batches: list[Batch]
    rest: bytes = b""

    def encode(self) -> bytes:
        return self.header + b"".join(batch.encode() for batch in self.batches) + self.rest


@dataclass(slots=True)
class Item:
    """An event, a string or a stack: its first byte, its numbers, and the bytes behind them.

    A negative `number` stands for bytes that are nothing known. A stack's frames are among its numbers.
    """

    number: int
    args: list[int] = field(default_factory=list)
    data: bytes = b""

    def encode(self) -> bytes:
        if self.number < 0:
            return self.data
        return bytes([self.number]) + b"".join(map(uvarint, self.args)) + self.data

    @property
    def names(self) -> tuple[str, ...]:
        """What the numbers mean, by place; "dt" for the ticks that a timed event begins with."""
        spec = BY_NUMBER[self.number]
        return ("dt", *spec.args) if self.number in TICKS else spec.args


def uvarint(value: int) -> bytes:
    out = bytearray()
    value &= 0xFFFFFFFFFFFFFFFF
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(data: bytes, at: int) -> tuple[int, int]:
    """The varint at `at` and where it ends; `IndexError` if it does not, `ValueError` if it is too large."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    if value >> 64:
        raise ValueError("more than 64 bits")
    return value, at


def parse(data: bytes) -> Trace:
    trace = Trace(data[:HEADER], [])
    at = HEADER
    while at < len(data):
        try:
            batch, at = _batch(data, at)
        except (IndexError, ValueError):
            trace.rest = data[at:]
            break
        trace.batches.append(batch)
    return trace


def _batch(data: bytes, at: int) -> tuple[Batch, int]:
    batch = Batch(data[at])
    if batch.kind == END:
        return batch, at + 1
    if batch.kind not in (PLAIN, EXPERIMENTAL):
        raise ValueError("no batch")
    at += 1
    if batch.kind == EXPERIMENTAL:
        batch.experiment = data[at]
        at += 1
    batch.generation, at = number(data, at)
    batch.thread, at = number(data, at)
    batch.time, at = number(data, at)
    size, at = number(data, at)
    if size > len(data) - at:
        raise ValueError("cut short")
    batch.body = data[at : at + size]
    return batch, at + size


def items(body: bytes) -> list[Item]:
    """What stands in a batch, one after the other."""
    found = []
    at = 0
    while at < len(body):
        try:
            item, at = _item(body, at)
        except (IndexError, ValueError):
            found.append(Item(-1, data=body[at:]))
            break
        found.append(item)
    return found


def _item(body: bytes, at: int) -> tuple[Item, int]:
    item = Item(body[at])
    at += 1
    if item.number in KNOWN:
        count = 0 if item.number in BARE else len(BY_NUMBER[item.number].args) + (item.number in TICKS)
    elif item.number in (STRING, STACK):
        count = 2
    else:
        raise ValueError("nothing known")
    for _ in range(count):
        value, at = number(body, at)
        item.args.append(value)
    if item.number == STRING:
        size = item.args.pop()
        if size > len(body) - at:
            raise ValueError("cut short")
        item.data = uvarint(size) + body[at : at + size]
        at += size
    elif item.number == STACK:
        for _ in range(4 * min(item.args[1], 1 << 16)):
            value, at = number(body, at)
            item.args.append(value)
    return item, at


def join(found: list[Item]) -> bytes:
    return b"".join(item.encode() for item in found)
