"""Profiles as `go tool pprof` reads them: gzip'd protocol buffers, written by hand since they are so few fields.

The message and its field numbers are `perftools.profiles.Profile` of github.com/google/pprof (proto/profile.proto).
Sample types, units and period are those of `go tool trace -pprof`, so that the two can be subtracted. A trace's
stacks have no addresses here: locations are told apart by function, file and line.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence

from pytest_gotrace.trace import Frame
from pytest_gotrace.views.waits import Sample

# Profile
_SAMPLE_TYPE, _SAMPLE, _LOCATION, _FUNCTION, _STRING_TABLE = 1, 2, 4, 5, 6
_DURATION_NANOS, _PERIOD_TYPE, _PERIOD = 10, 11, 12
# ValueType
_TYPE, _UNIT = 1, 2
# Sample
_LOCATION_ID, _VALUE = 1, 2
# Location
_ID, _LINE = 1, 4
# Line
_FUNCTION_ID, _LINE_NUMBER = 1, 2
# Function, whose id has the number of a location's
_NAME, _SYSTEM_NAME, _FILENAME = 2, 3, 4

_VARINT, _BYTES = 0, 2  # wire types


def profile(samples: Sequence[Sample], duration: int) -> bytes:
    """The bytes of a profile file; `duration` of the trace in ns."""
    tables = _Tables()
    body = b"".join(_message(_SAMPLE, _sample(tables, sample)) for sample in samples)
    kinds = (("contentions", "count"), ("delay", "nanoseconds"))
    types = b"".join(_message(_SAMPLE_TYPE, _value_type(tables, *kind)) for kind in kinds)
    period = _message(_PERIOD_TYPE, _value_type(tables, "trace", "count")) + _number(_PERIOD, 1)
    whole = types + body + b"".join(tables.messages()) + _number(_DURATION_NANOS, duration) + period
    return gzip.compress(whole, mtime=0)


class _Tables:
    """Strings, functions and locations by number; strings count from 0, the others from 1."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {"": 0}
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[Frame, int] = {}

    def string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def function(self, frame: Frame) -> int:
        return self._functions.setdefault((frame.function, frame.file), len(self._functions) + 1)

    def location(self, frame: Frame) -> int:
        return self._locations.setdefault(frame, len(self._locations) + 1)

    def messages(self) -> Iterator[bytes]:
        for frame, number in self._locations.items():
            line = _number(_FUNCTION_ID, self.function(frame)) + _number(_LINE_NUMBER, frame.line)
            yield _message(_LOCATION, _number(_ID, number) + _message(_LINE, line))
        for (name, file), number in self._functions.items():
            named = _number(_NAME, self.string(name)) + _number(_SYSTEM_NAME, self.string(name))
            yield _message(_FUNCTION, _number(_ID, number) + named + _number(_FILENAME, self.string(file)))
        for text in self._strings:
            yield _message(_STRING_TABLE, text.encode("utf-8", "replace"))


def _sample(tables: _Tables, sample: Sample) -> bytes:
    locations = (tables.location(frame) for frame in sample.stack)
    return _packed(_LOCATION_ID, locations) + _packed(_VALUE, (sample.count, sample.time))


def _value_type(tables: _Tables, kind: str, unit: str) -> bytes:
    return _number(_TYPE, tables.string(kind)) + _number(_UNIT, tables.string(unit))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(body)) + body


def _packed(field: int, values: Iterable[int]) -> bytes:
    return _message(field, b"".join(map(_varint, values)))


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first; of a negative number the two's complement in 64 bits."""
    value &= 0xFFFFFFFFFFFFFFFF
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
