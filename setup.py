"""Builds the compiled modules of `pytest_gotrace.trace`; all else stands in pyproject.toml."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

TRACE = Path("pytest_gotrace/trace")
COMPILED = [TRACE / "batch.py", TRACE / "generation.py", *sorted(TRACE.glob("core/[!_]*.py"))]

# -fwrapv: what overflows in a damaged file wraps around, as it does in Go. Other compilers may lack it.
FLAGS = ["-O3", "-fwrapv"]

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
    )
)
