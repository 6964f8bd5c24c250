"""Verdicts and what surrounds them become the one `Report` that every reader gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from typing import Any

from pytest_gotrace import explanation, report
from pytest_gotrace.budget import Rule
from pytest_gotrace.changes import Changes
from pytest_gotrace.commands import again, commands
from pytest_gotrace.escape import log_line
from pytest_gotrace.evidence import events_of, quantile_shifts, runs_of
from pytest_gotrace.explained import breakdowns, touched, why
from pytest_gotrace.metrics import CATALOGUE, Key, Metric, find
from pytest_gotrace.overhead import Overhead, overheads
from pytest_gotrace.prepare import Benchmark, Failure
from pytest_gotrace.recording import SIDES, Measured, Recording
from pytest_gotrace.remarks import remarks
from pytest_gotrace.sentences import failure_text, headline
from pytest_gotrace.stats import Comparison, Summary
from pytest_gotrace.verdict import Outcome, Verdict

#: The chance of any false alarm in a whole run, as the plan of the statistics has it.
ALPHA = 0.05
#: A report has room for so many overheads, and for the runs of so many verdicts.
_PRICES, _PICTURED = 1000, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a report says besides its verdicts. `root` is the repository, which places are told relative to.

    `failures` are those of the measuring. `touched` says which lines are in the change.
    """

    recording: Recording
    recorded_base: bool
    failures: tuple[Failure, ...]
    budget_files: tuple[str, ...]
    root: Path
    looks: tuple[int, ...]
    elapsed: float
    warnings: tuple[str, ...]
    strict: bool
    notes: tuple[str, ...] = ()
    watching: float = 0.0  # seconds that it took to look for disturbances
    continued: bool = False
    metrics: tuple[Metric, ...] = CATALOGUE
    changes: Changes = field(default_factory=Changes)
    head: Path | None = None  # the head's checkout, if it is there
    traces: tuple[explanation.KeptTrace, ...] = ()
    timelines: tuple[explanation.Timeline, ...] = ()


def build(verdicts: Sequence[Verdict], about: Circumstances) -> report.Report:
    """The report of one gate."""
    sides, prices = about.recording.sides, overheads(about.recording)
    reproducing = reproduce(sides.get("base"), verdicts)
    whys = tuple(_with_commands(one, about) for one in _whys(verdicts, about))
    expected, measured = _measured(verdicts, about.recording)
    return report.Report(
        tool=tool_version(),
        base=_side(sides.get("base"), recorded=about.recorded_base),
        head=_side(sides.get("head"), recorded=False),
        method=report.Method(
            looks=about.looks,
            alpha=ALPHA,
            seed=about.recording.seed,
            elapsed_seconds=round(about.elapsed, 1),
            pairs_run=_pairs(about.recording),
            continued=about.continued,
            interference=_interference(about),
        ),
        environment=dict(about.recording.environment),
        budget_files=about.budget_files,
        expected=expected,
        measured=measured,
        on_inconclusive="fail" if about.strict else "warn",
        verdicts=tuple(_with_runs(verdicts, about)),
        why=whys,
        breakdowns=breakdowns(about.recording)[:_PRICES],
        traces=about.traces,
        timelines=about.timelines,
        annotations=_remarks(verdicts, whys, about),
        failures=tuple(_failure(failure) for failure in _all_failures(verdicts, about)),
        warnings=(*about.warnings, *_doubts(prices, verdicts)),
        notes=about.notes,
        overheads=tuple(
            report.Overhead(benchmark=price.benchmark, base=price.base, head=price.head)
            for price in prices[:_PRICES]
        ),
        reproduce=reproducing,
    )


def _measured(verdicts: Sequence[Verdict], recording: Recording) -> tuple[int, int]:
    """How many benchmarks had to be measured, and how many were.

    What is identical, new or only has to be there is answered without a run, and counts only where there is one.
    """
    ran = set(recording.benchmarks("head"))
    failed = {v.question.benchmark.id for v in verdicts if v.outcome is Outcome.FAILED}
    needed = {v.question.benchmark.id for v in verdicts if not v.outcome.calm or v.comparison}
    asked = {verdict.question.benchmark.id for verdict in verdicts}
    return len(needed | (asked & ran)), len((asked & ran) - failed)


def _with_runs(verdicts: Sequence[Verdict], about: Circumstances) -> Iterator[report.VerdictEntry]:
    """Each verdict as a row, the gravest so many with their runs: a report has no room for those of everything."""
    shown = {id(verdict) for verdict in sorted(verdicts, key=lambda verdict: verdict.gravity)[:_PICTURED]}
    for verdict in verdicts:
        row = entry(verdict, about.root)
        if verdict.key is None or verdict.comparison is None or id(verdict) not in shown:
            yield row
            continue
        traced = find(verdict.key.metric, about.metrics).traced
        name = verdict.question.benchmark.id
        base, head = (
            [run for run in about.recording.of(side, name, traced=traced) if run.round >= 0] for side in SIDES
        )
        yield replace(
            row,
            runs=runs_of(base, head, verdict.key),
            quantiles=quantile_shifts(base, head, verdict.key),
            events=events_of(base, head, verdict.key),
        )


def _whys(verdicts: Sequence[Verdict], about: Circumstances) -> Iterator[explanation.Why]:
    """Why each benchmark is over its budget."""
    modules = {verdict.question.benchmark.id: verdict.question.benchmark.module for verdict in verdicts}
    for name, over in _regressed(verdicts).items():
        yield why(name, about.recording, over, touched(about.changes, modules[name]))


def _with_commands(reason: explanation.Why, about: Circumstances) -> explanation.Why:
    """How to see it for oneself: only what is explained by something is worth looking at."""
    if not reason.sentence:
        return reason
    kept = [trace for trace in about.traces if trace.benchmark == reason.benchmark]
    state = reason.states[0].state if reason.states else ""
    return replace(reason, commands=tuple(commands(kept, state)))


def _remarks(
    verdicts: Sequence[Verdict], whys: Sequence[explanation.Why], about: Circumstances
) -> tuple[explanation.Annotation, ...]:
    rows = [
        (entry(verdict, about.root), verdict.question.benchmark)
        for verdict in sorted(verdicts, key=lambda verdict: verdict.gravity)
        if verdict.outcome.value in report.PROBLEMS
    ]
    if about.head is None:
        return ()
    return remarks(
        rows,
        {reason.benchmark: reason for reason in whys},
        about.changes.nearest,
        about.head,
        lambda benchmark: _again(about.recording.sides.get("base"), [benchmark]),
    )


def speak(verdicts: Sequence[Verdict], whole: report.Report, root: Path, directory: str = "") -> str:
    """What an item says that did not pass: each of its verdicts that is not fine, with the why of its benchmark.

    `directory` is that of the report, which the commands of a why are for.
    """
    reasons = {found.benchmark: found for found in whole.why}
    known = {_identity(row): row for row in whole.verdicts}  # with what their numbers are made of
    rows = [known.get(_identity(row), row) for row in (entry(v, root) for v in _not_fine(verdicts))]
    texts = [
        failure_text(
            row,
            reasons.get(row.benchmark),
            reproduce=whole.reproduce,
            directory=directory,
            told=_told_with(row, whole),
        )
        for row in rows
    ]
    tails = [tail for verdict in _not_fine(verdicts)[:1] for tail in _tails(verdict, whole)]
    return "\n\n".join([*texts, *(f"output:\n{log_text(tail)}" for tail in tails[:1])])


def _told_with(row: report.VerdictEntry, whole: report.Report) -> str:
    """The metric with which the why of the row's benchmark is told, its first that fails; "" if that is the row."""
    first = next((one for one in report.blocking(whole) if one.benchmark == row.benchmark), row)
    return "" if _identity(first) == _identity(row) else first.metric


def _identity(row: report.VerdictEntry) -> tuple[str, str, str, int]:
    return row.benchmark, row.metric, row.budget_file, row.line


def summarise(verdicts: Sequence[Verdict], root: Path) -> str:
    """The same on one line: the first verdict that is not fine, and how many others there are."""
    first, *others = [headline(entry(verdict, root)) for verdict in _not_fine(verdicts)] or [""]
    return f"{first} (and {len(others)} more)" if others else first


def _not_fine(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts that somebody has to read, the gravest first."""
    return sorted((v for v in verdicts if not v.outcome.calm), key=lambda verdict: verdict.gravity)


def _tails(verdict: Verdict, whole: report.Report) -> Iterator[str]:
    """What the programs printed last that failed this verdict's benchmark, while it was tried or measured."""
    if verdict.outcome is Outcome.FAILED:
        benchmark = verdict.question.benchmark
        yield from (
            s.failure.error.tail for s in benchmark.status.values() if s.failure and s.failure.error.tail
        )
        yield from (f.tail for f in whole.failures if f.benchmark == benchmark.id and f.tail)


def entry(verdict: Verdict, root: Path) -> report.VerdictEntry:
    """One verdict as a row that knows no object of ours."""
    question, comparison = verdict.question, verdict.comparison
    rule = question.rule
    return report.VerdictEntry(
        benchmark=question.benchmark.id,
        metric=str(verdict.key) if isinstance(rule, Rule) and verdict.key else question.text,
        unit=rule.limit.unit if isinstance(rule, Rule) else "1",
        outcome=verdict.outcome.value,
        level="warn" if verdict.level == "warn" else "fail",
        waived=report.Waiver(reason=verdict.waiver.reason, until=verdict.waiver.until.isoformat())
        if verdict.waiver
        else None,
        better=rule.limit.better if isinstance(rule, Rule) else "lower",
        budget=str(rule.limit) if isinstance(rule, Rule) else "",
        budget_file=place(rule.path, root),
        line=rule.line,
        reason=verdict.reason,
        **(_numbers(comparison) if comparison else {}),
    )


def _numbers(comparison: Comparison) -> dict[str, Any]:
    return {
        "base": _interval(comparison.base),
        "head": _interval(comparison.head),
        "change": _interval(comparison.change),
        "difference": _interval(comparison.difference),
        "p": comparison.p_over if comparison.p_over_adjusted is None else comparison.p_over_adjusted,
        "pairs": comparison.pairs,
        "pairs_needed": _low_first(comparison.pairs_needed),
        "detectable": comparison.detectable,
        "provable": comparison.provable,
        "advisable": comparison.advisable,
        "underpowered": comparison.underpowered,
        "warnings": comparison.warnings,
    }


def _low_first(needed: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
    return (needed[1], needed[0], needed[2]) if needed else None


def _interval(summary: Summary | None) -> explanation.Interval | None:
    """An interval that is infinite (two runs, say) is no interval: only its centre is shown."""
    if summary is None:
        return None
    if not isfinite(summary.center):
        return None
    low, high = (end if isfinite(end) else summary.center for end in (summary.low, summary.high))
    return explanation.Interval(center=summary.center, low=low, high=high)


def _side(measured: Measured | None, *, recorded: bool) -> report.RevisionInfo:
    if measured is None:
        return report.RevisionInfo(name="nothing")
    return report.RevisionInfo(name=measured.name, sha=measured.sha, dirty=measured.dirty, recorded=recorded)


def _pairs(recording: Recording) -> int:
    return len({(run.benchmark, run.round) for run in recording.runs if run.side == "head"})


def _doubts(prices: Sequence[Overhead], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What a different price of tracing means to those benchmarks of which more than counts of events was judged."""
    judged = {
        v.question.benchmark.id
        for v in verdicts
        if v.comparison and v.key and v.key.statistic not in ("", "count")
    }
    return (price.doubt for price in prices if price.doubt and price.benchmark in judged)


def _interference(about: Circumstances) -> report.Interference | None:
    """What disturbed the pairs that were measured here; None where nobody watched."""
    watched = about.recording.environment.get("watched")
    if watched is None:
        return None
    again, kept = (_disturbed(about.recording, field) for field in ("repeated", "disturbed"))
    reasons = Counter(source for pairs in (again, kept) for sources in pairs.values() for source in sources)
    return report.Interference(
        watched=tuple(watched.split(", ")),
        repeated=len(again),
        kept=len(kept),
        reasons=dict(reasons),
        seconds=round(about.watching, 3),
    )


def _disturbed(recording: Recording, field: str) -> dict[tuple[str, int, bool], set[str]]:
    """The pairs of which a run names sources in that field, with the sources of both sides."""
    found: dict[tuple[str, int, bool], set[str]] = {}
    for run in recording.runs:
        if sources := getattr(run, field):
            found.setdefault((run.benchmark, run.round, run.traced), set()).update(sources)
    return found


def _regressed(verdicts: Sequence[Verdict]) -> dict[str, list[Key]]:
    """The benchmarks that are over budget, each with the numbers that are."""
    found: dict[str, list[Key]] = {}
    for verdict in verdicts:
        if verdict.outcome is Outcome.OVER and verdict.key:
            found.setdefault(verdict.question.benchmark.id, []).append(verdict.key)
    return found


def _all_failures(verdicts: Sequence[Verdict], about: Circumstances) -> Iterator[Failure]:
    """Each failure once: of the measuring, then those found while everything was tried."""
    yield from about.failures
    seen = set()
    for status in (status for v in verdicts for status in v.question.benchmark.status.values()):
        if status.failure and id(status.failure.error) not in seen:
            seen.add(id(status.failure.error))
            yield status.failure


def _failure(failure: Failure) -> report.Failure:
    error = failure.error
    return report.Failure(
        benchmark=failure.benchmark,
        side=failure.side,
        message=error.message,
        command=error.command,
        tail=error.tail,
    )


def reproduce(base: Measured | None, verdicts: Sequence[Verdict]) -> str:
    """The command that measures again what did not pass, or everything."""
    stuck = (Outcome.OVER, Outcome.INCONCLUSIVE)
    return _again(base, [v.question.benchmark for v in verdicts if v.outcome in stuck])


def _again(base: Measured | None, benchmarks: Sequence[Benchmark]) -> str:
    return again(base.sha if base else "", [benchmark.name for benchmark in benchmarks])


def tool_version() -> str:
    """The version of this program, as it is installed."""
    try:
        return version("pytest-gotrace")
    except PackageNotFoundError:
        return "unknown"


def log_text(text: str) -> str:
    """Output of a stranger's program for a log: each line on its own, none of them a command to a CI runner."""
    return "\n".join("  " + log_line(line.expandtabs(4)) for line in text.splitlines())


def place(path: Path, root: Path) -> str:
    """A path as a reader knows it: relative to the repository."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


__all__ = ["ALPHA", "Circumstances", "build", "entry", "reproduce", "speak", "summarise", "tool_version"]
