"""The commands name the traces that were kept, whatever the benchmark is called."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from sample_reports import TRACES

from pytest_gotrace.commands import commands

FOLDER = "traces/handler_BenchmarkHandler_large"


@pytest.mark.parametrize(
    ("state", "profile"),
    [("sync-block[chan send]", "sync"), ("sched-wait", "sched"), ("syscall", "syscall"), ("net-wait", "net")],
)
def test_a_state_has_its_profile(state, profile):
    """The worst trace of the head is opened, and what is subtracted is the profile of the state that grew."""
    trace, show, pprof, diff = (shlex.split(command) for command in commands(TRACES, state))
    assert show[:3] == ["gotrace", "show", f"{FOLDER}/head-worst.trace"]
    assert trace == ["go", "tool", "trace", f"{FOLDER}/head-worst.trace"]
    assert pprof[-2:] == [
        f"-diff_base={FOLDER}/base-median.{profile}.pb.gz",
        f"{FOLDER}/head-median.{profile}.pb.gz",
    ]
    assert diff == ["gotrace", "diff", f"{FOLDER}/base-median.trace", f"{FOLDER}/head-median.trace"]


def test_what_there_is_no_profile_of():
    """Where a trace has no profile of the state, traces alone are compared."""
    assert [shlex.split(command)[:2] for command in commands(TRACES, "exec")] == [
        ["go", "tool"],
        ["gotrace", "show"],
        ["gotrace", "diff"],
    ]


def test_one_side_or_none():
    """A head without a base is opened and not compared; without traces there is no command."""
    assert len([*commands(TRACES[:2], "exec")]) == 2
    assert [*commands((), "exec")] == []


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({}, ["--view=blocking", "--goroutine=34", "--since=81312448ns", "--until=82003648ns"]),
        (
            {"series": "net-wait", "goroutine": -1},
            ["--view=network", "--since=81312448ns", "--until=82003648ns"],
        ),
        (
            {"series": "region[db]", "begin": 0, "duration": 5, "goroutine": 1},
            ["--view=goroutines", "--goroutine=1", "--since=0ns", "--until=5ns"],
        ),
    ],
)
def test_the_moment_to_look_at_first(changes, options):
    """One command shows nothing but the event that is to be looked at first."""
    _, show, *_ = commands([replace(TRACES[0], **changes)], "exec")
    assert shlex.split(show)[3:] == options


def test_no_moment():
    """Where no event is to be looked at first, no command shows one."""
    assert len([*commands([replace(TRACES[0], begin=-1, duration=-1)], "exec")]) == 1
