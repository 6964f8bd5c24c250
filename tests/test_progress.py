"""Who waits sees the plan, how far it is, and the verdicts so far; a log does not get a line for each run."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from pytest_gotrace.progress import Shown, Silent


def test_a_log_gets_the_plan_and_few_lines():
    """Without a terminal the plan is printed at once, and of the progress only a line now and then."""
    out = io.StringIO()
    with Shown(Console(file=out, width=40)) as shown:
        shown.say("1 benchmark [with] 6 pairs each: about 4 s at the most")
        shown.step("building")
        shown.round(3, 20, "BenchmarkX", 61)
    assert out.getvalue().splitlines() == [
        "gotrace: 1 benchmark [with] 6 pairs each: about 4 s at the most",
        "gotrace: building",
    ]


def test_a_line_says_how_far_it_is():
    """A line of progress has the pair, the time that is left, and the verdicts so far."""
    out = io.StringIO()
    shown = Shown(Console(file=out))
    shown.judged("3 within, 2 open")
    shown.round(7, 20, "BenchmarkX", 61)
    assert out.getvalue() == (
        "gotrace: pair 7 of at most 20, 1 min 1 s left at the most; so far 3 within, 2 open; BenchmarkX\n"
    )


def test_warming_up_has_no_verdicts():
    """Before the first look there is nothing to say about verdicts."""
    out = io.StringIO()
    Shown(Console(file=out)).round(0, 6, "BenchmarkX", 2)
    assert out.getvalue() == "gotrace: warming up, 2 s left at the most; BenchmarkX\n"


def test_a_terminal_keeps_the_plan():
    """On a terminal the plan stays when the live line is gone."""
    out = io.StringIO()
    with Shown(Console(file=out, force_terminal=True, width=80)) as shown:
        shown.say("the plan")
        shown.round(1, 6, "BenchmarkX", 2)
    assert "gotrace: the plan\n" in out.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_live_line_is_one_line(width):
    """However narrow the terminal and long the name, the live line is one line, with pair and time in it."""
    out = io.StringIO()
    with Shown(Console(file=out, force_terminal=True, width=width)) as shown:
        shown.round(7, 20, "handler/BenchmarkHandler/" + "large" * 30, 61)
        shown._status._live.refresh()
    lines = re.split(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]", out.getvalue())
    assert any("pair 7 of at most 20" in line for line in lines)
    assert all(len(line) < width for line in lines)
    assert all("pair 7" in line for line in lines if "handler" in line or "large" in line)


def test_nothing_that_a_name_could_do():
    """A name with control characters, or a runner's command, is printed as text."""
    out = io.StringIO()
    shown = Shown(Console(file=out))
    shown.say("##[error]x \x1b[2J")
    assert out.getvalue() == "gotrace: ##\\u{5b}error]x \\u{1b}[2J\n"


def test_nobody_is_told():
    """Silence is silent in every way."""
    with Silent() as silent:
        assert [silent.say(""), silent.step(""), silent.judged(""), silent.round(1, 1, "", 0.0)] == [None] * 4
