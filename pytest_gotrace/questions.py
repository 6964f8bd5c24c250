"""A budget and the benchmarks of its module become questions: which line asks what about which benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_gotrace.budget import Budget, Requirement, unmatched, unmatched_message
from pytest_gotrace.errors import BudgetError
from pytest_gotrace.prepare import Benchmark, Module, Status
from pytest_gotrace.recording import SIDES, Recording, Side
from pytest_gotrace.reporting import place
from pytest_gotrace.verdict import Question

_DECLARED = "/Benchmark"


def module_directory(budget: Path, root: Path) -> str:
    """The module that a budget file is for, as a directory below `root`; "" is `root` itself.

    Raises `BudgetError` for a file outside the repository, or without a `go.mod` beside it.
    """
    if not budget.is_relative_to(root):
        raise BudgetError(
            f"outside the repository {root}; start in the repository that it belongs to", budget
        )
    if not (budget.parent / "go.mod").is_file():
        raise BudgetError(
            "no go.mod beside it; a budget lies in the root directory of the module it is for", budget
        )
    directory = budget.parent.relative_to(root).as_posix()
    return "" if directory == "." else directory


def wanted(budget: Budget, package: str) -> bool:
    """Whether any line of the budget may be about a benchmark of this package: else it need not be built."""
    return any(_may_be_in(glob, package) for glob in budget.globs())


def _may_be_in(glob: str, package: str) -> bool:
    """The name of a benchmark may contain `/Benchmark` again, so any of them may be where the package ends."""
    path, here = f"/{glob}", f"/{package}" if package else ""
    ends = [end for end in range(len(path)) if path.startswith(_DECLARED, end)]
    return not ends or any(fnmatchcase(here, path[:end]) or here == path[:end] for end in ends)


def _in_any(glob: str, packages: Iterable[str]) -> bool:
    """Whether a line may be about a benchmark of one of these packages."""
    return any(_may_be_in(glob, package) for package in packages)


def with_recorded(module: Module, recorded: Recording) -> Module:
    """The module, with the recording's word for which benchmarks are on the base."""
    unrun = (listed.id for listed in recorded.roll if listed.asked and listed.identical)
    on_base = dict.fromkeys(unrun, _UNRUN)
    on_base |= dict.fromkeys(recorded.benchmarks("base"), Status(presence="found"))
    known = [replace(b, status={**b.status, "base": on_base.get(b.id, _ABSENT)}) for b in module.benchmarks]
    below = f"{module.directory}/" if module.directory else ""
    gone = sorted(on_base.keys() - {benchmark.id for benchmark in module.benchmarks})
    only_recorded = (
        _nowhere(module.directory, id_.removeprefix(below), base=on_base[id_])
        for id_ in gone
        if id_.startswith(below)
    )
    return replace(module, benchmarks=(*known, *only_recorded))


def refuse_unmatched(budget: Budget, module: Module, root: Path) -> None:
    """Raise `BudgetError` for a rule about nothing: most likely a typing error, and never green."""
    if module.failures:
        return  # what a package that does not build has in it is not known
    names = [benchmark.path for benchmark in module.benchmarks]
    for rule in unmatched(budget, names):
        if _in_any(rule.benchmark_glob, module.untouched):
            continue
        raise BudgetError(unmatched_message(rule, names), place(rule.path, root), rule.line)


def ask(budget: Budget, module: Module) -> Iterator[Question]:
    """Each rule on each benchmark it is about; then what is required; then what does not build."""
    for benchmark in module.benchmarks:
        for rule in budget.rules_for(benchmark.path):
            yield Question(benchmark=benchmark, rule=rule, budget=budget)
    for requirement in budget.requirements:
        found = [benchmark for benchmark in module.benchmarks if requirement.matches(benchmark.path)]
        if not found and _in_any(requirement.benchmark, module.untouched):
            continue
        for benchmark in found or [_nowhere(module.directory, requirement.benchmark)]:
            yield Question(benchmark=benchmark, rule=requirement, budget=budget)
    for package in dict.fromkeys(failure.benchmark for failure in module.failures):
        everything = Requirement(benchmark="*", key_series=None, path=budget.path, line=0)
        yield Question(benchmark=_unbuilt(module, package), rule=everything, budget=budget)


def doubts(budget: Budget, root: Path, today: date) -> Iterator[str]:
    """What its author should know about a budget: waivers that ended, and what is hardly meant."""
    for waiver in budget.expired_waivers(today):
        yield (
            f"{place(waiver.path, root)}:{waiver.line}: the waiver for {waiver.benchmark_glob} "
            f"ended on {waiver.until}; it no longer counts"
        )
    yield from budget.advice()


_ABSENT = Status(presence="absent")
#: That a benchmark was not worth a run once must not make it a new one later.
_UNRUN = Status(
    presence="failed",
    detail="it was the same on both sides when it was recorded, and not run; record without --gotrace-baseline",
)


def _nowhere(module: str, path: str, base: Status = _ABSENT, head: Status = _ABSENT) -> Benchmark:
    """A benchmark of which no more is known than its path, package and all."""
    status: dict[Side, Status] = dict(zip(SIDES, (base, head), strict=True))
    return Benchmark(module=module, package="", name=path, import_path="", status=status, executables={})


def _unbuilt(module: Module, package: str) -> Benchmark:
    """Stands for whatever benchmarks a package has that does not build on any side."""
    failed = {
        f.side: Status(presence="failed", detail=f.error.message, failure=f)
        for f in module.failures
        if f.benchmark == package
    }
    below = f"{module.directory}/" if module.directory else ""
    return _nowhere(module.directory, package.removeprefix(below), **failed)
