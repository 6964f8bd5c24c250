"""Shards of a matrix: recordings that were made elsewhere, each of some of the benchmarks, put together to be judged.

The chance of a false alarm is one for the whole pull request, so the whole is judged once. Pairs never cross machines:
both sides of a benchmark come from one shard, and shards may be of different machines. They may not be of different
commits, files, budgets or looks.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_gotrace import recordingfile
from pytest_gotrace.continuing import told
from pytest_gotrace.errors import RecordingError
from pytest_gotrace.metrics import CATALOGUE, Metric
from pytest_gotrace.prepare import Failure
from pytest_gotrace.recording import SIDES, Planned, Recording, Side
from pytest_gotrace.roll import Listed, Seen
from pytest_gotrace.rollcall import failure_of
from pytest_gotrace.shard import Shard as Part
from pytest_gotrace.shard import parse_shard
from pytest_gotrace.units import format_duration

_AGAIN = "record every shard with --gotrace-baseline and --gotrace-record"

#: So many shards are told one by one in a report.
_TOLD = 24

#: What tells machines apart, as a report names it.
_MACHINE = ("cpu", "cores", "gomaxprocs", "go", "kernel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One recording, and the file it is from."""

    name: str
    recording: Recording

    @property
    def asked(self) -> bool:
        """Whether any benchmark was to be measured by it."""
        return any(listed.asked for listed in self.recording.roll)

    @property
    def plan(self) -> Planned:
        """The test that it is a part of. Raises `RecordingError` where it is none."""
        plan = self.recording.plan
        if plan is None:
            raise RecordingError(
                f"{self.name} is no shard: it does not say what it is a test of (it was joined with cat, or an older "
                f"version wrote it); {_AGAIN}"
            )
        return plan


def matching(pattern: str, cwd: Path) -> list[Path]:
    """The files that a glob names, sorted. Raises `RecordingError` where there is none."""
    found = sorted(Path(name) for name in glob.glob(str(cwd / pattern), recursive=True))
    if not found:
        raise RecordingError(f"no file matches {pattern}: there is nothing to judge")
    return found


def read(
    paths: Iterable[Path], *, expected: int | None = None, metrics: Sequence[Metric] = CATALOGUE
) -> tuple[Shard, ...]:
    """Every recording in these files, which are parts of one test.

    Raises `RecordingError` where they are not, or are not `expected` many.
    """
    named = _named(tuple(paths))
    shards = tuple(
        Shard(name=name, recording=one)
        for name, path in named
        for one in recordingfile.read_all(path, metrics)
    )
    _refuse_missing(shards)
    if expected is not None and len(shards) != expected:
        names = ", ".join(dict.fromkeys(shard.name for shard in shards))
        raise RecordingError(
            f"{expected} shards were expected, and there are {len(shards)}: {names}. A shard that is missing is no pass"
        )
    for complaint in (found for shard in shards for found in _faults(shard, shards[0])):
        raise RecordingError(complaint)
    _refuse_twice(shards)
    return shards


def _named(paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Each file by its name, with its directory where several have one name: each artifact has its own."""
    names = [path.name for path in paths]
    for path in paths:
        yield path.name if names.count(path.name) == 1 else f"{path.parent.name}/{path.name}", path


def _refuse_missing(shards: Sequence[Shard]) -> None:
    """Raise `RecordingError` where shards say which parts they are, and are not each part of one whole once."""
    told: dict[Part, list[str]] = {}
    for shard in shards:
        if shard.recording.plan and shard.recording.plan.shard:
            told.setdefault(parse_shard(shard.recording.plan.shard), []).append(shard.name)
    there = ", ".join(f"part {part} ({' and '.join(names)})" for part, names in told.items())
    wholes = {part.of for part in told}
    if len(wholes) > 1 or any(len(names) > 1 for names in told.values()):
        raise RecordingError(f"these are not each part of one whole once: {there}")
    every = (Part(index=index, of=of) for of in wholes for index in range(1, of + 1))
    if missing := ", ".join(f"part {part}" for part in every if part not in told):
        raise RecordingError(f"missing: {missing}. There are: {there}. A shard that is missing is no pass")


def notes(shards: Sequence[Shard]) -> Iterator[str]:
    """What to know of shards that had nothing to do, and where they ran in orders of their own.

    A report has room for one seed, that of the first.
    """
    for shard in shards:
        if not shard.asked:
            yield f"`{shard.name}` measured nothing: no benchmark fell to it"
    if len({shard.recording.seed for shard in shards}) > 1:
        yield (
            "each shard ran in a random order of its own: the seeds stand beside the machines, and that of "
            f"{shards[0].name} is the one of the judgement"
        )


def _faults(shard: Shard, first: Shard) -> Iterator[str]:
    """Why a shard is none, or of another test than the first one."""
    name, plan = shard.name, shard.plan
    if plan.recorded:
        yield f"the base of {name} is a recording; judge it where its head was measured"
    if unlisted := sorted(
        {run.benchmark for run in shard.recording.runs} - {b.id for b in shard.recording.roll if b.asked}
    ):
        yield f"{name} has runs of {unlisted[0]}, and does not list it among its benchmarks; {_AGAIN}"
    for side in SIDES:
        here, there = (one.recording.sides.get(side) for one in (shard, first))
        if (here is None) != (there is None) or (here and there and not here.same_files(there)):
            mine, theirs = map(told, (here, there))
            yield f"the {side} of {name} is {mine}, and that of {first.name} is {theirs}"
    if plan.looks != first.plan.looks:
        looks = (", ".join(map(str, one.looks)) for one in (plan, first.plan))
        yield (
            f"{name} has looks after {next(looks)} pairs, and {first.name} after {next(looks)}: "
            "use the same --gotrace-pairs for all"
        )
    for place in sorted(plan.budgets.keys() & first.plan.budgets.keys()):
        if plan.budgets[place] != first.plan.budgets[place]:
            yield f"{name} and {first.name} were measured under different versions of {place}"


def _refuse_twice(shards: Sequence[Shard]) -> None:
    """Raise `RecordingError` where a benchmark was measured by two shards: no pair may cross machines."""
    by: dict[str, str] = {}
    for shard in shards:
        for listed in shard.recording.roll:
            if listed.asked and listed.id in by:
                raise RecordingError(
                    f"{listed.id} was measured by {by[listed.id]} and by {shard.name}; give each benchmark to one shard"
                )
            if listed.asked:
                by[listed.id] = shard.name


def joined(shards: Sequence[Shard]) -> Recording:
    """All shards as one recording, as it can be judged and not measured on: its environment tells of every machine."""
    first = shards[0].recording
    recordings = [shard.recording for shard in shards]
    return replace(
        first,
        environment=_environment(shards),
        runs=tuple(run for one in recordings for run in one.runs),
        explaining=tuple(run for one in recordings for run in one.explaining),
        when=min(one.when for one in recordings),
        roll=_roll(recordings),
        seconds=sum(one.seconds for one in recordings),
        plan=whole_plan(shards),
    )


def whole_plan(shards: Sequence[Shard]) -> Planned:
    """The looks of all, as many as the one that got furthest took, and every budget."""
    plans = [shard.plan for shard in shards]
    return replace(
        plans[0],
        taken=max(plan.taken for plan in plans),
        budgets={place: digest for plan in plans for place, digest in plan.budgets.items()},
    )


def _environment(shards: Sequence[Shard]) -> dict[str, str]:
    """Each entry with every value it has; then the machines, where there is more than one shard."""
    environments = [shard.recording.environment for shard in shards]
    names = dict.fromkeys(name for one in environments for name in one)
    values = {name: _united(name, [one[name] for one in environments if name in one]) for name in names}
    return values if len(shards) == 1 else {**values, "shards": str(len(shards)), **dict(_machines(shards))}


def _united(name: str, values: Sequence[str]) -> str:
    """Every different value; of lists every different entry."""
    if name == "watched":
        return ", ".join(dict.fromkeys(source for value in values for source in value.split(", ")))
    return " / ".join(dict.fromkeys(values))


def _machines(shards: Sequence[Shard]) -> Iterator[tuple[str, str]]:
    for number, shard in enumerate(shards[:_TOLD], 1):
        environment, seconds = shard.recording.environment, shard.recording.seconds
        told = [f"{name} {environment[name]}" for name in _MACHINE if environment.get(name)]
        told += [f"seed {shard.recording.seed}", *([format_duration(seconds)] if seconds else [])]
        yield f"shard {number}", f"{shard.name}: {', '.join(told)}"


def _roll(recordings: Sequence[Recording]) -> tuple[Listed, ...]:
    """Each benchmark once, by the shard that was to measure it; without runs where there should be some, it failed."""
    found: dict[str, Listed] = {}
    sides: dict[str, set[Side]] = {}
    for one in recordings:
        for run in one.runs:
            sides.setdefault(run.benchmark, set()).add(run.side)
        for listed in one.roll:
            if listed.asked or listed.id not in found:
                found[listed.id] = listed
    return tuple(_measured(listed, sides.get(listed.id, set())) for listed in found.values())


def _measured(listed: Listed, sides: set[Side]) -> Listed:
    """The same, unless a side that could be measured has no runs and nothing says why: silence is no pass."""
    silent = [side for side in SIDES if getattr(listed, side).presence == "found" and side not in sides]
    known = listed.identical or listed.failures or listed.head.presence != "found"
    if not silent or known or not listed.name:
        return listed
    detail = f"its shard has no run of the {silent[0]}" if listed.asked else "no shard measured it"
    return replace(listed, head=Seen(presence="failed", detail=detail))


def failures(roll: Iterable[Listed]) -> dict[str, Failure]:
    """What failed while it was measured, by the id of its benchmark."""
    return {
        listed.id: failure_of(listed.id, side, listed.failures[side])
        for listed in roll
        for side in reversed(SIDES)
        if side in listed.failures
    }


def stopped_early(shards: Sequence[Shard]) -> Iterator[str]:
    """A doubt for each shard with runs that took fewer looks than another."""
    most = max(shard.plan.taken for shard in shards)
    for shard in shards:
        if shard.recording.runs and shard.plan.taken < most:
            pairs = shard.plan.looks[shard.plan.taken - 1] if shard.plan.taken else 0
            yield f"{shard.name} ended after {pairs} pairs, others went on: what it measured is judged by those"
