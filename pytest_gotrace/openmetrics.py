"""A report as OpenMetrics text 1.0, for whatever collects numbers.

The format is that of https://prometheus.io/docs/specs/om/open_metrics_spec/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from pytest_gotrace.report import Report, VerdictEntry
from pytest_gotrace.sentences import place_text

_Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Samples of one name: labels and a number each."""

    name: str
    help: str
    samples: Iterable[_Sample]


def openmetrics(report: Report) -> str:
    """The whole text. Names stand in labels as they are, but for what is no Unicode."""
    return "".join(f"{line}\n" for family in families(report) for line in _lines(family)) + "# EOF\n"


def families(report: Report) -> Iterator[Family]:
    """Counts, then the numbers of each verdict. Benchmark, metric and rule together name one verdict."""
    rows = report.verdicts
    yield Family(
        name="gotrace_verdicts",
        help="Verdicts by outcome.",
        samples=[({"outcome": outcome}, count) for outcome, count in report.counts.items()],
    )
    yield Family(
        name="gotrace_benchmarks",
        help="Benchmarks that the budget is about, and those of them that were measured.",
        samples=[({"state": "expected"}, report.expected), ({"state": "measured"}, report.measured)],
    )
    yield Family(
        name="gotrace_outcome",
        help="What was decided: 1 for the outcome of each verdict.",
        samples=[({**_of(row), "outcome": row.outcome, "level": row.level}, 1) for row in rows],
    )
    yield Family(
        name="gotrace_value",
        help="The estimate for each side, in its unit: ns, B or 1.",
        samples=[
            ({**_of(row), "unit": row.unit, "side": side}, interval.center)
            for row in rows
            for side, interval in (("base", row.base), ("head", row.head))
            if interval
        ],
    )
    yield Family(
        name="gotrace_change",
        help="The relative change from base to head, 0.14 is +14 %, and the ends of its confidence interval.",
        samples=[
            ({**_of(row), "bound": bound}, end)
            for row in rows
            if row.change
            for bound, end in asdict(row.change).items()
        ],
    )
    yield Family(
        name="gotrace_p",
        help="Adjusted p-value of being over the budget.",
        samples=[(_of(row), row.p) for row in rows if row.p is not None],
    )
    yield Family(
        name="gotrace_pairs",
        help="Pairs of runs that were compared.",
        samples=[(_of(row), row.pairs) for row in rows],
    )


def _of(row: VerdictEntry) -> dict[str, str]:
    return {"benchmark": row.benchmark, "metric": row.metric, "rule": place_text(row)}


def _lines(family: Family) -> Iterator[str]:
    yield f"# TYPE {family.name} gauge"
    yield f"# HELP {family.name} {_escaped(family.help)}"
    for labels, value in family.samples:
        named = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{family.name}{{{named}}} {json.dumps(value)}"


def _escaped(text: str) -> str:
    """Backslash, quote and line feed by a backslash; half a character of UTF-16 is none, and is spelled out."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return whole.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
