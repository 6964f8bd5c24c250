"""A diagnosis in the words of a report, and back from its file."""

from __future__ import annotations

from dataclasses import replace

import sample_reports
from samples import recording, spread, traced_runs

from pytest_gotrace.explained import breakdowns, why
from pytest_gotrace.explanation import LineShift, StackShift, StateShift
from pytest_gotrace.metrics import parse_key
from pytest_gotrace.report_json import parse_report, to_json
from pytest_gotrace.spots import Spot
from pytest_gotrace.trace import Frame

PAIRS = 6
SEND = "sync-block[chan send]"
SUBMIT, SERVE = Frame("m/pool.Submit", "pool/pool.go", 41), Frame("m/web.Serve", "web/web.go", 7)
WORK = Frame("m/pool.work", "pool/pool.go", 63)


def sent(total: float, number: int = 0) -> Spot:
    at = SUBMIT._replace(function=f"m/pool.Submit{number or ''}")
    return Spot(
        state=SEND, at=at, stack=(at, SERVE), by=WORK, by_group="m/pool.New.func1", count=1, total=total
    )


def runs(*head: Spot):
    totals = {side: {SEND: spread(total, PAIRS)} for side, total in (("base", 100.0), ("head", 900.0))}
    return traced_runs(totals, spots={"base": [sent(100.0)], "head": head})


def told(*head: Spot, touched=lambda frame: False):
    return why("BenchmarkX", recording(*runs(*head)), [parse_key("ns/op")], touched)


def test_a_why_says_all_there_is():
    """States, lines with who ended the waits, and stacks from the outermost call on; and the rule with its words."""
    found = told(sent(900.0), touched=lambda frame: frame.function == WORK.function)
    (state,) = found.states
    assert (state.state, state.steady) == (SEND, True)
    assert found.lines == (
        LineShift(
            state=SEND,
            function="m/pool.Submit",
            file="pool/pool.go",
            line=41,
            base=100.0,
            head=900.0,
            waker_function="m/pool.work",
            waker_file="pool/pool.go",
            waker_line=63,
            waker_group="m/pool.New.func1",
            waker_changed=True,
        ),
    )
    frames = ("m/web.Serve web/web.go:7", "m/pool.Submit pool/pool.go:41")
    assert found.stacks == (StackShift(state=SEND, frames=frames, base=100.0, head=900.0),)
    assert (found.rule, found.diagnosis) == ("slower-sender", "Senders wait longer until somebody receives.")
    assert found.advice.startswith("Look at the channel's buffer")
    assert "ended by `pool.work` (`pool/pool.go:63`, in this change) in `pool.New.func1`" in found.sentence


def test_as_many_stacks_as_can_be_shown():
    """Of many stacks those with the largest difference are told, whichever way it went."""
    found = told(*(sent(float(n), n) for n in range(1, 100)))
    grown = [abs(stack.head - stack.base) for stack in found.stacks]
    assert (len(grown), grown) == (60, sorted(grown, reverse=True))
    assert any(stack.base > stack.head for stack in found.stacks)


def test_every_benchmark_that_was_traced_on_both_sides_has_a_breakdown():
    """Breakdowns are of all benchmarks with traces on both sides, in the order of their names."""
    one = runs(sent(900.0))
    other = [replace(run, benchmark="BenchmarkA") for run in one]
    alone = [replace(run, benchmark="BenchmarkB") for run in one if run.side == "head"]
    found = breakdowns(recording(*one, *other, *alone))
    assert [breakdown.benchmark for breakdown in found] == ["BenchmarkA", "BenchmarkX"]
    (state,) = found[0].states
    assert state == StateShift(state=SEND, base=state.base, head=state.head, steady=True)


def test_it_survives_its_file():
    """What is told comes back from a report as it was written, hostile names included."""
    odd = sent(900.0)
    odd = replace(odd, by_group="`</script>\n::error::", stack=(odd.stack[0], Frame("a b\x00", "", 0)))
    found = recording(*runs(odd))
    explained = why("BenchmarkX", found, [parse_key("ns/op")])
    whole = replace(sample_reports.REGRESSION, why=(explained,), breakdowns=breakdowns(found))
    assert parse_report(to_json(whole).encode()) == whole
