"""What GitHub says about the run that we are in: variables, and the file of the event.

GitHub wrote both, but what people chose stands in them too (a branch, a repository's name): that is text to be shown,
and nothing else. Numbers come from GitHub.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_gotrace.errors import UsageError

#: GitHub caps the payload of an event at 25 MB.
_MOST = 25_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Where we are, and what happened.

    `run` and `attempt` are our own; `source_run` is the run that a `workflow_run` is about, `number` the pull request
    of a `pull_request`: 0 where there is none. `fork` is the repository that the change comes from, if it is another.
    """

    name: str
    api_url: str
    server_url: str
    repository: str
    repository_id: int
    run: int
    attempt: int
    source_run: int = 0
    number: int = 0
    fork: str = ""


def read(environ: Mapping[str, str]) -> Event:
    """Raises `UsageError` that names what is missing."""
    payload = _payload(_needed(environ, "GITHUB_EVENT_PATH"))
    repository_id = _int(dig(payload, "repository", "id"))
    name = _needed(environ, "GITHUB_EVENT_NAME")
    ours = name == "pull_request"
    head = dig(payload, "pull_request", "head", "repo")
    return Event(
        name=name,
        api_url=_needed(environ, "GITHUB_API_URL"),
        server_url=_server(_needed(environ, "GITHUB_SERVER_URL")),
        repository=_needed(environ, "GITHUB_REPOSITORY"),
        repository_id=repository_id,
        run=_id(environ, "GITHUB_RUN_ID"),
        attempt=_id(environ, "GITHUB_RUN_ATTEMPT"),
        source_run=_int(dig(payload, "workflow_run", "id")) if name == "workflow_run" else 0,
        number=_int(dig(payload, "pull_request", "number")) if ours else 0,
        fork=foreign(head, repository_id) if ours else "",
    )


def foreign(repository: object, ours: int) -> str:
    """The name of a head's repository if it is not `ours`, `?` if it is gone, else ""."""
    if _int(dig(repository, "id")) == ours:
        return ""
    return str(dig(repository, "full_name") or "?")


def dig(found: object, *names: str) -> Any:
    """`found[names[0]][names[1]]…`, or None where something is missing or of another kind."""
    for name in names:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _needed(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise UsageError(f"{name} is not set; GitHub Actions sets it, and `gotrace comment` runs there")
    return value


def _id(environ: Mapping[str, str], name: str) -> int:
    value = _needed(environ, name)
    if not re.fullmatch(r"[0-9]{1,19}", value):
        raise UsageError(f"{name}: found {value[:80]!r}, expected a number")
    return int(value)


def _server(url: str) -> str:
    """Links are made of it, so it is a plain address."""
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", url) or not urlsplit(url).hostname:
        raise UsageError(f"GITHUB_SERVER_URL: found {url[:80]!r}, expected such as https://github.com")
    return url


def _payload(path: str) -> dict[str, Any]:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST + 1)
        found = json.loads(data.decode("utf-8")) if len(data) <= _MOST else None
    except OSError as error:
        raise UsageError(f"{path}: cannot read the event: {error.strerror}") from error
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"{path}: this is no event of GitHub")
    return found
