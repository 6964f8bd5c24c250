"""Mutations that know what a trace is made of: batches, events, strings, stacks and generations.

They keep sizes right, take numbers from where numbers of that kind stand, and so get past the first check that random
bytes fail at. Beside them the plain mutations of the fuzzer are used, on the whole file and within one batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from batches import (
    END,
    EXPERIMENTAL,
    HEADER,
    PLAIN,
    STACK,
    STRING,
    TICKS,
    Batch,
    Item,
    Trace,
    items,
    join,
    parse,
    uvarint,
)

from pytest_gotrace.trace.spec import BY_NAME, BY_NUMBER
from pytest_gotrace.trace.version import WireVersion

Plain = Callable[[bytes, int], bytes]

NOBODY = 2**64 - 1
EDGES = (
    0,
    1,
    2,
    3,
    4,
    5,
    63,
    64,
    127,
    128,
    129,
    255,
    256,
    511,
    512,
    1024,
    1025,
    0x4000,
    0xFFFF,
    0x10000,
    2**31 - 1,
    2**31,
)
EDGES += (2**32 - 1, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1)
TEXTS = (
    b"",
    b"forever",
    b"runtime.main",
    b"runtime.goexit",
    b"sync",
    b"select",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc3",
    b"\0",
    b'"\\',
)
# What may stand anywhere on a thread that runs a goroutine, and comes in pairs.
PAIRS = (
    ("UserRegionBegin", "UserRegionEnd"),
    ("UserTaskBegin", "UserTaskEnd"),
    ("GCMarkAssistBegin", "GCMarkAssistEnd"),
    ("GCSweepBegin", "GCSweepEnd"),
    ("STWBegin", "STWEnd"),
    ("GoSyscallBegin", "GoSyscallEnd"),
    ("GCBegin", "GCEnd"),
)


class Mutator:
    """Mutations of one file with one seed; `plain` is the fuzzer's own mutation of some bytes."""

    def __init__(self, seed: int, plain: Plain) -> None:
        self.random = Random(seed)
        self.plain = plain
        self.pool: dict[str, list[int]] = {}

    def mutate(self, data: bytes, most: int) -> bytes:
        """A mutation of at most `most` bytes."""
        if len(data) <= HEADER or self.random.random() < 0.12:
            return self.plain(data, most)
        trace = parse(data)
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3, 5))):
            if trace.batches:
                self.random.choice(CHANGES)(self, trace)
        return self.fit(trace, most)

    def cross(self, data: bytes, other: bytes, most: int) -> bytes:
        """A file with something of both."""
        trace, donor = parse(data), parse(other)
        if trace.batches and donor.batches:
            self.random.choice(CROSSINGS)(self, trace, donor)
        return self.fit(trace, most)

    def fit(self, trace: Trace, most: int) -> bytes:
        """Drops batches until the file is short enough."""
        out = trace.encode()
        while len(out) > most and trace.batches:
            del trace.batches[self.random.randrange(len(trace.batches))]
            out = trace.encode()
        return out[:most]

    # Where a mutation takes place.

    def any_batch(self, trace: Trace) -> Batch:
        full = [batch for batch in trace.batches if batch.body]
        return self.random.choice(full or trace.batches)

    def any_place(self, found: list[Item]) -> int:
        return self.random.randrange(len(found))

    def value(self, trace: Trace, name: str) -> int:
        """A number as something called `name` may have it: small, at an edge, or one that stands elsewhere."""
        kind = self.random.random()
        if kind < 0.15:
            return self.random.choice(EDGES)
        if kind < 0.5:
            return self.random.randrange(0, 6)
        seen = self.seen(trace).get(_kind(name))
        return self.random.choice(seen) if seen else self.random.randrange(0, 40)

    def seen(self, trace: Trace) -> dict[str, list[int]]:
        """The numbers of each kind in one batch, which is chosen once."""
        if not self.pool:
            for item in items(self.any_batch(trace).body):
                if item.number >= 0 and item.number not in (STRING, STACK):
                    for value, name in zip(item.args, item.names, strict=False):
                        self.pool.setdefault(_kind(name), []).append(value)
        return self.pool

    def event(self, trace: Trace, name: str) -> Item:
        args = BY_NAME[name].args
        return Item(
            BY_NAME[name].number, [self.random.randrange(0, 3), *(self.value(trace, arg) for arg in args)]
        )

    # Batches.

    def duplicate(self, trace: Trace) -> None:
        batch = replace(self.random.choice(trace.batches))
        trace.batches.insert(self.random.randrange(len(trace.batches) + 1), batch)

    def drop(self, trace: Trace) -> None:
        del trace.batches[self.random.randrange(len(trace.batches))]

    def swap(self, trace: Trace) -> None:
        i, j = (self.random.randrange(len(trace.batches)) for _ in range(2))
        trace.batches[i], trace.batches[j] = trace.batches[j], trace.batches[i]

    def head(self, trace: Trace) -> None:
        """Another generation, thread or time."""
        batch = self.random.choice(trace.batches)
        if batch.kind == END:
            return
        what = self.random.choice(("generation", "thread", "time"))
        value = getattr(self.random.choice(trace.batches), what) + self.random.choice((-1, 0, 0, 1))
        setattr(batch, what, self.random.choice((value, value, value, *EDGES)) & NOBODY)

    def split(self, trace: Trace) -> None:
        """A batch becomes two, which mean the same."""
        at = self.random.randrange(len(trace.batches))
        found = items(trace.batches[at].body)
        if len(found) < 2:
            return
        cut = self.random.randrange(1, len(found))
        passed = sum(item.args[0] for item in found[:cut] if item.number in TICKS)
        first = trace.batches[at]
        second = replace(first, time=first.time + passed & NOBODY, body=join(found[cut:]))
        first.body = join(found[:cut])
        trace.batches.insert(self.random.randrange(at + 1, len(trace.batches) + 1), second)

    def kind(self, trace: Trace) -> None:
        """A batch of an experiment, or the end of a generation, somewhere."""
        batch = replace(
            self.random.choice(trace.batches), kind=self.random.choice((EXPERIMENTAL, END, PLAIN))
        )
        trace.batches.insert(self.random.randrange(len(trace.batches) + 1), batch)

    def version(self, trace: Trace) -> None:
        version = self.random.choice(list(WireVersion))
        trace.header = f"go 1.{version.value} trace".encode().ljust(HEADER, b"\0")

    def repeat(self, trace: Trace) -> None:
        """The whole generation once more, as the next one."""
        which = self.random.choice(trace.batches).generation
        last = max(batch.generation for batch in trace.batches)
        again = [replace(b) for b in trace.batches if b.generation == which]
        for batch in again:
            batch.generation = last + 1 & NOBODY
        if any(batch.kind == END for batch in trace.batches):
            again.append(Batch(END))
        trace.batches += again

    def size(self, trace: Trace) -> None:
        """A batch that says it is longer or shorter than it is: what follows is read wrongly."""
        at = self.random.randrange(len(trace.batches))
        tail = b"".join(batch.encode() for batch in trace.batches[at + 1 :]) + trace.rest
        batch = trace.batches[at]
        wrong = max(0, len(batch.body) + self.random.choice((-9, -2, -1, 1, 2, 9, 1 << 16)))
        numbers = b"".join(map(uvarint, (batch.generation, batch.thread, batch.time, wrong)))
        trace.rest = bytes([batch.kind]) + numbers + batch.body + tail
        del trace.batches[at:]

    def cut(self, trace: Trace) -> None:
        """The file ends early."""
        del trace.batches[self.random.randrange(1, len(trace.batches) + 1) :]
        trace.rest = b""

    def crowd(self, trace: Trace) -> None:
        """The same on many threads."""
        batch = self.random.choice(trace.batches)
        at = self.random.randrange(len(trace.batches) + 1)
        first = self.random.randrange(0, 100)
        count = self.random.choice((3, 13, 51, 65, 130))
        if len(batch.body) * count < 20_000:
            trace.batches[at:at] = [replace(batch, thread=first + n) for n in range(count)]

    # Events, strings and stacks.

    def change(self, trace: Trace) -> None:
        """Another number."""
        batch, found, at = self.pick(trace)
        item = found[at]
        if item.number in (STRING, STACK):
            self.change_table(trace, item)
        elif item.args:
            place = self.random.randrange(len(item.args))
            near = item.args[place] + self.random.choice((-1, 1))
            value = self.value(trace, item.names[place])
            item.args[place] = self.random.choice((near, value, value)) & NOBODY
        batch.body = join(found)

    def change_table(self, trace: Trace, item: Item) -> None:
        if item.number == STRING and self.random.random() < 0.7:
            text = self.random.choice((*TEXTS, self.random.randbytes(3), b"a" * 1024, b"a" * 1025))
            item.data = uvarint(len(text)) + text
        elif item.number == STACK and self.random.random() < 0.5:
            frames = self.random.choice((0, 1, 2, 127, 128, 129))
            pool = item.args[2:] or [1, 1, 1, 1]
            item.args[1:] = [frames, *(self.random.choice(pool) for _ in range(4 * frames))]
        else:
            item.args[self.random.randrange(len(item.args))] = self.value(trace, "stack")

    def replace_event(self, trace: Trace) -> None:
        """Another event in the same place."""
        batch, found, at = self.pick(trace)
        found[at] = self.event(trace, BY_NUMBER[self.random.choice(sorted(TICKS))].name)
        batch.body = join(found)

    def insert_event(self, trace: Trace) -> None:
        batch, found, at = self.pick(trace)
        event = self.event(trace, BY_NUMBER[self.random.choice(sorted(TICKS))].name)
        found[at + 1 : at + 1] = [event] * self.random.choice((1, 1, 1, 2, 70))
        batch.body = join(found)

    def insert_pair(self, trace: Trace) -> None:
        """What begins and ends, with the events between inside of it."""
        batch, found, at = self.pick(trace)
        begin, end = (self.event(trace, name) for name in self.random.choice(PAIRS))
        for place, name in enumerate(end.names):
            if name in begin.names and name not in ("dt", "stack"):
                end.args[place] = begin.args[begin.names.index(name)]
        behind = self.random.randrange(at, len(found))
        found[behind + 1 : behind + 1] = [end]
        found[at + 1 : at + 1] = [begin]
        batch.body = join(found)

    def insert_block(self, trace: Trace) -> None:
        """A goroutine blocks, and comes back: sequence numbers behind it no longer fit, as on the wire after a loss."""
        batch, found, at = self.pick(trace)
        goroutine, seq = self.value(trace, "g"), self.random.randrange(0, 5)
        block = self.event(trace, self.random.choice(("GoBlock", "GoStop")))
        wake, start = self.event(trace, "GoUnblock"), self.event(trace, "GoStart")
        wake.args[1:3] = [goroutine, seq]
        start.args[1:3] = [goroutine, seq + 1]
        found[at + 1 : at + 1] = [block, wake, start]
        batch.body = join(found)

    def drop_event(self, trace: Trace) -> None:
        batch, found, at = self.pick(trace)
        del found[at : at + self.random.choice((1, 1, 1, 3, 20))]
        batch.body = join(found)

    def copy_events(self, trace: Trace) -> None:
        """Events of one batch in another."""
        batch, found, at = self.pick(trace)
        _, others, start = self.pick(trace)
        found[at:at] = others[start : start + self.random.choice((1, 2, 5, 30))]
        batch.body = join(found)

    def swap_events(self, trace: Trace) -> None:
        batch, found, at = self.pick(trace)
        other = self.any_place(found)
        found[at], found[other] = found[other], found[at]
        batch.body = join(found)

    def rename(self, trace: Trace) -> None:
        """One goroutine, processor or task becomes another, wherever it is in a batch, or everywhere."""
        name = self.random.choice(("g", "p", "m", "task", "new_g"))
        old, new = self.value(trace, name), self.value(trace, name)
        for batch in trace.batches if self.random.random() < 0.5 else [self.any_batch(trace)]:
            found = items(batch.body)
            for item in found:
                if item.number in TICKS:
                    for place, own in enumerate(item.names):
                        if _kind(own) == _kind(name) and item.args[place] == old:
                            item.args[place] = new
            batch.body = join(found)

    def bytes_of_batch(self, trace: Trace) -> None:
        """The fuzzer's own mutation, within a batch."""
        batch = self.any_batch(trace)
        if batch.body:
            batch.body = self.plain(batch.body, len(batch.body) + 64)

    def padding(self, trace: Trace) -> None:
        """A number written in more bytes than it needs, up to one too many."""
        batch, found, at = self.pick(trace)
        raw = found[at].encode()
        if found[at].args and raw[-1] < 0x80:
            found[at] = Item(
                -1, data=raw[:-1] + bytes([raw[-1] | 0x80]) + b"\x80" * self.random.randrange(0, 10) + b"\0"
            )
        batch.body = join(found)

    def pick(self, trace: Trace) -> tuple[Batch, list[Item], int]:
        batch = self.any_batch(trace)
        found = items(batch.body) or [self.event(trace, "ProcStop")]
        return batch, found, self.any_place(found)

    # Two files.

    def append_generation(self, trace: Trace, donor: Trace) -> None:
        """A generation of the other file is the next one of this."""
        which = self.random.choice(donor.batches).generation
        last = max(batch.generation for batch in trace.batches)
        trace.batches += [
            replace(b, generation=last + 1 & NOBODY) for b in donor.batches if b.generation == which
        ]
        if any(batch.kind == END for batch in trace.batches):
            trace.batches.append(Batch(END))

    def mix_batches(self, trace: Trace, donor: Trace) -> None:
        """Batches of the other file in a generation of this one."""
        own = self.random.choice(trace.batches)
        for batch in self.random.sample(donor.batches, min(len(donor.batches), self.random.randrange(1, 5))):
            at = self.random.randrange(len(trace.batches) + 1)
            trace.batches.insert(at, replace(batch, generation=own.generation))

    def mix_events(self, trace: Trace, donor: Trace) -> None:
        batch, found, at = self.pick(trace)
        _, others, start = self.pick(donor)
        found[at:at] = others[start : start + self.random.choice((1, 2, 5, 30))]
        batch.body = join(found)

    def swap_tails(self, trace: Trace, donor: Trace) -> None:
        """This file up to somewhere, and the other one from somewhere on."""
        del trace.batches[self.random.randrange(1, len(trace.batches) + 1) :]
        trace.batches += donor.batches[self.random.randrange(len(donor.batches)) :]


Change = Callable[[Mutator, Trace], None]

CHANGES: tuple[Change, ...] = (
    *(
        Mutator.duplicate,
        Mutator.drop,
        Mutator.swap,
        Mutator.head,
        Mutator.split,
        Mutator.kind,
        Mutator.version,
    ),
    *(
        Mutator.repeat,
        Mutator.size,
        Mutator.cut,
        Mutator.crowd,
        Mutator.rename,
        Mutator.padding,
        Mutator.swap_events,
    ),
    *(Mutator.change, Mutator.change, Mutator.change, Mutator.bytes_of_batch, Mutator.bytes_of_batch),
    *(
        Mutator.insert_event,
        Mutator.insert_event,
        Mutator.insert_pair,
        Mutator.insert_pair,
        Mutator.insert_block,
    ),
    *(
        Mutator.replace_event,
        Mutator.drop_event,
        Mutator.drop_event,
        Mutator.copy_events,
        Mutator.copy_events,
    ),
)
CROSSINGS: tuple[Callable[[Mutator, Trace, Trace], None], ...] = (
    Mutator.append_generation,
    Mutator.mix_batches,
    Mutator.mix_events,
    Mutator.swap_tails,
)


def _kind(name: str) -> str:
    """What arguments are of a kind: goroutines, stacks, strings and so on."""
    return name.removeprefix("new_").split("_")[-1]
