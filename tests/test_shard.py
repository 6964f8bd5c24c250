"""Parts of a run for several machines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopfront import BUDGET, FAST

from pytest_gotrace.errors import UsageError
from pytest_gotrace.recording import Recording, Run
from pytest_gotrace.recordingfile import read
from pytest_gotrace.shard import Shard, durations, parse_shard, share


def run(benchmark: str, seconds: float) -> Run:
    """One run that took so long."""
    return Run(
        side="head",
        benchmark=benchmark,
        round=0,
        position=0,
        traced=False,
        iterations=1000,
        values={"ns/op": seconds * 1e6},
    )


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "a/b", "1/257", "-1/2", "1/2/3", "01/2"])
def test_no_part(text):
    """What is no part of at least one and at most 256 is refused by name."""
    with pytest.raises(UsageError, match="--gotrace-shard: expected a part like 2/4"):
        parse_shard(text)


def test_a_part():
    """A part is read, and said, as it is written."""
    assert parse_shard("2/4") == Shard(index=2, of=4)
    assert str(parse_shard("2/4")) == "2/4"


names = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=30)
times = st.dictionaries(st.text(min_size=1, max_size=8), st.floats(0, 1e6), max_size=30)


@given(names, times, st.integers(1, 9), st.randoms(use_true_random=False))
def test_each_benchmark_is_in_one_part(benchmarks, seconds, of, random):
    """The parts together are all benchmarks, none is in two, and their order does not matter."""
    parts = [share(Shard(index=index, of=of), benchmarks, seconds) for index in range(1, of + 1)]
    assert sorted(name for part in parts for name in part) == sorted(benchmarks)
    random.shuffle(benchmarks)
    assert parts == [share(Shard(index=index, of=of), benchmarks, seconds) for index in range(1, of + 1)]


@given(names, st.integers(1, 9))
def test_by_count_without_a_recording(benchmarks, of):
    """Without a recording no part has two benchmarks more than another."""
    sizes = [len(share(Shard(index=index, of=of), benchmarks, {})) for index in range(1, of + 1)]
    assert max(sizes) - min(sizes) <= 1


def test_by_time_with_a_recording():
    """One long benchmark is worth three short ones; one that nobody recorded counts as a usual one."""
    seconds = durations(
        [Recording(environment={}, sides={}, runs=(run("long", 3.0), *(run(name, 1.0) for name in "abc")))]
    )
    assert share(Shard(index=1, of=2), ["a", "b", "c", "long"], seconds) == {"long"}
    assert share(Shard(index=2, of=2), ["a", "b", "c", "long"], seconds) == {"a", "b", "c"}
    assert share(Shard(index=2, of=2), ["a", "long", "unknown"], seconds) == {"a", "unknown"}


def test_the_mean_of_recordings():
    """Of a benchmark in several recordings the mean of its time in each counts."""
    recordings = [
        Recording(environment={}, sides={}, runs=(run("a", 1.0), run("a", 1.0))),
        Recording(environment={}, sides={}, runs=(run("a", 4.0), run("b", 1.0))),
    ]
    assert durations(recordings) == {"a": 3.0, "b": 1.0}


def test_parts_of_a_gate(shop):
    """Two parts collect every item once, all rules of a benchmark together."""
    shop.refactor()
    collected = [
        shop.gate("--collect-only", "-q", f"--gotrace-shard={part}").outlines for part in ("1/2", "2/2")
    ]
    first, second = ({line for line in lines if "::" in line} for lines in collected)
    assert first
    assert second
    assert not first & second
    assert len(first | second) == 3


def test_more_parts_than_benchmarks(shop):
    """A part that is empty passes, the report says why nothing is in it, and its recording fits those of the others."""
    shop.cost(Coins=5)
    shop.budget(BUDGET.replace("budgets:", "defaults: {max_pairs: 8}\nbudgets:"))
    result = shop.pytest(
        "--gotrace-baseline=HEAD~1",
        "--gotrace-shard=4/4",
        "--gotrace-report=report",
        "--gotrace-record=x.jsonl",
    )
    assert result.ret == 0
    plan = read(shop.root / "x.jsonl").plan
    assert (plan.shard, plan.looks, [*plan.budgets]) == ("4/4", (6, 8), ["gotrace.yaml"])
    assert "no benchmark fell to part `4/4`" in (shop.root / "report" / "summary.md").read_text()


def test_a_wrong_part_is_a_usage_error(shop):
    """A part that is none ends the session as a usage error, before anything is built."""
    result = shop.pytest("--gotrace-baseline=HEAD", *FAST, "--gotrace-shard=5/4")
    assert result.ret == 4
    assert "expected a part like 2/4" in "\n".join(result.errlines)
