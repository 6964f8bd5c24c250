"""The runs behind a verdict: pairs in measuring order, and how quantiles of their events moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import distribution, run, runs_of
from scipy import stats

from pytest_gotrace.distributions import PROBABILITIES
from pytest_gotrace.evidence import events_of, quantile_shifts
from pytest_gotrace.evidence import runs_of as numbers_of
from pytest_gotrace.metrics import parse_key
from pytest_gotrace.report import Events, Runs

NS = parse_key("ns/op")
P99 = parse_key("region[db].p99")


def sides(runs):
    return [[one for one in runs if one.side == side] for side in ("base", "head")]


def test_pairs_in_order():
    """Both sides have one number for each pair, by round, and which of the two ran first."""
    base, head = sides(runs_of({"base": [1, 2, 3], "head": [4, 5, 6]}))
    head[1] = replace(head[1], position=-1)
    assert numbers_of(base[::-1], head, NS) == Runs(
        base=(1, 2, 3), head=(4, 5, 6), base_first=(True, False, True)
    )


def test_only_whole_pairs():
    """A pair of which one run has no number is left out on both sides; without any there is nothing."""
    base, head = sides(runs_of({"base": [1, 2, 3], "head": [4, 5, 6]}))
    base[0] = replace(base[0], values={})
    assert numbers_of(base, head[:2], NS) == Runs(base=(2,), head=(5,), base_first=(True,))
    assert numbers_of(base[:1], head, NS) is None
    assert numbers_of([], [], NS) is None


def test_the_head_alone():
    """What is held to a cap without a base has the numbers of the head."""
    _, head = sides(runs_of({"base": [], "head": [4, 5, 6]}))
    assert numbers_of([], head, NS) == Runs(head=(4, 5, 6))


def with_quantiles(side, number, factor):
    quantiles = tuple(factor * (1 + place) for place in range(len(PROBABILITIES)))
    events = replace(distribution(1.0), quantiles=quantiles)
    return run(side, number, traced=True, series={"region[db]": events})


def test_each_quantile_moves_by_itself():
    """Each decile and p99 has the means of both sides, and of the pairs' differences mean and t interval as scipy's."""
    before, after = [10.0, 11.0, 9.0, 10.5], [20.0, 24.0, 19.0, 21.0]
    base, head = (
        [with_quantiles(side, n, f) for n, f in enumerate(factors)]
        for side, factors in (("base", before), ("head", after))
    )
    shifts = quantile_shifts(base, head, P99)
    assert [shift.probability for shift in shifts] == list(PROBABILITIES)
    differences = (np.array(after) - np.array(before)) * 3
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    third = shifts[2]
    assert (third.base, third.head) == pytest.approx((np.mean(before) * 3, np.mean(after) * 3), rel=1e-5)
    assert third.difference.center == pytest.approx(differences.mean(), rel=1e-5)
    assert (third.difference.low, third.difference.high) == pytest.approx(expected, rel=1e-5)


def test_what_has_no_events_has_no_quantiles():
    """Numbers of `go test`, a single pair, and runs without the series have no shift."""
    base, head = ([with_quantiles(side, n, 1.0) for n in range(3)] for side in ("base", "head"))
    assert quantile_shifts(base, head, NS) == ()
    assert quantile_shifts(base[:1], head, P99) == ()
    assert quantile_shifts(base, head, parse_key("region[render].p50")) == ()


def with_events(side, number, count, length):
    """A run of 100 operations with `count` waits, each `length` ns long."""
    events = distribution(count * length / 100, count, value=length)
    return run(side, number, traced=True, series={"sched-wait": replace(events, mean=length)})


@pytest.mark.parametrize(
    ("head", "pictured"),
    [((700, 52.0), False), ((250, 215.0), True), ((55, 900.0), True), ((50, 50.0), True), ((2, 40.0), False)],
)
def test_a_total_is_made_of_events(head, pictured):
    """A total has the number of its events and the length of one; quantiles only if it moved by the lengths."""
    base, after = (
        [with_events(side, n, *made_of) for n in range(3)]
        for side, made_of in (("base", (50, 50.0)), ("head", head))
    )
    total = parse_key("sched-wait.total")
    assert events_of(base, after, total) == Events(
        base_number=0.5, base_length=50.0, head_number=head[0] / 100, head_length=head[1]
    )
    assert bool(quantile_shifts(base, after, total)) is pictured
    assert len(quantile_shifts(base, after, parse_key("sched-wait.p90"))) == len(PROBABILITIES)


def test_only_a_total_is_made_of_events():
    """A count has no picture of lengths, a quantile is none of a sum, and where nothing happened nothing is said."""
    base, head = ([with_events(side, n, 50, 50.0) for n in range(3)] for side in ("base", "head"))
    assert quantile_shifts(base, head, parse_key("sched-wait.count")) == ()
    for key in ("sched-wait.count", "sched-wait.p90", "syscall.total"):
        assert events_of(base, head, parse_key(key)) is None


def test_a_side_without_events():
    """A total that was nothing on the base has no picture: it moved by the number of its events."""
    base = [run("base", n, traced=True, series={}) for n in range(3)]
    head = [with_events("head", n, 50, 50.0) for n in range(3)]
    found = events_of(base, head, parse_key("sched-wait.total"))
    assert (found.base_number, found.base_length, found.head_number) == (0.0, 0.0, 0.5)
    assert quantile_shifts(base, head, parse_key("sched-wait.total")) == ()
