"""Which pull request a finished run belongs to, by what GitHub says and never by what the run left behind.

A run does not name its pull request when that came from a fork. So the run is asked for again, the open pull requests
of its branch are listed, and those stay whose head is the commit that was run. The report's word counts only where
several stay, and only to choose among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_gotrace.errors import GitHubUnavailableError
from pytest_gotrace.event import dig, foreign
from pytest_gotrace.github import GitHub
from pytest_gotrace.posted import Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A workflow run of a pull request; `branch` and `fork` were chosen by its author."""

    id: int
    attempt: int
    sha: str
    branch: str
    owner: str
    head_repository: int
    repository: int
    fork: str


def fetch_run(github: GitHub, run: int, *, repository: int, workflow: str) -> Run:
    """The run as GitHub tells it now. Raises `Skip` for a run that is not of `workflow` on a pull request here."""
    found = github.get("actions", "runs", run)
    if found.get("event") != "pull_request":
        raise Skip("other-event", f"run {run} was not started by a pull request")
    if dig(found, "repository", "id") != repository:
        raise Skip("other-repository", f"run {run} is of another repository")
    if not _is_path(found.get("path"), workflow):
        raise Skip("other-workflow", f"run {run} is of another workflow than {workflow}; see workflow-path")
    head = found.get("head_repository")
    if not isinstance(dig(head, "id"), int):
        raise Skip("stale", f"the repository that run {run} came from is gone")
    try:
        return Run(
            id=int(found["id"]),
            attempt=int(found.get("run_attempt") or 1),
            sha=str(found["head_sha"]),
            branch=str(found["head_branch"]),
            owner=str(dig(head, "owner", "login")),
            head_repository=dig(head, "id"),
            repository=repository,
            fork=foreign(head, repository),
        )
    except (KeyError, TypeError, ValueError):
        raise GitHubUnavailableError(f"GitHub did not say enough about run {run}") from None


def _is_path(found: object, workflow: str) -> bool:
    """GitHub may add `@` and a ref; a file's name may hold an `@` too, but then ends as such a file does."""
    path, _, ref = str(found).partition("@")
    return path == workflow and not ref.endswith((".yml", ".yaml"))


def resolve(github: GitHub, run: Run, *, base: str) -> int:
    """The number of the run's pull request; `base` is the base commit that the report names.

    Raises `Skip` if none is open at this commit any more, or if more than one is and the base chooses none.
    """
    found = list(_of_branch(github, run)) or list(_of_commit(github, run))
    if not found:
        raise Skip("stale", f"no open pull request is at the commit of run {run.id} any more")
    chosen = found if len(found) == 1 else [each for each in found if dig(each, "base", "sha") == base]
    if len(chosen) != 1:
        raise Skip(
            "ambiguous", f"{len(found)} pull requests are at the commit of run {run.id}: none is taken"
        )
    return int(chosen[0]["number"])


def _of_branch(github: GitHub, run: Run) -> Iterator[dict[str, Any]]:
    asked = github.pages("pulls", state="open", head=f"{run.owner}:{run.branch}")
    return (each for each in asked if _belongs(each, run))


def _of_commit(github: GitHub, run: Run) -> Iterator[dict[str, Any]]:
    """For an owner who was renamed since; GitHub knows these for commits that are in the repository itself."""
    return (each for each in github.pages("commits", run.sha, "pulls") if _belongs(each, run))


def _belongs(found: dict[str, Any], run: Run) -> bool:
    return (
        found.get("state") == "open"
        and isinstance(found.get("number"), int)
        and dig(found, "head", "sha") == run.sha
        and dig(found, "head", "repo", "id") == run.head_repository
        and dig(found, "base", "repo", "id") == run.repository
    )
