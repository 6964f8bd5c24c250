"""A temporary repository that borrows another's objects, and knows none of its programs."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from .errors import CheckoutError
from .git import Git, alone, explained

_COPIED_SETTINGS = (
    "core.autocrlf",
    "core.eol",
    "core.excludesFile",
    "core.fileMode",
    "core.ignoreCase",
    "core.precomposeUnicode",
    "core.symlinks",
)
"""What decides which files become blobs, and how. Nothing here names a program."""

_COPIED_FILES = ("info/exclude", "info/attributes")


def borrow(theirs: Git, temporary: Path) -> Git:
    """A bare repository in `temporary` with the objects, ignore rules and attributes of `theirs`."""
    ours, template = temporary / "repository.git", temporary / "template"
    for directory in (template, written(temporary)):
        directory.mkdir()
    settings = {key: value for key in _COPIED_SETTINGS if (value := _setting(theirs, key))}
    git = alone(temporary, theirs.program, settings, {"GIT_DIR": str(ours)})
    kind = theirs("rev-parse", "--show-object-format")
    git("init", "--quiet", "--bare", f"--object-format={kind}", f"--template={template}", ours)
    alternates = (git_path(theirs, "objects"), written(temporary))
    (ours / "objects" / "info" / "alternates").write_bytes(b"".join(map(_alternate, alternates)))
    (ours / "info").mkdir(exist_ok=True)
    for name in _COPIED_FILES:
        if (file := git_path(theirs, name)).is_file():
            shutil.copyfile(file, ours / name)
    with (ours / "info" / "attributes").open("ab") as attributes:
        attributes.write(b"\n*.go diff=golang\n")  # so that git knows where functions begin
    return git


def written(temporary: Path) -> Path:
    """Where new objects are written, out of sight of the borrowed ones."""
    return temporary / "objects"


def git_path(git: Git, name: str) -> Path:
    """A path below `.git`, which may be one of several directories if this is a worktree."""
    return git.directory / git("rev-parse", "--git-path", name)


def _setting(git: Git, key: str) -> str:
    kind = ("--type=path",) if key == "core.excludesFile" else ()
    return os.fsdecode(git.ask("config", *kind, "--get", key).stdout).rstrip("\n")


def _alternate(objects: Path) -> bytes:
    """A line of `objects/info/alternates`: in C quotes if it would not be read as a path otherwise."""
    path = os.fsencode(objects)
    if path.startswith((b'"', b"#")) or b"\n" in path:
        path = b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    return path + b"\n"


def temporary_directory(root: Path) -> Path:
    """A new directory outside of `root`. Raises `CheckoutError`."""
    parent = Path(tempfile.gettempdir()).resolve()
    if parent.is_relative_to(root):
        raise CheckoutError(f"TMPDIR, {parent}, lies inside the repository {root}. Set it to one outside.")
    with explained(f"no temporary directory can be made in {parent}"):
        return Path(tempfile.mkdtemp(prefix="gotrace-", dir=parent))


def remove(directory: Path) -> None:
    """Remove a directory, read-only ones in it included, as Go's module cache makes them. Follows no link."""
    shutil.rmtree(directory, ignore_errors=True)
    if not directory.exists():
        return
    for parent, _, _ in os.walk(directory):
        with contextlib.suppress(OSError):
            os.chmod(parent, stat.S_IRWXU)
    shutil.rmtree(directory, ignore_errors=True)
