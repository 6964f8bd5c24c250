"""Reports to render, write and read: one for each way a comparison can end, with invented numbers."""

from __future__ import annotations

from dataclasses import replace

from pytest_gotrace.explanation import (
    Annotation,
    Breakdown,
    Interval,
    KeptTrace,
    LineShift,
    StackShift,
    StateShift,
    Timeline,
    Why,
)
from pytest_gotrace.report import (
    Events,
    Failure,
    Interference,
    Method,
    Overhead,
    QuantileShift,
    Report,
    RevisionInfo,
    Runs,
    VerdictEntry,
    Waiver,
)

BASE_SHA = "1f0e" * 10
HEAD_SHA = "9ab3" * 10

HANDLER = "handler/BenchmarkHandler/large"
POOL = "pool/BenchmarkPool"


def around(center: float, width: float) -> Interval:
    """An interval `width` to either side of its centre, as a share of it."""
    return Interval(center=center, low=center - abs(center) * width, high=center + abs(center) * width)


WITHIN = VerdictEntry(
    benchmark=POOL,
    metric="ns/op",
    unit="ns",
    outcome="within",
    budget="+5%",
    budget_file="gotrace.yaml",
    line=4,
    base=around(81_200.0, 0.01),
    head=around(81_700.0, 0.01),
    change=Interval(center=0.006, low=-0.009, high=0.021),
    difference=Interval(center=500.0, low=-700.0, high=1_700.0),
    p=0.9,
    pairs=10,
    detectable=0.031,
)

IMPROVED = replace(
    WITHIN,
    metric="B/op",
    unit="B",
    base=around(2048.0, 0.0),
    head=around(1536.0, 0.0),
    change=Interval(center=-0.25, low=-0.25, high=-0.25),
)

#: One number a run, in ns, and the deciles of the runs' own events: what happened to `region[db]` of `HANDLER`.
SLOWER = Runs(
    base=(405e3, 421e3, 398e3, 417e3, 409e3, 430e3, 402e3, 411e3, 415e3, 408e3),
    head=(671e3, 702e3, 655e3, 698e3, 690e3, 731e3, 660e3, 688e3, 707e3, 684e3),
    base_first=(True, False, False, True, True, False, False, True, True, False),
)
LATER = tuple(
    QuantileShift(
        probability=probability,
        base=base,
        head=head,
        difference=Interval(center=head - base, low=(head - base) * 0.7, high=(head - base) * 1.3),
    )
    for probability, base, head in (
        (0.1, 80e3, 81e3),
        (0.2, 95e3, 97e3),
        (0.3, 110e3, 113e3),
        (0.4, 122e3, 127e3),
        (0.5, 140e3, 149e3),
        (0.6, 161e3, 175e3),
        (0.7, 190e3, 222e3),
        (0.8, 230e3, 290e3),
        (0.9, 301e3, 430e3),
        (0.99, 412e3, 689e3),
    )
)

OVER = VerdictEntry(
    benchmark=HANDLER,
    metric="region[db].p99",
    unit="ns",
    outcome="over",
    budget="+10% and 20us",
    budget_file="gotrace.yaml",
    line=7,
    base=around(412_000.0, 0.04),
    head=around(689_000.0, 0.05),
    change=Interval(center=0.67, low=0.41, high=0.98),
    difference=Interval(center=277_000.0, low=170_000.0, high=390_000.0),
    p=0.0008,
    pairs=10,
    detectable=0.12,
    runs=SLOWER,
    quantiles=LATER,
)

STATES = (
    StateShift(state="sync-block[chan send]", base=18_000.0, head=289_000.0, steady=True),
    StateShift(state="sched-wait", base=9_500.0, head=61_000.0, steady=True),
    StateShift(state="exec", base=370_000.0, head=381_000.0),
    StateShift(state="gc-pause", base=310.0, head=290.0),
)

WHY = Why(
    benchmark=HANDLER,
    sentence="`sync-block[chan send]` +271 µs per operation explains 81 % of what was added, at `pool.(*Pool).Submit` "
    "(`pool/pool.go:41`, in this change), ended by `pool.(*Pool).worker` (`pool/pool.go:63`)",
    rule="slow-consumer",
    diagnosis="Many goroutines are blocked in a channel send while few receive: a slow consumer holds them up.",
    advice="Look at the channel's buffer, and at what the receiver does between two receives.",
    states=STATES,
    lines=(
        LineShift(
            state="sync-block[chan send]",
            function="example.com/shop/pool.(*Pool).Submit",
            file="pool/pool.go",
            line=41,
            base=18_000.0,
            head=289_000.0,
            changed=True,
            waker_function="example.com/shop/pool.(*Pool).worker",
            waker_file="pool/pool.go",
            waker_line=63,
            waker_group="example.com/shop/pool.New.func1",
        ),
        LineShift(
            state="sched-wait",
            function="example.com/shop/pool.(*Pool).worker",
            file="pool/pool.go",
            line=63,
            base=9_000.0,
            head=58_000.0,
        ),
    ),
    stacks=tuple(
        StackShift(state=state, frames=frames, base=base, head=head)
        for state, frames, base, head in (
            (
                "sync-block[chan send]",
                (
                    "example.com/shop/handler.BenchmarkHandler.func1 handler/handler_test.go:82",
                    "example.com/shop/handler.(*Handler).Serve handler/handler.go:75",
                    "example.com/shop/pool.(*Pool).Submit pool/pool.go:41",
                ),
                18_000.0,
                289_000.0,
            ),
            (
                "sched-wait",
                (
                    "example.com/shop/pool.New.func1 pool/pool.go:30",
                    "example.com/shop/pool.(*Pool).worker pool/pool.go:63",
                ),
                9_000.0,
                58_000.0,
            ),
            (
                "sync-block[select]",
                (
                    "example.com/shop/handler.BenchmarkHandler.func1 handler/handler_test.go:82",
                    "example.com/shop/handler.(*Handler).wait handler/handler.go:91",
                ),
                12_000.0,
                4_000.0,
            ),
        )
    ),
    commands=(
        "go tool trace traces/handler_BenchmarkHandler_large/head-worst.trace",
        "go tool pprof -http=: -diff_base traces/handler_BenchmarkHandler_large/base-median.sync.pb.gz "
        "traces/handler_BenchmarkHandler_large/head-median.sync.pb.gz",
        "gotrace diff traces/handler_BenchmarkHandler_large/base-median.trace "
        "traces/handler_BenchmarkHandler_large/head-median.trace",
        "pytest --gotrace-baseline=1f0e1f0e1f0e -k BenchmarkHandler",
    ),
)

TRACES = tuple(
    KeptTrace(
        benchmark=HANDLER,
        side=side,
        which=which,
        path=f"traces/handler_BenchmarkHandler_large/{side}-{which}.trace",
        by="region[db].p99",
        value=value,
        unit="ns",
        runs=6,
        series="sync-block[chan send]",
        at=f"pool/pool.go:{line}",
        goroutine=goroutine,
        begin=begin,
        duration=duration,
    )
    for side, which, value, line, goroutine, begin, duration in (
        ("head", "worst", 731e3, 41, 34, 81_312_448, 691_200),
        ("head", "median", 689e3, 41, 19, 12_200_064, 584_032),
        ("base", "worst", 430e3, 39, 22, 40_500_160, 80_016),
        ("base", "median", 409e3, 39, 35, 60_100_224, 61_024),
    )
)

TIMELINES = tuple(
    Timeline(
        benchmark=HANDLER,
        side=side,
        which="median",
        times=tuple(float(ms) for ms in range(0, 250, 10)),
        heap=tuple(2e6 + 1e5 * (ms % slope) for ms in range(0, 250, 10)),
        goal=tuple(4e6 for _ in range(0, 250, 10)),
        gc_begin=tuple(float(ms) for ms in range(slope, 250, slope)),
        gc_end=tuple(ms + 1.5 for ms in range(slope, 250, slope)),
    )
    for side, slope in (("base", 60), ("head", 40))
)

ANNOTATIONS = (
    Annotation(
        level="error",
        file="pool/pool.go",
        line=38,
        title="handler/BenchmarkHandler/large region[db].p99 is over budget",
        message="412 µs → 689 µs, +67% [+41%, +98%], budget +10% and 20us. sync-block[chan send] +271 µs per operation "
        "at pool/pool.go:41, ended by pool.(*Pool).worker (pool/pool.go:63).",
    ),
)

INCONCLUSIVE = replace(
    WITHIN,
    benchmark=HANDLER,
    metric="sched-wait.total",
    outcome="inconclusive",
    budget="+10%",
    line=9,
    base=around(1_100_000.0, 0.05),
    head=around(1_220_000.0, 0.06),
    change=Interval(center=0.11, low=-0.02, high=0.25),
    p=0.4,
    pairs=20,
    pairs_needed=(12, 24, 40),
    detectable=0.18,
    reason="an increase of 10% is neither shown nor ruled out",
)

MISSING = VerdictEntry(
    benchmark="encode/BenchmarkEncode",
    metric="region[flush].p50",
    unit="ns",
    outcome="missing",
    budget="+10%",
    budget_file="gotrace.yaml",
    line=12,
    reason="no region `flush` was seen on head",
)

NEW = replace(MISSING, metric="region[retry].p50", outcome="new", reason="no region `retry` on base")

FAILED = replace(
    MISSING,
    benchmark="fanout/BenchmarkFanout",
    metric="ns/op",
    outcome="failed",
    reason="the build of `fanout` failed on head",
)

IDENTICAL = replace(MISSING, benchmark="mathx/BenchmarkSum", metric="ns/op", outcome="identical", reason="")

#: What was only required to be there, and is.
REQUIRED = replace(MISSING, metric="require region[flush]", outcome="within", budget="", reason="", line=41)

WAIVED = replace(
    OVER, metric="exec.total", waived=Waiver(reason="agreed in the design review", until="2026-12-31")
)

FAILURE = Failure(
    benchmark="fanout/BenchmarkFanout",
    side="head",
    message="`go test -c` ended with exit code 1",
    command=("go", "test", "-c", "-o", "fanout test.bin", "./fanout"),
    tail="# example.com/fanout\nfanout/fanout.go:12:2: undefined: sizeOf\n```\n</details> @everyone\n",
)

QUIET = Report(
    tool="0.1.0",
    base=RevisionInfo(name="main", sha=BASE_SHA),
    head=RevisionInfo(name="working tree", sha=HEAD_SHA, dirty=True),
    environment={
        "go": "go1.26.2",
        "cpu": "Imaginary CPU @ 3.0GHz",
        "cores": "2",
        "GOMAXPROCS": "2",
        "kernel": "Linux 6.1",
        "platform": "linux/amd64",
    },
    method=Method(looks=(6, 10, 14, 20), alpha=0.05, seed=42, elapsed_seconds=80.0, pairs_run=10),
    budget_files=("gotrace.yaml",),
    expected=2,
    measured=2,
    reproduce="pytest --gotrace-baseline=main gotrace.yaml",
)

GREEN = replace(QUIET, verdicts=(WITHIN, IMPROVED, IDENTICAL))

REGRESSION = replace(
    QUIET,
    method=replace(
        QUIET.method,
        interference=Interference(watched=("steal", "spin"), repeated=1, reasons={"steal": 1}, seconds=0.25),
    ),
    notes=("go.mod: dependencies changed: example.com/queue v1.2.0 → v1.3.0",),
    overheads=(Overhead(benchmark=POOL, base=1.4, head=1.43), Overhead(benchmark=HANDLER, head=1.1)),
    verdicts=(WITHIN, OVER, WAIVED, replace(OVER, metric="net-wait.p99", level="warn", p=0.00001)),
    why=(WHY,),
    breakdowns=(
        Breakdown(benchmark=HANDLER, states=STATES),
        Breakdown(benchmark=POOL, states=(StateShift(state="exec", base=80_000.0, head=80_400.0),)),
    ),
    traces=TRACES,
    timelines=TIMELINES,
    annotations=ANNOTATIONS,
)

DOUBTED = replace(
    WITHIN,
    metric="sched-wait.total",
    warnings=("neighbouring pairs are alike (correlation 0.7); look for load that comes and goes",),
)

#: One that grew because there is more of it, budgeted by an amount.
LEAK = replace(
    OVER,
    metric="goroutine-leak.count",
    unit="1",
    budget="+3",
    line=8,
    base=around(1.0, 0.0),
    head=around(8801.0, 0.0),
    change=around(8800.0, 0.001),
    difference=around(8800.0, 0.001),
    runs=None,
    quantiles=(),
)
MORE = replace(
    OVER,
    metric="sync-block[chan send].total",
    base=around(18_000.0, 0.04),
    head=around(289_000.0, 0.05),
    change=Interval(center=15.1, low=12.0, high=18.4),
    quantiles=(),
    events=Events(base_number=1.5, head_number=21.0, base_length=12_000.0, head_length=13_800.0),
)
AMOUNTS = replace(REGRESSION, verdicts=(MORE, LEAK, WITHIN, REQUIRED, IDENTICAL))

UNDECIDED = replace(QUIET, verdicts=(WITHIN, INCONCLUSIVE, DOUBTED))

BROKEN = replace(
    QUIET,
    verdicts=(WITHIN, MISSING, NEW, FAILED, IDENTICAL),
    expected=4,
    measured=3,
    failures=(FAILURE,),
    warnings=("tracing slows `head` down by 9 % more than base", "the machine was busy"),
)


def large(benchmarks: int, metrics: int) -> Report:
    """So many benchmarks with so many metrics each; every fiftieth row over its budget."""
    rows = tuple(
        replace(
            OVER if (number := benchmark * metrics + metric) % 50 == 0 else WITHIN,
            benchmark=f"internal/shop/BenchmarkOrder/size={benchmark}",
            metric=f"region[step {metric}].p99",
            line=number % 90 + 1,
        )
        for benchmark in range(benchmarks)
        for metric in range(metrics)
    )
    why = tuple(replace(WHY, benchmark=row.benchmark) for row in rows if row.outcome == "over")
    return replace(QUIET, verdicts=rows, why=why, expected=benchmarks, measured=benchmarks)


#: By the name of the golden file.
GOLDEN = {
    "green": GREEN,
    "regression": REGRESSION,
    "amounts": AMOUNTS,
    "inconclusive": UNDECIDED,
    "broken": BROKEN,
    "large": large(100, 10),
}
