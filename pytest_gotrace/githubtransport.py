"""How a request reaches GitHub: to one place alone, with the token, with patience, and never too many.

Every request with the token passes one adapter, which

* refuses every address outside the API before a byte has left, whoever gave it (`Link`, a redirect, a body);
* gives up on a silent server, and repeats what may be repeated: reading, editing and deleting after 502, 503, 429, 403
  with `Retry-After` and lost connections, creating only when a limit refused it;
* keeps writes a second apart and waits no more than `PATIENCE` seconds in all.

A download lies elsewhere, and is asked for without it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from pytest_gotrace.errors import GitHubUnavailableError, UsageError

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

_REPEATED = frozenset({"GET", "PATCH", "DELETE"})
_BROKEN = frozenset({502, 503})
#: Redirects after which a request is made again as it was; others make it a GET.
_SAME_METHOD = frozenset({307, 308})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


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


class Adapter(HTTPAdapter):
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
        if answer is not None and is_limit(answer):
            return _limit_ends(answer.headers, self._clock.wall(), attempt)
        lost = answer is None or answer.status_code in _BROKEN
        return 2.0 ** (attempt - 1) if lost and method in _REPEATED else None


def is_limit(answer: requests.Response) -> bool:
    """Whether GitHub refused because of too many requests."""
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


def fetch(address: str, limit: int, *, local: bool, clock: Clock, timeouts: tuple[float, float]) -> bytes:
    """At most `limit` bytes from another place than the API, asked for as a stranger: without the token.

    Raises `GitHubUnavailableError` if there are more, if they take too long, or if it is not https; plain http is for
    what is `local`.
    """
    if not _is_safe(address, local=local):
        raise GitHubUnavailableError("GitHub pointed to a download that is not https; it was not followed")
    until, data = clock.steady() + _DOWNLOAD_SECONDS, bytearray()
    with requests.Session() as stranger:
        # With an `auth` that does nothing no `.netrc` is looked into.
        answer = stranger.get(
            address,
            auth=lambda request: request,
            headers={"Accept-Encoding": "identity", "User-Agent": "pytest-gotrace"},
            allow_redirects=False,
            stream=True,
            timeout=timeouts,
        )
        if answer.status_code != 200:
            raise GitHubUnavailableError(f"the download was answered with {answer.status_code}")
        for chunk in answer.iter_content(2**16):
            data += chunk
            if len(data) > limit:
                raise GitHubUnavailableError(f"the download is larger than {limit} bytes")
            if clock.steady() > until:
                raise GitHubUnavailableError(f"the download took more than {_DOWNLOAD_SECONDS:.0f} s")
    return bytes(data)
