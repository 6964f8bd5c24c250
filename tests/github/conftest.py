"""A job that posts."""

from __future__ import annotations

import pytest
from fakehub import TOKEN
from jobs import HEAD, Job


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
