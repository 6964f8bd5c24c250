"""Each rule of the decision tree on a trace of a program that has just that the matter, and on one that has not."""

from __future__ import annotations

import os
from math import nan

import pytest
from causemodule import PROCESSORS, Causes

from pytest_gotrace.causes import CAUSES, Load, find, load
from pytest_gotrace.gotest import find_go
from pytest_gotrace.metrics import parse_series
from pytest_gotrace.shifts import Runs, states

pytestmark = pytest.mark.alone

#: By rule the benchmark that shows it, how many operations of it, and the state or series that grows.
SHOWN = {
    "goroutine-leak": ("Leak", 5, "goroutine-leak"),
    "lock": ("Lock", 2, "sync-block[sync]"),
    "slow-consumer": ("Consumer", 3, "sync-block[chan send]"),
    "serial": ("Serial", 2, "ns/op"),
    "allocation": ("Allocation", 100, "B/op"),
    "long-assist": ("Assist", 40, "mark-assist"),
    "long-pause": ("Pause", 4, "gc-pause"),
    "too-many-runnable": ("Runnable", 2, "sched-wait"),
    "long-network-wait": ("Network", 5, "net-wait"),
    "more-system-calls": ("Syscalls", 10, "syscall"),
    "longer-code": ("Code", 5, "exec"),
    "longer-queue": ("Queue", 5, "sched-wait"),
    "starving-receiver": ("Receiver", 5, "sync-block[chan receive]"),
    "slower-sender": ("Sender", 5, "sync-block[chan send]"),
    "longer-select": ("Select", 5, "sync-block[select]"),
    "longer-lock": ("Group", 5, "sync-block[sync]"),
    "late-signal": ("Signal", 5, "sync-block[sync.(*Cond).Wait]"),
    "longer-sleep": ("Sleep", 5, "sleep"),
    "more-collections": ("Assist", 40, "sweep"),
}
RULES = {cause.name: cause for cause in CAUSES}
#: What is left to say of a state: it holds whenever the state is asked about.
ALWAYS = [name for name in SHOWN if RULES[name].holds(Load(time={}, wall=1.0), Load(time={}, wall=1.0))]


@pytest.fixture(scope="module")
def loads(tmp_path_factory):
    """The loads of a benchmark without and with what is the matter."""
    causes = Causes(find_go(os.environ), tmp_path_factory.mktemp("causes") / "m")

    def both(name: str, operations: int, again: int = 0) -> tuple[Load, Load]:
        base, head = (causes.run(f"Benchmark{name}/{which}", operations, again) for which in ("good", "bad"))
        shifts = states(Runs(traced=([base], [head]), sampled=([], [])))
        return (
            load([base], {shift.state: shift.base for shift in shifts}, str(PROCESSORS)),
            load([head], {shift.state: shift.head for shift in shifts}, str(PROCESSORS)),
        )

    return both


#: A busy system may take a processor away for longer than a program runs, and what should run side by side runs one
#: after the other. That is luck, so the first run that agrees counts, of several; on an idle machine it is the first.
TRIES = range(8)


@pytest.mark.parametrize("rule", SHOWN)
def test_a_program_that_has_it(loads, rule):
    """The rule is found on a program that has just this the matter, when its series is asked about."""
    name, operations, series = SHOWN[rule]
    told = []
    for again in TRIES:
        base, head = loads(name, operations, again)
        told.append(find(series if series in head.time else "", [series], base, head))
        if told[-1] is RULES[rule]:
            break
    assert told[-1] is RULES[rule], (told, base, head)


@pytest.mark.parametrize("rule", [name for name in SHOWN if name not in ALWAYS])
def test_a_program_that_has_it_not(loads, rule):
    """The rule does not hold where nothing is the matter, nor where what was the matter went away."""
    name, operations, _ = SHOWN[rule]
    holds = RULES[rule].holds
    for again in TRIES:
        base, head = loads(name, operations, again)
        if not holds(base, base) and not holds(head, base):
            break
    assert not holds(base, base), base
    assert not holds(head, base), (head, base)


@pytest.mark.parametrize("rule", ALWAYS)
def test_what_is_left_to_say_is_said_last(loads, rule):
    """A rule that always holds says nothing of what did not grow, and gives way to one that tells more."""
    name, operations, series = SHOWN[rule]
    more = [cause for cause in CAUSES if series in cause.explains and cause.name not in ALWAYS]
    for again in TRIES:
        base, head = loads(name, operations, again)
        telling = [cause.name for cause in more if cause.holds(base, head) and not cause.holds(base, base)]
        if not telling:
            break
    assert telling == [], (base, head)
    assert find("", [], base, head) is None


def test_every_rule_is_shown():
    """There is a program for each rule of the table, and each rule has a name of its own."""
    assert list(RULES) == list(SHOWN)
    assert len(RULES) == len(CAUSES)


def test_rules_explain_series_that_exist():
    """What a rule explains is a series that a budget may name, and each state has a rule that always holds."""
    for series in (series for cause in CAUSES for series in cause.explains):
        parse_series(series)
    assert {"exec", "sched-wait", "sync-block[sync]", "sync-block[chan send]", "sleep", "sweep"} <= {
        series for name in ALWAYS for series in RULES[name].explains
    }


def test_what_is_new_comes_first():
    """Of two rules that hold the one that did not hold on the base is told, then the one higher in the table."""
    base = Load(time={"exec": 100.0, "mark-assist": 20.0}, wall=100.0, bytes=10.0)
    head = Load(time={"exec": 100.0, "mark-assist": 30.0}, wall=100.0, bytes=100.0)
    assert find("mark-assist", [], base, head) == RULES["allocation"]
    same = Load(time={"exec": 100.0, "mark-assist": 30.0}, wall=100.0, bytes=10.0)
    assert find("mark-assist", [], base, same) == RULES["long-assist"]


def test_what_is_asked_comes_before_what_grew():
    """A rule for the series over its budget is told before one for the state that grew beside it."""
    base = Load(time={"exec": 100.0}, wall=100.0, bytes=10.0)
    head = Load(time={"exec": 900.0}, wall=900.0, bytes=100.0)
    assert find("exec", ["B/op"], base, head) == RULES["allocation"]
    assert find("exec", ["ns/op"], base, head) == RULES["longer-code"]


def test_without_a_time_of_an_operation_there_is_no_queue():
    """A benchmark that hides ns/op has no mean numbers of goroutines, and no rule that needs them holds."""
    hidden = Load(time={"sched-wait": 9e9, "exec": 1.0}, wall=nan)
    assert find("sched-wait", [], hidden, hidden) == RULES["longer-queue"]
