"""Bytes become batches, and batches a generation: only headers are read here, what they hold stays where it is."""

from array import array

import cython
from cython.cimports.libc.stdint import uint64_t

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace.spec import BY_NAME, MAX_BATCH_SIZE
from pytest_gotrace.trace.version import WireVersion

EVENT_BATCH = cython.declare(cython.int, BY_NAME["EventBatch"].number)
EXPERIMENTAL_BATCH = cython.declare(cython.int, BY_NAME["ExperimentalBatch"].number)
END_OF_GENERATION = cython.declare(cython.int, BY_NAME["EndOfGeneration"].number)


class Generation:
    """The batches of one generation, purely data: nothing in them has been decoded.

    `events`, `strings`, `stacks`, `samples` and `sync` are flat arrays, four numbers a batch: thread, first tick,
    where its bytes begin in the file, and where they end. `damage` is what ended the generation before its time.
    """

    __slots__ = ("damage", "events", "first_tick", "number", "offset", "samples", "stacks", "strings", "sync")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.number = 0
        self.first_tick = 0
        self.damage: TraceError | None = None
        self.events, self.strings, self.stacks, self.samples, self.sync = (array("Q") for _ in range(5))


@cython.cclass
class Scanner:
    """Reads batch headers from `position` on; `next` hands out one generation after the other."""

    data: cython.const[cython.uchar][::1]
    position: cython.Py_ssize_t
    wire: cython.int
    # Of the batch read last:
    kind: cython.int
    experimental: cython.bint
    generation: uint64_t
    thread: uint64_t
    tick: uint64_t
    start: cython.Py_ssize_t
    end: cython.Py_ssize_t

    def __init__(self, data: cython.const[cython.uchar][::1], position: cython.Py_ssize_t, wire: int) -> None:
        self.data = data
        self.position = position
        self.wire = wire

    def next(self):
        """The next `Generation`, None at the end of the file; `TraceError` if there is none to speak of."""
        generation = Generation(self.position)
        marked_end: cython.bint = self.wire >= WireVersion.GO_126
        began: cython.Py_ssize_t
        while True:
            began = self.position
            if began == self.data.shape[0]:
                if marked_end and not generation.events:
                    return None
                if marked_end:
                    raise self.cut_short(generation, "the end of the generation is missing")
                return generation if generation.number else None
            try:
                self.read_batch()
            except TraceError as damage:
                damage.generation = generation.number or None
                if marked_end or not generation.number:
                    raise
                # Without marks the batch that cannot be read may belong to the next generation: keep this one.
                generation.damage = damage
                return generation
            if marked_end and self.kind == END_OF_GENERATION:
                return generation
            if self.generation == 0:
                raise TraceError("a batch says generation 0, which no runtime writes", offset=began)
            if not generation.number:
                generation.number = self.generation
                generation.first_tick = self.tick
            if self.generation != generation.number:
                if not marked_end and self.generation == generation.number + 1:
                    self.position = began
                    return generation
                raise TraceError(
                    f"a batch of generation {self.generation} stands among those of generation {generation.number}",
                    offset=began,
                    generation=generation.number,
                )
            generation.first_tick = min(generation.first_tick, self.tick) or self.tick
            self.sort_in(generation)

    @cython.cfunc
    def cut_short(self, generation, what: str):
        return TraceError(
            f"{what}: the file was cut short (the traced program was killed, or is still running)",
            offset=self.position,
            generation=generation.number or None,
        )

    @cython.cfunc
    def sort_in(self, generation) -> cython.void:
        """Puts the batch read last where its first byte says it belongs."""
        first = BATCH_KINDS.get(self.kind)
        if self.experimental:
            return
        if first == "sync" and self.wire >= WireVersion.GO_125 and self.kind == FREQUENCY:
            first = None
        elif self.kind == SYNC and self.wire < WireVersion.GO_125:
            first = None
        batches = generation.events if first is None else getattr(generation, first)
        batches.extend((self.thread, self.tick, self.start, self.end))

    @cython.cfunc
    def read_batch(self) -> cython.void:
        """Reads one batch header, and moves `position` behind the batch."""
        began: cython.Py_ssize_t = self.position
        kind: cython.int = self.data[self.position]
        size: uint64_t
        self.position += 1
        self.experimental = kind == EXPERIMENTAL_BATCH and self.wire >= WireVersion.GO_123
        if kind == END_OF_GENERATION and self.wire >= WireVersion.GO_126:
            self.kind = kind
            return
        if kind != EVENT_BATCH and not self.experimental:
            raise TraceError(f"expected the start of a batch, found byte {kind}", offset=began)
        self.position += self.experimental  # the experiment's number says nothing to us
        self.generation = self.number("generation", began)
        self.thread = self.number("thread", began)
        self.tick = self.number("time", began)
        size = self.number("size", began)
        if size > MAX_BATCH_SIZE:
            raise TraceError(f"a batch of {size} bytes, expected at most {MAX_BATCH_SIZE}", offset=began)
        if size > cython.cast(uint64_t, self.data.shape[0] - self.position):
            raise TraceError(
                f"a batch of {size} bytes, but the file ends {self.data.shape[0] - self.position} bytes on: "
                "it was cut short (the traced program was killed, or is still running)",
                offset=began,
            )
        self.start = self.position
        self.position += size
        self.end = self.position
        self.kind = self.data[self.start] if size and not self.experimental else 0

    @cython.cfunc
    def number(self, what: str, began: cython.Py_ssize_t) -> uint64_t:
        """The varint at `position`, which the batch that `began` uses for `what`."""
        value: uint64_t = 0
        shift: cython.int = 0
        byte: cython.uint
        while shift < 70 and self.position < self.data.shape[0]:
            byte = self.data[self.position]
            self.position += 1
            if shift == 63 and byte > 1:
                break
            value |= cython.cast(uint64_t, byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        if self.position >= self.data.shape[0]:
            raise TraceError(f"the file ends within the {what} of a batch: it was cut short", offset=began)
        raise TraceError(f"the {what} of a batch does not fit in 64 bits", offset=began)


FREQUENCY = cython.declare(cython.int, BY_NAME["Frequency"].number)
SYNC = cython.declare(cython.int, BY_NAME["Sync"].number)
BATCH_KINDS = {
    BY_NAME["Strings"].number: "strings",
    BY_NAME["Stacks"].number: "stacks",
    BY_NAME["CPUSamples"].number: "samples",
    BY_NAME["Frequency"].number: "sync",
    BY_NAME["Sync"].number: "sync",
}
