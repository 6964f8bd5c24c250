"""One limit of a budget: how far a number may move, as text and as numbers.

+15%              may grow by 15 %
+15% and 20us     by 15 % or 20 µs, whichever is more: the floor keeps small numbers from failing on noise
+20us             by 20 µs
-5%               higher is better, and it may fall by 5 %
max 5ms           must not be above 5 ms, whatever the base
+15%, max 5ms     both
off               no limit at all
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_gotrace.errors import UsageError
from pytest_gotrace.metrics import CATALOGUE, Key, Metric, find, unit_of
from pytest_gotrace.units import Quantity, parse_percent, parse_quantity, percent_text, quoted

Better = Literal["lower", "higher"]

OFF = "off"

_BETTER: dict[str, Better] = {"+": "lower", "-": "higher"}
_SIGNS = {better: sign for sign, better in _BETTER.items()}
_EXAMPLES = {"ns": ("20us", "5ms"), "B": ("4KiB", "1MiB"), "1": ("3", "100")}

#: The metric whose good direction only the benchmark's author knows, so that the sign of the limit decides.
_EITHER_WAY = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How far a number may move from base to head, and where it must stop.

    It is over when it got worse by more than max(relative × base, absolute), or when the head is above `cap`.
    `relative` is a fraction (0.15 is 15 %), `absolute` and `cap` are in `unit` (`ns`, `B`, `1`); None is not
    limited. With none of the three the rule is switched off. `str()` is the short form `parse_limit` reads.
    """

    relative: float | None = None
    absolute: float | None = None
    cap: float | None = None
    better: Better = "lower"
    unit: str = "1"

    @property
    def off(self) -> bool:
        """Whether nothing is limited: what `off` in a budget file says."""
        return self.relative is None and self.absolute is None and self.cap is None

    def end(self, base: float | None) -> float | None:
        """The number beyond which a head is over, for a base of `base`; None where nothing can be said."""
        ends = [self.cap] if self.cap is not None else []
        room = max((base or 0.0) * (self.relative or 0.0), self.absolute or 0.0)
        if base is not None and (self.relative, self.absolute) != (None, None):
            ends.append(base - room if self.better == "higher" else base + room)
        return min(ends, default=None)

    def __str__(self) -> str:
        amounts = [percent_text(self.relative)] if self.relative is not None else []
        amounts += [self._quantity(self.absolute)] if self.absolute is not None else []
        parts = [_SIGNS[self.better] + " and ".join(amounts)] if amounts else []
        parts += [f"max {self._quantity(self.cap)}"] if self.cap is not None else []
        return ", ".join(parts) or OFF

    def _quantity(self, value: float) -> str:
        return str(Quantity(value=value, unit=self.unit))


def parse_limit(text: str, key: Key, catalogue: Sequence[Metric] = CATALOGUE) -> Limit:
    """The limit that `text` puts on `key`. Raises `UsageError`: expected, found, what to write."""
    limit = read_limit(text, unit_of(key, catalogue))
    return limit if limit.off else sensible(limit, key, catalogue)


def read_limit(text: str, unit: str) -> Limit:
    """The limit that `text` is on numbers of `unit`, sensible or not. Raises `UsageError` like `parse_limit`."""
    words = " ".join(
        text.replace("\N{MINUS SIGN}", "-").split()
    )  # the sign that we show may come back in a file
    if words == OFF:
        return Limit(unit=unit)
    change, comma, cap = words.partition(",")
    if change.startswith("max"):
        change, cap, comma = "", words, ""
    if "," in cap or (comma and not cap.strip().startswith("max")):
        raise UsageError(f"{_expected(unit)}, found {quoted(text)}: a change comes first, then one 'max'")
    if not change and not cap:
        raise UsageError(f"{_expected(unit)}, found nothing")
    better, relative, absolute = _parse_change(change, unit, text) if change else ("lower", None, None)
    return Limit(
        relative=relative,
        absolute=absolute,
        cap=_parse_cap(cap.strip(), unit, text) if cap else None,
        better=better,
        unit=unit,
    )


def sensible(limit: Limit, key: Key, catalogue: Sequence[Metric] = CATALOGUE) -> Limit:
    """`limit`, if it can be kept and broken; else `UsageError` that says why not."""
    metric, changes = find(key.metric, catalogue), limit.relative is not None or limit.absolute is not None
    if changes and metric.name != _EITHER_WAY and limit.better != metric.better:
        right = "'+…' or max_increase" if metric.better == "lower" else "'-…' or max_decrease"
        raise UsageError(f"{metric.better} is better for {metric.name}, so its limit is written {right}")
    if limit.cap is not None and "higher" in (limit.better, metric.better):
        raise UsageError("'max' is for what should stay low, but here higher is better")
    if limit.relative == 0:
        raise UsageError("a budget of 0% leaves no room for noise; write 'off' to switch the rule off")
    if limit.better == "higher" and limit.relative is not None and limit.relative >= 1:
        raise UsageError(
            f"a fall of {percent_text(limit.relative)} leaves nothing to measure; write less than 100%"
        )
    if limit.relative is not None and limit.absolute == 0:
        raise UsageError("a floor of 0 is none; leave it out")
    if 0 in (limit.absolute, limit.cap) and limit.unit == "ns":
        raise UsageError("a time is never exactly the same, so its budget cannot be 0")
    return limit


def _parse_change(change: str, unit: str, text: str) -> tuple[Better, float | None, float | None]:
    """`+15% and 20us` as direction, fraction and quantity."""
    sign, (amount, joined, floor) = change[0], change[1:].strip().partition(" and ")
    if sign not in _BETTER:
        raise UsageError(f"{_expected(unit)}, found {quoted(text)}{_remedy(change, unit)}")
    if "max" in change:
        raise UsageError(f"{_expected(unit)}, found {quoted(text)}: 'max' has no sign and follows a comma")
    if floor.startswith(("+", "-")):
        raise UsageError(f"{_expected(unit)}, found {quoted(text)}: the part after 'and' has no sign")
    if joined and "%" in floor:
        raise UsageError(f"{_expected(unit)}, found {quoted(text)}: the percentage comes before 'and'")
    if joined and "%" not in amount:
        raise UsageError(f"expected a percentage before 'and', as in '{sign}15% and …', found {quoted(text)}")
    if "%" in amount:
        return _BETTER[sign], parse_percent(amount), parse_quantity(floor, unit).value if joined else None
    if unit != "1" and amount.replace(".", "", 1).isdigit():
        example = f"{sign}{amount}% or {sign}{amount}{_EXAMPLES[unit][0].lstrip('0123456789')}"
        raise UsageError(
            f"a number alone could be percent or a quantity: write {example}, found {quoted(text)}"
        )
    return _BETTER[sign], None, parse_quantity(amount, unit).value


def _parse_cap(cap: str, unit: str, text: str) -> float:
    word, _, amount = cap.partition(" ")
    if word != "max" or "%" in amount or amount.startswith(("+", "-")) or " and " in amount:
        example = _EXAMPLES[unit][1]
        raise UsageError(f"expected 'max' and a quantity alone, as in 'max {example}', found {quoted(text)}")
    return parse_quantity(amount, unit).value


def _expected(unit: str) -> str:
    floor, cap = _EXAMPLES[unit]
    return f"expected a limit such as '+15%', '+15% and {floor}', '+{floor}', 'max {cap}' or 'off'"


def _remedy(change: str, unit: str) -> str:
    """What to write instead of a percentage or a quantity without its sign."""
    for parse in (parse_percent, lambda amount: parse_quantity(amount, unit)):
        try:
            parse(change)
        except UsageError:
            continue
        cap = "" if "%" in change else f", or 'max {change}' if it must not be above that"
        return f": write '+{change}' if it may grow by that{cap}"
    return ""
