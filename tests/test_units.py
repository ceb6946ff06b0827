"""Quantities: every unit, what is refused and how, and how numbers are shown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import units

DAY = 86_400.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3us", 3e-6),
        ("250ms", 0.25),
        ("90s", 90.0),
        ("5min", 300.0),
        ("1000h", 3_600_000.0),
        ("2d", 2 * DAY),
        ("1w", 7 * DAY),
        ("1y", 365 * DAY),
        (" 1.5 h ", 5400.0),
        ("1e3s", 1000.0),
        (".5min", 30.0),
        ("-4s", -4.0),  # the schema, not the parser, says where a sign makes sense
        ("010s", 10.0),
    ],
)
def test_each_unit_of_time_in_seconds(text, seconds):
    assert units.duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "bps"),
    [
        ("8bps", 8.0),
        ("1kbps", 1e3),
        ("100Mbps", 1e8),
        ("10Gbps", 1e10),
        ("1Tbps", 1e12),
        ("10Gbit/s", 1e10),
        ("3bit/s", 3.0),
        ("1B/s", 8.0),
        ("100MB/s", 8e8),
        ("1TB/s", 8e12),
    ],
)
def test_the_capital_b_means_bytes_of_eight_bits(text, bps):
    assert units.bit_rate(text) == bps


@pytest.mark.parametrize("text", ["10gbps", "10GBps", "10Gb/s", "10mbps", "10gb/s"])
def test_the_case_of_a_unit_counts(text):
    with pytest.raises(ValueError, match=r"unknown unit '.*'; allowed: .*Gbps"):
        units.bit_rate(text)


def test_packets_sizes_and_frequencies():
    assert units.packet_rate("130kpps") == 130_000
    assert units.packet_rate("2Mpps") == 2e6
    assert units.packet_rate("7pps") == 7
    assert units.size("1500B") == 1500
    assert units.size("9kB") == 9000
    assert units.frequency("365/y") == 1 / DAY
    assert units.frequency("2/d") == 2 / DAY
    assert units.frequency("7/w") == 1 / DAY
    assert units.frequency("60/h") == 1 / 60
    assert units.frequency("3/min") == 1 / 20
    assert units.frequency("5/s") == 5


@pytest.mark.parametrize("text", ["1/ms", "1/us", "3", "s"])
def test_frequencies_go_by_the_second_or_longer(text):
    with pytest.raises(ValueError, match=r"frequency|allowed: /s, /min, /h, /d, /w, /y|no unit"):
        units.frequency(text)


@pytest.mark.parametrize("zero", [0, 0.0, "0", " 0.0 "])
@pytest.mark.parametrize(
    "parse", [units.duration, units.bit_rate, units.packet_rate, units.size, units.frequency]
)
def test_zero_needs_no_unit(parse, zero):
    assert parse(zero) == 0


@pytest.mark.parametrize("bare", [5, "5", 0.5, "1e-300"])
def test_any_other_number_needs_one(bare):
    with pytest.raises(ValueError, match=f"'{bare}' has no unit; allowed: us, ms, s, min, h"):
        units.duration(bare)


@pytest.mark.parametrize("text", ["5m", "5 m", "0m"])
def test_m_is_refused_with_a_hint(text):
    with pytest.raises(ValueError, match="'m' is ambiguous: write 'min' for minutes"):
        units.duration(text)


def test_the_hint_for_m_is_for_times_only():
    with pytest.raises(ValueError, match="unknown unit 'm'; allowed: B, kB"):
        units.size("5m")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("99.95%", 0.9995),
        ("99.9%", 0.999),  # exactly: 99.9 / 100 is 0.9990000000000001
        ("99.999%", 0.99999),
        (0.9995, 0.9995),
        ("0.25", 0.25),
        ("100 %", 1.0),
        (1, 1.0),
        (0, 0.0),
        ("0%", 0.0),
    ],
)
def test_shares(value, number):
    assert units.share(value) == number


@pytest.mark.parametrize("value", [99.95, "99.95", 1.0001, "101%", -0.1, "-1%"])
def test_a_bare_percentage_is_no_share(value):
    with pytest.raises(ValueError, match=r"is not between 0 and 1; write '99\.95%' or 0\.9995"):
        units.share(value)


def test_a_share_has_no_other_unit():
    with pytest.raises(ValueError, match=r"unknown unit 's'; allowed: %$"):
        units.share("5s")


@pytest.mark.parametrize("value", [True, False, None, [], {}, object(), b"5s", 5j])
def test_other_types_are_refused_with_an_example(value):
    with pytest.raises(ValueError, match="expected a duration such as '90s'"):
        units.duration(value)


@pytest.mark.parametrize(
    "text",
    ["", "s", "1:30", "1h30min", "5 min 3 s", "--5s", "1,5s", "0x10s", "five s", "5s\n6s", "1e s"],
)
def test_text_that_is_no_quantity(text):
    with pytest.raises(ValueError, match=r"is not a duration; write it like '90s'|unknown unit"):
        units.duration(text)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, "inf", "nan s", ".inf"])
def test_infinity_and_nan_are_refused(value):
    with pytest.raises(ValueError, match="is not a duration"):
        units.duration(value)


@pytest.mark.parametrize("text", ["1e999s", "1e308y", "-1e308h"])
def test_overflow_is_refused_even_if_the_unit_brings_it(text):
    with pytest.raises(ValueError, match="is too large a duration"):
        units.duration(text)


@pytest.mark.parametrize("hard", ["1" * 100_000 + "!", "1" + " " * 100_000 + "!", "9" * 100_000])
def test_long_text_takes_no_longer_than_its_length(hard):
    """A pattern that backtracks would need 10**10 steps, minutes."""
    with pytest.raises(ValueError, match=r"duration|no unit"):
        units.duration(hard)


@given(st.floats(0, 1e15))
def test_what_a_scenario_is_dumped_as_reads_back_exactly(number):
    assert units.duration(f"{number!r}s") == number
    assert units.bit_rate(f"{number!r}bps") == number
    assert units.frequency(f"{number!r}/s") == number


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (2.5e-6, "2.5 us"),
        (0.25, "250 ms"),
        (3.25, "3.25 s"),
        (119, "119 s"),
        (120, "2 min"),
        (744, "12.4 min"),
        (7199, "120 min"),
        (8316, "2.31 h"),
        (71 * 3600, "71 h"),
        (5 * DAY, "5 d"),
        (730 * DAY, "2 y"),
        (-744, "-12.4 min"),
        (math.inf, "inf y"),
    ],
)
def test_durations_for_people(seconds, text):
    assert units.format_duration(seconds) == text


@pytest.mark.parametrize(
    ("bps", "text"),
    [
        (0, "0 bps"),
        (999, "999 bps"),
        (4500, "4.5 kbps"),
        (4.5e6, "4.5 Mbps"),
        (4.5e9, "4.5 Gbps"),
        (-1e12, "-1 Tbps"),
    ],
)
def test_bit_rates_for_people(bps, text):
    assert units.format_bit_rate(bps) == text
