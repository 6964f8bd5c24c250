"""The real browser for pictures and tests of pages: the system's Chromium, driven by Playwright; nothing is downloaded.

with chromium() as browser:
    page = browser.new_page(color_scheme="dark")
    page.goto(Path("report.html").as_uri())
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str:
    """Where Chromium is. Raises `FileNotFoundError` with what to do where there is none: who needs it fails."""
    found = next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *_NAMES))), None)
    if found is None:
        raise FileNotFoundError(
            "Chromium is missing: `make browser` installs it (Debian: apt-get install chromium); "
            "$CHROMIUM names one that is elsewhere"
        )
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser. Its own sandbox does not work for root, and containers often have little shared memory."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])],
        )
        try:
            yield browser
        finally:
            browser.close()
