"""Reports to render, write and read: one for each way a comparison can end, with invented numbers."""

from __future__ import annotations

from dataclasses import replace

from pytest_gotrace.report import (
    Failure,
    Interference,
    Interval,
    LineShift,
    Method,
    Overhead,
    Report,
    RevisionInfo,
    StateShift,
    VerdictEntry,
    Waiver,
    Why,
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
)

WHY = Why(
    benchmark=HANDLER,
    sentence="`sync-block[chan send]` +271 µs per operation, 81% of what was added, at `pool.(*Pool).Submit` "
    "(`pool.go:41`), ended by `pool.(*Pool).worker` (`pool.go:63`)",
    advice="Senders outrun the receiver: look at the channel's buffer and at who receives.",
    states=(
        StateShift(state="sync-block[chan send]", base=18_000.0, head=289_000.0),
        StateShift(state="sched-wait", base=9_500.0, head=61_000.0),
        StateShift(state="exec", base=370_000.0, head=381_000.0),
    ),
    lines=(
        LineShift(
            state="sync-block[chan send]",
            function="example.com/pool.(*Pool).Submit",
            file="pool.go",
            line=41,
            base=18_000.0,
            head=289_000.0,
            waker_function="example.com/pool.(*Pool).worker",
            waker_file="pool.go",
            waker_line=63,
        ),
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
)

DOUBTED = replace(
    WITHIN,
    metric="sched-wait.total",
    warnings=("neighbouring pairs are alike (correlation 0.7); look for load that comes and goes",),
)

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
    "inconclusive": UNDECIDED,
    "broken": BROKEN,
    "large": large(100, 10),
}
