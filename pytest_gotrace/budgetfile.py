"""`gotrace.yaml` to a `Budget`, with the line of whatever is wrong.

Section by section, each in one function; every refusal says where, what was found and what is allowed.
`gotrace.schema.json` says the same to editors, as far as a schema can.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pytest_gotrace.budget import LEVELS, METHODS, Budget, Defaults, Requirement, Rule, Waiver
from pytest_gotrace.errors import UsageError
from pytest_gotrace.limit import OFF, Limit, parse_limit, sensible
from pytest_gotrace.metrics import Key, Metric, nearest, parse_key, parse_series, unit_of
from pytest_gotrace.units import parse_percent, parse_quantity, quoted
from pytest_gotrace.yamltree import Place
from pytest_gotrace.yamltree import read as read_tree

VERSION = "1"
_SECTIONS = ("version", "defaults", "budgets", "require", "waivers")
_LONG_FORM = ("max_increase", "max_decrease", "floor", "max", "level")
_WAIVER = ("benchmark", "metric", "until", "reason")


def read(path: Path, catalogue: Sequence[Metric]) -> Budget:
    """The budget in the file at `path`. Raises `BudgetError`."""
    sections = read_tree(path).fields(_SECTIONS, required=("version", "budgets"))
    _check_version(sections["version"])
    defaults = _defaults(sections["defaults"]) if "defaults" in sections else Defaults()
    return Budget(
        path=path,
        defaults=defaults,
        rules=tuple(_rules(sections["budgets"], defaults, catalogue)),
        requirements=tuple(_requirement(item, catalogue) for item in _items(sections, "require")),
        waivers=tuple(_waiver(item, catalogue) for item in _items(sections, "waivers")),
    )


def _check_version(place: Place) -> None:
    if place.text("a version") != VERSION:
        raise place.error(f"unknown version {place.found()}; this release reads version {VERSION}")


def _items(sections: Mapping[str, Place], name: str) -> list[Place]:
    return sections[name].items("a list") if name in sections else []


def _choice(place: Place) -> Any:
    text = place.text(" or ".join(LEVELS))
    if text not in LEVELS:
        hint = "; to switch a rule off, write `off` as its limit" if text == OFF else nearest(text, LEVELS)
        raise place.error(f"expected {' or '.join(LEVELS)}, found {quoted(text)}{hint}")
    return text


def _method(place: Place) -> Any:
    expected = " or ".join(METHODS)
    text = place.text(expected)
    if text not in METHODS:
        raise place.error(f"expected {expected}, found {quoted(text)}{nearest(text, METHODS)}")
    return text


def _glob_below(place: Place) -> str:
    text = place.text("a file such as recordings/*.jsonl")
    parts = text.split("/")
    misplaced = text.startswith(("/", "~")) or "\\" in text or ".." in parts
    if not text.strip() or misplaced or any("**" in part and part != "**" for part in parts):
        raise place.error(
            f"expected a file below this directory, such as recordings/*.jsonl, found {quoted(text)}"
        )
    return text


def _whole(low: int, high: int) -> Callable[[Place], int]:
    def whole(place: Place) -> int:
        expected = f"a whole number from {low} to {high}"
        text = place.text(expected)
        if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise place.error(f"expected {expected}, found {quoted(text)}")
        return int(text)

    return whole


def _seconds(place: Place) -> float:
    nanoseconds = place.read(lambda text: parse_quantity(text, "ns"), "a time").value
    if nanoseconds < 1e9:
        raise place.error(f"expected at least 1s, found {place.found()}")
    return nanoseconds / 1e9


#: Fewer than six pairs can never show that a change stays within its budget.
_DEFAULTS: Mapping[str, Callable[[Place], Any]] = {
    "level": _choice,
    "on_inconclusive": _choice,
    "max_pairs": _whole(6, 1000),
    "timeout": _seconds,
    "max_trace_mb": _whole(1, 65536),
    "method": _method,
    "noise_memory": _glob_below,
}


def _defaults(place: Place) -> Defaults:
    return Defaults(
        **{name: _DEFAULTS[name](field) for name, field in place.fields(tuple(_DEFAULTS)).items()}
    )


def _rules(budgets: Place, defaults: Defaults, catalogue: Sequence[Metric]) -> list[Rule]:
    rules: list[Rule] = []
    for glob, limits in budgets.entries("a mapping from benchmarks to their limits").items():
        for name, place in limits.entries("a mapping from metrics to limits").items():
            rules.append(_rule(glob, name, place, defaults, catalogue))
    return rules


def _rule(glob: str, name: str, place: Place, defaults: Defaults, catalogue: Sequence[Metric]) -> Rule:
    try:
        key = parse_key(name, catalogue)
    except UsageError as error:
        raise place.error_at_name(str(error)) from error
    level = defaults.level
    if place.is_mapping:
        fields = place.fields(_LONG_FORM)
        limit = _long_limit(place, fields, key, catalogue)
        level = _choice(fields["level"]) if "level" in fields else level
    else:
        limit = place.read(lambda text: parse_limit(text, key, catalogue), "a limit such as +15%")
    text = f"{key}: {limit}"
    return Rule(
        benchmark_glob=glob, key=key, limit=limit, level=level, text=text, path=place.path, line=place.line
    )


def _long_limit(place: Place, fields: Mapping[str, Place], key: Key, catalogue: Sequence[Metric]) -> Limit:
    """`{max_increase: 10%, floor: 20us, max: 5ms}` as the limit that its short form would be."""
    unit = unit_of(key, catalogue)
    quantities = {
        name: fields[name].read(lambda text: parse_quantity(text, unit)).value
        for name in ("floor", "max")
        if name in fields
    }
    changes = [name for name in ("max_increase", "max_decrease") if name in fields]
    if len(changes) == 2:
        raise fields[changes[1]].error_at_name("max_increase and max_decrease exclude each other")
    if not changes and "max" not in fields:
        raise place.error_at_name("nothing is limited: expected max_increase, max_decrease or max")
    relative, absolute = _amount(fields[changes[0]], unit) if changes else (None, None)
    if "floor" in fields and relative is None:
        raise fields["floor"].error_at_name("a floor needs a percentage in max_increase or max_decrease")
    limit = Limit(
        relative=relative,
        absolute=quantities.get("floor", absolute),
        cap=quantities.get("max"),
        better="higher" if changes == ["max_decrease"] else "lower",
        unit=unit,
    )
    try:
        return sensible(limit, key, catalogue)
    except UsageError as error:
        raise place.error_at_name(str(error)) from error


def _amount(place: Place, unit: str) -> tuple[float | None, float | None]:
    """`10%` as a fraction, `20us` as a quantity: whichever stands there, and None for the other."""
    if "%" in place.text():
        return place.read(parse_percent), None
    return None, place.read(lambda text: parse_quantity(text, unit)).value


def _requirement(place: Place, catalogue: Sequence[Metric]) -> Requirement:
    """`handler/BenchmarkHandler region[render]`: benchmarks have no blanks, so the first ends the name."""
    text = place.read(_not_blank, "a benchmark, or a benchmark and a metric such as region[render]")
    benchmark, *rest = text.split(maxsplit=1)
    series = place.read(lambda _: parse_series(rest[0].strip(), catalogue)) if rest else None
    return Requirement(benchmark=benchmark, key_series=series, path=place.path, line=place.line)


def _waiver(place: Place, catalogue: Sequence[Metric]) -> Waiver:
    fields = place.fields(_WAIVER, required=_WAIVER)
    return Waiver(
        benchmark_glob=fields["benchmark"].read(_not_blank, "a glob of benchmarks"),
        metric_glob=fields["metric"].read(lambda text: _metric_glob(text, catalogue), "a glob of metrics"),
        until=fields["until"].read(_date, "a date such as 2026-12-31"),
        reason=fields["reason"].read(_not_blank, "a reason"),
        path=place.path,
        line=place.line,
    )


def _metric_glob(text: str, catalogue: Sequence[Metric]) -> str:
    """`text`, if what stands before its first wildcard, bracket or dot can begin a metric's name."""
    names = [metric.name for metric in catalogue]
    start = re.split(r"[*?\[.]", text)[0]
    if not any(name.startswith(start) for name in names):
        raise UsageError(
            f"no metric begins with {quoted(start)}{nearest(start, names)}; metrics: {', '.join(names)}"
        )
    return _not_blank(text)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise UsageError("expected some text, found nothing")
    return text


def _date(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"expected a date such as 2026-12-31, found {quoted(text)}: {error}") from error
    raise UsageError(f"expected a date such as 2026-12-31, found {quoted(text)}")
