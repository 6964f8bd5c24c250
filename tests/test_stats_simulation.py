"""The promises of the procedure, on seeded noise; `python -m benchmarks.simulate` repeats them more often."""

import numpy as np

from pytest_gotrace.stats import Cell, Plan, judge

PLAN = Plan()
#: Run-to-run variation and budget of the five metrics of a benchmark; four benchmarks are judged together.
METRICS = [(0.02, 0.05), (0.025, 0.05), (0.12, 0.25), (0.08, 0.20), (0.10, 0.25)] * 4
CVS, BUDGETS = np.array(METRICS).T


def pull_request(rng, changes, pairs=20):
    """Both sides of twenty cells: each with noise of its own, and a share of it in common."""
    common = np.sqrt(0.4) * rng.normal(size=(2, 1, pairs))
    noise = CVS[:, None] * (common + np.sqrt(0.6) * rng.normal(size=(2, 20, pairs)))
    base, head = 100 * np.exp(noise)
    return base, head * (1 + np.asarray(changes))[:, None]


def cells(base, head, pairs):
    return [
        Cell(base=b[:pairs], head=h[:pairs], relative=r, kind=str(i % 5))
        for i, (b, h, r) in enumerate(zip(base, head, BUDGETS, strict=True))
    ]


def run(rng, changes, plan=PLAN):
    """The decisions at the look where the pull request was decided, and its pairs."""
    base, head = pull_request(rng, changes)
    decisions = ()
    for look, pairs in enumerate(plan.looks):
        decisions = [
            c.decision for c in judge(cells(base, head, pairs), look=look, plan=plan, previous=decisions)
        ]
        if "over" in decisions or set(decisions) == {"within"}:
            break
    return decisions, pairs


def test_no_change_never_fails():
    """Of 100 unchanged pull requests with ordinary budgets none fails, and most pass within twenty pairs."""
    rng = np.random.default_rng(1)
    outcomes = [run(rng, np.zeros(20))[0] for _ in range(100)]
    assert sum("over" in decisions for decisions in outcomes) == 0
    assert sum(set(decisions) == {"within"} for decisions in outcomes) >= 70


def test_a_large_change_fails_at_the_first_look():
    """+25 % against 5 % fails with six pairs nearly always, and only in the cell that changed."""
    rng = np.random.default_rng(2)
    outcomes = [run(rng, np.eye(20)[0] * 0.25) for _ in range(60)]
    assert sum(pairs == 6 and decisions[0] == "over" for decisions, pairs in outcomes) >= 57
    assert all("over" not in decisions[1:] for decisions, _ in outcomes)


def test_every_cell_at_its_budget_fails_rarely():
    """With every cell exactly at its budget about 5 % of the pull requests fail, and none passes."""
    rng = np.random.default_rng(3)
    outcomes = [run(rng, BUDGETS)[0] for _ in range(250)]
    assert sum("over" in decisions for decisions in outcomes) / 250 <= 0.09
    assert not any(set(decisions) == {"within"} for decisions in outcomes)


def test_one_cell_at_its_budget_rarely_passes():
    """A pull request with one cell exactly at its budget passes in at most 5 % of cases."""
    rng = np.random.default_rng(4)
    outcomes = [run(rng, np.eye(20)[0] * BUDGETS)[0] for _ in range(100)]
    assert sum(set(decisions) == {"within"} for decisions in outcomes) <= 5


def test_the_exact_method_keeps_the_worst_case_too():
    """With sign flips alone, ten pairs and one look, every cell at its budget fails in about 5 % of cases."""
    rng = np.random.default_rng(5)
    plan = Plan(looks=(10,), method="exact")
    outcomes = [run(rng, BUDGETS, plan)[0] for _ in range(150)]
    assert sum("over" in decisions for decisions in outcomes) / 150 <= 0.09
