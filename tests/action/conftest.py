"""A repository with a pull request, and jobs about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from composite import Job, go_caches
from origin import Origin


@pytest.fixture(scope="session")
def origin(tmp_path_factory) -> Origin:
    """Nobody changes it."""
    return Origin(tmp_path_factory.mktemp("origin") / "repository")


@pytest.fixture
def job(tmp_path):
    """`job(workspace, "push", payload, sha=…)`: a job on a fresh runner."""

    def make(workspace: Path, name: str, payload: dict | None = None, **github: str) -> Job:
        (tmp_path / "_temp").mkdir(exist_ok=True)
        return Job(
            root=tmp_path,
            workspace=workspace,
            event_name=name,
            payload=payload or {},
            github={"repository": "acme/purse", "run_id": "1", "token": "canary-github-token", **github},
            environ=go_caches(),
        )

    return make
