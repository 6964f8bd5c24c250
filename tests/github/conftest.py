"""A hub, and a job on it that posts."""

from __future__ import annotations

import pytest
from fakehub import TOKEN, Hub, serving
from jobs import HEAD, Job


@pytest.fixture(scope="session")
def served():
    """A server, which one test after the other has to itself."""
    with serving(Hub()) as hub:
        yield hub


@pytest.fixture
def hub(served):
    """GitHub, empty; whatever it was asked and answered must fit its description."""
    served.reset()
    yield served
    assert served.violations == []


@pytest.fixture
def job(hub, tmp_path, capsys):
    """A job on a pull request of the repository itself; wherever it speaks, the token must not be heard."""
    hub.pull(1, sha=HEAD)
    made = Job(hub, tmp_path, capsys)
    yield made
    everything = made.output + capsys.readouterr().out
    everything += "".join(
        path.read_text(encoding="utf-8", errors="replace") for path in tmp_path.iterdir() if path.is_file()
    )
    everything += "".join(map(str, hub.bodies))
    assert TOKEN not in everything
    assert "signature=secret" not in everything
