"""Builds the compiled modules of `pytest_gotrace.trace`; all else stands in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, setup

COMPILED = ("batch", "columns", "generation", "gosort", "idmap", "order", "summary")

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"pytest_gotrace.trace.{name}",
                [f"pytest_gotrace/trace/{name}.py"],
                # -fwrapv: what overflows in a damaged file wraps around, as it does in Go.
                extra_compile_args=["-O3", "-fwrapv"],
            )
            for name in COMPILED
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
