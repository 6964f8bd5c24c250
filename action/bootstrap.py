"""Installs what an action needs, from the action's own checkout and from locks with hashes; it sees no secret.

    python3 -I bootstrap.py run       the plugin, its compiled core built here
    python3 -I bootstrap.py comment   the sources alone: no compiler, and nothing that could run a benchmark

Needs nothing but Python's own library, and 3.10 or newer somewhere on PATH. Its output `python` is the interpreter.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))  # `python -I` looks nowhere of itself, and nothing can be shadowed from the end

from action.refused import ActionError, refuse

OLDEST = (3, 10)
LOCKS = Path(__file__).resolve().parent

_SOURCES = ("pytest_gotrace", "templates", "setup.py", "pyproject.toml", "README.md", "LICENSE")
_USAGE = 4


def main(purpose: str, environ: Mapping[str, str] = os.environ) -> int:
    """Install for `purpose`, and say where. What is missing is a sentence and exit code 4."""
    began = time.monotonic()
    try:
        if purpose == "run":
            refuse(environ.get("GITHUB_EVENT_NAME", ""))
        python = _prepared(environ) or _install(purpose, environ)
    except ActionError as error:
        print(f"gotrace: {error}", flush=True)
        return _USAGE
    except subprocess.CalledProcessError as error:
        print(f"gotrace: `{' '.join(map(str, error.cmd[:6]))} …` failed; its output is above", flush=True)
        return _USAGE
    print(f"gotrace: installed in {time.monotonic() - began:.0f} s", flush=True)
    with open(environ.get("GITHUB_OUTPUT") or os.devnull, "a", encoding="utf-8") as file:
        file.write(f"python={python}\n")
    return 0


def _prepared(environ: Mapping[str, str]) -> str:
    """The environment in the input `venv`, which must have the very version of this checkout; "" without that input."""
    named = environ.get("GOTRACE_VENV", "")
    if not named:
        return ""
    python = _python_in(Path(named))
    asked = "import importlib.metadata as m; print(m.version('pytest-gotrace'))"
    try:
        said = subprocess.run(
            [python, "-I", "-c", asked], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ActionError(f"input venv: {named} is no environment with pytest-gotrace in it") from error
    if said.stdout.strip() != version():
        raise ActionError(
            f"input venv: {named} has version {said.stdout.strip()}, and this action is {version()}"
        )
    return python


def version() -> str:
    """The version of the sources that this action is part of."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "([^"]+)"', text, re.MULTILINE)
    return found.group(1) if found else ""


def _install(purpose: str, environ: Mapping[str, str]) -> str:
    place = Path(tempfile.mkdtemp(prefix=f"gotrace-{purpose}-", dir=environ.get("RUNNER_TEMP") or None))
    subprocess.run([_find_python(environ), "-I", "-m", "venv", str(place / "venv")], check=True)
    python = _python_in(place / "venv")
    if purpose == "run":
        _build_beside(python, place)
    else:
        _locked(python, "comment")
        _copy_packages(python)
    return python


def _build_beside(python: str, place: Path) -> None:
    """The core is compiled while the libraries are fetched: together they would take twice as long."""
    _locked(python, "build")
    wheel, offline = place / "wheel", ("--no-index", "--no-deps", "--no-cache-dir")
    building = [*_pip(python, "wheel"), *offline, "--no-build-isolation", f"--wheel-dir={wheel}"]
    with subprocess.Popen([*building, str(_copy(place / "sources"))]) as compiler:
        _locked(python, "run")
    if compiler.returncode:
        raise subprocess.CalledProcessError(compiler.returncode, building)
    subprocess.run([*_pip(python, "install"), *offline, *map(str, wheel.glob("*.whl"))], check=True)


def _locked(python: str, name: str) -> None:
    lock = LOCKS / f"requirements-{name}.txt"
    hashed = ("--require-hashes", "--only-binary=:all:", "--no-compile", f"--requirement={lock}")
    subprocess.run([*_pip(python, "install"), *hashed], check=True)


def _pip(python: str, command: str) -> list[str]:
    """Indexes of the machine are heeded: a hash is a hash wherever the file comes from."""
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    return [python, "-I", "-m", "pip", command, *quiet]


def _copy(destination: Path) -> Path:
    """The sources, away from the checkout: a build writes beside them. Nothing that was compiled before comes along."""
    destination.mkdir()
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "*.c", "__pycache__")
    for name in _SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, destination / name, ignore=ignored)
        else:
            shutil.copy(source, destination / name)
    return destination


def _copy_packages(python: str) -> None:
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    said = subprocess.run([python, "-I", "-c", asked], capture_output=True, text=True, check=True)
    site = Path(said.stdout.strip())
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "*.c", "*.pxd", "__pycache__")
    shutil.copytree(ROOT / "pytest_gotrace", site / "pytest_gotrace", ignore=ignored)
    shutil.copytree(ROOT / "templates", site / "pytest_gotrace_templates", ignore=ignored)


def _find_python(environ: Mapping[str, str]) -> str:
    """This interpreter if it is new enough, else the newest on PATH. Raises `ActionError`."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for name in _candidates():
        found = shutil.which(name, path=environ.get("PATH"))
        if found:
            return found
    wanted = ".".join(map(str, OLDEST))
    raise ActionError(
        f"Python {wanted} or newer is needed, and {sys.executable} is {sys.version.split()[0]}; "
        "add actions/setup-python before this step, or name one with the input python"
    )


def _candidates() -> Iterator[str]:
    return (f"python3.{minor}" for minor in range(19, OLDEST[1] - 1, -1))


def _python_in(venv: Path) -> str:
    return str(venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
