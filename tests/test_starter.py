"""The first budget: generous enough to be quiet, and always a budget."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_gotrace.budget import load
from pytest_gotrace.limit import Limit
from pytest_gotrace.metrics import Key, parse_key
from pytest_gotrace.starter import starting_budget, starting_limit

NUMBERS = st.floats(min_value=0, max_value=1e15)
#: What means something in YAML or in a key, what cannot be printed, and names that are too long.
ALPHABET = st.sampled_from("aZ09 _-.:,;#'\"\\/[]{}()*&!|>?%@`~=<µ日\n\x1b")
NAMES = st.text(ALPHABET, min_size=1, max_size=30) | st.just("n" * 600)
KEYS = st.one_of(
    st.builds(lambda name: Key(metric="region", subject=name, statistic="p99"), NAMES),
    st.builds(lambda name: Key(metric="custom", subject=name), NAMES),
    st.sampled_from([parse_key("ns/op"), parse_key("sched-wait.total"), parse_key("gc-pause.count")]),
)


@pytest.mark.parametrize(
    ("key", "value", "spread", "text"),
    [
        ("ns/op", 1.2e6, 0.01, "+10%"),
        ("ns/op", 1.2e6, 0.05, "+15%"),
        ("ns/op", 1.2e6, 0.051, "+20%"),
        ("ns/op", 1.2e6, math.nan, "+25%"),
        ("allocs/op", 0, 0, "+10%"),
        ("region[db].p99", 412e3, 0.1, "+30% and 1us"),
        ("sync-block[chan send].total", 5.3e6, 0.1, "+30% and 260us"),
        ("sync-block[chan send].total", 1e3, 0.1, "+30% and 1us"),
        ("sync-block[chan send].count", 300, 0.1, "+30% and 3"),
        ("goroutine-leak.count", 0, 0, "+10% and 3"),
        ("custom[MB/s]", 300, 0.02, "-10%"),
        ("custom[MB/s]", 300, 5, "-95%"),
        ("custom[hits/op]", 300, 0.02, "+10%"),
        ("ns/op", 300, 1e9, "+1000%"),
    ],
)
def test_a_limit_is_three_spreads_and_at_least_ten_percent(key, value, spread, text):
    """A first limit is max(10 %, three spreads) in steps of 5 %, over a floor that fits the unit."""
    assert str(starting_limit(parse_key(key), value, spread)) == text


def test_the_file_says_what_was_seen(tmp_path):
    """Each line carries its measurement; what is too noisy warns; what cannot be written is counted."""
    rows = [
        ("pool/BenchmarkPool", parse_key("ns/op"), 1.2e6, 0.02),
        ("BenchmarkRoot", parse_key("region[a: b].p99"), 412e3, 0.2),
        ("BenchmarkRoot", parse_key("custom[MB/s]"), 312.0, 0.4),
        ("pool/BenchmarkPool", parse_key("exec.p50"), math.nan, 0.2),
        ("pool/BenchmarkPool", parse_key("sched-wait.count"), 30, math.nan),
    ]
    text = starting_budget(rows)
    assert text.partition("budgets:\n")[2].splitlines() == [
        '  "BenchmarkRoot":',
        '    "region[a: b].p99": {max_increase: 60%, floor: 1us, level: warn}  '
        "# 412 µs, runs spread by 20 %, too noisy to fail on",
        "    custom[MB/s]: {max_decrease: 95%, level: warn}  "
        "# 312, runs spread by 40 %, too noisy to fail on",
        '  "pool/BenchmarkPool":',
        "    ns/op: +10%  # 1.2 ms, runs spread by 2.0 %",
        "    sched-wait.count: +25% and 3  # 30, one run",
        "# left out: 1 without a number, or with a name that cannot stand here",
    ]
    path = tmp_path / "gotrace.yaml"
    path.write_text(text, encoding="utf-8")
    assert [(rule.text, rule.level) for rule in load(path).rules] == [
        ("region[a: b].p99: +60% and 1us", "warn"),
        ("custom[MB/s]: -95%", "warn"),
        ("ns/op: +10%", "fail"),
        ("sched-wait.count: +25% and 3", "fail"),
    ]


@settings(derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(NAMES, KEYS, NUMBERS, NUMBERS | st.just(math.nan)),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_was_measured_the_file_is_a_budget(tmp_path_factory, measured):
    """The written file is read back as one rule for each benchmark and key that can stand in a file."""
    kept = {
        (name, key): starting_limit(key, value, spread)
        for name, key, value, spread in measured
        if all(text.isprintable() and len(text) <= 500 for text in (name, str(key)))
    }
    if not kept:
        return
    path = tmp_path_factory.mktemp("budget") / "gotrace.yaml"
    path.write_text(starting_budget(measured), encoding="utf-8")
    limits: dict[tuple[str, Key], Limit] = {
        (rule.benchmark_glob, rule.key): rule.limit for rule in load(path).rules
    }
    assert limits == kept
