"""What the pages in `docs/` say is what the code says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import yaml

from docs import draw
from docs.example import PLAN, SMALL_RENDER, SMALL_TIME, Example
from docs.svg import COLOURS, Axis, Picture
from pytest_gotrace.units import format_change

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "workflows"
PAGES = sorted((ROOT / "docs").glob("*.md"))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def example():
    return Example()


@pytest.mark.parametrize("name", draw.PICTURES_OF)
def test_a_picture_is_what_the_code_draws(name, example):
    """Drawing again gives the very bytes that are in the repository."""
    drawn = draw.PICTURES_OF[name](example).svg()
    assert (draw.PICTURES / f"{name}.svg").read_text(encoding="utf-8") == drawn, "run `make docs`"


def test_every_picture_is_shown():
    """The page shows each picture that is drawn, and no file is left over from one that is not."""
    shown = re.findall(r"\]\(pictures/(.+?)\.svg\)", draw.PAGE.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(draw.PICTURES_OF) == sorted(p.stem for p in draw.PICTURES.glob("*.svg"))


@pytest.mark.parametrize("path", sorted(draw.PICTURES.glob("*.svg")), ids=lambda path: path.stem)
def test_a_picture_can_be_read_by_all(path):
    """Each is well-formed, says in words what it shows, keeps everything inside, and reaches for nothing outside."""
    root = ElementTree.parse(path).getroot()
    width, height = (float(root.get(name)) for name in ("width", "height"))
    assert all(root.findtext(f"{SVG}{name}") for name in ("title", "desc"))
    for text in root.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x")) <= width
        assert 10 <= float(text.get("y")) <= height
    assert "http" not in path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", sorted(set(COLOURS) - {"paper", "line"}))
def test_colours_can_be_read(name, scheme):
    """Text has the contrast of 4.5 that WCAG asks for, on light paper and on dark."""
    lighter, darker = sorted((luminance(COLOURS[n][scheme]) for n in (name, "paper")), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    shares = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_text_is_never_markup():
    """Text that looks like markup is text."""
    picture = Picture(100, 50, "<a>", "&")
    picture.write(1, 20, "<b>")
    root = ElementTree.fromstring(picture.svg())
    assert (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}text")) == ("<a>", "<b>")


def test_axes():
    """The ends of an axis are where they should be, its middle is that of its scale, and nothing leaves it."""
    plain, logs = Axis(0, 10, 100, 200), Axis(1, 100, 0, 50, logs=True)
    assert [plain(v) for v in (0, 5, 10, 11)] == [100, 150, 200, 200]
    assert logs(10) == pytest.approx(25)


def test_the_tables_are_what_the_code_decides(example):
    """The tables of the page are those that its runs give."""
    page = draw.PAGE.read_text(encoding="utf-8")
    assert draw.filled(page, example) == page, "run `make docs`"


def test_the_sentences_are_what_the_code_decides(example):
    """Every number that the page speaks of in a sentence is one that its runs give."""
    page = " ".join(draw.PAGE.read_text(encoding="utf-8").split())
    for fact in facts(example):
        assert fact in page


def facts(example) -> list[str]:
    """What the page says about the example, with the numbers as they are."""
    first, third = example.looks[0], example.looks[2]
    render, time = first.of(SMALL_RENDER), first.of(SMALL_TIME)
    centre, low, high = first.budgets(SMALL_RENDER)
    means, seen = draw.flips(example)
    noise = np.nanstd(first.effects.values, axis=1, ddof=1)
    runs = [
        example.rows[SMALL_TIME][side][pair]
        for pair, side_first in enumerate(example.rows[SMALL_TIME]["first"])
        for side in (side_first, "head" if side_first == "base" else "base")
    ]
    apart = np.mean(runs[20:]) / np.mean(runs[:20]) - 1
    assert {c.decision for c in first.said} == {"within", "over", "inconclusive"}
    assert (render.decision, time.decision, third.of(SMALL_TIME).decision) == (
        "over",
        "inconclusive",
        "within",
    )
    assert 11 * render.p_over > PLAN.level(0)
    ends = " to ".join(map(format_change, (render.change.low, render.change.high)))
    within = sum(c.decision == "within" for c in first.said)
    return [
        f"rendered {example.data['run']['base']['count']:,} times",
        f"“{100 * apart:.0f} % slower”",
        f"is {centre:.2f} budgets ({format_change(render.change.center)})",
        f"here {low:.2f} to {high:.2f} budgets, or {ends}",
        f"bytes vary by {100 * noise[1]:.2f} %, p99 by {100 * noise[4]:.0f} %",
        f"rose by {100 * time.change.center:.1f} %",
        f"{time.p_within:.3f} where at most {PLAN.pass_level} is accepted",
        f"look this bad in {render.p_over:.4f} of all cases",
        f"`p {render.p_over_adjusted:.4f} adjusted`",
        f"{('eight', 'nine', 'ten')[within - 8]} of the twelve are within",
        f"Only {int((means >= seen - 1e-12).sum())} of the {len(means)}",
        f"1 in {len(means)} is {1 / len(means):.3f}",
        "about {} pairs would tell ({} to {})".format(*time.pairs_needed),
        "{:.3f} at 6 pairs, {:.3f} at 10, {:.3f} at 14, {:.3f} at 20".format(
            *(look.level for look in example.looks)
        ),
    ]


def test_the_limit_is_the_one_that_was_simulated():
    """What the page says about lopsided noise is what the table of promises has."""
    table = (ROOT / "docs" / "simulations.md").read_text(encoding="utf-8")
    (share,) = re.findall(
        r"head rarely faster, 20 cells exactly at budget: FAIL \| nothing \| ([\d.]+) %", table
    )
    assert f"become about {float(share):.0f}" in draw.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Each relative link of a page leads to a file of the repository."""
    for link in re.findall(r"\]\(([^)#]+?)(?:#.*?)?\)", page.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_the_readme_shows_its_pictures():
    """Each picture of the comment and of the page is shown in the README, is there, and is no heavy download."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r'src(?:set)?="(docs/pictures/[^"]+\.png)"', text))
    assert shown == {path.relative_to(ROOT).as_posix() for path in draw.PICTURES.glob("*.png")}
    assert len(shown) == 6
    assert all((ROOT / picture).stat().st_size < 300_000 for picture in shown)


def on_github() -> str:
    """The section of the README about GitHub."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.split(r"^## .+\n", text[text.index("## On GitHub\n") + 1 :], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_readme_shows_workflows_as_they_are():
    """The pair that is safe for forks comes first and in full, as its files are; every other example is linked."""
    section = on_github()
    shown = re.findall(r"\(examples/workflows/([\w-]+)\.yml\)[^`]*```yaml\n(.*?)```\n", section, re.DOTALL)
    assert [name for name, _ in shown] == ["fork-safe-gate", "fork-safe-comment"]
    for name, text in shown:
        assert text == (EXAMPLES / f"{name}.yml").read_text(encoding="utf-8")
    linked = re.findall(r"\(examples/workflows/([\w-]+\.yml)\)", section)
    assert sorted(linked) == sorted(path.name for path in EXAMPLES.glob("*.yml"))


def test_the_readme_tells_every_permission():
    """The table of permissions is what the example workflows have."""
    told = re.findall(r"^\| `([\w-]+)\.yml`, `(\w+)`.*? \| (.+) \|$", on_github(), re.MULTILINE)
    more = {(name, job): dict(re.findall(r"`([\w-]+): (\w+)`", may)) for name, job, may in told}
    workflows = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in EXAMPLES.glob("*.yml")
    }
    jobs = {(name, job): spec for name, found in workflows.items() for job, spec in found["jobs"].items()}
    assert more.keys() <= jobs.keys()
    for place, spec in jobs.items():
        assert spec["permissions"] == more.get(place, {"contents": "read"}), place
    assert all(found["permissions"] == {} for found in workflows.values())
