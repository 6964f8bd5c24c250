"""The real Mermaid, from npm: GitHub draws charts with it, so tests ask it and pictures are made by it.

Versions are pinned in `tests/mermaid/package-lock.json`; what they name is installed once into the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PINNED = Path(__file__).parents[1] / "tests" / "mermaid"
_FILES = ("package.json", "package-lock.json")


def installed() -> Path:
    """The directory with `node_modules`, filled by `npm ci` if it is not there yet; no package's scripts are run.

    Raises `FileNotFoundError` with what to do where npm is missing.
    """
    state = hashlib.sha256(b"".join((PINNED / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = caches / "pytest-gotrace" / f"mermaid-{state}"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as unfinished:
            _install(Path(unfinished) / "new")
            try:
                (Path(unfinished) / "new").rename(home)
            except OSError:
                if not home.exists():  # else somebody else was faster
                    raise
    return home


def _install(directory: Path) -> None:
    directory.mkdir()
    for name in _FILES:
        shutil.copy(PINNED / name, directory)
    command = [_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=directory, check=True)


def script() -> Path:
    """Mermaid as one file for a page."""
    return installed() / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"


@contextmanager
def parser() -> Iterator[Callable[[Sequence[str]], list[dict[str, str]]]]:
    """Mermaid's own parser, one process for all it is asked: of each chart it tells `type` and `title`, or `error`."""
    # The script is given as text: then it finds the packages where it runs.
    script = (PINNED / "parse.mjs").read_text(encoding="utf-8")
    command = [_program("node"), "--input-type=module", "--eval", script]
    with subprocess.Popen(
        command, cwd=installed(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as node:

        def parse(charts: Sequence[str]) -> list[dict[str, str]]:
            assert node.stdin is not None
            assert node.stdout is not None
            print(json.dumps(list(charts)), file=node.stdin, flush=True)
            answers: list[dict[str, str]] = json.loads(node.stdout.readline())
            return answers

        yield parse


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(
            f"{name} is missing: `make browser` installs it (Debian: apt-get install nodejs npm)"
        )
    return found
