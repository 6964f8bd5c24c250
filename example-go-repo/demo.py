"""Two gates on this repository: one on a change that makes it wait, one on a change that does not.

    python demo.py

A copy of this directory becomes a git repository, a patch of `regressions/` becomes its second commit, and
`pytest --gotrace-baseline=HEAD~1` compares the two.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REGRESSIONS = HERE / "regressions"

#: A patch, and the exit code that pytest must end with.
GATES = (("unbuffered-channel", 1), ("harmless-rename", 0))


def main() -> int:
    """Run both gates; 0 if each said what its patch says it must."""
    for name, expected in GATES:
        with tempfile.TemporaryDirectory(prefix="gotrace-demo-") as directory:
            repository = make_repository(Path(directory) / "shop")
            commit_patch(repository, REGRESSIONS / f"{name}.patch")
            command = [sys.executable, "-m", "pytest", "--gotrace-baseline=HEAD~1", "--color=auto"]
            print(f"\n=== {name}: pytest --gotrace-baseline=HEAD~1\n", flush=True)
            found = subprocess.run(command, cwd=repository, check=False).returncode
        if found != expected:
            print(f"demo: {name}: expected exit code {expected}, found {found}", file=sys.stderr)
            return 1
    print("\ndemo: the first change was stopped, the second one let through, as both should be")
    return 0


def make_repository(directory: Path) -> Path:
    """A git repository with the Go module of this directory as its first commit."""
    shutil.copytree(
        HERE, directory, ignore=shutil.ignore_patterns("*.py", "__pycache__", "*.test", "*.trace")
    )
    git(directory, "init", "--quiet", "--initial-branch=main")
    commit(directory, "The shop")
    return directory


def commit_patch(repository: Path, patch: Path) -> None:
    """Apply a patch and commit it, under the sentence that says what it does."""
    git(repository, "apply", str(patch))
    what = next(line for line in patch.read_text(encoding="utf-8").splitlines() if line.startswith("What: "))
    commit(repository, what.removeprefix("What: "))


def commit(repository: Path, message: str) -> None:
    """Commit everything, whoever the user is and whatever he configured."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--no-verify", "--message", message)


def git(repository: Path, *arguments: str) -> None:
    """Run git in the repository; its errors end the program."""
    settings = (
        "user.name=demo",
        "user.email=demo@example.com",
        "commit.gpgSign=false",
        "core.autocrlf=false",
    )
    options = [part for setting in settings for part in ("-c", setting)]
    subprocess.run(["git", *options, *arguments], cwd=repository, check=True)


if __name__ == "__main__":
    sys.exit(main())
