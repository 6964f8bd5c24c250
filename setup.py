"""Builds the compiled modules of `pytest_gotrace.trace`; all else stands in pyproject.toml."""

import sysconfig

from Cython.Build import cythonize
from setuptools import Extension, setup

COMPILED = (
    "annotations",
    "batch",
    "emulator",
    "faults",
    "generation",
    "goroutines",
    "gosort",
    "idmap",
    "ledger",
    "machine",
    "order",
    "parts",
    "processors",
    "ranges",
    "sheets",
    "syscalls",
    "wire",
)

# -fwrapv: what overflows in a damaged file wraps around, as it does in Go. The rest lets GCC put the handlers of
# events into the loop that calls them, which is worth a tenth of the time; other compilers ignore or lack it.
FLAGS = ["-O3", "-fwrapv"]
if sysconfig.get_config_var("CC") and "gcc" in sysconfig.get_config_var("CC"):
    FLAGS += [
        "--param=inline-unit-growth=300",
        "--param=large-function-growth=2000",
        "--param=max-inline-insns-auto=200",
    ]

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"pytest_gotrace.trace.{name}",
                [f"pytest_gotrace/trace/{name}.py"],
                extra_compile_args=FLAGS,
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
