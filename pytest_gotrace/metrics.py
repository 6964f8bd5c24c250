"""What can be measured: the catalogue, and how a measurement is named.

A metric is one kind of wait or work (`sched-wait`), a subject narrows it (`sync-block[chan send]`,
`region[db]`), and a statistic makes one number of a run's events (`.p99`). The three together are a `Key`,
written `region[db].p99`. What `go test` itself reports (`ns/op`) is one number already and has no statistic.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_gotrace.errors import UsageError

Subject = Literal["none", "optional", "required"]

#: One number per run from the run's events; `total` is per operation, `count` is of the whole run.
STATISTICS = ("count", "total", "mean", "p50", "p90", "p99", "max")

#: Those of them that are quantiles, with their probability.
#: What the slowest events of a run decide.
TAIL = ("p90", "p99", "max")
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A row of the catalogue.

    `unit` is the unit of one event: `ns`, `B` or `1` (a plain number). `better` is the good direction;
    a benchmark's own units (`custom`) may go either way, and the sign of their budget says which.
    `subjects`, where given, are all the names that may stand in brackets. `events` finds the metric's events
    in a measured round (`rounds.Round`): a mapping from subject to an array of values; None for what is not
    read from a trace.
    """

    name: str
    unit: str
    traced: bool
    about: str
    subject: Subject = "none"
    statistics: tuple[str, ...] = STATISTICS
    better: Literal["lower", "higher"] = "lower"
    subjects: tuple[str, ...] = ()
    events: Callable[[Any], Any] | None = None


CATALOGUE: tuple[Metric, ...] = (
    Metric(
        name="ns/op",
        unit="ns",
        traced=False,
        statistics=(),
        about="time per operation, as `go test` reports it",
    ),
    Metric(name="B/op", unit="B", traced=False, statistics=(), about="bytes allocated per operation"),
    Metric(name="allocs/op", unit="1", traced=False, statistics=(), about="allocations per operation"),
    Metric(
        name="custom",
        unit="1",
        traced=False,
        subject="required",
        statistics=(),
        about='a unit of the benchmark\'s own: `custom[hits/op]` for b.ReportMetric(x, "hits/op")',
    ),
    Metric(
        name="region",
        unit="ns",
        traced=True,
        subject="required",
        about="time from trace.StartRegion to End, by region name",
    ),
    Metric(
        name="task",
        unit="ns",
        traced=True,
        subject="required",
        about="time from trace.NewTask to End, by task type",
    ),
    Metric(name="exec", unit="ns", traced=True, about="goroutines running"),
    Metric(
        name="sched-wait",
        unit="ns",
        traced=True,
        about="goroutines that could run and waited for a processor",
    ),
    Metric(
        name="sync-block",
        unit="ns",
        traced=True,
        subject="optional",
        about="goroutines blocked on a channel, a select or a lock; the subject is Go's reason, as in "
        "`sync-block[chan send]`",
    ),
    Metric(name="net-wait", unit="ns", traced=True, about="goroutines waiting for the network"),
    Metric(name="sleep", unit="ns", traced=True, about="goroutines in time.Sleep"),
    Metric(name="syscall", unit="ns", traced=True, about="goroutines in a system call"),
    Metric(name="gc-pause", unit="ns", traced=True, about="stop-the-world of mark and of sweep termination"),
    Metric(name="mark-assist", unit="ns", traced=True, about="goroutines made to help the garbage collector"),
    Metric(name="sweep", unit="ns", traced=True, about="goroutines sweeping before they may allocate"),
    Metric(
        name="goroutine-leak",
        unit="1",
        traced=True,
        statistics=("count",),
        about="goroutines born in the measured round and still alive at its end",
    ),
)

_KEY = re.compile(r"(?P<metric>[^\[\].]+)(?:\[(?P<subject>.*)\])?(?:\.(?P<statistic>[a-z0-9]+))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """What one number is about, within one benchmark: `region[db].p99`."""

    metric: str
    subject: str = ""
    statistic: str = ""

    def __str__(self) -> str:
        subject = f"[{self.subject}]" if self.subject else ""
        statistic = f".{self.statistic}" if self.statistic else ""
        return f"{self.metric}{subject}{statistic}"

    @property
    def series(self) -> Key:
        """The events this key's number is made of: the same key without its statistic."""
        return Key(metric=self.metric, subject=self.subject)


def find(name: str, catalogue: Sequence[Metric] = CATALOGUE) -> Metric:
    """The catalogue's row of that name. Raises `UsageError` that names the nearest rows."""
    for metric in catalogue:
        if metric.name == name:
            return metric
    names = [metric.name for metric in catalogue]
    raise UsageError(f"unknown metric {name!r}{nearest(name, names)}; known metrics: {', '.join(names)}")


def nearest(word: str, words: Sequence[str]) -> str:
    """` (did you mean 'x'?)` for the closest of `words`, or nothing."""
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def parse_key(text: str, catalogue: Sequence[Metric] = CATALOGUE) -> Key:
    """`region[db].p99` as a `Key`. The subject may be a glob (`region[*]`).

    Raises `UsageError` that says what is wrong with the text and what is allowed there.
    """
    match = _KEY.fullmatch(text)
    if match is None:
        raise UsageError(
            f"cannot read metric {text!r}; expected NAME, NAME[SUBJECT] or NAME[SUBJECT].STATISTIC"
        )
    metric = find(match["metric"], catalogue)
    subject, statistic = match["subject"] or "", match["statistic"] or ""
    if metric.subject == "required" and not subject:
        raise UsageError(f"{metric.name} needs a name in brackets{_example(metric)}")
    if metric.subject == "none" and match["subject"] is not None:
        raise UsageError(f"{metric.name} takes no name in brackets, found [{subject}]")
    if match["subject"] == "":
        raise UsageError(
            f"the brackets of {text!r} are empty; leave them out for all of {metric.name} together"
        )
    if statistic and statistic not in metric.statistics:
        allowed = ", ".join(metric.statistics) or "none: it is one number per run already"
        raise UsageError(
            f"unknown statistic {statistic!r} of {metric.name}{nearest(statistic, metric.statistics)}; "
            f"allowed: {allowed}"
        )
    if metric.statistics and not statistic:
        raise UsageError(
            f"{metric.name} needs a statistic{_example(metric)}; allowed: {', '.join(metric.statistics)}"
        )
    return Key(metric=metric.name, subject=subject, statistic=statistic)


def parse_series(text: str, catalogue: Sequence[Metric] = CATALOGUE) -> Key:
    """`region[render]` or `ns/op`: what can be there or not, so a key without its statistic.

    Raises `UsageError` like `parse_key`, and when there is a statistic.
    """
    match = _KEY.fullmatch(text)
    if match is None or match["statistic"]:
        raise UsageError(f"expected NAME or NAME[SUBJECT] without a statistic, found {text!r}")
    statistics = find(match["metric"], catalogue).statistics
    return parse_key(f"{text}.{statistics[0]}" if statistics else text, catalogue).series


def unit_of(key: Key, catalogue: Sequence[Metric] = CATALOGUE) -> str:
    """The unit of the one number that `key` stands for: `ns`, `B` or `1`."""
    return "1" if key.statistic == "count" else find(key.metric, catalogue).unit


def _example(metric: Metric) -> str:
    subject = "[NAME]" if metric.subject == "required" else ""
    statistic = f".{metric.statistics[-1]}" if metric.statistics else ""
    return f", as in {metric.name}{subject}{statistic}"
