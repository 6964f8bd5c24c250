"""What can be seen in runs of one revision against itself, and which rules decide nothing there."""

from __future__ import annotations

import numpy as np
import pytest
from samples import run, runs_of, traced_runs
from unchanged import PAIRS, limits_of, reasons, said, same


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
