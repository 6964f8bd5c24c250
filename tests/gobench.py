"""A bench on real checkouts: two directories that stand for base and head, without git around them."""

from __future__ import annotations

import os
from pathlib import Path

from gomodule import go_module

from pytest_gotrace.gotest import child_environment, find_go
from pytest_gotrace.prepare import Bench
from pytest_gotrace.progress import Silent

TOOLCHAIN = find_go(os.environ)


def bench(root: Path, *, base: dict[str, str] | None, head: dict[str, str], changed: tuple[str, ...] = ()):
    """Both sides with the Go files given, as in `go_module`; without `base` only the head."""
    sides = {"base": base, "head": head}
    scratch = root / "scratch"
    scratch.mkdir(parents=True)
    return Bench(
        toolchain=TOOLCHAIN,
        checkouts={
            side: go_module(root / side, **files) for side, files in sides.items() if files is not None
        },
        changed=changed,
        scratch=scratch,
        env=child_environment(os.environ),
        timeout=30.0,
        progress=Silent(),
    )
