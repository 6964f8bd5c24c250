"""What GitHub says about this run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from action.refused import ActionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`name` is what started the run, `sha` the commit it is for, `payload` GitHub's own description of it."""

    name: str
    sha: str = ""
    ref: str = ""
    base_ref: str = ""
    payload: Mapping[str, Any]

    @property
    def is_pull_request(self) -> bool:
        return self.name == "pull_request"

    @property
    def tag(self) -> str:
        """The tag that was pushed or released, "" if it is none."""
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else ""


def read(environ: Mapping[str, str]) -> Event:
    """The event of this run. Raises `ActionError` where its file is none."""
    name = environ.get("GITHUB_EVENT_NAME", "")
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        payload = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError) as error:
        raise ActionError(f"the event file {path} cannot be read: {error}") from error
    return Event(
        name=name,
        sha=environ.get("GITHUB_SHA", ""),
        ref=environ.get("GITHUB_REF", ""),
        base_ref=environ.get("GITHUB_BASE_REF", ""),
        payload=payload if isinstance(payload, dict) else {},
    )
