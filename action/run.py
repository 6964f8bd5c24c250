"""The run action's one step after installing: inputs and event become one pytest, and its report the step's outputs."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # `python -I` looks nowhere by itself

from action import event as events
from action import settings as inputs
from action.base import base, git_in, head, persisted_credentials
from action.budget import from_base
from action.command import command, environment
from action.event import Event
from action.outcome import conclusion, entry, exit_code, outputs
from action.refused import ActionError, refuse
from action.settings import Settings
from pytest_gotrace.errors import ExitCode, GotraceError
from pytest_gotrace.escape import log_line
from pytest_gotrace.git import Git
from pytest_gotrace.report import Report
from pytest_gotrace.report_json import read_report
from pytest_gotrace.sinks.annotations import commands

_CREDENTIALS = (
    "::warning title=gotrace::actions/checkout left its token in this job, where the code of the change can read it; "
    "set persist-credentials: false"
)


def main(environ: Mapping[str, str] = os.environ) -> int:
    """One step. What is wrong with a workflow is a sentence, exit code 4, and a line in the summary."""
    try:
        refuse(environ.get("GITHUB_EVENT_NAME", ""))
        settings, event = inputs.read(environ), events.read(environ)
        settings.report_dir.mkdir(parents=True, exist_ok=True)
        code = _measure(settings, event, environ)
    except (ActionError, GotraceError) as error:
        print(log_line(f"gotrace: {error}"), flush=True)
        _append(environ.get("GITHUB_OUTPUT"), entry("conclusion", "error"))
        _append(
            environ.get("GITHUB_STEP_SUMMARY"),
            "**gotrace measured nothing.** The log of this step says why.\n",
        )
        return ExitCode.USAGE
    report = _report(settings)
    found = conclusion(code, report)
    said = outputs(found, report, settings.report_dir, importlib.metadata.version("pytest-gotrace"))
    _append(environ.get("GITHUB_OUTPUT"), "".join(entry(name, value) for name, value in said))
    if report is None and settings.summary:
        unsaid = f"**gotrace has no report**: pytest ended with {code}. The log of this step says why.\n"
        _append(environ.get("GITHUB_STEP_SUMMARY"), unsaid)
    for line in islice(commands(report), settings.annotations) if report else ():
        print(line, flush=True)
    return exit_code(code, found, settings.fail_on)


def _measure(settings: Settings, event: Event, environ: Mapping[str, str]) -> int:
    """Run pytest; nothing it prints is an order to the runner. Raises `ActionError` and `CheckoutError`."""
    git = git_in(Path(environ.get("GITHUB_WORKSPACE") or "."))
    if persisted_credentials(git):
        print(_CREDENTIALS, flush=True)
    compared, measured = _sides(git, settings, event)
    for stale in _ours(settings.report_dir):
        stale.unlink()
    with _budget(git, settings, event, compared), tempfile.TemporaryDirectory(prefix="gotrace-") as scratch:
        ini = Path(scratch) / "pytest.ini"
        ini.write_text("[pytest]\n", encoding="utf-8")
        words = command(settings, base=compared, head=measured, ini=ini)
        print(log_line(f"gotrace: {' '.join(words[4:])}"), flush=True)
        return _quoted(words, settings.working_directory, environment(settings, environ))


def _sides(git: Git, settings: Settings, event: Event) -> tuple[str, str]:
    """The commits, or in the place of the first a recording; "" where there is none, or the plugin chooses."""
    if settings.mode == "merge":  # both are in the recordings; the base's budget is all that is asked for
        return (base(git, event, settings.base) if event.is_pull_request else ""), ""
    measured = head(git, settings.head)
    if settings.mode == "record":
        return "", measured
    recorded = settings.base.endswith(".jsonl")
    return settings.base if recorded else base(git, event, settings.base), measured


@contextlib.contextmanager
def _budget(git: Git, settings: Settings, event: Event, compared: str) -> Iterator[None]:
    """On a pull request that of the base, as long as this lasts."""
    if (
        not event.is_pull_request
        or settings.config_from == "head"
        or re.fullmatch("[0-9a-f]+", compared) is None
    ):
        yield
        return
    with from_base(git, settings.working_directory / settings.budget, compared) as found:
        if not found:
            print(
                log_line(f"gotrace: {settings.budget} is not on the base, so that of the head counts"),
                flush=True,
            )
        yield


def _ours(directory: Path) -> Iterator[Path]:
    """Files of a run before, which must not be taken for this one's."""
    names = ("report.json", "summary.md", "junit.xml", "metrics.txt", "recording.jsonl", "report.html")
    return (directory / name for name in names if (directory / name).is_file())


def _quoted(words: list[str], directory: Path, environ: Mapping[str, str]) -> int:
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}", flush=True)
    try:
        return subprocess.run(
            words, cwd=directory, env=environ, stdin=subprocess.DEVNULL, check=False
        ).returncode
    finally:
        print(f"\n::{token}::", flush=True)


def _report(settings: Settings) -> Report | None:
    path = settings.report_dir / "report.json"
    if not path.is_file():
        return None
    try:
        return read_report(path)
    except GotraceError as error:
        print(log_line(f"gotrace: {error}"), flush=True)
        return None


def _append(file: str | None, text: str) -> None:
    if file:
        with Path(file).open("a", encoding="utf-8", newline="\n") as opened:
            opened.write(text)


if __name__ == "__main__":
    sys.exit(main())
