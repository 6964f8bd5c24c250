"""A small Go repository, and pytest run in it as a person would: real git, real Go, real traces.

What the benchmarks cost is written in constants, so that a test decides what changes and by how much. Judged is
what cannot be in doubt: allocations, which are exact, or times that differ twenty-fold.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from gitproject import commit, git, listing, write

#: Short runs, few of them, always in the same order.
FAST = ("--gotrace-run-time=5ms", "--gotrace-pairs=6", "--gotrace-seed=1")

#: What costs time to import, and therefore is not, until it is needed.
HEAVY = ("numpy", "scipy", "jinja2", "yaml", "github3", "rich", "jsonschema")

GO_MOD = "module example.com/shop\n\ngo 1.22\n"

TILL = """// Package till counts coins, and costs what its constants say.
package till

const (
	Coins = 1
	Steps = 2000
)

var (
	purse []byte
	sum   int
)

// Pay allocates once for each coin.
func Pay() {
	for i := 0; i < Coins; i++ {
		purse = make([]byte, 64)
	}
}

// Look takes its time and allocates nothing.
func Look() {
	for i := 0; i < Steps; i++ {
		sum += i ^ sum
	}
}
"""

TILL_TEST = """package till

import (
	"context"
	"runtime/trace"
	"testing"
)

func BenchmarkPay(b *testing.B) {
	for _, size := range []string{"small", "large"} {
		b.Run(size, func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				Pay()
			}
		})
	}
}

// Ten looks are enough for a median, however few iterations a busy machine allows.
func BenchmarkServe(b *testing.B) {
	for i := 0; i < b.N; i++ {
		for j := 0; j < 10; j++ {
			trace.WithRegion(context.Background(), "look", Look)
		}
	}
}
"""

BUDGET = """version: 1
budgets:
  "till/BenchmarkPay/*":
    allocs/op: +10%
  "till/BenchmarkServe":
    region[look].p50: +100% and 1us
"""

#: Python's compiled files of all sessions: with pytest's rewriting of assertions they cost a second each time.
_COMPILED = Path(tempfile.gettempdir()) / f"pytest-gotrace-compiled-{getpass.getuser()}"

SMALL, LARGE = (f"gotrace.yaml::till/BenchmarkPay/{size}::allocs/op" for size in ("small", "large"))
SERVE = "gotrace.yaml::till/BenchmarkServe::region[look].p50"


class Shop:
    """A Go repository at `root`, and the directory `temporary`, in which whatever we leave behind would be found."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.temporary = root.parent / f"{root.name}.tmp"
        self.temporary.mkdir(exist_ok=True)

    def open(self) -> Shop:
        """Write the files and commit them."""
        self.root.mkdir(parents=True, exist_ok=True)
        git(self.root, "init", "--quiet", "--initial-branch=main")
        self.write(
            go_dot_mod=GO_MOD,
            till__till_dot_go=TILL,
            till__till_test_dot_go=TILL_TEST,
            gotrace_dot_yaml=BUDGET,
            _dot_gitignore=".pytest_cache/\n__pycache__/\n",
        )
        self.commit("open the shop")
        return self

    def write(self, **files: str) -> None:
        """Write files; in their names `__` stands for a slash and `_dot_` for a dot."""
        write(self.root, **files)

    def commit(self, message: str = "change", **files: str) -> str:
        """Write files and commit everything."""
        return commit(self.root, message, **files)

    def cost(self, *, package: str = "till", commit: bool = True, **constants: int) -> None:
        """Change what things cost: `Coins` allocations, `Steps` of work."""
        path = self.root / package / "till.go"
        text = path.read_text()
        for name, value in constants.items():
            text = re.sub(rf"{name} = \d+", f"{name} = {value}", text)
        path.write_text(text)
        if commit:
            self.commit(f"cost {constants}")

    def refactor(self) -> None:
        """A change that changes the binary, and what it costs not."""
        self.commit("say more", till__more_dot_go="package till\n\nfunc init() { sum = 3 }\n")

    def budget(self, text: str, name: str = "gotrace.yaml") -> None:
        """Write a budget; it need not be committed, since it is read where it lies."""
        (self.root / name).write_text(text)

    def command(self, *arguments: str) -> list[str]:
        """pytest as it is installed here; hypothesis takes a second to say that it is there."""
        return [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", *arguments]

    def environment(self, **changes: str) -> dict[str, str]:
        """The person's environment, without what our own test session and a CI runner put there."""
        ours = re.compile("PYTEST_|COV_|GITHUB_|CI$|PYTHONDONTWRITEBYTECODE$")
        kept = {name: value for name, value in os.environ.items() if not ours.match(name)}
        own = {"TMPDIR": str(self.temporary), "PYTHONPYCACHEPREFIX": str(_COMPILED), "COLUMNS": "200"}
        return {**kept, **own, **changes}

    def pytest(self, *arguments: str, at: str = ".", **environment: str) -> pytest.RunResult:
        """Run pytest in a directory of the repository."""
        return self._run(self.command(*arguments), at, environment)

    def gate(self, *arguments: str, at: str = ".", **environment: str) -> pytest.RunResult:
        """Run pytest against the commit before, with runs as short as they may be."""
        return self.pytest("--gotrace-baseline=HEAD~1", *FAST, *arguments, at=at, **environment)

    def gotrace(self, *arguments: str, at: str = ".", **environment: str) -> pytest.RunResult:
        """Run the command `gotrace`."""
        return self._run([sys.executable, "-m", "pytest_gotrace.cli", *arguments], at, environment)

    def _run(self, command: list[str], at: str, environment: dict[str, str]) -> pytest.RunResult:
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.root / at,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=540,  # a machine may be slow; what hangs is ended before the test is
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return pytest.RunResult(
            done.returncode,
            done.stdout.splitlines(),
            done.stderr.splitlines(),
            time.monotonic() - began,
        )

    def leftovers(self) -> list[str]:
        """What of ours is still there, `pytest`'s own temporary directories aside."""
        return [path.name for path in self.temporary.iterdir() if not path.name.startswith("pytest-of-")]

    def state(self) -> tuple[str, dict[str, tuple[int, int, int]]]:
        """What git says, and everything below `.git`, to be compared with the same later."""
        return git(self.root, "--no-optional-locks", "status", "--porcelain"), listing(self.root / ".git")


def copy(shop: Shop, root: Path) -> Shop:
    """The same repository somewhere else."""
    shutil.copytree(shop.root, root, symlinks=True)
    return Shop(root)


def lines(result: pytest.RunResult, beginning: str) -> list[str]:
    """The lines of standard output that begin like this."""
    return [line for line in result.outlines if line.startswith(beginning)]


def text(result: pytest.RunResult) -> str:
    """Everything that was printed."""
    return "\n".join((*result.outlines, *result.errlines))
