"""Text to numbers with units, and back, from one table.

Inside the program a time is nanoseconds (`ns`), a size bytes (`B`), everything else a plain number (`1`).
There are two ways out: `str(Quantity)` is exact and ASCII, for files, and is read back by `parse_quantity`;
the `format_` functions round to three significant digits, for people.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pytest_gotrace.errors import UsageError


@dataclass(frozen=True, slots=True)
class Unit:
    """A row of the table: `factor` of these make one `base`.

    `shown` is the symbol for people, chosen for magnitudes from `shown_from` bases on; None is never chosen.
    """

    symbol: str
    base: str
    factor: int
    shown: str | None = None
    shown_from: int = 0


UNITS: tuple[Unit, ...] = (
    Unit("ns", "ns", 1, "ns"),
    Unit("us", "ns", 10**3, "µs", 10**3),
    Unit("ms", "ns", 10**6, "ms", 10**6),
    Unit("s", "ns", 10**9, "s", 10**9),
    Unit("m", "ns", 60 * 10**9),
    Unit("h", "ns", 3600 * 10**9),
    Unit("B", "B", 1, "B"),
    Unit("KiB", "B", 2**10, "KiB", 2**10),
    Unit("MiB", "B", 2**20, "MiB", 2**20),
    Unit("GiB", "B", 2**30, "GiB", 2**30),
    Unit("kB", "B", 10**3),
    Unit("MB", "B", 10**6),
    Unit("GB", "B", 10**9),
    Unit("", "1", 1, ""),
    Unit(
        "k", "1", 10**3, "k", 10**4
    ),  # four digits are still read at a glance, and allocations are whole numbers
    Unit("M", "1", 10**6, "M", 10**6),
    Unit("G", "1", 10**9, "G", 10**9),
)

#: What else people write for a symbol of the table: both Unicode micro signs, and minutes as we show them.
ALIASES = {"µs": "us", "μs": "us", "min": "m"}

_SYMBOLS = {unit.symbol: unit for unit in UNITS}
_KINDS = {"ns": ("a time", "20us"), "B": ("a size", "64KiB"), "1": ("a plain number", "3")}
_TERM = re.compile(r" *([0-9]+(?:\.[0-9]+)?) ?([A-Za-zµμ]*) *")
_LONGEST_TEXT = 64
_MINUS = "−"
_UNKNOWN = "n/a"

#: From this ratio on a change is a factor (`×12`), and a pair no longer shares its unit, to stay readable.
_FACTOR_FROM = 10
#: Below this an exponent is shorter than all the zeros.
_TINY = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number of `unit`s: `ns`, `B` or `1`. Its text is the shortest exact one: `20us`, `1.5kB`, `10m`."""

    value: float
    unit: str

    def __str__(self) -> str:
        rows = [unit for unit in UNITS if unit.base == self.unit]
        texts = [_decimal_text(Decimal(repr(self.value)) / row.factor) + row.symbol for row in rows]
        return min(texts, key=lambda text: (len(text), text.startswith("0.")))


def parse_quantity(text: str, unit: str | None = None) -> Quantity:
    """`20us`, `64 MiB`, `1m30s` or `3` as a number of `ns`, `B` or `1`; with `unit`, of that one alone.

    Raises `UsageError` that says what was expected and what was found.
    """
    terms = _terms(text)
    if terms is None:
        raise UsageError(f"{_expected(unit)}, found {quoted(text)}{_known_units(unit)}")
    base = terms[0][1].base
    if unit is not None and base != unit:
        raise UsageError(
            f"{_expected(unit)}, found {quoted(text)}, which is {_KINDS[base][0]}{_known_units(unit)}"
        )
    return Quantity(value=float(sum(number * row.factor for number, row in terms)), unit=base)


def parse_percent(text: str) -> float:
    """`10%` or `10 %` as 0.1. Raises `UsageError` for anything else, a sign included."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?%", text)
    if match is None:
        raise UsageError(f"expected a percentage such as 10%, found {quoted(text)}")
    return float(Decimal(match[1]) / 100)


def quoted(text: str) -> str:
    """`text` in quotes for a message, without control characters and cut where it gets too long to read."""
    return repr(text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…")


def percent_text(fraction: float) -> str:
    """0.1 as `10%`: exact, and read back by `parse_percent`."""
    return f"{_decimal_text(Decimal(repr(fraction)) * 100)}%"


def format_quantity(value: float, unit: str) -> str:
    """`value` of `unit` (`ns`, `B`, `1`) for a person: three significant digits, a fitting unit: `4.2 µs`."""
    if not math.isfinite(value):
        return _UNKNOWN
    row = fitting(abs(value), unit)
    scaled = value / row.factor
    number = (
        f"{abs(scaled):.3g}" if 0 < abs(scaled) < _TINY else _stripped(f"{abs(scaled):.{_decimals(scaled)}f}")
    )
    return _signed(number, value, row)


def format_pair(base: float, head: float, unit: str) -> tuple[str, str]:
    """Two values of `unit` in one unit and with the same number of decimals, to be compared by eye.

    The larger one says the unit and the smaller one the decimals, with more of them if the two would read the same:
    `0.95 µs` and `1.20 µs`. Values tenfold or more apart each get the unit that fits, `65.3 µs` and `1.54 ms`: one
    unit for both would put zeros before the smaller number or needless digits behind the larger, and at such a change
    nobody compares digits.
    """
    sizes = [abs(value) for value in (base, head) if value]
    if not sizes or not math.isfinite(sum(sizes)) or max(sizes) >= _FACTOR_FROM * min(sizes):
        return format_quantity(base, unit), format_quantity(head, unit)
    if min(sizes) < _TINY:
        return format_quantity(base, unit), format_quantity(head, unit)
    row = fitting(max(sizes), unit)
    least = _decimals(min(sizes) / row.factor)
    numbers = ["", ""]
    for decimals in range(least, least + 4):
        numbers = [f"{abs(value) / row.factor:.{decimals}f}" for value in (base, head)]
        if numbers[0] != numbers[1] or base == head:
            break
    shown = _trimmed(numbers)
    return _signed(shown[0], base, row), _signed(shown[1], head, row)


def format_differences(values: Sequence[float], unit: str) -> tuple[str, ...]:
    """Signed values of `unit` that belong together, in the unit and with the decimals of the largest: `+0.5 µs`."""
    sizes = [abs(value) for value in values]
    if not (_TINY <= max(sizes) < math.inf):
        return tuple(("+" if value > 0 else "") + format_quantity(value, unit) for value in values)
    row = fitting(max(sizes), unit)
    decimals = _decimals(max(sizes) / row.factor)
    numbers = _trimmed([f"{size / row.factor:.{decimals}f}" for size in sizes])
    return tuple(
        ("+" if value > 0 and float(number) else "") + _signed(number, value, row)
        for number, value in zip(numbers, values, strict=True)
    )


def scale_for(values: Iterable[float], unit: str) -> tuple[int, str]:
    """What all `values` of one axis are divided by, and the symbol that then stands on it: `(1000, "µs")`."""
    row = fitting(max((abs(value) for value in values if math.isfinite(value)), default=0.0), unit)
    return row.factor, row.shown or ""


def format_change(change: float) -> str:
    """A relative change (0.14 is 14 % more) for a person: `+14 %`, `−3.2 %`, from tenfold on `×12`."""
    if math.isnan(change):
        return _UNKNOWN
    if math.isinf(change):
        return "×∞"
    return _factor(change) if change + 1 >= _FACTOR_FROM else _percent(change)


def format_interval(center: float, low: float, high: float) -> tuple[str, str, str]:
    """A relative change and the ends of its interval, all in the form that fits the change itself."""
    form = _factor if center + 1 >= _FACTOR_FROM else _percent
    center_text, low_text, high_text = (
        form(v) if math.isfinite(v) else format_change(v) for v in (center, low, high)
    )
    return center_text, low_text, high_text


def _factor(change: float) -> str:
    ratio = max(change + 1, 0.0)
    return f"×{ratio:.0f}" if ratio >= _FACTOR_FROM else f"×{ratio:.2g}"


def _percent(change: float) -> str:
    # What is left is not nothing: only a fall to zero reads −100 %.
    percent = 100 * (max(change, -0.999) if change > -1 else change)
    size = abs(percent)
    number = _stripped(f"{size:.{1 if size < 9.95 or 99 < size < 100 else 0}f}")
    sign = "" if number == "0" else "+" if change > 0 else _MINUS
    return f"{sign}{number} %"


def format_duration(seconds: float) -> str:
    """A time span for a person who waits: `4.2 s`, `42 s`, `1 min 20 s`, `2 h 5 min`."""
    if not math.isfinite(seconds):
        return _UNKNOWN
    if seconds < 9.95:
        return f"{_stripped(f'{max(seconds, 0):.1f}')} s"
    whole = round(seconds)
    if whole >= 3600:
        parts = ((round(whole / 60) // 60, "h"), (round(whole / 60) % 60, "min"))
    else:
        parts = ((whole // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{number} {symbol}" for number, symbol in parts if number)


def _terms(text: str) -> list[tuple[Decimal, Unit]] | None:
    """The numbers and units that `text` is made of, or None; several only for times, as in Go's `1m30s`."""
    terms: list[tuple[Decimal, Unit]] = []
    at = 0
    while at < len(text) <= _LONGEST_TEXT:
        match = _TERM.match(text, at)
        row = _SYMBOLS.get(ALIASES.get(match[2], match[2])) if match else None
        if match is None or row is None:
            return None
        terms.append((Decimal(match[1]), row))
        at = match.end()
    falling = all(one.factor > next_.factor for (_, one), (_, next_) in itertools.pairwise(terms))
    times = all(row.base == "ns" for _, row in terms)
    return terms if terms and (len(terms) == 1 or (times and falling)) else None


def _expected(unit: str | None) -> str:
    if unit is None:
        return "expected a quantity such as 20us, 64KiB or 3"
    kind, example = _KINDS[unit]
    return f"expected {kind} such as {example}"


def _known_units(unit: str | None) -> str:
    symbols = [row.symbol for row in UNITS if row.symbol and row.base == unit]
    return f"; units: {', '.join(symbols)}" if symbols else ""


def fitting(size: float, base: str) -> Unit:
    """The unit for people of `size` in `base` (`ns`, `B`, `1`): the largest that it does not round below."""
    rows = [row for row in UNITS if row.base == base and row.shown is not None]
    for row in reversed(rows):
        scaled = size / row.factor
        if round(scaled, _decimals(scaled)) * row.factor >= row.shown_from:
            return row
    return rows[0]


def _decimals(number: float) -> int:
    """Digits after the point that leave three significant ones; none before the point is rounded away."""
    return max(0, 2 - math.floor(math.log10(abs(number)))) if number else 0


def _decimal_text(number: Decimal) -> str:
    return _stripped(format(number, "f"))


def rounded_up(size: float) -> float:
    """A size above 0 to two digits: a budget a little too small would not do."""
    unit = 10.0 ** (math.floor(math.log10(size)) - 1)
    return float(f"{math.ceil(round(size / unit, 6)) * unit:.2g}")


def _trimmed(numbers: Sequence[str]) -> Sequence[str]:
    """Numbers with the same number of decimals, without the zeros that all of them end in."""
    while "." in numbers[0] and all(number[-1] in "0." for number in numbers):
        numbers = [number[:-1] for number in numbers]
    return numbers


def _stripped(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _signed(number: str, value: float, row: Unit) -> str:
    sign = _MINUS if value < 0 and float(number) else ""
    return f"{sign}{number} {row.shown}".rstrip()
