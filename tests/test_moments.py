"""The longest event of a series is found, and told from the beginning of the trace."""

from __future__ import annotations

import pytest
from tables import BENCH, a_round

from pytest_gotrace.metrics import parse_series
from pytest_gotrace.moments import Moment, longest, longest_at
from pytest_gotrace.trace import Frame

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


def call(name, line):
    return Frame(f"m.{name}", "example.com/m/m.go", line)


AT_LINES = a_round(
    spans=((0, 1000),),
    states=[
        ("WAITING", 0, 100, "chan send", (call("Send", 7), call("Serve", 20))),
        ("WAITING", 150, 400, "chan send", (call("Send", 7), call("Serve", 30))),
        ("WAITING", 400, 450, "chan receive", (call("Send", 7), call("Serve", 20))),
        ("WAITING", 500, 900, "chan send", (call("Other", 9),)),
        ("WAITING", -900, -1, "chan send", (call("Send", 7),)),
    ],
)


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (("Send", 7), (150, 250, 7)),
        (("Serve", 20), (0, 100, 20)),
        (("Serve", 31), (150, 250, 30)),
        (("Gone", 7), None),
    ],
)
def test_the_longest_at_a_line(place, found):
    """The longest stay in a state is that at the line, or in its function; no other state and function counts."""
    moment = longest_at(AT_LINES, "sync-block[chan send]", f"m.{place[0]}", place[1])
    assert (moment and (moment.begin - BEGAN, moment.duration, moment.at.line)) == found


@pytest.mark.parametrize("state", ["exec", "net-wait", "goroutine-leak"])
def test_no_line_of_such_a_state(state):
    """What did not happen, and what has no stack, is at no line."""
    assert longest_at(AT_LINES, state, "m.Send", 7) is None
