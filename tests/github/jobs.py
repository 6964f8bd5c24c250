"""A job on a runner that posts, and what it posts from."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import runnerfiles
import sample_reports as samples
from fakehub import REPOSITORY, REPOSITORY_ID, TOKEN, Hub

from pytest_gotrace import door
from pytest_gotrace.errors import GotraceError
from pytest_gotrace.githubtransport import Clock
from pytest_gotrace.report import Report
from pytest_gotrace.report_json import to_json

HEAD = samples.HEAD_SHA


def zipped(report: Report | bytes) -> bytes:
    """An artifact as `actions/upload-artifact` makes it."""
    data = report if isinstance(report, bytes) else to_json(report).encode()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.json", data)
    return packed.getvalue()


@dataclass
class Slept:
    """Time that passes only when somebody waits."""

    now: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(steady=lambda: self.now, wall=lambda: self.now, sleep=self.sleep)


@dataclass
class Job:
    """A job on a runner: its variables, its files, and what it said."""

    hub: Hub
    directory: Path
    capsys: Any
    time: Slept = field(default_factory=Slept)
    output: str = ""
    number: int = 0

    def environ(self, event: str, payload: dict[str, Any], **more: str) -> dict[str, str]:
        """The variables of a step, as the runner and the action set them."""
        self.number += 1
        path = self.directory / f"event{self.number}.json"
        path.write_text(json.dumps({"repository": {"id": REPOSITORY_ID}, **payload}))
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.hub.url,
            "GITHUB_SERVER_URL": "https://github.test",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_OUTPUT": str(self.directory / f"output{self.number}"),
            "GITHUB_STEP_SUMMARY": str(self.directory / "summary.md"),
            "GITHUB_RUN_ID": "9999",
            "GITHUB_RUN_ATTEMPT": "1",
            "GOTRACE_TOKEN": TOKEN,
            **more,
        }

    def comment(self, environ: dict[str, str]) -> dict[str, str]:
        """Run the door; its outputs, and `error` with the class of what it raised, if it did."""
        error = {}
        try:
            assert door.comment({}, environ, clock=self.time.clock) == 0
        except GotraceError as raised:
            error = {"error": type(raised).__name__, "message": str(raised)}
        self.output += self.capsys.readouterr().out + "".join(error.values())
        written = Path(environ["GITHUB_OUTPUT"])
        return (runnerfiles.outputs(written.read_text()) if written.exists() else {}) | error

    def after(self, run: int, **more: str) -> dict[str, str]:
        """Post what run `run` left, as the second of two workflows does."""
        return self.comment(self.environ("workflow_run", {"workflow_run": {"id": run}}, **more))

    def measured(self, run: int, report: Report | bytes, *, sha: str = HEAD, **more: Any) -> None:
        """A run that ended, and its artifact."""
        self.hub.run(run, sha=sha, **more)
        self.hub.artifact(run, zipped(report))

    def local(self, report: Report, number: int = 1, **more: str) -> dict[str, str]:
        """Post a file, as the second of two jobs does."""
        path = self.directory / "report.json"
        path.write_text(to_json(report), encoding="utf-8")
        pull = {"number": number, "head": {"repo": {"id": REPOSITORY_ID}}}
        environ = self.environ("pull_request", {"pull_request": pull}, GOTRACE_RESULTS=str(path), **more)
        return self.comment(environ)
