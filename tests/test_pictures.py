"""Pictures made of text, and what the real Mermaid makes of them."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
import sample_reports as samples
from hostile import FRAGMENTS
from hypothesis import given, settings
from hypothesis import strategies as st

from docs import mermaid
from pytest_gotrace.explanation import Interval
from pytest_gotrace.pictures import budget_end, chart, strip
from pytest_gotrace.render import render_summary
from pytest_gotrace.report import QuantileShift, Runs

amounts = st.floats(min_value=-1e12, max_value=1e12) | st.sampled_from([1e15, -1e300, 1e300, 1e-300])


def runs(base, head, **changes):
    """The row that is over its budget, with other runs."""
    return replace(samples.OVER, runs=Runs(base=tuple(base), head=tuple(head)), **changes)


def tracks(entry):
    """What stands on each line of a strip, without the labels."""
    return {line[:8].strip(): line[8:] for line in strip(entry).splitlines()}


class TestStrip:
    def test_what_is_shown(self):
        """The ends of the scale, a step for each run, and where the budget ends, above each other."""
        assert strip(samples.OVER).splitlines() == [
            "        398 µs" + " " * 44 + "731 µs",
            "base    ▃▆█▆▃▃   ┊",
            "head             ┊" + " " * 32 + "▃▃ ▃ ▃▆ ▆▃   ▃",
            "budget           ┊ 453 µs",
        ]

    def test_the_ends_are_the_extremes(self):
        """The smallest run stands in the first column and the largest in the last."""
        shown = tracks(runs([100.0, 110.0], [120.0, 200.0], budget=""))
        assert (shown["base"][0], len(shown["head"])) == ("█", 56)
        assert "budget" not in shown

    def test_more_runs_are_higher(self):
        """The column with the most runs is full, and others are as high as their share."""
        shown = tracks(runs([1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 3.0], [1.0], budget=""))
        assert re.sub(" +", "", shown["base"]) == "█▄▂"

    def test_a_budget_far_away(self):
        """A budget that would press all runs into one column is said, and not drawn."""
        shown = tracks(replace(samples.OVER, budget="max 5ms"))
        assert shown["budget"] == "ends at 5 ms, outside this picture"
        assert "┊" not in shown["base"] + shown["head"]

    def test_a_budget_at_the_right_end(self):
        """A budget that ends in the last columns is written to the left of its mark."""
        shown = tracks(runs([100.0], [150.0], budget="max 160ns"))
        assert shown["budget"].endswith("160 ns ┊")
        assert shown["budget"].index("┊") == shown["head"].index("┊") == 55

    def test_a_cap_alone(self):
        """Where only head was measured, only head is drawn."""
        assert set(tracks(replace(runs([], [5.0, 6.0]), base=None, budget="max 7ns"))) == {
            "",
            "head",
            "budget",
        }

    def test_no_runs(self):
        """Without runs there is no strip."""
        assert strip(replace(samples.OVER, runs=None)) == strip(runs([], [])) == ""

    @settings(max_examples=200)
    @given(
        st.lists(amounts, max_size=30),
        st.lists(amounts, min_size=1, max_size=30),
        st.sampled_from(["", "+10%", "+10% and 20us", "-5%", "max 5ms", "+0.1ns", "off", "`x`", "+1e9%"]),
    )
    def test_any_runs(self, base, head, budget):
        """Whatever the numbers, no line is longer than 64 characters, and each side with runs has one, if any has."""
        shown = strip(runs(base, head, budget=budget)).splitlines()
        assert max(map(len, shown), default=0) <= 64
        sides = sum(line[:4] in ("base", "head") for line in shown)
        assert sides == (bool(base) + 1 if max(map(abs, base + head)) < 1e15 else 0)


@pytest.mark.parametrize(
    ("budget", "base", "end"),
    [
        ("+10%", 100.0, 110.0),
        ("+10% and 20ns", 100.0, 120.0),
        ("+20ns, max 110ns", 100.0, 110.0),
        ("-5%", 100.0, 95.0),
        ("max 5us", None, 5000.0),
        ("+10%", None, None),
        ("off", 100.0, None),
        ("about the same", 100.0, None),
    ],
)
def test_where_a_budget_ends(budget, base, end):
    """The end is as far from base as the limit allows, or the cap; of what is no limit there is none."""
    center = Interval(center=base, low=base, high=base) if base is not None else None
    assert budget_end(replace(samples.OVER, base=center, budget=budget)) == (
        pytest.approx(end) if end is not None else None
    )


class TestChart:
    def test_what_is_shown(self):
        """Bars for base and a line for head, in one unit, with a name for each quantile."""
        lines = chart(samples.OVER).splitlines()
        assert lines[1:3] == ["xychart-beta", '  title "region[db]"']
        assert lines[3].endswith('"p90", "p99"]')
        assert lines[4:] == [
            '  y-axis "µs" 0 --> 689.0',
            "  bar [80.0, 95.0, 110.0, 122.0, 140.0, 161.0, 190.0, 230.0, 301.0, 412.0]",
            "  line [81.0, 97.0, 113.0, 127.0, 149.0, 175.0, 222.0, 290.0, 430.0, 689.0]",
        ]

    @pytest.mark.parametrize("amount", [0.0, -5.0, 1e300, 1e-9])
    def test_what_cannot_be_drawn(self, amount):
        """Nothing, less than nothing, and numbers that take an exponent have no chart."""
        quantile = replace(samples.LATER[0], base=amount, head=amount)
        assert chart(replace(samples.OVER, quantiles=(quantile,))) == ""

    def test_no_quantiles(self):
        """Without quantiles there is no chart."""
        assert chart(samples.WITHIN) == ""

    def test_one_chart_for_the_same_events(self):
        """Of rows about the same events only the first has a chart, and no more than three rows have one."""
        assert render_summary(samples.REGRESSION).count("```mermaid") == 1
        assert render_summary(samples.GOLDEN["large"]).count("```mermaid") == 3


@pytest.fixture(scope="module")
def real_mermaid():
    """The real package's parser, started once."""
    with mermaid.parser() as parse:
        yield parse


class TestRealMermaid:
    def test_complaints_are_heard(self, real_mermaid):
        """The oracle that the other tests trust refuses what is no chart, and shows what is not escaped."""
        text = chart(samples.OVER)
        broken, hidden = real_mermaid([text.replace("region", 'a" b'), text.replace("region", "#35;")])
        assert "Parse error" in broken["error"]
        assert hidden["title"] != "#35;[db]"

    def test_any_name(self, real_mermaid):
        """Whatever a metric is called, Mermaid accepts the chart, and its title is the one that was written."""
        chance = random.Random(1)
        generated = ["".join(chance.choices(FRAGMENTS, k=chance.randint(2, 12))) for _ in range(150)]
        charts = [chart(replace(samples.OVER, metric=name)) for name in (*FRAGMENTS, *generated)]
        for text, found in zip(charts, real_mermaid(charts), strict=True):
            title = re.search(r'title "(.*)"', text)[1]
            assert found == {"type": "xychart", "title": title.strip()}

    def test_any_numbers(self, real_mermaid):
        """From millionths to billions, of each unit and with any number of quantiles, Mermaid accepts the chart."""
        quantile = samples.LATER[0]
        rows = [
            replace(
                samples.OVER,
                unit=unit,
                quantiles=tuple(
                    replace(quantile, probability=k / 1000, base=size, head=size * 1.5) for k in range(count)
                ),
            )
            for unit in ("ns", "B", "1")
            for size in (0.00123, 1.0, 999.9996, 123_456.0, 5.4321e11)
            for count in (1, 20)
        ]
        charts = [chart(row) for row in rows]
        assert all(charts)
        assert {found.get("type") for found in real_mermaid(charts)} == {"xychart"}

    def test_every_chart_of_a_summary(self, real_mermaid):
        """The charts that stand in a summary are those, to the letter, that Mermaid accepts."""
        text = render_summary(samples.GOLDEN["large"])
        charts = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
        assert [found["title"] for found in real_mermaid(charts)] == ["region[step 0]"] * 3


@pytest.mark.parametrize("what", ["npm", "node"])
def test_without_node(what, monkeypatch, tmp_path):
    """Where node or npm is missing, that and what to do are said: no test is skipped for it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = {"npm": mermaid.installed, "node": lambda: mermaid.parser().__enter__()}[what]
    with pytest.raises(FileNotFoundError, match=f"{what} is missing: `make browser` installs it"):
        asked()


def test_a_quantile_of_the_schema():
    """A probability has as many digits as it needs: p99.9."""
    quantile = QuantileShift(
        probability=0.999, base=1.0, head=2.0, difference=Interval(center=1.0, low=1.0, high=1.0)
    )
    assert '["p99.9"]' in chart(replace(samples.OVER, quantiles=(quantile,)))
