"""The commands that show a regression to whoever does not believe it; for a shell in the directory of the report."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from pytest_gotrace.explanation import KeptTrace, Side

#: By how a state's name begins, the profile of `go tool trace` that shows where it was spent.
_PROFILES: Mapping[str, str] = {
    "sync-block": "sync",
    "sched-wait": "sched",
    "syscall": "syscall",
    "net-wait": "net",
}


def commands(kept: Sequence[KeptTrace], state: str) -> Iterator[str]:
    """How to look at the traces that were kept of one benchmark whose time went into `state`."""
    paths = {(trace.side, trace.which): trace.path for trace in kept}
    worst = paths.get(("head", "worst")) or paths.get(("head", "median"))
    if worst:
        yield shlex.join(["go", "tool", "trace", worst])
    medians: list[str] = [paths[side, "median"] for side in _BOTH if (side, "median") in paths]
    if len(medians) < len(_BOTH):
        return
    if profile := _PROFILES.get(state.partition("[")[0]):
        both = [profile_path(path, profile) for path in medians]
        yield shlex.join(["go", "tool", "pprof", "-http=:", f"-diff_base={both[0]}", both[1]])
    yield shlex.join(["gotrace", "diff", *medians])


_BOTH: tuple[Side, Side] = ("base", "head")


def profile_path(trace: str, name: str) -> str:
    """Where the profile of that name of a kept trace is."""
    return f"{trace.removesuffix('.trace')}.{name}.pb.gz"
