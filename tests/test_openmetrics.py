"""The numbers of a report, as the official parser of OpenMetrics reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_reports as samples
from hostile import any_report, names
from hypothesis import given
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pytest_gotrace.openmetrics import openmetrics
from pytest_gotrace.report import OUTCOMES

OVER = {"benchmark": samples.HANDLER, "metric": "region[db].p99", "rule": "gotrace.yaml:7"}


def parsed(report):
    """Samples by name: labels and value of each."""
    return {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(openmetrics(report))
    }


def test_counts():
    """There is a count for each outcome, those that are not there included, and for benchmarks."""
    found = parsed(samples.REGRESSION)
    assert found["gotrace_verdicts"] == [
        ({"outcome": outcome}, samples.REGRESSION.counts[outcome]) for outcome in OUTCOMES
    ]
    assert found["gotrace_benchmarks"] == [({"state": "expected"}, 2), ({"state": "measured"}, 2)]


def test_a_verdict():
    """A verdict has its outcome, both sides with their unit, the change with its interval, p and pairs."""
    found = parsed(replace(samples.QUIET, verdicts=(samples.OVER,)))
    assert found["gotrace_outcome"] == [({**OVER, "outcome": "over", "level": "fail"}, 1)]
    assert found["gotrace_value"] == [
        ({**OVER, "unit": "ns", "side": "base"}, 412_000),
        ({**OVER, "unit": "ns", "side": "head"}, 689_000),
    ]
    assert found["gotrace_change"] == [
        ({**OVER, "bound": "center"}, 0.67),
        ({**OVER, "bound": "low"}, 0.41),
        ({**OVER, "bound": "high"}, 0.98),
    ]
    assert found["gotrace_p"] == [(OVER, 0.0008)]
    assert found["gotrace_pairs"] == [(OVER, 10)]


def test_what_has_no_numbers():
    """A verdict without numbers has an outcome, and no number is made up for it."""
    found = parsed(replace(samples.QUIET, verdicts=(samples.MISSING,)))
    assert [labels["outcome"] for labels, _ in found["gotrace_outcome"]] == ["missing"]
    assert not found["gotrace_value"] + found["gotrace_change"] + found["gotrace_p"]


def test_it_ends():
    """The last line says that nothing was cut off."""
    assert openmetrics(samples.QUIET).endswith("\n# EOF\n")


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a\\nb", 'a\\"', "\\", "a}b 1", "\r", "é\u2028\0"])
def test_names_come_back(name):
    """Whatever can stand in a name comes back from the parser as it was."""
    (row,) = parsed(replace(samples.QUIET, verdicts=(replace(samples.OVER, benchmark=name),)))["gotrace_p"]
    assert row[0]["benchmark"] == name


@given(any_report(names))
def test_whatever_things_are_called(report):
    """Any report is read to its end, with as many outcomes as it has verdicts, and can be written as UTF-8."""
    rows = tuple(replace(row, line=line) for line, row in enumerate(report.verdicts, 1))
    report = replace(report, verdicts=rows)
    openmetrics(report).encode("utf-8")
    assert len(parsed(report)["gotrace_outcome"]) == len(rows)
