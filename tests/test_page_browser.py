"""The page in a real Chromium, opened from the disk as from an artifact."""

import socket
from dataclasses import replace

import pytest
import sample_html
import sample_reports as samples
from axe_playwright_python.sync_playwright import Axe

from pytest_gotrace.page import render_page

#: Without figures a row opens at once.
PLAIN = replace(
    samples.REGRESSION,
    verdicts=tuple(replace(entry, runs=None, quantiles=()) for entry in samples.REGRESSION.verdicts),
)
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(13, 17, 23)"


@pytest.fixture
def opened(visit):
    """Opens a report as its page."""
    return lambda report, **how: visit(render_page(report), **how)


def open_first(page, until="[data-ready]"):
    """Opens the first row by keyboard; returns the row that is then below it."""
    page.locator("button.open").first.press("Enter")
    page.locator(f"tr.detail {until}").first.wait_for()
    return page.locator("tr.detail")


def wait_until(page, condition):
    """Playwright's own way of waiting evaluates text in the page, which the page forbids."""
    page.evaluate(f"async () => {{ while (!({condition})) await new Promise(requestAnimationFrame); }}")


def column(page, number):
    """What stands in one column of the rows that are shown."""
    return page.locator(f"#table tbody tr:visible > :nth-child({number})").all_inner_texts()


def background(page):
    return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")


class TestFigures:
    def test_none_is_drawn_before_it_is_asked_for(self, opened):
        """Until somebody is about to open a figure plotly is not even unpacked, so that the page is there at once."""
        page = opened(samples.REGRESSION)
        assert page.evaluate("typeof Plotly") == "undefined"
        open_first(page)
        assert page.evaluate("typeof Plotly") == "object"

    def test_what_opens_a_figure_is_a_hint(self, opened):
        """Where the keyboard or the pointer is on what opens figures plotly is read, and nothing drawn yet."""
        page = opened(samples.REGRESSION)
        page.locator("button.open").first.focus()
        wait_until(page, "typeof Plotly === 'object'")
        assert page.locator("figure").count() == 0

    def test_nothing_jumps(self, opened):
        """Figures have their room before they are drawn: what is below them stays where it was."""
        page = opened(samples.REGRESSION)
        detail = open_first(page)
        heights = detail.locator("figure > [role=img]").evaluate_all(
            "all => all.map((one) => [one.style.minHeight, `${one.offsetHeight}px`])"
        )
        assert heights == [["280px", "280px"], ["380px", "380px"]]

    def test_every_figure_draws(self, opened):
        """Each kind of figure becomes a drawing with marks in it, said in words and as a table beside it."""
        page = opened(samples.REGRESSION)
        detail = open_first(page)
        detail.locator("summary", has_text="whole benchmark").click()
        page.locator("tr.detail .pictures [data-ready]").wait_for()
        marks = {
            "runs": ".point",
            "shift": ".errorbar",
            "states": ".bars .point",
            "stacks": ".surface",
            "heap": ".js-line",
        }
        for kind, mark in marks.items():
            figure = detail.locator(f"figure.{kind}")
            assert figure.locator(mark).count() >= 4, kind
            assert figure.locator("> [role=img]").get_attribute("aria-label")
            figure.get_by_text("As a table").click()
            assert figure.locator("tbody tr").first.is_visible()

    def test_reasons_to_block_differ_in_the_legend(self, opened):
        """The legend shows two reasons to block as pale as their bars are, so that they are told apart."""
        page = opened(sample_html.rich(4))
        page.locator(".case .pictures > summary").first.click()
        page.locator(".case [data-ready]").first.wait_for()
        legend = page.locator("figure.states .traces").filter(has_text="sync-block")
        shades = legend.locator(".layers").evaluate_all("all => all.map((one) => one.style.opacity)")
        assert shades == ["1", "0.65"]

    def test_figures_beside_the_why(self, opened):
        """The why of a benchmark opens its figures, once."""
        page = opened(samples.REGRESSION)
        for _ in range(3):
            page.locator(".case .pictures > summary").click()
        page.locator(".case [data-ready]").wait_for()
        assert page.locator(".case figure").evaluate_all("all => all.map((one) => one.className)") == [
            *("states", "stacks", "heap"),
        ]

    def test_a_row_closes_again(self, opened):
        """The button of a row says whether it is open, and closes it again."""
        page = opened(PLAIN)
        detail, button = open_first(page, "dl"), page.locator("button.open").first
        assert button.get_attribute("aria-expanded") == "true"
        assert page.locator(f"#{button.get_attribute('aria-controls')}").count() == 1
        button.press("Space")
        assert button.get_attribute("aria-expanded") == "false"
        assert not detail.is_visible()

    def test_a_metric_without_runs(self, opened):
        """Where no runs are known the facts stand alone."""
        page = opened(samples.BROKEN)
        detail = open_first(page, "dl")
        assert detail.get_by_text("no single runs").is_visible()
        assert "the build of fanout failed on head" in detail.inner_text()


class TestTable:
    def test_sorting_by_keyboard(self, opened):
        """Enter on a head sorts by it, once more the other way, numbers by size; the head says how."""
        page = opened(sample_html.rich(10))
        head = page.get_by_role("columnheader", name="change")
        for direction in ("ascending", "descending"):
            head.get_by_role("button").press("Enter")
            assert head.get_attribute("aria-sort") == direction
            sizes = page.locator("#table tbody td:nth-child(6)").evaluate_all(
                "all => all.map((cell) => Number(cell.dataset.v))"
            )
            assert sizes == sorted(sizes, reverse=direction == "descending")
        page.get_by_role("columnheader", name="metric").get_by_role("button").press("Space")
        assert head.get_attribute("aria-sort") == "none"
        assert column(page, 3) == sorted(column(page, 3), key=str.lower)

    def test_an_opened_row_moves_along(self, opened):
        """What was opened below a row stays below it."""
        page = opened(PLAIN)
        open_first(page, "dl")
        page.get_by_role("columnheader", name="verdict").get_by_role("button").press("Enter")
        page.get_by_role("columnheader", name="verdict").get_by_role("button").press("Enter")
        above = page.locator("tr.detail").evaluate("row => row.previousElementSibling.innerText")
        assert "region[db].p99" in above
        assert column(page, 3)[0] == "ns/op"

    def test_filter_by_text(self, opened):
        """Words narrow the table to rows with all of them, and the number of rows is said."""
        page = opened(sample_html.rich(10))
        page.get_by_role("searchbox").press_sequentially("CART p99")
        assert set(column(page, 3)) == {"sched-wait.p99", "region[store].p99"}
        assert set(column(page, 2)) == {"cart/BenchmarkCart/small"}
        assert page.get_by_role("status").inner_text() == "2 of 100"

    def test_filter_by_verdict(self, opened):
        """A verdict that is unchecked by keyboard is left out, with what was opened below its rows."""
        page = opened(PLAIN)
        detail = open_first(page, "dl")
        page.get_by_role("checkbox", name="over budget").press("Space")
        assert column(page, 3) == ["ns/op"]
        assert not detail.is_visible()
        page.get_by_role("checkbox", name="within").press("Space")
        assert page.get_by_text("Nothing is called that").is_visible()

    def test_what_is_identical_is_left_out(self, opened):
        """Rows that nobody measured, as nothing changed, are not shown until they are asked for; alone they are."""
        page = opened(samples.BROKEN)
        assert page.get_by_role("status").inner_text() == "4 of 5"
        page.get_by_role("checkbox", name="identical").press("Space")
        assert page.get_by_role("status").inner_text() == "5 of 5"
        alone = opened(replace(samples.QUIET, verdicts=(samples.IDENTICAL,)))
        assert alone.get_by_role("status").inner_text() == "1 of 1"

    def test_focus_is_seen(self, opened):
        """Whatever the tab key reaches has an outline, and the first thing it reaches is the way to the table."""
        page = opened(PLAIN)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to all metrics"
        for _ in range(20):
            page.keyboard.press("Tab")
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style == "solid", page.evaluate("document.activeElement.outerHTML")


class TestLook:
    def test_the_reader_s_paper(self, opened):
        """Light or dark follows the reader's setting, until he presses the button; figures follow too."""
        page = opened(samples.REGRESSION, color_scheme="dark")
        assert background(page) == DARK
        open_first(page)
        paper = page.locator("figure .main-svg").first
        assert paper.evaluate("svg => svg.style.background") == DARK
        page.get_by_role("button", name="Switch to light").click()
        assert background(page) == LIGHT
        assert page.get_by_role("button", name="Switch to dark").is_visible()
        wait_until(
            page, "document.querySelector('figure .main-svg').style.background == 'rgb(255, 255, 255)'"
        )
        page.emulate_media(color_scheme="dark")
        assert background(page) == LIGHT

    def test_nothing_sticks_out(self, opened):
        """On a narrow and on a wide screen the page itself never scrolls sideways, and figures fit in."""
        page = opened(samples.REGRESSION, viewport={"width": 1400, "height": 900})
        open_first(page)
        for width in (1400, 400):
            page.set_viewport_size({"width": width, "height": 900})
            wait_until(page, "innerWidth > document.querySelector('.main-svg').clientWidth")
            assert page.evaluate("document.documentElement.scrollWidth") == width

    def test_a_narrow_screen(self, opened):
        """On a phone rows are cards: nothing of a table is cut off, names are whole, and rows can still be sorted."""
        page = opened(samples.REGRESSION, viewport={"width": 400, "height": 900})
        wide = page.locator(".scroll").evaluate_all(
            "all => all.map((one) => one.scrollWidth - one.clientWidth)"
        )
        assert wide == [0, 0]
        names = page.locator("#table code, .lines code").evaluate_all(
            "all => all.map((one) => new Set([...one.getClientRects()].map((box) => box.top)).size)"
        )
        assert len(names) > 10
        assert set(names) == {1}
        page.get_by_role("columnheader", name="change").get_by_role("button").press("Enter")
        assert column(page, 3)[0] == "ns/op"

    def test_a_cut_table_shows_it(self, opened):
        """A table that is wider than its place has a shadow where it is cut, which goes with what is scrolled."""
        page = opened(samples.REGRESSION, viewport={"width": 400, "height": 900})
        page.locator(".case .pictures > summary").click()
        page.locator(".case [data-ready]").wait_for()
        figure = page.locator("figure.stacks")
        figure.get_by_text("As a table").click()
        scroll = figure.locator(".scroll")
        assert scroll.evaluate("one => one.scrollWidth > one.clientWidth")
        style = scroll.evaluate("one => getComputedStyle(one).backgroundAttachment")
        assert style == "local, local, scroll, scroll"

    def test_paper_is_light(self, opened):
        """A printed page is light, without its buttons."""
        page = opened(samples.REGRESSION, color_scheme="dark")
        page.emulate_media(media="print")
        assert background(page) == LIGHT
        assert not page.locator("#theme").is_visible()
        assert len(page.pdf()) > 10_000

    def test_without_scripts(self, opened):
        """Where scripts are off the verdict, the why and all numbers are there, and no dead buttons."""
        page = opened(samples.REGRESSION, java_script_enabled=False)
        assert page.get_by_text("81 % of what was added").is_visible()
        assert page.get_by_text("81.7 µs").is_visible()
        assert not page.get_by_role("searchbox").is_visible()


def test_axe(opened):
    """Axe, the checker of accessibility, finds nothing with everything opened, wide and light or narrow and dark."""
    page = opened(samples.REGRESSION)
    open_first(page)
    for _ in range(2):
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        wait_until(page, "document.querySelectorAll('[data-ready]').length == 3")
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page).response["violations"]
        assert [(item["id"], item["nodes"][0]["html"]) for item in found] == []
        page.locator("#theme").click()


def test_copy(opened):
    """A button beside a command copies it."""
    page = opened(samples.REGRESSION, permissions=["clipboard-read", "clipboard-write"])
    page.locator("button.copy").last.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == samples.QUIET.reproduce


def test_hostile_names(opened):
    """Names that are HTML or scripts stay text, in the page and in every figure."""
    page = opened(sample_html.hostile())
    for summary in page.locator("details.pictures > summary").all()[:3]:
        summary.click()
    for button in page.locator("button.open").all()[:3]:
        button.click()
    wait_until(page, "document.querySelectorAll('[data-ready]').length >= 6")
    assert (
        page.locator("img, iframe, object, embed, svg a, script:not(body > script, head > script)").count()
        == 0
    )
    assert page.locator("a").count() == 1
    drawn = " ".join(page.locator("svg text").all_text_contents())
    assert "<b>bold</b>" in drawn or "<img src=x onerror=alert(1)>" in drawn


def test_the_page_forbids_itself_requests(browser, tmp_path):
    """Even a script inside the page can neither load nor send anything: its own policy refuses it."""
    server = socket.create_server(("127.0.0.1", 0))
    server.setblocking(False)
    file = tmp_path / "report.html"
    file.write_text(render_page(samples.GREEN), encoding="utf-8", newline="\n")
    page = browser.new_page()
    page.goto(file.as_uri())
    refused = page.evaluate(
        """async (address) => {
        const seen = [];
        addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
        document.body.append(Object.assign(new Image(), { src: address }));
        document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = 1" }));
        await fetch(address).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 100));
        return seen.sort();
    }""",
        f"http://127.0.0.1:{server.getsockname()[1]}/",
    )
    assert refused == ["connect-src", "img-src", "script-src-elem"]
    assert page.evaluate("window.ran") is None
    with server, pytest.raises(BlockingIOError):
        server.accept()
    page.close()
