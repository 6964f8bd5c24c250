"""Small git repositories for tests, made with the real git and nobody's settings."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "protocol.file.allow",
    "GIT_CONFIG_VALUE_0": "always",
    "GIT_CONFIG_KEY_1": "maintenance.auto",  # which newer gits do in the background, while a test looks at `.git`
    "GIT_CONFIG_VALUE_1": "false",
}


def git(directory: Path, *arguments: str | Path) -> str:
    """Run git as a user would, and return what it prints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=directory,
        env={**clean, **IDENTITY},
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return os.fsdecode(done.stdout).rstrip("\n")


def write(root: Path, **files: str) -> None:
    """Write files; in their names `__` stands for a slash and `_dot_` for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(root: Path, message: str = "change", **files: str) -> str:
    """Write files, commit everything, and return the new commit's hash."""
    write(root, **files)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")


def project(root: Path, *options: str) -> Path:
    """A repository on the branch `main` with one commit of two files."""
    root.mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch=main", *options)
    commit(root, "first", go_dot_mod="module example.com/m\n", a_dot_txt="one\n")
    return root


def listing(root: Path) -> dict[str, tuple[int, int, int]]:
    """Everything below `root`, `.git` included: mode, size and time of last change of each."""
    found = {}
    for parent, directories, files in os.walk(root):
        for name in (*directories, *files):
            status = os.lstat(os.path.join(parent, name))
            found[os.path.join(parent, name)] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


def files(root: Path) -> dict[str, str]:
    """The text of every file below `root`, links as `-> target`."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[path.relative_to(root).as_posix()] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[path.relative_to(root).as_posix()] = path.read_text()
    return found
