"""A report and a template make a text that fits where it goes.

The layout is in `templates/`; here is what goes into it, and how much of it. Nothing from outside reaches the
text unescaped, even if a template forgets: whatever it prints that no filter made safe becomes a code span.

1. The frame (verdict, context, how to reproduce) is rendered first; what it leaves of the limit is room.
2. Each section takes rows while there is room, the sections that matter most first.
3. The frame is rendered again around them, in reading order.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from pytest_gotrace import escape, sentences
from pytest_gotrace.errors import ExitCode
from pytest_gotrace.explanation import Why
from pytest_gotrace.report import (
    OUTCOMES,
    Failure,
    Outcome,
    Report,
    VerdictEntry,
    betterment,
    exit_code,
    improvements,
)
from pytest_gotrace.units import format_duration, percent_text

#: A comment on GitHub holds 65,536 characters. Bytes are what we count: they are never fewer than characters.
COMMENT_BYTES = 60_000

#: Rows of each list that is not folded away.
FIRST_ROWS = 15

_COMMAND_CHARACTERS = 2_000
_TAIL_CHARACTERS = 4_000

_FINE: tuple[Outcome, ...] = ("new", "within", "identical")
_PROBLEMS: tuple[Outcome, ...] = ("over", "failed", "missing")
_UNMATCHED: tuple[Outcome, ...] = ("new", "missing", "identical")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The rules of one benchmark that share an outcome."""

    outcome: Outcome
    benchmark: str
    rules: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A part of the summary that may be cut: three macros of `sections.md.j2`, and the rows between them.

    `urgency`: the lowest takes its room first. `at_most`: the most rows shown, whatever room there is.
    """

    name: str
    urgency: int
    rows: Callable[[Report], Sequence[object]]
    at_most: int | None = None


def render_summary(report: Report, *, limit: int = COMMENT_BYTES) -> str:
    """The report as GitHub-flavoured Markdown of at most `limit` UTF-8 bytes, so at most as many characters.

    Only whole rows and sections are left out, and the text says so. Raises `ValueError` if not even the
    verdict and the command to reproduce it fit; `COMMENT_BYTES` are always enough for them.
    """
    room = limit - _size(_frame(report, (), cut=True))
    if room < 0:
        raise ValueError(f"the verdict alone takes {limit - room} bytes, found a limit of {limit}")
    why = {reason.benchmark: reason for reason in report.why}
    parts: dict[str, _Part] = {}
    for section in sorted(_SECTIONS, key=lambda section: section.urgency):
        parts[section.name] = part = _fill(section, section.rows(report), why, room)
        room -= _size(part.text)
    ordered = [parts[section.name] for section in _SECTIONS]
    return _frame(report, [part.text for part in ordered if part.text], cut=any(part.cut for part in ordered))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A rendered section; `cut` if rows are missing for want of room."""

    text: str
    cut: bool


def _fill(section: _Section, rows: Sequence[object], why: Mapping[str, Why], room: int) -> _Part:
    """As many rows of the section as fit into `room` bytes, each rendered only when its turn comes."""
    head, row, tail = (_macro(f"{section.name}_{part}") for part in ("head", "row", "tail"))
    room -= _size(head(len(rows))) + _size(tail(len(rows)))
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
    text = "".join([head(len(rows)), *taken, tail(len(rows) - len(taken))])
    return _Part(text=text, cut=len(taken) < len(wanted))


def _frame(report: Report, sections: Iterable[str], *, cut: bool) -> str:
    return (
        _environment()
        .get_template("summary.md.j2")
        .render(
            report=report,
            verdict=sentences.verdict_sentence(report),
            mood=_mood(report),
            reproduce=escape.shorten(report.reproduce, _COMMAND_CHARACTERS),
            sections=[Markup(section) for section in sections],
            cut=cut,
        )
    )


def _mood(report: Report) -> str:
    """`bad` if it keeps the change from passing, `doubtful` if a person should look, else `good`."""
    if exit_code(report) in (ExitCode.OVER_BUDGET, ExitCode.MEASUREMENT_FAILED):
        return "bad"
    fine = report.worst in _FINE and not report.warnings and report.measured == report.expected
    return "good" if fine else "doubtful"


def _problems(report: Report) -> list[VerdictEntry]:
    return sorted((entry for entry in report.verdicts if entry.outcome in _PROBLEMS), key=_gravity)


def _why(report: Report) -> list[Why]:
    """What is known about the problems, in their order."""
    order = {entry.benchmark: -place for place, entry in enumerate(reversed(_problems(report)))}
    return sorted((why for why in report.why if why.sentence), key=lambda why: order.get(why.benchmark, 1))


def _inconclusive(report: Report) -> list[VerdictEntry]:
    return sorted((entry for entry in report.verdicts if entry.outcome == "inconclusive"), key=_gravity)


def _gravity(entry: VerdictEntry) -> tuple[bool, int, float]:
    """What blocks before what only warns, then the worse outcome, then the larger change for the worse."""
    mild = entry.level == "warn" or entry.waived is not None
    return mild, OUTCOMES.index(entry.outcome), betterment(entry)


def _all(report: Report) -> list[VerdictEntry]:
    return sorted(report.verdicts, key=lambda entry: OUTCOMES.index(entry.outcome))


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


def _output(failure: Failure) -> str:
    """The command, and the end of what it printed from the start of a line on."""
    tail = failure.tail
    if len(tail) > _TAIL_CHARACTERS:
        tail = "…\n" + tail[-_TAIL_CHARACTERS:].partition("\n")[2]
    command = escape.shorten(shlex.join(failure.command), _COMMAND_CHARACTERS)
    return f"$ {command}\n{tail}" if command else tail


#: In reading order.
_SECTIONS = (
    _Section(name="doubts", urgency=0, rows=lambda report: report.warnings[1:]),
    _Section(name="notes", urgency=1, rows=lambda report: report.notes, at_most=FIRST_ROWS),
    _Section(name="problems", urgency=1, rows=_problems, at_most=FIRST_ROWS),
    _Section(name="why", urgency=2, rows=_why, at_most=FIRST_ROWS),
    _Section(name="inconclusive", urgency=3, rows=_inconclusive, at_most=FIRST_ROWS),
    _Section(name="improved", urgency=7, rows=improvements),
    _Section(name="all", urgency=8, rows=_all),
    _Section(name="metric_doubts", urgency=9, rows=_doubted),
    _Section(name="unmatched", urgency=6, rows=_unmatched),
    _Section(name="failures", urgency=4, rows=lambda report: report.failures),
    _Section(name="method", urgency=5, rows=lambda report: [report]),
)


@cache
def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=jinja2.PackageLoader("pytest_gotrace_templates", ""),
        undefined=jinja2.StrictUndefined,
        # Together these make forgetting safe: `finalize` sees whatever no filter has marked as Markdown.
        autoescape=True,
        finalize=_only_markdown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "code": lambda value: Markup(escape.code(str(value))),
        "cell": lambda value: Markup(escape.code(str(value), table=True)),
        "prose": lambda value: Markup(escape.prose(value)),
        "cell_prose": lambda value: Markup(escape.prose(value, table=True)),
        "fenced": lambda value: Markup(escape.fenced(value)),
    }
    environment.globals |= {
        "called": sentences.CALLED,
        "duration": format_duration,
        "output": _output,
        "percent": percent_text,
        **{name: getattr(sentences, name) for name in _SPOKEN},
    }
    return environment


#: What templates may say with the words of `sentences`.
_SPOKEN = (
    "cause_text",
    "change_parts",
    "evidence_text",
    "interference_text",
    "needed_text",
    "overhead_text",
    "place_text",
    "sides_text",
    "states_text",
    "waived_text",
)


@cache
def _macro(name: str) -> Callable[..., str]:
    macro: Callable[..., str] = getattr(_environment().get_template("sections.md.j2").module, name)
    return macro


def _only_markdown(value: object) -> Markup:
    if isinstance(value, Markup):
        return value
    return Markup(value) if isinstance(value, int) else Markup(escape.code(str(value), table=True))


def _size(text: str) -> int:
    return len(text.encode("utf-8"))
