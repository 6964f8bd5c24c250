"""`make aa`: whole gates on real Go, in a series that can be interrupted, and the page that comes of it."""

from __future__ import annotations

import json

import pytest

from benchmarks import aa, gates
from benchmarks.gates import Answer, Finished, Store
from pytest_gotrace.explanation import Interval
from pytest_gotrace.report import (
    VerdictEntry,
)

POOL = ("pool/BenchmarkPool", "sync-block[chan send].total")


def answer(outcome: str = "within", *, blocks: bool = True, **fields) -> Answer:
    """An answer about the pool's channel."""
    return Answer(benchmark=POOL[0], metric=POOL[1], outcome=outcome, blocks=blocks, pairs=6, **fields)


def finished(what: str, number: int = 0, *answers: Answer) -> Finished:
    """A gate that took a minute."""
    answers = answers or (answer(),)
    return Finished(what=what, number=number, exit=0, seconds=60, pairs=48, stolen=0.01, answers=answers)


def test_an_interrupted_series_goes_on(tmp_path):
    """What is stored is not run again, also after the last line was cut short; the answers are the same."""
    store, plan, ran = Store(tmp_path / "deep" / "gates.jsonl"), [("same", n) for n in range(4)], []

    def run(what: str, number: int, budget: str) -> Finished:
        if number == 2 and len(ran) == 2:
            raise KeyboardInterrupt
        ran.append((what, number))
        return finished(what, number, answer(change=number / 10), answer("over", effect=0.1 + number))

    with pytest.raises(KeyboardInterrupt):
        aa.series(plan, store, "", run)
    with store.path.open("a") as file:
        file.write('{"what": "same", "num')
    ran.append(("interrupted", 0))
    found = aa.series(plan, store, "", run)
    assert ran == [("same", 0), ("same", 1), ("interrupted", 0), ("same", 2), ("same", 3)]
    assert [f.number for f in found] == [0, 1, 2, 3]
    assert store.read() == found == aa.series(plan, store, "", run)


def test_false_alarms_are_counted_by_gate():
    """One gate of twenty may be a false alarm, two may not; rules that only warn are none."""
    calm = [finished("same", n) for n in range(19)]
    alarm = finished("same", 19, answer("over", change=0.4, p=0.01), answer("over"))
    warned = finished("same", 19, answer("over", blocks=False), answer())
    text, kept = aa.page([*calm, alarm], "version: 1", "go1.26")
    assert kept
    assert "Written by `make aa` on go1.26." in text
    assert "Proposed for this machine" in text
    assert "The example's own." in aa.page(calm, gates.own_budget(), "go1.26")[0]
    assert "| gates with a false OVER | at most 1 of 20 | 1 of 20 | yes |" in text
    assert "| gates that end WITHIN | | 19 of 20 | |" in text
    assert (
        "* gate 19: pool/BenchmarkPool sync-block[chan send].total, +40.0%, p 0.01, 6 pairs, 1.0% stolen"
        in text
    )
    text, kept = aa.page([*calm[1:], alarm, alarm], "version: 1", "go1.26")
    assert not kept
    assert "| gates with a false OVER | at most 1 of 20 | 2 of 20 | **MISSED** |" in text
    assert (
        "| gates with a false OVER | at most 1 of 20 | 0 of 20 | yes |" in aa.page([*calm, warned], "", "")[0]
    )


def test_what_stays_open_is_named():
    """A gate that ends with doubt does not count as within, and the page says what the doubt was about."""
    text, kept = aa.page([finished("same", 0, answer("inconclusive")), finished("same", 1)], "", "")
    assert kept
    assert "| gates that end WITHIN | | 1 of 2 | |" in text
    assert "* pool/BenchmarkPool sync-block[chan send].total: 1 of 2" in text


@pytest.mark.parametrize(
    ("effects", "outcomes", "kept"),
    [
        ((5.0, 6.0), ("over", "over"), True),
        ((5.0, 6.0), ("over", "inconclusive"), False),
        ((1.5, 1.9), ("over", "inconclusive"), True),
        ((None, None), ("over", "failed"), False),
    ],
)
def test_large_regressions_have_to_be_found_every_time(effects, outcomes, kept):
    """Beyond twice the budget each run must say over, also where no effect is known; below it nothing is demanded."""
    pairs = enumerate(zip(effects, outcomes, strict=True))
    runs = [finished("unbuffered-channel", n, answer(said, effect=e)) for n, (e, said) in pairs]
    text, all_kept = aa.page(runs, "", "")
    assert all_kept is kept
    assert ("**MISSED**" in text) is not kept
    assert f"| {outcomes.count('over')} of 2 |" in text


@pytest.mark.parametrize(
    ("budget", "base", "head", "metric", "expected"),
    [
        ("+10%", 200.0, 230.0, "ns/op", 1.5),
        ("+10% and 60ns", 200.0, 230.0, "ns/op", 0.5),
        ("+3", 0.0, 6.0, "goroutine-leak.count", 2.0),
        ("-5%", 100.0, 80.0, "custom[hits/op]", 4.0),
        ("max 5ms", 1e6, 9e6, "gc-pause.max", None),
    ],
)
def test_an_effect_is_counted_in_budgets(budget, base, head, metric, expected):
    """The effect is how much worse the head is, divided by what the budget allows; a cap allows no change."""
    verdict = VerdictEntry(
        benchmark="p/BenchmarkX",
        metric=metric,
        unit="ns",
        outcome="over",
        budget=budget,
        base=Interval(center=base, low=base, high=base),
        difference=Interval(center=head - base, low=0, high=0),
    )
    assert gates.effect(verdict) == (None if expected is None else pytest.approx(expected))


def test_every_regression_is_in_the_series():
    """The patches that ask to be called over are those of the series; harmless ones and broken builds are not."""
    names = gates.regressions()
    assert {"unbuffered-channel", "slow-tail", "goroutine-leak"} <= set(names)
    assert not [name for name in names if name.startswith(("harmless", "build", "benchmark"))]
    assert gates.expected("unbuffered-channel") == [POOL]


def test_another_machine_begins_anew():
    """Gates of another Go, machine or state of the code are not mixed into a series."""
    assert aa.state("one machine") == aa.state("one machine") != aa.state("another")


def test_a_gate_is_a_whole_gate():
    """One gate runs pytest on a repository with the budget given, and every rule of that budget has an answer."""
    budget = """version: 1
budgets:
  "pool/*": {ns/op: +30%}
"""
    found = gates.run("harmless-comment", 3, budget)
    assert (found.what, found.number, found.exit, found.within) == ("harmless-comment", 3, 0, True)
    assert {(a.metric, a.outcome) for a in found.answers} == {("ns/op", "identical")}
    assert 0 <= found.stolen <= 1


def test_a_gate_that_judges_nothing_is_an_error():
    """A budget that cannot be read ends the series with what pytest said, and is no finished gate."""
    with pytest.raises(RuntimeError, match=r"(?s)harmless-comment: the gate ended with 4.*gotrace\.yaml"):
        gates.run("harmless-comment", 0, "version: 1\nbudget: {}\n")


@pytest.mark.slow
def test_a_regression_is_found_on_real_go(tmp_path, capsys):
    """A series of one gate runs it, stores it, publishes it, and a second time only publishes it."""
    command = ["--gates=0", "--repeats=1", "--patches", "goroutine-leak", f"--cache={tmp_path / 'cache'}"]
    assert aa.main([*command, f"--write={tmp_path / 'page.md'}"]) == 0
    first = capsys.readouterr()
    assert "aa: 1 of 1: goroutine-leak 0: over: fanout/BenchmarkLoadAll goroutine-leak.count in " in first.err
    assert "| 1 of 1 |" in first.out
    (stored,) = next((tmp_path / "cache").rglob("gates.jsonl")).read_text().splitlines()
    assert json.loads(stored)["exit"] == 1
    assert aa.main(command) == 0
    assert capsys.readouterr().out == first.out == (tmp_path / "page.md").read_text() + "\n"


@pytest.mark.slow
def test_the_same_code_is_measured_and_not_over(tmp_path, capsys):
    """The example against itself is really measured, not called identical, and nothing exact of it is over."""
    assert aa.main(["--gates=1", "--repeats=0", f"--cache={tmp_path}"]) in (0, 1)
    (stored,) = Store(next(tmp_path.rglob("gates.jsonl"))).read()
    assert not [a for a in stored.answers if a.outcome in ("identical", "failed", "missing", "new")]
    exact = [a for a in stored.answers if a.metric in ("B/op", "allocs/op", "goroutine-leak.count")]
    assert exact
    assert {a.outcome for a in exact} == {"within"}
