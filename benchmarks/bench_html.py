"""How large the HTML report is and how soon it opens: `make bench-html`, or with BENCHMARKS and METRICS as arguments.

Opened from the disk in a real Chromium, as from an artifact. Promised are at most 5 MB and 2 s for 50 benchmarks with
10 metrics each, all with their runs and quantiles; the exit code is 1 where that is not kept. Timed beside it are the
figures of two rows: plotly is read for the first, unless the pointer came slowly; for the second it is there.
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


def opening(browser: Browser, address: str) -> tuple[float, float, float]:
    """Seconds until the page is there, until the figures of its first row are, and then those of the second."""
    page = browser.new_page()
    began = time.perf_counter()
    page.goto(address)
    times = [time.perf_counter()]
    for row in range(2):
        page.locator("button.open").nth(row).click()
        page.locator("tr.detail [data-ready]").nth(row).wait_for()
        times.append(time.perf_counter())
    page.close()
    there, first, second = times
    return there - began, first - there, second - first


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
    size, (page, first, second) = len(text.encode()) / 1e6, map(min, zip(*times, strict=True))
    print(
        f"{asked.benchmarks} benchmarks x {asked.metrics} metrics: {size:.2f} MB, written in {rendering:.1f} s"
    )
    print(
        f"best of {REPEATS}: the page in {page:.2f} s, the first figures {first:.2f} s after a click, "
        f"the next {second:.2f} s"
    )
    kept = size <= PROMISED_MB and page < PROMISED_SECONDS
    print(
        f"demanded: at most {PROMISED_MB:.0f} MB, in under {PROMISED_SECONDS:.0f} s; {'kept' if kept else 'MISSED'}"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
