"""Metrics: every number has one name, and every name one meaning."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_gotrace.errors import UsageError
from pytest_gotrace.metrics import (
    CATALOGUE,
    STATISTICS,
    Key,
    Metric,
    find,
    nearest,
    parse_key,
    parse_series,
    unit_of,
)

TRACED = [metric for metric in CATALOGUE if metric.traced and metric.subject != "none"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ns/op", Key(metric="ns/op")),
        ("custom[hits/op]", Key(metric="custom", subject="hits/op")),
        ("sched-wait.p99", Key(metric="sched-wait", statistic="p99")),
        ("sync-block.total", Key(metric="sync-block", statistic="total")),
        ("sync-block[chan send].total", Key(metric="sync-block", subject="chan send", statistic="total")),
        ("region[a[b].c].max", Key(metric="region", subject="a[b].c", statistic="max")),
        ("region[*].p50", Key(metric="region", subject="*", statistic="p50")),
    ],
)
def test_a_key_is_read_as_it_is_written(text, key):
    """The text of a key parses to the key, and the key's text is the text."""
    assert parse_key(text) == key
    assert str(key) == text


@settings(derandomize=True)
@given(st.sampled_from(TRACED), st.text(min_size=1), st.sampled_from(STATISTICS))
def test_any_subject_survives_the_way_to_text_and_back(metric, subject, statistic):
    """No name that a Go program can give a region makes its key ambiguous."""
    key = Key(metric=metric.name, subject=subject, statistic=statistic)
    assert parse_key(str(key)) == key
    assert parse_series(str(key.series)) == key.series


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot read metric ''; expected NAME"),
        ("region[db]p99", "cannot read metric 'region[db]p99'; expected NAME, NAME[SUBJECT] or"),
        (
            "sync_block.total",
            "unknown metric 'sync_block' (did you mean 'sync-block'?); known metrics: ns/op, ",
        ),
        ("region.p99", "region needs a name in brackets, as in region[NAME].max"),
        ("exec[main].p99", "exec takes no name in brackets, found [main]"),
        ("sync-block[].total", "the brackets of 'sync-block[].total' are empty; leave them out for all"),
        ("custom", "custom needs a name in brackets, as in custom[NAME]"),
        ("region[].p99", "region needs a name in brackets"),
        ("region[db].p95", "unknown statistic 'p95' of region (did you mean 'p99'?); allowed: count, total"),
        ("ns/op.p99", "unknown statistic 'p99' of ns/op; allowed: none: it is one number per run already"),
        ("region[db]", "region needs a statistic, as in region[NAME].max; allowed: count, total"),
        ("exec", "exec needs a statistic, as in exec.max; allowed: count, total"),
        ("goroutine-leak.total", "unknown statistic 'total' of goroutine-leak"),
    ],
)
def test_a_key_that_cannot_be_is_refused(text, message):
    """A refusal names what was found, what is allowed, and the nearest name."""
    with pytest.raises(UsageError) as caught:
        parse_key(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("region[db].p99", "expected NAME or NAME[SUBJECT] without a statistic, found 'region[db].p99'"),
        ("", "expected NAME or NAME[SUBJECT] without a statistic, found ''"),
        ("region", "region needs a name in brackets"),
        ("regio[db]", "unknown metric 'regio' (did you mean 'region'?)"),
    ],
)
def test_a_series_that_cannot_be_is_refused(text, message):
    """What a benchmark can have or lack is a metric and a subject, without a statistic."""
    with pytest.raises(UsageError) as caught:
        parse_series(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("ns/op", "ns"),
        ("B/op", "B"),
        ("allocs/op", "1"),
        ("custom[x]", "1"),
        ("region[db].p99", "ns"),
        ("sched-wait.total", "ns"),
        ("sched-wait.count", "1"),
        ("goroutine-leak.count", "1"),
    ],
)
def test_a_key_has_a_unit(text, unit):
    """A count is a plain number whatever it counts; every other number has the unit of its metric."""
    assert unit_of(parse_key(text)) == unit


def test_the_catalogue_can_be_extended():
    """A metric that is in the catalogue passed in can be named, and is unknown without it."""
    more = (*CATALOGUE, Metric(name="heap", unit="B", traced=True, about="live heap", statistics=("max",)))
    assert parse_key("heap.max", more) == Key(metric="heap", statistic="max")
    assert unit_of(parse_key("heap.max", more), more) == "B"
    with pytest.raises(UsageError, match="unknown metric 'heap'"):
        parse_key("heap.max")


def test_the_catalogue_names_each_metric_once():
    """Every row of the catalogue is found by its own name."""
    assert [find(metric.name) for metric in CATALOGUE] == list(CATALOGUE)


def test_nothing_is_suggested_for_a_word_like_no_other():
    """A suggestion is made only when there is something close."""
    assert nearest("xyzzy", ["ns/op", "region"]) == ""
    assert nearest("regoin", ["ns/op", "region"]) == " (did you mean 'region'?)"
