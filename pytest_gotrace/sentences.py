"""What a report says in words, once for the terminal and for Markdown.

Everything here is plain text; names inside sentences stand in `backticks`, and whoever shows a sentence makes
it harmless first (`escape.prose`, `escape.log_line`).
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from pytest_gotrace.errors import UsageError
from pytest_gotrace.escape import log_line, shorten
from pytest_gotrace.explanation import Interval, KeptTrace, StateShift, Why
from pytest_gotrace.limit import Limit, read_limit
from pytest_gotrace.report import (
    OUTCOMES,
    Failure,
    Interference,
    Outcome,
    Overhead,
    Report,
    VerdictEntry,
)
from pytest_gotrace.units import (
    format_differences,
    format_interval,
    format_pair,
    format_quantity,
    rounded_up,
)

#: A doubt longer than this is cut where it stands beside the verdict.
_DOUBT_CHARACTERS = 300
_COMMAND_CHARACTERS = 2_000
#: A line of this state counts goroutines, and no time.
_LEAK = "goroutine-leak"
_TAIL_CHARACTERS = 4_000

#: What the events of a metric are called; a project's own are `events`.
_EVENTS: dict[str, str] = {
    "region": "regions",
    "task": "tasks",
    "exec": "stretches of running",
    "sched-wait": "waits for a processor",
    "sync-block": "waits",
    "net-wait": "waits for the network",
    "sleep": "sleeps",
    "syscall": "system calls",
    "gc-pause": "pauses",
    "mark-assist": "assists",
    "sweep": "sweeps",
}
#: What the number of a statistic is of.
_PER = {"count": " per run", "total": " per operation"}
#: Ratios this near to 1 are called about the same, and from twofold on they are told as such.
_ALIKE, _TIMES = 1.1, 2.0

#: A budget smaller or larger than these is no advice.
_SMALLEST, _LARGEST = 1e-9, 1e15

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
    measured = f"{report.measured} of {report.expected} benchmarks measured"
    return f"{judged}: {measured if report.expected else 'nothing had to be measured'}{_caveat(report)}"


def outcome_text(entry: VerdictEntry) -> str:
    """How a row's outcome is called; what is only required to be there has no budget to be within."""
    required = entry.outcome == "within" and not entry.budget
    return "as required" if required else CALLED[entry.outcome]


def pairs_text(report: Report) -> str:
    """`16 pairs over 2 benchmarks`: all pairs of the run, while a row has those of its benchmark."""
    pairs = f"{report.method.pairs_run} pair{'' if report.method.pairs_run == 1 else 's'}"
    return f"{pairs} over {report.measured} benchmarks" if report.measured > 1 else pairs


def headline(entry: VerdictEntry) -> str:
    """An item that did not pass, on one line safe to log: `412 µs → 689 µs, +67 % [+41 %, +98 %], budget +10%`."""
    if entry.base is None and entry.head is None:
        return log_line(entry.reason or outcome_text(entry))
    budget = f", budget {entry.budget}" if entry.budget else ""
    return log_line(f"{found_text(entry)}{budget}")


def failure_text(
    entry: VerdictEntry,
    why: Why | None = None,
    *,
    reproduce: str = "",
    directory: str = "",
    told: str = "",
) -> str:
    """What an item that did not pass says: expected, found, evidence, why, what to do; each line has a label.

    What failed to be measured has nothing that was found, and says first how it failed. Every line is safe to log.
    `directory` is the report's, in which the commands of the why work. `told` is another metric of the benchmark with
    which why and command are told already.
    """
    failed = entry.outcome == "failed"
    said = (
        ("", headline(entry) if failed else ""),
        ("expected", expected_text(entry)),
        ("found", "" if failed else found_text(entry)),
        ("made of", events_text(entry)),
        ("evidence", evidence_text(entry)),
        ("because", "" if failed else entry.reason),
        ("needs", needed_text(entry) if entry.outcome == "inconclusive" else ""),
        ("waived", waived_text(entry)),
        *(("note", warning) for warning in entry.warnings),
        *(_why_text(entry, why, reproduce, directory) if why and not told else ()),
        *_elsewhere(why, told),
        ("reproduce", "" if told else reproduce),
    )
    return "\n".join(f"{label + ':':<10} {log_line(text)}" if label else text for label, text in said if text)


def _why_text(entry: VerdictEntry, why: Why, reproduce: str, directory: str) -> Iterator[tuple[str, str]]:
    yield "why", why.sentence
    yield "note", means_text(entry, why)
    yield "means", why.diagnosis
    yield "try", why.advice
    commands = [command for command in why.commands if command != reproduce]
    yield from (("see", _there(command, directory)) for command in commands)


def _there(command: str, directory: str) -> str:
    """The command as it works from here, and as often as one likes: only a shell of its own changes the directory."""
    return f"(cd {shlex.quote(directory)} && {command})" if directory else command


def _elsewhere(why: Why | None, told: str) -> Iterator[tuple[str, str]]:
    if told and why and why.sentence:
        yield "why", f"told with `{told}` of this benchmark, and how to reproduce it"
    elif told:
        yield "reproduce", f"as for `{told}` of this benchmark"


def means_text(entry: VerdictEntry, why: Why) -> str:
    """Why the why has other numbers than the verdict of the same total; "" where it has none of it."""
    same = any(entry.metric == f"{shift.state}.total" for shift in why.states)
    return "the why has means over all traced runs; what was found is the typical run" if same else ""


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
    return ", ".join(part for part in parts if part) or outcome_text(entry)


def sides_text(entry: VerdictEntry) -> tuple[str, str]:
    """Base and head in one unit; "" for a side that has no number."""
    if entry.base and entry.head:
        return format_pair(entry.base.center, entry.head.center, entry.unit)
    base, head = (
        format_quantity(side.center, entry.unit) if side else "" for side in (entry.base, entry.head)
    )
    return base, head


def change_text(entry: VerdictEntry) -> str:
    """`+67 % [+41 %, +98 %]`; `+3 [+2.9, +3.1] per run` where the budget is no ratio or there is none; or ""."""
    center, low, high = change_parts(entry)
    return (f"{center} [{low}, {high}]" if low != high else center) + per_text(entry)


def per_text(entry: VerdictEntry) -> str:
    """What a difference is of: ` per run` for a count, ` per operation` for a total; "" for all else and for ratios."""
    if _as_ratio(entry) or entry.difference is None:
        return ""
    return _PER.get(entry.metric.rpartition(".")[2], "")


def _as_ratio(entry: VerdictEntry) -> bool:
    """Whether a change is told as a ratio: not if only an amount is budgeted, for that is what it is compared with."""
    limit = _limit(entry)
    in_amounts = limit is not None and limit.relative is None and limit.absolute is not None
    return entry.change is not None and not (in_amounts and entry.difference)


def change_parts(entry: VerdictEntry) -> tuple[str, str, str]:
    """The three numbers of `change_text`, each as text."""
    if entry.change and _as_ratio(entry):
        return format_interval(*_values(entry.change))
    if entry.difference:
        center, low, high = format_differences(_values(entry.difference), entry.unit)
        return center, low, high
    return "", "", ""


def evidence_text(entry: VerdictEntry) -> str:
    """`10 pairs, p 0.0008 adjusted`."""
    parts = [f"{entry.pairs} pairs" if entry.pairs else "", _p_text(entry.p)]
    return ", ".join(part for part in parts if part)


def events_text(entry: VerdictEntry) -> str:
    """Of a `.total`: `14 times as many waits per operation (0.5 → 7), each about as long (12 µs → 12.3 µs)`; or ""."""
    found = entry.events
    if found is None or min(found.base_number, found.head_number) <= 0:
        return ""
    called = _EVENTS.get(entry.metric.split("[")[0].split(".")[0], "events")
    numbers = format_pair(found.base_number, found.head_number, "1")
    lengths = format_pair(found.base_length, found.head_length, entry.unit)
    return (
        f"{_compared(found.more, 'as many', 'more', 'fewer')} {called} per operation ({' → '.join(numbers)}), "
        f"each {_compared(found.longer, 'as long', 'longer', 'shorter')} ({' → '.join(lengths)})"
    )


def _compared(ratio: float, alike: str, above: str, below: str) -> str:
    """`about as many`, `30 % more`, `14 times as many` or `40 % fewer`."""
    if 1 / _ALIKE <= ratio <= _ALIKE:
        return f"about {alike}"
    if ratio >= _TIMES:
        return f"{format_quantity(float(f'{ratio:.2g}'), '1')} times {alike}"
    return f"{100 * abs(ratio - 1):.0f} % {above if ratio > 1 else below}"


def needed_text(entry: VerdictEntry) -> str:
    """What would settle an inconclusive verdict: `about 24 pairs would tell (12 to 40)`, or a larger budget; or ""."""
    if entry.pairs_needed:
        low, likely, high = entry.pairs_needed
        return f"about {likely} pairs would tell ({low} to {high})"
    if entry.advisable is None:
        return ""
    raised = _raised(entry, entry.advisable)
    to = f" to `{raised}`" if raised else ""
    return f"no reasonable number of pairs would tell: raise the budget{to} or make the benchmark run longer"


def _raised(entry: VerdictEntry, share: float) -> str:
    """The row's budget, as large as that share of the base; "" where there is no such budget."""
    limit = _limit(entry)
    if limit is None:
        return ""
    relative = limit.relative is not None
    size = share if relative else share * abs(entry.base.center) if entry.base else 0.0
    if not _SMALLEST < size < _LARGEST or (limit.better == "higher" and share >= 1):
        return ""
    raised = rounded_up(size)
    return str(replace(limit, relative=raised) if relative else replace(limit, absolute=raised))


def _limit(entry: VerdictEntry) -> Limit | None:
    """What the row's budget says; None where it has none, or one that we did not write."""
    try:
        return read_limit(entry.budget, entry.unit) if entry.budget else None
    except UsageError:
        return None


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
    if trace.by and trace.unit and trace.value is not None:
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
    rows = sorted(report.verdicts, key=lambda row: (OUTCOMES.index(row.outcome), not row.budget))
    counts = Counter(map(outcome_text, rows))
    waived = Counter(outcome_text(row) for row in rows if row.waived)
    for called, count in counts.items():
        yield f"{count} {called}" + (f" ({waived[called]} waived)" if waived[called] else "")


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
