"""A report and a template make a text that fits where it goes.

The layout is in `templates/`; here is what goes into it, and how much of it.

1. The frame (verdict, context, how to reproduce) is rendered first; what it leaves of the limit is room.
2. Each section takes rows while there is room, the sections that matter most first.
3. The frame is rendered again around them. The reading order is that of its blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from pytest_gotrace import pictures, sentences
from pytest_gotrace.explanation import KeptTrace, Why
from pytest_gotrace.report import (
    OUTCOMES,
    PROBLEMS,
    Outcome,
    Report,
    VerdictEntry,
    gravity,
    improvements,
    mood,
)
from pytest_gotrace.templating import UserTemplate, environment, render

#: A comment on GitHub holds 65,536 characters. Bytes are what we count: they are never fewer than characters.
COMMENT_BYTES = 60_000

#: Rows of each list that is not folded away.
FIRST_ROWS = 15

#: Rows that get a chart.
_CHARTS = 3

_UNMATCHED: tuple[Outcome, ...] = ("new", "missing", "identical")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The rules of one benchmark that share an outcome."""

    outcome: Outcome
    benchmark: str
    rules: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Distribution:
    """The pictures of one row; "" where there is none."""

    entry: VerdictEntry
    strip: str
    chart: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What one benchmark left to be looked at."""

    benchmark: str
    traces: tuple[KeptTrace, ...]
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A part of the summary that may be cut: three macros of `sections.md.j2`, and the rows between them.

    `urgency`: the lowest takes its room first. `at_most`: the most rows shown, whatever room there is.
    """

    name: str
    urgency: int
    rows: Callable[[Report], Sequence[object]]
    at_most: int | None = None


def render_summary(
    report: Report, *, limit: int = COMMENT_BYTES, template: UserTemplate | None = None
) -> str:
    """The report as GitHub-flavoured Markdown of at most `limit` UTF-8 bytes, so at most as many characters.

    Only whole rows and sections are left out, and the text says so. Where the own words of a project's `template` do
    not fit, the layout is ours. Raises `ValueError` if not even the verdict and the command to reproduce it fit
    (`COMMENT_BYTES` are always enough for them), `UsageError` for what goes wrong in the template.
    """
    room = limit - _size(_frame(report, _NOTHING, limit, template, cut=True))
    if room < 0 and template:
        return render_summary(report, limit=limit)
    if room < 0:
        raise ValueError(f"the verdict alone takes more than {limit} bytes")
    why = {reason.benchmark: reason for reason in report.why}
    parts: dict[str, _Part] = {}
    for section in sorted(_SECTIONS, key=lambda section: section.urgency):
        parts[section.name] = part = _fill(section, section.rows(report), why, room)
        room -= _size(part.text)
    text = _frame(report, parts, limit, template, cut=any(part.cut for part in parts.values()))
    # A template may show a section twice.
    return text if _size(text) <= limit else render_summary(report, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A rendered section; `cut` if rows are missing for want of room."""

    text: str
    cut: bool


def _fill(section: _Section, rows: Sequence[object], why: Mapping[str, Why], room: int) -> _Part:
    """As many rows of the section as fit into `room` bytes, each rendered only when its turn comes."""
    head, row, tail = (_macro(f"{section.name}_{part}") for part in ("head", "row", "tail"))
    room -= 1 + _size(head(len(rows))) + _size(tail(len(rows)))
    wanted = rows[: section.at_most]
    taken: list[str] = []
    for entry in wanted:
        text = row(entry, why.get(getattr(entry, "benchmark", "")))
        room -= _size(text)
        if room < 0:
            break
        taken.append(text)
    if not taken:
        return _Part(text="", cut=bool(wanted))
    text = "".join(["\n", head(len(rows)), *taken, tail(len(rows) - len(taken))])
    return _Part(text=text, cut=len(taken) < len(wanted))


def _frame(
    report: Report, parts: Mapping[str, _Part], limit: int, template: UserTemplate | None, *, cut: bool
) -> str:
    """The whole text, or the beginning of one that is longer than `limit`."""
    context = {
        "report": report,
        "verdict": sentences.verdict_sentence(report),
        "mood": mood(report),
        "reproduce": sentences.command_text(report.reproduce),
        "sections": {name: Markup(part.text) for name, part in parts.items()},
        "cut": cut,
    }
    text, size = [], 0
    for piece in render(context, template):
        text.append(piece)
        size += _size(piece)
        if size > limit:
            break
    return "".join(text)


def _problems(report: Report) -> list[VerdictEntry]:
    return sorted((entry for entry in report.verdicts if entry.outcome in PROBLEMS), key=gravity)


def _why(report: Report) -> list[Why]:
    """What is known about the problems, in their order."""
    order = {entry.benchmark: -place for place, entry in enumerate(reversed(_problems(report)))}
    return sorted((why for why in report.why if why.sentence), key=lambda why: order.get(why.benchmark, 1))


def _inconclusive(report: Report) -> list[VerdictEntry]:
    return sorted((entry for entry in report.verdicts if entry.outcome == "inconclusive"), key=gravity)


def _all(report: Report) -> list[VerdictEntry]:
    """What could have differed, the worst first: identical rows would only say so again and again."""
    rows = (entry for entry in report.verdicts if entry.outcome != "identical")
    return sorted(rows, key=lambda entry: OUTCOMES.index(entry.outcome))


def _doubted(report: Report) -> list[VerdictEntry]:
    return [entry for entry in _all(report) if entry.warnings]


def _unmatched(report: Report) -> list[_Group]:
    groups: dict[tuple[Outcome, str], list[VerdictEntry]] = {}
    for entry in report.verdicts:
        if entry.outcome in _UNMATCHED:
            groups.setdefault((entry.outcome, entry.benchmark), []).append(entry)
    return [
        _Group(outcome=outcome, benchmark=benchmark, rules=len(entries), reason=entries[0].reason)
        for (outcome, benchmark), entries in groups.items()
    ]


def _distributions(report: Report) -> list[_Distribution]:
    """Pictures of the rows that a person looks at; charts, which take a moment to be drawn, of the worst alone.

    Rows about the same events have the same quantiles, and share the chart of the first.
    """
    rows = [row for row in (*_problems(report), *_inconclusive(report)) if row.runs or row.quantiles]
    events = [(row.benchmark, row.quantiles) for row in rows[:FIRST_ROWS]]
    charted = sorted({events.index(one) for one in events})[:_CHARTS]  # the first row about each
    return [
        _Distribution(
            entry=row,
            strip=pictures.strip(row),
            chart=pictures.chart(row) if place in charted else "",
        )
        for place, row in enumerate(rows[:FIRST_ROWS])
    ]


def _artifacts(report: Report) -> list[_Kept]:
    """What was kept of each benchmark, in the order of the problems."""
    traces: dict[str, list[KeptTrace]] = {}
    for trace in report.traces:
        traces.setdefault(trace.benchmark, []).append(trace)
    commands = {why.benchmark: why.commands for why in _why(report) if why.commands}
    return [
        _Kept(benchmark=name, traces=tuple(traces.get(name, ())), commands=commands.get(name, ()))
        for name in dict.fromkeys((*commands, *traces))
    ]


_SECTIONS = (
    _Section(name="doubts", urgency=0, rows=lambda report: report.warnings[1:]),
    _Section(name="problems", urgency=1, rows=_problems, at_most=FIRST_ROWS),
    _Section(name="why", urgency=2, rows=_why, at_most=FIRST_ROWS),
    _Section(name="inconclusive", urgency=3, rows=_inconclusive, at_most=FIRST_ROWS),
    _Section(name="notes", urgency=4, rows=lambda report: report.notes, at_most=FIRST_ROWS),
    _Section(name="failures", urgency=5, rows=lambda report: report.failures),
    _Section(name="improved", urgency=10, rows=improvements),
    _Section(name="all", urgency=11, rows=_all),
    _Section(name="metric_doubts", urgency=12, rows=_doubted),
    _Section(name="unmatched", urgency=9, rows=_unmatched),
    _Section(name="distributions", urgency=8, rows=_distributions),
    _Section(name="method", urgency=6, rows=lambda report: [report]),
    _Section(name="artifacts", urgency=7, rows=_artifacts, at_most=FIRST_ROWS),
)

#: No section at all: what the frame takes by itself.
_NOTHING = {section.name: _Part(text="", cut=False) for section in _SECTIONS}


@cache
def _macro(name: str) -> Callable[..., str]:
    macro: Callable[..., str] = getattr(environment().get_template("sections.md.j2").module, name)
    return macro


def _size(text: str) -> int:
    return len(text.encode("utf-8"))
