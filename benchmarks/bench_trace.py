"""python -m benchmarks.bench_trace [ROUNDS]: the trace core beside Go's own reader, as a Markdown table.

Each round runs the three one after the other on the same file, so that a busy machine is busy for all of them; medians
of the rounds are shown. Every run is a process of its own. Time is what reading takes, without starting up and
importing; `again` is reading further traces in one process, which has memory for them. Go's garbage collector may use
all processors, ours uses one. At last a trace of a gigabyte is read generation by generation, to see what memory that
takes; `--no-large` leaves it out.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pytest_gotrace.trace import read_trace
from tests.oracle import TRACES, Go, record

OURS = """
import sys, time
from pytest_gotrace.trace import read_trace
list(read_trace(sys.argv[1]))  # a small one: what is imported on first use is imported now
for _ in range(3):
    began = time.perf_counter_ns()
    events = sum(table.events for table in list(read_trace(sys.argv[2])))
    print(time.perf_counter_ns() - began)
print(events)
"""
#: Reads a trace and keeps none of it; what the process held at most says the system.
STREAM = """
import sys, time
from pytest_gotrace.trace import read_trace
began, events, generations = time.perf_counter_ns(), 0, 0
for table in read_trace(sys.argv[1]):
    events, generations = events + table.events, generations + 1
    del table
print(time.perf_counter_ns() - began, events, generations)
"""
LARGE = ("pool", "19500000")  # about a gigabyte
EXAMPLE = Path(__file__).parents[1] / "example-go-repo"
#: Packages of the example whose benchmarks are traced, until their trace is large enough.
SUITE = ("pool",)
SUITE_BYTES = 26_000_000
SCENARIOS = {"pool": ("400000",), "generations": (), "goroutines": ("200000",)}


@dataclass(frozen=True, slots=True)
class Run:
    """One reading of a trace: how long it took, what the process held at most, and what else it said."""

    seconds: float
    megabytes: float
    rest: tuple[str, ...]


def run(*command: str | Path) -> Run:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    nanoseconds, *rest = process.stdout.read().split()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed on {command[-1]}")
    return Run(int(nanoseconds) / 1e9, usage.ru_maxrss / 1024, tuple(rest))


def suite(go: Go, package: str, into: Path) -> Path:
    """The trace of all benchmarks of a package of the example, with as many iterations as make it large enough."""
    binary, trace = into / f"{package}.test", into / f"example {package}.trace"
    go.run("test", "-c", "-trimpath", "-o", str(binary), f"./{package}", cwd=EXAMPLE)
    iterations, size = 100, 0
    while size < SUITE_BYTES:
        iterations = round(iterations * 1.1 * SUITE_BYTES / size) if size else iterations
        flags = ("-test.run=^$", "-test.bench=.", f"-test.benchtime={iterations}x", f"-test.trace={trace}")
        subprocess.run((binary, *flags), cwd=EXAMPLE / package, check=True, stdout=subprocess.DEVNULL)
        size = trace.stat().st_size
    return trace


def compare(trace: Path, oracle: Path, rounds: int) -> list[str]:
    """The cells of one row of the table."""
    ours, full, bare = [], [], []
    for _ in range(rounds):
        ours.append(run(sys.executable, "-c", OURS, TRACES / "go126-regions.trace", trace))
        full.append(run(oracle, "-time", trace))
        bare.append(run(oracle, "-time", "-bare", trace))
    first, summed, read = (statistics.median(r.seconds for r in runs) for runs in (ours, full, bare))
    again = statistics.median(int(r.rest[1]) / 1e9 for r in ours)
    memory = [statistics.median(r.megabytes for r in runs) for runs in (ours, full, bare)]
    events, size = int(ours[0].rest[-1]), trace.stat().st_size
    return [
        trace.stem,
        f"{size / 1e6:.1f} MB, {events:,} events",
        f"{first * 1e3:.1f} ms",
        f"{again * 1e3:.1f} ms ({again / events * 1e9:.0f} ns an event)",
        f"{summed * 1e3:.1f} ms",
        f"{summed / first:.0f}× / **{summed / again:.0f}×**",
        f"{read * 1e3:.1f} ms",
        f"{read / first:.1f}× / **{read / again:.1f}×**",
        f"{memory[0]:.0f} / {memory[1]:.0f} / {memory[2]:.0f} MB",
        f"{memory[1] / memory[0]:.1f}×",
    ]


def together(trace: Path, threads: int) -> float:
    """How much sooner threads of one process are done than if they read one after the other."""

    def read() -> None:
        for _ in range(4):
            list(read_trace(trace))

    began = time.perf_counter()
    for _ in range(threads):
        read()
    alone = time.perf_counter() - began
    workers = [threading.Thread(target=read) for _ in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return alone / (time.perf_counter() - began)


def large(workload: Path, into: Path) -> str:
    """How a gigabyte goes through."""
    trace = record(workload, LARGE[0], into, *LARGE[1:])
    seen = run(sys.executable, "-c", STREAM, trace)
    events, generations = map(int, seen.rest)
    size = trace.stat().st_size / 1e6
    return (
        f"{size:.0f} MB in {generations} generations, {events:,} events: read in {seen.seconds:.1f} s, "
        f"and never more than {seen.megabytes:.0f} MB of memory."
    )


def main(*words: str) -> None:
    rounds = next((int(word) for word in words if word.isdecimal()), 5)
    go = Go(command="go")
    head = (
        "trace",
        "",
        "ours, first",
        "ours, again",
        "Go, reader and summarizer",
        "",
        "Go, reader alone",
        "",
        "peak memory of the three",
        "summarizer's to ours",
    )
    with tempfile.TemporaryDirectory() as scratch:
        into = Path(scratch)
        oracle, workload = go.build_oracle(into), go.build_workload(into)
        traces = [record(workload, scenario, into, *args) for scenario, args in SCENARIOS.items()]
        traces += [suite(go, package, into) for package in SUITE]
        print(
            f"Go {'.'.join(map(str, go.version))}, {os.cpu_count()} processors, medians of {rounds} rounds\n"
        )
        print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
        for trace in traces:
            print(f"| {' | '.join(compare(trace, oracle, rounds))} |", flush=True)
        print(f"\nTwo threads at once: {together(traces[0], 2):.2f} times the throughput of one.", flush=True)
        if "--no-large" not in words:
            print(large(workload, into))


if __name__ == "__main__":
    main(*sys.argv[1:])
