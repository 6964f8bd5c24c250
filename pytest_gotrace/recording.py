"""What was measured: the runs of both sides, in the order they were made, and the machine they were made on."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pytest_gotrace.distributions import Distribution
from pytest_gotrace.metrics import Key
from pytest_gotrace.roll import Listed
from pytest_gotrace.spots import Spot

Side = Literal["base", "head"]
SIDES: tuple[Side, Side] = ("base", "head")

#: What makes two recordings incomparable when it differs; `kernel` and `memory` are kept and forgiven.
MACHINE = ("cpu", "cores", "cpus", "gomaxprocs", "go", "os", "arch")

#: GitHub starts no more jobs from one matrix.
MOST_PARTS = 256


def part(text: str) -> tuple[int, int] | None:
    """The numbers of a part such as `2/4`; None where there cannot be such a part."""
    found = re.fullmatch(r"([1-9]\d{0,2})/([1-9]\d{0,2})", text, re.ASCII)
    index, of = map(int, found.groups()) if found else (0, 0)
    return (index, of) if 1 <= index <= of <= MOST_PARTS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One side of a recording: the revision as the person named it, and what git says it is.

    `tree` is the hash of the files as they were measured, uncommitted changes included.
    """

    name: str
    sha: str = ""
    dirty: bool = False
    tree: str = ""

    def same_files(self, other: Measured) -> bool:
        """Whether both are the same commit with the same files, whatever they are called."""
        return bool(self.tree) and (self.sha, self.tree) == (other.sha, other.tree)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process that ran one benchmark on one side.

    `values` are what `go test` printed (ns/op, B/op, …, custom units); `series` and `spots` are read from the trace
    and empty for an untraced run. A traced run that is `sampled` also had the CPU profile on; it only explains, and is
    never judged. `position` is 0 for the side that ran first in its pair. `disturbed` names what told of others on the
    machine while it ran, `repeated` what told so of the pair that this one stands for.
    """

    side: Side
    benchmark: str
    round: int
    position: int
    traced: bool
    iterations: int
    values: Mapping[str, float]
    series: Mapping[Key, Distribution] = field(default_factory=dict)
    spots: tuple[Spot, ...] = ()
    trace_bytes: int = 0
    sampled: bool = False
    disturbed: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    def number(self, key: Key) -> float:
        """The one number that `key` stands for in this run; NaN where the run does not say.

        No event of a series means 0 events and 0 time; it says nothing about their mean, quantiles or longest.
        """
        if not key.statistic:
            return self.values.get(key.subject or key.metric, math.nan)
        distribution = self.series.get(key.series)
        if distribution is not None:
            return distribution.statistic(key.statistic)
        return 0.0 if self.traced and key.statistic in ("count", "total") else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A sequential test, as far as it got: after which numbers of pairs it looks, and how many looks were taken.

    `family` is a digest of everything that is judged together, `budgets` has one of each budget file by its place in
    the repository. `recorded`: the base was a recording itself. `shard` is the part that was measured, as `2/4`.
    """

    looks: tuple[int, ...]
    taken: int
    family: str
    budgets: Mapping[str, str] = field(default_factory=dict)
    recorded: bool = False
    shard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Runs of one or both sides, in the order they were made, with the machine they were made on.

    `explaining` are the sampled runs, which nobody judges. `plan` is there if they belong to one test that can go on;
    `roll` are the benchmarks that were there to be run. `seconds` is how long it all took, 0 where nobody knows.
    """

    environment: Mapping[str, str]
    sides: Mapping[Side, Measured]
    runs: tuple[Run, ...]
    explaining: tuple[Run, ...] = ()
    seed: int = 0
    when: str = ""  # `2026-11-21T05:33:00Z`; older recordings do not say
    plan: Planned | None = None
    roll: tuple[Listed, ...] = ()
    seconds: float = 0.0

    def of(self, side: Side, benchmark: str, *, traced: bool, sampled: bool = False) -> tuple[Run, ...]:
        """Runs of one kind, of one side of one benchmark, by round."""
        runs = self.explaining if sampled else self.runs
        found = (run for run in runs if (run.side, run.benchmark, run.traced) == (side, benchmark, traced))
        return tuple(sorted(found, key=lambda run: run.round))

    def benchmarks(self, side: Side) -> tuple[str, ...]:
        """Names of the benchmarks that have at least one run on that side, sorted."""
        return tuple(sorted({run.benchmark for run in self.runs if run.side == side}))

    def iterations(self, benchmark: str) -> int | None:
        """The iteration count that this benchmark was recorded with."""
        return next((run.iterations for run in self.runs if run.benchmark == benchmark), None)


def against_itself(recording: Recording) -> Recording:
    """Pairs, whichever sides were recorded: of a recording with one side, neighbouring runs are a pair.

    They ran one after the other as the two of a pair do. Warm-ups are left out, and an odd run at the end.
    """
    runs = tuple(run for run in recording.runs if run.round >= 0)
    sides = {run.side for run in runs}
    if len(sides) == 1:
        runs = tuple(
            replace(run, side=SIDES[run.round % 2], round=run.round // 2, position=run.round % 2)
            for run in runs
        )
        (only,) = sides
        return replace(recording, runs=runs, sides=dict.fromkeys(SIDES, recording.sides[only]))
    return replace(recording, runs=runs)


def differences(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[str, ...]:
    """`cpu: 'X' here, 'Y' there` for each entry of `MACHINE` in which two environments differ."""
    return tuple(
        f"{name}: {a.get(name, 'unknown')!r} here, {b.get(name, 'unknown')!r} in the recording"
        for name in MACHINE
        if a.get(name) != b.get(name)
    )
