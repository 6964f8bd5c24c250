"""A process of a test binary gives one benchmark's numbers, or an error that says how it ended instead."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from gomodule import LOOP, MAIN, ZOO, go_module

from pytest_gotrace import process
from pytest_gotrace.errors import ExitCode, GoTestError
from pytest_gotrace.gotest import (
    Package,
    TestBinary,
    benchmarks,
    build,
    child_environment,
    discover,
    find_go,
    packages,
    run_benchmark,
)

ENV = child_environment(os.environ)


@pytest.fixture(scope="session")
def toolchain():
    return find_go(os.environ)


@pytest.fixture(scope="session")
def binaries(toolchain, tmp_path_factory):
    """The test binaries of the packages `zoo` and `leaves`, by directory, and where the module is."""
    root = go_module(
        tmp_path_factory.mktemp("module") / "m",
        zoo__zoo_test=ZOO,
        zoo__loop_test=LOOP,
        leaves__main_test=MAIN,
    )
    (root / "zoo" / "testdata").mkdir()
    (root / "zoo" / "testdata" / "here.txt").write_text("here")
    built = {}
    for package in packages(toolchain, root, env=ENV):
        built[package.directory] = build(toolchain, root, package, root / f"{package.directory}.test", ENV)
    return built, root


@pytest.fixture
def run(binaries):
    """Run a benchmark of the zoo, or of another package, with defaults."""
    built, root = binaries

    def run(name, iterations=100, *, package="zoo", trace=None, env=(), timeout=300.0, **options):
        return run_benchmark(
            built[package],
            name,
            iterations,
            trace=trace,
            cwd=root / package,
            env={**ENV, **dict(env)},
            timeout=timeout,
            **options,
        )

    return run


@pytest.fixture
def explore(binaries):
    built, root = binaries
    return lambda name, package="zoo", **env: discover(
        built[package], name, root / package, env={**ENV, **env}
    )


def gone(pid: int) -> bool:
    """Whether a process has ended, within a minute; one that only waits to be reaped has."""
    for _ in range(6000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/status")
        with contextlib.suppress(OSError):
            if re.search(r"^State:\s+[ZX]", status.read_text(), re.MULTILINE):
                return True
        time.sleep(0.01)
    return False


def test_result(run):
    """A benchmark gives its time, bytes and allocations per operation after the iterations asked for."""
    result = run("BenchmarkCount", 1234)
    assert (result.name, result.iterations) == ("BenchmarkCount", 1234)
    assert set(result.values) == {"ns/op", "B/op", "allocs/op"}
    assert result.values["ns/op"] > 0
    assert result.tail.endswith("PASS")


def test_loop(run, toolchain):
    """`b.Loop` obeys the number of iterations too."""
    if toolchain.version < (1, 24, 0):
        pytest.skip("b.Loop is newer than this Go")
    assert run("BenchmarkLoop", 777).iterations == 777


@pytest.mark.parametrize("procs", [1, 2])
def test_procs(run, procs):
    """GOMAXPROCS is obeyed and told, with one processor too, where Go adds no suffix."""
    assert run("BenchmarkCount", env={"GOMAXPROCS": str(procs)}).procs == procs


def test_metrics(run):
    """A benchmark's own metrics and MB/s arrive by unit; those that are not finite are left out."""
    values = run("BenchmarkMetrics", 10).values
    assert set(values) == {"ns/op", "MB/s", "things/op", "µs-p99", "delta", "B/op", "allocs/op"}
    assert (values["things/op"], values["µs-p99"], values["delta"]) == (3.5, 1e12, -2)


def test_hidden_time(run, explore):
    """A benchmark that hides its time has none, and is found all the same."""
    assert "ns/op" not in run("BenchmarkHidden").values
    assert [(found.name, found.nanoseconds) for found in explore("BenchmarkHidden").found] == [
        ("BenchmarkHidden", None)
    ]


def test_printing(run):
    """The result is found among what the benchmark prints, and control characters are visible in the tail."""
    result = run("BenchmarkPrints")
    assert set(result.values) == {"ns/op", "B/op", "allocs/op"}
    assert "no newline here 100" in result.tail
    assert "\\x1b[31mred\\x1b[0m\\x00" in result.tail


def test_trace(run, tmp_path):
    """A trace is written when asked for, in the format of Go 1.22 or newer."""
    run("BenchmarkTraces", trace=tmp_path / "out.trace")
    assert (tmp_path / "out.trace").read_bytes().startswith(b"go 1.2")


def test_directory_environment_and_input(run):
    """A benchmark runs in its package's directory, with the environment given and nothing to read."""
    run("BenchmarkWhere", 1)
    run("BenchmarkReads", 1)
    run("BenchmarkEnvironment", 1, env={"SEEN": "yes"})


NAMES = (
    "a_b",
    "a",
    "a/b",
    "a#01",
    "size",
    "size-8",
    "#00",
    "\\x01",
    "q\"|'é日[(.*+?^$)\\",
    "x/",
    "tab_here",
)


@pytest.mark.parametrize("procs", ["1", "8"])
def test_discovery_of_names(explore, procs):
    """Sub-benchmarks have the names Go gives them, in order; a number in a name is no GOMAXPROCS."""
    discovered = explore("BenchmarkNames", GOMAXPROCS=procs)
    assert tuple(found.name for found in discovered.found) == tuple(
        f"BenchmarkNames/{name}" for name in NAMES
    )
    assert all(found.nanoseconds > 0 for found in discovered.found)
    assert (discovered.skipped, discovered.failed) == ((), ())


@pytest.mark.parametrize("name", NAMES)
def test_exactly_one(run, name):
    """Of names that begin alike, or are full of signs that mean something to Go, just the one is measured.

    (To find `a/b`, Go tries `a` once for a single iteration.)
    """
    result = run(f"BenchmarkNames/{name}", 7)
    assert re.findall("in 7 (.*)", result.tail) == [f"BenchmarkNames/{name}"]


def test_discovery_of_outcomes(explore):
    """Skipped and failed sub-benchmarks are told apart from those that ran, with what they said."""
    discovered = explore("BenchmarkMixed")
    assert [found.name for found in discovered.found] == ["BenchmarkMixed/good", "BenchmarkMixed/deep/er"]
    skipped, silent = discovered.skipped
    assert (skipped.name, silent.name) == ("BenchmarkMixed/skipped", "BenchmarkMixed/silent")
    assert "and" in skipped.reason
    assert "not today" in skipped.reason
    assert silent.reason == "no reason given"
    (bad,) = discovered.failed
    assert bad.name == "BenchmarkMixed/bad"
    assert "bad luck" in bad.reason


@pytest.mark.parametrize(("name", "where"), [("BenchmarkSkips", "skipped"), ("BenchmarkFails", "failed")])
def test_discovery_at_the_top(explore, name, where):
    """A top-level benchmark that skips itself or fails is told as that."""
    assert [entry.name for entry in getattr(explore(name), where)] == [name]


def test_top_level(binaries):
    """The benchmarks of a binary are listed in the order of the source, without tests and examples."""
    built, root = binaries
    names = benchmarks(built["zoo"], root / "zoo", env=ENV)
    in_source = re.findall(r"^func (Benchmark\w+)", ZOO, re.MULTILINE)
    assert [name for name in names if name != "BenchmarkLoop"] == in_source


ENDS = {
    "BenchmarkPanics": r"zoo/BenchmarkPanics: panicked",
    "BenchmarkFails": r"zoo/BenchmarkFails: failed",
    "BenchmarkSkips": r"zoo/BenchmarkSkips: ran nothing.*skipped itself",
    "BenchmarkExits": r"zoo/BenchmarkExits: the process exited with 0 before.*without a result",
    "BenchmarkBreaksOff": r"zoo/BenchmarkBreaksOff: panicked or called runtime\.Goexit",
    "BenchmarkLeaves": r"zoo/BenchmarkLeaves: the process exited with 0 before.*without a result",
    "BenchmarkReturnsThree": r"zoo/BenchmarkReturnsThree: the process exited with 3",
    "BenchmarkKillsItself": r"zoo/BenchmarkKillsItself: the process was killed by SIGKILL.*out of memory",
    "BenchmarkDeadlock": r"zoo/BenchmarkDeadlock: was ended by the Go runtime: all goroutines are asleep",
    "BenchmarkForges": r"zoo/BenchmarkForges: printed [23] results, and exactly one.*expected",
    "BenchmarkFloods": r"zoo/BenchmarkFloods: printed more than 8 MiB",
    "BenchmarkMixed": r"zoo/BenchmarkMixed: ran nothing.*only has sub-benchmarks",
    "BenchmarkAbsent": r"zoo/BenchmarkAbsent: ran nothing.*no such benchmark",
}


@pytest.mark.parametrize("name", ENDS)
def test_bad_end(run, name):
    """Each way of ending without a result has its own message, with the command and a tail that is short."""
    with pytest.raises(GoTestError, match=ENDS[name]) as caught:
        run(name)
    error = caught.value
    assert error.exit_code is ExitCode.MEASUREMENT_FAILED
    assert f"-test.bench=^{name}$" in error.command
    assert len(error.tail.splitlines()) <= 40
    assert len(error.tail.encode()) <= 4096


def test_signal_without_a_name(tmp_path):
    """A process that is killed by a signal that has no name is an error with its number."""
    script = tmp_path / "x.test"
    script.write_text("#!/bin/sh\nkill -42 $$\n")
    script.chmod(0o755)
    package = Package(import_path="m", directory="", benchmarks=True)
    binary = TestBinary(package=package, path=script, sha256="")
    with pytest.raises(GoTestError, match="BenchmarkX: the process was killed by signal 42"):
        run_benchmark(binary, "BenchmarkX", 1, trace=None, cwd=tmp_path, env=ENV, timeout=300)


def test_command_can_be_changed(run):
    """A caller may change how the process is started: another directory, more environment, a wrapper."""
    seen = []

    def adapt(command):
        seen.append(command)
        return replace(command, argv=("/usr/bin/env", *command.argv), env={**command.env, "SEEN": "yes"})

    result = run("BenchmarkEnvironment", 2, adapt=adapt)
    assert result.iterations == 2
    assert seen[0].cwd.name == "zoo"


def test_long_tail(run):
    """Of a long output the end is kept, 4 KiB of it, and no character is cut in two."""
    with pytest.raises(GoTestError) as caught:
        run("BenchmarkTalks")
    assert "said enough" in caught.value.tail
    assert caught.value.tail.startswith("…")
    assert 3900 < len(caught.value.tail.encode()) <= 4096


def test_failure_carries_what_was_said(run):
    """The error ends with the benchmark's own words."""
    with pytest.raises(GoTestError, match=r"bad luck$|bad luck\n"):
        run("BenchmarkFails")


def test_panic_in_another_goroutine(run):
    """The words of a panic are in the message, and braces in them mean nothing."""
    with pytest.raises(GoTestError, match=r"zoo/BenchmarkPanicsElsewhere: panicked: oops \{0\}"):
        run("BenchmarkPanicsElsewhere")


def test_single_iteration_without_time(run):
    """After a single iteration a result without a time is refused, for a panic may look like that."""
    with pytest.raises(GoTestError, match="Two iterations or more"):
        run("BenchmarkHidden", 1)


@pytest.mark.parametrize(
    "name", ["BenchmarkExits", "BenchmarkLeaves", "BenchmarkReturnsThree", "BenchmarkDeadlock"]
)
def test_discovery_of_a_crash(explore, name):
    """A process that crashes while it is explored is an error, not a benchmark without a name."""
    with pytest.raises(GoTestError, match=f"zoo/{name}"):
        explore(name)


def test_exit_before_the_benchmarks(run, explore):
    """A TestMain that exits with 0 beforehand is an error, not an empty success."""
    with pytest.raises(GoTestError, match="exited with 0 before"):
        run("BenchmarkNothing", package="leaves", env={"LEAVE": "before"})
    with pytest.raises(GoTestError, match="exited with 0 before"):
        explore("BenchmarkNothing", "leaves", LEAVE="before")


def test_bad_exit_after_a_result(run):
    """A result does not count when the process ends badly after it."""
    with pytest.raises(GoTestError, match="exited with 4"):
        run("BenchmarkNothing", package="leaves", env={"LEAVE": "badly"})


def test_hang(run, tmp_path, monkeypatch):
    """A benchmark that hangs is ended when its time is over, with its children that do not listen to SIGTERM."""
    pids = tmp_path / "pids"
    # Time is over once there is a child, however long the machine takes to start one.
    clock = SimpleNamespace(monotonic=lambda: 2.0 if pids.exists() and pids.read_text() else 0.0)
    monkeypatch.setattr(process, "time", clock)
    with pytest.raises(GoTestError, match=r"zoo/BenchmarkHangs: still running after 1 s"):
        run("BenchmarkHangs", env={"PIDS": str(pids)}, timeout=1)
    assert gone(int(pids.read_text()))


def test_children_left_behind(run, tmp_path):
    """What a benchmark leaves running when it ends well does not disturb the next one."""
    run("BenchmarkOrphans", 1, env={"PIDS": str(tmp_path / "pids")})
    assert gone(int((tmp_path / "pids").read_text()))


@pytest.fixture
def interruptible():
    """Ctrl-C as it is in a terminal; a worker of pytest-xdist ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupt(run, tmp_path, monkeypatch):
    """Ctrl-C while a benchmark is waited for goes through, and leaves no process behind."""
    pids, waiting = tmp_path / "pids", threading.Event()

    def now():
        waiting.set()
        return 0.0

    monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=now))

    def press():
        waiting.wait()
        while not (pids.exists() and pids.read_text()):
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    presser = threading.Thread(target=press, daemon=True)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        run("BenchmarkHangs", env={"PIDS": str(pids)})
    presser.join()
    assert gone(int(pids.read_text()))


def test_trace_that_grows(run, tmp_path):
    """A trace beyond its limit ends the benchmark before it fills the disk."""
    with pytest.raises(GoTestError, match="trace grew too large"):
        run("BenchmarkTraces", 1_000_000_000, trace=tmp_path / "out.trace", trace_bytes=1 << 20)
    assert (tmp_path / "out.trace").stat().st_size < 2 << 30  # of the many more that were to come
