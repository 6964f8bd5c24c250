"""The commands name the traces that were kept, whatever the benchmark is called."""

from __future__ import annotations

import shlex

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
    trace, pprof, diff = (shlex.split(command) for command in commands(TRACES, state))
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
        ["gotrace", "diff"],
    ]


def test_one_side_or_none():
    """A head without a base is opened and not compared; without traces there is no command."""
    assert len([*commands(TRACES[:2], "exec")]) == 1
    assert [*commands((), "exec")] == []
