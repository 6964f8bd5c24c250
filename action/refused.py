"""The events for which code of a pull request is never run. Any Python 3 can read this: it comes before all else."""

from __future__ import annotations

#: Events whose token can write and whose caches are those of the default branch. There is no way around this.
REFUSED = ("pull_request_target", "workflow_run", "issue_comment")

_ADVICE = (
    "this action runs the code of a change, and on {name} a token that can write is within its reach. "
    "Measure on pull_request, and comment from a second workflow: examples/workflows has both."
)


class ActionError(Exception):
    """What is wrong with the workflow, as a sentence for whoever wrote it."""


def refuse(name: str) -> None:
    """Raises `ActionError` for an event that must not run a change's code."""
    if name in REFUSED:
        raise ActionError(_ADVICE.format(name=name))
