"""What the tests of the trace core share: a Go toolchain, the oracle, and traces of real programs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from oracle import TRUSTED_SINCE, Go


@pytest.fixture(scope="session")
def go() -> Go:
    command = shutil.which("go")
    if command is None:
        pytest.skip("no `go` command on PATH")
    return Go(command=command)


@pytest.fixture(scope="session")
def oracle(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The oracle of the installed Go."""
    if go.version < TRUSTED_SINCE:
        pytest.skip(f"the oracle needs Go 1.{TRUSTED_SINCE[1]} or newer, found 1.{go.version[1]}")
    return go.build_oracle(tmp_path_factory.mktemp("oracle"))


@pytest.fixture(scope="session")
def workload(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program to trace, built by the installed Go."""
    return go.build_workload(tmp_path_factory.mktemp("workload"))
