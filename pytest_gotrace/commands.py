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
#: The view of `gotrace show` that says most of one event of such a series.
_VIEWS: Mapping[str, str] = {
    "sync-block": "blocking",
    "sched-wait": "sched",
    "syscall": "syscalls",
    "net-wait": "network",
}


def commands(kept: Sequence[KeptTrace], state: str) -> Iterator[str]:
    """How to look at the traces that were kept of one benchmark, worst first, whose time went into `state`."""
    paths = {(trace.side, trace.which): trace.path for trace in kept}
    for worst in [trace for trace in kept if trace.side == "head"][:1]:
        yield shlex.join(["go", "tool", "trace", worst.path])
        if worst.begin >= 0 and worst.duration > 0:
            yield shlex.join(["gotrace", "show", worst.path, *_moment(worst)])
    medians: list[str] = [paths[side, "median"] for side in _BOTH if (side, "median") in paths]
    if len(medians) < len(_BOTH):
        return
    if profile := _PROFILES.get(state.partition("[")[0]):
        both = [profile_path(path, profile) for path in medians]
        yield shlex.join(["go", "tool", "pprof", "-http=:", f"-diff_base={both[0]}", both[1]])
    yield shlex.join(["gotrace", "diff", *medians])


def _moment(trace: KeptTrace) -> Iterator[str]:
    """The options that leave nothing of the trace but the event that is to be looked at first."""
    yield f"--view={_VIEWS.get(trace.series.partition('[')[0], 'goroutines')}"
    if trace.goroutine >= 0:
        yield f"--goroutine={trace.goroutine}"
    yield from (f"--since={trace.begin}ns", f"--until={trace.begin + trace.duration}ns")


_BOTH: tuple[Side, Side] = ("base", "head")


def profile_path(trace: str, name: str) -> str:
    """Where the profile of that name of a kept trace is."""
    return f"{trace.removesuffix('.trace')}.{name}.pb.gz"


def again(base: str, benchmarks: Sequence[str]) -> str:
    """Measures those benchmarks once more, or all, against the commit `base`, or against what pytest finds itself.

    They are selected by their top-level names, since pytest's expressions know no slash.
    """
    option = "--gotrace-baseline" + (f"={base[:12]}" if base else "")
    names = dict.fromkeys(name.split("/")[0] for name in benchmarks)
    return shlex.join(["pytest", option, *(["-k", " or ".join(names)] if names else [])])
