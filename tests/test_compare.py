"""What other rules say to the same pull requests; `make simulate` asks more often and writes `docs/comparison.md`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import compare
from benchmarks.pull_requests import Draws

ROOT = Path(__file__).parents[1]
DRAWS = Draws(times=12, seed=compare.SEED)


def rows(*names: str) -> dict[str, compare.Row]:
    """The rows for the truths of these names, by rule."""
    truths = [truth for truth in (*compare.HONEST, *compare.GUILTY) if truth.name in names]
    return {row.rule: row for row in compare.compare(DRAWS, truths)}


def test_only_this_gate_lets_an_allowed_change_pass():
    """At the budget and below it rules that ask for "any difference" stop most pull requests, and this gate none."""
    found = rows("5 % slower, 5 % allowed")
    assert found["benchstat, any p < 0.05"].stopped[0] > 0.5
    assert found["Mann-Whitney on pooled events, p < 0.05"].stopped[0] > 0.5
    assert found["pytest-gotrace, as it is"].stopped[0] <= 0.1


def test_a_guilty_pull_request_is_found_and_never_called_fine():
    """p99 twice as large in one benchmark is found by this gate, in few pairs, and never called fine."""
    found = rows("p99 ×2, median the same")["pytest-gotrace, as it is"]
    assert found.named[0] >= 0.9
    assert found.passed[0] == 0
    assert found.pairs < 10


@pytest.mark.parametrize("n", [4, 10])
def test_the_rule_is_benchstats_test(n):
    """Without ties the p-value is the exact one of the Mann-Whitney test, counted by hand over all splits."""
    rng = np.random.default_rng(n)
    base, head = rng.normal(0, 1, size=n), rng.normal(0.7, 1, size=n)
    exact = stats.permutation_test(
        (base, head),
        lambda a, b, axis: (a[..., :, None] > b[..., None, :]).sum(axis=(-1, -2)),
        n_resamples=np.inf if n < 6 else 20_000,
        vectorized=True,
        axis=-1,
        rng=np.random.default_rng(1),
    )
    got = compare.mann_whitney(base[None, :], head[None, :])[0]
    assert got == pytest.approx(exact.pvalue, rel=1e-9 if n < 6 else 0.15)


@pytest.mark.parametrize(("n", "p"), [(4, 0.029), (5, 0.0079), (6, 0.0022), (9, 4e-5)])
def test_smallest_p_is_the_one_benchstat_documents(n, p):
    """Two samples that do not overlap have the p-value that golang/perf's benchmath lists for their size."""
    apart = np.arange(2.0 * n)
    assert compare.mann_whitney(apart[None, :n], apart[None, n:])[0] == pytest.approx(p, rel=0.03)


def test_the_published_tables_are_of_these_rules():
    """`docs/comparison.md` has a row for each rule in each of its three tables, and the README a few of its numbers."""
    page = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    assert all(page.count(f"| {rule} |") == 3 for rule in compare.RULES)
    assert f"seed {compare.SEED}, {compare.TIMES} pull requests" in page
    shares = table(page, 0), table(page, 1)
    for rule, *cells in short_table():
        assert cells == [
            shares[0][rule][1],
            shares[0][rule][2],
            shares[0][rule][5],
            shares[1][rule][1],
            shares[1][rule][2],
            shares[1][rule][3],
        ]


def table(page: str, number: int) -> dict[str, list[str]]:
    """The shares of one table of the page, by rule."""
    body = page.split("| rule |")[number + 1].split("\n\n")[0]
    lines = [re.split(r" \| ", line.strip("| ")) for line in body.splitlines()[2:]]
    return {rule: shares for rule, *shares in lines}


def short_table() -> list[list[str]]:
    """The rows of the README's table of rules."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = [
        re.split(r" \| ", line.strip("| "))
        for line in readme.splitlines()
        if line.strip("| ").split(" | ")[0] in compare.RULES
    ]
    assert len(found) == len(compare.RULES)
    return found
