"""The second door: it holds a token, reads one report, and posts it. It starts no program and runs nobody's code.

The report comes from the run that a `workflow_run` is about (from a fork it may be anybody's), or from a file that an
earlier job of the same workflow left. What is posted is rendered here, from a report that fits its schema: names and
sentences in it may be a stranger's, and are shown as such.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_gotrace import artifact, event, inputs, posted, pullrequest, report_json
from pytest_gotrace.comment import Marker, Sticky
from pytest_gotrace.errors import ExitCode, GitHubError, UsageError
from pytest_gotrace.escape import code, log_line
from pytest_gotrace.event import Event
from pytest_gotrace.github import GitHub
from pytest_gotrace.githubtransport import Clock, Origin, Token
from pytest_gotrace.inputs import Inputs, When
from pytest_gotrace.posted import Posted, Skip
from pytest_gotrace.render import render_summary
from pytest_gotrace.report import PROBLEMS, Report, blocking, improvements
from pytest_gotrace.sinks.stepsummary import StepSummary


def _is_worse(report: Report) -> bool:
    counts = report.counts
    return (
        any(counts[outcome] for outcome in PROBLEMS)
        or bool(report.failures)
        or any(True for _ in blocking(report))
    )


#: Which reports are worth a new comment.
SPEAKS: Mapping[When, Callable[[Report], bool]] = {
    "always": lambda report: True,
    "changes": lambda report: _is_worse(report) or bool(improvements(report)),
    "regressions": _is_worse,
    "never": lambda report: False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a report comes from: the run that measured, its report, and the pull request for a report's base."""

    run: int
    attempt: int
    fork: str
    report: Callable[[], Report]
    number: Callable[[str], int]


def comment(
    options: Mapping[str, str | None], environ: Mapping[str, str], *, clock: Clock | None = None
) -> ExitCode:
    """Post what is asked for, say what was done, and write the outputs.

    Raises `UsageError` for inputs that make no sense, `RecordingError` for a report that is not to be trusted, and
    `GitHubError` if the comment is required; else what GitHub refuses is a warning, as the comment is not the gate.
    """
    asked, happened = inputs.read(options, environ), event.read(environ)
    try:
        done = _do(asked, happened, environ, clock)
        _say("notice", _told(done), environ)
    except Skip as skip:
        done = Posted(done="skipped", reason=skip.reason)
        _say("notice", str(skip), environ)
    except GitHubError as error:
        done = Posted(done="skipped", reason=error.kind)
        if asked.comment_required:
            posted.write(done, environ)
            raise
        _say("warning", f"no comment: {error}", environ)
    posted.write(done, environ)
    return ExitCode.PASS


def _do(asked: Inputs, happened: Event, environ: Mapping[str, str], clock: Clock | None) -> Posted:
    if asked.when == "never" and not asked.delete:
        raise Skip("never", "nothing is posted, as `when` is never")
    if asked.dry_run and asked.results:
        return _show(_here(asked, happened).report(), environ)
    github = GitHub(Origin(happened.api_url), happened.repository, _token(environ), clock=clock)
    source = _source(asked, happened, github)
    if asked.delete:
        return _sticky(asked, github, source.number("")).delete()
    report = source.report()
    if asked.dry_run:
        return _show(report, environ)
    sticky = _sticky(asked, github, source.number(report.base.sha))
    marker = Marker(key=asked.key, run=source.run, attempt=source.attempt)
    foot = _foot(source, happened)

    def write(size: int) -> str:
        return render_summary(report, limit=size - len(foot.encode())) + foot

    return sticky.post(marker, write, speak=SPEAKS[asked.when](report))


def _token(environ: Mapping[str, str]) -> Token:
    found = next((environ[name] for name in inputs.TOKENS if environ.get(name)), None)
    if found is None:
        raise UsageError(f"no token: set {inputs.TOKENS[0]} in the environment of this one step")
    return Token(found.strip())


def _source(asked: Inputs, happened: Event, github: GitHub) -> Source:
    run = asked.run_id or happened.source_run
    if run and not asked.results:
        return _elsewhere(asked, happened, github, run)
    if asked.results or asked.delete:
        return _here(asked, happened)
    raise UsageError("nothing to post: name a run (run-id) or a file (results), or run on `workflow_run`")


def _here(asked: Inputs, happened: Event) -> Source:
    """A file on this machine, about the pull request that started this very run."""

    def number(base: str) -> int:
        if not happened.number:
            raise Skip("no-pull-request", "this run was not started by a pull request")
        return happened.number

    return Source(
        run=happened.run,
        attempt=happened.attempt,
        fork=happened.fork,
        report=lambda: report_json.read_report(Path(asked.results)),
        number=number,
    )


def _elsewhere(asked: Inputs, happened: Event, github: GitHub, number: int) -> Source:
    """The artifact of a finished run."""
    run = pullrequest.fetch_run(
        github, number, repository=happened.repository_id, workflow=asked.workflow_path
    )

    def report() -> Report:
        data = artifact.fetch(github, run.id, asked.artifact, limit=asked.max_artifact_kb * 2**10)
        return report_json.parse_report(
            artifact.read_entry(data, limit=report_json.MAX_BYTES), where=f"{asked.artifact}/{artifact.ENTRY}"
        )

    return Source(
        run=run.id,
        attempt=run.attempt,
        fork=run.fork,
        report=report,
        number=lambda base: pullrequest.resolve(github, run, base=base),
    )


def _sticky(asked: Inputs, github: GitHub, number: int) -> Sticky:
    return Sticky(github=github, number=number, key=asked.key, author=asked.comment_author)


def _foot(source: Source, happened: Event) -> str:
    """What stands below the summary: made of numbers and of GitHub's own words, but for the name of a fork."""
    address = (
        f"{happened.server_url}/{happened.repository}/actions/runs/{source.run}/attempts/{source.attempt}"
    )
    lines = [f"[The run that measured this]({address})"]
    if source.fork:
        lines.append(
            f"Numbers, names and commands above come from code of {code(source.fork)}, a fork, and are not verified."
        )
    return "\n" + "\n\n".join(lines) + "\n"


def _show(report: Report, environ: Mapping[str, str]) -> Posted:
    said = StepSummary(environ=environ).write(report)
    if said:
        _say("warning", said, environ)
    return Posted(done="skipped", reason="dry-run")


def _told(done: Posted) -> str:
    where = f" {done.url}" if done.url else f" on pull request {done.number}" if done.number else ""
    return f"comment {done.done}{where}" + (f" ({done.reason})" if done.reason else "")


def _say(level: Literal["notice", "warning"], text: str, environ: Mapping[str, str]) -> None:
    """One line: for a person, or for the runner, which shows it on the run's page."""
    line = log_line(text)
    if environ.get("GITHUB_ACTIONS") == "true":
        print(f"::{level} title=gotrace::{line.replace('%', '%25')}", flush=True)
    else:
        print(f"gotrace: {line}", flush=True)
