"""What a Go test binary prints about its benchmarks, read strictly.

`testing` prints a benchmark's name before it runs and the numbers after, so anything the benchmark itself
prints stands between the two, often on the same line:

    BenchmarkSend-8   <tab>whatever it printed     500<tab>  2461 ns/op<tab>  64 B/op<tab>  1 allocs/op

Format: https://go.dev/design/14313-benchmark-format, and `testing/benchmark.go`, whose `%8d`, tabs and
units are relied on here. The number of iterations is known beforehand (`-test.benchtime=Nx`), which is what
makes the end of the printed text and the beginning of the numbers certain.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MARK = "\x16"
"""What `-test.v=test2json` puts before each line that is the framework's own."""

_RUN = _MARK + "=== RUN   "


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result line: each unit with its value, and the GOMAXPROCS it was measured with.

    Units whose value is not finite (`b.ReportMetric(math.NaN(), …)`) are left out: nothing was measured.
    """

    values: Mapping[str, float]
    procs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A benchmark that ran; `nanoseconds` is the time of its single iteration, None if it hides `ns/op`."""

    name: str
    nanoseconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """A benchmark that skipped itself or failed, with what it said."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What one top-level benchmark turned out to contain, in the order it ran."""

    found: tuple[Found, ...] = ()
    skipped: tuple[NotRun, ...] = ()
    failed: tuple[NotRun, ...] = ()


def results(text: str, name: str, iterations: int) -> tuple[Result, ...]:
    """Every result for `name` after exactly `iterations`, with `-test.benchmem`; one, if all is well."""
    numbers = re.compile(
        rf"{iterations:8d}((?:\t *\S+ \S+)*\t *-?\d+ B/op\t *-?\d+ allocs/op)$", re.MULTILINE
    )
    heading = re.compile(rf"{re.escape(name)}(?:-(\d+))? *\t")
    return tuple(_results(text, numbers, heading))


def _results(text: str, numbers: re.Pattern[str], heading: re.Pattern[str]) -> Iterator[Result]:
    for found in numbers.finditer(text):
        headings = list(heading.finditer(text, 0, found.start() + 1))
        if headings:
            yield Result(values=_values(found.group(1)), procs=int(headings[-1].group(1) or 1))


def _values(columns: str) -> dict[str, float]:
    pairs = (column.split() for column in columns.strip("\t").split("\t"))
    values = {unit: _number(value) for value, unit in pairs}
    return {unit: value for unit, value in values.items() if math.isfinite(value)}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def discovery(text: str) -> Discovery:
    """Read the output of `-test.v=test2json -test.benchtime=1x -test.benchmem`.

    Verbose output names each benchmark without its GOMAXPROCS suffix before it runs. That is the only way
    to tell `size-8` on one processor from `size` on eight, and the only way in which a skip is mentioned at
    all.
    """
    found, skipped, failed = [], [], []
    for name, body in _sections(text):
        if result := results(body, name, 1):
            found.append(Found(name=name, nanoseconds=result[0].values.get("ns/op")))
        elif reason := _verdict("SKIP", name, body):
            skipped.append(NotRun(name=name, reason=reason))
        elif reason := _verdict("FAIL", name, body):
            failed.append(NotRun(name=name, reason=reason))
    return Discovery(found=tuple(found), skipped=tuple(skipped), failed=tuple(failed))


def failures(text: str) -> tuple[str, ...]:
    """The names after `--- FAIL:`, parents of a failed sub-benchmark included."""
    return tuple(re.findall(r"^\x16?--- FAIL: (.+?)(?: \([\d.]+s\))?$", text, re.MULTILINE))


def broke_off(text: str, name: str) -> bool:
    """Whether the result is one of no iterations, which is what `testing` makes of a panic in the middle.

    It takes the end of the goroutine for the end of the benchmark, and its own good end may overtake the
    panic, with `PASS` and 0 for an exit code.
    """
    return re.search(re.escape(name) + r"(?:-\d+)? *\t[\s\S]*? 0\t *NaN ns/op", text) is not None


def passed(text: str) -> bool:
    """Whether the framework itself said that it came to a good end."""
    return re.search(r"^\x16?PASS$|\x16PASS$", text, re.MULTILINE) is not None


def _sections(text: str) -> Iterator[tuple[str, str]]:
    for section in text.split(_RUN)[1:]:
        name, _, body = section.partition("\n")
        yield name, body.removeprefix(name + "\n")


def _verdict(word: str, name: str, body: str) -> str:
    """What was logged around `--- SKIP: name`: before it since Go 1.25, after it in older versions."""
    before, mark, after = body.partition(f"{_MARK}--- {word}: {name}\n")
    if not mark:
        return ""
    said = " ".join((before + after.partition(_MARK)[0]).split())
    return said or "no reason given"
