"""Go's own trace reader as the truth: builds it, asks it about traces, and compares what it says with ours.

`internal/trace` may only be imported from within Go's own tree, so the program is put there by an overlay: nothing is
downloaded, and nothing of Go is copied. The accounting of goroutines that were there before the trace began changed
until Go 1.26, so only oracles of 1.26 and newer are compared line by line.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pytest_gotrace.trace import dump

HERE = Path(__file__).parent
TRACES = HERE.parent / "testdata" / "traces"
PACKAGE = "cmd/gotraceoracle"
TRUSTED_SINCE = (1, 26)
UNSUPPORTED = {"coroutines": (1, 23)}  # scenarios, and the Go that knows of them

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """A Go toolchain, by the path of its `go` command."""

    command: str

    def run(self, *args: str, cwd: Path | None = None) -> str:
        env = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
        done = subprocess.run((self.command, *args), cwd=cwd, env=env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"go {' '.join(args)}: {done.stderr}")
        return done.stdout.strip()

    @property
    def version(self) -> tuple[int, int]:
        found = re.search(r"go(\d+)\.(\d+)", self.run("env", "GOVERSION"))
        assert found is not None
        return int(found[1]), int(found[2])

    def build_oracle(self, into: Path) -> Path:
        """Builds the oracle inside the toolchain's tree, by an overlay."""
        root = Path(self.run("env", "GOROOT"))
        overlay, program = into / "overlay.json", into / "oracle"
        main = root / "src" / PACKAGE / "main.go"
        overlay.write_text(json.dumps({"Replace": {str(main): str(HERE / "oracle.go")}}))
        self.run("build", "-overlay", str(overlay), "-o", str(program), PACKAGE, cwd=root / "src")
        return program

    def build_workload(self, into: Path) -> Path:
        """Builds the program whose traces are compared."""
        program = into / "workload"
        self.run("build", "-o", str(program), ".", cwd=HERE / "workload")
        return program


def record(workload: Path, scenario: str, into: Path, *args: str) -> Path:
    """Runs a scenario of the workload, and keeps its trace."""
    path = into / f"{scenario}.trace"
    subprocess.run((workload, scenario, path, *args), check=True, timeout=300)
    return path


def ask(oracle: Path, *args: str) -> str:
    done = subprocess.run((oracle, *args), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def differences(oracle: Path, trace: Path) -> Iterator[str]:
    """What Go says of the trace and we do not, or the other way round; nothing if all is as it should be."""
    theirs = [json.loads(line) for line in ask(oracle, str(trace)).splitlines()]
    ours = [json.loads(line) for line in dump.lines(trace)]
    ours[-1].pop("wire")
    for go, own in zip_longest(theirs, ours):
        if go != own:
            yield _difference(go, own)


def _difference(go: Row | None, own: Row | None) -> str:
    if go is None or own is None:
        return f"only {'we' if go is None else 'Go'} say {own or go}"
    keys = [key for key in {**go, **own} if go.get(key) != own.get(key)]
    place = {key: go.get(key) for key in ("kind", "id", "goroutine", "name") if key in go}
    told = "; ".join(f"{key}: Go {go.get(key)!r}, we {own.get(key)!r}" for key in keys)
    return f"{place}: {told}"


def main(paths: list[str]) -> int:
    """Compares each trace with what the `go` on PATH says of it; how many differ."""
    go = Go(command="go")
    if go.version < TRUSTED_SINCE:
        raise SystemExit(f"the oracle needs Go 1.{TRUSTED_SINCE[1]} or newer, found 1.{go.version[1]}")
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        oracle = go.build_oracle(Path(scratch))
        for path in paths:
            found = list(differences(oracle, Path(path)))
            print(f"{path}: {len(found) or 'no'} difference{'' if len(found) == 1 else 's'}")
            print("".join(f"  {line}\n" for line in found[:20]), end="")
            wrong += bool(found)
    return wrong
