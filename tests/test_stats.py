import pickle
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import pytest_gotrace.stats
from pytest_gotrace.stats import Cell, Plan, judge, summarize
from pytest_gotrace.stats.decision import holm

NAN = float("nan")
PLAN = Plan()


def measured(change=0.0, *, cv=0.02, pairs=6, seed=0, level=100.0, **budget):
    """A cell with lognormal noise on both sides and a true relative change."""
    rng = np.random.default_rng((seed, pairs))
    base, head = level * np.exp(rng.normal(scale=cv, size=(2, pairs)))
    return Cell(base=base, head=head * (1 + change), **({"relative": 0.05} | budget))


def family(cells=19, **changes):
    """Innocent cells, each with its own noise."""
    return [measured(seed=100 + i, **changes) for i in range(cells)]


def pairs_of(differences, **budget):
    """A cell whose pairs differ by exactly these logarithms."""
    d = np.asarray(differences, dtype=float)
    return Cell(base=np.full(len(d), 100.0), head=100 * np.exp(d), **({"relative": 0.05} | budget))


def one(cell, look=0, plan=PLAN):
    (comparison,) = judge([cell], look=look, plan=plan)
    return comparison


# ----------------------------------------------------------------------------------------------------
# Over, within, open


def test_a_large_change_is_over_at_the_first_look():
    """+25 % against a budget of 5 % at 2 % noise is over with six pairs, and the other cells are not."""
    first, *others = judge([measured(0.25), *family()], look=0, plan=PLAN)
    assert first.decision == "over"
    assert {c.decision for c in others} <= {"within", "inconclusive"}


def test_no_change_is_within_by_the_last_look():
    """Without a change every cell is within after twenty pairs."""
    assert {c.decision for c in judge(family(20, pairs=20), look=3, plan=PLAN)} == {"within"}


def test_an_improvement_is_within():
    """Getting faster never exceeds a budget."""
    assert one(measured(-0.2)).decision == "within"


def test_a_change_at_the_budget_is_open_and_says_so():
    """A change of about the budget is neither over nor within, and the reason says what is missing."""
    c = judge([measured(0.05, seed=3), *family()], look=0, plan=PLAN)[0]
    assert c.decision == "inconclusive"
    assert c.reason == "both within and over are still possible"
    assert (c.pairs_needed is None) is (c.advisable is not None)


def test_within_stays_within():
    """A cell that was within at an earlier look stays so, and the others no longer pay for it."""
    cells = [measured(0.25, pairs=10), measured(0.12, cv=0.05, pairs=10, seed=9)]
    assert judge(cells, look=1, plan=PLAN)[0].decision == "over"
    sticky, other = judge(cells, look=1, plan=PLAN, previous=["within", "inconclusive"])
    assert sticky.decision == "within"
    assert sticky.p_over_adjusted is None
    assert other.p_over_adjusted == pytest.approx(other.p_over / (1 - PLAN.pass_level))


def test_over_stays_over():
    """A cell that was over at an earlier look stays over."""
    assert judge([measured(pairs=10)], look=1, plan=PLAN, previous=["over"])[0].decision == "over"


def test_open_cells_share_the_error():
    """Adjusted p-values are Holm's over the cells that are not within, after dividing by 1 - pass_level."""
    cells = [measured(0.05, seed=s, cv=0.03) for s in range(8)] + [measured(-0.3, seed=50)]
    found = judge(cells, look=0, plan=PLAN)
    open_ = [c for c in found if c.decision != "within"]
    assert 2 <= len(open_) < len(found)
    by_hand = holm(np.minimum(1, np.array([c.p_over for c in open_]) / (1 - PLAN.pass_level)))
    np.testing.assert_allclose([c.p_over_adjusted for c in open_], by_hand)


def test_holm():
    """Holm's adjustment of .01, .04, .03, .005 is .03, .06, .06, .02."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_the_closed_test(seed):
    """Holm's p-value of a cell is the largest Bonferroni p-value of all sets of cells that it is in."""
    p = np.random.default_rng(seed).uniform(size=6) ** 3
    sets = [set(s) for size in range(1, 7) for s in combinations(range(6), size)]
    closed = [max(min(1, len(s) * min(p[list(s)])) for s in sets if i in s) for i in range(6)]
    np.testing.assert_allclose(holm(p), closed)


@pytest.mark.parametrize(("pairs", "decision"), [(2, "inconclusive"), (4, "inconclusive"), (5, "over")])
def test_five_pairs_to_fail(pairs, decision):
    """However large the change, fewer than five pairs never show it."""
    assert one(measured(3.0, pairs=pairs, cv=0.001)).decision == decision


@pytest.mark.parametrize(("pairs", "decision"), [(4, "inconclusive"), (5, "inconclusive"), (6, "within")])
def test_six_pairs_to_pass(pairs, decision):
    """However small the noise, fewer than six pairs never show that a change stays within."""
    c = one(measured(-0.5, pairs=pairs, cv=0.001))
    assert c.decision == decision
    assert decision == "within" or f"need at least 6 pairs to decide, have {pairs}" == c.reason


def test_pairs_that_disagree_do_not_fail():
    """One of five pairs the other way: the t-test with borrowed noise says over, the sign flip says no."""
    quiet = [pairs_of(np.random.default_rng(i).normal(scale=0.01, size=5), gated=False) for i in range(30)]
    c = judge([pairs_of([0.5, 0.5, 0.5, 0.5, 0.0]), *quiet], look=0, plan=PLAN)[0]
    assert c.p_over_adjusted < PLAN.level(0)
    assert c.decision == "inconclusive"


def test_an_unchanged_constant_is_within():
    """Allocations that are the same in every run are within, at zero as well."""
    for level in (0.0, 12.0):
        c = one(Cell(base=np.full(5, level), head=np.full(5, level), relative=0.05))
        assert (c.decision, c.exact, c.warnings) == ("within", True, ())


@pytest.mark.parametrize(("head", "decision"), [(110.0, "within"), (111.0, "over"), (90.0, "within")])
def test_a_constant_is_where_it_is(head, decision):
    """Without noise five pairs decide, and a change of exactly the budget is within it."""
    assert one(Cell(base=np.full(5, 100.0), head=np.full(5, head), relative=0.1)).decision == decision


def test_a_constant_needs_five_pairs_too():
    """Four equal pairs may be chance."""
    c = one(Cell(base=np.full(4, 100.0), head=np.full(4, 200.0), relative=0.1))
    assert (c.decision, c.reason) == ("inconclusive", "need at least 5 pairs to decide, have 4")


def test_suspect():
    """A cell that alone would be over, but not among all, is called suspect and stays open."""
    cells = [measured(0.075, seed=2), *(measured(0.05, seed=i) for i in range(3, 40))]
    c = judge(cells, look=0, plan=PLAN)[0]
    assert c.p_over <= 0.05
    assert (c.decision, c.suspect) == ("inconclusive", True)
    assert any(w.startswith("suspect") for w in c.warnings)


# ----------------------------------------------------------------------------------------------------
# Budgets


def test_the_larger_part_of_a_budget_counts():
    """+40 % of little is within an absolute floor, and over without one."""
    small = {"change": 0.4, "level": 1.0}
    assert one(measured(**small, relative=0.05)).decision == "over"
    assert one(measured(**small, relative=0.05, absolute=5.0)).decision == "within"


def test_an_absolute_budget_alone():
    """A budget of 10 units allows 5 and not 20."""
    assert one(measured(0.05, relative=None, absolute=10.0)).decision == "within"
    assert one(measured(0.20, relative=None, absolute=10.0)).decision == "over"


def test_higher_is_better():
    """Where higher is better a fall beyond the budget is over, a rise is within, and signs stay natural."""
    fall = one(measured(-0.2, relative=0.1, better="higher"))
    assert fall.decision == "over"
    assert fall.change.center < -0.15
    assert one(measured(0.2, relative=0.1, better="higher")).decision == "within"


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_a_cap_needs_no_base(better):
    """Head alone is tested against a cap; well below and well above it are told apart."""
    low, high = (
        Cell(head=measured().head, cap=120.0, better=better),
        Cell(head=measured().head, cap=80.0, better=better),
    )
    expected = ("within", "over") if better == "lower" else ("over", "within")
    assert (one(low).decision, one(high).decision) == expected


def test_a_cap_still_shows_the_change():
    """With base runs at hand the change is described beside the cap."""
    cell = measured(0.1)
    c = one(Cell(base=cell.base, head=cell.head, cap=200.0))
    assert c.decision == "within"
    assert c.change == one(cell).change
    assert c.base == one(cell).base


@pytest.mark.parametrize(
    "broken",
    [
        {"head": np.ones(6)},
        {"base": np.ones(6), "head": np.ones(6)},
        {"base": np.ones(6), "head": np.ones(6), "relative": 0.1, "cap": 3.0},
        {"base": np.ones(5), "head": np.ones(6), "relative": 0.1},
        {"base": np.ones(6), "head": np.ones(6), "relative": -0.1},
        {"base": np.ones(6), "head": np.ones(6), "relative": 1.0, "better": "higher"},
        {"head": np.ones(6), "cap": 3.0, "gated": False},
    ],
)
def test_cells_that_make_no_sense(broken):
    """A cell without a budget, with two, with half a pair, or with an impossible budget is refused."""
    with pytest.raises(ValueError, match=r"a |budget|pairs|cap"):
        Cell(**broken)


# ----------------------------------------------------------------------------------------------------
# Absence

FULL, EMPTY = np.arange(100.0, 110.0), np.full(10, NAN)
HALF = np.where(np.arange(10) < 5, FULL, NAN)
MOST = np.where(np.arange(10) < 8, FULL, NAN)


@pytest.mark.parametrize(
    ("base", "head", "decision", "reason"),
    [
        (EMPTY, FULL, "new", "no base run has a value"),
        (FULL, EMPTY, "removed", "no head run has a value"),
        (EMPTY, EMPTY, "nothing", "no run of either side"),
        (HALF, FULL, "not-estimable", "5 of 10 base and 10 of 10 head runs"),
        (FULL, HALF, "not-estimable", "10 of 10 base and 5 of 10 head runs"),
    ],
)
def test_absence(base, head, decision, reason):
    """What is not there is said, with the reason, and is never within."""
    c = one(Cell(base=base, head=head, relative=0.05), look=1)
    assert c.decision == decision
    assert reason in c.reason
    assert (c.base is None, c.head is None) == (base is EMPTY, head is EMPTY)
    assert c.p_over is None


def test_presence_is_tested_pair_by_pair():
    """A value in 10 of 10 base runs and 5 of 10 head runs: five pairs differ, all one way, p = 2 / 2^5."""
    assert "p 0.062" in one(Cell(base=FULL, head=HALF, relative=0.05), look=1).reason


def test_most_runs_are_enough():
    """With a value in 80 % of the runs the complete pairs are judged, and the rest is mentioned."""
    c = one(Cell(base=FULL, head=MOST, relative=0.5), look=1)
    assert (c.decision, c.pairs) == ("within", 8)
    assert any("2 of 10 pairs left out" in w for w in c.warnings)


@pytest.mark.parametrize(("head", "decision"), [(EMPTY, "nothing"), (HALF, "not-estimable")])
def test_absence_under_a_cap(head, decision):
    """A cap cannot be kept by a value that is not there."""
    assert one(Cell(head=head, cap=200.0), look=1).decision == decision


def test_a_cap_is_tested_without_any_base_value():
    """A new value is compared with its cap, not called new."""
    assert one(Cell(base=EMPTY, head=FULL, cap=200.0), look=1).decision == "within"


def test_zeros_ask_for_a_floor():
    """A relative budget on values that are sometimes 0 is not estimable, and says what to add."""
    c = one(Cell(base=FULL - 100, head=FULL, relative=0.05), look=1)
    assert c.decision == "not-estimable"
    assert "absolute floor" in c.reason


def test_from_nothing_to_something_has_no_ratio():
    """From always 0 to always 3 there is a difference and no relative change."""
    c = one(Cell(base=np.zeros(6), head=np.full(6, 3.0), relative=0.25, absolute=1.0))
    assert c.decision == "over"
    assert c.change is None
    assert c.difference.center == 3


# ----------------------------------------------------------------------------------------------------
# Ungated cells


def test_ungated_cells_are_noticed_and_never_judged():
    """Cells without a budget are adjusted by Benjamini and Hochberg, and noticed at a rate of 10 %."""
    cells = [measured(0.03 * i, seed=i, pairs=10, relative=None, gated=False) for i in range(6)]
    found = judge(cells, look=1, plan=PLAN)
    assert {c.decision for c in found} == {"ungated"}
    q = stats.false_discovery_control([c.p_changed for c in found])
    np.testing.assert_allclose([c.p_changed_adjusted for c in found], q)
    assert [c.noticed for c in found] == (q <= 0.10).tolist()
    assert found[0].noticed is False
    assert found[5].noticed is True


def test_ungated_cells_do_not_join_the_family():
    """Any number of cells without a budget leaves the adjusted p-value of a gated one alone, noise aside."""
    gated = measured(0.07, pairs=10)
    others = [measured(0.5, seed=i, pairs=10, relative=None, gated=False) for i in range(30)]
    c = judge([gated, *others], look=1, plan=PLAN)[0]
    assert c.p_over_adjusted == pytest.approx(c.p_over / (1 - PLAN.pass_level))


# ----------------------------------------------------------------------------------------------------
# What is shown


def test_base_head_and_change_agree():
    """Head over base is the change shown, also where an outlying pair was pulled in."""
    cell = measured(0.1, pairs=10)
    cell.head[3] *= 2
    c = one(cell, look=1)
    assert c.clipped == 1
    assert c.head.center / c.base.center - 1 == pytest.approx(c.change.center)
    assert c.head.center - c.base.center == pytest.approx(c.difference.center)
    assert c.change.low < 0.1 < c.change.high < 0.3


def test_the_interval_is_that_of_the_t_test():
    """Alone and on the log scale, the change and its interval are the paired t-test's, taken back."""
    cell = measured(0.1, pairs=10, seed=4)
    c = one(cell, look=1)
    d = np.log(cell.head / cell.base)
    interval = stats.ttest_1samp(d, 0).confidence_interval(0.95)
    assert c.clipped == 0
    expected = np.expm1([d.mean(), interval.low, interval.high])
    assert [c.change.center, c.change.low, c.change.high] == pytest.approx(expected.tolist())


def test_constants_come_back_as_they_are():
    """Runs that are all 110 are shown as 110, without a rounding error."""
    c = one(Cell(base=np.full(6, 100.0), head=np.full(6, 110.0), relative=0.2))
    assert (c.base.center, c.head.center, c.difference.center) == (100, 110, 10)


def test_summarize_one_side():
    """One side is summarized by geometric mean and t interval; one run has no interval, none no summary."""
    runs = measured().base
    interval = stats.ttest_1samp(np.log(runs), 0).confidence_interval(0.95)
    found = summarize(runs)
    assert [found.center, found.low, found.high] == pytest.approx(
        [stats.gmean(runs), np.exp(interval.low), np.exp(interval.high)]
    )
    assert summarize(np.array([5.0])).warnings == ("need at least 2 runs for an interval, have 1",)
    assert summarize(np.array([NAN])) is None


def test_one_pair_is_described_without_an_interval():
    """With one pair the change is shown, its interval is open, and nothing is decided."""
    c = one(Cell(base=np.array([100.0]), head=np.array([120.0]), relative=0.05))
    assert (c.decision, c.change.center, c.difference.center) == ("inconclusive", pytest.approx(0.2), 20)
    assert c.change.warnings


# ----------------------------------------------------------------------------------------------------
# Looking ahead


def noisy(cv, pairs, count=20, change=0.0, **budget):
    """Cells whose pairs differ with exactly this run-to-run noise: the same quantiles in other orders."""
    shape = stats.norm.ppf((np.arange(pairs) + 0.5) / pairs)
    shape *= cv * np.sqrt(2) / shape.std(ddof=1)
    rng = np.random.default_rng(1)
    return [pairs_of(np.log1p(change) + rng.permutation(shape), **budget) for _ in range(count)]


@pytest.mark.parametrize(("cv", "pairs", "above"), [(0.02, 10, 0.034), (0.03, 20, 0.034), (0.05, 10, 0.088)])
def test_detectable(cv, pairs, above):
    """With 20 open cells the smallest change caught lies above the budget by what the plan's table says."""
    look = PLAN.looks.index(pairs)
    c = judge(noisy(cv, pairs, change=0.05), look=look, plan=PLAN)[0]
    assert (1 + c.detectable) / 1.05 - 1 == pytest.approx(above, rel=0.1)


def test_a_budget_can_be_proved_from_one_and_a_half_times_the_noise():
    """With 20 cells and 20 pairs the smallest provable budget is about 1.5 times the run-to-run variation."""
    assert judge(noisy(0.04, 20), look=3, plan=PLAN)[0].provable == pytest.approx(1.5 * 0.04, rel=0.1)


def test_underpowered():
    """A budget far below what can be proved is underpowered, and no warning has another threshold."""
    c = judge(noisy(0.2, 10, change=0.05), look=1, plan=PLAN)[0]
    assert (c.decision, c.underpowered) == ("inconclusive", True)
    assert c.provable == pytest.approx(0.35, abs=0.05)
    assert c.warnings == ()


def test_pairs_needed_is_the_first_number_that_is_enough():
    """It is the smallest n with |effect - budget| sqrt(n) / sd >= t(.02) + t(.8), within a range."""
    cell = pairs_of(np.random.default_rng(5).normal(0.02, 0.05, size=10))
    c = one(cell, look=1)
    d = np.log(cell.head / cell.base)
    ratio = abs(d.mean() - np.log(1.05)) / d.std(ddof=1)
    enough = (n for n in range(2, 41) if ratio * n**0.5 >= -stats.t.ppf([0.02, 0.2], n - 1).sum())
    assert c.decision == "inconclusive"
    assert c.pairs_needed[0] == next(enough)
    assert c.pairs_needed[1] < c.pairs_needed[0] < c.pairs_needed[2]


def test_not_decidable():
    """An effect at the budget would take for ever: no number of pairs, but the budget that would do."""
    c = one(pairs_of(np.log(1.05) + np.array([-0.1, 0.1] * 5)), look=1)
    assert c.pairs_needed is None
    assert c.advisable >= c.provable
    assert c.advisable > 0.05


def test_too_few_pairs_are_not_told_how_many_more():
    """Before six pairs nothing is foreseen, neither pairs nor a budget: that there must be six is said alone."""
    c = one(pairs_of(np.log(1.05) + np.array([-0.1, 0.1] * 2)), look=0)
    assert (c.pairs_needed, c.advisable) == (None, None)
    assert c.reason == "need at least 6 pairs to decide, have 4"


def test_a_cap_that_no_number_of_pairs_would_settle():
    """What is held to a cap has no budget to advise, so its reason says what to do."""
    c = one(Cell(head=1.0 + np.array([-0.1, 0.1] * 5), cap=1.0), look=1)
    assert c.reason.endswith(
        "no reasonable number of pairs would tell: raise its cap or make the benchmark run longer"
    )


def test_an_excess_says_what_it_was_allowed_for():
    """Over says for how many other comparisons it was allowed; without noise there was nothing to allow for."""
    first, *_ = judge([measured(1.0), *family(3)], look=0, plan=PLAN)
    assert first.reason == "beyond its budget, even after allowing for noise and for 3 other comparisons"
    alone = one(measured(1.0))
    assert alone.reason == "beyond its budget, even after allowing for noise"
    same = one(Cell(base=np.full(6, 10.0), head=np.full(6, 20.0), relative=0.1))
    assert same.reason == "beyond its budget, by the same in every pair"


def test_small_counts_are_named():
    """A few events per run with a relative budget are open, and the warning says what helps."""
    rng = np.random.default_rng(3)
    c = one(
        Cell(base=rng.poisson(4, 10) * 1.0, head=rng.poisson(4, 10) * 1.0, relative=0.25, absolute=1.0),
        look=1,
    )
    assert c.decision == "inconclusive"
    assert any("events per run are too few" in w for w in c.warnings)


# ----------------------------------------------------------------------------------------------------
# The plan, the whole


def test_levels_share_alpha():
    """The looks at 6, 10, 14 and 20 pairs spend .015, .010, .010 and .015: alpha in all."""
    assert [PLAN.level(k) for k in range(4)] == pytest.approx([0.015, 0.010, 0.010, 0.015])
    assert Plan(looks=(10,)).level(0) == 0.05


@pytest.mark.parametrize("wrong", [{"looks": ()}, {"looks": (6, 6)}, {"looks": (0, 6)}, {"alpha": 0.0}])
def test_plans_that_make_no_sense(wrong):
    """Looks must grow, and levels must be probabilities."""
    with pytest.raises(ValueError, match=r"looks|alpha"):
        Plan(**wrong)


def test_wrong_look_or_history():
    """A look that is not planned, or a history of other cells, is refused."""
    with pytest.raises(ValueError, match="look 4"):
        judge([measured()], look=4, plan=PLAN)
    with pytest.raises(ValueError, match="2 decisions for 1 cells"):
        judge([measured()], look=1, plan=PLAN, previous=["within", "within"])


def test_no_cells():
    """Nothing to judge gives no comparisons."""
    assert judge([], look=0, plan=PLAN) == ()


@pytest.mark.parametrize("method", ["moderated", "exact"])
def test_same_input_same_bytes(method):
    """The same cells give the same answer to the last bit."""
    plan = Plan(method=method)
    cells = [measured(0.02 * i, seed=i, pairs=14) for i in range(12)] + [
        Cell(base=EMPTY, head=FULL, relative=0.1)
    ]
    first, second = (pickle.dumps(judge(cells, look=2, plan=plan)) for _ in range(2))
    assert first == second


def test_order_does_not_matter():
    """Cells in another order get the same answers, up to rounding of the shared noise."""
    cells = [measured(0.02 * i, seed=i, pairs=10) for i in range(12)]
    forth, back = judge(cells, look=1, plan=PLAN), judge(cells[::-1], look=1, plan=PLAN)[::-1]
    assert [c.decision for c in forth] == [c.decision for c in back]
    assert [c.p_over for c in forth] == pytest.approx([c.p_over for c in back])


def test_exact_method_needs_enough_patterns():
    """One of six pairs' 64 sign patterns is above the first look's share of alpha; ten pairs will do."""
    plan = Plan(method="exact")
    assert one(measured(0.5), plan=plan).decision == "inconclusive"
    guilty, *others = judge([measured(0.5, pairs=10), *family(pairs=10)], look=1, plan=plan)
    assert guilty.decision == "over"
    assert "over" not in {c.decision for c in others}


def test_types_cost_no_scipy():
    """Importing the package and its types does not import scipy; every public name is found nevertheless."""
    light = "import sys, pytest_gotrace.stats; assert 'scipy' not in sys.modules"
    code = f"{light}\nfrom pytest_gotrace.stats import *"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)
    with pytest.raises(AttributeError, match="no attribute 'mean'"):
        _ = pytest_gotrace.stats.mean
