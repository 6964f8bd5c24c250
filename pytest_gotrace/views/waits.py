"""Where goroutines waited, and who ended the wait: the profiles of `go tool trace`, and what it does not add up.

What counts is what Go's profiles count, so that ours can be laid beside them: waits that ended, each from the
goroutine's first run on and until its end. Hence the first wait of a new goroutine, for a processor, is not in the
profile of the scheduler; it has a listing of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_gotrace.trace import Frame, State, Table
from pytest_gotrace.views.groups import Groups, combined
from pytest_gotrace.views.listing import Kind, Listing, key, listing, note, total, worst
from pytest_gotrace.views.scope import Scope, last_lives
from pytest_gotrace.views.spans import Ints
from pytest_gotrace.views.stacks import calls, leaf, place

_SYNC = ("chan", "sync", "select")


def _anything(reason: str) -> bool:
    return True


def is_sync(reason: str) -> bool:
    """Whether this is a reason to block on another goroutine, as `go tool trace` has it."""
    return any(word in reason for word in _SYNC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile of `go tool trace -pprof=NAME`: the state it measures, and for which reasons to be in it."""

    name: str
    title: str
    state: State
    counts: Callable[[str], bool]


#: The profiles by the view that shows them.
PROFILES = {
    "blocking": Profile(
        name="sync",
        title="Blocked on other goroutines, by stack",
        state=State.WAITING,
        counts=is_sync,
    ),
    "network": Profile(
        name="net",
        title="Blocked on the network, by stack",
        state=State.WAITING,
        counts=lambda reason: reason == "network",
    ),
    "syscalls": Profile(
        name="syscall", title="In system calls, by stack", state=State.SYSCALL, counts=_anything
    ),
    "sched": Profile(
        name="sched",
        title="Runnable, but not running, by the stack that made it so",
        state=State.RUNNABLE,
        counts=_anything,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Waits of one profile: rows of `table.states`, how many ns of each count, and its stack."""

    rows: NDArray[np.int64]
    time: Ints
    stack: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A stack (leaf first), how many waits there were at it, and how many ns they took."""

    stack: tuple[Frame, ...]
    count: int
    time: int


def waits(scope: Scope, profile: Profile) -> Waits:
    """The waits that the profile counts."""
    own = scope.table.states
    reasons = [code for code in np.unique(own.reason).tolist() if profile.counts(scope.table.strings[code])]
    rows = np.flatnonzero((own.state == profile.state) & (own.end >= 0) & np.isin(own.reason, reasons))
    since, until = _counted(scope.table, own.goroutine[rows])
    begin, end = np.maximum(own.begin[rows], since), np.minimum(own.end[rows], until)
    time = scope.spans.inside(own.goroutine[rows], begin, end)
    rows, time = rows[time > 0], time[time > 0]
    stack = origins(scope.table, rows) if profile.state == State.RUNNABLE else own.stack[rows]
    return Waits(rows=rows, time=time, stack=_telling(scope.table, stack))


def _telling(table: Table, stacks: NDArray[np.int32]) -> NDArray[np.int32]:
    """Stacks, where one of nothing but unknown frames is the same as none: Go takes the two for one, too."""
    distinct, which = np.unique(stacks, return_inverse=True)
    known = [code if any(map(any, table.stacks[code])) else 0 for code in distinct.tolist()]
    return np.array(known, dtype=np.int32)[which.ravel()]


def samples(scope: Scope, profile: Profile) -> list[Sample]:
    """The profile: waits by stack."""
    found = waits(scope, profile)
    groups = Groups(found.stack)
    return [
        Sample(stack=scope.table.stacks[stack], count=count, time=time)
        for stack, count, time in zip(
            groups.keys.tolist(), groups.counts.tolist(), groups.sum(found.time).tolist(), strict=True
        )
    ]


def _counted(table: Table, goroutines: Ints) -> tuple[Ints, Ints]:
    """From when on and until when each goroutine counts: its first run (or ever, if it never ran), its end."""
    lives, own = last_lives(table), table.goroutines
    if len(lives) == 0 or len(goroutines) == 0:
        nothing = np.zeros(len(goroutines), dtype=np.int64)
        return nothing, nothing
    at = lives[np.minimum(np.searchsorted(own.id[lives], goroutines), len(lives) - 1)]
    return own.start[at], np.where(own.end[at] < 0, table.end, own.end[at])


def origins(table: Table, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """The stacks that made goroutines runnable: their own if they yielded, else that of who ended their wait."""
    own = table.states
    both = np.flatnonzero((own.state == State.RUNNABLE) | (own.state == State.WAITING))
    order = both[np.lexsort((own.begin[both], own.goroutine[both]))]
    before, after = order[:-1], order[1:]
    follows = (own.goroutine[before] == own.goroutine[after]) & (own.end[before] == own.begin[after])
    stacks = own.stack.copy()
    woken = follows & (own.stack[after] == 0) & (own.state[before] == State.WAITING)
    stacks[after[woken]] = own.waker_stack[before[woken]]
    return stacks[rows]


def view(name: str) -> Callable[[Scope], tuple[Listing, ...]]:
    """The view that shows the profile of that name of `PROFILES`."""
    profile = PROFILES[name]

    def look(scope: Scope) -> tuple[Listing, ...]:
        found = waits(scope, profile)
        shown = [_by_stack(name, profile, scope, found)]
        if profile.state == State.WAITING:
            shown.append(_by_waker(name, scope, found))
        if profile.state == State.RUNNABLE:
            shown += [_by_group(scope, found), _first_runs(scope)]
        return tuple(shown)

    return look


def _summed(groups: Groups, times: Ints) -> Iterator[tuple[int, int, int, int]]:
    """Of each group its first row, how many rows it has, their time, and the longest."""
    columns = (groups.first, groups.counts, groups.sum(times), groups.max(times))
    return zip(*(column.tolist() for column in columns), strict=True)


def _by_stack(name: str, profile: Profile, scope: Scope, found: Waits) -> Listing:
    strings, stacks = scope.table.strings, scope.table.stacks
    reasons = scope.table.states.reason[found.rows]
    groups = Groups(combined(reasons, found.stack))
    rows = []
    for first, count, time, longest in _summed(groups, found.time):
        stack = stacks[int(found.stack[first])]
        function, where = place(stack)
        rows.append(
            (strings[reasons[first]], leaf(stack), function, where, count, time, longest, calls(stack))
        )
    columns = (
        key("reason"),
        key("in", Kind.FUNCTION),
        key("function", Kind.FUNCTION),
        note("line", Kind.PLACE),
        total("count", Kind.COUNT),
        total("time"),
        worst("max"),
        note("stack", Kind.STACK),
    )
    return listing(name, profile.title, columns, rows, by="time")


def _by_waker(name: str, scope: Scope, found: Waits) -> Listing:
    """The same waits by who ended them; the runtime itself does it without a goroutine (timers, the network)."""
    table, own = scope.table, scope.table.states
    wakers, reasons = own.waker[found.rows], own.reason[found.rows]
    names = np.where(wakers < 0, -1, scope.names(wakers))
    by = own.waker_stack[found.rows]
    groups = Groups(combined(reasons, found.stack, names, by))
    rows = []
    for first, count, time, longest in _summed(groups, found.time):
        waited, woke = table.stacks[int(found.stack[first])], table.stacks[int(by[first])]
        group = table.strings[names[first]] if names[first] >= 0 else None
        at, ended = place(waited), place(woke)
        rows.append(
            (table.strings[reasons[first]], at[0], at[1], group, *ended, count, time, longest, calls(woke))
        )
    columns = (
        key("reason"),
        key("function", Kind.FUNCTION),
        note("line", Kind.PLACE),
        key("ended by", Kind.FUNCTION),
        key("in function", Kind.FUNCTION),
        note("at line", Kind.PLACE),
        total("count", Kind.COUNT),
        total("time"),
        worst("max"),
        note("stack", Kind.STACK),
    )
    return listing(f"{name}-wakers", "The same waits, by who ended them", columns, rows, by="time")


_LATENCY = (
    key("function", Kind.FUNCTION),
    total("count", Kind.COUNT),
    total("time"),
    worst("p50"),
    worst("p90"),
    worst("p99"),
    worst("max"),
)


def _by_group(scope: Scope, found: Waits) -> Listing:
    names = scope.names(scope.table.states.goroutine[found.rows])
    title = "Runnable, but not running, by start function"
    return _latencies("sched-groups", title, scope, names, found.time)


def _first_runs(scope: Scope) -> Listing:
    """How long new goroutines waited for their first processor."""
    own = scope.table.goroutines
    born = (own.create > scope.table.begin) & (own.start >= own.create) & scope.has(own.id)
    born &= (own.create >= scope.begin) & (own.start <= scope.end)
    wait = (own.start - own.create)[born]
    return _latencies("sched-first", "From creation to first run", scope, own.name[born], wait)


def _latencies(name: str, title: str, scope: Scope, names: NDArray[np.int32], times: Ints) -> Listing:
    groups = Groups(names)
    columns = (groups.counts, groups.sum(times), *groups.quantiles(times, (0.5, 0.9, 0.99, 1.0)))
    rows = [
        (scope.table.strings[code], *numbers)
        for code, *numbers in zip(groups.keys.tolist(), *(column.tolist() for column in columns), strict=True)
    ]
    return listing(name, title, _LATENCY, rows, by="time")
