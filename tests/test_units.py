"""Units: every text has one meaning, and every number one text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_gotrace.errors import UsageError
from pytest_gotrace.units import (
    UNITS,
    Quantity,
    format_change,
    format_differences,
    format_duration,
    format_interval,
    format_pair,
    format_quantity,
    parse_percent,
    parse_quantity,
    percent_text,
    scale_for,
)

VALUES = st.floats(min_value=0, max_value=1e15, allow_nan=False, allow_subnormal=False)
TIMES = "; units: ns, us, ms, s, m, h"
SIZES = "; units: B, KiB, MiB, GiB, kB, MB, GB"

BASES = st.sampled_from(["ns", "B", "1"])


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("20us", 20_000, "ns"),
        ("20 us", 20_000, "ns"),
        ("20µs", 20_000, "ns"),
        ("20μs", 20_000, "ns"),
        ("0.07ms", 70_000, "ns"),
        ("5ms", 5e6, "ns"),
        ("1.5s", 1.5e9, "ns"),
        ("10m", 600e9, "ns"),
        ("10 min", 600e9, "ns"),
        ("1h", 3600e9, "ns"),
        ("1m30s", 90e9, "ns"),
        ("1 min 20 s", 80e9, "ns"),
        ("7ns", 7, "ns"),
        ("64MiB", 64 * 2**20, "B"),
        ("2KiB", 2048, "B"),
        ("1GiB", 2**30, "B"),
        ("3kB", 3000, "B"),
        ("3MB", 3e6, "B"),
        ("512B", 512, "B"),
        ("3", 3, "1"),
        ("0", 0, "1"),
        ("12k", 12_000, "1"),
    ],
)
def test_quantities_are_read(text, value, unit):
    """A quantity is a number and a unit, and becomes nanoseconds, bytes or a plain number."""
    assert parse_quantity(text) == Quantity(value=value, unit=unit)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("20ux", "ns", f"expected a time such as 20us, found '20ux'{TIMES}"),
        ("20", "ns", f"expected a time such as 20us, found '20', which is a plain number{TIMES}"),
        ("20MiB", "ns", f"expected a time such as 20us, found '20MiB', which is a size{TIMES}"),
        ("20us", "B", f"expected a size such as 64KiB, found '20us', which is a time{SIZES}"),
        ("20us", "1", "expected a plain number such as 3, found '20us', which is a time; units: k, M, G"),
        ("", None, "expected a quantity such as 20us, 64KiB or 3, found ''"),
        ("us", None, "expected a quantity such as 20us, 64KiB or 3, found 'us'"),
        ("-20us", "ns", f"expected a time such as 20us, found '-20us'{TIMES}"),
        ("1,5us", "ns", f"expected a time such as 20us, found '1,5us'{TIMES}"),
        ("1 000us", "ns", f"expected a time such as 20us, found '1 000us'{TIMES}"),
        ("30s1m", "ns", f"expected a time such as 20us, found '30s1m'{TIMES}"),
        ("1MiB2KiB", "B", f"expected a size such as 64KiB, found '1MiB2KiB'{SIZES}"),
        ("1.2.3s", "ns", f"expected a time such as 20us, found '1.2.3s'{TIMES}"),
        ("٣us", "ns", f"expected a time such as 20us, found '٣us'{TIMES}"),
        ("nan", None, "expected a quantity such as 20us, 64KiB or 3, found 'nan'"),
    ],
)
def test_what_is_no_quantity_is_refused(text, unit, message):
    """A refusal says what was expected, what was found, and which units there are."""
    with pytest.raises(UsageError) as caught:
        parse_quantity(text, unit)
    assert str(caught.value) == message


def test_a_quantity_of_absurd_length_is_refused_at_once():
    """No text makes reading slow: what is longer than any sensible quantity is refused unread."""
    with pytest.raises(UsageError, match="expected a quantity") as caught:
        parse_quantity("1" * 1_000_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (20_000, "ns", "20us"),
        (600e9, "ns", "10m"),
        (90e9, "ns", "90s"),
        (500_000, "ns", "500us"),
        (1500, "B", "1500B"),
        (12_500, "B", "12500B"),
        (64 * 2**20, "B", "64MiB"),
        (3, "1", "3"),
        (0, "ns", "0s"),
        (0.25, "1", "0.25"),
    ],
)
def test_a_quantity_is_written_in_the_shortest_exact_way(value, unit, text):
    """The text of a quantity is plain ASCII, exact, and as short as the table allows."""
    assert str(Quantity(value=float(value), unit=unit)) == text


@settings(derandomize=True)
@given(VALUES, BASES)
def test_a_written_quantity_reads_back(value, unit):
    """What `str` writes of a quantity, `parse_quantity` reads as the same quantity."""
    quantity = Quantity(value=value, unit=unit)
    text = str(quantity)
    if len(text) <= 64:
        assert parse_quantity(text) == quantity
    else:
        assert value < 1e-30


@settings(derandomize=True)
@given(st.floats(min_value=0.001, max_value=1e15), BASES)
def test_a_formatted_quantity_reads_back_within_its_digits(value, unit):
    """What a person sees of a quantity is that quantity to three significant digits."""
    shown = parse_quantity(format_quantity(value, unit))
    assert shown.unit == unit
    assert shown.value == pytest.approx(value, rel=0.005)


@settings(derandomize=True)
@given(st.floats(min_value=1, max_value=1e13), BASES)
def test_a_formatted_quantity_is_short(value, unit):
    """A quantity shows at most four digits before the point, and three significant ones."""
    number = format_quantity(value, unit).split()[0]
    largest = max(
        (row for row in UNITS if row.base == unit and row.shown is not None), key=lambda row: row.factor
    )
    if value < 1000 * largest.factor:
        assert len(number.replace(".", "")) <= 4


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (20_000, "ns", "20 µs"),
        (4_200, "ns", "4.2 µs"),
        (412_345, "ns", "412 µs"),
        (999_960, "ns", "1 ms"),
        (0.4, "ns", "0.4 ns"),
        (80e9, "ns", "80 s"),
        (0, "ns", "0 ns"),
        (-3_200, "ns", "−3.2 µs"),
        (1023, "B", "1023 B"),
        (1023.7, "B", "1 KiB"),
        (1536, "B", "1.5 KiB"),
        (1234, "1", "1234"),
        (12_345, "1", "12.3 k"),
        (2.5, "1", "2.5"),
        (0.00000123, "1", "1.23e-06"),
        (0, "1", "0"),
        (-1e-9, "1", "−1e-09"),
        (math.nan, "ns", "n/a"),
        (math.inf, "B", "n/a"),
    ],
)
def test_quantities_are_shown_with_three_digits_and_a_fitting_unit(value, unit, text):
    """A person reads `4.2 µs`, not 4200.0 and not 4.200000 µs."""
    assert format_quantity(value, unit) == text


@pytest.mark.parametrize(
    ("base", "head", "unit", "texts"),
    [
        (412_000, 689_000, "ns", ("412 µs", "689 µs")),
        (900_000, 1_100_000, "ns", ("0.9 ms", "1.1 ms")),
        (4_200, 15_300, "ns", ("4.2 µs", "15.3 µs")),
        (4_210, 15_300, "ns", ("4.21 µs", "15.30 µs")),
        (0, 4_200, "ns", ("0.0 µs", "4.2 µs")),
        (0, 0, "ns", ("0 ns", "0 ns")),
        (10.0, 10.0, "1", ("10", "10")),
        (10.01, 10.04, "1", ("10.01", "10.04")),
        (412_100, 412_300, "ns", ("412.1 µs", "412.3 µs")),
        (1234, 1236, "1", ("1234", "1236")),
        (12_345, 12_346, "1", ("12.345 k", "12.346 k")),
        (800, 1_200_000, "ns", ("800 ns", "1.2 ms")),
        (65_300, 1_541_200, "ns", ("65.3 µs", "1.54 ms")),
        (1_230, 560_000, "ns", ("1.23 µs", "560 µs")),
        (9_950, 10_200, "1", ("9.95 k", "10.20 k")),
        (-5, 5, "1", ("−5", "5")),
        (math.nan, 4_200, "ns", ("n/a", "4.2 µs")),
    ],
)
def test_a_pair_shares_its_unit_and_its_digits(base, head, unit, texts):
    """Base and head are comparable by eye, and never read the same when they differ visibly."""
    assert format_pair(base, head, unit) == texts


@settings(derandomize=True)
@given(st.floats(min_value=1, max_value=1e12), st.floats(min_value=1, max_value=9.99), BASES)
def test_a_pair_agrees_in_unit_and_decimals(base, ratio, unit):
    """Both texts of a pair less than tenfold apart end in the same unit after the same number of decimals."""
    shapes = {
        (text.partition(" ")[2], len(text.partition(" ")[0].partition(".")[2]))
        for text in format_pair(base, base * ratio, unit)
    }
    assert len(shapes) == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (0.14, "+14 %"),
        (-0.032, "−3.2 %"),
        (0.0, "0 %"),
        (0.0001, "0 %"),
        (0.0996, "+10 %"),
        (0.0994, "+9.9 %"),
        (4.12, "+412 %"),
        (11.0, "×12"),
        (9.0, "×10"),
        (-0.5, "−50 %"),
        (-0.99996, "−99.9 %"),
        (-1.0, "−100 %"),
        (math.inf, "×∞"),
        (math.nan, "n/a"),
    ],
)
def test_changes_are_shown_signed(change, text):
    """A change has a sign, becomes a factor when it is huge, and reads −100 % only when nothing is left."""
    assert format_change(change) == text


@pytest.mark.parametrize(
    ("interval", "texts"),
    [
        ((0.67, 0.41, 0.98), ("+67 %", "+41 %", "+98 %")),
        ((8.75, 4.0, 12.0), ("+875 %", "+400 %", "+1200 %")),
        ((9.75, 7.5, 12.0), ("×11", "×8.5", "×13")),
        ((11.0, -0.5, math.inf), ("×12", "×0.5", "×∞")),
        ((0.1, -0.2, math.inf), ("+10 %", "−20 %", "×∞")),
    ],
)
def test_an_interval_has_one_form(interval, texts):
    """A change and the ends of its interval are all percentages or all factors, as fits the change."""
    assert format_interval(*interval) == texts


@pytest.mark.parametrize(
    ("values", "unit", "texts"),
    [
        ((500, -700, 1_700), "ns", ("+0.5 µs", "−0.7 µs", "+1.7 µs")),
        ((2048, 512, 3072), "B", ("+2.0 KiB", "+0.5 KiB", "+3.0 KiB")),
        ((8800, 8790, 8810), "1", ("+8800", "+8790", "+8810")),
        ((0, 0, 0), "ns", ("0 ns", "0 ns", "0 ns")),
        ((1, -1, 2e6), "ns", ("0 ms", "0 ms", "+2 ms")),
        ((math.nan, 0, 1), "1", ("n/a", "0", "+1")),
    ],
)
def test_differences_have_one_unit(values, unit, texts):
    """A difference and the ends of its interval share unit and decimals, so that they can be compared by eye."""
    assert format_differences(values, unit) == texts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-1, "0 s"),
        (0.42, "0.4 s"),
        (4.2, "4.2 s"),
        (9.97, "10 s"),
        (59.7, "1 min"),
        (80, "1 min 20 s"),
        (120, "2 min"),
        (3599.8, "1 h"),
        (7500, "2 h 5 min"),
        (3600 + 59 * 60 + 45, "2 h"),
        (math.inf, "n/a"),
    ],
)
def test_durations_are_shown_in_two_parts(seconds, text):
    """A waiting person reads minutes and seconds, or hours and minutes."""
    assert format_duration(seconds) == text


@pytest.mark.parametrize(("text", "fraction"), [("10%", 0.1), ("7.5 %", 0.075), ("0%", 0.0), ("250%", 2.5)])
def test_percentages_are_read(text, fraction):
    """A percentage becomes a fraction."""
    assert parse_percent(text) == fraction


@pytest.mark.parametrize("text", ["10", "+10%", "%", "ten%", "1e2%", "", "10%%", "9" * 40 + "%"])
def test_what_is_no_percentage_is_refused(text):
    """A percentage needs its sign of percent, and nothing else."""
    with pytest.raises(UsageError, match="expected a percentage such as 10%, found"):
        parse_percent(text)


@settings(derandomize=True)
@given(st.integers(min_value=0, max_value=10**7))
def test_a_written_percentage_reads_back(thousandths):
    """What `percent_text` writes, `parse_percent` reads as the same fraction."""
    fraction = parse_percent(f"{thousandths / 1000:.3f}%")
    assert parse_percent(percent_text(fraction)) == fraction


@pytest.mark.parametrize(
    ("values", "unit", "scale"),
    [
        ((405e3, 1_200.0), "ns", (1000, "µs")),
        ((-3e6, 1.0), "ns", (10**6, "ms")),
        ((2.0**21,), "B", (2**20, "MiB")),
        ((math.inf, 5.0), "1", (1, "")),
        ((), "ns", (1, "ns")),
    ],
)
def test_scale_of_an_axis(values, unit, scale):
    """An axis has the unit that fits the largest of its finite values."""
    assert scale_for(values, unit) == scale
