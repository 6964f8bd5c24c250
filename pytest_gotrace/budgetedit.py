"""New limits written into a budget file: only the numbers change; comments, order and blanks stay as they are.

The text is edited at the places where the values stand (PyYAML's marks, which `yamltree` keeps anyway), and not
written anew from what was read: no library for YAML keeps every blank, and this way a byte that is not replaced cannot
change. What comes out is read back before it is written.
"""

from __future__ import annotations

import codecs
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_gotrace.budget import Rule, load
from pytest_gotrace.errors import BudgetError
from pytest_gotrace.limit import Limit
from pytest_gotrace.metrics import CATALOGUE, Metric, parse_key
from pytest_gotrace.units import Quantity, percent_text, quoted
from pytest_gotrace.yamltree import Place, text_of
from pytest_gotrace.yamltree import read as read_tree

#: Where a value stands in the text, and what is to stand there.
_Edit = tuple[int, int, str]

_CHANGES = ("max_increase", "max_decrease")


def edited(path: Path, limits: Mapping[Rule, Limit], catalogue: tuple[Metric, ...] = CATALOGUE) -> str:
    """The text of the budget at `path` with other limits for some of its rules; caps and levels stay.

    Raises `BudgetError` where the file is no longer the one that the rules were read from.
    """
    text = text_of(path)
    budgets = read_tree(path).entries("a budget")["budgets"]
    edits = [
        edit for rule, limit in limits.items() for edit in _edits(_place(budgets, rule, catalogue), limit)
    ]
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    _check(text, path, limits, catalogue)
    return text


def write(path: Path, limits: Mapping[Rule, Limit], catalogue: tuple[Metric, ...] = CATALOGUE) -> None:
    """Write `edited` in the place of the file, or leave the old one. Raises `BudgetError`."""
    text = edited(path, limits, catalogue)
    path = path.resolve()
    temporary = path.with_name(f"{path.name}.partial")
    try:
        mark = path.read_bytes().startswith(codecs.BOM_UTF8)
        temporary.write_bytes(text.encode("utf-8-sig" if mark else "utf-8"))
        shutil.copymode(path, temporary)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BudgetError(f"cannot be written: {error.strerror}", path) from error


def _place(budgets: Place, rule: Rule, catalogue: tuple[Metric, ...]) -> Place:
    """Where the rule's limit stands. Raises `BudgetError` if that is not so any more."""
    expected = "a mapping from benchmarks to their limits"
    for glob, of_glob in budgets.entries(expected).items():
        if glob == rule.benchmark_glob:
            for name, place in of_glob.entries("a mapping from metrics to limits").items():
                if place.line == rule.line and parse_key(name, catalogue) == rule.key:
                    return place
    raise BudgetError(
        f"the rule {quoted(rule.text)} is no longer here; the file changed while it was measured. Run it again",
        rule.path,
        rule.line,
    )


def _edits(place: Place, limit: Limit) -> Iterator[_Edit]:
    if not place.is_mapping:
        yield *place.span, f"{place.quotes}{limit}{place.quotes}"
        return
    fields = place.entries("a limit")
    change = next((fields[name] for name in _CHANGES if name in fields), None)
    if change is None:
        return
    amount = percent_text(limit.relative) if limit.relative is not None else _quantity(limit)
    floor = _quantity(limit) if limit.relative is not None and limit.absolute is not None else ""
    yield *change.span, f"{change.quotes}{amount}{change.quotes}"
    if floor and "floor" in fields:
        quotes = fields["floor"].quotes
        yield *fields["floor"].span, f"{quotes}{floor}{quotes}"
    elif floor:  # before its sibling, whose line may end with a comment
        start, column = change.start
        yield start, start, f"floor: {floor}, " if place.in_flow else f"floor: {floor}\n{' ' * column}"


def _quantity(limit: Limit) -> str:
    return str(Quantity(value=limit.absolute or 0.0, unit=limit.unit))


def _check(text: str, path: Path, limits: Mapping[Rule, Limit], catalogue: tuple[Metric, ...]) -> None:
    """Read the new text as a budget: every rule has the limit it should have, and nothing else is different."""
    before = load(path, catalogue)
    with TemporaryDirectory(prefix="gotrace-") as directory:
        copy = Path(directory) / path.name
        copy.write_bytes(text.encode())
        after = load(copy, catalogue)
    wanted = [limits.get(rule, rule.limit) for rule in before.rules]
    same = [rule.limit for rule in after.rules] == wanted
    rest = [replace(budget, path=path, rules=(), requirements=(), waivers=()) for budget in (before, after)]
    if not same or rest[0] != rest[1] or len(before.waivers) != len(after.waivers):
        raise BudgetError("cannot be edited without changing more than its limits; change it by hand", path)
