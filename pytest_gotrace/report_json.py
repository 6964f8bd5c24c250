"""`Report` to `report.json` and back.

The file may come from a stranger, so nothing in it is believed before it has been checked, in this order:

1. it is no larger than `MAX_BYTES`;
2. it is UTF-8 and JSON, without NaN, Infinity, numbers too large, or one key twice in an object;
3. it is nested no deeper than `MAX_DEPTH`;
4. it is of a version we know;
5. it fits `report.schema.json`, which bounds every string, list and number.
"""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from pytest_gotrace.errors import RecordingError
from pytest_gotrace.explanation import Interval
from pytest_gotrace.fits import compiled
from pytest_gotrace.report import Report

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: Version of the format. A reader refuses one that it does not know, and fields that it does not know.
VERSION = 1

#: A verdict with every number filled in takes 600 bytes: 1,000 benchmarks with 20 rules each take 12 MB.
MAX_BYTES = 16 * 2**20

#: The format itself needs six levels.
MAX_DEPTH = 16

#: Of these strings the end is worth more than the beginning.
_KEEP_END = frozenset({"tail"})

_SHOWN = 60


def to_json(report: Report) -> str:
    """The text of `report.json`: one line, empty fields left out, strings cut to what a reader accepts.

    Raises `RecordingError` naming the field that no reader would accept, such as a number that is not finite.
    """
    document = {"version": VERSION, **_fields(report, _rules(), "report")}
    _check_schema(document, "report")
    return json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n"


def read_report(path: Path, *, limit: int = MAX_BYTES) -> Report:
    """The report in a file. Raises `RecordingError` if it cannot be read or is not to be trusted."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise RecordingError(f"{path}: cannot read the report: {error.strerror}") from error
    return parse_report(data, where=str(path), limit=limit)


def parse_report(data: bytes, *, where: str = "report.json", limit: int = MAX_BYTES) -> Report:
    """The report in these bytes, after every check of this module.

    Raises `RecordingError` that says what was found and what was expected.
    """
    if len(data) > limit:
        raise RecordingError(f"{where}: found more than {limit} bytes, expected at most that")
    parsed = _parse(data, where)
    _check_depth(parsed, where)
    document = _check_version(parsed, where)
    _check_schema(document, where)
    report = _build(Report, {key: value for key, value in document.items() if key != "version"})
    assert isinstance(report, Report)
    return report


@cache
def schema() -> dict[str, Any]:
    """`report.schema.json`, as published with the package."""
    text = resources.files("pytest_gotrace").joinpath("report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def _rules() -> dict[str, Any]:
    """The schema with every reference written out, which halves the time jsonschema takes for a large report."""

    def written_out(node: Any) -> Any:
        if isinstance(node, list):
            return [written_out(child) for child in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return written_out(schema()["$defs"][node["$ref"].rpartition("/")[2]])
        return {key: written_out(child) for key, child in node.items() if key != "$defs"}

    rules: dict[str, Any] = written_out(schema())
    return rules


def _parse(data: bytes, where: str) -> object:
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise RecordingError(f"{where}: byte {error.start} is not UTF-8") from error
    except RecursionError as error:
        raise RecordingError(f"{where}: nested too deeply, expected at most {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise RecordingError(f"{where}: not JSON as we accept it: {error}") from error


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {_show(twice)} stands twice in one object")
    return found


def _refuse_constant(text: str) -> None:
    raise ValueError(f"found {text}, expected a finite number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"found {text[:_SHOWN]}, expected a finite number")
    return value


def _check_depth(document: object, where: str) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise RecordingError(f"{where}: nested too deeply, expected at most {MAX_DEPTH} levels")


def _children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _check_version(document: object, where: str) -> dict[str, object]:
    if not isinstance(document, dict):
        raise RecordingError(f"{where}: found {_show(document)}, expected an object")
    version = document.get("version")
    if type(version) is not int or version != VERSION:
        raise RecordingError(
            f"{where}: found version {_show(version)} of the report format, expected {VERSION}; "
            "read it with the pytest-gotrace that wrote it"
        )
    return document


@cache
def _fits() -> Callable[[Any], bool]:
    return compiled(_rules())


def _check_schema(document: Mapping[str, object], where: str) -> None:
    if _fits()(document):
        return
    import jsonschema

    error = next(jsonschema.Draft202012Validator(_rules()).iter_errors(document), None)
    if error is None:
        return
    steps = (
        f"[{step}]" if isinstance(step, int) else f".{ascii(step)[1:-1][:_SHOWN]}"
        for step in error.absolute_path
    )
    place = "".join(steps).lstrip(".") or "the report"
    known = error.schema.get("properties", ()) if isinstance(error.schema, dict) else ()
    found, expected = _COMPLAINTS[str(error.validator)](error.validator_value, error.instance, known)
    raise RecordingError(f"{where}: {place}: found {found}, expected {expected}")


#: For each keyword of the schema, what was found and what was expected, from the keyword's value, the
#: instance that breaks it, and the fields known there.
_COMPLAINTS: dict[str, Callable[[Any, Any, Collection[str]], tuple[str, str]]] = {
    "required": lambda rule, found, _: (f"no {_first(rule, found)}", f"all of {', '.join(rule)}"),
    "additionalProperties": lambda _, found, known: (_first(found, known), f"only {', '.join(known)}"),
    "type": lambda rule, found, _: (_show(found), f"{'an' if rule[0] in 'aio' else 'a'} {rule}"),
    "enum": lambda rule, found, _: (_show(found), f"one of {', '.join(rule)}"),
    "const": lambda rule, found, _: (_show(found), _show(rule)),
    "minimum": lambda rule, found, _: (_show(found), f"at least {rule}"),
    "maximum": lambda rule, found, _: (_show(found), f"at most {rule}"),
    "pattern": lambda rule, found, _: (_show(found), f"text like {rule}"),
    "maxLength": lambda rule, found, _: (f"{len(found)} characters", f"at most {rule}"),
    "minItems": lambda rule, found, _: (_show(found), f"at least {rule}"),
    "maxItems": lambda rule, found, _: (_show(found), f"at most {rule}"),
    "maxProperties": lambda rule, found, _: (_show(found), f"at most {rule}"),
}


def _first(names: Iterable[str], absent_from: Collection[str]) -> str:
    return _show(next(name for name in names if name not in absent_from))


def _show(value: object) -> str:
    """A value from outside, short and on one line: `repr` leaves no control character alone."""
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    text = ascii(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _plain(value: object, rule: Mapping[str, Any], where: str) -> object:
    """A value of the report as JSON knows it; `rule` is its part of the schema, `where` its place."""
    if isinstance(value, Interval):
        return [_plain(part, rule["items"], where) for part in (value.center, value.low, value.high)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value, rule, where)
    if isinstance(value, tuple):
        return [_plain(part, rule["items"], f"{where}[{index}]") for index, part in enumerate(value)]
    if isinstance(value, dict):
        return {key: _plain(part, rule["additionalProperties"], where) for key, part in value.items()}
    if isinstance(value, str):
        return _cut(value, rule.get("maxLength", len(value)), keep_end=where.rpartition(".")[2] in _KEEP_END)
    if isinstance(value, float) and not math.isfinite(value):
        raise RecordingError(f"{where}: found {value}, expected a finite number")
    return value


def _fields(value: DataclassInstance, rule: Mapping[str, Any], where: str) -> dict[str, object]:
    named = ((part, getattr(value, part.name)) for part in dataclasses.fields(value))
    return {
        part.name: _plain(found, rule["properties"][part.name], f"{where}.{part.name}")
        for part, found in named
        if part.name in rule["required"] or found != part.default
    }


def _cut(text: str, limit: int, *, keep_end: bool) -> str:
    if len(text) <= limit:
        return text
    return "…" + text[len(text) - limit + 1 :] if keep_end else text[: limit - 1] + "…"


def _build(kind: Any, value: Any) -> Any:
    """The value of type `kind` that checked JSON stands for."""
    if kind is Interval:
        center, low, high = map(float, value)
        return Interval(center=center, low=low, high=high)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _build(hints[name], part) for name, part in value.items()})
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return tuple(_build(arguments[0], part) for part in value)
    if NoneType in arguments:
        return _build(arguments[0], value)
    return kind(value) if kind in (int, float) else value  # the schema takes 1 for a float and 1.0 for an int


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
