"""What `pytest -v` says about how well the machine could see."""

from __future__ import annotations

from dataclasses import replace

import sample_reports as samples

from pytest_gotrace.terminal import details, every_row, sight, wrapped


def test_how_well_the_machine_could_see():
    """The closest to its budget, what would have been caught, and doubts about single rows that no item spoke."""
    weak = replace(samples.INCONCLUSIVE, detectable=0.9, metric="gc-pause.count")
    report = replace(
        samples.QUIET, verdicts=(samples.WITHIN, samples.IMPROVED, samples.DOUBTED, weak, samples.OVER)
    )
    assert list(sight(report)) == [
        "worst within  of 3: pool/BenchmarkPool ns/op +0.6 % [−0.9 %, +2.1 %], budget +5%",
        "would catch   4 times out of 5: ns/op from +3.1 % on, B/op from +3.1 % on, sched-wait.total from +3.1 % on, "
        "gc-pause.count from +90 % on, region[db].p99 from +12 % on",
        "note          pool/BenchmarkPool sched-wait.total: neighbouring pairs are alike (correlation 0.7); "
        "look for load that comes and goes",
    ]


def test_an_open_row_says_one_thing_that_would_settle_it():
    """A row that no number of pairs would settle has one number: the budget that would, and not what could be seen."""
    hopeless = replace(
        samples.INCONCLUSIVE,
        reason="both within and over are still possible",
        pairs_needed=None,
        advisable=0.314,
        provable=0.2,
        underpowered=True,
        detectable=0.9,
        warnings=(),
    )
    row, *_ = details(replace(samples.QUIET, verdicts=(hopeless,)))
    assert row.endswith(
        "; both within and over are still possible; no reasonable number of pairs would tell: "
        "raise the budget to +32% or make the benchmark run longer"
    )
    assert not [line for line in sight(replace(samples.QUIET, verdicts=(hopeless,))) if "20 %" in line]


def test_nothing_measured_says_nothing():
    """Without numbers there is nothing to say about seeing."""
    assert list(sight(samples.QUIET)) == []


def test_a_row_without_numbers():
    """What only had to be there is said by its name."""
    row = replace(
        samples.WITHIN, metric="require", base=None, head=None, change=None, difference=None, budget=""
    )
    assert list(every_row(replace(samples.QUIET, verdicts=(row,)))) == [
        "as required   pool/BenchmarkPool require"
    ]


def test_what_is_next_stays_whole():
    """Prose is wrapped below its text; the command to run again is one line however narrow the terminal."""
    *_, again = details(samples.REGRESSION)
    assert again == "again         pytest --gotrace-baseline=main gotrace.yaml"
    assert wrapped("over          one two three", 20).splitlines() == [
        "over          one",
        " " * 14 + "two",
        " " * 14 + "three",
    ]
