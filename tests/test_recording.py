"""What a recording says when it is asked: runs by side and mode, numbers by key, machines that differ."""

from __future__ import annotations

import math

import pytest
from samples import MACHINE, recording, run, traced_runs

from pytest_gotrace.metrics import Key
from pytest_gotrace.recording import differences


def test_machines_that_differ():
    """Each difference that matters is named with both values, also one that only one side knows."""
    here = MACHINE | {"kernel": "6.1"}
    there = {name: text for name, text in MACHINE.items() if name != "go"} | {"cores": "4"}
    assert differences(here, there) == (
        "cores: '2' here, '4' in the recording",
        "go: 'go1.26.8' here, 'unknown' in the recording",
    )
    assert differences(here, MACHINE) == ()


def test_runs_are_asked_by_side_and_mode():
    """Runs of one benchmark come back by side and mode, in the order of their rounds."""
    found = recording(
        run("head", 1), run("head", 0), run("base", 0), run("head", 0, traced=True), run("head", 0, "Other")
    )
    assert [r.round for r in found.of("head", "BenchmarkX", traced=False)] == [0, 1]
    assert found.benchmarks("head") == ("BenchmarkX", "Other")
    assert found.benchmarks("base") == ("BenchmarkX",)
    assert (found.iterations("Other"), found.iterations("None")) == (100, None)


@pytest.mark.parametrize(
    ("key", "number"),
    [
        (Key(metric="ns/op"), 7.0),
        (Key(metric="custom", subject="hits/op"), 3.0),
        (Key(metric="B/op"), math.nan),
        (Key(metric="exec", statistic="total"), 50.0),
        (Key(metric="exec", statistic="count"), 1000.0),
        (Key(metric="gc-pause", statistic="total"), 0.0),
        (Key(metric="gc-pause", statistic="count"), 0.0),
        (Key(metric="gc-pause", statistic="p99"), math.nan),
        (Key(metric="gc-pause", statistic="max"), math.nan),
    ],
)
def test_the_number_of_a_key(key, number):
    """No events are zero events and zero time, and say nothing about quantiles."""
    (traced,) = traced_runs({"head": {"exec": [50.0]}})
    one = run("head", 0, traced=True, values={"ns/op": 7.0, "hits/op": 3.0}, series=traced.series)
    assert one.number(key) == pytest.approx(number, nan_ok=True)


def test_an_untraced_run_says_nothing_of_events():
    """Without a trace nobody knows how many events there were, so it is not zero."""
    assert math.isnan(run("head", 0).number(Key(metric="exec", statistic="count")))
