"""A budget and a module make questions: about what is there, what is gone, and what does not build."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import TODAY, benchmark, budget
from samples import recording, run

from pytest_gotrace.errors import BudgetError, GoTestError
from pytest_gotrace.prepare import Failure, Module
from pytest_gotrace.questions import (
    ask,
    doubts,
    module_directory,
    refuse_unmatched,
    wanted,
    with_recorded,
)
from pytest_gotrace.roll import Listed, Seen


def module(*names, directory="", failures=()):
    return Module(
        directory=directory, benchmarks=tuple(benchmark(name) for name in names), failures=tuple(failures)
    )


def asked(found, of):
    return [(question.benchmark.path, question.text) for question in ask(found, of)]


def test_each_rule_on_each_benchmark(tmp_path):
    """Every benchmark is asked about by the rules that hold for it, benchmarks first, then rules."""
    found = budget(tmp_path, "Benchmark*: {ns/op: +10%, B/op: off, exec.total: +20%}")
    assert asked(found, module("BenchmarkX", "BenchmarkY")) == [
        ("BenchmarkX", "ns/op"),
        ("BenchmarkX", "exec.total"),
        ("BenchmarkY", "ns/op"),
        ("BenchmarkY", "exec.total"),
    ]


def test_requirements_are_asked_even_of_nobody(tmp_path):
    """A requirement asks each benchmark it matches, and one that is nowhere if it matches none."""
    more = "require:\n  - Benchmark?\n  - BenchmarkGone/big region[db]\n"
    found = list(ask(budget(tmp_path, "{ns/op: off}", more), module("BenchmarkX", "BenchmarkY")))
    assert [(q.benchmark.path, q.text) for q in found] == [
        ("BenchmarkX", "require"),
        ("BenchmarkY", "require"),
        ("BenchmarkGone/big", "require region[db]"),
    ]
    assert {status.presence for status in found[2].benchmark.status.values()} == {"absent"}


@pytest.mark.parametrize(
    ("directory", "failed", "path"), [("", "a/b", "a/b"), ("m", "m/a", "a"), ("m", "m", "m")]
)
def test_what_does_not_build_is_asked_too(tmp_path, directory, failed, path):
    """A package that compiles on no side is a question of its own, which is answered by its failure."""
    failure = Failure(benchmark=failed, side="head", error=GoTestError("no"))
    (question,) = ask(budget(tmp_path, "{ns/op: +10%}"), module(directory=directory, failures=[failure]))
    assert (question.benchmark.path, question.benchmark.status["head"].failure) == (path, failure)


def test_a_rule_about_nothing_is_refused(tmp_path):
    """A rule that matches no benchmark is an error with its place, unless a package did not build."""
    found = budget(tmp_path, "BenchmarkHandlr: {ns/op: +10%}")
    with pytest.raises(
        BudgetError, match=r"^gotrace\.yaml:3: no benchmark matches 'BenchmarkHandlr' \(did you mean"
    ):
        refuse_unmatched(found, module("BenchmarkHandler"), tmp_path)
    failure = Failure(benchmark="handler", side="head", error=GoTestError("no"))
    refuse_unmatched(found, module("BenchmarkHandler", failures=[failure]), tmp_path)


@pytest.mark.parametrize(
    ("glob", "package", "expected"),
    [
        ("handler/BenchmarkX", "handler", True),
        ("handler/BenchmarkX", "pool", False),
        ("handler/BenchmarkX", "", False),
        ("BenchmarkX", "", True),
        ("BenchmarkX", "handler", False),
        ("*", "handler", True),
        ("*/BenchmarkX", "a/b", True),
        ("*/BenchmarkX", "", False),
        ("hand*/Benchmark*", "handler", True),
        ("handler*", "pool", True),  # nobody knows where the package ends
        ("handler/BenchmarkX/BenchmarkY", "handler", True),
        ("Benchmarks/BenchmarkX", "Benchmarks", True),
        ("Benchmarks/BenchmarkX", "pool", False),
    ],
)
def test_only_what_may_be_asked_about_is_wanted(tmp_path, glob, package, expected):
    """A package is wanted if a glob may match a benchmark in it."""
    found = budget(tmp_path, "{ns/op: off}", f"require:\n  - '{glob}'\n")
    assert wanted(found, package) is expected


def test_a_rule_that_is_off_wants_nothing(tmp_path):
    """A benchmark whose only rule is off need not be built."""
    assert not wanted(budget(tmp_path, "{ns/op: off}"), "")


def test_a_recording_knows_what_was_on_the_base(tmp_path):
    """With a recording, a benchmark is on the base if it has runs there, also one that the head has no more."""
    runs = [run("base", 0, name) for name in ("m/BenchmarkX", "m/a/BenchmarkOld", "other/BenchmarkZ")]
    here = [replace(benchmark(name), module="m") for name in ("BenchmarkX", "BenchmarkNew")]
    found = with_recorded(Module(directory="m", benchmarks=tuple(here)), recording(*runs))
    assert {b.id: (b.status["base"].presence, b.status["head"].presence) for b in found.benchmarks} == {
        "m/BenchmarkX": ("found", "found"),
        "m/BenchmarkNew": ("absent", "found"),
        "m/a/BenchmarkOld": ("found", "absent"),
    }


def test_what_was_identical_when_it_was_recorded():
    """A benchmark that was asked about and not run, for both sides were the same, is no new one but has no base."""
    was = Listed(
        module="",
        package="",
        name="BenchmarkX",
        base=Seen(presence="found"),
        head=Seen(presence="found"),
        asked=True,
        identical=True,
    )
    roll = (was, replace(was, name="BenchmarkY", asked=False), replace(was, name="BenchmarkGone"))
    there = replace(recording(run("base", 0, "BenchmarkZ")), roll=roll)
    found = with_recorded(module("BenchmarkX", "BenchmarkY", "BenchmarkZ"), there)
    assert {b.id: b.status["base"].presence for b in found.benchmarks} == {
        "BenchmarkX": "failed",
        "BenchmarkY": "absent",
        "BenchmarkZ": "found",
        "BenchmarkGone": "failed",
    }
    assert "record without --gotrace-baseline" in found.benchmarks[0].status["base"].detail


def test_a_budget_lies_beside_a_module(tmp_path):
    """The directory of the module is told below the repository; a budget elsewhere is refused."""
    (tmp_path / "m").mkdir()
    for directory in (tmp_path, tmp_path / "m"):
        (directory / "go.mod").touch()
    assert module_directory(tmp_path / "gotrace.yaml", tmp_path) == ""
    assert module_directory(tmp_path / "m" / "gotrace.yaml", tmp_path) == "m"
    with pytest.raises(BudgetError, match=r"no go\.mod beside it"):
        module_directory(tmp_path / "x" / "gotrace.yaml", tmp_path)
    with pytest.raises(BudgetError, match="outside the repository"):
        module_directory(tmp_path / "gotrace.yaml", tmp_path / "m")


def test_doubts_about_a_budget(tmp_path):
    """A waiver that ended is told with its place, one of today is not; and so is a budget that can fail nothing."""
    waiver = "  - {benchmark: BenchmarkX, metric: ns/op, until: %s, reason: agreed}\n"
    more = "waivers:\n" + waiver % "2026-05-31" + waiver % "2026-06-01"
    assert list(doubts(budget(tmp_path, "{ns/op: +10%}", more), tmp_path, TODAY)) == [
        "gotrace.yaml:5: the waiver for BenchmarkX ended on 2026-05-31; it no longer counts"
    ]
    assert list(doubts(budget(tmp_path, "{ns/op: off}"), tmp_path, TODAY)) == [
        "every rule is off, so nothing is judged"
    ]
