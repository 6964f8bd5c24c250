"""Which earlier runs are remembered: of this machine, of both sides or of neighbours, as long as today's."""

from __future__ import annotations

import json

import pytest
from asking import budget, questions
from samples import MACHINE, recording, run, runs_of, spread
from shopfront import FAST, text

from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.errors import BudgetError
from pytest_gotrace.judge import Case, answers
from pytest_gotrace.metrics import Key
from pytest_gotrace.noisememory import RECORDINGS_AT_MOST, remember
from pytest_gotrace.verdict import Facts

NS = Key(metric="ns/op")
BOTH = recording(*runs_of({"base": [1.0, 2.0, 3.0], "head": [4.0, 5.0, 6.0]}))


def numbers(memory, key=NS, iterations=100, traced=False):
    found = memory.of("BenchmarkX", key, traced=traced, iterations=iterations)
    return [(base.tolist(), head.tolist()) for base, head in found]


def test_pairs_of_both_sides():
    """Each recording gives its pairs in the order of rounds."""
    assert numbers(remember([BOTH, BOTH], MACHINE)) == 2 * [([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])]
    assert numbers(remember([BOTH], MACHINE), traced=True) == []
    assert remember([BOTH], MACHINE).of("BenchmarkY", NS, traced=False, iterations=100) == ()


def test_neighbours_are_pairs():
    """Of a recording of one side, runs that followed each other are pairs."""
    alone = recording(*(run("head", i, values={"ns/op": float(i)}) for i in range(5)))
    assert numbers(remember([alone], MACHINE)) == [([0.0, 2.0], [1.0, 3.0])]


def test_runs_of_another_length_are_not_alike():
    """Runs of more than twice the iterations, or less than half, vary otherwise and are left out."""
    memory = remember([BOTH], MACHINE)
    assert [bool(numbers(memory, iterations=n)) for n in (49, 50, 100, 200, 201)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_another_machine_and_too_many():
    """Recordings of other machines are counted and not used; of too many the newest count."""
    memory = remember([BOTH, recording(*BOTH.runs, environment={**MACHINE, "cpu": "D"})], MACHINE)
    assert (memory.recordings, memory.foreign) == (1, 1)
    assert remember([BOTH] * 50, MACHINE).recordings == RECORDINGS_AT_MOST
    old = recording(*runs_of({"base": [7.0, 8.0], "head": [9.0, 7.0]}), when="2026-01-01T00:00:00Z")
    new = [recording(*BOTH.runs, when="2026-01-02T00:00:00Z")] * RECORDINGS_AT_MOST
    assert ([7.0, 8.0], [9.0, 7.0]) not in numbers(remember([*new, old], MACHINE))


def test_cells_get_what_is_remembered(tmp_path):
    """A cell of a change carries its number's earlier pairs."""
    today = recording(*runs_of({"base": spread(1000, 6), "head": spread(1000, 6, seed=2)}))
    facts = Facts(
        recording=today, has_base=True, metrics=built_in_metrics(), memory=remember([BOTH], MACHINE)
    )
    (question,) = questions(budget(tmp_path, "{ns/op: +10%}"))
    (case,) = answers(question, facts)
    assert isinstance(case, Case)
    ((base, head),) = case.cells["change"].earlier
    assert (base.tolist(), head.tolist()) == ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])


@pytest.mark.parametrize("pattern", ["/etc/*", "../*.jsonl", "a/../../b", "~/x", "' '", "a**/b", "'a\\b'"])
def test_a_budget_names_no_file_elsewhere(tmp_path, pattern):
    """The recordings that a budget names lie below it."""
    with pytest.raises(BudgetError, match=r"gotrace\.yaml:4: .*expected a file below this directory"):
        budget(tmp_path, "{ns/op: +10%}", f"defaults: {{noise_memory: {pattern}}}\n")


class TestFrontDoor:
    def test_recordings_are_remembered(self, shop):
        """A recording named by the option, or by the budget, is remembered, and the report says so."""
        shop.cost(Coins=2)
        assert shop.pytest("--gotrace-record=recordings/one.jsonl", *FAST, "-k", "small").ret in (0, 1)
        gate = ("--gotrace-report=report", "-k", "small")
        by_option = shop.gate(*gate, "--gotrace-noise-memory=recordings/one.jsonl")
        assert by_option.ret == 1, text(by_option)
        report = json.loads((shop.root / "report" / "report.json").read_text())
        assert report["environment"]["noise memory"] == "1 recording"
        shop.budget((shop.root / "gotrace.yaml").read_text() + "defaults: {noise_memory: no/*.jsonl}\n")
        without = shop.gate(*gate)
        assert "no file matches noise_memory no/*.jsonl" in text(without)

    def test_a_damaged_recording(self, original, tmp_path):
        """A memory that cannot be read is an error before anything is measured."""
        (tmp_path / "bad.jsonl").write_text("{}\n")
        result = original.pytest("--gotrace-baseline=HEAD", f"--gotrace-noise-memory={tmp_path}/bad.jsonl")
        assert result.ret == 4
        assert "bad.jsonl:1: not a line of a recording" in text(result)
