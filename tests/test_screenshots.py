"""The comment as a browser shows it: GitHub's Markdown, the real Mermaid, a real Chromium."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sample_reports as samples

from docs import browser, mermaid, screenshots
from pytest_gotrace.render import render_summary


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pictures_are_there(scheme):
    """Both pictures are PNG files small enough for a page that somebody waits for."""
    data = (screenshots.PICTURES / f"comment-{scheme}.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    assert len(data) < 300_000


def test_charts_are_drawn(tmp_path):
    """Chromium opens the comment without a complaint, asks for nothing but Mermaid, and draws each chart."""
    if missing := mermaid.missing() or ("" if browser.found() else "chromium"):
        pytest.skip(f"needs {missing} on PATH")
    text = render_summary(samples.REGRESSION)
    path = tmp_path / "comment.html"
    path.write_text(screenshots.page(text), encoding="utf-8")
    with browser.Browser() as window:
        page = window.open(path, dark=True)
        page.evaluate("mermaid.run()")
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        drawn = page.evaluate("[...document.querySelectorAll('.mermaid svg')].map(s => s.textContent)")
        page.screenshot(tmp_path / "shot.png")
        with pytest.raises(browser.BrowserError, match="ReferenceError: nothing is not defined"):
            page.evaluate("nothing")
    assert [re.search(r"region\[db\]", chart) is not None for chart in drawn] == [True] * text.count(
        "```mermaid"
    )
    assert (page.complaints, page.requests) == ([], [mermaid.script().as_uri()])
    assert (tmp_path / "shot.png").stat().st_size > 10_000


def test_without_a_browser(monkeypatch):
    """Where no browser is on PATH, what to install is said."""
    monkeypatch.setenv("PATH", str(Path("nowhere")))
    with pytest.raises(browser.BrowserError, match=r"no browser on PATH .*apt-get install chromium"):
        browser.Browser().__enter__()
