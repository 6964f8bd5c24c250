"""The core, compiled for the fuzzer: with sanitizers, and with counters on every edge of the C that Cython makes.

Nothing of the ordinary build is touched: the sources are copied to `build/core`, and compiled there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CORE = HERE / "build" / "core"
HOOKS = HERE / "build" / "hooks.so"
COPIED = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "pytest_gotrace", "templates")

# Signed numbers wrap around by -fwrapv, which the sanitizer knows; everything else that is undefined is a finding.
SANITIZED = (
    *("-g", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all", "-Wno-unused-command-line-argument"),
    "-fsanitize=address,undefined,float-cast-overflow,fuzzer-no-link",
)
MISSING = "fuzz: there is no `clang`, which compiles the core with sanitizers (Debian, Ubuntu: apt-get install clang)"


def build() -> None:
    """Compiles what has changed since the last time; `SystemExit` without a compiler."""
    clang = os.environ.get("FUZZ_CC", "clang")
    if shutil.which(clang) is None:
        raise SystemExit(MISSING)
    CORE.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        _copy(ROOT / name, CORE / name)
    env = {**os.environ, "CC": clang, "LDSHARED": f"{clang} -shared", "CFLAGS": " ".join(SANITIZED)}
    subprocess.run(
        (sys.executable, "setup.py", "-q", "build_ext", "--inplace"), cwd=CORE, env=env, check=True
    )
    subprocess.run((clang, "-O1", "-shared", "-fPIC", "-o", HOOKS, HERE / "hooks.c"), check=True)


def _copy(source: Path, target: Path) -> None:
    """Copies what is newer, and leaves the rest with its time, so that it is not compiled again."""
    if source.is_dir():
        target.mkdir(exist_ok=True)
        for path in source.iterdir():
            if path.suffix not in (".c", ".so", ".pyd") and path.name != "__pycache__":
                _copy(path, target / path.name)
    elif not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)
