"""GitHub's REST API, as far as a comment needs it: the only module that knows github3.py.

github3.py gives the session, the pages and the calls that edit and delete. Its models are not used: they stop at a
comment whose author is gone. How requests get there is `githubtransport`.

What goes wrong is one of three errors: `GitHubPermissionError`, `GitHubLimitedError`, `GitHubUnavailableError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from github3.exceptions import GitHubException
from github3.issues.comment import IssueComment
from github3.session import GitHubSession
from github3.structs import GitHubIterator

from pytest_gotrace import escape
from pytest_gotrace.errors import (
    GitHubError,
    GitHubLimitedError,
    GitHubPermissionError,
    GitHubUnavailableError,
    UsageError,
)
from pytest_gotrace.githubtransport import TIMEOUTS, Adapter, Clock, Origin, Token, fetch, is_limit

_MESSAGE = 200

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "pytest-gotrace",
}

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as the API shows it; `author` is "" where the account is gone."""

    id: int
    author: str
    body: str
    url: str
    created: str


class _Handle(IssueComment):  # type: ignore[misc]  # github3 has no types
    """A comment to edit or delete, known by its address alone: models of github3 ask for fields that may be missing."""

    def _update_attributes(self, comment: Mapping[str, Any]) -> None:
        if "address" in comment:
            self._api = comment["address"]


class GitHub:
    """One repository of one server, seen with one token."""

    def __init__(
        self,
        origin: Origin,
        repository: str,
        token: Token,
        *,
        clock: Clock | None = None,
        timeouts: tuple[float, float] = TIMEOUTS,
    ) -> None:
        if not _REPOSITORY.fullmatch(repository) or {".", ".."} & set(repository.split("/")):
            raise UsageError(f"GITHUB_REPOSITORY: found {repository!r}, expected owner/name")
        self._origin, self._repository, self._token = origin, repository, token
        self._clock, self._timeouts = clock or Clock(), timeouts
        self._session = GitHubSession()
        self._session.base_url = origin.url
        self._session.auth = token
        self._session.headers.update(_HEADERS)
        adapter = Adapter(origin, self._clock, timeouts)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def __repr__(self) -> str:
        return f"GitHub({self._origin.url}, {self._repository})"

    def get(self, *path: str | int) -> dict[str, Any]:
        """One object below the repository."""
        return self._object("GET", self._url(*path), 200)

    def pages(
        self, *path: str | int, key: str | None = None, **parameters: str | int
    ) -> Iterator[dict[str, Any]]:
        """Every object of every page below the repository; `key` is where a page keeps its list."""
        asked = {"per_page": 100, **parameters}
        with self._translated():
            yield from GitHubIterator(-1, self._url(*path), dict, self._session, asked, list_key=key)

    def comments(self, number: int, *, since: str | None = None) -> Iterator[Comment]:
        """The comments of an issue or pull request, oldest first; those changed after `since` if it is given."""
        asked = {"since": since} if since else {}
        for found in self.pages("issues", number, "comments", **asked):
            yield _comment(found)

    def create_comment(self, number: int, body: str) -> Comment:
        """A new comment. An error that is `unclear` may have made it: list before you try again."""
        url = self._url("issues", number, "comments")
        return _comment(self._object("POST", url, 201, json={"body": body}))

    def edit_comment(self, comment: Comment, body: str) -> None:
        """Another body for a comment."""
        with self._translated():
            if not self._handle(comment).edit(body):
                raise GitHubUnavailableError("GitHub did not edit the comment")

    def delete_comment(self, comment: Comment) -> None:
        """No comment any more, also if somebody else deleted it."""
        with self._translated():
            self._handle(comment).delete()

    def login(self) -> str:
        """Whom the token belongs to; "" for a token of Actions or of an app, which may not ask."""
        try:
            return str(self._object("GET", f"{self._origin.url}/user", 200).get("login", ""))
        except GitHubPermissionError:
            return ""

    def download(self, *path: str | int, limit: int) -> bytes:
        """At most `limit` bytes from where the API points to, asked for without the token.

        Raises `GitHubUnavailableError` if there are more, or if it points to something that is not https.
        """
        answer = self._ask("GET", self._url(*path), 302, allow_redirects=False)
        with self._translated():
            return fetch(
                answer.headers.get("Location", ""),
                limit,
                local=self._origin.local,
                clock=self._clock,
                timeouts=self._timeouts,
            )

    def _url(self, *path: str | int) -> str:
        return "/".join([self._origin.url, "repos", self._repository, *map(str, path)])

    def _handle(self, comment: Comment) -> _Handle:
        return _Handle({"address": self._url("issues", "comments", comment.id)}, self._session)

    def _ask(self, method: str, url: str, expected: int, **what: Any) -> requests.Response:
        with self._translated(method):
            answer: requests.Response = self._session.request(method, url, **what)
        if answer.status_code != expected:
            raise self._error(answer)
        return answer

    def _object(self, method: str, url: str, expected: int, **what: Any) -> dict[str, Any]:
        answer = self._ask(method, url, expected, **what)
        with self._translated(method):
            found = answer.json()
        if not isinstance(found, dict):
            raise GitHubUnavailableError("GitHub answered with something else than expected")
        return found

    @contextmanager
    def _translated(self, method: str = "") -> Iterator[None]:
        """Errors of the libraries as ours; they hold the request with its token, so none is chained."""
        unclear = method == "POST"
        try:
            yield
        except GitHubError:
            raise
        except GitHubException as error:
            answer = getattr(error, "response", None)
            if answer is not None:
                raise self._error(answer) from None
            raise GitHubUnavailableError("GitHub did not answer", unclear=unclear) from None
        except requests.JSONDecodeError:
            raise GitHubUnavailableError("GitHub's answer is not JSON", unclear=unclear) from None
        except requests.RequestException as error:
            name = type(error).__name__
            raise GitHubUnavailableError(f"GitHub did not answer: {name}", unclear=unclear) from None
        except (TypeError, ValueError, AttributeError):
            raise GitHubUnavailableError("GitHub answered with something else than expected") from None

    def _error(self, answer: requests.Response) -> GitHubError:
        status = answer.status_code
        said = f"GitHub answered {status}{self._said(answer)}"
        if is_limit(answer):
            return GitHubLimitedError(f"{said}; too many requests for now", status)
        if status in (401, 403, 404):
            return GitHubPermissionError(f"{said}; look at the `permissions` of the job", status)
        unclear = answer.request.method == "POST" and not 400 <= status < 500
        return GitHubUnavailableError(said, status, unclear=unclear)

    def _said(self, answer: requests.Response) -> str:
        try:
            message = answer.json()["message"]
        except (ValueError, KeyError, TypeError):
            return ""
        shown = escape.visible(self._token.hidden(str(message)))
        return f": {escape.shorten(shown, _MESSAGE)}"


def _comment(found: Mapping[str, Any]) -> Comment:
    """Raises `GitHubUnavailableError` if even the ID is missing."""
    try:
        user = found.get("user") or {}
        return Comment(
            id=int(found["id"]),
            author=str(user.get("login") or ""),
            body=str(found.get("body") or ""),
            url=str(found.get("html_url") or ""),
            created=str(found.get("created_at") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise GitHubUnavailableError("GitHub showed a comment that is none") from None
