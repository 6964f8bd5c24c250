"""The inputs of the action, each read by a parser of its own: GitHub checks none of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from action.refused import ActionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field for each input of `action.yml` but `python` and `venv`, which say how to install."""

    mode: str
    working_directory: Path
    budget: str
    config_from: str
    base: str
    head: str
    select: str
    pairs: int | None
    run_time: str
    timeout_minutes: int
    benchmark_timeout: str
    cpus: str
    go_flags: tuple[str, ...]
    env_pass: tuple[str, ...]
    isolate_cache: bool
    noise_memory: str
    shard: str
    changed_packages: bool
    recordings: str
    expected_shards: int | None
    report_dir: Path
    keep_traces: str
    summary: bool
    annotations: int
    conftest: bool
    fail_on: str


def read(environ: Mapping[str, str]) -> Settings:
    """The inputs, from `GOTRACE_*`. Raises `ActionError` that names the first wrong one."""
    values: dict[str, Any] = {}
    for field in fields(Settings):
        text = environ.get(f"GOTRACE_{field.name.upper()}", "").strip()
        try:
            values[field.name] = _PARSERS[field.name](text, environ)
        except ValueError as error:
            name = field.name.replace("_", "-")
            raise ActionError(f"input {name}: expected {error}, found {text!r}") from error
    _refuse_what_does_not_fit(Settings(**values))
    return Settings(**values)


def _refuse_what_does_not_fit(settings: Settings) -> None:
    merging = settings.mode == "merge"
    if merging and not settings.recordings:
        raise ActionError("input recordings: mode merge needs the recordings of the shards, as a pattern")
    if not merging and (settings.recordings or settings.expected_shards):
        raise ActionError("inputs recordings and expected-shards are for mode merge")
    if settings.shard and settings.mode != "compare":
        raise ActionError("input shard is for mode compare")


Parser = Callable[[str, Mapping[str, str]], Any]


def _choice(*words: str) -> Parser:
    def parse(text: str, environ: Mapping[str, str]) -> str:
        if text not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return text

    return parse


def _matching(pattern: str, expected: str) -> Parser:
    def parse(text: str, environ: Mapping[str, str]) -> str:
        if re.fullmatch(pattern, text, re.ASCII) is None:
            raise ValueError(expected)
        return text

    return parse


def _number(low: int, high: int) -> Parser:
    def parse(text: str, environ: Mapping[str, str]) -> int:
        if re.fullmatch(r"\d{1,6}", text, re.ASCII) is None or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def _optional(parse: Parser) -> Parser:
    return lambda text, environ: parse(text, environ) if text else None


def _boolean(text: str, environ: Mapping[str, str]) -> bool:
    """GitHub's own notations (`actions/toolkit`, `getBooleanInput`); anything else would silently be false."""
    if text not in ("true", "True", "TRUE", "false", "False", "FALSE"):
        raise ValueError("true or false")
    return text.lower() == "true"


def _inside(text: str, environ: Mapping[str, str]) -> Path:
    workspace = Path(environ.get("GITHUB_WORKSPACE") or ".").resolve()
    directory = (workspace / (text or ".")).resolve()
    if not directory.is_relative_to(workspace) or not directory.is_dir():
        raise ValueError("a directory inside the workspace")
    return directory


def _report_dir(text: str, environ: Mapping[str, str]) -> Path:
    """Outside the workspace if nobody says otherwise, so that no `./...` and no later step picks it up."""
    if not text.isprintable():
        raise ValueError("a directory")
    workspace = Path(environ.get("GITHUB_WORKSPACE") or ".").resolve()
    return (
        workspace / text if text else Path(environ.get("RUNNER_TEMP") or workspace) / "gotrace"
    ).absolute()


#: Flags that change what is compiled. None that starts a program (-exec, -toolexec), writes (-o), or replaces files.
_GO_FLAG = re.compile(
    r"-(race|msan|asan|tags=[\w.,]+|mod=(mod|readonly|vendor)|pgo=[\w./-]+|"
    r"(ldflags|gcflags|asmflags)=(?!.*-(ext|toolexec|linkmode|importcfg|o\b))[\w.,=/@:%+-]+)",
    re.ASCII,
)


def _go_flags(text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    flags = tuple(filter(None, map(str.strip, text.splitlines())))
    if not all(map(_GO_FLAG.fullmatch, flags)):
        raise ValueError(
            "one flag of -race, -msan, -asan, -tags, -mod, -pgo, -ldflags, -gcflags, -asmflags a line"
        )
    return flags


def _names(text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(text.split())
    if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in names):
        raise ValueError("names of variables")
    return names


_TIME = r"(\d+(\.\d+)?(ms|s|m|h))?"
_FILE = r"(?![-/])(?!.*\.\.)[^\x00-\x1f\\]{1,200}"

_PARSERS: Mapping[str, Parser] = {
    "mode": _choice("compare", "record", "merge"),
    "working_directory": _inside,
    "budget": _matching(rf"{_FILE}\.ya?ml", "a YAML file below the working directory"),
    "config_from": _choice("base", "head"),
    "base": _matching(
        r"(?!-)[^\x00-\x20\x7f]{1,250}", "auto, merge-base, a revision or a recording (.jsonl)"
    ),
    "head": _matching(r"(?!-)[^\x00-\x20\x7f]{1,250}", "HEAD, working-tree or a revision"),
    "select": _matching(r"[\w ./()\[\]-]{0,500}", "words of names of benchmarks, with and, or, not"),
    "pairs": _optional(_number(2, 1000)),
    "run_time": _matching(_TIME, "a time like 250ms"),
    "timeout_minutes": _number(1, 6000),
    "benchmark_timeout": _matching(_TIME, "a time like 10m"),
    "cpus": _matching(r"[\d,-]{0,200}", "numbers of CPUs like 0,1 or 2-5"),
    "go_flags": _go_flags,
    "env_pass": _names,
    "isolate_cache": _boolean,
    "noise_memory": _matching(rf"({_FILE})?", "a pattern of files below the working directory"),
    "shard": _matching(r"([1-9]\d{0,2}/[1-9]\d{0,2})?", "a part like 2/4"),
    "changed_packages": _boolean,
    "recordings": _matching(r"[^\x00-\x1f]{0,500}", "a pattern of files"),
    "expected_shards": _optional(_number(1, 256)),
    "report_dir": _report_dir,
    "keep_traces": _choice("none", "changed", "all"),
    "summary": _boolean,
    "annotations": _number(0, 10),
    "conftest": _boolean,
    "fail_on": _choice("never", "regression", "inconclusive"),
}
