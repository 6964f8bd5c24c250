"""Disturbances by others on the machine, seen without a look at what was measured.

Each source is read before and after a process, and compared with what is usual: what nine in ten of the runs before
stayed below. So a virtual machine that is always short of CPU, one with busy neighbours now and then, or a benchmark
that keeps more threads than there are CPUs, is not disturbed by being itself. A pair in which a source is beyond that
by its limit is measured again, both sides, whatever its numbers are: nobody has looked at them. At most a fifth of the
pairs may be, so that a bad day does not last for ever; two runs a pair and one run in ten make just that fifth.

That such repeats help is simulated: with four disturbances in five seen, power rises from 32 % to 78 %; so many are
seen of those in 5 % of the pairs on a quiet machine. Under steady loads of seven kinds 2 to 12 % of the pairs were
flagged; compared with the median of the runs before it were 13 to 45 %.

The limits, in `SOURCES`, are ours. They are meant to let single events of ordinary system life through: what they miss
is noise, which the statistics are for, and what they see too often costs time alone, which is bounded.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

#: At most this share of the pairs is measured again.
SHARE = 0.2
#: Earlier runs that are needed to know what is usual, and how many are remembered.
_ENOUGH, _REMEMBERED = 3, 100
#: A spin lasts about so long, in seconds, and the best of so many counts: one interrupt is no disturbance.
_SPIN_SECONDS, _SPINS = 0.0004, 3
#: What the kernel counts steal in, in seconds. One tick may be rounding.
_TICK = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something that tells of disturbances. `limit` is how far above what is usual it may be.

    `shared`: what is usual is a property of the machine; else of the benchmark, which makes its own share of it.
    """

    name: str
    limit: float
    shared: bool
    about: str


#: Shares of a run's time, but for `spin`, which is a share of its own usual time.
SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        # A twentieth of a run is as much as the regressions that people budget for.
        Source(name="steal", limit=0.05, shared=True, about="the hypervisor took CPU time away"),
        # A benchmark's own threads wait for each other for a third to two thirds of its time, give or take a tenth.
        Source(name="pressure", limit=0.25, shared=False, about="more than usual waited for a CPU"),
        # Clocks of CPUs rise and fall by a tenth or two with heat and load; a busy twin of the core costs 30 to 100 %.
        Source(name="spin", limit=0.25, shared=True, about="the CPU was slower than usual"),
    )
}


@dataclass(slots=True)
class Seen:
    """What disturbed one process, by the names of the sources; known when it has ended."""

    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    at: float
    steal: float = 0.0
    pressure: float = 0.0
    spin: float = 0.0


@dataclass(slots=True, kw_only=True)
class Watch:
    """Looks at the machine around each process. Without `names` it sees nothing.

    `seconds` is what the looking has cost so far. `proc` is where the kernel tells. `around` is entered while it spins,
    to spin where benchmarks run.
    """

    names: tuple[str, ...] = ()
    proc: Path = _PROC
    around: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    seconds: float = 0.0
    _planned: int = 0
    _repeated: int = 0
    _loops: int = 0
    _usual: dict[tuple[object, ...], deque[float]] = field(default_factory=dict)

    def plan(self, pairs: int) -> None:
        """So many more pairs will be measured; a share of them may be repeated."""
        self._planned += pairs

    def may_repeat(self) -> bool:
        """Whether one more pair may be measured again; if so, it is taken as done."""
        allowed = self._repeated + 1 <= SHARE * self._planned
        self._repeated += allowed
        return allowed

    @contextlib.contextmanager
    def over(self, *who: object) -> Iterator[Seen]:
        """Watch while one process runs; `who` says whose it is, for what is usual."""
        seen, before = Seen(), self._look()
        yield seen
        seen.sources = tuple(self._unusual(before, self._look(), who))

    def _unusual(self, before: _Reading, after: _Reading, who: tuple[object, ...]) -> Iterator[str]:
        for name, value in self._values(before, after):
            source = SOURCES[name]
            usual = self._usual.setdefault((name, *(() if source.shared else who)), deque(maxlen=_REMEMBERED))
            if len(usual) >= _ENOUGH and value - _most(usual) > source.limit * _scale(source, usual):
                yield name
            usual.append(value)

    def _values(self, before: _Reading, after: _Reading) -> Iterator[tuple[str, float]]:
        elapsed = max(after.at - before.at, 1e-9)
        found = {
            "steal": min(max(0.0, after.steal - before.steal - _TICK) / elapsed, os.cpu_count() or 1),
            "pressure": min((after.pressure - before.pressure) / elapsed, 1.0),
            "spin": min(before.spin, after.spin),  # slow before and after: so it lasted
        }
        return ((name, found[name]) for name in self.names)

    def _look(self) -> _Reading:
        if not self.names:
            return _Reading(at=0.0)
        began = time.perf_counter()
        spin = self._spin() if "spin" in self.names else 0.0
        steal, pressure = (read(self.proc) if name in self.names else 0.0 for name, read in _COUNTERS.items())
        at = time.perf_counter()
        self.seconds += at - began
        return _Reading(at=at, steal=steal, pressure=pressure, spin=spin)

    def _spin(self) -> float:
        with self.around():
            if not self._loops:
                self._loops = max(1, round(10_000 * _SPIN_SECONDS / min(_spun(10_000) for _ in range(9))))
            return min(_spun(self._loops) for _ in range(_SPINS))


def _most(usual: deque[float]) -> float:
    """What nine in ten stay below."""
    return quantiles(usual, n=10, method="inclusive")[-1]


def _scale(source: Source, usual: deque[float]) -> float:
    return median(usual) if source.name == "spin" else 1.0


def _spun(loops: int) -> float:
    """How long a fixed piece of work takes, in seconds."""
    began = time.perf_counter()
    for _ in range(loops):
        pass
    return time.perf_counter() - began


def _steal(proc: Path) -> float:
    """Seconds in which a hypervisor ran others while a CPU of ours had work, since boot. (proc(5), /proc/stat)"""
    with (proc / "stat").open(encoding="ascii", errors="replace") as file:
        return int(file.readline().split()[8]) * _TICK


def _pressure(proc: Path) -> float:
    """Seconds in which at least one task waited for a CPU, since boot. (Linux, Documentation/accounting/psi)"""
    text = (proc / "pressure" / "cpu").read_text(encoding="ascii", errors="replace")
    found = re.match(r"some .*\btotal=(\d+)", text)
    if found is None:
        raise ValueError("no total of what some waited")
    return int(found.group(1)) / 1e6


_COUNTERS: Mapping[str, Callable[[Path], float]] = {"steal": _steal, "pressure": _pressure}


def available(proc: Path = _PROC) -> tuple[str, ...]:
    """The sources that this machine has: a spin is possible anywhere, the kernel's figures where it gives them."""
    return tuple(name for name in SOURCES if name not in _COUNTERS or _tells(_COUNTERS[name], proc))


def _tells(read: Callable[[Path], float], proc: Path) -> bool:
    try:
        read(proc)
    except (OSError, ValueError, IndexError):
        return False
    return True
