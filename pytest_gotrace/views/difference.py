"""Two traces side by side: every measure of every listing, by what moved most.

There is one run of each, so this says what differs and never whether it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pytest_gotrace.views.listing import Column, Kind, Listing, Merge, Value

_Number = int | float
_MERGED: Mapping[Merge, Callable[[_Number, _Number], _Number]] = {
    Merge.SUM: lambda a, b: a + b,
    Merge.MAX: max,
}
_Rows = dict[tuple[Value, ...], dict[str, _Number]]

#: What is shown first: times, then sizes, shares and counts cannot be compared with each other by size.
_ORDER = (Kind.TIME, Kind.BYTES, Kind.RATE, Kind.SHARE, Kind.COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One measure of one row in both traces; None where a trace does not have the row."""

    row: tuple[Value, ...]
    measure: Column
    base: _Number | None
    head: _Number | None

    @property
    def delta(self) -> _Number:
        return (self.head or 0) - (self.base or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A listing of both traces: `keys` name what `Delta.row` holds."""

    name: str
    title: str
    keys: tuple[Column, ...]
    deltas: tuple[Delta, ...]


def differences(base: tuple[Listing, ...], head: tuple[Listing, ...]) -> Iterator[Difference]:
    """The listings that both traces have and whose rows can be found again in the other, each by largest delta."""
    others = {shown.name: shown for shown in head}
    for shown in base:
        if shown.name in others and _comparable(shown):
            yield _difference(shown, others[shown.name])


def _comparable(shown: Listing) -> bool:
    """A listing without keys can be compared if it is one row about the whole trace, and not one row of many."""
    kinds = {column.merge for column in shown.columns}
    whole = not shown.by and len(shown.rows) == 1
    return bool(kinds & set(_MERGED)) and (Merge.KEY in kinds or whole)


def _difference(base: Listing, head: Listing) -> Difference:
    keys = tuple(column for column in base.columns if column.merge is Merge.KEY)
    measures = [column for column in base.columns if column.merge in _MERGED]
    before, after = _merged(base), _merged(head)
    rows = dict.fromkeys([*before, *after])
    deltas = [
        Delta(
            row=row,
            measure=measure,
            base=before[row].get(measure.name) if row in before else None,
            head=after[row].get(measure.name) if row in after else None,
        )
        for row in rows
        for measure in measures
    ]
    moved = [delta for delta in deltas if delta.delta != 0]
    moved.sort(key=lambda d: (_ORDER.index(d.measure.kind), -abs(d.delta), [str(v) for v in d.row]))
    return Difference(name=base.name, title=base.title, keys=keys, deltas=tuple(moved))


def _merged(shown: Listing) -> _Rows:
    """The rows by their keys. Lines of a function are one row: a change above them moves their numbers."""
    merged: _Rows = {}
    for row in shown.rows:
        key = tuple(v for v, c in zip(row, shown.columns, strict=True) if c.merge is Merge.KEY)
        into = merged.setdefault(key, {})
        for value, column in zip(row, shown.columns, strict=True):
            if column.merge in _MERGED and isinstance(value, int | float):
                known = into.get(column.name)
                into[column.name] = value if known is None else _MERGED[column.merge](known, value)
    return merged
