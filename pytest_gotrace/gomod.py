"""What `go.mod` says beside comments, and what changed in it: a new dependency is a reason for other numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import GoTestError
from .gobuild import run_go
from .toolchain import Toolchain

_SECONDS = 60.0

#: Parts of `go mod edit -json` that only say something to people.
_REMARKS = ("Deprecated", "Rationale")

#: As many changes as a sentence should list.
_MOST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class GoMod:
    """A `go.mod` or `go.work`. `whole` is everything but remarks, in one text that can be compared.

    `requires` has versions by module path, `replaces` what stands in for `path` or `path@version`.
    """

    go: str
    toolchain: str
    requires: Mapping[str, str]
    replaces: Mapping[str, str]
    whole: str


def read_mod(toolchain: Toolchain, file: Path, env: Mapping[str, str]) -> GoMod:
    """The `go.mod` or `go.work` at `file`, as Go reads it. Raises `GoTestError`."""
    kind = "work" if file.name == "go.work" else "mod"
    complaint = f"{file.name} cannot be read"
    arguments = (kind, "edit", "-json", str(file))
    answer = run_go(toolchain, arguments, file.parent, env, _SECONDS, complaint)
    try:
        return _from_json(json.loads(answer.output))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise answer.error(f"{complaint}: `go {kind} edit -json` gave no answer that we know") from error


def _from_json(value: Mapping[str, Any]) -> GoMod:
    return GoMod(
        go=value.get("Go", ""),
        toolchain=value.get("Toolchain", ""),
        requires={each["Path"]: each["Version"] for each in value.get("Require") or ()},
        replaces={_named(each["Old"]): _named(each["New"]) for each in value.get("Replace") or ()},
        whole=json.dumps(_without_remarks(value), sort_keys=True),
    )


def _named(module: Mapping[str, str]) -> str:
    return "@".join(filter(None, (module["Path"], module.get("Version", ""))))


def _without_remarks(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_remarks(part) for key, part in value.items() if key not in _REMARKS}
    return [_without_remarks(part) for part in value] if isinstance(value, list) else value


def changes(base: GoMod, head: GoMod, running: str) -> Iterator[str]:
    """Short sentences on what changed that numbers may depend on; `running` is the Go that builds both sides."""
    if parts := list(_moved(base.requires, head.requires)):
        yield f"dependencies changed: {_listed(parts)}"
    if parts := list(_moved(base.replaces, head.replaces, sign=" => ")):
        yield f"replaced modules changed: {_listed(parts)}"
    if base.go != head.go:
        yield f"the go line changed: {base.go or 'none'} → {head.go or 'none'}"
    if base.toolchain != head.toolchain:
        moved = f"{base.toolchain or 'none'} → {head.toolchain or 'none'}"
        yield f"the toolchain line changed: {moved}; both sides were built with {running}"


def _moved(base: Mapping[str, str], head: Mapping[str, str], sign: str = " ") -> Iterator[str]:
    for name in sorted(base.keys() | head.keys()):
        before, after = base.get(name), head.get(name)
        if before is None:
            yield f"{name}{sign}{after} (new)"
        elif after is None:
            yield f"{name}{sign}{before} (gone)"
        elif before != after:
            yield f"{name}{sign}{before} → {after}"


def _listed(parts: list[str]) -> str:
    more = f" and {len(parts) - _MOST} more" if len(parts) > _MOST else ""
    return ", ".join(parts[:_MOST]) + more


def notes(
    toolchain: Toolchain, base: Path, head: Path, module: str, env: Mapping[str, str]
) -> tuple[str, ...]:
    """`changes` between a module's `go.mod` in two checkouts, each with its place; none where one cannot be read."""
    file = Path(module, "go.mod")
    if not all((root / file).is_file() for root in (base, head)):
        return ()
    try:
        before, after = (read_mod(toolchain, root / file, env) for root in (base, head))
    except GoTestError:
        return ()  # building says more
    return tuple(f"{file.as_posix()}: {change}" for change in changes(before, after, toolchain.text))
