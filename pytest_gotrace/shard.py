"""One part of a run on each of several machines: which benchmarks are this machine's.

Both sides of a benchmark are always in one part. Every machine must come to the same answer by itself, so it depends on
names and recordings alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from pytest_gotrace.errors import UsageError
from pytest_gotrace.recording import MOST_PARTS, Recording, part

if TYPE_CHECKING:
    from pytest_gotrace.verdict import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Part `index` of `of`, counted from 1."""

    index: int
    of: int

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


def parse_shard(text: str) -> Shard:
    """The part in `2/4`. Raises `UsageError`."""
    found = part(text)
    if found is None:
        raise UsageError(
            f"--gotrace-shard: expected a part like 2/4, at most {MOST_PARTS} of them, found {text!r}"
        )
    return Shard(index=found[0], of=found[1])


def notes(shard: Shard | None, *, empty: bool) -> Iterator[str]:
    """What a reader must know about the rest."""
    if shard is not None and empty:
        yield f"no benchmark fell to part {shard}; whatever there is is measured elsewhere"
    elif shard is not None:
        yield f"part {shard} of the benchmarks; the others are measured elsewhere"


def own(
    questions: tuple[Question, ...], shard: Shard | None, recordings: Iterable[Recording]
) -> tuple[Question, ...]:
    """The questions about benchmarks of this part; all of them where there are no parts."""
    if shard is None:
        return questions
    ours = share(shard, (question.benchmark.id for question in questions), durations(recordings))
    return tuple(question for question in questions if question.benchmark.id in ours)


def durations(recordings: Iterable[Recording]) -> dict[str, float]:
    """Seconds that the recorded runs of each benchmark took: the mean over the recordings that have it."""
    totals: dict[str, list[float]] = {}
    for recording in recordings:
        taken: dict[str, float] = {}
        for run in recording.runs:
            if "ns/op" in run.values:
                taken[run.benchmark] = (
                    taken.get(run.benchmark, 0.0) + run.iterations * run.values["ns/op"] / 1e9
                )
        for benchmark, seconds in taken.items():
            totals.setdefault(benchmark, []).append(seconds)
    return {benchmark: sum(seconds) / len(seconds) for benchmark, seconds in totals.items()}


def share(shard: Shard, benchmarks: Iterable[str], seconds: Mapping[str, float]) -> frozenset[str]:
    """The benchmarks of this part: longest first, each to the part that has least so far.

    At most a third more than the best division (Graham 1969, *longest processing time first*). A benchmark that nobody
    recorded counts as a usual one, so without a recording all parts have the same number.
    """
    names = sorted(set(benchmarks))
    known = [seconds[name] for name in names if name in seconds]
    usual = median(known) if known else 1.0
    loads = [0.0] * shard.of
    ours: set[str] = set()
    for name in sorted(names, key=lambda name: (-seconds.get(name, usual), name)):
        least = loads.index(min(loads))
        loads[least] += seconds.get(name, usual)
        if least == shard.index - 1:
            ours.add(name)
    return frozenset(ours)
