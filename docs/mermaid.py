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
from collections.abc import Sequence
from pathlib import Path

PINNED = Path(__file__).parents[1] / "tests" / "mermaid"
_FILES = ("package.json", "package-lock.json")


def missing() -> str:
    """What is not on PATH and needed, or ""."""
    return " and ".join(name for name in ("node", "npm") if shutil.which(name) is None)


def installed() -> Path:
    """The directory with `node_modules`, filled by `npm ci` if it is not there yet; no package's scripts are run."""
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
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=directory, check=True)


def script() -> Path:
    """Mermaid as one file for a page."""
    return installed() / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"


def parse(charts: Sequence[str]) -> list[dict[str, str]]:
    """For each chart the `type` and `title` that Mermaid's own parser finds, or its `error`."""
    done = subprocess.run(
        # given as text, it finds the packages where it runs
        ["node", "--input-type=module", "--eval", (PINNED / "parse.mjs").read_text(encoding="utf-8")],
        cwd=installed(),
        input=json.dumps(list(charts)),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    answers: list[dict[str, str]] = json.loads(done.stdout)
    return answers
