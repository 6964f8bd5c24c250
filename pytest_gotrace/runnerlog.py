"""Other programs' output in a CI log, where no line of it is an order to the runner.

GitHub's runner obeys `::cmd::` at the beginning of a line and `##[cmd]` anywhere in one. Between two lines with a word
that nobody can guess it obeys nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence


def on_actions(environ: Mapping[str, str]) -> bool:
    """Whether GitHub's runner reads along. Gitea's and Forgejo's say the same."""
    return environ.get("GITHUB_ACTIONS") == "true"


def quoted(
    lines: Sequence[str],
    environ: Mapping[str, str],
    token: Callable[[], str] = lambda: secrets.token_hex(16),
) -> Iterator[str]:
    """The lines as they are, and on a runner between two that keep it from obeying any of them."""
    if not on_actions(environ) or not lines:
        yield from lines
        return
    word = token()
    yield f"::stop-commands::{word}"
    yield from lines
    yield f"::{word}::"
