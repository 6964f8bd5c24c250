"""Whether both sides of a test binary differ in nothing but comments, blank lines and formatting: never by guess.

A comment that moves code to another line moves the line table, and so the binary's bytes. What decides here:

1. `go list -deps -test` says which files a test binary is made of, on each side.
2. Both sides must have the same packages, of the same files by name.
3. Go files must have the same tokens by Go's own scanner (`tokens.go`, built with the toolchain that builds both
   sides). What a comment says to the toolchain counts as code.
4. All other files must be equal by bytes: C and assembly, files that use cgo, whose preambles are comments, and what
   is embedded.
5. Nothing else may have changed in the repository but documents, and comments in `go.mod` and `go.work`.

Whatever cannot be decided is not alike, and is measured. So is code that imports Go's parser or the like, for which
comments may be data. (Known limit: code that reads Go files beside it without parsing them is not recognised.)
"""

from __future__ import annotations

import filecmp
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import GoTestError
from .gobuild import json_values, run_go
from .gomod import read_mod
from .process import Limits, run
from .toolchain import Toolchain

#: Files of a repository that no compiler and no benchmark reads, wherever they lie outside of `testdata`.
DOCUMENTS = (".md", ".yaml", ".yml", ".patch")

_MODULE_FILES = ("go.mod", "go.work")

#: Files of a package as `go list` sorts them: those to be compared by tokens, and those by bytes.
_BY_TOKENS = ("GoFiles",)
_BY_BYTES = (
    "CgoFiles CFiles CXXFiles MFiles HFiles FFiles SFiles SwigFiles SwigCXXFiles SysoFiles "
    "EmbedFiles TestEmbedFiles XTestEmbedFiles"
).split()
_FIELDS = ("ImportPath", "Dir", "Standard", "Incomplete", "Error", "Deps", "Imports", *_BY_TOKENS, *_BY_BYTES)

#: Build flags under which the files on disk are not what is compiled, or their lines matter (a profile's do).
_BEYOND = re.compile(r"(^|\s)--?(overlay|pgo|toolexec|modfile)\b")
_PROFILE = "default.pgo"

#: Whoever imports one of these (`go/parser` and its like) may read Go sources at run time, comments and all.
_READERS = "go/"

#: What comparing may take before it is given up: measuring is the answer then.
_SECONDS = 300.0

_Kinds = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A package of one side: its directory, its files by kind, what it is built from, and if it reads Go sources."""

    directory: Path
    files: _Kinds
    needs: frozenset[str]
    reads: bool


class Sources:
    """Both sides' sources of one module, asked package by package; no program is started before the first question.

    `checkouts` are the two repositories, `module` the module's directory in them, `changed` the files that differ.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        checkouts: tuple[Path, Path],
        module: str,
        changed: Sequence[str],
        *,
        scratch: Path,
        env: Mapping[str, str],
    ) -> None:
        self._toolchain, self._checkouts, self._module = toolchain, checkouts, module
        self._changed, self._scratch, self._env = changed, scratch / "tokens", env

    def alike(self, import_path: str, directory: str) -> bool:
        """Whether the test binary of a package is compiled from the same code on both sides."""
        try:
            if not self._decidable or self._has_profile(directory):
                return False
            pairs = self._pairs(f"{import_path}.test")
            return pairs is not None and self._equal(pairs)
        except (GoTestError, OSError):
            return False

    @cached_property
    def _decidable(self) -> bool:
        flags = self._go(("env", "GOFLAGS"), self._checkouts[1] / self._module).strip()
        return _BEYOND.search(flags) is None and all(map(self._harmless, self._changed))

    def _harmless(self, file: str) -> bool:
        """Whether this change is compared elsewhere, or changes nothing."""
        path = PurePosixPath(file)
        if path.name in _MODULE_FILES:
            return self._same_module_file(file)
        return path.suffix == ".go" or path.suffix in DOCUMENTS

    def _same_module_file(self, file: str) -> bool:
        both = [root / file for root in self._checkouts]
        if not all(path.is_file() for path in both):
            return False
        base, head = (read_mod(self._toolchain, path, self._env) for path in both)
        return base == head

    def _has_profile(self, directory: str) -> bool:
        return any((root / self._module / directory / _PROFILE).exists() for root in self._checkouts)

    @cached_property
    def _listings(self) -> tuple[Mapping[str, _Listed], ...]:
        return tuple(self._listing(root / self._module) for root in self._checkouts)

    def _listing(self, root: Path) -> Mapping[str, _Listed]:
        """Packages by import path; those of the standard library, which is the same on both sides, left out."""
        text = self._go(("list", "-e", "-deps", "-test", f"-json={','.join(_FIELDS)}", "./..."), root)
        entries = [entry for entry in json_values(text) if "ImportPath" in entry]
        standard = {entry["ImportPath"] for entry in entries if entry.get("Standard")}
        return {
            entry["ImportPath"]: _listed(entry, standard)
            for entry in entries
            if not (entry.get("Standard") or entry.get("Incomplete") or entry.get("Error"))
        }

    def _pairs(self, binary: str) -> list[tuple[str, Path, Path]] | None:
        """Every file of a test binary as (kind, base, head); None where the sides have other ones."""
        base, head = (listing.get(binary) for listing in self._listings)
        if base is None or head is None or base.needs != head.needs:
            return None
        found: list[tuple[str, Path, Path]] = []
        for name in sorted({binary} | base.needs):
            before, after = (listing.get(name) for listing in self._listings)
            if before is None or after is None or before.files != after.files or before.reads or after.reads:
                return None
            found += _side_by_side(before, after)
        return found

    def _equal(self, pairs: Iterable[tuple[str, Path, Path]]) -> bool:
        differ = [pair for pair in pairs if pair[1] != pair[2] and not _same_bytes(*pair[1:])]
        if any(kind not in _BY_TOKENS for kind, _, _ in differ):
            return False
        digests = self._digests([*chain.from_iterable(pair[1:] for pair in differ)])
        return all(digests) and digests[::2] == digests[1::2]

    def _digests(self, files: Sequence[Path]) -> list[str]:
        """The digest of each file's tokens, "" where it has a fault."""
        if not files:
            return []
        command = (str(self._program), str(self._scratch / "files"))
        Path(command[1]).write_bytes(b"".join(bytes(file) + b"\0" for file in files))
        finished = run(command, cwd=self._scratch, env=self._env, limits=Limits(seconds=_SECONDS))
        digests = finished.output.split("\n")[:-1]
        return digests if finished.code == 0 and len(digests) == len(files) else [""]

    @cached_property
    def _program(self) -> Path:
        """`tokens.go`, built once; no setting of the person's is about it."""
        program, source = self._scratch / "tokens", self._scratch / "tokens.go"
        self._scratch.mkdir(parents=True, exist_ok=True)
        if not program.exists():
            source.write_bytes(resources.files("pytest_gotrace").joinpath("tokens.go").read_bytes())
            alone = {**self._env, "GOENV": "off", "GOFLAGS": "", "GOWORK": "off", "GO111MODULE": "off"}
            # Compiled once for whatever directory, and linked without what only a debugger reads.
            quick = ("-trimpath", "-ldflags=-s -w")
            self._go(("build", *quick, "-o", str(program), source.name), self._scratch, alone)
        return program

    def _go(self, arguments: tuple[str, ...], directory: Path, env: Mapping[str, str] | None = None) -> str:
        complaint = "the sources cannot be compared"
        return run_go(self._toolchain, arguments, directory, env or self._env, _SECONDS, complaint).output


def _listed(entry: Mapping[str, Any], standard: set[str]) -> _Listed:
    """An absolute name is that of a file that Go wrote itself, from the names that are in the others."""
    files = {
        kind: tuple(name for name in entry.get(kind, ()) if not Path(name).is_absolute())
        for kind in (*_BY_TOKENS, *_BY_BYTES)
    }
    return _Listed(
        directory=Path(entry["Dir"]),
        files=files,
        needs=frozenset(entry.get("Deps", ())) - standard - {"C"},
        reads=any(name.startswith(_READERS) for name in entry.get("Imports", ())),
    )


def _side_by_side(base: _Listed, head: _Listed) -> Iterator[tuple[str, Path, Path]]:
    for kind, names in base.files.items():
        for name in names:
            yield kind, base.directory / name, head.directory / name


def _same_bytes(base: Path, head: Path) -> bool:
    try:
        return filecmp.cmp(base, head, shallow=False)
    except OSError:
        return False
