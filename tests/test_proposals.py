"""Which limits are proposed: such that what did not change passes, and none that was already kept is touched."""

from __future__ import annotations

import numpy as np
from asking import PLAN, benchmark, budget, questions
from samples import recording, runs_of, traced_runs
from unchanged import FAMILIES, PAIRS, compare, limits_of, said, same

from pytest_gotrace.aa import calibrate
from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.verdict import Facts


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
