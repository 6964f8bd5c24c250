"""The benchmarks of modules as the roll of a recording keeps them, and modules made of a roll again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from pytest_gotrace.errors import GoTestError
from pytest_gotrace.prepare import Benchmark, Failure, Module, Status
from pytest_gotrace.recording import SIDES, Side
from pytest_gotrace.roll import Listed, Seen, Trouble


def call(
    modules: Iterable[Module], asked: Collection[str], failures: Mapping[str, Failure]
) -> tuple[Listed, ...]:
    """Everything in `modules`. `asked` are the ids of benchmarks, `failures` by id those of the measuring."""
    return tuple(
        listed
        for module in modules
        for listed in (
            *(_listed(benchmark, asked, failures) for benchmark in module.benchmarks),
            *_unbuilt(module, asked),
            *(_untouched(module, package) for package in module.untouched),
        )
    )


def _listed(benchmark: Benchmark, asked: Collection[str], failures: Mapping[str, Failure]) -> Listed:
    failure = failures.get(benchmark.id)
    return Listed(
        module=benchmark.module,
        package=benchmark.package,
        name=benchmark.name,
        base=_seen(benchmark.status["base"]),
        head=_seen(benchmark.status["head"]),
        asked=benchmark.id in asked,
        identical=benchmark.identical,
        by_tokens=benchmark.by_tokens,
        failures={failure.side: _trouble(failure)} if failure else {},
    )


def _unbuilt(module: Module, asked: Collection[str]) -> Iterator[Listed]:
    """The packages of which nothing but a failure is known."""
    below = f"{module.directory}/" if module.directory else ""
    for where in dict.fromkeys(failure.benchmark for failure in module.failures):
        failed = {f.side: f for f in module.failures if f.benchmark == where}
        base, head = (
            Seen(presence="failed", detail=failed[side].error.message, trouble=_trouble(failed[side]))
            if side in failed
            else Seen(presence="absent")
            for side in SIDES
        )
        package = "" if where in (".", module.directory) else where.removeprefix(below)
        yield Listed(
            module=module.directory, package=package, name="", base=base, head=head, asked=where in asked
        )


def _untouched(module: Module, package: str) -> Listed:
    """A package that nobody looked into."""
    unseen = Seen(presence="absent")
    return Listed(
        module=module.directory,
        package=package,
        name="",
        base=unseen,
        head=unseen,
        asked=False,
        untouched=True,
    )


def _seen(status: Status) -> Seen:
    trouble = _trouble(status.failure) if status.failure else None
    return Seen(presence=status.presence, detail=status.detail, trouble=trouble)


def _trouble(failure: Failure) -> Trouble:
    error = failure.error
    return Trouble(
        message=error.message, command=tuple(error.command), returned=error.returned, tail=error.tail
    )


def module_of(directory: str, roll: Iterable[Listed]) -> Module:
    """The module in `directory`, as far as the roll knows it. Nothing in it can be run."""
    mine = [listed for listed in roll if listed.module == directory]
    packages = {listed.package for listed in mine if not listed.untouched}
    untouched = {listed.package for listed in mine if listed.untouched} - packages
    return Module(
        directory=directory,
        packages=tuple(sorted(packages)),
        untouched=tuple(sorted(untouched)),
        benchmarks=tuple(_benchmark(listed) for listed in mine if listed.name),
        failures=tuple(f for listed in mine if not listed.name for f in _of_package(listed)),
    )


def _benchmark(listed: Listed) -> Benchmark:
    return Benchmark(
        module=listed.module,
        package=listed.package,
        name=listed.name,
        import_path="",
        status={"base": _status(listed, "base"), "head": _status(listed, "head")},
        executables={},
        identical=listed.identical,
        by_tokens=listed.by_tokens,
    )


def _status(listed: Listed, side: Side) -> Status:
    seen: Seen = getattr(listed, side)
    failure = failure_of(listed.id, side, seen.trouble) if seen.trouble else None
    return Status(presence=seen.presence, detail=seen.detail, failure=failure)


def _of_package(listed: Listed) -> Iterator[Failure]:
    for side in SIDES:
        trouble = getattr(listed, side).trouble
        if trouble:
            yield failure_of(listed.id, side, trouble)


def failure_of(benchmark: str, side: Side, trouble: Trouble) -> Failure:
    """A failure as it was when it happened."""
    error = GoTestError(trouble.message, trouble.command, trouble.returned, trouble.tail)
    return Failure(benchmark=benchmark, side=side, error=error)
