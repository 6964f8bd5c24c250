"""The real installation: locks with hashes, a compiled core, and a comment door without one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from composite import ROOT, entries

from action import bootstrap
from action.refused import ActionError


def install(tmp_path: Path, purpose: str) -> str:
    """The interpreter that an installation ends with."""
    output = tmp_path / "output"
    program = ROOT / "action" / "bootstrap.py"
    environ = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-I", program, purpose],
        env={**environ, "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(output)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return entries(output.read_text())["python"]


def asked(python: str, program: str, cwd: Path) -> str:
    """What a program prints, started as the actions start it."""
    done = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, check=True, cwd=cwd)
    return done.stdout.strip()


@pytest.mark.slow
def test_the_run_action_is_installed(tmp_path):
    """From its own checkout come the plugin, the version of pyproject.toml, and a core that is compiled."""
    python = install(tmp_path, "run")
    program = (
        "import importlib.metadata as m, pytest_gotrace.trace.batch as b, pytest_gotrace.plugin; "
        "print(m.version('pytest-gotrace'), b.__file__)"
    )
    version, core = asked(python, program, tmp_path).split(" ", 1)
    assert version == bootstrap.version()
    assert core.endswith((".so", ".pyd"))
    assert core.startswith(str(tmp_path))
    assert not list((ROOT / "action").glob("**/*.so"))


@pytest.mark.slow
def test_the_comment_action_is_installed(tmp_path):
    """What comments reads and renders reports, and has neither pytest, nor numpy, nor a compiled core."""
    python = install(tmp_path, "comment")
    program = (
        "import pytest_gotrace.report_json, pytest_gotrace.render, github3, importlib.util as u; "
        "print(*(bool(u.find_spec(name)) for name in ('pytest', 'numpy', 'Cython')))"
    )
    assert asked(python, program, tmp_path) == "False False False"
    asked(python, "from pytest_gotrace.render import render_summary", tmp_path)
    assert not [path for path in tmp_path.rglob("pytest_gotrace/**/*.so")]


def test_a_python_that_is_too_old(monkeypatch, tmp_path):
    """An old interpreter looks for a newer one on PATH; without any, the error says how to get one."""
    monkeypatch.setattr("action.bootstrap.OLDEST", (3, 99))
    with pytest.raises(ActionError, match=r"Python 3.99 or newer is needed.*actions/setup-python"):
        bootstrap._find_python({"PATH": str(tmp_path)})


def test_a_newer_python_is_found(monkeypatch, tmp_path):
    """The newest interpreter on PATH is taken by its name."""
    monkeypatch.setattr("action.bootstrap.OLDEST", (3, 14))
    monkeypatch.setattr("sys.version_info", (3, 9, 0))
    for name in ("python3.14", "python3.16"):
        shutil.copy(sys.executable, tmp_path / name)
    assert bootstrap._find_python({"PATH": str(tmp_path)}) == str(tmp_path / "python3.16")
