"""What is allowed: a budget, its rules, and which rule speaks for which number.

A budget is data. It is read from `gotrace.yaml` by `load`, and asked by benchmark: `rules_for`, `waiver_for`.
One number of one benchmark is never judged twice: of two entries with the same key the later one holds,
a rule that names a subject exactly holds over one that has a glob there, and of two such globs the later one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

from pytest_gotrace.limit import Limit
from pytest_gotrace.metrics import CATALOGUE, Key, Metric, nearest

__all__ = [
    "Budget",
    "Defaults",
    "Limit",
    "Requirement",
    "Rule",
    "Waiver",
    "load",
    "matches",
    "schema",
    "unmatched",
    "unmatched_message",
]

Level = Literal["fail", "warn"]
LEVELS: tuple[Level, ...] = ("fail", "warn")

#: How being over is tested: a t-test with shared variances, or sign flips of the whole family (`stats`).
Method = Literal["moderated", "exact"]
METHODS: tuple[Method, ...] = ("moderated", "exact")

#: In Go's `sync.(*Cond).Wait` the star is part of the name.
_LITERAL_IN_NAMES = re.compile(r"\[|\(\*(?=\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds where a rule says nothing. `timeout` is seconds, for one process; `max_trace_mb` is MB.

    `noise_memory` is a glob of earlier recordings below the budget's directory, "" for none.
    """

    level: Level = "fail"
    on_inconclusive: Level = "warn"
    max_pairs: int = 20
    timeout: float = 600.0
    max_trace_mb: int = 64
    method: Method = "moderated"
    noise_memory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the file: a limit on one key of the benchmarks that the glob matches.

    The key's subject may be a glob. `text` is the rule in its short form, `region[db].p99: +10% and 20us`.
    `unless` are the keys of the rules that hold instead of this one; `Budget.rules_for` fills it in.
    """

    benchmark_glob: str
    key: Key
    limit: Limit
    level: Level
    text: str
    path: Path
    line: int
    unless: tuple[Key, ...] = ()

    def matches(self, benchmark: str) -> bool:
        """Whether the rule is about that benchmark."""
        return _benchmark_matches(self.benchmark_glob, benchmark)

    def covers(self, key: Key) -> bool:
        """Whether this rule, and no other of the same benchmark, speaks for that number."""
        return matches(self.key, key) and not any(matches(other, key) for other in self.unless)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A benchmark (or glob) that must exist; with `key_series`, what must be seen in it: `region[render]`."""

    benchmark: str
    key_series: Key | None
    path: Path
    line: int

    def matches(self, benchmark: str) -> bool:
        """Whether the requirement is about that benchmark."""
        return _benchmark_matches(self.benchmark, benchmark)

    def met_by(self, series: Iterable[Key]) -> bool:
        """Whether what was seen in a matching benchmark (keys without statistic) has what must be there."""
        wanted = self.key_series
        return wanted is None or any(matches(wanted, key) for key in series)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An exception with a reason, up to and including the day `until`. Both globs must match."""

    benchmark_glob: str
    metric_glob: str
    until: date
    reason: str
    path: Path
    line: int

    def covers(self, benchmark: str, key: Key) -> bool:
        """Whether the waiver is about that number, expired or not."""
        return _benchmark_matches(self.benchmark_glob, benchmark) and _name_matches(
            self.metric_glob, str(key)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A whole budget file. `rules` are all its lines in order, overridden and switched-off ones included."""

    path: Path
    defaults: Defaults
    rules: tuple[Rule, ...]
    requirements: tuple[Requirement, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def rules_for(self, benchmark: str) -> tuple[Rule, ...]:
        """The rules that hold for one benchmark, in file order; each number is covered by one at most."""
        last: dict[Key, Rule] = {}
        for rule in self.rules:
            if rule.matches(benchmark):
                last.pop(rule.key, None)
                last[rule.key] = rule
        keys = tuple(last)
        resolved = (replace(rule, unless=_stronger(key, keys)) for key, rule in last.items())
        return tuple(rule for rule in resolved if not rule.limit.off)

    def waiver_for(self, benchmark: str, key: Key, today: date) -> Waiver | None:
        """The first waiver for that number that has not expired."""
        return next((w for w in self.waivers if today <= w.until and w.covers(benchmark, key)), None)

    def expired_waivers(self, today: date) -> tuple[Waiver, ...]:
        """Waivers that no longer help anyone, for a warning."""
        return tuple(waiver for waiver in self.waivers if waiver.until < today)

    def globs(self) -> tuple[str, ...]:
        """The globs of all benchmarks that must run: those with a limit, then those required."""
        limited = [rule.benchmark_glob for rule in self.rules if not rule.limit.off]
        return tuple(dict.fromkeys([*limited, *(requirement.benchmark for requirement in self.requirements)]))

    def advice(self) -> tuple[str, ...]:
        """Sentences about what is allowed but hardly meant."""
        limited = [rule for rule in self.rules if not rule.limit.off]
        if limited and all(rule.level == "warn" for rule in limited):
            return ("every rule has level warn, so no change of speed can fail a run",)
        return () if limited else ("every rule is off, so nothing is judged",)


def load(path: Path | str, catalogue: Sequence[Metric] = CATALOGUE) -> Budget:
    """The budget in a YAML file. Raises `BudgetError` with the line where the file goes wrong."""
    from pytest_gotrace.budgetfile import read  # yaml is only needed by a session that has a budget

    return read(Path(path), catalogue)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a budget file, for editors."""
    text = files("pytest_gotrace").joinpath("gotrace.schema.json").read_text(encoding="utf-8")
    return cast(dict[str, Any], json.loads(text))


def matches(pattern: Key, key: Key) -> bool:
    """Whether `pattern`, whose subject may have `*` and `?`, is about `key`.

    A key without subject is all subjects together, a number of its own: `sync-block[*].p99` is not about it.
    """
    same = (pattern.metric, pattern.statistic, not pattern.subject) == (
        key.metric,
        key.statistic,
        not key.subject,
    )
    return same and _name_matches(pattern.subject, key.subject)


def unmatched(budget: Budget, benchmarks: Sequence[str]) -> tuple[Rule, ...]:
    """The rules whose glob matches no benchmark: most likely a typing error, or a benchmark that is gone."""
    return tuple(rule for rule in budget.rules if not any(map(rule.matches, benchmarks)))


def unmatched_message(rule: Rule, benchmarks: Sequence[str]) -> str:
    """What to tell about a rule that `unmatched` returned: the glob, and the nearest name that there is."""
    missing = f"no benchmark matches {rule.benchmark_glob!r}"
    if not benchmarks:
        return f"{missing}: there are no benchmarks at all"
    shown = ", ".join(benchmarks[:5]) + (f" and {len(benchmarks) - 5} more" if len(benchmarks) > 5 else "")
    return f"{missing}{nearest(rule.benchmark_glob, benchmarks)}; there are: {shown}"


def _stronger(key: Key, keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """Of `keys`, in order of the file, those that hold over `key` for numbers that both match."""
    if not _is_glob(key.subject):
        return ()
    later = keys[keys.index(key) + 1 :]
    rivals = (k for k in keys if (k.metric, k.statistic) == (key.metric, key.statistic) and k.subject)
    return tuple(k for k in rivals if k in later or not _is_glob(k.subject))


def _benchmark_matches(glob: str, benchmark: str) -> bool:
    """A shell glob, in which `*` crosses slashes; a name matches itself whatever it contains."""
    return glob == benchmark or fnmatchcase(benchmark, glob)


def _name_matches(glob: str, name: str) -> bool:
    """A glob of `*` and `?` only: brackets are part of the names of metrics."""
    return glob == name or fnmatchcase(name, _escaped(glob))


def _is_glob(name: str) -> bool:
    return re.search(r"[*?]", _LITERAL_IN_NAMES.sub("", name)) is not None


@lru_cache(maxsize=1024)
def _escaped(glob: str) -> str:
    return _LITERAL_IN_NAMES.sub(lambda found: found[0].replace("[", "[[]").replace("*", "[*]"), glob)
