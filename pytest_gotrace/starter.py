"""The budget file that a project starts from, written from a first measurement.

Each limit is the larger of 10 % and three times the run-to-run spread that was seen, rounded up to a step of
5 %: at 6 to 10 pairs an unchanged benchmark is then shown to be unchanged in most runs. What is too noisy to
fail a pull request on gets the level `warn`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from pytest_gotrace.limit import Better, Limit
from pytest_gotrace.metrics import CATALOGUE, Key, Metric, find, unit_of
from pytest_gotrace.units import format_quantity

LEAST, MOST = 0.10, 10.0
SPREADS = 3
STEP = 0.05

#: Beyond this a limit catches so little that nobody should be stopped by it.
NOISY = 0.50

#: What is assumed of a number whose spread is not known, because there was one run.
UNKNOWN = 0.25

_FLOORS = {"ns": 1_000.0, "B": 1_024.0, "1": 3.0}
_TOTAL_SHARE = 0.05
_PLAIN = re.compile(r"[A-Za-z][\w\[\]./()*-]*(?: [\w\[\]./()*-]+)*")
_LONGEST_NAME = 500

_HEAD = """\
# What a change may cost. `pytest --gotrace-baseline` compares it with the merge base and fails when the
# evidence shows that a limit is exceeded. Written from one measurement on one machine: tighten what matters,
# delete the rest.
#
#   +15%              may grow by 15 %                    -5%        higher is better, may fall by 5 %
#   +15% and 20us     by 15 % or 20 us, whichever is more max 5ms    must not be above 5 ms
#   off               no limit                            region[*]  all regions without a line of their own
version: 1
defaults: {level: fail, on_inconclusive: warn}
budgets:
"""


def starting_budget(
    measured: Sequence[tuple[str, Key, float, float]], catalogue: Sequence[Metric] = CATALOGUE
) -> str:
    """The YAML text of a budget for what was measured: (benchmark, key, value, coefficient of variation).

    The value is in the key's unit; the coefficient of variation is that between runs, NaN if there was one.
    `budget.load` reads the text without error, unless nothing was measured. Names that cannot stand in the
    file as they are, and values that are no numbers, are left out and counted in its last line.
    """
    usable = [row for row in measured if _writable(row)]
    by_benchmark: dict[str, dict[Key, str]] = {}
    for benchmark, key, value, spread in usable:
        by_benchmark.setdefault(benchmark, {})[key] = _line(key, value, spread, catalogue)
    lines = [_HEAD]
    for benchmark, of_benchmark in sorted(by_benchmark.items()):
        lines += [f"  {json.dumps(benchmark, ensure_ascii=False)}:\n", *of_benchmark.values()]
    if left_out := len(measured) - len(usable):
        lines.append(f"# left out: {left_out} without a number, or with a name that cannot stand here\n")
    return "".join(lines)


def starting_limit(key: Key, value: float, spread: float, catalogue: Sequence[Metric] = CATALOGUE) -> Limit:
    """The limit to start from for one number; see the module for how it is chosen."""
    unit, better = unit_of(key, catalogue), _better(key, catalogue)
    relative = _relative(spread)
    if better == "higher":
        return Limit(relative=min(relative, 1 - STEP), better=better, unit=unit)
    return Limit(relative=relative, absolute=_floor(key, value, unit, catalogue), better=better, unit=unit)


def _line(key: Key, value: float, spread: float, catalogue: Sequence[Metric]) -> str:
    limit = starting_limit(key, value, spread, catalogue)
    noisy = limit.relative is not None and limit.relative > NOISY
    percent = 100 * spread
    seen = f"runs spread by {percent:.{0 if percent >= 10 else 1}f} %" if percent < math.inf else "one run"
    comment = f"{format_quantity(value, limit.unit)}, {seen}" + (", too noisy to fail on" if noisy else "")
    return f"    {_name(str(key))}: {_long_form(limit) if noisy else limit}  # {comment}\n"


def _long_form(limit: Limit) -> str:
    """The limit with the level `warn`, which the short form has no place for."""
    change = "max_increase" if limit.better == "lower" else "max_decrease"
    short = str(limit).lstrip("+-").partition(" and ")
    floor = f", floor: {short[2]}" if short[2] else ""
    return f"{{{change}: {short[0]}{floor}, level: warn}}"


def _relative(spread: float) -> float:
    if not math.isfinite(spread):
        return UNKNOWN
    steps = math.ceil(round(min(max(LEAST, SPREADS * spread), MOST) / STEP, 6))
    return round(steps * STEP, 2)


def _floor(key: Key, value: float, unit: str, catalogue: Sequence[Metric]) -> float | None:
    """What a number may always grow by; none for what `go test` reports, where a zero is to stay one."""
    if not find(key.metric, catalogue).traced:
        return None
    if key.statistic == "total":
        return max(_FLOORS[unit], float(f"{_TOTAL_SHARE * value:.1e}"))
    return _FLOORS[unit]


def _better(key: Key, catalogue: Sequence[Metric]) -> Better:
    """Of a benchmark's own units only rates (`MB/s`) are known to be better when higher."""
    if key.metric == "custom" and key.subject.endswith("/s"):
        return "higher"
    return find(key.metric, catalogue).better


def _writable(row: tuple[str, Key, float, float]) -> bool:
    benchmark, key, value, _ = row
    names = (benchmark, str(key))
    return math.isfinite(value) and all(0 < len(n) <= _LONGEST_NAME and n.isprintable() for n in names)


def _name(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
