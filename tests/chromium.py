"""The real browser for tests of pages, driven by Playwright: the system's Chromium, nothing that is downloaded."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable():
    """Where Chromium is. A test that needs it fails without it."""
    found = next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *_NAMES))), None)
    assert found, (
        "Chromium is missing: `apt-get install chromium` brings it; $CHROMIUM names one that is elsewhere"
    )
    return found


@contextmanager
def chromium():
    """A headless browser. Its own sandbox does not work for root, as in containers."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(),
            args=["--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])],
        )
        try:
            yield browser
        finally:
            browser.close()
