"""The budget of the base in the place of the head's, so that no change can relax what it is held to.

Shards and the job that joins them must see the same file where `gotrace.yaml` lies, so it is put there and taken away
again. What is measured is a commit, which that does not touch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from action.refused import ActionError
from pytest_gotrace.git import Git


@contextlib.contextmanager
def from_base(git: Git, path: Path, base: str) -> Iterator[bool]:
    """As long as this lasts, `path` is what it is in the commit `base`; False, and nothing is done, if it is not there.

    Raises `ActionError` for a path that leads out of the repository.
    """
    theirs = _blob(git, path, base)
    if theirs is None:
        yield False
        return
    aside = path.with_name(f".{path.name}.head")
    there = path.is_symlink() or path.exists()
    if there:
        path.rename(aside)  # what a link leads to is not written to
    try:
        path.write_bytes(theirs)
        yield True
    finally:
        path.unlink(missing_ok=True)
        if there:
            aside.rename(path)


def _blob(git: Git, path: Path, base: str) -> bytes | None:
    root = Path(git("rev-parse", "--show-toplevel")).resolve()
    place = path.parent.resolve() / path.name
    if not place.is_relative_to(root):
        raise ActionError(f"input budget: {path} is not in the repository {root}")
    found = git.ask("cat-file", "blob", f"{base}:{place.relative_to(root).as_posix()}")
    return None if found.returncode else found.stdout
