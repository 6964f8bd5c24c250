"""The sticky comment, from the event to the hub and back."""

from __future__ import annotations

import sample_reports as samples
from fakehub import TOKEN


def test_created_then_edited(hub, job):
    """A regression makes one comment, and the fix of it edits the same one."""
    job.measured(11, samples.REGRESSION)
    first = job.after(11)
    assert first["posted"] == "created"
    (body,) = hub.bodies
    assert body.startswith("<!-- pytest-gotrace:v1 key=default run=11 attempt=1 -->\n")
    job.measured(12, samples.GREEN)
    second = job.after(12)
    assert second == first | {"posted": "updated"}
    (body,) = hub.bodies
    assert body.startswith("<!-- pytest-gotrace:v1 key=default run=12 attempt=1 -->\n")
    assert all(each.authorization == f"Bearer {TOKEN}" for each in hub.seen)
