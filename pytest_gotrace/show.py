"""`gotrace show` and `gotrace diff`: what one trace says, or two side by side, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_gotrace.distributions import built_in_metrics, extract
from pytest_gotrace.errors import TraceError, UsageError
from pytest_gotrace.escape import log_line
from pytest_gotrace.metrics import STATISTICS, unit_of
from pytest_gotrace.rounds import whole_trace
from pytest_gotrace.trace import join, read_trace
from pytest_gotrace.units import format_change, format_quantity, parse_quantity, quoted
from pytest_gotrace.views import VIEWS, Column, Kind, Listing, Merge, Scope, Value, look, scope
from pytest_gotrace.views.difference import Delta, Difference, differences
from pytest_gotrace.views.pprof import profile
from pytest_gotrace.views.waits import PROFILES, samples

#: Rows of each table that people see if they do not say how many.
ROWS = 20
_LEAST_WIDTH = 120
_LEAST_TEXT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a trace, as on the command line; "" or None where nothing was said."""

    view: str | None = None
    top: int | None = None
    since: str | None = None
    until: str | None = None
    goroutine: str | None = None
    task: str | None = None
    log: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether a part of the trace is asked for."""
        return any(x is not None for x in (self.since, self.until, self.goroutine, self.task, self.log))

    @property
    def answered_by(self) -> str:
        """The view asked for, or the one that fits the other options. Raises `UsageError` if there is none such."""
        if self.view is not None:
            if self.view not in (*VIEWS, "all"):
                raise UsageError(f"no view {quoted(self.view)}: expected one of {', '.join(VIEWS)}, all")
            return self.view
        return "tasks" if self.task is not None or self.log is not None else "goroutines"


def table(path: str | Path, question: Question | None = None) -> Iterator[str]:
    """The lines of the tables for people; without a view or anything else asked, the series that budgets know.

    Raises `TraceError`, and `UsageError` where the question has no answer.
    """
    question = question or Question()
    view = question.answered_by
    looked = load(path, question)
    yield _headline(path, looked)
    if question.view is None and not question.narrowed:
        yield from _series(looked, question.top)
        return
    for shown in look(looked, view):
        yield from _listing(shown, question.top or ROWS)


def jsonl(path: str | Path, question: Question) -> Iterator[str]:
    """The rows as JSON objects, one a line, with the name of their listing under `view`; raises as `table`."""
    view = question.answered_by
    for shown in look(load(path, question), view):
        for row in shown.top(question.top).dicts():
            yield _json({"view": shown.name, **row})


def diff(base: str | Path, head: str | Path, question: Question) -> Iterator[str]:
    """The lines of the tables of what differs between two traces, largest first; raises as `table`."""
    both = load(base, question), load(head, question)
    for name, path, looked in zip(("base", "head"), (base, head), both, strict=True):
        yield f"{name} {_headline(path, looked)}"
    yield "One run each: what differs need not be a change of the code; `pytest --gotrace-baseline` measures that."
    for found in _differences(both, question):
        yield from _difference(found, question.top or ROWS)


def diff_jsonl(base: str | Path, head: str | Path, question: Question) -> Iterator[str]:
    """The same as JSON objects, one measure of one row a line; raises as `table`."""
    for found in _differences((load(base, question), load(head, question)), question):
        for delta in found.deltas[: question.top]:
            keys = {column.name: value for column, value in zip(found.keys, delta.row, strict=True)}
            numbers = {"base": delta.base, "head": delta.head, "delta": delta.delta}
            yield _json({"view": found.name, **keys, "measure": delta.measure.name, **numbers})


def write_pprof(path: str | Path, question: Question, into: str | Path) -> None:
    """Write the profile of the view asked for to the file `into`, for `go tool pprof`; raises as `table`."""
    view = question.view or "blocking"
    if view not in PROFILES:
        raise UsageError(
            f"no profile of {quoted(view)}: with --pprof, --view is one of {', '.join(PROFILES)}"
        )
    looked = load(path, question)
    content = profile(samples(looked, PROFILES[view]), looked.end - looked.begin)
    try:
        Path(into).write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {into}: {error.strerror}") from error


def load(path: str | Path, question: Question) -> Scope:
    """The trace, and which part of it the question is about."""
    whole = join(read_trace(path))
    since, until = (
        None if text is None else parse_quantity(text, "ns").value
        for text in (question.since, question.until)
    )
    try:
        size = Path(path).stat().st_size
    except OSError as error:
        raise TraceError(f"cannot be read: {error.strerror}", path) from error
    return scope(
        whole,
        since=since,
        until=until,
        goroutine=question.goroutine,
        task=question.task,
        log=question.log,
        size=size,
    )


def _json(row: dict[str, Value]) -> str:
    """ASCII on one line, in which a CI runner finds no command to it: GitHub's obeys `##[cmd]` anywhere."""
    return json.dumps(row, separators=(",", ":")).replace("##[", "#\\u0023[")


def _differences(both: tuple[Scope, Scope], question: Question) -> Iterator[Difference]:
    view = "all" if question.view is None else question.answered_by
    return differences(*(look(looked, view) for looked in both))


def _headline(path: str | Path, looked: Scope) -> str:
    whole = looked.table
    time = whole.end - whole.begin
    rate = f", {format_quantity(looked.size * 1e9 / time, 'B')}/s" if time else ""
    partial = ", damaged: what stands before the damage" if whole.partial else ""
    return log_line(
        f"{path}: {whole.wire}, {format_quantity(time, 'ns')}, {whole.events} events, "
        f"{format_quantity(looked.size, 'B')}{rate}{partial}"
    )


def _series(looked: Scope, top: int | None) -> Iterator[str]:
    """Every series that a budget may name, with its distribution; `total` is of the whole trace."""
    shown = Table("series", *STATISTICS, box=box.SIMPLE)
    for column in shown.columns[1:]:
        column.justify = "right"
    series = extract(whole_trace(looked.table), built_in_metrics())
    for key, distribution in islice(series.items(), top):
        numbers = (
            str(distribution.count)
            if name == "count"
            else format_quantity(distribution.statistic(name), unit_of(key))
            for name in STATISTICS
        )
        shown.add_row(Text(log_line(str(key))), *(Text(number) for number in numbers))
    yield from _printed(shown)
    yield f"more: gotrace show --view {'|'.join(VIEWS)}|all"


def _listing(shown: Listing, top: int) -> Iterator[str]:
    columns = [(i, column) for i, column in enumerate(shown.columns) if column.kind is not Kind.STACK]
    # A column without any value says nothing, and takes the room of those that do.
    columns = [(i, c) for i, c in columns if any(row[i] not in (None, "", 0) for row in shown.rows) or i == 0]
    rows = ([_cell(row[i], column) for i, column in columns] for row in shown.rows[:top])
    yield from _titled(shown.title, [column for _, column in columns], rows, len(shown.rows), top)


_SIDE = (Kind.TEXT, Merge.LEFT_OUT)
_SIDES = (
    Column("measure", *_SIDE),
    *(Column(n, Kind.COUNT, Merge.SUM) for n in ("base", "head", "delta", "change")),
)


def _difference(found: Difference, top: int) -> Iterator[str]:
    rows = (_delta_row(found, delta) for delta in found.deltas[:top])
    yield from _titled(found.title, (*found.keys, *_SIDES), rows, len(found.deltas), top)


def _delta_row(found: Difference, delta: Delta) -> list[str]:
    keys = [_cell(value, column) for value, column in zip(delta.row, found.keys, strict=True)]
    base, head = (_cell(value, delta.measure) for value in (delta.base, delta.head))
    sign = "+" if delta.delta > 0 else ""
    change = format_change(delta.delta / delta.base) if delta.base else "new" if delta.base is None else ""
    gone = delta.head is None
    return [
        *keys,
        delta.measure.name,
        base,
        head,
        sign + _cell(delta.delta, delta.measure),
        "gone" if gone else change,
    ]


def _titled(
    title: str, columns: Iterable[Column], rows: Iterable[list[str]], count: int, top: int
) -> Iterator[str]:
    yield log_line(title)
    if not count:
        yield "  nothing\n"
        return
    chosen, cells = list(columns), [[log_line(cell) for cell in row] for row in rows]
    yield from _printed(_fitted(chosen, cells))
    if count > top:
        yield f"… and {count - top} more {'row' if count - top == 1 else 'rows'}: --top {count}"
    yield ""


def _fitted(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> Table:
    """A table in which texts are cut where there is no room, and numbers never are."""
    shown = Table(box=box.SIMPLE, pad_edge=False)
    for i, column in enumerate(columns):
        text = column.kind in _TEXTS
        widest = max(len(row[i]) for row in cells)
        shown.add_column(
            column.name,
            justify="left" if text else "right",
            no_wrap=not text,
            overflow="ellipsis",
            min_width=min(widest, _LEAST_TEXT) if text else max(widest, len(column.name)),
        )
    for row in cells:
        shown.add_row(*map(Text, row))
    return shown


_TEXTS = (Kind.TEXT, Kind.FUNCTION, Kind.PLACE)


def _cell(value: Value, column: Column) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _NUMBERS[column.kind](value)
    return _WORDS.get(column.kind, str)(str(value)) or ("(none)" if column.merge is Merge.KEY else "")


_NUMBERS: dict[Kind, Callable[[float], str]] = {
    Kind.ID: lambda value: f"{value}",
    Kind.TEXT: lambda value: f"{value}",
    Kind.MOMENT: lambda value: format_quantity(value, "ns"),
    Kind.TIME: lambda value: format_quantity(value, "ns"),
    Kind.BYTES: lambda value: format_quantity(value, "B"),
    Kind.COUNT: lambda value: (f"{value}" if isinstance(value, int) else f"{value:.2f}").replace("-", "−"),
    Kind.SHARE: lambda value: f"{100 * value:.1f} %",
    Kind.RATE: lambda value: f"{format_quantity(value, 'B')}/s",
}

#: Names without the path of their package or directory: the last element tells a reader which it is.
_WORDS: dict[Kind, Callable[[str], str]] = {
    Kind.FUNCTION: lambda text: text.rsplit("/", 1)[-1],
    Kind.PLACE: lambda text: "/".join(text.rsplit("/", 2)[-2:]),
}


def _printed(shown: Table) -> Iterator[str]:
    text = StringIO()
    # Numbers are never cut: where they need more room than there is, the terminal breaks the line.
    least = sum((column.min_width or 0) + 3 for column in shown.columns)
    Console(file=text, width=max(_LEAST_WIDTH, least, Console().width)).print(shown)
    yield from (line.rstrip() for line in text.getvalue().splitlines() if line.strip())
