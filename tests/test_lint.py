"""What `gotrace lint` finds in a budget, alone and with the noise of recorded runs."""

from __future__ import annotations

from datetime import date

import pytest
from asking import TODAY, budget
from samples import recording, runs_of, spread, traced_runs
from shopfront import text

from pytest_gotrace.errors import RecordingError
from pytest_gotrace.lint import lint
from pytest_gotrace.recording import against_itself
from pytest_gotrace.recordingfile import write

NOISY = recording(*runs_of({"base": spread(1000, 20, 0.05, 11), "head": spread(1000, 20, 0.05, 12)}))
WAIVER = "waivers:\n  - {benchmark: '*', metric: ns/op, until: 2026-05-31, reason: later}\n"


def found(tmp_path, limits, *recordings, more="", today=TODAY):
    findings = lint(budget(tmp_path, limits, more), recordings, today)
    return [str(finding).removeprefix(f"{tmp_path}/") for finding in findings]


class TestTheFileAlone:
    def test_nothing_to_find(self, tmp_path):
        """A budget that can fail, and a waiver that still holds, are nothing to complain about."""
        assert found(tmp_path, "{ns/op: +10%}", more=WAIVER, today=date(2026, 5, 31)) == []

    def test_a_waiver_past_its_day(self, tmp_path):
        """A waiver that ended is found on its line."""
        assert found(tmp_path, "{ns/op: +10%}", more=WAIVER) == [
            "gotrace.yaml:5: the waiver for * ns/op ended on 2026-05-31 and no longer counts; "
            "remove it, or agree on a new day"
        ]

    @pytest.mark.parametrize(
        ("limits", "more", "what"),
        [
            ("{ns/op: {max_increase: 5%, level: warn}}", "", "every rule has level warn"),
            ("{ns/op: +10%, B/op: +5%}", "defaults: {level: warn}\n", "every rule has level warn"),
            ("{ns/op: off}", "", "every rule is off"),
        ],
    )
    def test_a_budget_that_cannot_fail(self, tmp_path, limits, more, what):
        """Where all rules only warn, or are off, nothing can fail, and it says so."""
        (line,) = found(tmp_path, limits, more=more)
        assert line.startswith(f"gotrace.yaml:3: {what}")


class TestWithRuns:
    def test_tighter_than_the_noise(self, tmp_path):
        """A budget below what the recorded noise lets anybody prove is found, with one that can be kept."""
        (line,) = found(tmp_path, "{ns/op: +1%}", NOISY)
        assert line.startswith(
            "gotrace.yaml:3: ns/op: +1% passes less than every second time: 20 pairs prove budgets from +"
        )
        proposed = line.rpartition("; write ")[2]
        assert found(tmp_path, f"{{ns/op: {proposed}}}", NOISY) == []

    def test_fewer_pairs_than_are_run(self, tmp_path):
        """What twenty pairs can prove six cannot: the budget's own number of pairs counts."""
        assert found(tmp_path, "{ns/op: +7%}", NOISY) == []
        (line,) = found(tmp_path, "{ns/op: +7%}", NOISY, more="defaults: {max_pairs: 6}\n")
        assert "6 pairs prove budgets from" in line

    def test_a_quantile_of_too_few_events(self, tmp_path):
        """A quantile that these runs have no events for is found, with what to do."""
        runs = traced_runs(
            {side: {"region[db]": spread(1e6, 8, 0.01)} for side in ("base", "head")}, count=99
        )
        (line,) = found(tmp_path, "{'region[db].p99': +50%, 'region[db].p90': +50%}", recording(*runs))
        assert "region[db].p99: +50% can never pass nor fail: a run has 99 events, and p99 needs 500" in line
        assert "budget a lower quantile" in line

    def test_what_was_not_recorded_is_not_judged(self, tmp_path):
        """Of a metric or a benchmark that the recording does not have, nothing is said."""
        assert found(tmp_path, "{'region[db].p99': +1%, 'sync-block.total': +1%}", NOISY) == []
        assert found(tmp_path, "BenchmarkOther: {ns/op: +1%}", NOISY) == []

    def test_a_warning_is_meant(self, tmp_path):
        """A rule that somebody gave the level warn is nobody's mistake, however noisy."""
        assert found(tmp_path, "{ns/op: {max_increase: 1%, level: warn}, B/op: +10%}", NOISY) == []

    def test_one_side_is_enough(self, tmp_path):
        """Of a recording of the head alone, neighbouring runs are the pairs."""
        alone = recording(*(run for run in NOISY.runs if run.side == "head"))
        assert {(run.side, run.round) for run in against_itself(alone).runs} == {
            (side, number) for side in ("base", "head") for number in range(10)
        }
        (line,) = found(tmp_path, "{ns/op: +1%}", alone)
        assert "pairs prove budgets from" in line

    def test_too_few_pairs(self, tmp_path):
        """Five pairs say nothing about noise, and that is an error with what to do."""
        few = recording(*(run for run in NOISY.runs if run.round < 5))
        with pytest.raises(RecordingError, match=r"5 pairs says nothing.*--gotrace-aa --gotrace-record"):
            found(tmp_path, "{ns/op: +1%}", few)


def test_the_command(original, tmp_path):
    """`gotrace lint` answers 0 for nothing found, 1 with findings, one a line, and 4 for what is no budget."""
    clean = original.gotrace("lint")
    assert (clean.ret, clean.outlines) == (0, []), text(clean)
    budget(
        tmp_path,
        "{ns/op: +1%}",
        "waivers:\n  - {benchmark: '*', metric: '*', until: 2020-01-01, reason: x}\n",
    )
    write(NOISY, tmp_path / "runs.jsonl")
    bad = original.gotrace("lint", f"{tmp_path}/gotrace.yaml", f"--recording={tmp_path}/runs.jsonl")
    assert bad.ret == 1
    assert [line.split(":")[1] for line in bad.outlines] == ["3", "5"]
    wrong = original.gotrace("lint", "gotrace.yaml", "no.yaml")
    assert wrong.ret == 4
    assert "no such file" in text(wrong)
    assert original.gotrace("lint", "--recording=no.jsonl").ret == 4
