"""What usually is the matter: the decision tree of an on-call engineer, as a table.

By Little's law (J. D. C. Little, "A proof for the queuing formula L = λW", Operations Research 9, 1961) the time that
goroutines spend in a state per operation, divided by the time of an operation, is how many goroutines are in that state
on average. So one sees a queue, an idle processor, or work that became serial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from statistics import fmean, median

from pytest_gotrace.recording import Run

_MS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One side. `time` is ns per operation by state, `wall` ns of an operation (NaN if nobody says), all means of runs.

    `pause` is the longest stop of the world for the collector in ns, the median of the runs. `leaks` are goroutines,
    `bytes` and `allocations` what `go test` counts, per operation. `processors` is GOMAXPROCS, 0 if it is not known.
    """

    time: Mapping[str, float]
    wall: float
    pause: float = 0.0
    leaks: float = 0.0
    bytes: float = nan
    allocations: float = nan
    processors: int = 0

    def mean(self, *states: str) -> float:
        """How many goroutines are in these states, on average."""
        return sum(self.time.get(state, 0.0) for state in states) / self.wall

    @property
    def running(self) -> float:
        return self.mean("exec")

    @property
    def runnable(self) -> float:
        return self.mean("sched-wait")

    @property
    def locked(self) -> float:
        """How many goroutines wait for a lock or a WaitGroup."""
        return self.mean("sync-block[sync]")

    @property
    def senders(self) -> float:
        """How many goroutines are blocked in a channel send."""
        return self.mean("sync-block[chan send]")

    @property
    def assists(self) -> float:
        """Which share of the running time goes into helping the collector."""
        running = self.time.get("exec", 0.0)
        return self.time.get("mark-assist", 0.0) / running if running else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A row: which series it explains, when it holds on the loads of base and head, what it means, what to try."""

    name: str
    explains: tuple[str, ...]
    holds: Callable[[Load, Load], bool]
    diagnosis: str
    advice: str


def load(runs: Sequence[Run], states: Mapping[str, float], gomaxprocs: str = "") -> Load:
    """The load of one side: its traced runs, what they spent in each state, and what `GOMAXPROCS` was."""

    def series(run: Run, name: str, field: str) -> float:
        return next((getattr(d, field) for key, d in run.series.items() if str(key) == name), 0.0)

    def printed(unit: str) -> float:
        found = [run.values[unit] for run in runs if unit in run.values]
        return fmean(found) if found else nan

    return Load(
        time=states,
        wall=printed("ns/op"),
        pause=median(series(run, "gc-pause", "max") for run in runs),
        leaks=fmean(series(run, "goroutine-leak", "count") / run.iterations for run in runs),
        bytes=printed("B/op"),
        allocations=printed("allocs/op"),
        processors=int(gomaxprocs) if gomaxprocs.isdecimal() else 0,
    )


def find(cause: str, asked: Iterable[str], base: Load, head: Load) -> Cause | None:
    """The row that explains best: what is asked about before what else grew, what is new before what held on the base.

    `cause` is the state that grew, "" if there is none; `asked` are the series that are over their budgets.
    """
    series = set(asked)
    told = [
        (not series & {*row.explains}, row.holds(base, base), number)
        for number, row in enumerate(CAUSES)
        if {cause, *series} & {*row.explains} and row.holds(base, head)
    ]
    return CAUSES[min(told)[-1]] if told else None


def _grew(state: str) -> Callable[[Load, Load], bool]:
    return lambda base, head: head.time.get(state, 0.0) > 1.05 * base.time.get(state, 0.0)


def _always(base: Load, head: Load) -> bool:
    return True


def _allocates_more(base: Load, head: Load) -> bool:
    """By more than the runtime itself allocates now and then."""
    return head.bytes > 1.05 * base.bytes + 48 or head.allocations > 1.05 * base.allocations + 0.5


def _became_serial(base: Load, head: Load) -> bool:
    return head.processors > 1 and head.running < 1.25 and base.running > head.running + 0.5


#: The first that holds is the most telling; those that always hold say what is left to say of a state that grew.
CAUSES: tuple[Cause, ...] = (
    Cause(
        name="goroutine-leak",
        explains=("goroutine-leak",),
        holds=lambda base, head: head.leaks > base.leaks,
        diagnosis="Goroutines only grow in number: nothing ends those that are started here.",
        advice="Look at what they wait for, and at who should have closed or cancelled it.",
    ),
    Cause(
        name="lock",
        explains=("sync-block[sync]",),
        holds=lambda _, head: head.locked > 2 and head.locked > 2 * head.running and head.running < 1.5,
        diagnosis="About one goroutine runs while others wait for a mutex: the lock lets them through one by one.",
        advice="Hold the lock for a shorter time, split it by key, or read under an RWMutex.",
    ),
    Cause(
        name="slow-consumer",
        explains=("sync-block[chan send]",),
        holds=lambda _, head: head.senders >= 1,
        diagnosis="Workers are blocked in a channel send while few receive: a slow consumer holds them up.",
        advice="Look at the channel's buffer, and at what the receiver does between two receives.",
    ),
    Cause(
        name="serial",
        explains=(
            "sync-block[sync]",
            "sync-block[chan receive]",
            "sync-block[select]",
            "sched-wait",
            "ns/op",
        ),
        holds=_became_serial,
        diagnosis="All processors but one are idle: what ran side by side now runs one after the other.",
        advice="Look at what the waiting goroutines have in common: one lock, one channel, one worker.",
    ),
    Cause(
        name="allocation",
        explains=("B/op", "allocs/op", "mark-assist", "sweep", "gc-pause"),
        holds=_allocates_more,
        diagnosis="Every operation allocates more, and the garbage collector has more to do.",
        advice="Reuse buffers, size slices and maps before they are filled, and keep values off the heap.",
    ),
    Cause(
        name="long-assist",
        explains=("mark-assist",),
        holds=lambda _, head: head.assists > 0.05,
        diagnosis="Goroutines are made to help the garbage collector for long: it marks slower than they allocate.",
        advice="Allocate less per operation, keep less alive, or give the collector more room with GOGC.",
    ),
    Cause(
        name="long-pause",
        explains=("gc-pause",),
        holds=lambda _, head: head.pause > _MS,
        diagnosis="The world stands still for more than 1 ms at a time.",
        advice="Look for goroutines that cannot be stopped: long loops without a call, or system calls that come back.",
    ),
    Cause(
        name="too-many-runnable",
        explains=("sched-wait",),
        holds=lambda _, head: head.runnable > 4 * head.running,
        diagnosis="Many more goroutines can run than there are processors, and queue for one.",
        advice="Bound how many are started at once: a worker pool, or a semaphore before `go`.",
    ),
    Cause(
        name="long-network-wait",
        explains=("net-wait",),
        holds=lambda base, head: _grew("net-wait")(base, head) and head.mean("net-wait") > 0.1,
        diagnosis="Goroutines wait longer for the network.",
        advice="Look for more round trips, a connection that is not reused, or a slower other side.",
    ),
    Cause(
        name="more-system-calls",
        explains=("syscall",),
        holds=_grew("syscall"),
        diagnosis="More time goes into system calls, and each takes its goroutine off its processor.",
        advice="Batch the calls, buffer, keep files open, or move them off the hot path.",
    ),
    Cause(
        name="longer-code",
        explains=("exec",),
        holds=_always,
        diagnosis="The code itself runs longer.",
        advice="Look at what the line computes: how often it runs, and over how much.",
    ),
    Cause(
        name="longer-queue",
        explains=("sched-wait",),
        holds=_always,
        diagnosis="Goroutines that can run wait longer for a processor.",
        advice="Look at who makes so many ready at once, and at what keeps the processors busy.",
    ),
    Cause(
        name="starving-receiver",
        explains=("sync-block[chan receive]",),
        holds=_always,
        diagnosis="Receivers wait longer for something to be sent.",
        advice="Look at who sends, and whether that became slower, rarer or serial.",
    ),
    Cause(
        name="slower-sender",
        explains=("sync-block[chan send]",),
        holds=_always,
        diagnosis="Senders wait longer until somebody receives.",
        advice="Look at the channel's buffer, and at what the receiver does between two receives.",
    ),
    Cause(
        name="longer-select",
        explains=("sync-block[select]",),
        holds=_always,
        diagnosis="A select waits longer for any of its cases.",
        advice="Look at who feeds them.",
    ),
    Cause(
        name="longer-lock",
        explains=("sync-block[sync]",),
        holds=_always,
        diagnosis="Goroutines wait longer for a lock or a WaitGroup.",
        advice="Look at how long it is held, and whether it could be finer.",
    ),
    Cause(
        name="late-signal",
        explains=("sync-block[sync.(*Cond).Wait]",),
        holds=_always,
        diagnosis="Goroutines wait longer to be signalled.",
        advice="Look at who signals, and how often.",
    ),
    Cause(
        name="longer-sleep",
        explains=("sleep",),
        holds=_always,
        diagnosis="The code sleeps longer or more often.",
        advice="Look at who asks for it: a retry, a poll, a rate limit.",
    ),
    Cause(
        name="more-collections",
        explains=("gc-pause", "sweep", "mark-assist"),
        holds=_always,
        diagnosis="Collections became longer or more frequent.",
        advice="Allocate less per operation, or keep less alive.",
    ),
)
