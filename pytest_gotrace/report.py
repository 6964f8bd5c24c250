"""Everything a reader will see, frozen: what the judge says, and what every sink shows.

`report.json` is the one thing that passes from the door that runs code to the door that holds a token. To the
second door it is text from a stranger: `report_json` checks it before a `Report` exists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Literal, get_args

from pytest_gotrace.errors import ExitCode
from pytest_gotrace.explanation import Annotation, Breakdown, Interval, KeptTrace, Side, Timeline, Why

Outcome = Literal["over", "failed", "missing", "inconclusive", "new", "within", "identical"]
Level = Literal["fail", "warn"]
Better = Literal["lower", "higher"]
Mood = Literal["good", "doubtful", "bad"]

#: Every outcome, worst first.
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
#: Those that somebody has to mend, and those that nobody has to read; `inconclusive` is neither.
PROBLEMS: tuple[Outcome, ...] = ("over", "failed", "missing")
CALM: tuple[Outcome, ...] = ("new", "within", "identical")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionInfo:
    """One side: `name` as the person wrote it, `sha` in full (40 or 64 hex digits, "" if there is none).

    `dirty`: uncommitted changes were measured too. `recorded`: read from a recording, not measured now.
    """

    name: str
    sha: str = ""
    dirty: bool = False
    recorded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interference:
    """Disturbances by others on the machine, seen without a look at the numbers.

    `watched` are the sources that the machine has (`steal`, `pressure`, `spin`). `repeated` pairs were measured again;
    `kept` were disturbed and count all the same. `reasons` counts both by source. `seconds` is what looking cost.
    """

    watched: tuple[str, ...] = ()
    repeated: int = 0
    kept: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How the numbers came about: enough to repeat the run and to know what to believe.

    `looks` are the numbers of pairs at which a decision was allowed; `alpha` the chance of any false alarm in
    the whole run; `continued` says that pairs of an earlier run of the same two revisions were taken along.
    """

    looks: tuple[int, ...]
    alpha: float
    seed: int
    elapsed_seconds: float
    pairs_run: int
    continued: bool = False
    interference: Interference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An over-budget change that somebody accepted: why, and the last day it holds (`2026-12-31`)."""

    reason: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The one number of each run, in the entry's unit: `base[i]` and `head[i]` are a pair, in measuring order.

    `base_first[i]` says which of the two ran first. `base` and `base_first` are empty where the head is held to a cap
    alone.
    """

    base: tuple[float, ...] = ()
    head: tuple[float, ...] = ()
    base_first: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileShift:
    """One quantile of a run's events, the mean over each side's runs, and how it moved; in the entry's unit.

    A list of them is a shift function (Rousselet et al. 2017): of each run its own quantiles, never of pooled events.
    """

    probability: float
    base: float
    head: float
    difference: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What a sum of events is made of: how many there are in an operation, and how long one is, in the entry's unit.

    Means over each side's runs.
    """

    base_number: float
    head_number: float
    base_length: float
    head_length: float

    @property
    def more(self) -> float:
        """The head's number as a multiple of the base's; infinite where the base has none."""
        return _ratio(self.base_number, self.head_number)

    @property
    def longer(self) -> float:
        """The head's length as a multiple of the base's; infinite where the base has none."""
        return _ratio(self.base_length, self.head_length)


def _ratio(base: float, head: float) -> float:
    return head / base if base else inf if head else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictEntry:
    """One rule of the budget on one metric of one benchmark.

    `base`, `head` and `difference` are in `unit` (`ns`, `B`, `1`); `change` and `detectable` are relative.
    Signs are natural: + means that head is larger, whichever way is `better`.
    `p` is adjusted for everything else that was judged. `pairs_needed` is (low, most likely, high).
    `provable` is the smallest relative budget that could be shown to be kept at this noise; with a smaller one
    the row is `underpowered`. Where no reasonable number of pairs would settle an inconclusive row, `advisable` is the
    relative budget that would. `events` is of a `.total`; its `quantiles` are left out where it moved by their number.
    """

    benchmark: str
    metric: str
    unit: str
    outcome: Outcome
    level: Level = "fail"
    better: Better = "lower"
    waived: Waiver | None = None
    budget: str = ""
    budget_file: str = ""
    line: int = 0
    base: Interval | None = None
    head: Interval | None = None
    change: Interval | None = None
    difference: Interval | None = None
    p: float | None = None
    pairs: int = 0
    pairs_needed: tuple[int, int, int] | None = None
    detectable: float | None = None
    provable: float | None = None
    advisable: float | None = None
    underpowered: bool = False
    reason: str = ""
    warnings: tuple[str, ...] = ()
    runs: Runs | None = None
    quantiles: tuple[QuantileShift, ...] = ()
    events: Events | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Time of an operation with the tracer as a multiple of that without, on each side; None where it is not known."""

    benchmark: str
    base: float | None = None
    head: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A build, run or trace that failed: the command to repeat it, and the end of what it printed."""

    benchmark: str
    side: Side
    message: str
    command: tuple[str, ...] = ()
    tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole result of one comparison.

    `environment` is in reading order; `go`, `cpu` and `GOMAXPROCS` are shown beside the verdict.
    `expected` counts the benchmarks that had to be measured, `measured` those that were. `warnings` are doubts that
    touch the whole run, gravest first;
    `notes` are no doubts: what else changed between the sides. `why` has the benchmarks that are over budget,
    `breakdowns` each one that was traced; `annotations` and `traces` come worst first.
    """

    tool: str
    base: RevisionInfo
    head: RevisionInfo
    method: Method
    environment: dict[str, str] = field(default_factory=dict)
    budget_files: tuple[str, ...] = ()
    expected: int = 0
    measured: int = 0
    on_inconclusive: Level = "warn"
    verdicts: tuple[VerdictEntry, ...] = ()
    why: tuple[Why, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    traces: tuple[KeptTrace, ...] = ()
    timelines: tuple[Timeline, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    overheads: tuple[Overhead, ...] = ()
    reproduce: str = ""

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many verdicts have each outcome, worst first; every outcome is there."""
        counts = dict.fromkeys(OUTCOMES, 0)
        for verdict in self.verdicts:
            counts[verdict.outcome] += 1
        return counts

    @property
    def worst(self) -> Outcome | None:
        """The gravest outcome there is, or None when nothing was judged."""
        return next((outcome for outcome, count in self.counts.items() if count), None)


def exit_code(report: Report) -> ExitCode:
    """What the shell is told, gravest first: over, failed, missing, and inconclusive if that is to fail."""
    failing = {verdict.outcome for verdict in blocking(report)}
    if "over" in failing:
        return ExitCode.OVER_BUDGET
    if report.failures or report.counts["failed"]:
        return ExitCode.MEASUREMENT_FAILED
    if failing:
        return ExitCode.OVER_BUDGET
    return ExitCode.PASS if report.verdicts else ExitCode.NOTHING_MATCHED


def mood(report: Report) -> Mood:
    """`bad` if it keeps the change from passing, `doubtful` if a person should look, else `good`."""
    if exit_code(report) in (ExitCode.OVER_BUDGET, ExitCode.MEASUREMENT_FAILED):
        return "bad"
    calm = report.worst in CALM and not report.warnings and report.measured == report.expected
    return "good" if calm else "doubtful"


def gravity(entry: VerdictEntry) -> tuple[bool, int, bool, float]:
    """What blocks first, then the worse outcome, then what is not accepted, then the larger change for the worse."""
    mild = entry.level == "warn" or entry.waived is not None
    blocks = entry.outcome in PROBLEMS and not mild
    return not blocks, OUTCOMES.index(entry.outcome), mild, betterment(entry)


def blocking(report: Report) -> Iterable[VerdictEntry]:
    """The verdicts that keep the run from passing: level `fail`, not waived, and not fine."""
    outcomes = {*PROBLEMS, *({"inconclusive"} if report.on_inconclusive == "fail" else ())}
    return (
        verdict
        for verdict in report.verdicts
        if verdict.level == "fail" and verdict.waived is None and verdict.outcome in outcomes
    )


def improvements(report: Report) -> list[VerdictEntry]:
    """Changes for the better whose whole interval lies on that side of zero, the largest first."""
    return sorted(
        (e for e in report.verdicts if e.outcome == "within" and _is_better(e)), key=betterment, reverse=True
    )


def _is_better(entry: VerdictEntry) -> bool:
    if entry.change is None:
        return False
    return entry.change.high < 0 if entry.better == "lower" else entry.change.low > 0


def betterment(entry: VerdictEntry) -> float:
    """The relative change, counted so that larger is better."""
    center = entry.change.center if entry.change else 0.0
    return -center if entry.better == "lower" else center
