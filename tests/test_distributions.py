"""Events of a measured round, by metric and subject, and what becomes of them."""

from __future__ import annotations

import os

import numpy as np
import pytest
from clockmodule import Timed
from hypothesis import given
from hypothesis import strategies as st
from tables import BENCH, a_round, frame

from pytest_gotrace.distributions import (
    PROBABILITIES,
    Distribution,
    built_in_metrics,
    extract,
    reduce,
    state_name,
)
from pytest_gotrace.gotest import find_go
from pytest_gotrace.metrics import CATALOGUE, Key, parse_series
from pytest_gotrace.spots import spots
from pytest_gotrace.trace import State

METRICS = built_in_metrics()
SYNC = ("chan send", "chan receive", "select", "sync", "sync.(*Cond).Wait")


def found(measured, **options):
    """Every series of a round by its text."""
    return {str(key): value for key, value in extract(measured, METRICS, **options).items()}


def test_every_traced_metric_has_its_events():
    """The catalogue and the functions that find events name the same metrics."""
    assert {metric.name for metric in METRICS if metric.events} == {m.name for m in CATALOGUE if m.traced}


# states

TIMES = st.integers(-20, 80)
SPANS = st.lists(st.integers(0, 60), min_size=2, max_size=10, unique=True).map(
    lambda times: list(
        zip(sorted(times)[: len(times) // 2 * 2 : 2], sorted(times)[1 : len(times) // 2 * 2 : 2], strict=True)
    )
)
STATES = st.lists(
    st.tuples(
        st.sampled_from(["RUNNING", "RUNNABLE", "SYSCALL", "WAITING"]),
        TIMES,
        TIMES,
        st.sampled_from([*SYNC, "network", "sleep", "GC assist wait"]),
        st.integers(1, 4),
        st.booleans(),
    ),
    max_size=30,
)


def brute_force(spans, rows, foreign):
    """Durations by series, counted nanosecond by nanosecond in whole numbers."""
    on = {t for begin, end in spans for t in range(begin, end)}
    last = spans[-1][1]
    events: dict[str, list[int]] = {}
    for state, begin, end, reason, goroutine in rows:
        stop = last if end < 0 else end
        if goroutine in foreign or not any(begin < e and stop > b for b, e in spans):
            continue
        name = state_name(State[state], reason)
        name = "" if name == "unknown" else name
        for series in {name, name.split("[")[0]} - {""}:
            events.setdefault(series, []).append(len(on & set(range(begin, stop))))
    return {series: sorted(durations) for series, durations in events.items()}


@given(spans=SPANS, states=STATES)
def test_states_are_clipped_to_the_timer(spans, states):
    """Every state counts with exactly its nanoseconds on the timer, if it is the benchmark's and touches the round."""
    rows = []
    for state, one, other, reason, goroutine, open_ in states:
        begin, end = sorted((one, other))
        rows.append((state, begin, -1 if open_ or end < 0 else end, reason, goroutine))
    measured = a_round(spans=spans, states=[(s, b, e, r, (), (), g) for s, b, e, r, g in rows], foreign=(3,))
    expected = brute_force(spans, rows, {3})
    events = {
        str(Key(metric=metric.name, subject=subject)): sorted(values.tolist())
        for metric in METRICS
        if metric.name in ("exec", "sched-wait", "sync-block", "net-wait", "sleep", "syscall")
        for subject, values in metric.events(measured).items()
        if len(values)
    }
    assert events == expected


@pytest.mark.parametrize(
    ("state", "reason", "name"),
    [
        (State.RUNNING, "", "exec"),
        (State.RUNNABLE, "", "sched-wait"),
        (State.SYSCALL, "", "syscall"),
        (State.WAITING, "network", "net-wait"),
        (State.WAITING, "sleep", "sleep"),
        (State.WAITING, "GC mark assist wait for work", "unknown"),
        *((State.WAITING, reason, f"sync-block[{reason}]") for reason in SYNC),
    ],
)
def test_states_have_the_names_of_the_catalogue(state, reason, name):
    """A state and Go's reason for it give the name that a budget would use."""
    assert state_name(state, reason) == name


def test_reasons_are_subjects_and_a_sum():
    """Each reason to block is a series of its own, and all of them together are one without a subject."""
    series = found(
        a_round(
            states=[
                ("WAITING", 0, 10, "chan send"),
                ("WAITING", 20, 50, "sync"),
                ("WAITING", 60, 65, "chan send"),
                ("WAITING", 70, 90, "network"),
            ],
            operations=5,
        )
    )
    assert {name: (d.count, d.total) for name, d in series.items()} == {
        "sync-block": (3, 9.0),
        "sync-block[chan send]": (2, 3.0),
        "sync-block[sync]": (1, 6.0),
        "net-wait": (1, 4.0),
    }


# ranges, regions, leaks


def test_pauses_are_those_of_mark_and_sweep_termination():
    """Stops of the world for other reasons, and the concurrent phases, are no `gc-pause`."""
    series = found(
        a_round(
            ranges=[
                ("stop-the-world (GC mark termination)", 10, 13),
                ("stop-the-world (GC sweep termination)", 20, 25),
                ("stop-the-world (read mem stats)", 30, 90),
                ("stop-the-world (start trace)", 100, 190),
                ("GC concurrent mark phase", 13, 400),
                ("GC mark assist", 500, 520),
                ("GC incremental sweep", 600, 601),
                ("stop-the-world (GC mark termination)", 1000, 1100),  # after the round
            ]
        )
    )
    assert {name: (d.count, d.total) for name, d in series.items()} == {
        "gc-pause": (2, 8.0),
        "mark-assist": (1, 20.0),
        "sweep": (1, 1.0),
    }


def test_regions_and_tasks_are_whole_or_left_out():
    """A region counts with its full length if it begins and ends on the timer; nameless ones are Go's own."""
    measured = a_round(
        spans=[(0, 100), (200, 300)],
        regions=[
            ("db", 10, 20),
            ("db", 90, 210),  # the timer stood still in between, and it is one region all the same
            ("db", -5, 20),
            ("db", 290, 310),
            ("db", 120, 150),
            ("db", 250, -1),
            ("render", 0, 100),
            ("", 10, 20),
        ],
        tasks=[("request", 1, 4), ("request", -1, 50)],
    )
    assert {name: (d.count, d.max) for name, d in found(measured).items()} == {
        "region[db]": (2, 120.0),
        "region[render]": (1, 100.0),
        "task[request]": (1, 3.0),
    }


LIVES = [
    {"id": BENCH, "name": "testing.(*B).launch", "create": -5},
    {"id": 10, "name": "m.ends", "create": 10, "end": 500},
    {"id": 11, "name": "m.stays", "create": 10},
    {"id": 12, "name": "m.outlives", "create": 10, "end": 1500},
    {"id": 13, "name": "m.blocks", "create": 10, "end": 20, "stack": (frame("pool.Start", 8),)},
    {"id": 14, "name": "m.older", "create": -10},
    {"id": 15, "name": "m.later", "create": 1200},
    {"id": 16, "name": "runtime.gcBgMarkWorker", "create": 10},
]


def test_leaks_are_born_in_the_round_and_outlive_it():
    """Goroutines that are alive after the round count as leaks, also those that block for ever, unless foreign."""
    measured = a_round(
        goroutines=LIVES,
        states=[("WAITING", 20, -1, "chan receive", (), (), 13)],
        foreign=(16,),
        operations=2,
    )
    leaks = found(measured)["goroutine-leak"]
    assert (leaks.count, leaks.total, leaks.max) == (3, 1.5, 1.0)


def test_leaks_of_a_real_benchmark(tmp_path):
    """Of goroutines that end, end late and never end, a real trace shows those that are there after the round."""
    timed = Timed(find_go(os.environ), tmp_path / "m")
    measured = timed.run("BenchmarkLeaks", 10).measured
    leaks = found(measured)["goroutine-leak"]
    assert (leaks.count, leaks.total) == (20, 2.0)
    (born,) = {s.at.function for s in spots(measured, "example.com/m") if s.state == "goroutine-leak"}
    assert born == "example.com/m/timed.BenchmarkLeaks"


# reducing


def test_a_distribution_says_every_statistic():
    """Total is per operation; count, mean, quantiles and maximum are of the events."""
    one = reduce(np.array([10, 20, 30, 40], dtype=np.int64), 4)
    assert (one.count, one.total, one.mean, one.max) == (4, 25.0, 25.0, 40.0)
    assert one.statistic("p50") == pytest.approx(25.0)
    assert one.statistic("p50") == one.quantiles[PROBABILITIES.index(0.5)]
    assert one.statistic("count") == 4.0
    assert one.statistic("p90") < one.statistic("p99") <= one.statistic("max")


def test_renamed_series_are_merged():
    """Where a project gives two subjects one name, their events are one series."""

    def rename(key):
        return Key(metric=key.metric, subject=key.subject.split("-")[0])

    measured = a_round(regions=[("request-1", 0, 10), ("request-2", 20, 50), ("db", 3, 4)])
    series = found(measured, rename=rename)
    assert {name: (d.count, d.total) for name, d in series.items()} == {
        "region[request]": (2, 40.0),
        "region[db]": (1, 1.0),
    }


def test_series_can_be_named_in_a_budget():
    """Whatever is found in a round has a name that a budget may use."""
    measured = a_round(
        states=[("WAITING", 0, 9, reason) for reason in SYNC], regions=[("a[b].c", 0, 1)], tasks=[("t", 0, 1)]
    )
    for key in extract(measured, METRICS):
        assert parse_series(str(key)) == key


def test_nothing_happened():
    """A round without events has no series and no spots."""
    assert found(a_round()) == {}
    assert spots(a_round(), "example.com/m") == ()


def test_distributions_compare_by_value():
    """Two runs with the same events have equal distributions."""
    events = np.arange(1, 100, dtype=np.int64)
    assert reduce(events, 2) == reduce(events.copy(), 2)
    assert isinstance(reduce(events, 2), Distribution)
