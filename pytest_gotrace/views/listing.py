"""What a view answers: a small table of rows, the same for people, programs and comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

#: A cell; a stack is its calls, leaf first. None is what the trace does not say.
Value = str | int | float | tuple[str, ...] | None


class Kind(Enum):
    """What a column holds, and so how it is written: the unit is ns unless its name says otherwise."""

    TEXT = "text"
    FUNCTION = "function"  # in full, with the path of its package
    PLACE = "place"  # file:line
    STACK = "stack"
    ID = "id"
    MOMENT = "moment"  # ns since the trace began
    TIME = "time"
    BYTES = "bytes"
    COUNT = "count"
    SHARE = "share"  # 1 is all
    RATE = "rate"  # bytes a second


class Merge(Enum):
    """What becomes of a column where rows with the same keys are taken for one."""

    KEY = "key"
    SUM = "sum"
    MAX = "max"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a listing."""

    name: str
    kind: Kind
    merge: Merge


def key(name: str, kind: Kind = Kind.TEXT) -> Column:
    """A column that says what a row is about, and finds the row of the other trace."""
    return Column(name, kind, Merge.KEY)


def total(name: str, kind: Kind = Kind.TIME) -> Column:
    """A column of sums."""
    return Column(name, kind, Merge.SUM)


def worst(name: str, kind: Kind = Kind.TIME) -> Column:
    """A column of numbers that cannot be added: maxima, percentiles, shares."""
    return Column(name, kind, Merge.MAX)


def note(name: str, kind: Kind = Kind.TEXT) -> Column:
    """A column that helps to read the row, and that no other trace has alike."""
    return Column(name, kind, Merge.LEFT_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows with named columns; sorted by the column `by`, largest first, or as they are (in time) if that is ""."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    by: str = ""

    def dicts(self) -> Iterator[dict[str, Value]]:
        """The rows, each by column name."""
        names = [column.name for column in self.columns]
        return (dict(zip(names, row, strict=True)) for row in self.rows)

    def top(self, count: int | None) -> Listing:
        """At most the first `count` rows."""
        return self if count is None else replace(self, rows=self.rows[:count])


def listing(
    name: str, title: str, columns: Iterable[Column], rows: Iterable[tuple[Value, ...]], by: str = ""
) -> Listing:
    """A `Listing`, sorted by the column `by`; equal rows stand in the order of their keys."""
    fixed, found = tuple(columns), list(rows)
    if by:
        at = [column.name for column in fixed].index(by)
        keys = [i for i, column in enumerate(fixed) if column.merge is Merge.KEY]
        found.sort(key=lambda row: (-_number(row[at]), [str(row[i]) for i in keys]))
    return Listing(name=name, title=title, columns=fixed, rows=tuple(found), by=by)


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
