"""How large the HTML report is and how soon it opens: `make bench-html`, or with BENCHMARKS and METRICS as arguments.

Opened from the disk in a real Chromium, as from an artifact. Promised are at most 5 MB and 2 s for 50 benchmarks with
10 metrics each, all with their runs and quantiles; the exit code is 1 where that is not kept. Figures are unpacked when
the first one is opened, which is timed beside it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser
from sample_html import rich

from docs.chromium import chromium
from pytest_gotrace.page import render_page

PROMISED_MB, PROMISED_SECONDS = 5.0, 2.0
REPEATS = 5


def opening(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds until the page is there, and until the figures of its first row are."""
    page = browser.new_page()
    began = time.perf_counter()
    page.goto(address)
    there = time.perf_counter()
    page.locator("button.open").first.click()
    page.locator("tr.detail [data-ready]").first.wait_for()
    drawn = time.perf_counter()
    page.close()
    return there - began, drawn - there


def main() -> int:
    """Print size and times, and answer whether the promise is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmarks", type=int, nargs="?", default=50)
    parser.add_argument("metrics", type=int, nargs="?", default=10)
    asked = parser.parse_args()
    report = rich(asked.benchmarks, asked.metrics)
    began = time.perf_counter()
    text = render_page(report)
    rendering = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as directory, chromium() as browser:
        file = Path(directory) / "report.html"
        file.write_text(text, encoding="utf-8", newline="\n")
        times = [opening(browser, file.as_uri()) for _ in range(REPEATS)]
    size, (page, figures) = len(text.encode()) / 1e6, map(min, zip(*times, strict=True))
    print(
        f"{asked.benchmarks} benchmarks x {asked.metrics} metrics: {size:.2f} MB, written in {rendering:.1f} s"
    )
    print(f"best of {REPEATS}: the page in {page:.2f} s, the first figures {figures:.2f} s after a click")
    kept = size <= PROMISED_MB and page < PROMISED_SECONDS
    print(
        f"demanded: at most {PROMISED_MB:.0f} MB, in under {PROMISED_SECONDS:.0f} s; {'kept' if kept else 'MISSED'}"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
