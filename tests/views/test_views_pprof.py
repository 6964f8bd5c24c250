"""The encoder of profiles, against a reader of the wire format of protocol buffers."""

from __future__ import annotations

import gzip

from pytest_gotrace.trace import Frame
from pytest_gotrace.views.pprof import profile
from pytest_gotrace.views.waits import Sample

LEAF, ROOT, TWIN = (
    Frame("sync.Wait", "wg.go", 130),
    Frame("main.main", "main.go", 9),
    Frame("main.main", "main.go", 10),
)
SAMPLES = [Sample(stack=(LEAF, ROOT), count=3, time=2**40), Sample(stack=(LEAF, TWIN), count=1, time=5)]


def fields(message):
    """Numbers of fields with their values, in order."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        else:
            assert tag & 7 == 2
            size = varint()
            yield tag >> 3, message[at : at + size]
            at += size


def packed(numbers):
    return [value for _, value in fields(b"".join(b"\x08" + bytes([n]) for n in numbers))]


def read(content):
    """A profile by names: its sample types, and its samples with (function, file, line) for each location."""
    whole = list(fields(gzip.decompress(content)))
    strings = [text.decode() for number, text in whole if number == 6]
    functions = {own[1]: own for own in (dict(fields(text)) for number, text in whole if number == 5)}
    locations = {
        own[1]: dict(fields(own[4])) for own in (dict(fields(t)) for number, t in whole if number == 4)
    }
    types = [tuple(strings[v] for _, v in fields(text)) for number, text in whole if number == 1]

    def frame(location):
        function = functions[locations[location][1]]
        return Frame(strings[function[2]], strings[function[4]], locations[location][2])

    found = [dict(fields(text)) for number, text in whole if number == 2]
    return types, [tuple(frame(location) for location in packed(own[1])) for own in found]


def test_round_trip():
    """Each sample has its stack, leaf first, with function, file and line; lines of one function stay apart."""
    types, stacks = read(profile(SAMPLES, 10))
    assert types == [("contentions", "count"), ("delay", "nanoseconds")]
    assert stacks == [sample.stack for sample in SAMPLES]


def test_same_bytes():
    """The same samples make the same bytes, whenever they are written."""
    assert profile(SAMPLES, 10) == profile(SAMPLES, 10)
    assert profile([], 10)[4:8] == b"\0\0\0\0"


def test_values_in_pprof(raw_profile):
    """`go tool pprof` reads counts and nanoseconds as they were written."""
    counts, times = raw_profile(profile(SAMPLES, 10))
    assert {stack[1]: count for stack, count in counts.items()} == {
        "main.main main.go:9": 3,
        "main.main main.go:10": 1,
    }
    assert sorted(times.values()) == [5, 2**40]
