"""What a report says in words, once for the terminal and for Markdown.

Everything here is plain text; names inside sentences stand in `backticks`, and whoever shows a sentence makes
it harmless first (`escape.prose`, `escape.log_line`).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from pytest_gotrace.escape import log_line, shorten
from pytest_gotrace.explanation import Interval, KeptTrace, StateShift, Why
from pytest_gotrace.report import (
    Failure,
    Interference,
    Outcome,
    Overhead,
    Report,
    VerdictEntry,
)
from pytest_gotrace.units import format_change, format_pair, format_quantity

#: A doubt longer than this is cut where it stands beside the verdict.
_DOUBT_CHARACTERS = 300
_COMMAND_CHARACTERS = 2_000
#: A line of this state counts goroutines, and no time.
_LEAK = "goroutine-leak"
_TAIL_CHARACTERS = 4_000

#: How each outcome is called in a sentence, after its number.
CALLED: dict[Outcome, str] = {
    "over": "over budget",
    "failed": "failed",
    "missing": "missing",
    "inconclusive": "inconclusive",
    "new": "new",
    "within": "within",
    "identical": "identical",
}


def verdict_sentence(report: Report) -> str:
    """`2 over budget, 41 within: 12 of 12 benchmarks measured`, and the gravest doubt if there is one."""
    judged = ", ".join(_counted(report)) or "nothing judged"
    return f"{judged}: {report.measured} of {report.expected} benchmarks measured{_caveat(report)}"


def headline(entry: VerdictEntry) -> str:
    """An item that did not pass, on one line safe to log: `412 µs → 689 µs, +67 % [+41 %, +98 %], budget +10%`."""
    if entry.base is None and entry.head is None:
        return log_line(entry.reason or CALLED[entry.outcome])
    budget = f", budget {entry.budget}" if entry.budget else ""
    return log_line(f"{found_text(entry)}{budget}")


def failure_text(
    entry: VerdictEntry, why: Why | None = None, *, reproduce: str = "", directory: str = ""
) -> str:
    """What an item that did not pass says: expected, found, evidence, why, what to do; each line has a label.

    What failed to be measured has nothing that was found, and says first how it failed. Every line is safe to log.
    `directory` is the report's, in which the commands of the why work.
    """
    failed = entry.outcome == "failed"
    said = (
        ("", headline(entry) if failed else ""),
        ("expected", expected_text(entry)),
        ("found", "" if failed else found_text(entry)),
        ("evidence", evidence_text(entry)),
        ("because", "" if failed else entry.reason),
        ("needs", needed_text(entry) if entry.outcome == "inconclusive" else ""),
        ("waived", waived_text(entry)),
        *(("note", warning) for warning in entry.warnings),
        *(_why_text(why, reproduce, directory) if why else ()),
        ("reproduce", reproduce),
    )
    return "\n".join(f"{label + ':':<10} {log_line(text)}" if label else text for label, text in said if text)


def _why_text(why: Why, reproduce: str, directory: str) -> Iterator[tuple[str, str]]:
    yield "why", why.sentence
    yield "means", why.diagnosis
    yield "try", why.advice
    where = f"cd {shlex.quote(directory)} && " if directory else ""
    yield from (("see", f"{where}{command}") for command in why.commands if command != reproduce)


def expected_text(entry: VerdictEntry) -> str:
    """`BenchmarkX region[db].p99 within +10% and 20us (gotrace.yaml:7)`."""
    allowed = f"within {entry.budget}" if entry.budget else "to be measured"
    place = f" ({place_text(entry)})" if entry.budget_file else ""
    return f"{entry.benchmark} {entry.metric} {allowed}{place}"


def place_text(entry: VerdictEntry) -> str:
    """The budget's file and line, in the form that editors open."""
    return f"{entry.budget_file}:{entry.line}" if entry.line else entry.budget_file


def found_text(entry: VerdictEntry) -> str:
    """`412 µs → 689 µs, +67 % [+41 %, +98 %]`; the outcome where there are no numbers."""
    parts = [" → ".join(filter(None, sides_text(entry))), change_text(entry)]
    return ", ".join(part for part in parts if part) or CALLED[entry.outcome]


def sides_text(entry: VerdictEntry) -> tuple[str, str]:
    """Base and head in one unit; "" for a side that has no number."""
    if entry.base and entry.head:
        return format_pair(entry.base.center, entry.head.center, entry.unit)
    base, head = (
        format_quantity(side.center, entry.unit) if side else "" for side in (entry.base, entry.head)
    )
    return base, head


def change_text(entry: VerdictEntry) -> str:
    """`+67 % [+41 %, +98 %]`; the difference where there is no ratio, as with a base of 0; or ""."""
    center, low, high = change_parts(entry)
    interval = entry.change or entry.difference
    return f"{center} [{low}, {high}]" if interval and interval.low < interval.high else center


def change_parts(entry: VerdictEntry) -> tuple[str, str, str]:
    """The three numbers of `change_text`, each as text."""
    if entry.change:
        center, low, high = (format_change(value) for value in _values(entry.change))
        return center, low, high
    if entry.difference:
        center, low, high = (_signed(value, entry.unit) for value in _values(entry.difference))
        return center, low, high
    return "", "", ""


def evidence_text(entry: VerdictEntry) -> str:
    """`10 pairs, p 0.0008 adjusted`."""
    parts = [f"{entry.pairs} pairs" if entry.pairs else "", _p_text(entry.p)]
    return ", ".join(part for part in parts if part)


def needed_text(entry: VerdictEntry) -> str:
    """What would settle an inconclusive verdict: `about 24 pairs (12 to 40)`, and what could be seen."""
    parts = []
    if entry.pairs_needed:
        low, likely, high = entry.pairs_needed
        parts.append(f"about {likely} pairs ({low} to {high})")
    if entry.detectable is not None:
        parts.append(f"{entry.pairs} pairs can show {format_change(entry.detectable)} or more")
    return "; ".join(parts)


def cause_text(why: Why | None) -> str:
    """The first state of the why, its cause, and by how much: ``"`sched-wait` +312 µs/op"``; of a leak, goroutines."""
    if why and why.lines and why.lines[0].state == _LEAK:
        return f"+{why.lines[0].head - why.lines[0].base:.3g} goroutines/op"
    shift = why.states[0] if why and why.states else None
    if shift is None or _grown(shift) <= 0:
        return ""
    return f"`{shift.state}` {_signed(_grown(shift), 'ns')}/op"


def states_text(why: Why, shown: int = 4) -> Iterator[tuple[str, str, str]]:
    """State, base and head of the states that explain, the cause first, beyond their noise if any is; per operation."""
    moved = [shift for shift in why.states if shift.steady] or why.states
    for shift in moved[:shown]:
        yield (shift.state, *format_pair(shift.base, shift.head, "ns"))


def trace_text(trace: KeptTrace) -> str:
    """``the worst of 6 runs of head by `ns/op`: 1.9 ms; its longest `sleep` at `a.go:41` took 731 µs, …``."""
    said = f"the {trace.which} " + (
        f"of {trace.runs} runs of {trace.side}" if trace.runs else f"run of {trace.side}"
    )
    if trace.by and trace.value is not None:
        said += f" by `{trace.by}`: {format_quantity(trace.value, trace.unit)}"
    if trace.series and trace.duration >= 0:
        said += f"; its longest `{trace.series}`" + (f" at `{trace.at}`" if trace.at else "")
        said += f" took {format_quantity(trace.duration, 'ns')}"
        said += f", on goroutine {trace.goroutine}" if trace.goroutine >= 0 else ""
        said += f" from {trace.begin / 1e6:.3f} ms on" if trace.begin >= 0 else ""
    return said


def output_text(failure: Failure) -> str:
    """The command, and the end of what it printed from the start of a line on; lines as they are."""
    tail = failure.tail
    if len(tail) > _TAIL_CHARACTERS:
        tail = "…\n" + tail[-_TAIL_CHARACTERS:].partition("\n")[2]
    command = command_text(shlex.join(failure.command))
    return f"$ {command}\n{tail}" if command else tail


def command_text(command: str) -> str:
    """A command of a length that somebody may want to paste."""
    return shorten(command, _COMMAND_CHARACTERS)


def interference_text(found: Interference) -> str:
    """`2 pairs were measured again and 1 disturbed pair was kept: steal 2, spin 1`; "" where nothing disturbed."""
    if not (found.repeated or found.kept):
        return ""
    parts = [
        f"{_were(found.repeated, 'pair')} measured again" if found.repeated else "",
        f"{_were(found.kept, 'disturbed pair')} kept" if found.kept else "",
    ]
    reasons = ", ".join(f"{source} {count}" for source, count in sorted(found.reasons.items()))
    return f"others disturbed the machine: {' and '.join(filter(None, parts))} ({reasons})"


def _were(count: int, thing: str) -> str:
    return f"{count} {thing} was" if count == 1 else f"{count} {thing}s were"


def overhead_text(price: Overhead) -> str:
    """`×1.40 on the base, ×1.42 on the head`: time of an operation with the tracer against that without."""
    sides = (("base", price.base), ("head", price.head))
    return ", ".join(f"×{ratio:.2f} on the {side}" for side, ratio in sides if ratio is not None)


def _counted(report: Report) -> Iterator[str]:
    for outcome, count in report.counts.items():
        if count:
            waived = sum(1 for v in report.verdicts if v.outcome == outcome and v.waived)
            yield f"{count} {CALLED[outcome]}" + (f" ({waived} waived)" if waived else "")


def _caveat(report: Report) -> str:
    if not report.warnings:
        return ""
    gravest, *others = report.warnings
    more = f" (and {len(others)} more)" if others else ""
    return f"; caution: {log_line(shorten(gravest, _DOUBT_CHARACTERS))}{more}"


def waived_text(entry: VerdictEntry) -> str:
    if entry.waived is None:
        return ""
    return entry.waived.reason + (f" (until {entry.waived.until})" if entry.waived.until else "")


def _values(interval: Interval) -> tuple[float, float, float]:
    return interval.center, interval.low, interval.high


def _signed(value: float, unit: str) -> str:
    return ("+" if value > 0 else "") + format_quantity(value, unit)


def _p_text(p: float | None) -> str:
    if p is None:
        return ""
    return "p below 0.0001 adjusted" if p < 0.0001 else f"p {p:.2g} adjusted"


def _grown(shift: StateShift) -> float:
    return shift.head - shift.base
