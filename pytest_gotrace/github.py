"""GitHub's REST API, as far as a comment needs it: the only module that knows github3.py.

github3.py gives the session, the pages and the calls that edit and delete. Its models are not used: they stop at a
comment whose author is gone. Every request passes one adapter, which

* refuses every address outside the API before a byte has left, whoever gave it (`Link`, a redirect, a body);
* gives up on a silent server, and repeats what may be repeated: reading, editing and deleting after 502, 503, 429, 403
  with `Retry-After` and lost connections, creating only when a limit refused it;
* keeps writes a second apart and waits no more than `PATIENCE` seconds in all.

What goes wrong is one of three errors: `GitHubPermissionError`, `GitHubLimitedError`, `GitHubUnavailableError`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import requests
from github3.exceptions import GitHubException
from github3.issues.comment import IssueComment
from github3.session import GitHubSession
from github3.structs import GitHubIterator
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from pytest_gotrace import escape
from pytest_gotrace.errors import (
    GitHubError,
    GitHubLimitedError,
    GitHubPermissionError,
    GitHubUnavailableError,
    UsageError,
)

#: Seconds that all waiting together may take; GitHub's own limits often last longer.
PATIENCE = 120.0

#: Seconds to connect, and between two bytes.
TIMEOUTS = (4.0, 10.0)

#: Requests after which something goes round in circles: 100 comments a page make 40,000.
MOST_REQUESTS = 400

_ATTEMPTS = 4
_BETWEEN_WRITES = 1.0
_LIMIT_WITHOUT_TIME = 60.0
_DOWNLOAD_SECONDS = 60.0
_MESSAGE = 200

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "pytest-gotrace",
}

_REPEATED = frozenset({"GET", "PATCH", "DELETE"})
_BROKEN = frozenset({502, 503})
#: Redirects after which a request is made again as it was; others make it a GET.
_SAME_METHOD = frozenset({307, 308})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time, to be passed in: `steady` never jumps, `wall` is seconds since 1970, as in `x-ratelimit-reset`."""

    steady: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class Token(AuthBase):
    """What opens the door. It shows itself to a request and to nobody else."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", text):
            raise UsageError("the token is empty or holds a character that no token has")
        self._text = text

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._text}"
        return request

    def __repr__(self) -> str:
        return "Token(***)"

    def hidden(self, text: str) -> str:
        """`text` without the token, should a server have put it there."""
        return text.replace(self._text, "***")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as the API shows it; `author` is "" where the account is gone."""

    id: int
    author: str
    body: str
    url: str
    created: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The one place that may see the token: GITHUB_API_URL as given, a path such as `/api/v3` included.

    Raises `UsageError` for anything but https; plain http is for a server on this machine.
    """

    url: str

    def __post_init__(self) -> None:
        if not _is_safe(self.url, local=True) or self.url.endswith("/") or urlsplit(self.url).query:
            raise UsageError(f"GITHUB_API_URL: found {self.url!r}, expected such as https://api.github.com")

    @property
    def local(self) -> bool:
        """Whether it is a server on this machine."""
        return urlsplit(self.url).hostname in _LOOPBACK

    def holds(self, url: str) -> bool:
        """Whether the address lies inside."""
        ours, asked = urlsplit(self.url), urlsplit(url)
        same = (asked.scheme, asked.netloc.lower()) == (ours.scheme, ours.netloc.lower())
        return (
            same
            and f"{asked.path}/".startswith(f"{ours.path}/")
            and not {"\\", ".."} & {*url, *url.split("/")}
        )


def _is_safe(url: str, *, local: bool) -> bool:
    parts = urlsplit(url)
    known = parts.scheme == "https" or (local and parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return known and bool(parts.hostname) and "@" not in parts.netloc and "\\" not in url


class _Adapter(HTTPAdapter):
    """What every request with the token goes through."""

    def __init__(self, origin: Origin, clock: Clock, timeouts: tuple[float, float]) -> None:
        super().__init__(max_retries=0)
        self._origin, self._clock, self._timeouts = origin, clock, timeouts
        self._waited = 0.0
        self._sent = 0
        self._written = -_BETWEEN_WRITES

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        """The last answer, whatever it is; raises what requests raises where there is none."""
        if not self._origin.holds(request.url or ""):
            raise GitHubUnavailableError(
                "GitHub's API pointed to an address outside itself; nothing was sent"
            )
        for attempt in count(1):
            answer, error = self._try(request, *args, **how)
            pause = None if attempt == _ATTEMPTS else self._pause(request.method or "", answer, attempt)
            if pause is None or self._waited + pause > PATIENCE:
                break
            self._waited += pause
            self._clock.sleep(pause)
        if error is not None:
            raise error
        assert answer is not None
        return answer

    def _try(
        self, request: requests.PreparedRequest, *args: Any, **how: Any
    ) -> tuple[requests.Response | None, requests.RequestException | None]:
        self._sent += 1
        if self._sent > MOST_REQUESTS:
            raise GitHubUnavailableError(f"stopped after {MOST_REQUESTS} requests: too much to read")
        self._pace(request.method or "")
        try:
            answer = super().send(request, *args, **how | {"timeout": self._timeouts})
            _ = answer.content  # a body that ends too early is a lost connection too
        except requests.RequestException as error:
            return None, error
        if answer.is_redirect and request.method != "GET" and answer.status_code not in _SAME_METHOD:
            raise GitHubUnavailableError("GitHub moved what was to be changed; nothing was changed")
        return answer, None

    def _pace(self, method: str) -> None:
        if method == "GET":
            return
        early = self._written + _BETWEEN_WRITES - self._clock.steady()
        if early > 0:
            self._clock.sleep(early)
        self._written = self._clock.steady()

    def _pause(self, method: str, answer: requests.Response | None, attempt: int) -> float | None:
        """Seconds until it may be tried again; None if it may not."""
        if answer is not None and _is_limit(answer):
            return _limit_ends(answer.headers, self._clock.wall(), attempt)
        lost = answer is None or answer.status_code in _BROKEN
        return 2.0 ** (attempt - 1) if lost and method in _REPEATED else None


def _is_limit(answer: requests.Response) -> bool:
    told = "Retry-After" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    return answer.status_code == 429 or (answer.status_code == 403 and told)


def _limit_ends(headers: Mapping[str, str], now: float, attempt: int) -> float:
    """GitHub: obey `Retry-After`, else the reset of the rate, else wait a minute and then ever longer."""
    if re.fullmatch(r"\d{1,9}", after := headers.get("Retry-After", "")):
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(r"\d{1,12}", reset):
        return max(1.0, float(reset) - now)
    return float(_LIMIT_WITHOUT_TIME * 2 ** (attempt - 1))


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
        adapter = _Adapter(origin, self._clock, timeouts)
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
        address = answer.headers.get("Location", "")
        if not _is_safe(address, local=self._origin.local):
            raise GitHubUnavailableError(
                "GitHub pointed to a download that is not https; it was not followed"
            )
        with self._translated():
            return self._fetch(address, limit)

    def _fetch(self, address: str, limit: int) -> bytes:
        until, data = self._clock.steady() + _DOWNLOAD_SECONDS, bytearray()
        with requests.Session() as stranger:
            # With an `auth` that does nothing no `.netrc` is looked into.
            answer = stranger.get(
                address,
                auth=lambda request: request,
                headers={"Accept-Encoding": "identity", "User-Agent": "pytest-gotrace"},
                allow_redirects=False,
                stream=True,
                timeout=self._timeouts,
            )
            if answer.status_code != 200:
                raise GitHubUnavailableError(f"the download was answered with {answer.status_code}")
            for chunk in answer.iter_content(2**16):
                data += chunk
                if len(data) > limit:
                    raise GitHubUnavailableError(f"the download is larger than {limit} bytes")
                if self._clock.steady() > until:
                    raise GitHubUnavailableError(f"the download took more than {_DOWNLOAD_SECONDS:.0f} s")
        return bytes(data)

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
        if _is_limit(answer):
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
