from dataclasses import replace

import pytest
import sample_reports as samples
from hostile import any_report, names
from hypothesis import given, settings
from workflow_commands import commands

from pytest_gotrace import sentences
from pytest_gotrace.explanation import Interval
from pytest_gotrace.report import (
    Events,
    Interference,
    Overhead,
)
from pytest_gotrace.sentences import cause_text, failure_text, headline, verdict_sentence


class TestVerdictSentence:
    @pytest.mark.parametrize(
        ("report", "sentence"),
        [
            (samples.GREEN, "2 within, 1 identical: 2 of 2 benchmarks measured"),
            (samples.REGRESSION, "3 over budget (1 waived), 1 within: 2 of 2 benchmarks measured"),
            (samples.UNDECIDED, "1 inconclusive, 2 within: 2 of 2 benchmarks measured"),
            (
                samples.BROKEN,
                "1 failed, 1 missing, 1 new, 1 within, 1 identical: 3 of 4 benchmarks measured; "
                "caution: tracing slows `head` down by 9 % more than base (and 1 more)",
            ),
            (replace(samples.QUIET, measured=0), "nothing judged: 0 of 2 benchmarks measured"),
            (
                replace(samples.QUIET, verdicts=(samples.IDENTICAL,), expected=0, measured=0),
                "1 identical: nothing had to be measured",
            ),
            (
                replace(samples.QUIET, verdicts=(samples.REQUIRED, samples.WITHIN)),
                "1 within, 1 as required: 2 of 2 benchmarks measured",
            ),
        ],
    )
    def test_counts_worst_first_and_the_doubt(self, report, sentence):
        """The sentence counts outcomes, worst first, and carries the gravest doubt on the same line."""
        assert verdict_sentence(report) == sentence

    def test_a_long_doubt_is_cut(self):
        """A doubt of any length leaves the sentence short."""
        assert len(verdict_sentence(replace(samples.GREEN, warnings=("w" * 5000,)))) < 400

    def test_a_doubt_is_safe_to_log(self):
        """A doubt that names something hostile is one printable line without commands."""
        sentence = verdict_sentence(replace(samples.GREEN, warnings=("no ##[error]`\n::error::`",)))
        assert sentence.isprintable()
        assert not commands(sentence)


class TestFailureText:
    def test_over_budget(self):
        """An item over its budget says what was expected, found, how sure that is, why, and what to do."""
        assert failure_text(samples.OVER, samples.WHY, reproduce="pytest -k large") == (
            "expected:  handler/BenchmarkHandler/large region[db].p99 within +10% and 20us (gotrace.yaml:7)\n"
            "found:     412 µs → 689 µs, +67 % [+41 %, +98 %]\n"
            "evidence:  10 pairs, p 0.0008 adjusted\n"
            "why:       `sync-block[chan send]` +271 µs per operation explains 81 % of what was added, at "
            "`pool.(*Pool).Submit` (`pool/pool.go:41`, in this change), ended by `pool.(*Pool).worker` "
            "(`pool/pool.go:63`)\n"
            "means:     Many goroutines are blocked in a channel send while few receive: "
            "a slow consumer holds them up.\n"
            "try:       Look at the channel's buffer, and at what the receiver does between two receives.\n"
            + "".join(f"see:       {command}\n" for command in samples.WHY.commands)
            + "reproduce: pytest -k large"
        )

    def test_commands_are_for_the_directory_of_the_report(self):
        """A command of the why can be pasted as it stands, and what repeats the run is said once."""
        why = replace(samples.WHY, commands=("go tool trace a.trace", "pytest -k X"))
        said = failure_text(samples.OVER, why, reproduce="pytest -k X", directory="my report").splitlines()
        assert said[-2:] == ["see:       (cd 'my report' && go tool trace a.trace)", "reproduce: pytest -k X"]

    def test_the_why_is_told_once(self):
        """A second metric of a benchmark refers to the first in one line, for the why and for the command."""
        second = replace(samples.OVER, metric="ns/op")
        said = failure_text(second, samples.WHY, reproduce="pytest -k X", told="region[db].p99").splitlines()
        assert said[3:] == [
            "why:       told with `region[db].p99` of this benchmark, and how to reproduce it"
        ]
        gone = failure_text(samples.MISSING, reproduce="pytest -k X", told="ns/op").splitlines()
        assert gone[3:] == ["reproduce: as for `ns/op` of this benchmark"]

    def test_two_numbers_of_the_same_total(self):
        """Where the why is of the very total that is over, it is said why their numbers differ."""
        total = replace(samples.OVER, metric="sync-block[chan send].total")
        note = "note:      the why has means over all traced runs; what was found is the typical run"
        assert note in failure_text(total, samples.WHY).splitlines()
        assert note not in failure_text(samples.OVER, samples.WHY).splitlines()

    def test_a_why_that_knows_less(self):
        """Where no rule says what it means, nothing is said about it."""
        why = replace(samples.WHY, diagnosis="", advice="", commands=())
        labels = [line.split(":")[0] for line in failure_text(samples.OVER, why).splitlines()]
        assert labels == ["expected", "found", "evidence", "why"]

    def test_missing(self):
        """An item without numbers says its outcome and its reason."""
        assert failure_text(samples.MISSING) == (
            "expected:  encode/BenchmarkEncode region[flush].p50 within +10% (gotrace.yaml:12)\n"
            "found:     missing\n"
            "because:   no region `flush` was seen on head"
        )

    def test_inconclusive(self):
        """An undecided item says what would settle it."""
        text = failure_text(replace(samples.INCONCLUSIVE, warnings=("the base was recorded",)))
        assert text.splitlines()[2:] == [
            "evidence:  20 pairs, p 0.4 adjusted",
            "because:   an increase of 10% is neither shown nor ruled out",
            "needs:     about 24 pairs would tell (12 to 40)",
            "note:      the base was recorded",
        ]

    def test_waived(self):
        """A waived item says who accepted it until when."""
        assert "waived:    agreed in the design review (until 2026-12-31)" in failure_text(samples.WAIVED)

    def test_failed(self):
        """What could not be measured says first how it failed."""
        failed = replace(samples.MISSING, outcome="failed", reason="on the head: panicked: oops")
        assert failure_text(failed).splitlines() == [
            "on the head: panicked: oops",
            "expected:  encode/BenchmarkEncode region[flush].p50 within +10% (gotrace.yaml:12)",
        ]

    @pytest.mark.parametrize(
        ("entry", "line"),
        [
            (samples.OVER, "412 µs → 689 µs, +67 % [+41 %, +98 %], budget +10% and 20us"),
            (replace(samples.OVER, base=None, change=None, difference=None), "689 µs, budget +10% and 20us"),
            (samples.MISSING, "no region `flush` was seen on head"),
            (replace(samples.MISSING, reason=""), "missing"),
        ],
    )
    def test_headline(self, entry, line):
        """One line says by how much, or why there is no number."""
        assert headline(entry) == line

    @settings(derandomize=True, max_examples=100, deadline=None)
    @given(any_report(names))
    def test_no_commands(self, report):
        """Whatever things are called, no line is a command to a CI runner, and each is printable."""
        why = report.why[0] if report.why else None
        for entry in report.verdicts:
            for line in failure_text(entry, why, reproduce=report.reproduce).split("\n"):
                assert line.isprintable()
                assert not commands(line)


class TestNeeded:
    @pytest.mark.parametrize(
        ("share", "changes", "budget"),
        [
            (0.0311, {}, " to `+3.2%`"),
            (0.31, {}, " to `+31%`"),
            (1.234, {"budget": "+10% and 20us"}, " to `+130% and 20us`"),
            (12.0, {"budget": "+10%, max 5ms"}, " to `+1200%, max 5ms`"),
            (0.00101, {"budget": "+1us", "base": samples.around(2e6, 0.1)}, " to `+2.1us`"),
            (0.5, {"budget": "-10%", "better": "higher"}, " to `-50%`"),
            (1.5, {"budget": "-10%", "better": "higher"}, ""),
            (0.5, {"budget": "what?"}, ""),
            (5e-324, {}, ""),
            (1e300, {"budget": "+1us"}, ""),
            (-0.5, {}, ""),
            (0.5, {"budget": "+1us", "base": None}, ""),
        ],
    )
    def test_a_budget_that_would_do(self, share, changes, budget):
        """The budget that is advised is as one writes it, rounded up to two digits; none where there is none."""
        entry = replace(samples.INCONCLUSIVE, pairs_needed=None, advisable=share, **changes)
        assert sentences.needed_text(entry) == (
            f"no reasonable number of pairs would tell: raise the budget{budget} or make the benchmark run longer"
        )

    def test_nothing_would_help(self):
        """Where neither pairs nor a budget would settle it, nothing is said but the reason."""
        assert sentences.needed_text(replace(samples.INCONCLUSIVE, pairs_needed=None)) == ""


class TestEvents:
    @pytest.mark.parametrize(
        ("numbers", "lengths", "said"),
        [
            (
                (0.5, 7.0),
                (12_000.0, 12_300.0),
                "14 times as many waits per operation (0.5 → 7), each about as long (12.0 µs → 12.3 µs)",
            ),
            (
                (4.0, 4.1),
                (12_000.0, 17_000.0),
                "about as many waits per operation (4.0 → 4.1), each 42 % longer (12 µs → 17 µs)",
            ),
            (
                (4.0, 5.2),
                (12_000.0, 9_000.0),
                "30 % more waits per operation (4.0 → 5.2), each 25 % shorter (12 µs → 9 µs)",
            ),
        ],
    )
    def test_more_of_them_or_longer_ones(self, numbers, lengths, said):
        """A total says whether there are more events or longer ones, with both numbers."""
        events = Events(
            base_number=numbers[0],
            head_number=numbers[1],
            base_length=lengths[0],
            head_length=lengths[1],
        )
        entry = replace(samples.OVER, metric="sync-block[chan send].total", events=events)
        assert sentences.events_text(entry) == said
        assert f"made of:   {said}\n" in failure_text(entry)

    def test_nothing_to_compare(self):
        """Where a side has no events, and of what is no total, nothing is said."""
        none = Events(base_number=0.0, head_number=7.0, base_length=0.0, head_length=12.0)
        assert sentences.events_text(replace(samples.OVER, events=none)) == ""
        assert sentences.events_text(samples.OVER) == ""


class TestParts:
    def test_no_ratio(self):
        """Where the base is 0 there is no ratio, and the difference is shown in its unit."""
        entry = replace(
            samples.OVER, change=None, difference=Interval(center=2048.0, low=1024.0, high=3072.0), unit="B"
        )
        assert sentences.change_text(entry) == "+2 KiB [+1 KiB, +3 KiB]"

    @pytest.mark.parametrize(
        ("budget", "metric", "unit", "said"),
        [
            ("+3", "goroutine-leak.count", "1", "+8800 [+8790, +8810] per run"),
            ("+20us", "sleep.total", "ns", "+8.80 µs [+8.79 µs, +8.81 µs] per operation"),
            ("+20us, max 5ms", "region[db].p99", "ns", "+8.80 µs [+8.79 µs, +8.81 µs]"),
            ("+10% and 20us", "sleep.total", "ns", "×8801 [×8791, ×8811]"),
            ("max 5ms", "sleep.total", "ns", "×8801 [×8791, ×8811]"),
        ],
    )
    def test_an_amount_beside_an_amount(self, budget, metric, unit, said):
        """Where only an amount is budgeted, the change is told as an amount, of a run or of an operation."""
        entry = replace(
            samples.OVER,
            metric=metric,
            unit=unit,
            budget=budget,
            change=Interval(center=8800, low=8790, high=8810),
            difference=Interval(center=8800, low=8790, high=8810),
        )
        assert sentences.change_text(entry) == said

    def test_a_point(self):
        """An interval without width is one number."""
        assert sentences.change_text(samples.IMPROVED) == "\u221225 %"

    def test_one_side(self):
        """A side that was not measured is left empty."""
        assert sentences.sides_text(replace(samples.OVER, base=None)) == ("", "689 µs")

    def test_small_p(self):
        """A p-value too small to print is bounded."""
        assert sentences.evidence_text(replace(samples.OVER, p=1e-9)) == "10 pairs, p below 0.0001 adjusted"

    def test_cause(self):
        """The cause is the state that grew most; without growth there is none."""
        assert sentences.cause_text(samples.WHY) == "`sync-block[chan send]` +271 µs/op"
        shrunk = tuple(replace(state, head=0.0) for state in samples.WHY.states)
        assert sentences.cause_text(replace(samples.WHY, states=shrunk)) == ""
        assert sentences.cause_text(None) == ""


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Interference(), ""),
        (Interference(watched=("spin",), seconds=1.5), ""),
        (
            Interference(repeated=1, reasons={"steal": 1}),
            "others disturbed the machine: 1 pair was measured again (steal 1)",
        ),
        (
            Interference(repeated=2, kept=1, reasons={"steal": 1, "spin": 2}),
            "others disturbed the machine: 2 pairs were measured again and 1 disturbed pair was kept "
            "(spin 2, steal 1)",
        ),
    ],
)
def test_interference_is_counted(found, said):
    """Disturbed pairs are counted, with what told of them; nothing is said where there were none."""
    assert sentences.interference_text(found) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "the worst of 6 runs of head by `region[db].p99`: 731 µs; its longest `sync-block[chan send]` at "
            "`pool/pool.go:41` took 691 µs, on goroutine 34 from 81.312 ms on",
        ),
        (
            {"goroutine": -1, "begin": -1, "at": "", "by": "ns/op", "value": 1.9e6},
            "the worst of 6 runs of head by `ns/op`: 1.9 ms; its longest `sync-block[chan send]` took 691 µs",
        ),
        ({"duration": -1, "value": None}, "the worst of 6 runs of head"),
        ({"duration": -1, "value": None, "runs": 0}, "the worst run of head"),
    ],
)
def test_where_to_look_in_a_trace(changes, said):
    """A kept trace is told by what it is the worst, and with its longest event, as far as that is known."""
    assert sentences.trace_text(replace(samples.TRACES[0], **changes)) == said


def test_the_price_of_tracing():
    """What tracing costs is a factor for each side that is known."""
    assert sentences.overhead_text(Overhead(benchmark="B", base=1.4, head=1.43)) == (
        "×1.40 on the base, ×1.43 on the head"
    )
    assert sentences.overhead_text(Overhead(benchmark="B", head=2.0)) == "×2.00 on the head"


def test_the_cause_of_a_leak_is_goroutines():
    """In the table the cause of a leak is a number of goroutines, and no time of a state."""
    line = replace(samples.WHY.lines[0], state="goroutine-leak", base=0.0, head=1.0)
    assert cause_text(replace(samples.WHY, lines=(line,))) == "+1 goroutines/op"
    assert cause_text(samples.WHY) == "`sync-block[chan send]` +271 µs/op"
