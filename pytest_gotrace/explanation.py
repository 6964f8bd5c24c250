"""Why a benchmark moved, as a reader will see it: states, lines, stacks, a diagnosis, and what to look at.

Part of a `report.Report`. Times are nanoseconds per operation unless a field says otherwise; a name from outside is
text as it was found, and whoever shows it makes it harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["base", "head"]
Which = Literal["median", "worst"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and the ends of its confidence interval; a relative change of 0.14 is +14 %."""

    center: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StateShift:
    """Time goroutines spent in one state (`sync-block[chan send]`), on both sides; `steady` if beyond its own noise."""

    state: str
    base: float
    head: float
    steady: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Where the time of one benchmark went, by state, in the order of the catalogue."""

    benchmark: str
    states: tuple[StateShift, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShift:
    """Time spent in a state at one source line, on both sides; of `goroutine-leak` it is goroutines that stay.

    `waker_*` is the line that ended the waits, `waker_group` the start function of the goroutines that did.
    `changed`: the line, or its function, is one that the diff between the sides touches; `waker_changed` likewise.
    """

    state: str
    function: str
    file: str
    line: int
    base: float
    head: float
    changed: bool = False
    waker_function: str = ""
    waker_file: str = ""
    waker_line: int = 0
    waker_group: str = ""
    waker_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StackShift:
    """Time spent in a state at one stack, outermost frame first; each frame is `function file:line`."""

    state: str
    frames: tuple[str, ...]
    base: float
    head: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why one benchmark is over its budget, the cause first, then the largest shift.

    `sentence` says where the time went and at which line, `diagnosis` what that usually means (the rule `rule` of
    `causes`), `advice` what to try; names inside them stand in `backticks`. `commands` show it: each is one line for
    a shell in the directory of the report.
    """

    benchmark: str
    sentence: str
    rule: str = ""
    diagnosis: str = ""
    advice: str = ""
    states: tuple[StateShift, ...] = ()
    lines: tuple[LineShift, ...] = ()
    stacks: tuple[StackShift, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTrace:
    """A trace that was kept to be looked at; `path` is relative to `report.json`.

    It is the `which` run among `runs` of its side by the number `by`, which was `value` of `unit`. What to look at
    first is the longest event of `series`: it began on `goroutine`, `begin` ns after the trace did, and took `duration`
    ns; -1 where there is none. `at` is its line (`pool/pool.go:41`) where the why speaks of one, else "".
    """

    benchmark: str
    side: Side
    which: Which
    path: str
    by: str = ""
    value: float | None = None
    unit: str = ""
    runs: int = 0
    series: str = ""
    at: str = ""
    goroutine: int = -1
    begin: int = -1
    duration: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Heap and garbage collection over time of one kept trace, thinned out; times in ms since the trace began.

    `heap` and `goal` are bytes at `times`; collection k lasted from `gc_begin[k]` to `gc_end[k]`.
    """

    benchmark: str
    side: Side
    which: Which
    times: tuple[float, ...] = ()
    heap: tuple[float, ...] = ()
    goal: tuple[float, ...] = ()
    gc_begin: tuple[float, ...] = ()
    gc_end: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A remark at a line of the head, `file` relative to the repository."""

    level: Literal["error", "warning"]
    file: str
    line: int
    title: str
    message: str
