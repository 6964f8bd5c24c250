from mmap import mmap

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.trace.batch import Generation
from pytest_gotrace.trace.names import Names
from pytest_gotrace.trace.table import Samples

class Codes:
    dense: bool
    ids: NDArray[np.uint64]
    codes: NDArray[np.int32]
    def __init__(self, codes: dict[bytes, int]) -> None: ...

class Tables:
    frequency: float
    strings: Codes
    stacks: Codes
    samples: Samples

def read_tables(data: mmap | memoryview, generation: Generation, wire: int, names: Names) -> Tables: ...
