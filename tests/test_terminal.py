"""What `pytest -v` says about how well the machine could see."""

from __future__ import annotations

from dataclasses import replace

import sample_reports as samples

from pytest_gotrace.terminal import sight


def test_how_well_the_machine_could_see():
    """The closest to its budget, what is underpowered, what would have been caught, and doubts about single rows."""
    weak = replace(
        samples.INCONCLUSIVE, provable=0.6, underpowered=True, detectable=0.9, metric="gc-pause.count"
    )
    report = replace(
        samples.QUIET, verdicts=(samples.WITHIN, samples.IMPROVED, samples.DOUBTED, weak, samples.OVER)
    )
    assert list(sight(report)) == [
        "worst within  of 3: pool/BenchmarkPool ns/op +0.6 % [−0.9 %, +2.1 %], budget +5%",
        f"underpowered  {weak.benchmark} gc-pause.count: budget {weak.budget}, "
        "at this noise only +60 % or more can be shown to be kept",
        "would catch   4 times out of 5: ns/op from +3.1 % on, B/op from +3.1 % on, sched-wait.total from +3.1 % on, "
        "gc-pause.count from +90 % on, region[db].p99 from +12 % on",
        "note          pool/BenchmarkPool sched-wait.total: neighbouring pairs are alike (correlation 0.7); "
        "look for load that comes and goes",
    ]


def test_nothing_measured_says_nothing():
    """Without numbers there is nothing to say about seeing."""
    assert list(sight(samples.QUIET)) == []
