"""The tracer's price is told for each benchmark and side, and a difference only where it is beyond noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import recording, run, spread

from pytest_gotrace.overhead import overheads


def runs(benchmark="BenchmarkX", pairs=10, noise=0.02, seed=1, **factors):
    """Runs with and without the tracer, the traced ones slower by a factor of their side."""
    drawn = np.random.default_rng(seed)
    return [
        run(
            side,
            number,
            benchmark,
            traced=traced,
            values={"ns/op": 1000.0 * (factor if traced else 1.0) * float(np.exp(drawn.normal(0, noise)))},
        )
        for side, factor in factors.items()
        for number in range(pairs)
        for traced in (False, True)
    ]


def test_the_price_on_both_sides():
    """A ratio for each side, and no doubt where they are alike."""
    (found,) = overheads(recording(*runs(base=1.4, head=1.4)))
    assert (found.base, found.head) == (pytest.approx(1.4, rel=0.03), pytest.approx(1.4, rel=0.03))
    assert (found.difference, found.doubt) == (None, "")


def test_a_difference_is_a_doubt_with_its_size():
    """Where tracing costs one side more than noise explains, that is said with the size."""
    quiet, loud = overheads(recording(*runs("A", base=1.2, head=1.2), *runs("B", seed=2, base=1.2, head=1.8)))
    assert quiet.difference is None
    assert loud.difference == pytest.approx(0.5, rel=0.1)
    assert loud.doubt.startswith("B: tracing costs the sides differently, +5")
    assert (
        f"(operations take {loud.base:.2f} times as long on the base and {loud.head:.2f} times" in loud.doubt
    )


def test_noise_is_no_difference():
    """Of a hundred benchmarks whose price is the same, none is told to differ."""
    many = [one for number in range(100) for one in runs(f"B{number:03}", seed=number, base=1.3, head=1.3)]
    assert [found.doubt for found in overheads(recording(*many))] == [""] * 100


def test_one_side_alone():
    """A benchmark that only ran on the head has its price there, and none on the base."""
    (found,) = overheads(recording(*runs(head=1.4)))
    assert (found.base, found.difference) == (None, None)
    assert found.head == pytest.approx(1.4, rel=0.03)


@pytest.mark.parametrize("pairs", [1, 4])
def test_few_pairs_show_no_difference(pairs):
    """A handful of pairs tells a price, and no difference."""
    (found,) = overheads(recording(*runs(pairs=pairs, base=1.0, head=9.0)))
    assert found.head == pytest.approx(9.0, rel=0.1)
    assert found.difference is None


def test_without_the_other_kind_of_run_nothing_is_said():
    """Where only traced or only untraced runs were needed, or no time is reported, nothing is known."""
    plain = [run("head", number, values={"ns/op": value}) for number, value in enumerate(spread(100, 6))]
    silent = [run("head", number, "S", traced=traced) for number in range(3) for traced in (False, True)]
    warming = [run("head", -1, "W", traced=traced, values={"ns/op": 1.0}) for traced in (False, True)]
    assert overheads(recording(*plain, *silent, *warming)) == ()


def test_runs_that_explain_are_no_pair():
    """Traced runs of another iteration count came later than the untraced ones, and say nothing of the price."""
    found = [run_ if run_.traced else replace(run_, iterations=7) for run_ in runs(base=1.0, head=2.0)]
    assert overheads(recording(*found)) == ()
