"""Pictures of what a reader sees, on light and on dark paper: `make screenshots`, or with `REPORT=report.json`.

The comment is rendered by GitHub's own Markdown parser, its charts by the real Mermaid, with colours like GitHub's. Of
the page there are two: the verdict with the first why and its figures, and the table with the first row open. Without
a report all are of an invented one.
"""

from __future__ import annotations

import argparse
import html
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options
from playwright.sync_api import Browser, Page

from docs import mermaid
from docs.chromium import chromium
from pytest_gotrace.page import render_page
from pytest_gotrace.render import render_summary
from pytest_gotrace.report import Report
from pytest_gotrace.report_json import read_report

PICTURES = Path(__file__).parent / "pictures"

_STYLE = """
:root { --paper:#fff; --ink:#1f2328; --soft:#59636e; --line:#d1d9e0; --head:#f6f8fa; --code:#818b981f; }
@media (prefers-color-scheme: dark) {
  :root { --paper:#0d1117; --ink:#f0f6fc; --soft:#9198a1; --line:#3d444d; --head:#151b23; --code:#656c7633; }
}
* { box-sizing:border-box }
body { margin:0; padding:16px; background:var(--paper); color:var(--ink);
  font:14px/1.5 "Liberation Sans",Arimo,"Noto Sans",system-ui,sans-serif }
article { border:1px solid var(--line); border-radius:6px; overflow:hidden }
header { padding:8px 16px; background:var(--head); border-bottom:1px solid var(--line); color:var(--soft) }
header b { color:var(--ink) }
main { padding:16px }
h3 { margin:0 0 16px; font-size:1.25em; line-height:1.25 }
p, ul, table, pre { margin:0 0 16px }
ul { padding-left:2em }
table { border-collapse:collapse; display:block; overflow:auto }
th, td { padding:6px 13px; border:1px solid var(--line) }
tr:nth-child(2n) { background:var(--head) }
code, pre { font:12px/1.45 "Liberation Mono","DejaVu Sans Mono",monospace }
code { padding:.2em .4em; border-radius:6px; background:var(--code); white-space:break-spaces }
pre { padding:16px; border-radius:6px; background:var(--head); overflow:auto }
pre code { padding:0; background:none; white-space:pre }
pre.mermaid { padding:0; background:none; text-align:center }
details > summary { cursor:pointer; margin-bottom:8px }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What is shown, how it is made ready to be looked at, its width in pixels, and what is taken of it.

    That is from the top of the element `first` to the end of `last`, both CSS selectors: so none ends within a figure.
    """

    name: str
    document: Callable[[Report], str]
    prepare: Callable[[Page], None]
    width: int
    first: str
    last: str


def comment(report: Report) -> str:
    """A document that shows the comment as GitHub does; what is folded stays so, but for the pictures."""
    body = github_flavored_markdown_to_html(render_summary(report), Options.CMARK_OPT_UNSAFE)
    body = re.sub(
        r'<pre lang="mermaid"><code>(.*?)</code></pre>', r'<pre class="mermaid">\1</pre>', body, flags=re.S
    )
    body = body.replace("<details><summary>Distributions", "<details open><summary>Distributions")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>A comment</title>'
        f"<style>{_STYLE}</style><article><header><b>gotrace</b> commented</header><main>{body}</main></article>"
        f'<script src="{html.escape(mermaid.script().as_uri())}"></script>'
        "<script>mermaid.initialize({startOnLoad: false})</script>"
    )


def draw_charts(page: Page) -> None:
    """Have Mermaid draw each chart of a comment in the reader's colours, as GitHub does."""
    page.evaluate(
        """() => {
        const dark = matchMedia("(prefers-color-scheme: dark)").matches;
        mermaid.initialize({ startOnLoad: false, theme: dark ? "dark" : "default" });
        return mermaid.run();
    }"""
    )


def _open_first_why(page: Page) -> None:
    page.locator(".case .pictures > summary").first.click()
    page.locator(".case [data-ready]").first.wait_for()


def _open_first_row(page: Page) -> None:
    page.locator("button.open").first.click()
    page.locator("tr.detail [data-ready]").first.wait_for()


SHOTS = (
    Shot(name="comment", document=comment, prepare=draw_charts, width=1040, first="body", last="article"),
    Shot(
        name="report", document=render_page, prepare=_open_first_why, width=1200, first="body", last=".case"
    ),
    Shot(
        name="metrics",
        document=render_page,
        prepare=_open_first_row,
        width=1200,
        first="#metrics",
        last="#metrics",
    ),
)

#: Paper above and below what is taken, in pixels, where there is any.
_MARGIN = 16


def shoot(browser: Browser, shot: Shot, report: Report, directory: Path) -> None:
    """Write `NAME-light.png` and `NAME-dark.png`."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / f"{shot.name}.html"
        file.write_text(shot.document(report), encoding="utf-8", newline="\n")
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": shot.width, "height": 900}, color_scheme=scheme)
            page.goto(file.as_uri())
            shot.prepare(page)
            page.mouse.move(0, 0)
            page.evaluate("(document.activeElement.blur(), scrollTo(0, 0))")
            top, _ = _ends(page, shot.first)
            _, bottom = _ends(page, shot.last)
            clip = {"x": 0, "y": top, "width": shot.width, "height": bottom - top}
            page.screenshot(path=directory / f"{shot.name}-{scheme}.png", clip=clip, full_page=True)
            page.close()


def _ends(page: Page, selector: str) -> tuple[float, float]:
    """Top and bottom of the first such element with its margin, from the top of the page."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return max(box["y"] - _MARGIN, 0), box["y"] + box["height"] + _MARGIN


def main() -> None:
    """Shoot the report that was named, or the invented one of the tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, nargs="?", help="a report.json; without it, an invented one")
    parser.add_argument("--to", type=Path, default=PICTURES, help="where the pictures go")
    asked = parser.parse_args()
    report = read_report(asked.report) if asked.report else _invented()
    with chromium() as browser:
        for shot in SHOTS:
            shoot(browser, shot, report, asked.to)


def _invented() -> Report:
    from sample_html import rich

    return rich(10)


if __name__ == "__main__":
    main()
