"""One process of a test binary becomes the numbers of one benchmark.

The other halves of running Go are here by name too: `find_go` (`toolchain`), `packages` and `build`
(`gobuild`).
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import benchfmt
from .benchfmt import Discovery, Found, NotRun
from .gobuild import Package, TestBinary, build, packages
from .process import MIB, Finished, Limits, Stopped, run, tail
from .toolchain import Toolchain, child_environment, environment, find_go

__all__ = [
    "BenchmarkResult",
    "Discovery",
    "Found",
    "GoCommand",
    "NotRun",
    "Package",
    "TestBinary",
    "Toolchain",
    "benchmarks",
    "build",
    "child_environment",
    "discover",
    "environment",
    "find_go",
    "packages",
    "run_benchmark",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoCommand:
    """How a benchmark process is started: arguments (the test binary first), directory, environment."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkResult:
    """One process of one benchmark, with its `values` by unit: `ns/op`, `B/op`, `allocs/op`, any other.

    A unit whose value was not finite is absent. `procs` is the GOMAXPROCS it ran with. `tail` ends what it
    printed.
    """

    name: str
    iterations: int
    values: Mapping[str, float]
    procs: int
    tail: str


def benchmarks(
    binary: TestBinary, cwd: Path, *, env: Mapping[str, str], timeout: float = 120
) -> tuple[str, ...]:
    """The top-level benchmarks in `binary`, in the order of the source. Runs `TestMain`, but no benchmark."""
    where = binary.package.directory or "."
    finished = _run(binary, ("-test.list=^Benchmark",), cwd, env, Limits(seconds=timeout))
    _raise_unless_ended_well(finished, f"{where}: listing the benchmarks", timeout)
    return tuple(line for line in finished.output.splitlines() if re.fullmatch(r"Benchmark\w*", line))


def discover(
    binary: TestBinary, top_level: str, cwd: Path, *, env: Mapping[str, str], timeout: float = 600
) -> Discovery:
    """Run `top_level` for a single iteration, to learn its sub-benchmarks and about how long each takes.

    Raises `GoTestError` when the process crashed or hung. Benchmarks that failed in good order are in
    `failed`.
    """
    flags = _bench_flags(top_level, 1, trace=None, verbose=True)
    finished = _run(binary, flags, cwd, env, Limits(seconds=timeout))
    what = _what(binary, top_level)
    discovered = benchfmt.discovery(finished.output)
    if finished.stopped is Stopped.NOT and finished.code == 1 and benchfmt.failures(finished.output):
        return discovered
    _raise_unless_ended_well(finished, what, timeout)
    if not benchfmt.passed(finished.output):
        raise finished.error(_NO_PASS.format(what=what))
    return discovered


def run_benchmark(
    binary: TestBinary,
    name: str,
    iterations: int,
    *,
    trace: Path | None,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    trace_bytes: int = 1024 * MIB,
    cpus: tuple[int, ...] = (),
    profile: Path | None = None,
    adapt: Callable[[GoCommand], GoCommand] = lambda command: command,
) -> BenchmarkResult:
    """Run exactly the benchmark `name`, for exactly `iterations`, in a process of its own.

    `cwd` is the directory of the package in the side's checkout, where `go test` would run it. The process
    group is killed after `timeout` seconds, or when the trace passes `trace_bytes`. It runs on `cpus` if there
    are any. With a CPU profile in `profile` its samples are in the trace, too. `adapt` may change the command
    before it is started. Raises `GoTestError` for every end but exactly one result.

    (`-test.timeout` does not end benchmarks: `testing` stops that clock before it starts them.)
    """
    flags = [*_bench_flags(name, iterations, trace=trace, verbose=False)]
    if profile is not None:
        flags.append(f"-test.cpuprofile={profile}")
    command = adapt(GoCommand(argv=(str(binary.path), *flags), cwd=cwd, env=env))
    limits = Limits(seconds=timeout, file=trace, file_bytes=trace_bytes, cpus=cpus)
    finished = run(command.argv, cwd=command.cwd, env=command.env, limits=limits)
    what = _what(binary, name)
    _raise_unless_ended_well(finished, what, timeout)
    found = benchfmt.results(finished.output, name, iterations)
    if len(found) != 1:
        raise finished.error(_unexpected(finished.output, name, iterations, len(found)).format(what=what))
    (result,) = found
    if iterations == 1 and "ns/op" not in result.values:
        raise finished.error(_NO_TIME.format(what=what))
    return BenchmarkResult(
        name=name, iterations=iterations, values=result.values, procs=result.procs, tail=tail(finished.output)
    )


def _what(binary: TestBinary, name: str) -> str:
    return "/".join(filter(None, (binary.package.directory, name)))


def _bench_flags(name: str, iterations: int, *, trace: Path | None, verbose: bool) -> Iterator[str]:
    pattern = _exactly(name)
    yield from ("-test.run=^$", f"-test.bench={pattern}", f"-test.benchtime={iterations}x", "-test.benchmem")
    yield "-test.count=1"
    if verbose:
        yield "-test.v=test2json"
    else:
        yield f"-test.skip={pattern}/.*"  # a pattern of `X/a` alone would run `X/a/b` too
    if trace is not None:
        yield f"-test.trace={trace}"


def _exactly(name: str) -> str:
    """A pattern for `-test.bench` that matches this name; Go splits patterns and names at each slash."""
    escape = re.compile(r"[\\.+*?()|\[\]{}^$]")
    return "/".join(
        f"^{escape.sub(lambda found: chr(92) + found.group(), part)}$" for part in name.split("/")
    )


def _run(
    binary: TestBinary,
    flags: Iterator[str] | tuple[str, ...],
    cwd: Path,
    env: Mapping[str, str],
    limits: Limits,
) -> Finished:
    return run((str(binary.path), *flags), cwd=cwd, env=env, limits=limits)


_STOPPED = {
    Stopped.TIME: "{what}: still running after {timeout:g} s and was killed. "
    "It hangs, or it needs more time or fewer iterations.",
    Stopped.OUTPUT: "{what}: printed more than 8 MiB and was killed. "
    "A benchmark that prints measures the printing.",
    Stopped.FILE: "{what}: its trace grew too large and it was killed. "
    "Use fewer iterations, or raise the limit.",
}

_STACK = r"(?=\n(?:.*\n){0,8}?goroutine \d+ \[)"  # what comes after a panic, and not after a mention of one

_DEATHS = (
    (r"panic: (.+)" + _STACK, "panicked: {0}"),
    (r"fatal error: (.+)" + _STACK, "was ended by the Go runtime: {0}"),
    (r"^\x16?testing: race detected|^WARNING: DATA RACE", "has a data race."),
    (
        r"^\x16?--- FAIL: ",
        "failed (b.Error, b.Fatal or b.Fail). Without a good end its numbers mean nothing.",
    ),
)

_NO_PASS = (
    "{what}: the process exited with 0 before the benchmarks were done, without a result. "
    "Look for os.Exit in the benchmark and in TestMain."
)

_NO_TIME = (
    "{what}: has no ns/op. After a single iteration that cannot be told from a panic whose message came too "
    "late. Two iterations or more can."
)

_BROKE_OFF = (
    "{what}: panicked or called runtime.Goexit: it broke off in the middle of its iterations. "
    "(When a benchmark panics, the process may come to a good end before Go has printed why.)"
)


def _raise_unless_ended_well(finished: Finished, what: str, timeout: float) -> None:
    if finished.stopped is not Stopped.NOT:
        raise finished.error(_STOPPED[finished.stopped].format(what=what, timeout=timeout))
    if finished.code < 0:
        number = -finished.code
        hint = " Often that is the kernel, out of memory." if number == signal.SIGKILL else ""
        raise finished.error(f"{what}: the process was killed by {_signal_name(number)}.{hint}")
    if finished.code > 0:
        raise finished.error(f"{what}: {_cause_of_death(finished)}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have no name
        return f"signal {number}"


def _cause_of_death(finished: Finished) -> str:
    for pattern, sentence in _DEATHS:
        if found := re.search(pattern, finished.output, re.MULTILINE):
            return sentence.format(*found.groups())
    return f"the process exited with {finished.code}, and 0 was expected."


def _unexpected(output: str, name: str, iterations: int, found: int) -> str:
    expected = f"exactly one result after {iterations} iterations was expected"
    if found > 1:
        return f"{{what}}: printed {found} results, and {expected}. Does it print result lines itself?"
    if benchfmt.broke_off(output, name):
        return _BROKE_OFF
    if not benchfmt.passed(output):
        return _NO_PASS
    if re.search(re.escape(name) + r"(?:-\d+)? *\t", output):
        return f"{{what}}: what it printed is no result that can be read, and {expected}."
    return (
        f"{{what}}: ran nothing, and {expected}. The binary has no such benchmark, "
        "or it skipped itself, or it only has sub-benchmarks."
    )
