"""A larger report with everything that a page can draw, invented from a seed: tests, benchmarks and pictures of it."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import sample_reports as samples

from pytest_gotrace.explanation import Breakdown, Interval, KeptTrace, StateShift, Timeline
from pytest_gotrace.report import QuantileShift, Runs, VerdictEntry

#: Metrics, their unit, and about how much of it there is.
METRICS = (
    ("ns/op", "ns", 82e3),
    ("B/op", "B", 21e3),
    ("allocs/op", "1", 184.0),
    ("sched-wait.p99", "ns", 41e3),
    ("sync-block.total", "ns", 260e3),
    ("region[decode].p50", "ns", 9.1e3),
    ("region[store].p99", "ns", 640e3),
    ("mark-assist.total", "ns", 4.4e3),
    ("gc-pause.max", "ns", 190e3),
    ("goroutines", "1", 36.0),
)

_PACKAGES = ("cart", "search", "checkout", "stock", "mail", "price", "session", "image", "export", "audit")
_SIZES = ("small", "large", "parallel", "cold", "warm")
_DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
_STATES = ("exec", "sched-wait", "sync-block[chan send]", "sync-block[mutex]", "net-wait", "gc-pause")
_PAIRS = 20


def rich(benchmarks: int = 50, metrics: int = 10):
    """So many benchmarks, each with its runs, quantiles and states; one in ten is over a budget, and explained."""
    draw = random.Random(5)
    names = [_name(number) for number in range(benchmarks)]
    worse = set(names[3::10])
    rows = tuple(_entry(draw, name, number, name in worse) for name in names for number in range(metrics))
    return replace(
        samples.REGRESSION,
        verdicts=rows,
        expected=benchmarks,
        measured=benchmarks,
        method=replace(samples.REGRESSION.method, pairs_run=_PAIRS, elapsed_seconds=1_312.0),
        why=tuple(replace(samples.WHY, benchmark=name) for name in names if name in worse),
        breakdowns=tuple(_breakdown(draw, name, name in worse) for name in names),
        traces=tuple(replace(trace, benchmark=name) for name in sorted(worse) for trace in samples.TRACES),
        timelines=tuple(line for name in sorted(worse) for line in _timelines(draw, name)),
    )


def _name(number):
    package = _PACKAGES[number % len(_PACKAGES)]
    return f"{package}/Benchmark{package.title()}/{_SIZES[number // len(_PACKAGES) % len(_SIZES)]}"


def _entry(draw, benchmark, number, worse):
    metric, unit, size = METRICS[number % len(METRICS)]
    regressed = worse and number in (0, 4)
    factor = draw.uniform(1.3, 1.9) if regressed else draw.gauss(1.0, 0.012)
    noise = draw.uniform(0.01, 0.05)
    base = [size * math.exp(draw.gauss(0, noise)) for _ in range(_PAIRS)]
    head = [size * factor * math.exp(draw.gauss(0, noise)) for _ in range(_PAIRS)]
    half = 2.2 * noise / math.sqrt(_PAIRS)
    undecided = not regressed and number == 8 and noise > 0.045
    return VerdictEntry(
        benchmark=benchmark,
        metric=metric,
        unit=unit,
        outcome="over" if regressed else "inconclusive" if undecided else "within",
        level="warn" if number == 8 else "fail",
        budget="+10%" if number else "+5%",
        budget_file="gotrace.yaml",
        line=4 + number,
        base=samples.around(size, half),
        head=samples.around(size * factor, half),
        change=Interval(center=factor - 1, low=factor - 1 - half, high=factor - 1 + half),
        difference=Interval(
            center=size * (factor - 1), low=size * (factor - 1 - half), high=size * (factor - 1 + half)
        ),
        p=0.0002 if regressed else 0.4,
        pairs=_PAIRS,
        pairs_needed=(24, 31, 52) if undecided else None,
        detectable=3 * half,
        reason="an increase of 10% is neither shown nor ruled out" if undecided else "",
        runs=Runs(
            base=tuple(base), head=tuple(head), base_first=tuple(draw.random() < 0.5 for _ in range(_PAIRS))
        ),
        quantiles=tuple(_quantile(p, size, factor, half) for p in _DECILES),
    )


def _quantile(probability, size, factor, half):
    base = size * (0.4 + 0.5 * probability + 0.6 * probability**8)
    moved = base * (factor - 1) * probability**2 * 1.6
    return QuantileShift(
        probability=probability,
        base=base,
        head=base + moved,
        difference=Interval(center=moved, low=moved - base * half, high=moved + base * half),
    )


def _breakdown(draw, benchmark, worse):
    sizes = [draw.uniform(0.5, 1.5) * size for size in (90e3, 14e3, 30e3, 8e3, 22e3, 300.0)]
    grown = [3.5 if worse and state.startswith("sync-block[chan") else 1.01 for state in _STATES]
    return Breakdown(
        benchmark=benchmark,
        states=tuple(
            StateShift(state=state, base=size, head=size * factor, steady=factor > 2)
            for state, size, factor in zip(_STATES, sizes, grown, strict=True)
        ),
    )


def _timelines(draw, benchmark):
    for side, which, every in (
        ("base", "median", 34),
        ("head", "median", 19),
        ("base", "worst", 30),
        ("head", "worst", 15),
    ):
        times = [float(ms) for ms in range(0, 400, 2)]
        heap = [2e6 + 6e4 * (ms % every) * draw.uniform(0.95, 1.05) for ms in times]
        starts = [float(ms) for ms in range(every, 400, every)]
        yield Timeline(
            benchmark=benchmark,
            side=side,
            which=which,
            times=tuple(times),
            heap=tuple(heap),
            goal=tuple(2.4e6 + 6e4 * every for _ in times),
            gc_begin=tuple(starts),
            gc_end=tuple(ms + 1.2 for ms in starts),
        )


#: What would act if anything read it as more than text: in HTML, in a script, in plotly's own little HTML.
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<a href='https://example.com'>x</a>",
    "<b>bold</b><br>&lt;i&gt;",
    "{{ 7 * 7 }}{% raw %}",
    "%{x}%{customdata}",
    "$x^2$",
    "`tick` ``",
    "--over",
    "__proto__",
    "constructor",
    "\u202edrowkcab\u2028\u2029\x00\x1b[31m",
)


def hostile():
    """A regression in which every name is one of `HOSTILE`."""
    kept = [KeptTrace(benchmark=name, side="head", which="worst", path=name, series=name) for name in HOSTILE]
    return replace(
        samples.REGRESSION,
        base=replace(samples.REGRESSION.base, name=HOSTILE[0]),
        environment=dict.fromkeys(("go", "cpu"), HOSTILE[2]) | {HOSTILE[3]: HOSTILE[0]},
        budget_files=HOSTILE,
        warnings=HOSTILE,
        notes=HOSTILE,
        verdicts=tuple(replace(samples.OVER, benchmark=name, metric=name, budget=name) for name in HOSTILE),
        why=tuple(_hostile_why(name) for name in HOSTILE),
        breakdowns=tuple(
            Breakdown(benchmark=name, states=(StateShift(state=name, base=1e3, head=2e3),))
            for name in HOSTILE
        ),
        traces=tuple(kept),
        timelines=(),
        failures=tuple(
            replace(samples.FAILURE, benchmark=name, message=name, command=(name,), tail=name)
            for name in HOSTILE
        ),
        reproduce=HOSTILE[0],
    )


def _hostile_why(name):
    stacks = tuple(replace(stack, state=name, frames=(name, name)) for stack in samples.WHY.stacks)
    lines = tuple(
        replace(line, state=name, function=name, file=name, waker_function=name, waker_file=name)
        for line in samples.WHY.lines
    )
    return replace(
        samples.WHY,
        benchmark=name,
        sentence=name,
        diagnosis=name,
        advice=name,
        lines=lines,
        stacks=stacks,
        commands=(name,),
    )
