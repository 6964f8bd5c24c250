"""Says what to do when the compiled modules are missing; to be imported before them."""

from __future__ import annotations

from importlib.util import find_spec

_batch = find_spec("pytest_gotrace.trace.batch")
if _batch is None or str(_batch.origin).endswith(".py"):
    raise ImportError(
        "the compiled modules of pytest_gotrace.trace are missing; build them with `pip install -e .` "
        "(or `python setup.py build_ext --inplace`) in the source tree, or install a wheel"
    )
