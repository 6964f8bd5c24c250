"""One revision against itself: what chance would have made of it, and what is printed and written."""

from __future__ import annotations

import pytest
from asking import PLAN, budget, questions
from samples import recording, runs_of
from shopfront import FAST, text
from unchanged import FAMILIES, compare, said, same

from pytest_gotrace import calibrated
from pytest_gotrace.aa import calibrate
from pytest_gotrace.budget import load
from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.verdict import Facts


class TestTrials:
    def test_false_alarms_are_rare(self, tmp_path):
        """Of the rearrangements of unchanged runs hardly any is called over, and the same seed counts the same."""
        runs = runs_of(same(0.03))
        found = said(tmp_path, "{ns/op: +10%}", *runs)
        assert found.now.over <= 0.01 * found.now.families
        assert found.now.passed >= 0.9 * found.now.families
        assert said(tmp_path, "{ns/op: +10%}", *runs).now == found.now

    def test_more_than_noise_is_counted(self, tmp_path):
        """A procedure that calls everything over is found out."""

        def trigger_happy(cells, look, plan, previous):
            from dataclasses import replace

            return [replace(c, decision="over") for c in compare(cells, look, plan, previous)]

        facts = Facts(recording=recording(*runs_of(same(0.03))), has_base=True, metrics=built_in_metrics())
        found = calibrate(questions(budget(tmp_path, "{ns/op: +10%}")), facts, PLAN, trigger_happy, FAMILIES)
        assert found.now.over == found.now.families


class TestFrontDoor:
    def test_what_is_printed(self, tmp_path):
        """Every number with its noise, then the false alarms, and a line for each rule with its place."""
        found = said(tmp_path, "{ns/op: +1%}", *runs_of(same(0.05)))
        table = "\n".join(calibrated.numbers(found, 100))
        assert "BenchmarkX" in table
        assert "can be kept from" in table
        lines = list(calibrated.proposals(found, tmp_path, written=False))
        assert lines[0].startswith("false alarms  0 of 60 rearrangements of these runs are over budget, ")
        assert any(
            line.startswith("doubtful      gotrace.yaml:3: ns/op: +1% passes less than") for line in lines
        )
        assert any(
            line.startswith("budget        gotrace.yaml:3: BenchmarkX ns/op: +1% → +") for line in lines
        )
        assert lines[-1].strip() == "--gotrace-aa-write writes them into the budget"

    @pytest.mark.alone
    def test_aa_write(self, shop):
        """`--gotrace-aa-write` measures identical binaries against each other and writes what this machine can show."""
        shop.budget(
            "version: 1\n"
            "defaults: {level: warn}\n"  # of noise, one run in twenty may be over so tight a budget
            "budgets:\n"
            '  "till/BenchmarkPay/*":  # dear\n'
            "    allocs/op: +10%   # exact\n"
            "    ns/op: +0.001%    # far too tight\n"
        )
        before = (shop.root / "gotrace.yaml").read_text()
        result = shop.pytest("--gotrace-aa-write", *FAST, "-k", "small")
        assert result.ret == 0, text(result)
        result.stdout.fnmatch_lines(
            [
                "*gotrace A/A*",
                "*till/BenchmarkPay/small*allocs/op*1*0.0 %*",
                "false alarms *",
                "budget *gotrace.yaml:5: till/BenchmarkPay/* allocs/op: +10% stays",
                "budget *gotrace.yaml:6: till/BenchmarkPay/* ns/op: +0.001% → +*",
                "*written into the budget",
            ]
        )
        after = (shop.root / "gotrace.yaml").read_text()
        limit = load(shop.root / "gotrace.yaml").rules[1].limit
        assert limit.relative > 0.001
        assert after == before.replace("+0.001%", str(limit))
        assert shop.leftovers() == []

    def test_no_base(self, original):
        """A/A has no base to name, and says what to name instead."""
        result = original.pytest("--gotrace-aa", "--gotrace-baseline=HEAD")
        assert result.ret == 4
        assert "--gotrace-head=REV" in text(result)
