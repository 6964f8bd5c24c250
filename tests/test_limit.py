"""Limits: a short text means one thing, and says so when it means nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_gotrace.errors import UsageError
from pytest_gotrace.limit import Limit, parse_limit
from pytest_gotrace.metrics import CATALOGUE, Metric, parse_key

EXPECTED = "expected a limit such as '+15%', '+15% and 20us', '+20us', 'max 5ms' or 'off'"


@pytest.mark.parametrize(
    ("key", "text", "limit"),
    [
        ("ns/op", "+15%", Limit(relative=0.15, unit="ns")),
        ("ns/op", "+15 %", Limit(relative=0.15, unit="ns")),
        ("ns/op", "+ 7.5%", Limit(relative=0.075, unit="ns")),
        ("region[db].p99", "+30% and 20us", Limit(relative=0.3, absolute=20_000, unit="ns")),
        ("region[db].p99", "  +30%  and  20 µs ", Limit(relative=0.3, absolute=20_000, unit="ns")),
        ("region[db].p99", "+20us", Limit(absolute=20_000, unit="ns")),
        ("gc-pause.max", "max 5ms", Limit(cap=5e6, unit="ns")),
        ("gc-pause.max", "+15%, max 5ms", Limit(relative=0.15, cap=5e6, unit="ns")),
        ("gc-pause.max", "+15% and 1ms,max 5ms", Limit(relative=0.15, absolute=1e6, cap=5e6, unit="ns")),
        ("gc-pause.max", "+1ms, max 5ms", Limit(absolute=1e6, cap=5e6, unit="ns")),
        ("B/op", "+10% and 4KiB", Limit(relative=0.1, absolute=4096, unit="B")),
        ("goroutine-leak.count", "+3", Limit(absolute=3)),
        ("goroutine-leak.count", "+0", Limit(absolute=0)),
        ("goroutine-leak.count", "max 0", Limit(cap=0)),
        ("allocs/op", "+12k", Limit(absolute=12_000)),
        ("sync-block[chan send].count", "+20% and 3", Limit(relative=0.2, absolute=3)),
        ("custom[hits/op]", "-5%", Limit(relative=0.05, better="higher")),
        ("custom[hits/op]", "−5 %", Limit(relative=0.05, better="higher")),
        ("custom[hits/op]", "-5% and 2", Limit(relative=0.05, absolute=2, better="higher")),
        ("custom[misses/op]", "+5%", Limit(relative=0.05)),
        ("ns/op", "off", Limit(unit="ns")),
    ],
)
def test_short_limits_are_read(key, text, limit):
    """A short limit is a signed change with an optional floor, a cap, both, or `off`."""
    assert parse_limit(text, parse_key(key)) == limit
    assert parse_limit(str(limit), parse_key(key)) == limit


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("ns/op", "", f"{EXPECTED}, found nothing"),
        ("ns/op", "fast", f"{EXPECTED}, found 'fast'"),
        ("ns/op", "15%", f"{EXPECTED}, found '15%': write '+15%' if it may grow by that"),
        (
            "ns/op",
            "20us",
            f"{EXPECTED}, found '20us': write '+20us' if it may grow by that, "
            "or 'max 20us' if it must not be above that",
        ),
        (
            "allocs/op",
            "3",
            "expected a limit such as '+15%', '+15% and 3', '+3', 'max 100' or 'off', found '3': "
            "write '+3' if it may grow by that, or 'max 3' if it must not be above that",
        ),
        ("ns/op", "+15", "a number alone could be percent or a quantity: write +15% or +15us, found '+15'"),
        ("B/op", "+15", "a number alone could be percent or a quantity: write +15% or +15KiB, found '+15'"),
        (
            "ns/op",
            "+15 and 20us",
            "expected a percentage before 'and', as in '+15% and …', found '+15 and 20us'",
        ),
        ("ns/op", "+20us and 15%", f"{EXPECTED}, found '+20us and 15%': the percentage comes before 'and'"),
        ("ns/op", "+15% and +20us", f"{EXPECTED}, found '+15% and +20us': the part after 'and' has no sign"),
        ("ns/op", "+15% and 20ux", "expected a time such as 20us, found '20ux'; units: ns, us, ms, s, m, h"),
        ("ns/op", "+15% and 4KiB", "expected a time such as 20us, found '4KiB', which is a size; units: ns"),
        (
            "B/op",
            "+15% and 20us",
            "expected a size such as 64KiB, found '20us', which is a time; units: B, KiB",
        ),
        ("exec.count", "+15% and 20us", "expected a plain number such as 3, found '20us', which is a time"),
        ("exec.p99", "+15% and 3", "expected a time such as 20us, found '3', which is a plain number"),
        ("ns/op", "+15%%", "expected a percentage such as 10%, found '15%%'"),
        ("ns/op", "+-15%", "expected a percentage such as 10%, found '-15%'"),
        ("ns/op", "+1,5%", f"{EXPECTED}, found '+1,5%': a change comes first, then one 'max'"),
        ("ns/op", "+15%,", f"{EXPECTED}, found '+15%,': a change comes first, then one 'max'"),
        ("ns/op", "+15% max 5ms", f"{EXPECTED}, found '+15% max 5ms': 'max' has no sign and follows a comma"),
        ("ns/op", "+max 5ms", f"{EXPECTED}, found '+max 5ms': 'max' has no sign and follows a comma"),
        (
            "ns/op",
            "max 5ms, +15%",
            f"{EXPECTED}, found 'max 5ms, +15%': a change comes first, then one 'max'",
        ),
        ("ns/op", "max 5ms, max 6ms", f"{EXPECTED}, found 'max 5ms, max 6ms': a change comes first, then"),
        ("ns/op", "+5%, max 5ms, max 6ms", "a change comes first, then one 'max'"),
        ("ns/op", "max +5ms", "expected 'max' and a quantity alone, as in 'max 5ms', found 'max +5ms'"),
        ("ns/op", "max 5%", "expected 'max' and a quantity alone, as in 'max 5ms', found 'max 5%'"),
        ("ns/op", "max5ms", "expected 'max' and a quantity alone, as in 'max 5ms', found 'max5ms'"),
        ("ns/op", "max 5", "expected a time such as 20us, found '5', which is a plain number"),
        ("ns/op", "max", "expected a time such as 20us, found ''; units"),
        ("ns/op", "+", "expected a time such as 20us, found ''; units"),
        ("ns/op", "-5%", "lower is better for ns/op, so its limit is written '+…' or max_increase"),
        ("custom[hits/op]", "-5%, max 5", "'max' is for what should stay low, but here higher is better"),
        ("custom[hits/op]", "-100%", "a fall of 100% leaves nothing to measure; write less than 100%"),
        ("ns/op", "+0%", "a budget of 0% leaves no room for noise; write 'off' to switch the rule off"),
        ("exec.count", "+10% and 0", "a floor of 0 is none; leave it out"),
        ("ns/op", "+0us", "a time is never exactly the same, so its budget cannot be 0"),
        ("ns/op", "max 0s", "a time is never exactly the same, so its budget cannot be 0"),
    ],
)
def test_what_is_no_limit_is_refused(key, text, message):
    """A refusal says what was expected, what was found, and what to write instead."""
    with pytest.raises(UsageError) as caught:
        parse_limit(text, parse_key(key))
    assert message in str(caught.value)


def test_a_metric_that_is_better_when_higher_takes_a_minus():
    """The sign of a limit has to agree with the direction that the catalogue calls good."""
    more = (
        *CATALOGUE,
        Metric(name="hits", unit="1", traced=True, about="", better="higher", statistics=("count",)),
    )
    key = parse_key("hits.count", more)
    assert parse_limit("-5%", key, more) == Limit(relative=0.05, better="higher")
    with pytest.raises(
        UsageError, match=r"higher is better for hits, so its limit is written '-…' or max_decrease"
    ):
        parse_limit("+5%", key, more)
    with pytest.raises(UsageError, match="'max' is for what should stay low"):
        parse_limit("max 5", key, more)


@settings(derandomize=True)
@given(
    st.none() | st.integers(min_value=1, max_value=10**6),
    st.none() | st.floats(min_value=1e-6, max_value=1e15),
    st.none() | st.floats(min_value=1e-6, max_value=1e15),
    st.sampled_from(["ns/op", "B/op", "allocs/op"]),
)
def test_the_text_of_a_limit_reads_back(thousandths, absolute, cap, metric):
    """Whatever a limit is, its text is read as the same limit."""
    key = parse_key(metric)
    unit = {"ns/op": "ns", "B/op": "B", "allocs/op": "1"}[metric]
    relative = float(f"{thousandths}e-5") if thousandths else None
    limit = Limit(relative=relative, absolute=absolute, cap=cap, unit=unit)
    assert parse_limit(str(limit), key) == limit
    assert limit.off == (str(limit) == "off")
