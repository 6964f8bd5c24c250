"""The comment and the page as a browser shows them: GitHub's Markdown, the real Mermaid, a real Chromium."""

from __future__ import annotations

import pytest
import sample_reports as samples

from docs import mermaid, screenshots
from docs.chromium import chromium
from pytest_gotrace.render import render_summary


def test_charts_are_drawn(visit):
    """Chromium opens the comment without a complaint, asks for nothing but Mermaid, and draws each chart."""
    page = visit(screenshots.comment(samples.REGRESSION), mermaid.script().as_uri(), color_scheme="dark")
    screenshots.draw_charts(page)
    drawn = page.locator(".mermaid svg").all_text_contents()
    assert len(drawn) == render_summary(samples.REGRESSION).count("```mermaid") > 0
    assert all("region[db]" in chart for chart in drawn)


@pytest.mark.parametrize("shot", screenshots.SHOTS, ids=lambda shot: shot.name)
def test_two_pictures_of_each(shot, browser, tmp_path):
    """Each is taken on light and on dark paper, and they differ."""
    screenshots.shoot(browser, shot, samples.REGRESSION, tmp_path)
    light, dark = (tmp_path / f"{shot.name}-{scheme}.png" for scheme in ("light", "dark"))
    assert light.read_bytes() != dark.read_bytes()
    assert min(path.stat().st_size for path in (light, dark)) > 10_000


def test_without_a_browser(monkeypatch, tmp_path):
    """Where no Chromium is found, what to install is said: no test is skipped for it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(FileNotFoundError, match=r"`make browser` installs it .*chromium"), chromium():
        pass
