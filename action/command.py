"""The command line and the environment of the one pytest that measures and judges."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from action.refused import ActionError
from action.settings import Settings

#: What the runner takes orders by, and what tells a program that it may give some.
_ORDERS = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_ACTIONS")


def command(settings: Settings, *, base: str, head: str, ini: Path) -> list[str]:
    """pytest, with no setting of the repository's own: `ini` is an empty file, and options come from here alone."""
    return [
        *(sys.executable, "-I", "-m", "pytest", "-p", "no:cacheprovider"),
        *("-c", str(ini), f"--rootdir={settings.working_directory}"),
        *([] if settings.conftest else ["--noconftest"]),
        *_given(settings, base, head),
        f"--gotrace-report={settings.report_dir}",
        f"--junit-xml={settings.report_dir / 'junit.xml'}",
        settings.budget,
    ]


def _given(settings: Settings, base: str, head: str) -> Iterator[str]:
    recording = settings.report_dir / "recording.jsonl"
    if settings.mode == "merge":
        yield f"--gotrace-from={_checked(settings)}"
        if settings.expected_shards is not None:
            yield f"--gotrace-shards={settings.expected_shards}"
        return
    yield f"--gotrace-record={recording}"
    if settings.mode == "compare":
        yield f"--gotrace-baseline={base}"
    yield f"--gotrace-time-budget={settings.timeout_minutes}m"
    yield f"--gotrace-keep-traces={settings.keep_traces}"
    for option, value in (
        ("--gotrace-head", head),
        ("--gotrace-pairs", settings.pairs),
        ("--gotrace-run-time", settings.run_time),
        ("--gotrace-timeout", settings.benchmark_timeout),
        ("--gotrace-cpus", settings.cpus),
        ("--gotrace-shard", settings.shard),
        ("-k", settings.select),
    ):
        if value:
            yield f"{option}={value}" if option != "-k" else f"-k{value}"
    yield from (f"--gotrace-env-pass={name}" for name in settings.env_pass)
    yield from (f"--gotrace-noise-memory={file}" for file in _matches(settings, settings.noise_memory))
    if settings.isolate_cache:
        yield "--gotrace-isolate-cache"
    if settings.changed_packages and settings.mode == "compare":
        yield "--gotrace-changed-packages"


def _checked(settings: Settings) -> str:
    """The pattern of the recordings to join; which of them is missing is in the others. Raises `ActionError`."""
    if not _matches(settings, settings.recordings):
        raise ActionError(f"input recordings: no file matches {settings.recordings!r}")
    return settings.recordings


def _matches(settings: Settings, pattern: str) -> list[str]:
    if not pattern:
        return []
    return sorted(glob.glob(str(settings.working_directory / pattern), recursive=True))


def environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """What pytest sees: nothing by which it could give the runner an order, and no token; and our Go flags."""
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _ORDERS
        and not name.startswith(("ACTIONS_", "GOTRACE_", "PYTEST_", "PYTHON"))
        and not ("TOKEN" in name.upper() and name not in settings.env_pass)
    }
    if not settings.summary:
        kept.pop("GITHUB_STEP_SUMMARY", None)
    flags = " ".join((*filter(None, [kept.get("GOFLAGS")]), *settings.go_flags))
    return {**kept, "CI": "true", **({"GOFLAGS": flags} if flags else {})}
