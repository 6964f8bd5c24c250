"""Pictures of the HTML report, on light and on dark paper: `make screenshots`, or with `REPORT=report.json`.

Written to `docs/pictures/report-light.png` and `report-dark.png`; without a report, of an invented one.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from chromium import chromium
from sample_html import rich

from pytest_gotrace.page import render_page
from pytest_gotrace.report_json import read_report

PICTURES = Path(__file__).parent / "pictures"
SIZE = {"width": 1200, "height": 1680}


def main() -> None:
    """Two pictures of the top of the page, with the figures of the first row open."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, nargs="?")
    asked = parser.parse_args()
    report = read_report(asked.report) if asked.report else rich(10)
    with tempfile.TemporaryDirectory() as directory, chromium() as browser:
        file = Path(directory) / "report.html"
        file.write_text(render_page(report), encoding="utf-8", newline="\n")
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=SIZE, color_scheme=scheme)
            page.goto(file.as_uri())
            page.locator("button.open").first.click()
            page.locator("tr.detail [data-ready]").first.wait_for()
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=PICTURES / f"report-{scheme}.png")
            page.close()


if __name__ == "__main__":
    main()
