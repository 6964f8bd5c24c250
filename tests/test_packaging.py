"""What `pip` gets: a source distribution that builds, and a wheel that works without the checkout beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest
from test_patches import EXAMPLE, demo

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel that was built from the source distribution."""
    directory = tmp_path_factory.mktemp("dist")
    source = directory / "source"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
    run(sys.executable, "-m", "build", "--outdir", str(directory), str(source))
    environment = directory / "venv"
    venv.create(environment, with_pip=True)
    (wheel,) = directory.glob("*.whl")
    run(str(environment / "bin" / "pip"), "install", "--quiet", str(wheel))
    return directory


def run(*command: str, cwd: Path | None = None, code: int = 0) -> str:
    """What a command prints; it must end with `code`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_source_distribution_has_no_made_files(installed):
    """The archive holds what the core is compiled from, and neither C code nor binaries."""
    (archive,) = installed.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        suffixes = {Path(name).suffix for name in opened.getnames()}
    assert {".py", ".pxd", ".j2", ".json"} <= suffixes
    assert not {".c", ".so"} & suffixes


@pytest.mark.slow
def test_a_wheel_runs_a_whole_gate(installed, tmp_path):
    """Schemas, templates and the compiled core are found from a wheel, and the gate gives its verdict."""
    assert '"$schema"' in run(str(installed / "venv" / "bin" / "gotrace"), "schema")
    example = demo()
    repository = example.make_repository(tmp_path / "shop")
    example.commit_patch(repository, EXAMPLE / "regressions" / "goroutine-leak.patch")
    python = str(installed / "venv" / "bin" / "python")
    report = f"--gotrace-report={tmp_path / 'report'}"
    output = run(python, "-m", "pytest", "--gotrace-baseline=HEAD~1", report, cwd=repository, code=1)
    assert "goroutine-leak.count" in output
    assert "1 over budget" in (tmp_path / "report" / "summary.md").read_text(encoding="utf-8")
