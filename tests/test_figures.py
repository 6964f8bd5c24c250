import json
import random
import re
from dataclasses import replace
from importlib import resources

import plotly.graph_objects as go
import pytest
import sample_html
import sample_reports as samples
from hostile import any_report, names
from hypothesis import given, settings

from pytest_gotrace.benchfigures import benchmark_figures
from pytest_gotrace.figures import LAYOUTS, budget_ends, label, metric_figures
from pytest_gotrace.report import Runs

CSS = resources.files("pytest_gotrace_templates").joinpath("report.css").read_text(encoding="utf-8")
#: Each colour on light paper.
TOKENS = dict(re.findall(r"(--[\w-]+): light-dark\((#\w{6}), #\w{6}\);", CSS))


def all_figures(report):
    """Every figure of a report."""
    for entry in report.verdicts:
        yield from metric_figures(entry)
    for figures in benchmark_figures(report).values():
        yield from figures


def painted(value, key=""):
    """What `report.js` makes of a figure: a token becomes its colour where a colour is meant."""
    if isinstance(value, dict):
        return {name: painted(inner, name) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [painted(inner, key) for inner in value]
    return TOKENS[value] if "color" in key and str(value).startswith("--") else value


def figure(report, kind):
    """The first figure of this kind."""
    return next(found for found in all_figures(report) if found.kind == kind)


@pytest.mark.parametrize("report", [samples.REGRESSION, sample_html.rich(11), sample_html.hostile()])
def test_plotly_knows_every_word(report):
    """Every kind of figure has its layout, and plotly accepts all that is in it and its colours."""
    found = {figure.kind: figure for figure in all_figures(report)}
    assert set(found) >= {"runs", "shift", "states", "stacks"}
    for kind, figure in found.items():
        go.Figure(data=painted(figure.traces), layout=painted(LAYOUTS[kind]))
        go.Figure(layout=painted(figure.layout))


@settings(derandomize=True, max_examples=25, deadline=None)
@given(any_report(names))
def test_any_report(report):
    """Whatever the numbers are, each figure is JSON, and its table has a cell below each head."""
    for found in all_figures(report):
        json.dumps(found.document(), allow_nan=False)
        assert {len(row) for row in found.rows} <= {len(found.head)}


class TestRuns:
    def test_who_ran_first_is_left(self):
        """Of each pair the run that came first stands on the left, and the two are joined."""
        lines, base, head, _budget = figure(samples.REGRESSION, "runs").traces
        first = [left < right for left, right in zip(base["x"], head["x"], strict=True)]
        assert first == list(samples.SLOWER.base_first)
        assert lines["x"][:6] == [base["x"][0], head["x"][0], None, base["x"][1], head["x"][1], None]

    def test_the_unit_is_one_that_people_read(self):
        """Nanoseconds are drawn in a unit that fits, and the axis says which."""
        found = figure(samples.REGRESSION, "runs")
        assert found.traces[1]["y"][:2] == [405.0, 421.0]
        assert found.layout["yaxis"]["ticksuffix"] == " µs"

    def test_what_is_counted(self):
        """Where numbers have no unit the axis says what they count."""
        axes = [
            next(metric_figures(replace(samples.OVER, metric=metric, unit=unit))).layout["yaxis"]
            for metric, unit in (("allocs/op", "1"), ("ns/op", "ns"))
        ]
        assert [axis.get("title") for axis in axes] == [{"text": "allocs/op"}, None]

    def test_a_cap_alone(self):
        """Where there is no base the runs of the head stand alone, with the cap."""
        entry = replace(samples.OVER, base=None, budget="max 500us", runs=Runs(head=(6e5, 7e5)), quantiles=())
        (found,) = metric_figures(entry)
        assert [trace["name"] for trace in found.traces] == ["head", "budget max 500us"]
        assert found.traces[1]["y"] == [500.0, 500.0]
        assert [row[0] for row in found.rows] == ["1", "2"]

    @pytest.mark.parametrize(
        ("changes", "colour"),
        [({}, "--over"), ({"level": "warn"}, "--doubt"), ({"waived": samples.WAIVED.waived}, "--doubt")],
    )
    def test_red_is_for_what_blocks(self, changes, colour):
        """The budget is drawn in red only where it keeps the change from passing."""
        found = next(metric_figures(replace(samples.OVER, **changes)))
        assert found.traces[-1]["line"]["color"] == colour

    def test_nothing_known(self):
        """A metric without runs and quantiles has no figure."""
        assert list(metric_figures(samples.MISSING)) == []


@pytest.mark.parametrize(
    ("budget", "ends"),
    [
        ("+10%", (453_200.0,)),
        ("+10% and 50us", (462_000.0,)),
        ("+10%, max 1ms", (1e6, 453_200.0)),
        ("max 1ms", (1e6,)),
        ("off", ()),
        ("", ()),
        ("nonsense", ()),
    ],
)
def test_budget_ends(budget, ends):
    """A budget ends at its cap, and above the base by the larger of share and amount."""
    assert budget_ends(replace(samples.OVER, budget=budget)) == pytest.approx(ends)


def test_a_higher_number_may_be_better():
    """Where higher is better the budget ends below the base."""
    entry = replace(samples.OVER, metric="custom[req/s]", unit="1", budget="-10%")
    assert budget_ends(entry) == pytest.approx((370_800.0,))


class TestShift:
    def test_direction(self):
        """A quantile has the colour of the head where it surely grew, of the base where it surely shrank."""
        quantile = samples.LATER[0]
        ends = ((1.0, 3.0), (-3.0, -1.0), (-1.0, 1.0))
        moved = tuple(
            replace(
                quantile, difference=replace(quantile.difference, center=(low + high) / 2, low=low, high=high)
            )
            for low, high in ends
        )
        (found,) = metric_figures(replace(samples.OVER, runs=None, quantiles=moved))
        assert found.traces[2]["marker"]["color"] == ["--head", "--base", "--soft"]
        assert found.text == "Of 3 quantiles 1 moved up and 1 down by more than their intervals."

    def test_intervals(self):
        """Each error bar reaches from the shift to the ends of its interval."""
        shift = figure(samples.REGRESSION, "shift").traces[2]
        last = samples.LATER[-1].difference
        assert shift["y"][-1] == pytest.approx(last.center / 1000)
        assert shift["error_y"]["array"][-1] == pytest.approx((last.high - last.center) / 1000)
        assert shift["error_y"]["arrayminus"][-1] == pytest.approx((last.center - last.low) / 1000)


def test_small_states_are_one():
    """States too small to be seen are drawn together, and all of them are in the table."""
    found = figure(samples.REGRESSION, "states")
    assert [trace["name"] for trace in found.traces] == [
        "sync-block[chan send]",
        "sched-wait",
        "exec",
        "others",
    ]
    assert [row[0] for row in found.rows] == [state.state for state in samples.STATES]


def test_reasons_to_block_differ():
    """States of one kind have one colour, and each is paler than the one before."""
    traces = next(f for f in all_figures(sample_html.rich(1)) if f.kind == "states").traces
    blocked = [trace for trace in traces if trace["name"].startswith("sync-block")]
    assert {trace["marker"]["color"] for trace in blocked} == {"--state-sync-block"}
    assert [trace["opacity"] for trace in blocked] == [1.0, 0.65]


def test_boxes_are_as_wide_as_those_below():
    """In the icicle every box is as wide as the boxes below it together, so that none sticks out."""
    (trace,) = figure(samples.REGRESSION, "stacks").traces
    widths = dict(zip(trace["ids"], trace["values"], strict=True))
    below = {}
    for child, parent in zip(trace["ids"], trace["parents"], strict=True):
        below[parent] = below.get(parent, 0) + widths[child]
    assert {parent: below[parent] for parent in below if parent} == {
        parent: widths[parent] for parent in below if parent
    }
    assert trace["text"][0] == "+312 µs"


def test_no_box_is_wider_than_its_parent():
    """Whatever fractions of a nanosecond there are, boxes add up exactly; else plotly would draw none of them."""
    draws = random.Random(1)
    stacks = tuple(
        replace(
            samples.WHY.stacks[0],
            frames=tuple(f"f{draws.randrange(3)} a.go:1" for _ in range(depth)),
            head=head,
        )
        for depth, head in ((draws.randrange(1, 6), draws.uniform(0, 1e7)) for _ in range(60))
    )
    why = replace(samples.WHY, stacks=stacks)
    (trace,) = figure(replace(samples.REGRESSION, why=(why,)), "stacks").traces
    widths = dict(zip(trace["ids"], trace["values"], strict=True))
    below = dict.fromkeys(widths, 0)
    for child, parent in zip(trace["ids"], trace["parents"], strict=True):
        if parent:
            below[parent] += widths[child]
    assert len(widths) > 20
    assert all(below[box] <= width for box, width in widths.items())


def test_what_nobody_sees_takes_no_room():
    """A deep stack that hardly moved has no boxes, so that the icicle is only as high as what is seen of it."""
    deep = replace(
        samples.WHY.stacks[0], frames=tuple(f"f{depth} a.go:1" for depth in range(30)), head=18_400.0
    )
    why = replace(samples.WHY, stacks=(*samples.WHY.stacks, deep))
    plain = figure(samples.REGRESSION, "stacks")
    found = figure(replace(samples.REGRESSION, why=(why,)), "stacks")
    assert found.layout == plain.layout == {"height": 5 * 26}
    assert found.traces[0]["labels"] == plain.traces[0]["labels"]
    assert len(found.rows) == 4


def test_heap_of_both_sides():
    """Heap, goal and collections of both sides are in one figure for each kind of run."""
    found = figure(samples.REGRESSION, "heap")
    assert [trace.get("name") for trace in found.traces] == [
        *("base", "goal of base", None),
        *("head", "goal of head", None),
    ]
    assert [row[:2] for row in found.rows] == [("base", "4"), ("head", "6")]


def test_labels_are_text():
    """What plotly would read as HTML it shows as it is, and a long name is cut."""
    assert label("<a href='x'>&</a>\n") == "&lt;a href='x'&gt;&amp;&lt;/a&gt;\\u{a}"
    assert len(label("x" * 500)) == 80
