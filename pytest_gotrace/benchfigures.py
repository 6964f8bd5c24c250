"""The pictures of one benchmark: where its time went, at which stacks, and its heap; as data, like `figures`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pytest_gotrace.explanation import Breakdown, StackShift, StateShift, Timeline, Why
from pytest_gotrace.figures import Figure, label, number, signed
from pytest_gotrace.report import Report
from pytest_gotrace.units import format_pair, format_quantity, scale_for

#: States of less than this share of both sides are drawn as one.
_LEAST_SHARE = 0.004
_PICOSECONDS = 1000  # in a nanosecond

_OTHERS = "others"

#: The colour of a state, by the word before its bracket; what is not here is `--state-other`.
_STATES = {
    name: f"--state-{name}"
    for name in ("exec", "sched-wait", "sync-block", "net-wait", "syscall", "mark-assist", "gc-pause")
}

#: Boxes of less than this share of the width are not drawn: nobody sees them, and deep calls of theirs take room.
_LEAST_WIDTH = 0.005
_ROW_HEIGHT = 26
_MOST_HEIGHT = 640


def benchmark_figures(report: Report) -> dict[str, list[Figure]]:
    """By the name of the benchmark: its states, the stacks behind them, and its heap over time."""
    found: dict[str, list[Figure]] = {}
    for breakdown in report.breakdowns:
        if breakdown.states:
            found.setdefault(breakdown.benchmark, []).append(states_figure(breakdown))
    for why in report.why:
        if any(stack.base != stack.head for stack in why.stacks):
            found.setdefault(why.benchmark, []).append(stacks_figure(why))
    for (benchmark, which), timelines in _by_run(report.timelines).items():
        found.setdefault(benchmark, []).append(heap_figure(which, timelines))
    return found


def states_figure(breakdown: Breakdown) -> Figure:
    """Time per operation by state: one bar a side, the states stacked in the order of the catalogue."""
    totals = [sum(getattr(shift, side) for shift in breakdown.states) for side in ("base", "head")]
    divisor, symbol = scale_for(totals, "ns")
    base, head = format_pair(totals[0], totals[1], "ns")
    return Figure(
        kind="states",
        title="Where goroutines spent their time",
        text=f"Per operation all goroutines together spent {base} on the base and {head} on the head.",
        traces=list(_bars(_gathered(breakdown.states), divisor, symbol)),
        head=("state", "base", "head", "difference"),
        rows=[(shift.state, *_pair(shift)) for shift in breakdown.states],
        layout={"xaxis": {"ticksuffix": f" {symbol}"}, "height": 180 + 12 * len(breakdown.states)},
    )


def stacks_figure(why: Why) -> Figure:
    """How waiting moved, by stack, as an icicle: callers above, a box as wide as the differences below it."""
    tree = _Tree()
    for stack in why.stacks:
        tree.add((stack.state, *stack.frames), stack.head - stack.base)
    grown = sum(stack.head - stack.base for stack in why.stacks)
    return Figure(
        kind="stacks",
        title="Difference by stack",
        text=f"{len(why.stacks)} stacks, together {signed(grown, 'ns')} per operation. A box is as wide as the changes "
        "below it: orange where time grew, blue where it shrank.",
        traces=[tree.trace()],
        head=("state", "stack, outermost call first", "base", "head", "difference"),
        rows=[(stack.state, ", ".join(stack.frames), *_pair(stack)) for stack in why.stacks],
        layout={"height": min(_ROW_HEIGHT * tree.depth, _MOST_HEIGHT)},
    )


def heap_figure(which: str, timelines: Sequence[Timeline]) -> Figure:
    """Heap and its goal over time, and when the garbage collector ran, of one kept run of each side."""
    divisor, symbol = scale_for((size for line in timelines for size in (*line.heap, *line.goal)), "B")
    traces = [trace for line in timelines for trace in _heap_traces(line, divisor, symbol)]
    return Figure(
        kind="heap",
        title=f"Heap and garbage collection, {which} run",
        text=" ".join(_heap_text(line) for line in timelines),
        traces=traces,
        head=("side", "collections", "time in them", "largest heap", "largest goal"),
        rows=[tuple(_heap_row(line)) for line in timelines],
        layout={"yaxis": {"ticksuffix": f" {symbol}"}},
    )


class _Tree:
    """Calls by the way that leads to them; each box is as wide as the boxes below it together.

    Exactly so, or plotly draws nothing at all: widths are whole picoseconds, which add up as fractions do not.
    """

    def __init__(self) -> None:
        self.widths: dict[tuple[str, ...], int] = {(): 0}
        self.changes: dict[tuple[str, ...], float] = {(): 0.0}

    def add(self, way: tuple[str, ...], change: float) -> None:
        """A stack whose waiting changed by this much; one that did not change has no box."""
        width = round(abs(change) * _PICOSECONDS)
        for length in range(len(way) + 1) if width else ():
            part = way[:length]
            self.widths[part] = self.widths.get(part, 0) + width
            self.changes[part] = self.changes.get(part, 0.0) + change

    @property
    def seen(self) -> list[tuple[str, ...]]:
        """The ways whose boxes are wide enough; the box above is never narrower, so none hangs in the air."""
        least = _LEAST_WIDTH * self.widths[()]
        return [way for way, width in self.widths.items() if width >= least]

    @property
    def depth(self) -> int:
        return max(map(len, self.seen)) + 1

    def trace(self) -> dict[str, Any]:
        """Plotly's icicle: every box by a number, with the number of the box above it."""
        numbers = {way: str(place) for place, way in enumerate(self.seen)}
        changes = [self.changes[way] for way in numbers]
        return {
            "type": "icicle",
            "ids": list(numbers.values()),
            "parents": [numbers[way[:-1]] if way else "" for way in numbers],
            "labels": [label(_called(way)) for way in numbers],
            "values": [self.widths[way] for way in numbers],
            "text": [signed(change, "ns") for change in changes],
            "customdata": [label(way[-1]) if way else "all stacks" for way in numbers],
            "branchvalues": "total",
            "sort": True,
            "tiling": {"orientation": "v", "pad": 1},
            "pathbar": {"visible": False},
            "leaf": {"opacity": 1},
            "marker": {
                "colors": [_shade(change) for change in changes],
                "line": {"color": "--paper", "width": 1},
            },
            "texttemplate": "%{label}  %{text}",
            "textposition": "middle left",
            "textfont": {"color": "--ink"},
            "hovertemplate": "%{customdata}<br>%{text} per operation<extra></extra>",
        }


def _called(way: tuple[str, ...]) -> str:
    """A frame `example.com/shop/pool.(*Pool).Submit pool/pool.go:41` is called `pool.(*Pool).Submit`."""
    if len(way) < 2:
        return way[0] if way else "all"
    return way[-1].rpartition(" ")[0].rpartition("/")[2] or way[-1]


def _shade(change: float) -> str:
    return "--grew" if change > 0 else "--shrank"


def _gathered(states: Sequence[StateShift]) -> Iterator[StateShift]:
    """The states that can be seen in a bar, and what is left of them as one."""
    least = _LEAST_SHARE * max(sum(s.base for s in states), sum(s.head for s in states))
    small = [shift for shift in states if max(shift.base, shift.head) < least]
    yield from (shift for shift in states if max(shift.base, shift.head) >= least)
    if small:
        yield StateShift(state=_OTHERS, base=sum(s.base for s in small), head=sum(s.head for s in small))


def _bars(states: Iterable[StateShift], divisor: int, symbol: str) -> Iterator[dict[str, Any]]:
    """One bar a state. Reasons to block share a colour, each paler than the one before."""
    seen = Counter[str]()
    for shift in states:
        family = shift.state.partition("[")[0]
        yield _bar(
            shift, _STATES.get(family, "--state-other"), max(0.65 ** seen[family], 0.25), divisor, symbol
        )
        seen[family] += 1


def _bar(shift: StateShift, colour: str, opacity: float, divisor: int, symbol: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": label(shift.state),
        "y": ["base", "head"],
        "x": [number(shift.base / divisor), number(shift.head / divisor)],
        # Of the trace and not of its marks, for only that is seen in the legend too.
        "opacity": opacity,
        "marker": {"color": colour, "line": {"color": "--paper", "width": 1}},
        "hovertemplate": f"%{{x:.4~g}} {symbol}",
    }


def _pair(shift: StateShift | StackShift) -> tuple[str, str, str]:
    return *format_pair(shift.base, shift.head, "ns"), signed(shift.head - shift.base, "ns")


def _by_run(timelines: Sequence[Timeline]) -> dict[tuple[str, str], list[Timeline]]:
    """Both sides of the same kind of run together, the base first."""
    runs: dict[tuple[str, str], list[Timeline]] = {}
    for line in sorted(timelines, key=lambda line: (line.which, line.side)):
        if line.times:
            runs.setdefault((line.benchmark, line.which), []).append(line)
    return runs


def _heap_traces(line: Timeline, divisor: int, symbol: str) -> Iterator[dict[str, Any]]:
    colour, times = f"--{line.side}", [number(time) for time in line.times]
    for name, sizes, dash in ((line.side, line.heap, "solid"), (f"goal of {line.side}", line.goal, "dot")):
        yield {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": times,
            "y": [number(size / divisor) for size in sizes],
            "line": {"color": colour, "width": 2 if dash == "solid" else 1, "dash": dash, "shape": "hv"},
            "hovertemplate": f"%{{y:.4~g}} {symbol}",
        }
    spans = list(zip(line.gc_begin, line.gc_end, strict=False))
    yield {
        "type": "scatter",
        "mode": "lines",
        "x": [x for begin, end in spans for x in (number(begin), number(end), None)],
        "y": [y for _ in spans for y in (line.side, line.side, None)],
        "yaxis": "y2",
        "line": {"color": colour, "width": 10},
        "hovertemplate": "collection, %{x} ms<extra></extra>",
        "showlegend": False,
    }


def _heap_text(line: Timeline) -> str:
    return (
        f"The {line.side} collected {len(line.gc_begin)} times in {format_quantity(line.times[-1] * 1e6, 'ns')}; "
        f"its heap was at most {format_quantity(max(line.heap, default=0.0), 'B')}."
    )


def _heap_row(line: Timeline) -> Iterator[str]:
    spent = sum(end - begin for begin, end in zip(line.gc_begin, line.gc_end, strict=False))
    yield line.side
    yield str(len(line.gc_begin))
    yield format_quantity(spent * 1e6, "ns")
    yield format_quantity(max(line.heap, default=0.0), "B")
    yield format_quantity(max(line.goal, default=0.0), "B")
