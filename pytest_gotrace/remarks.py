"""Remarks at lines of the head: on the changed line that explains a verdict, else on the benchmark that found it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pytest_gotrace.explanation import Annotation, Why
from pytest_gotrace.prepare import Benchmark
from pytest_gotrace.report import VerdictEntry
from pytest_gotrace.sentences import headline

#: GitHub shows ten of a step; two are left for other programs.
MOST = 8

#: The changed line of a file of the repository nearest to a line; None where no change touches that function.
Nearest = Callable[[str, int], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A line of a file of the repository."""

    file: str
    line: int


def remarks(
    rows: Sequence[tuple[VerdictEntry, Benchmark]],
    whys: Mapping[str, Why],
    nearest: Nearest,
    head: Path,
    again: Callable[[Benchmark], str],
) -> tuple[Annotation, ...]:
    """One remark for each benchmark among `rows` (worst first), at most `MOST`.

    `head` is the head's checkout, `again` the command that measures a benchmark again.
    """
    first: dict[str, tuple[VerdictEntry, Benchmark]] = {}
    for entry, benchmark in rows:
        first.setdefault(benchmark.id, (entry, benchmark))
    found = (
        _remark(entry, benchmark, whys.get(benchmark.id), spot, again(benchmark))
        for entry, benchmark in first.values()
        if (spot := _spot(whys.get(benchmark.id), benchmark, nearest, head))
    )
    return tuple(islice(found, MOST))


def _remark(entry: VerdictEntry, benchmark: Benchmark, why: Why | None, spot: Spot, again: str) -> Annotation:
    said = [headline(entry), why.sentence.replace("`", "") if why else "", why.diagnosis if why else ""]
    lines = [
        ". ".join(text.rstrip(".") for text in said if text),
        f"try: {why.advice}" if why and why.advice else "",
        f"reproduce: {again}",
    ]
    return Annotation(
        level="error" if entry.level == "fail" and entry.waived is None else "warning",
        file=spot.file,
        line=spot.line,
        title=f"{entry.benchmark} {entry.metric} is {'over budget' if entry.outcome == 'over' else entry.outcome}",
        message="\n".join(line for line in lines if line),
    )


def _spot(why: Why | None, benchmark: Benchmark, nearest: Nearest, head: Path) -> Spot | None:
    return next(_changed(why, benchmark, nearest), None) or declaration(benchmark, head)


def _changed(why: Why | None, benchmark: Benchmark, nearest: Nearest) -> Iterator[Spot]:
    """Changed lines beside those that explain: where goroutines waited, then who ended it."""
    for shift in why.lines if why else ():
        for file, line in ((shift.file, shift.line), (shift.waker_file, shift.waker_line)):
            path = "/".join(filter(None, (benchmark.module, file)))
            if file and (changed := nearest(path, line)) is not None:
                yield Spot(file=path, line=changed)


def declaration(benchmark: Benchmark, head: Path) -> Spot | None:
    """Where the benchmark's function begins; None where it is written in a way that is not found."""
    function = re.compile(rf"^func {re.escape(benchmark.name.split('/')[0])}\(", re.MULTILINE)
    directory = head / benchmark.module / benchmark.package
    for file in sorted(directory.glob("*_test.go")):
        if file.is_symlink():  # it may lead out of the checkout
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        if found := function.search(text):
            return Spot(file=file.relative_to(head).as_posix(), line=1 + text.count("\n", 0, found.start()))
    return None
