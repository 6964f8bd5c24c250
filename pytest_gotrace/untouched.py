"""Packages whose benchmarks a change cannot reach: nothing that they are built from differs between the sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pytest_gotrace.errors import UsageError
from pytest_gotrace.gobuild import json_values, run_go
from pytest_gotrace.prepare import Bench

#: A change of one of these may change any package.
_EVERYTHING = ("go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt")


def untouched(bench: Bench, module: str, *, timeout: float = 600) -> tuple[str, ...]:
    """The packages of a module, as directories below it, that no changed file belongs to, nor to what they import.

    A file belongs to the nearest package above it. `testdata` may be read by anybody, and a `go.mod` concerns all.
    What `go list` finds wrong counts as touched. Raises `GoTestError` when the module cannot be listed, `UsageError`
    where there is no base that could differ.
    """
    if "base" not in bench.checkouts:
        raise UsageError(
            "--gotrace-changed-packages needs a revision to compare with: --gotrace-baseline=REV"
        )
    changed = [PurePosixPath(file) for file in bench.changed]
    if any(file.name in _EVERYTHING or "testdata" in file.parts for file in changed):
        return ()
    root = bench.checkouts["head"].resolve()
    fields = "-json=Dir,ImportPath,Deps,Standard,Incomplete,Error"
    listed = run_go(
        bench.toolchain,
        ("list", "-e", "-deps", "-test", fields, "./..."),
        root / module,
        bench.env,
        timeout,
        "the module cannot be listed",
    )
    entries = {str(entry.get("ImportPath", "")): entry for entry in json_values(listed.output)}
    where = dict(_directories(entries, root))
    packages = set(where.values())
    touched = {_owner(file, packages) for file in changed}
    return tuple(sorted(_clean(entries, where, touched, PurePosixPath(module))))


def _directories(entries: Mapping[str, Mapping[str, Any]], root: Path) -> Iterator[tuple[str, PurePosixPath]]:
    """Where each package of the repository lies, relative to it; those of others change with `go.mod` alone."""
    for name, entry in entries.items():
        directory = Path(entry.get("Dir", "")).resolve()
        if not entry.get("Standard") and directory.is_relative_to(root):
            yield name, PurePosixPath(directory.relative_to(root).as_posix())


def _owner(file: PurePosixPath, packages: Iterable[PurePosixPath]) -> PurePosixPath | None:
    return next((parent for parent in file.parents if parent in set(packages)), None)


def _clean(
    entries: Mapping[str, Mapping[str, Any]],
    where: Mapping[str, PurePosixPath],
    touched: set[PurePosixPath | None],
    module: PurePosixPath,
) -> Iterator[str]:
    """Go links each package's tests into a program `package.test`, whose dependencies are all there is in it."""
    for name, entry in entries.items():
        if not name.endswith(".test") or name not in where:
            continue
        parts = {name, name.removesuffix(".test"), *entry.get("Deps", ())}
        unknown = any(_broken(entries.get(part, {})) for part in parts)
        if not unknown and not touched & {where[part] for part in parts if part in where}:
            directory = where[name].relative_to(module).as_posix()
            yield "" if directory == "." else directory


def _broken(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("Incomplete") or entry.get("Error"))


def notes(packages: Sequence[str], *, most: int = 10) -> Iterator[str]:
    """What a reader is told of packages that were left out on purpose."""
    if not packages:
        return
    named = ", ".join(f"`{package or '.'}`" for package in packages[:most])
    more = f" and {len(packages) - most} more" if len(packages) > most else ""
    yield f"untouched, and so not measured: {named}{more}; no change reaches them or what they import"
