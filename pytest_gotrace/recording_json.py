"""The lines of a recording and what they stand for: its header and its runs, as objects of JSON and back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from pytest_gotrace.distributions import PROBABILITIES, Distribution
from pytest_gotrace.metrics import Key, Metric, find
from pytest_gotrace.recording import SIDES, Measured, Planned, Recording, Run, part
from pytest_gotrace.spots import Spot
from pytest_gotrace.trace import Frame

VERSION = 1

_WHEN = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_LARGEST = 1 << 62
_LONGEST = 1e8  # seconds: three years

_T = TypeVar("_T")


def header_to_json(recording: Recording) -> dict[str, Any]:
    """The first line of a recording: everything but its runs and its roll."""
    return {
        "kind": "recording",
        "version": VERSION,
        "environment": dict(recording.environment),
        "seed": recording.seed,
        "sides": {side: asdict(measured) for side, measured in recording.sides.items()},
        **({"when": recording.when} if recording.when else {}),
        **({"seconds": recording.seconds} if recording.seconds else {}),
        **({"plan": asdict(recording.plan)} if recording.plan else {}),
    }


def header_from_json(value: dict[str, Any]) -> Recording:
    """A recording without its runs. Raises `KeyError`, `TypeError` or `ValueError` for what is no header."""
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
        seconds=_seconds(value.get("seconds", 0.0)),
        plan=_planned(_is(dict, value["plan"])) if "plan" in value else None,
    )


def _when(value: Any) -> str:
    text = _is(str, value)
    if text and not re.fullmatch(_WHEN, text):
        raise ValueError(f"{text[:40]!r} is no time such as 2026-11-21T05:33:00Z")
    return text


def _seconds(value: Any) -> float:
    seconds = _number(value)
    if not 0 <= seconds <= _LONGEST:
        raise ValueError(f"{seconds:g} seconds")
    return seconds


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
    if text and part(text) is None:
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


def run_to_json(run: Run) -> dict[str, Any]:
    """The line of one run."""
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


def run_from_json(value: dict[str, Any], catalogue: Sequence[Metric]) -> Run:
    """What `run_to_json` gave. Raises `KeyError`, `TypeError`, `ValueError` or `UsageError` for anything else."""
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
