from array import array
from mmap import mmap

from pytest_gotrace.errors import TraceError

class Generation:
    offset: int
    number: int
    first_tick: int
    damage: TraceError | None
    events: array[int]
    strings: array[int]
    stacks: array[int]
    samples: array[int]
    sync: array[int]
    def __init__(self, offset: int) -> None: ...

class Scanner:
    def __init__(self, data: mmap | memoryview, position: int, wire: int) -> None: ...
    def next(self) -> Generation | None: ...
