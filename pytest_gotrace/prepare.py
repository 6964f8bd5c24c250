"""Both sides made ready to run: test binaries built once, and the benchmarks that are in them.

Sub-benchmarks exist only once a benchmark has run, so each one runs for a single iteration here. That also tells,
before anything is measured, which benchmarks are there on one side only, skip themselves, or crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from pytest_gotrace import gotest
from pytest_gotrace.errors import GoTestError
from pytest_gotrace.gotest import Discovery, Package, TestBinary, Toolchain
from pytest_gotrace.interference import Watch
from pytest_gotrace.recording import SIDES, Side
from pytest_gotrace.roll import Presence
from pytest_gotrace.tokens import DOCUMENTS, Sources

#: Files whose change cannot change what a compiled benchmark does.
_INERT = (".go", ".mod", ".sum", *DOCUMENTS)


class Progress(Protocol):
    """Who wants to know how far the work is; `pytest_gotrace.progress` shows it to a person while entered."""

    def __enter__(self) -> object: ...

    def __exit__(self, *_: object) -> None: ...

    def step(self, text: str) -> None:
        """Something that takes a while begins."""

    def say(self, text: str) -> None:
        """A line that stays: what will be done."""

    def round(self, done: int, planned: int, benchmark: str, seconds_left: float) -> None:
        """`done` of at most `planned` pairs of one benchmark are measured."""

    def judged(self, so_far: str) -> None:
        """How many verdicts there are of each kind by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A build, a run or a trace that failed. `benchmark` is a benchmark's id, or the directory of its package."""

    benchmark: str
    side: Side
    error: GoTestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A benchmark on one side. `detail` says why it did not run; `nanoseconds` is its single trial iteration."""

    presence: Presence
    detail: str = ""
    nanoseconds: float | None = None
    failure: Failure | None = None


_ABSENT = Status(presence="absent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Executable:
    """What runs a benchmark on one side: its test binary, and the package's directory in that side's checkout."""

    binary: TestBinary
    directory: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One benchmark of a module, on whichever sides it is.

    `module` is the module's directory in the repository ("" for the root); budgets name a benchmark by `path`,
    which begins below the module, reports by `id`, which begins below the repository.
    """

    module: str
    package: str
    name: str
    import_path: str
    status: Mapping[Side, Status]
    executables: Mapping[Side, Executable]
    identical: bool = False
    by_tokens: bool = False  # identical in its code, not in the bytes of the binaries

    @property
    def path(self) -> str:
        return "/".join(filter(None, (self.package, self.name)))

    @property
    def id(self) -> str:
        return "/".join(filter(None, (self.module, self.path)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A Go module as it stands on both sides: its benchmarks, and packages of which nothing but a failure is known.

    `packages` are the directories below the module that were built and looked through, `untouched` those that were left
    out because no change reaches them.
    """

    directory: str
    packages: tuple[str, ...] = ()
    untouched: tuple[str, ...] = ()
    benchmarks: tuple[Benchmark, ...] = ()
    failures: tuple[Failure, ...] = ()

    def joined(self, other: Module) -> Module:
        """The same module with the packages of both."""
        return Module(
            directory=self.directory,
            packages=self.packages + other.packages,
            untouched=other.untouched,
            benchmarks=self.benchmarks + other.benchmarks,
            failures=self.failures + other.failures,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where the work is done, and with what: passed in once, the same for both sides."""

    toolchain: Toolchain
    checkouts: Mapping[Side, Path]  # no "base" where only the head is measured
    changed: tuple[str, ...]  # files that differ between the sides, relative to the repository
    scratch: Path
    env: Mapping[str, str]
    timeout: float
    progress: Progress
    watch: Watch = field(default_factory=Watch)  # sees nothing
    cpus: tuple[int, ...] = ()  # where benchmarks run; empty: wherever the system likes
    isolate_cache: bool = False  # each side is built with a build cache of its own

    def building(self, side: Side) -> Mapping[str, str]:
        """The environment that one side is built in."""
        return (
            {**self.env, "GOCACHE": str(self.scratch / f"{side}.cache")} if self.isolate_cache else self.env
        )


def prepare(bench: Bench, module: str, wanted: Callable[[str], bool]) -> Module:
    """Build and look through the packages of a module that `wanted` accepts (by directory below the module)."""
    per_side = {side: _builds(bench, side, module, wanted) for side in SIDES if side in bench.checkouts}
    directories = sorted({directory for builds in per_side.values() for directory in builds})
    sources = _sources(bench, module)
    benchmarks: list[Benchmark] = []
    failures: list[Failure] = []
    for directory in directories:
        builds = {side: found[directory] for side, found in per_side.items() if directory in found}
        named = tuple(_benchmarks(bench, module, directory, builds, sources))
        benchmarks += named
        if not named:
            failures += [build.failure for build in builds.values() if build.failure]
    return Module(
        directory=module,
        packages=tuple(directories),
        benchmarks=tuple(benchmarks),
        failures=tuple(failures),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    """A package on one side: its binary with the benchmarks at its top level, or why there is none."""

    package: Package
    executable: Executable | None = None
    top_level: tuple[str, ...] = ()
    failure: Failure | None = None


def _builds(bench: Bench, side: Side, module: str, wanted: Callable[[str], bool]) -> dict[str, _Build]:
    root = bench.checkouts[side] / module
    if not (root / "go.mod").is_file():
        return {}
    found = {}
    for package in _packages(bench, side, root):
        if package.benchmarks and wanted(package.directory):
            bench.progress.step(f"building {package.directory or '.'} ({side})")
            built = _build(bench, side, module, root, package)
            if built is not None:
                found[package.directory] = built
    return found


def _packages(bench: Bench, side: Side, root: Path) -> tuple[Package, ...]:
    try:
        return gotest.packages(bench.toolchain, root, env=bench.env)
    except GoTestError as error:
        message = f"on the {side}: {error.message}"
        raise GoTestError(message, error.command, error.returned, error.tail) from error


def _build(bench: Bench, side: Side, module: str, root: Path, package: Package) -> _Build | None:
    where = "/".join(filter(None, (module, package.directory))) or "."
    output = bench.scratch / side / where / "@.test"  # no Go package has such a name
    output.parent.mkdir(parents=True, exist_ok=True)
    directory = root / package.directory
    try:
        binary = gotest.build(bench.toolchain, root, package, output, bench.building(side))
        if binary is None:
            return None
        top_level = gotest.benchmarks(binary, directory, env=bench.env)
    except GoTestError as error:
        return _Build(package=package, failure=Failure(benchmark=where, side=side, error=error))
    return _Build(
        package=package, executable=Executable(binary=binary, directory=directory), top_level=top_level
    )


def _sources(bench: Bench, module: str) -> Sources | None:
    if not bench.checkouts.keys() >= set(SIDES):
        return None
    both = bench.checkouts["base"], bench.checkouts["head"]
    return Sources(bench.toolchain, both, module, bench.changed, scratch=bench.scratch, env=bench.env)


def _benchmarks(
    bench: Bench, module: str, directory: str, builds: Mapping[Side, _Build], sources: Sources | None
) -> Iterator[Benchmark]:
    executables = {side: build.executable for side, build in builds.items() if build.executable}
    in_bytes = _same_bytes(executables)
    unread = not _data_changed(bench, module, directory)
    identical = unread and (in_bytes or _same_code(sources, executables))
    tried = {side: builds[side] for side in executables if side == "head" or not identical}
    status = {side: _statuses(bench, side, build) for side, build in tried.items()}
    if identical:
        status["base"] = status["head"]
    names = dict.fromkeys(name for found in status.values() for name in found)
    for name in _without_parents(names):
        benchmark = Benchmark(
            module=module,
            package=directory,
            name=name,
            import_path=next(iter(builds.values())).package.import_path,
            status={side: _status(name, status.get(side, {}), builds.get(side)) for side in SIDES},
            executables=executables,
            identical=identical,
            by_tokens=identical and not in_bytes,
        )
        yield _blame_by_name(benchmark)


def _same_bytes(executables: Mapping[Side, Executable]) -> bool:
    """Equal bytes are equal behaviour, unless a file changed that the benchmark may read."""
    hashes = [executable.binary.sha256 for executable in executables.values()]
    return len(hashes) == len(SIDES) and len(set(hashes)) == 1


def _same_code(sources: Sources | None, executables: Mapping[Side, Executable]) -> bool:
    """Comments and layout move the line table, and so the bytes; the code is compared then."""
    if sources is None or len(executables) < len(SIDES):
        return False
    package = executables["head"].binary.package
    return sources.alike(package.import_path, package.directory)


def _data_changed(bench: Bench, module: str, directory: str) -> bool:
    here = PurePosixPath(module, directory)
    return any(_may_be_read(PurePosixPath(file), PurePosixPath(module), here) for file in bench.changed)


def _may_be_read(file: PurePosixPath, module: PurePosixPath, package: PurePosixPath) -> bool:
    if "testdata" in file.parts and file.is_relative_to(module):
        return True
    return file.parent == package and file.suffix not in _INERT


def _statuses(bench: Bench, side: Side, build: _Build) -> dict[str, Status]:
    """Every benchmark of one binary by name, in the order of the source."""
    found: dict[str, Status] = {}
    if build.executable is None:
        return found
    for name in build.top_level:
        bench.progress.step(f"trying {'/'.join(filter(None, (build.package.directory, name)))} ({side})")
        found |= _discover(bench, side, build.executable, name)
    return found


def _discover(bench: Bench, side: Side, executable: Executable, top_level: str) -> dict[str, Status]:
    try:
        discovery = gotest.discover(
            executable.binary, top_level, executable.directory, env=bench.env, timeout=bench.timeout
        )
    except GoTestError as error:
        failure = Failure(benchmark=top_level, side=side, error=error)
        return {top_level: Status(presence="failed", detail=error.message, failure=failure)}
    return _by_name(discovery, side)


def _by_name(discovery: Discovery, side: Side) -> dict[str, Status]:
    found = {f.name: Status(presence="found", nanoseconds=f.nanoseconds) for f in discovery.found}
    found |= {s.name: Status(presence="skipped", detail=s.reason) for s in discovery.skipped}
    for failed in discovery.failed:
        error = GoTestError(f"{failed.name} failed: {failed.reason}")
        failure = Failure(benchmark=failed.name, side=side, error=error)
        found[failed.name] = Status(presence="failed", detail=error.message, failure=failure)
    return found


def _status(name: str, found: Mapping[str, Status], build: _Build | None) -> Status:
    """A failure of the binary, or of the benchmark that this one is part of, is this one's failure too."""
    if build is not None and build.failure is not None:
        return Status(presence="failed", detail=build.failure.error.message, failure=build.failure)
    parts = name.split("/")
    for length in range(len(parts), 0, -1):
        status = found.get("/".join(parts[:length]))
        if status is not None and (length == len(parts) or status.presence != "found"):
            return status
    return _ABSENT


def _without_parents(names: Iterable[str]) -> list[str]:
    """Leave out a name that has sub-benchmarks: where it failed as a whole, its parts carry the failure."""
    known = list(names)
    return [name for name in known if not any(other.startswith(f"{name}/") for other in known)]


def _blame_by_name(benchmark: Benchmark) -> Benchmark:
    """Failures carry the id of the benchmark that a reader looks for."""
    status = {
        side: replace(status, failure=replace(status.failure, benchmark=benchmark.id))
        if status.failure
        else status
        for side, status in benchmark.status.items()
    }
    return replace(benchmark, status=status)
