"""Pictures of what a reader sees, light and dark: `python -m docs.screenshots [report.json]`.

The comment is rendered by GitHub's own Markdown parser, its charts by the real Mermaid, with colours like GitHub's.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
import tempfile
from pathlib import Path

from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

from docs import mermaid
from docs.browser import Browser
from pytest_gotrace.render import render_summary
from pytest_gotrace.report import Report
from pytest_gotrace.report_json import read_report

PICTURES = Path(__file__).parent / "pictures"

#: The first screen and the picture of the worst row, in pixels.
_WIDTH, _HEIGHT = 1040, 1290

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


def page(markdown: str) -> str:
    """A document that shows a comment as GitHub does; what is folded stays so, but for the pictures."""
    body = github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
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


def shoot(report: Report, directory: Path) -> None:
    """Write `comment-light.png` and `comment-dark.png`."""
    with tempfile.TemporaryDirectory() as scratch, Browser() as browser:
        path = Path(scratch) / "comment.html"
        path.write_text(page(render_summary(report)), encoding="utf-8")
        for scheme, theme in (("light", "default"), ("dark", "dark")):
            shown = browser.open(path, width=_WIDTH, dark=scheme == "dark")
            shown.evaluate(f"mermaid.initialize({{startOnLoad: false, theme: '{theme}'}}); mermaid.run()")
            shown.screenshot(directory / f"comment-{scheme}.png", most=_HEIGHT)


def main() -> int:
    """Shoot the report that was named, or the invented one of the tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "report", type=Path, nargs="?", help="a report.json; without it, the one of the tests"
    )
    parser.add_argument("--to", type=Path, default=PICTURES, help="where the pictures go")
    asked = parser.parse_args()
    if asked.report:
        report = read_report(asked.report)
    else:
        sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
        from sample_reports import REGRESSION as report
    shoot(report, asked.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
