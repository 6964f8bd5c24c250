"""The verdict at the end of a pytest session: the same sentences as on the pull request, as wide as the terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pytest_gotrace import calibrated
from pytest_gotrace.aa import Calibration
from pytest_gotrace.escape import log_line
from pytest_gotrace.report import Report, RevisionInfo, VerdictEntry, betterment, blocking, improvements
from pytest_gotrace.sentences import (
    change_text,
    interference_text,
    needed_text,
    outcome_text,
    overhead_text,
    pairs_text,
    place_text,
    sides_text,
    verdict_sentence,
)
from pytest_gotrace.units import format_change, format_duration, percent_text

_MARKUP = {"fail": {"red": True, "bold": True}, "pass": {"green": True, "bold": True}}
_BIGGEST_SHOWN = 3
#: Columns that a label takes before its text.
_LABEL = 14
#: The label of a command, which stays on one line so that it can be copied.
_COMMAND = "again "


def write(report: Report, reporter: pytest.TerminalReporter, sent: Sequence[str] = ()) -> None:
    """Write the section `gotrace`: verdict, context, then only what a reader has to act on; and where it was `sent`.

    `-q` leaves it at verdict and context, `-v` adds every row and how well the machine could see.
    """
    width = shutil.get_terminal_size().columns
    reporter.section("gotrace", sep="=")
    markup = _MARKUP["fail" if any(blocking(report)) else "pass"]
    reporter.line(wrapped(verdict_sentence(report), width, 0), **markup)
    for line in context(report):
        reporter.line(wrapped(log_line(line), width, 0))
    verbosity = reporter.config.get_verbosity()
    if verbosity < 0:
        return
    more = (*every_row(report), *sight(report)) if verbosity > 0 else ()
    for line in (*details(report), *more, *sent):
        reporter.line(line if line.startswith(_COMMAND) else wrapped(log_line(line), width))


def write_calibration(
    found: Calibration, root: Path, reporter: pytest.TerminalReporter, *, written: bool
) -> None:
    """Write the section `gotrace A/A`: what can be seen here, and which budgets can be kept."""
    reporter.section("gotrace A/A", sep="=")
    width = shutil.get_terminal_size().columns
    for line in calibrated.numbers(found, width):
        reporter.line(log_line(line))
    for line in calibrated.proposals(found, root, written=written):
        reporter.line(wrapped(log_line(line), width))


def wrapped(line: str, width: int, label: int = _LABEL) -> str:
    """The line broken at spaces, the rest below its text and not below its label; a path is never broken."""
    below = " " * label
    return textwrap.fill(line, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)


def context(report: Report) -> Iterator[str]:
    """Which revisions, on which machine, how many pairs, how often that is wrong, under which budget."""
    environment = report.environment
    yield f"base {side(report.base)}, head {side(report.head)}"
    yield (
        f"{environment.get('go', 'Go ?')}, {environment.get('cpu', 'CPU ?')}, "
        f"GOMAXPROCS {environment.get('gomaxprocs', '?')}, {pairs_text(report)} in "
        f"{format_duration(report.method.elapsed_seconds)}, seed {report.method.seed}, "
        f"false alarms at most {percent_text(report.method.alpha)}, budget {', '.join(report.budget_files)}"
    )


def side(info: RevisionInfo) -> str:
    """`v1.4.0 (1a2b3c4d)`, and whether it has uncommitted changes or was recorded."""
    sha = f" ({info.sha[:10]}{' + uncommitted changes' if info.dirty else ''})" if info.sha else ""
    return f"{info.name}{sha}{' from a recording' if info.recorded else ''}"


def details(report: Report) -> Iterator[str]:
    """Rows over budget, what stays open, the largest improvements, warnings, the next command.

    The why of a row that fails stands in its failure, right above; here is that of the others.
    """
    told = {row.benchmark for row in blocking(report)}
    for row in _rows(report, "over"):
        yield f"{'over':<{_LABEL}}{_row(row)}"
    for why in report.why:
        if why.sentence and why.benchmark not in told:
            yield f"{'why':<{_LABEL}}{why.benchmark}: {why.sentence.replace('`', '')}"
            yield f"{'look at':<{_LABEL}}{why.advice}"
    for outcome in ("missing", "failed", "inconclusive", "new"):
        for row in _rows(report, outcome):
            yield f"{outcome:<{_LABEL}}{_row(row)}"
    for row in improvements(report)[:_BIGGEST_SHOWN]:
        yield f"{'improved':<{_LABEL}}{_row(row)}"
    disturbed = report.method.interference
    for note in (*report.warnings, *report.notes, interference_text(disturbed) if disturbed else ""):
        if note:
            yield f"{'note':<{_LABEL}}{note}"
    if any(_rows(report, "over")) or any(_rows(report, "inconclusive")):
        yield f"{_COMMAND:<{_LABEL}}{log_line(report.reproduce)}"


def every_row(report: Report) -> Iterator[str]:
    """What is fine, too: with `-v` nothing that was measured stays unsaid."""
    for outcome in ("within", "identical"):
        for row in _rows(report, outcome):
            yield f"{outcome_text(row):<{_LABEL}}{_row(row)}"
    for price in report.overheads:
        yield f"{'tracer':<{_LABEL}}{price.benchmark}: {overhead_text(price)}"


def sight(report: Report) -> Iterator[str]:
    """How well the machine could see: the worst that is within, and what would have been caught."""
    within = [row for row in _rows(report, "within") if row.change]
    if within:
        worst = min(within, key=betterment)
        said = f"{_name(worst)} {change_text(worst)}, budget {worst.budget}"
        yield f"{'worst within':<{_LABEL}}of {len(within)}: {said}"
    if caught := ", ".join(_caught(report)):
        yield f"{'would catch':<{_LABEL}}4 times out of 5: {caught}"
    for row in report.verdicts:
        if row.outcome not in _SPOKEN_BY_ITEM:
            yield from (f"{'note':<{_LABEL}}{_name(row)}: {warning}" for warning in row.warnings)


#: What has failed or is open shows its warnings with its item.
_SPOKEN_BY_ITEM = ("over", "inconclusive", "missing", "failed")


def _caught(report: Report) -> Iterator[str]:
    """By metric, the change that would have been caught in each of its benchmarks."""
    worst: dict[str, float] = {}
    for row in report.verdicts:
        if row.detectable is not None:
            worst[row.metric] = max(worst.get(row.metric, 0.0), row.detectable)
    yield from (f"{metric} from {format_change(size)} on" for metric, size in worst.items())


def _rows(report: Report, outcome: str) -> list[VerdictEntry]:
    return [row for row in report.verdicts if row.outcome == outcome]


def _name(row: VerdictEntry) -> str:
    return f"{row.benchmark} {row.metric}"


def _row(row: VerdictEntry) -> str:
    name = _name(row)
    numbers = " → ".join(text for text in sides_text(row) if text)
    parts = [
        ", ".join(text for text in (numbers, change_text(row)) if text),
        f"budget {row.budget} ({place_text(row)})" if row.budget else "",
    ]
    parts += [
        row.reason if row.outcome != "over" else "",
        needed_text(row).replace("`", "") if row.outcome == "inconclusive" else "",
    ]
    parts += [f"waived: {row.waived.reason}" if row.waived else ""]
    said = "; ".join(part for part in parts if part)
    return f"{name}: {said}" if said else name
