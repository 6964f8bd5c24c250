"""The longest event of a series is found, and told from the beginning of the trace."""

from __future__ import annotations

import pytest
from tables import BENCH, a_round

from pytest_gotrace.metrics import parse_series
from pytest_gotrace.moments import Moment, longest

MEASURED = a_round(
    spans=((0, 1000),),
    states=[
        ("RUNNING", 0, 300),
        ("WAITING", 300, 350, "chan send"),
        ("WAITING", 400, 600, "chan receive"),
        ("WAITING", 600, 900, "network"),
        ("WAITING", -900, -1, "chan send"),  # before the timer
        ("SYSCALL", 950, -1),
    ],
    regions=[("db", 10, 40), ("db", 50, 200), ("parse", 0, 900)],
    tasks=[("request", 5, 500)],
    ranges=[("GC mark assist", 20, 25), ("stop-the-world (GC sweep termination)", 30, 33)],
)
BEGAN = 1000  # ns that the trace is older than the timer


@pytest.mark.parametrize(
    ("series", "begin", "duration"),
    [
        ("region[db]", 50, 150),
        ("task[request]", 5, 495),
        ("exec", 0, 300),
        ("sync-block", 400, 200),
        ("sync-block[chan send]", 300, 50),
        ("net-wait", 600, 300),
        ("syscall", 950, 50),
        ("mark-assist", 20, 5),
        ("gc-pause", 30, 3),
    ],
)
def test_the_longest_event(series, begin, duration):
    """Of each kind of series the longest event in the measured round is found; what goes on ends with the round."""
    found = longest(MEASURED, parse_series(series))
    assert (found.begin, found.duration) == (begin + BEGAN, duration)


def test_it_knows_its_goroutine():
    """A state is on its goroutine; a task is on none."""
    assert longest(MEASURED, parse_series("exec")).goroutine == BENCH
    assert longest(MEASURED, parse_series("task[request]")) == Moment(goroutine=-1, begin=1005, duration=495)


@pytest.mark.parametrize("series", ["region[render]", "sleep", "ns/op", "goroutine-leak"])
def test_nothing_to_point_at(series):
    """What did not happen, or is no event in time, has no moment."""
    assert longest(MEASURED, parse_series(series)) is None
