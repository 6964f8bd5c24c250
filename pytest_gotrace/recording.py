"""What was measured, on disk and back: JSON Lines, one header and then one line for each run.

Lines only ever get appended, so shards of a matrix join with `cat`. A recording comes from somewhere else: every
line is checked before it is believed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from pytest_gotrace.distributions import PROBABILITIES, Distribution
from pytest_gotrace.errors import RecordingError, UsageError
from pytest_gotrace.metrics import CATALOGUE, Key, Metric, find
from pytest_gotrace.roll import Listed
from pytest_gotrace.roll import from_json as listed_from_json
from pytest_gotrace.roll import to_json as listed_to_json
from pytest_gotrace.spots import Spot
from pytest_gotrace.trace import Frame

Side = Literal["base", "head"]
SIDES: tuple[Side, Side] = ("base", "head")

VERSION = 1

#: What makes two recordings incomparable when it differs; `kernel` and `memory` are kept and forgiven.
MACHINE = ("cpu", "cores", "cpus", "gomaxprocs", "go", "os", "arch")

_WHEN = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_LINE_LIMIT = 64 << 20
_LARGEST = 1 << 62

_T = TypeVar("_T")


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
    `roll` are the benchmarks that were there to be run.
    """

    environment: Mapping[str, str]
    sides: Mapping[Side, Measured]
    runs: tuple[Run, ...]
    explaining: tuple[Run, ...] = ()
    seed: int = 0
    when: str = ""  # `2026-11-21T05:33:00Z`; older recordings do not say
    plan: Planned | None = None
    roll: tuple[Listed, ...] = ()

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


def lines(recording: Recording) -> Iterator[str]:
    """The recording as JSON Lines, header first."""
    header = {
        "kind": "recording",
        "version": VERSION,
        "environment": dict(recording.environment),
        "seed": recording.seed,
        "sides": {side: asdict(measured) for side, measured in recording.sides.items()},
        **({"when": recording.when} if recording.when else {}),
        **({"plan": asdict(recording.plan)} if recording.plan else {}),
    }
    yield json.dumps(header)  # in ASCII: names come from a program, and need not be good Unicode
    for listed in recording.roll:
        yield json.dumps({"kind": "benchmark", **listed_to_json(listed)})
    for run in (*recording.runs, *recording.explaining):
        yield json.dumps(_run_to_json(run))


def write(recording: Recording, path: Path) -> None:
    """Write the whole file, or leave the old one: a full disk must not cost a recording that was there."""
    write_all([recording], path)


def write_all(recordings: Sequence[Recording], path: Path) -> None:
    """Write several into one file, one after the other, as `read_all` reads them."""
    temporary = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(f"{line}\n" for recording in recordings for line in lines(recording))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RecordingError(
            f"cannot write the recording {path}: {error.strerror}; free some space or choose another place"
        ) from error


def read(path: Path, catalogue: Sequence[Metric] = CATALOGUE) -> Recording:
    """The recording at `path`, or several that were joined with `cat`, as one.

    Raises `RecordingError` with the line where it goes wrong; several headers must name the same machine and revisions.
    """
    (only,) = _read(path, _Reader(catalogue, one=True))
    return only


def read_all(path: Path, catalogue: Sequence[Metric] = CATALOGUE) -> tuple[Recording, ...]:
    """The recordings of a file to which one was appended after the other, of whatever machine and revision.

    Raises `RecordingError` as `read` does.
    """
    return _read(path, _Reader(catalogue, one=False))


def _read(path: Path, reader: _Reader) -> tuple[Recording, ...]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(partial(file.readline, _LINE_LIMIT + 1), b""), 1):
                try:
                    reader.line(number, _object(line))
                except _DAMAGE as error:
                    what = f"no {error}" if isinstance(error, KeyError) else error
                    raise RecordingError(f"{path}:{number}: not a line of a recording: {what}") from error
    except OSError as error:
        raise RecordingError(f"cannot read the recording {path}: {error.strerror}") from error
    found = reader.all()
    if not found:
        raise RecordingError(f"{path}: empty; expected the JSON Lines that --gotrace-record writes")
    return found


def header(path: Path) -> Recording | None:
    """The recording at `path` without its runs; None where there is none that can be read."""
    try:
        with path.open("rb") as file:
            return _header_from_json(_object(file.readline(_LINE_LIMIT + 1)))
    except (OSError, *_DAMAGE):
        return None


#: What a line of a stranger can raise while it is taken apart.
_DAMAGE = (KeyError, TypeError, ValueError, OverflowError, RecursionError, UsageError)


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > _LINE_LIMIT:
        raise ValueError(f"more than {_LINE_LIMIT} bytes")
    try:
        value = json.loads(line.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg}); is the recording cut short?") from error
    return _is(dict, value)


class _Reader:
    """Lines so far: recordings that are complete, then the last header, without its runs, and its runs."""

    def __init__(self, catalogue: Sequence[Metric], *, one: bool) -> None:
        self.header: Recording | None = None
        self.runs: list[Run] = []
        self.roll: list[Listed] = []
        self._complete: list[Recording] = []
        self._one = one
        self._catalogue = catalogue
        self._lines: dict[tuple[str, str, int, bool, bool], int] = {}
        self._listed: set[str] = set()

    def line(self, number: int, value: dict[str, Any]) -> None:
        """Take in one line. Raises whatever is in `_DAMAGE`."""
        if value["kind"] == "recording":
            self._header(_header_from_json(value))
        elif value["kind"] == "benchmark":
            self._list(listed_from_json(value))
        else:
            self._run(number, _run_from_json(value, self._catalogue))

    def all(self) -> tuple[Recording, ...]:
        """Every recording, in order."""
        return (*self._complete, *self._last())

    def _last(self) -> list[Recording]:
        if self.header is None:
            return []
        runs, explaining = (tuple(r for r in self.runs if r.sampled == sampled) for sampled in (False, True))
        return [replace(self.header, runs=runs, explaining=explaining, roll=tuple(self.roll))]

    def _header(self, header: Recording) -> None:
        if self.header is not None and self._one:
            self._same_again(header, self.header)
            return
        self._complete += self._last()
        self.header, self.runs, self.roll = header, [], []
        self._lines.clear()
        self._listed.clear()

    def _same_again(self, header: Recording, first: Recording) -> None:
        unlike = differences(header.environment, first.environment)
        if unlike or header.sides != first.sides:
            raise ValueError(
                f"a second header of another machine or revision: {'; '.join(unlike) or 'sides differ'}"
            )
        self.header = replace(first, plan=None)  # shards are no single test

    def _list(self, listed: Listed) -> None:
        """Of recordings that are read as one, each may list every benchmark; the first to do so is believed."""
        if self.header is None:
            raise ValueError("a benchmark before any header")
        if listed.id in self._listed and not self._one:
            raise ValueError(f"the benchmark {listed.id} is listed twice")
        if listed.id not in self._listed:
            self._listed.add(listed.id)
            self.roll.append(listed)

    def _run(self, number: int, run: Run) -> None:
        if self.header is None or run.side not in self.header.sides:
            raise ValueError(f"a run of the {run.side} before any header that has that side")
        kind = (run.side, run.benchmark, run.round, run.traced, run.sampled)
        first = self._lines.setdefault(kind, number)
        if first != number:
            raise ValueError(f"round {run.round} of {run.benchmark} ({run.side}) is already on line {first}")
        self.runs.append(run)


def _header_from_json(value: dict[str, Any]) -> Recording:
    if value["version"] != VERSION:
        raise ValueError(f"version {value['version']!r}, this program reads version {VERSION}")
    environment, sides = _is(dict, value["environment"]), _is(dict, value["sides"])
    if not sides.keys() <= set(SIDES):
        raise ValueError(f"sides {', '.join(sides)}; expected {' and '.join(SIDES)}")
    return Recording(
        environment={name: _is(str, text) for name, text in environment.items()},
        sides={side: _measured(sides[side]) for side in SIDES if side in sides},
        runs=(),
        seed=_whole(value["seed"]),
        when=_when(value.get("when", "")),
        plan=_planned(_is(dict, value["plan"])) if "plan" in value else None,
    )


def _when(value: Any) -> str:
    text = _is(str, value)
    if text and not re.fullmatch(_WHEN, text):
        raise ValueError(f"{text[:40]!r} is no time such as 2026-11-21T05:33:00Z")
    return text


def _planned(fields: Mapping[str, Any]) -> Planned:
    looks = tuple(_whole(look, least=1) for look in _is(list, fields["looks"]))
    taken = _whole(fields["taken"])
    if taken > len(looks):
        raise ValueError(f"{taken} of {len(looks)} looks")
    budgets = _is(dict, fields.get("budgets", {}))
    return Planned(
        looks=looks,
        taken=taken,
        family=_is(str, fields["family"]),
        budgets={place: _is(str, digest) for place, digest in budgets.items()},
        recorded=_is(bool, fields.get("recorded", False)),
        shard=_shard(fields.get("shard", "")),
    )


def _shard(value: Any) -> str:
    text = _is(str, value)
    if text and not re.fullmatch(r"[1-9]\d{0,2}/[1-9]\d{0,2}", text, re.ASCII):
        raise ValueError(f"{text[:40]!r} is no part such as 2/4")
    return text


def _measured(value: Any) -> Measured:
    fields = _is(dict, value)
    return Measured(
        name=_is(str, fields["name"]),
        sha=_is(str, fields["sha"]),
        dirty=_is(bool, fields["dirty"]),
        tree=_is(str, fields.get("tree", "")),
    )


def _run_to_json(run: Run) -> dict[str, Any]:
    frames: dict[Frame, int] = {}
    spots = [_spot_to_json(spot, frames) for spot in run.spots]
    return {
        "kind": "run",
        "side": run.side,
        "benchmark": run.benchmark,
        "round": run.round,
        "position": run.position,
        "traced": run.traced,
        "iterations": run.iterations,
        "values": dict(run.values),
        "trace_bytes": run.trace_bytes,
        "series": [
            [key.metric, key.subject, d.count, d.total, d.mean, d.max, list(d.quantiles)]
            for key, d in run.series.items()
        ],
        "frames": list(frames),
        "spots": spots,
        **({"sampled": True} if run.sampled else {}),
        **{name: list(sources) for name in _NAMED if (sources := getattr(run, name))},
    }


def _spot_to_json(spot: Spot, frames: dict[Frame, int]) -> list[Any]:
    """A spot whose frames are numbers of a list, to which what is new is added: a frame is in many stacks."""

    def known(frame: Frame | None) -> int | None:
        return None if frame is None else frames.setdefault(frame, len(frames))

    at, by, stack = known(spot.at), known(spot.by), [known(frame) for frame in spot.stack]
    return [
        spot.state,
        at,
        by,
        spot.by_group,
        spot.count,
        spot.total,
        stack,
        *([spot.inside] if spot.inside else []),
    ]


#: Fields of a run that only stand in its line where there is something to say.
_NAMED = ("disturbed", "repeated")


def _run_from_json(value: dict[str, Any], catalogue: Sequence[Metric]) -> Run:
    if value["kind"] != "run" or value["side"] not in SIDES:
        raise ValueError(f"kind {value['kind']!r}, side {value['side']!r}")
    frames = [_frame(*frame) for frame in _is(list, value["frames"])]
    return Run(
        side=value["side"],
        benchmark=_is(str, value["benchmark"]),
        round=_whole(value["round"], least=-1),
        position=_whole(value["position"]),
        traced=_is(bool, value["traced"]),
        iterations=_whole(value["iterations"], least=1),
        values={unit: _number(number) for unit, number in _is(dict, value["values"]).items()},
        trace_bytes=_whole(value["trace_bytes"]),
        series=dict(_series(row, catalogue) for row in value["series"]),
        spots=tuple(_spot(frames, *row) for row in _is(list, value["spots"])),
        sampled=_is(bool, value.get("sampled", False)),
        **{name: tuple(_is(str, each) for each in _is(list, value.get(name, []))) for name in _NAMED},
    )


def _series(row: Sequence[Any], catalogue: Sequence[Metric]) -> tuple[Key, Distribution]:
    metric, subject, count, total, mean, most, quantiles = row
    if len(quantiles) != len(PROBABILITIES):
        raise ValueError(f"{len(quantiles)} quantiles, expected {len(PROBABILITIES)}")
    distribution = Distribution(
        count=_whole(count, least=1),
        total=_number(total),
        mean=_number(mean),
        max=_number(most),
        quantiles=tuple(_number(quantile) for quantile in quantiles),
    )
    return Key(metric=find(_is(str, metric), catalogue).name, subject=_is(str, subject)), distribution


def _spot(
    frames: Sequence[Frame],
    state: Any,
    at: Any,
    by: Any,
    group: Any,
    count: Any,
    total: Any,
    stack: Any,
    inside: Any = "",
) -> Spot:
    return Spot(
        state=_is(str, state),
        at=None if at is None else _known(frames, at),
        by=None if by is None else _known(frames, by),
        by_group=_is(str, group),
        count=_whole(count),
        total=_number(total),
        stack=tuple(_known(frames, frame) for frame in _is(list, stack)),
        inside=_is(str, inside),
    )


def _known(frames: Sequence[Frame], number: Any) -> Frame:
    at = _whole(number)
    if at >= len(frames):
        raise ValueError(f"frame {at} of {len(frames)}")
    return frames[at]


def _frame(function: Any, file: Any, line: Any) -> Frame:
    return Frame(_is(str, function), _is(str, file), _whole(line))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _whole(value: Any, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _LARGEST:
        raise ValueError(f"{value!r} is not a whole number from {least} on")
    return value


def _is(kind: type[_T], value: Any) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value
