"""A headless Chromium for pictures and tests of pages: no library, only its DevTools protocol over two pipes.

with Browser() as browser:
    page = browser.open(Path("report.html"), dark=True)
    page.evaluate("document.querySelector('details').open = true")
    page.screenshot(Path("report-dark.png"))
    assert not page.complaints and not page.requests
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

#: As root Chromium has no sandbox; containers often have little shared memory.
_ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-first-run", "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe"),
    *("--allow-file-access-from-files", "--font-render-hinting=none"),
)

#: Seconds without a word after which the browser is taken for dead.
_PATIENCE = 60


class BrowserError(Exception):
    """There is no browser, or it did not do what it was asked to."""


def found() -> str | None:
    """The Chromium on PATH, if there is one."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Browser:
    """One browser with a profile of its own, for a `with` block. Raises `BrowserError` where there is none."""

    def __enter__(self) -> Browser:
        program = found()
        if program is None:
            raise BrowserError(f"no browser on PATH ({', '.join(_NAMES)}); apt-get install chromium")
        self._profile = tempfile.TemporaryDirectory(prefix="gotrace-browser-", ignore_cleanup_errors=True)
        theirs_in, self._out = (_high(end) for end in os.pipe())
        self._in, theirs_out = (_high(end) for end in os.pipe())
        self._process = subprocess.Popen(
            [program, *_ARGUMENTS, f"--user-data-dir={self._profile.name}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # The protocol is spoken on descriptors 3 and 4.
            preexec_fn=lambda: (os.dup2(theirs_in, 3), os.dup2(theirs_out, 4), None)[2],
            pass_fds=(3, 4),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._rest, self._number, self._pages = b"", 0, {}
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._profile.cleanup()

    def open(self, path: Path, *, width: int = 1000, height: int = 800, dark: bool = False) -> Page:
        """A file in a window of that size (CSS pixels), with the reader's colours, once everything is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        self._pages[session] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        page.call("Page.navigate", url=path.resolve().as_uri())
        while "Page.loadEventFired" not in page.events:
            self._hear()
        return page

    def call(self, method: str, session: str = "", **parameters: object) -> dict[str, Any]:
        """The result of one command. Raises `BrowserError` for what the browser refuses."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._hear()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error'].get('message')}")
                return answer["result"]

    def _hear(self) -> dict[str, Any]:
        """The next message; events go to their page."""
        while b"\0" not in self._rest:
            self._rest += self._read()
        text, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(text)
        page = self._pages.get(message.get("sessionId", ""))
        if page and "method" in message:
            page.hear(message["method"], message["params"])
        return message

    def _read(self) -> bytes:
        import select

        ready, _, _ = select.select([self._in], [], [], _PATIENCE)
        data = os.read(self._in, 1 << 20) if ready else b""
        if not data:
            raise BrowserError("the browser does not answer any more")
        return data


class Page:
    """One open page. `complaints` are errors that it logged, `requests` all that it asked for besides itself."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session
        self.events: set[str] = set()
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, script: str) -> Any:
        """The value of an expression, awaited if it is a promise. Raises `BrowserError` for what it throws."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(_thrown(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, path: Path, *, most: int = 4000) -> None:
        """The page from its top to its end as a PNG, or `most` pixels of it."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most), "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def hear(self, method: str, about: dict[str, Any]) -> None:
        """One event of the browser about this page."""
        self.events.add(method)
        self.complaints += _complaints(method, about)
        if method == "Network.requestWillBeSent" and about["request"]["url"] != about["documentURL"]:
            self.requests.append(about["request"]["url"])


def _complaints(method: str, about: dict[str, Any]) -> Iterator[str]:
    if method == "Runtime.exceptionThrown":
        yield _thrown(about["exceptionDetails"])
    elif method == "Log.entryAdded" and about["entry"]["level"] == "error":
        yield about["entry"]["text"]
    elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
        yield " ".join(str(value.get("value", value.get("description"))) for value in about["args"])


def _thrown(details: dict[str, Any]) -> str:
    return str(details.get("exception", {}).get("description") or details["text"])


def _high(end: int) -> int:
    """The same end of a pipe under a number that 3 and 4 cannot collide with."""
    high = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(end)
    return high
