"""The tables of a generation: strings, stacks, clock and CPU samples become what the ordering needs to know.

Strings are read before stacks, wherever they stand, since stacks name their functions and files by string.
"""

from array import array

import cython
import numpy as np
from cython.cimports.libc.stdint import int64_t, uint64_t

from pytest_gotrace.errors import TraceError
from pytest_gotrace.trace.spec import BY_NAME, MAX_FRAMES, MAX_STRING_SIZE
from pytest_gotrace.trace.table import Samples
from pytest_gotrace.trace.version import WireVersion

STRING = cython.declare(cython.int, BY_NAME["String"].number)
STACK = cython.declare(cython.int, BY_NAME["Stack"].number)
CPU_SAMPLE = cython.declare(cython.int, BY_NAME["CPUSample"].number)
FREQUENCY = cython.declare(cython.int, BY_NAME["Frequency"].number)
CLOCK_SNAPSHOT = cython.declare(cython.int, BY_NAME["ClockSnapshot"].number)


class Codes:
    """File-wide codes by the IDs of one generation: an array when the IDs are dense, else sorted IDs beside codes."""

    __slots__ = ("codes", "dense", "ids")

    def __init__(self, codes: dict[bytes, int]) -> None:
        ids = np.frombuffer(b"".join(codes), np.uint64)
        values = np.fromiter(codes.values(), np.int32, len(codes))
        highest = int(ids.max(initial=0))
        self.dense = highest <= 4 * len(codes) + 64
        if self.dense:
            self.ids = np.empty(0, np.uint64)
            self.codes = np.full(highest + 1, -1, np.int32)
            self.codes[ids.astype(np.int64)] = values
            self.codes[0] = 0
        else:
            order = np.argsort(ids)
            self.ids = ids[order]
            self.codes = values[order]


class Tables:
    """What a generation says beside its events: `frequency` is nanoseconds a tick, `samples` are `table.Samples`."""

    __slots__ = ("frequency", "samples", "stacks", "strings")

    def __init__(self, frequency: float, strings: Codes, stacks: Codes, samples) -> None:
        self.frequency, self.strings, self.stacks, self.samples = frequency, strings, stacks, samples


@cython.cfunc
def as_key(number: uint64_t) -> bytes:
    """A number of the file's as the key of a dictionary: hashes of bytes cannot be made to collide."""
    return cython.cast(cython.p_char, cython.address(number))[:8]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def nanoseconds(ticks: uint64_t, frequency: cython.double) -> int64_t:
    """Ticks as Go converts them: a product of doubles, cut off. Beyond 64 bits the lowest value, as amd64 does."""
    product: cython.double = cython.cast(cython.double, ticks) * frequency
    if product < 9223372036854775808.0:
        return cython.cast(int64_t, product)
    return cython.cast(int64_t, 1) << 63


@cython.cclass
class TableReader:
    """A cursor over the batches of one kind in turn; every read is checked against the end of the batch."""

    data: cython.const[cython.uchar][::1]
    generation: object
    position: cython.Py_ssize_t
    end: cython.Py_ssize_t
    tick: uint64_t

    def __init__(self, data: cython.const[cython.uchar][::1], generation) -> None:
        self.data = data
        self.generation = generation

    @cython.cfunc
    def open(self, batches, at: cython.Py_ssize_t, header: cython.bint) -> cython.void:
        """Goes to batch `at`, behind its first byte if that only says which kind of batch it is."""
        self.tick = batches[4 * at + 1]
        self.position = cython.cast(cython.Py_ssize_t, batches[4 * at + 2]) + header
        self.end = batches[4 * at + 3]

    def wrong(self, message: str) -> TraceError:
        return TraceError(message, offset=self.position, generation=self.generation.number)

    @cython.cfunc
    def expect(self, kind: cython.int, what: str) -> cython.void:
        found: cython.int = self.data[self.position]
        if found != kind:
            raise self.wrong(f"expected a {what}, found byte {found}")
        self.position += 1

    @cython.cfunc
    def number(self, what: str) -> uint64_t:
        value: uint64_t = 0
        shift: cython.int = 0
        byte: cython.uint
        while self.position < self.end and shift < 70:
            byte = self.data[self.position]
            self.position += 1
            if shift == 63 and byte > 1:
                break
            value |= cython.cast(uint64_t, byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise self.wrong(f"the {what} is cut off, or does not fit in 64 bits")

    def read_strings(self, names) -> dict[bytes, int]:
        """IDs to codes of all strings of the generation."""
        codes: dict = {}
        batches = self.generation.strings
        at: cython.Py_ssize_t
        for at in range(len(batches) // 4):
            self.open(batches, at, True)
            while self.position < self.end:
                self.expect(STRING, "string")
                key: uint64_t = self.number("ID of a string")
                size: uint64_t = self.number("length of a string")
                if size > MAX_STRING_SIZE or cython.cast(cython.Py_ssize_t, size) > self.end - self.position:
                    raise self.wrong(
                        f"string {key} of {size} bytes, expected at most {MAX_STRING_SIZE} in its batch"
                    )
                packed = as_key(key)
                if key == 0 or packed in codes:
                    raise self.wrong(f"string {key} is there twice")
                codes[packed] = names.string(bytes(self.data[self.position : self.position + size]))
                self.position += size
        return codes

    def read_stacks(self, names, strings: dict) -> dict[bytes, int]:
        """IDs to codes of all stacks of the generation; a PC means the frame it was first given."""
        codes: dict = {}
        pcs: dict = {}
        batches = self.generation.stacks
        at: cython.Py_ssize_t
        for at in range(len(batches) // 4):
            self.open(batches, at, True)
            while self.position < self.end:
                self.expect(STACK, "stack")
                key: uint64_t = self.number("ID of a stack")
                packed = as_key(key)
                if key == 0 or packed in codes:
                    raise self.wrong(f"stack {key} is there twice")
                codes[packed] = self.read_stack(names, strings, pcs)
        return codes

    @cython.cfunc
    def read_stack(self, names, strings: dict, pcs: dict):
        frames = cython.declare(cython.int[128])
        count: uint64_t = self.number("number of frames of a stack")
        if count > MAX_FRAMES:
            raise self.wrong(f"a stack of {count} frames, expected at most {MAX_FRAMES}")
        at: cython.int
        function = 0
        for at in range(cython.cast(cython.int, count)):
            pc: uint64_t = self.number("PC of a frame")
            function_id: uint64_t = self.number("function of a frame")
            file_id: uint64_t = self.number("file of a frame")
            line: uint64_t = self.number("line of a frame")
            packed = as_key(pc)
            known = pcs.get(packed)
            if known is None:
                function = self.resolve(strings, function_id, "function")
                file = self.resolve(strings, file_id, "file")
                known = pcs[packed] = (names.frame(function, file, line), function)
            frames[at] = known[0]
            function = known[1]
        packed = cython.cast(cython.p_char, frames)[: 4 * count]
        return names.stack(packed, function)

    @cython.cfunc
    def resolve(self, strings: dict, key: uint64_t, what: str):
        if key == 0:
            return 0
        code = strings.get(as_key(key))
        if code is None:
            raise self.wrong(f"the {what} of a frame is string {key}, which the generation does not have")
        return code

    def read_clock(self, wire: int) -> float:
        """Nanoseconds a tick; from Go 1.25 on the batch must hold a reading of the clocks, too."""
        frequency: uint64_t = 0
        snapshot: cython.bint = False
        batches = self.generation.sync
        at: cython.Py_ssize_t
        for at in range(len(batches) // 4):
            self.open(batches, at, wire >= WireVersion.GO_125)
            while self.position < self.end:
                if self.data[self.position] == CLOCK_SNAPSHOT and wire >= WireVersion.GO_125:
                    if snapshot:
                        raise self.wrong("a second clock snapshot")
                    snapshot = True
                    self.position += 1
                    for what in ("time", "monotonic clock", "seconds", "nanoseconds"):
                        self.number(f"{what} of a clock snapshot")
                    continue
                self.expect(FREQUENCY, "frequency or clock snapshot")
                if frequency:
                    raise self.wrong("a second frequency")
                frequency = self.number("frequency")
        if frequency == 0:
            raise self.missing("frequency")
        if wire >= WireVersion.GO_125 and not snapshot:
            raise self.missing("clock snapshot")
        return 1.0 / (cython.cast(cython.double, frequency) / 1e9)

    def missing(self, what: str) -> TraceError:
        return TraceError(
            f"the generation has no {what}: the file was cut short, or is damaged",
            offset=self.generation.offset,
            generation=self.generation.number or None,
        )

    def read_samples(self, frequency: cython.double, stacks: dict):
        """The CPU samples by time: they are events, too, and move the clock, which then says when they were."""
        times, goroutines, codes = array("q"), array("Q"), array("i")
        batches = self.generation.samples
        at: cython.Py_ssize_t
        for at in range(len(batches) // 4):
            self.open(batches, at, True)
            while self.position < self.end:
                self.expect(CPU_SAMPLE, "CPU sample")
                times.append(nanoseconds(self.number("time of a CPU sample"), frequency))
                for what in ("thread", "processor"):
                    self.number(f"{what} of a CPU sample")
                goroutines.append(self.number("goroutine of a CPU sample"))
                codes.append(self.sampled_stack(stacks, self.number("stack of a CPU sample")))
        order = np.argsort(np.array(times), kind="stable")
        of = np.array(goroutines).view(np.int64)
        return Samples.of(
            time=np.array(times)[order],
            goroutine=np.where(of == 0, -1, of)[order],
            stack=np.array(codes)[order],
        )

    @cython.cfunc
    def sampled_stack(self, stacks: dict, key: uint64_t):
        if key == 0:
            return 0
        code = stacks.get(as_key(key))
        if code is None:
            raise self.wrong(f"the stack of a CPU sample is stack {key}, which the generation does not have")
        return code


def read_tables(data, generation, wire: int, names) -> Tables:
    """Decodes the tables of `generation`, whose strings and stacks become codes of `names`."""
    reader = TableReader(data, generation)
    strings = reader.read_strings(names)
    stacks = reader.read_stacks(names, strings)
    frequency = reader.read_clock(wire)
    return Tables(frequency, Codes(strings), Codes(stacks), reader.read_samples(frequency, stacks))
