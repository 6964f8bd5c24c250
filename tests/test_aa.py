"""One revision against itself: what can be seen, what chance would have made of it, which budgets can be kept."""

from __future__ import annotations

import numpy as np
import pytest
from asking import PLAN, benchmark, budget, questions
from samples import recording, run, runs_of, spread, traced_runs
from shopfront import FAST, text

from pytest_gotrace import calibrated
from pytest_gotrace.aa import calibrate, doubts
from pytest_gotrace.budget import load
from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.stats import judge
from pytest_gotrace.verdict import Facts

PAIRS = 20
FAMILIES = 60


def compare(cells, look, plan, previous):
    return judge(cells, look=look, plan=plan, previous=previous)


def same(noise: float, center: float = 1000.0, seed: int = 11, pairs: int = PAIRS):
    """Both sides alike but for noise."""
    return {side: spread(center, pairs, noise, seed + i) for i, side in enumerate(("base", "head"))}


def said(tmp_path, limits, *runs, of=(), more=""):
    facts = Facts(recording=recording(*runs), has_base=True, metrics=built_in_metrics())
    return calibrate(questions(budget(tmp_path, limits, more), *of), facts, PLAN, compare, FAMILIES)


def limits_of(found):
    return [str(proposal.limit) for proposal in found.proposals]


def reasons(found):
    return [reason for _, reason in doubts(found.sights)]


class TestSight:
    def test_noise(self, tmp_path):
        """The run-to-run variation is that of differences of pairs: what both runs of a pair share does not count."""
        found = said(tmp_path, "{ns/op: +10%}", *runs_of(same(0.03)))
        (sight,) = found.sights
        assert sight.cv == pytest.approx(0.03, rel=0.3)
        drifting = same(0.03)
        drift = np.linspace(1, 2, PAIRS)
        runs = runs_of({side: [n * d for n, d in zip(v, drift, strict=True)] for side, v in drifting.items()})
        assert said(tmp_path, "{ns/op: +10%}", *runs).sights[0].cv == pytest.approx(0.03, rel=0.5)
        assert found.pairs == PAIRS

    def test_what_can_be_shown(self, tmp_path):
        """More noise needs a wider budget and a larger effect; the effect to be caught lies beyond the budget."""
        quiet, loud = (
            said(tmp_path, "{ns/op: +10%}", *runs_of(same(noise))).sights[0] for noise in (0.01, 0.05)
        )
        assert quiet.provable < loud.provable
        assert 0.10 < quiet.detectable < loud.detectable

    def test_numbers_that_do_not_vary(self, tmp_path):
        """What is the same in every run has no noise, needs no wider budget, and the rule stays."""
        found = said(tmp_path, "{allocs/op: +10%}", *runs_of(same(0.0, 3.0), "allocs/op"))
        (sight,) = found.sights
        assert (sight.value, sight.cv, sight.provable, sight.doubt) == (3.0, 0.0, None, "")
        assert limits_of(found) == ["+10%"]


class TestDoubts:
    @pytest.mark.parametrize(
        ("limit", "often"),
        [
            ("+0.5%", "can hardly ever pass"),
            ("+1.5%", "passes less than every second time"),
            ("+3%", "is tighter than the noise"),
        ],
    )
    def test_too_tight(self, tmp_path, limit, often):
        """A budget below what twenty pairs can prove passes seldom, and the reason says so and from where on."""
        found = said(tmp_path, f"{{ns/op: {limit}}}", *runs_of(same(0.05)))
        assert reasons(found)[0].startswith(f"{often}: 20 pairs prove budgets from +")
        passed = found.now.passed / found.now.families
        assert {"can": passed <= 0.15, "passes": passed <= 0.6, "is": passed >= 0.4}[often.split()[0]]

    def test_too_noisy(self, tmp_path):
        """Where even ten times as much is missed, a rule cannot be said to be able to fail."""
        noise = np.exp(np.random.default_rng(1).normal(0, 3, (2, PAIRS)))
        runs = runs_of({"base": list(noise[0]), "head": list(noise[1])})
        assert reasons(said(tmp_path, "{ns/op: +900%}", *runs)) == [
            "can hardly ever fail: even ×11 is missed once in five times"
        ]

    def test_too_few_events(self, tmp_path):
        """A quantile of too few events is judged never, and it says how many it needs."""
        runs = traced_runs({side: {"region[db]": v} for side, v in same(0.01).items()}, count=40)
        (reason,) = reasons(said(tmp_path, "{'region[db].p99': +10%}", *runs))
        assert reason.startswith("can never pass nor fail: a run has 40 events, and p99 needs 500: ")

    def test_zeros_without_a_floor(self, tmp_path):
        """Zeros have no percentage: the rule says so, and gets a floor."""
        numbers = [0.0, 5e5] * 10
        runs = traced_runs({side: {"syscall": numbers} for side in ("base", "head")})
        quiet = tuple(run(r.side, r.round, traced=True) if r.round % 2 == 0 else r for r in runs)
        found = said(tmp_path, "{syscall.total: +10%}", *quiet)
        assert reasons(found) == [
            "can never pass nor fail: values of 0 have no relative change; give the budget an absolute floor as well"
        ]
        assert limits_of(found) == ["+10% and 50us"]

    def test_only_warns(self, tmp_path):
        """A rule of level warn blocks nothing, and is told among those that cannot."""
        runs = runs_of(same(0.01))
        assert reasons(said(tmp_path, "{ns/op: {max_increase: 10%, level: warn}}", *runs)) == [
            "can never block: its level is warn"
        ]
        assert reasons(said(tmp_path, "{ns/op: +10%}", *runs)) == []


class TestProposals:
    def test_what_can_be_kept_stays(self, tmp_path):
        """A budget well above the noise is what somebody wanted, and stays."""
        found = said(tmp_path, "{ns/op: +10%}", *runs_of(same(0.01)))
        assert limits_of(found) == ["+10%"]
        assert found.changes() == {}
        assert found.now == found.then

    def test_a_tight_budget_is_widened(self, tmp_path):
        """A budget inside the noise becomes one that an unchanged change passes; rounded up, and no wider than that."""
        found = said(tmp_path, "{ns/op: +1%}", *runs_of(same(0.05)))
        (proposal,) = found.proposals
        (sight,) = found.sights
        least = max(1.2 * sight.provable, 1.5 * sight.cv)
        assert least <= proposal.limit.relative <= least + 0.02
        assert proposal.limit.relative == round(proposal.limit.relative, 2)
        assert found.then.passed > 0.9 * found.then.families > 2 * found.now.passed

    def test_near_nothing_a_floor_is_raised(self, tmp_path):
        """Where noise is many times the value a percentage says nothing, so the floor is raised and it stays."""
        numbers = np.random.default_rng(3).exponential(1, (2, PAIRS)) ** 6 * 1000
        runs = traced_runs(
            {side: {"syscall": list(v)} for side, v in zip(("base", "head"), numbers, strict=True)}
        )
        (proposal,) = said(tmp_path, "{syscall.total: +10% and 1us}", *runs).proposals
        assert proposal.limit.relative == 0.1
        assert proposal.limit.absolute > 1000

    def test_one_line_serves_all_its_benchmarks(self, tmp_path):
        """A line about two benchmarks gets what the noisier one needs; amounts are raised as amounts."""
        runs = (
            *runs_of(same(0.01), benchmark="BenchmarkQuiet"),
            *runs_of(same(0.08, seed=5), benchmark="BenchmarkLoud"),
        )
        of = [benchmark("BenchmarkQuiet"), benchmark("BenchmarkLoud")]
        (wide,) = said(tmp_path, "Benchmark*: {ns/op: +2%}", *runs, of=of).proposals
        assert wide.cells == 2
        assert wide.limit.relative >= 0.1
        (amount,) = said(tmp_path, "Benchmark*: {ns/op: +5ns}", *runs, of=of).proposals
        assert amount.limit.relative is None
        assert 60 <= amount.limit.absolute <= 300

    def test_higher_is_better(self, tmp_path):
        """A fall that is allowed is widened as a rise is, and never to all of the value."""
        (proposal,) = said(tmp_path, "{'custom[MB/s]': -1%}", *runs_of(same(0.05), "MB/s")).proposals
        assert str(proposal.limit).startswith("-")
        assert 0.05 <= proposal.limit.relative < 0.95

    def test_two_budgets_are_one_family(self, tmp_path):
        """Rules of two files are judged together, and each file gets its own limits."""
        runs = runs_of(same(0.05))
        asked = [
            question
            for name, limits in (("one.yaml", "{ns/op: +1%}"), ("two.yaml", "{ns/op: +2%}"))
            for question in questions(budget(tmp_path, limits, name=name))
        ]
        facts = Facts(recording=recording(*runs), has_base=True, metrics=built_in_metrics())
        changes = calibrate(asked, facts, PLAN, compare, FAMILIES).changes()
        assert {path.name: len(limits) for path, limits in changes.items()} == {"one.yaml": 1, "two.yaml": 1}
        (one,), (two,) = (limits.values() for limits in changes.values())
        assert one == two

    def test_caps_are_left_alone(self, tmp_path):
        """A cap is a wish about the head: it is neither proposed nor counted."""
        found = said(tmp_path, "{ns/op: max 5us}", *runs_of(same(0.05)))
        assert found.proposals == ()
        assert found.now.families == 0


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
