"""Questions for tests: benchmarks on whichever sides, and budgets as text."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pytest_gotrace.budget import Budget, load
from pytest_gotrace.distributions import built_in_metrics
from pytest_gotrace.errors import GoTestError
from pytest_gotrace.judge import judge
from pytest_gotrace.prepare import Benchmark, Failure, Module, Presence, Status
from pytest_gotrace.questions import ask
from pytest_gotrace.recording import Recording
from pytest_gotrace.stats import Plan
from pytest_gotrace.stats import judge as judge_cells
from pytest_gotrace.verdict import Facts, Question, Verdict

TODAY = date(2026, 6, 1)
PLAN = Plan(seed=1)


def benchmark(
    name: str = "BenchmarkX", *, base: Presence = "found", head: Presence = "found", identical: bool = False
) -> Benchmark:
    """A benchmark of the root package; what is not there says `why`."""

    def status(side, presence):
        failure = Failure(benchmark=name, side=side, error=GoTestError("why", tail="the last words"))
        return Status(
            presence=presence,
            detail="" if presence in ("found", "absent") else "why",
            failure=failure if presence == "failed" else None,
        )

    return Benchmark(
        module="",
        package="",
        name=name,
        import_path="example.com/m",
        status={"base": status("base", base), "head": status("head", head)},
        executables={},
        identical=identical,
    )


def budget(tmp_path: Path, limits: str, more: str = "", name: str = "gotrace.yaml") -> Budget:
    """A budget with one line for BenchmarkX: `{ns/op: +10%}`, or for any other as `Name: {…}`."""
    path = tmp_path / name
    text = limits if limits.startswith("Benchmark") else f"BenchmarkX: {limits}"
    path.write_text(f"version: 1\nbudgets:\n  {text}\n{more}")
    return load(path)


def questions(budget: Budget, *benchmarks: Benchmark) -> tuple[Question, ...]:
    """What a budget asks about benchmarks."""
    return tuple(ask(budget, Module(directory="", benchmarks=benchmarks or (benchmark(),))))


def answers(
    asked: tuple[Question, ...],
    recording: Recording,
    *,
    has_base: bool = True,
    look: int = 0,
    earlier=None,
    compare=None,
    plan: Plan = PLAN,
    **facts,
) -> tuple[list[list[Verdict]], dict]:
    """The verdicts of each question and the decisions, at one look."""
    found, decisions = judge(
        asked,
        Facts(recording=recording, has_base=has_base, metrics=built_in_metrics(), **facts),
        look=look,
        plan=plan,
        compare=compare
        or (lambda cells, look, plan, was: judge_cells(cells, look=look, plan=plan, previous=was)),
        earlier=earlier or {},
        today=TODAY,
    )
    return [list(verdicts) for verdicts in found], decisions
