"""Builds the compiled modules of `pytest_gotrace.trace`; all else stands in pyproject.toml."""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

TRACE = Path("pytest_gotrace/trace")
COMPILED = [TRACE / "batch.py", TRACE / "generation.py", *sorted(TRACE.glob("core/[!_]*.py"))]

# -fwrapv: what overflows in a damaged file wraps around, as it does in Go. Other compilers may lack it.
# -O2 -g0: as fast as -O3, and a third less to compile wherever the core is built. Nobody debugs translated code.
FLAGS = ["-O2", "-g0", "-fwrapv"]

#: Translating and compiling take turns on one core otherwise. Elsewhere than on Linux workers would import this file.
WORKERS = os.cpu_count() or 1
TRANSLATORS = WORKERS if sys.platform == "linux" else 0

setup(
    ext_modules=cythonize(
        [
            Extension(
                ".".join(path.with_suffix("").parts),
                [str(path)],
                extra_compile_args=FLAGS,
            )
            for path in COMPILED
        ],
        language_level=3,
        compiler_directives={
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
        },
        annotate=False,
        nthreads=TRANSLATORS,
    ),
    options={"build_ext": {"parallel": WORKERS}},
)
