import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import sample_reports as samples
from hostile import any_report, names
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import Page
from ownlayout import documented

from pytest_gotrace.escape import NAME_LENGTH, shorten, visible
from pytest_gotrace.explanation import Interval
from pytest_gotrace.render import COMMENT_BYTES, FIRST_ROWS, render_summary
from pytest_gotrace.sinks.stepsummary import STEP_BYTES
from pytest_gotrace.templating import environment

GOLDEN = Path(__file__).parent / "testdata" / "golden"

#: All the HTML there may be.
TAGS = {
    *("h3", "p", "strong", "code", "pre", "ul", "li", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


#: Each report in full, a large one at every size, and a project's own layout.
SIZES = {"large": COMMENT_BYTES, "cut": 12_000, "small": 3_000}


@pytest.mark.parametrize("name", [*samples.GOLDEN, "cut", "small", "own"])
def test_golden(name):
    """Each summary is, to the letter, the one that was last looked at.

    `GOTRACE_UPDATE_GOLDEN=1 pytest tests/test_render.py` writes the files anew, to be looked at in the diff.
    """
    report = samples.GOLDEN["regression" if name == "own" else "large" if name in SIZES else name]
    template = documented() if name == "own" else None
    path = GOLDEN / f"{name}.md"
    text = render_summary(report, limit=SIZES.get(name, COMMENT_BYTES), template=template)
    if os.environ.get("GOTRACE_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


def headings(text):
    """The first line, and what each folded section is called."""
    return [text.splitlines()[0], *re.findall(r"<summary>(.*?)</summary>", text)]


class TestOrder:
    def test_a_commit_is_said_once(self):
        """A side that was named by its whole hash, as CI does, is told by the beginning of it alone."""
        named = replace(samples.GREEN, base=replace(samples.GREEN.base, name=samples.GREEN.base.sha))
        line = render_summary(named).splitlines()[2]
        assert line.startswith(f"`{samples.GREEN.base.sha[:10]}` ↔ ")
        assert samples.GREEN.base.sha not in render_summary(named)

    def test_verdict_first(self):
        """The first line is the verdict, with a sign that says whether the change may pass."""
        assert [render_summary(report)[:5] for report in (samples.GREEN, samples.REGRESSION)] == [
            "### ✅",
            "### ❌",
        ]

    @pytest.mark.parametrize(
        "report",
        [
            samples.UNDECIDED,
            samples.QUIET,
            replace(samples.QUIET, verdicts=(samples.WAIVED,)),
            replace(samples.GREEN, measured=1),
            replace(samples.GREEN, warnings=("the machine was busy",)),
        ],
    )
    def test_doubt_is_not_green(self, report):
        """What passes but should be looked at is neither green nor red."""
        assert render_summary(report).startswith("### ⚠️ ")

    def test_sections_follow(self):
        """Rows that need a person come before folded sections, and the way to reproduce them last."""
        report = replace(
            samples.BROKEN,
            verdicts=(*samples.BROKEN.verdicts, samples.OVER, samples.INCONCLUSIVE),
            why=(samples.WHY,),
        )
        text = render_summary(report)
        places = [
            text.index(part)
            for part in ("| benchmark \u203a metric | base", "**why**", "**Inconclusive**", "<details>")
        ]
        assert places == sorted(places)
        assert headings(text)[1:] == [
            "Failures (1)",
            "All metrics (6)",
            "New, missing and identical (3)",
            "Distributions (1)",
            "Method",
            "Reproduce",
            "See for yourself (1)",
        ]

    def test_what_blocks_comes_first(self):
        """Rows that block stand before rows that only warn, and larger increases before smaller."""
        report = replace(
            samples.QUIET,
            verdicts=tuple(
                replace(samples.OVER, metric=name, change=samples.around(change, 0.1), level=level)
                for name, change, level in [
                    ("small", 0.2, "fail"),
                    ("warned", 0.9, "warn"),
                    ("large", 0.5, "fail"),
                ]
            ),
        )
        table = render_summary(report).partition("<details>")[0]
        assert re.findall(r"\u203a `(\w+)`", table) == ["large", "small", "warned"]

    def test_reasons_follow_their_rows(self):
        """Reasons stand in the order of the rows they explain, and one without a sentence is left out."""
        benchmarks = ("small", "large", "unknown", "medium")
        changes = {"small": 0.2, "large": 0.9, "medium": 0.5}
        report = replace(
            samples.QUIET,
            verdicts=tuple(
                replace(samples.OVER, benchmark=name, change=samples.around(change, 0.1))
                for name, change in changes.items()
            ),
            why=(
                *(replace(samples.WHY, benchmark=name) for name in benchmarks),
                replace(samples.WHY, benchmark="silent", sentence=""),
            ),
        )
        found = re.findall(r"\*\*why\*\* `(\w+)`", render_summary(report))
        assert found == ["large", "medium", "small", "unknown"]

    def test_improvements(self):
        """An improvement is a change whose whole interval is on the better side, the largest first."""
        changes = [
            ("faster", "lower", (-0.3, -0.1)),
            ("more", "higher", (0.4, 0.6)),
            ("slower", "lower", (0.1, 0.3)),
            ("fewer", "higher", (-0.3, -0.1)),
            ("unclear", "lower", (-0.3, 0.1)),
        ]
        rows = tuple(
            replace(
                samples.WITHIN,
                metric=name,
                better=better,
                change=Interval(center=sum(ends) / 2, low=ends[0], high=ends[1]),
            )
            for name, better, ends in changes
        )
        text = render_summary(replace(samples.QUIET, verdicts=(*rows, replace(rows[0], change=None))))
        table = text.partition("Improvements (2)")[2].partition("</details>")[0]
        assert re.findall(r"\u203a `(\w+)`", table) == ["more", "faster"]

    def test_fifteen_rows(self):
        """The first table has no more rows than a person reads, and says how many there are besides."""
        report = replace(samples.QUIET, verdicts=tuple(replace(samples.OVER, line=n) for n in range(40)))
        table = render_summary(report).partition("<details>")[0]
        assert table.count("\n| ❌") == FIRST_ROWS == 15
        assert "25 more in `report.json`." in table


class TestLimit:
    @pytest.mark.parametrize("limit", [3_000, 10_000, COMMENT_BYTES, 1_000_000])
    def test_verdict_and_command_stay(self, limit):
        """Cut to any size, the text is within it, says that it was cut, and keeps verdict and command."""
        text = render_summary(samples.GOLDEN["large"], limit=limit)
        assert len(text.encode()) <= limit
        assert text.startswith("### ❌ 20 over budget, 980 within: 100 of 100 benchmarks measured\n")
        assert f"\n{samples.QUIET.reproduce}\n```\n\n</details>\n" in text
        assert ("Shortened to fit here" in text) == (limit < 1_000_000)

    def test_the_room_is_used(self):
        """A cut text leaves no more than a few rows' room unused."""
        assert len(render_summary(samples.GOLDEN["large"]).encode()) > COMMENT_BYTES - 1_000

    def test_whole_rows(self):
        """A cut falls between rows: every row of every table has all its cells."""
        for limit in range(3_000, 9_000, 250):
            text = render_summary(samples.GOLDEN["large"], limit=limit)
            for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
                assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
            assert text.count("<details>") == text.count("</details>")

    def test_what_matters_most_stays_longest(self):
        """As room shrinks the list of all metrics goes first, and the rows over their budget last."""
        large = samples.GOLDEN["large"]
        texts = [render_summary(large, limit=limit) for limit in (60_000, 20_000, 1_800)]
        assert ["All metrics" in text for text in texts] == [True, True, False]
        assert ["| benchmark \u203a metric | base" in text.partition("<details>")[0] for text in texts] == [
            True,
            True,
            True,
        ]

    def test_bytes_are_counted(self):
        """A name of four-byte characters counts four times."""
        rows = tuple(replace(samples.OVER, benchmark="🙂" * 150, line=n) for n in range(500))
        text = render_summary(replace(samples.QUIET, verdicts=rows))
        assert COMMENT_BYTES - 2_000 < len(text.encode()) <= COMMENT_BYTES

    def test_a_long_command_and_output(self):
        """A failure's command is cut, and of its output the end is shown, from the start of a line on."""
        tail = "".join(f"line {n}\n" for n in range(5000))
        failure = replace(samples.FAILURE, command=("go", "x" * 9_000), tail=tail)
        text = render_summary(replace(samples.BROKEN, failures=(failure,)))
        shown = text.partition("$ go ")[2].partition("\n```")[0].splitlines()
        assert shown[0] == "x" * 1_996 + "…"
        assert shown[1] == "…"
        assert shown[2].startswith("line ")
        assert shown[-1] == "line 4999"

    def test_no_room_at_all(self):
        """A limit below the verdict itself is an error that says how much it takes."""
        with pytest.raises(ValueError, match="the verdict alone takes more than 100 bytes"):
            render_summary(samples.GREEN, limit=100)

    def test_a_thousand_benchmarks(self):
        """A thousand benchmarks with twenty metrics each are within the limits of a comment and of a step summary."""
        large = samples.large(1000, 20)
        assert len(render_summary(large).encode()) <= COMMENT_BYTES
        assert (
            COMMENT_BYTES < len(render_summary(large, limit=STEP_BYTES).encode()) <= STEP_BYTES == 1_000_000
        )


class TestHostile:
    @settings(derandomize=True, max_examples=150, deadline=None)
    @given(any_report(names))
    def test_any_report(self, report):
        """However things are called, there is no tag but ours, and outside code nothing GitHub acts on."""
        text = render_summary(report)
        page = Page(text)
        assert len(text.encode()) <= COMMENT_BYTES
        assert set(page.tags) <= TAGS
        assert page.tags.count("details") == page.ends.count("details") > 0
        assert not re.search(r"[@#<>&*_~$|\\`]|://|www\.", page.text)

    @settings(derandomize=True, max_examples=150, deadline=None)
    @given(st.lists(st.tuples(names, names), min_size=1, max_size=4))
    def test_rows_show_their_names(self, named):
        """Each row shows the names of its benchmark and metric, and has the cells of its table."""
        report = replace(
            samples.QUIET,
            verdicts=tuple(replace(samples.OVER, benchmark=one, metric=two) for one, two in named),
        )
        page = Page(render_summary(report))
        rows, cells = page.tags.count("tr"), page.tags.count("td")
        assert rows == 2 * (1 + len(named))
        assert cells == (7 + 6) * len(named)
        shown = [shorten(visible(name), NAME_LENGTH) or '""' for pair in named for name in pair]
        if not any("`" * 41 in name for name in shown):
            found = iter(page.code)
            assert all(name in found for name in shown)

    @settings(derandomize=True, max_examples=50, deadline=None)
    @given(st.sampled_from(["\U0010fffd", "`", "@ ", "🙂 ", "|", "\n", "<b> "]))
    def test_the_frame_always_fits(self, piece):
        """A report of the longest texts that a file may hold has room for its verdict and its command."""
        longest = (piece * 4096)[:4096]
        report = replace(
            samples.QUIET,
            base=replace(samples.QUIET.base, name=longest[:1000]),
            head=replace(samples.QUIET.head, name=longest[:1000]),
            environment=dict.fromkeys(("go", "cpu", "GOMAXPROCS"), longest[:1000]),
            budget_files=(longest,) * 100,
            warnings=(longest[:2000],) * 100,
            verdicts=(replace(samples.OVER, benchmark=longest[:1000]),) * 50,
            reproduce=longest[:2000],
        )
        text = render_summary(report)
        assert len(text.encode()) <= COMMENT_BYTES
        assert text.startswith("### ❌ 50 over budget: 2 of 2 benchmarks measured; caution: ")

    def test_a_template_that_forgets(self):
        """What a template prints without a filter becomes a code span, in a macro too, but for numbers."""
        template = environment().from_string(
            "{% macro m(x) %}{{ x }}{% endmacro %}{{ name }} {{ m(name) }} {{ count }} {{ name | code }}"
        )
        shown = r"`@me <b>\|`"
        assert template.render(name="@me <b>|", count=3) == f"{shown} {shown} 3 `@me <b>|`"
