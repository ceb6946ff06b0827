"""The clock's grid: sums of times are exact."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import EXACT_LIMIT, TICK, TICKS_PER_SECOND, Rank, quantize

times = st.floats(0, EXACT_LIMIT / 4)


@given(times, times)
def test_now_plus_two_periods_is_start_plus_twice_the_period(start, period):
    start, period = quantize(start), quantize(period)
    assert start + period + period == start + 2 * period
    assert Fraction(start + period) == Fraction(start) + Fraction(period)
    assert start + period - start == period


@given(times, st.integers(0, 1000))
def test_many_small_steps_end_where_one_large_step_does(start, steps):
    """0.1 s is not on the grid, its nearest neighbour is: no drift after 1000 steps."""
    now, period = quantize(start), quantize(0.1)
    for _ in range(steps):
        now += period
    assert now == quantize(start) + steps * period


@pytest.mark.parametrize("limit", [EXACT_LIMIT - TICK, 250 * 365 * 86_400.0])
def test_a_tick_still_counts_at_the_limit(limit):
    assert quantize(limit) == limit
    assert limit + TICK - limit == TICK


def test_beyond_the_limit_it_no_longer_does():
    """2**33 + 2**-20 needs 54 bits."""
    assert EXACT_LIMIT == 2.0**33
    assert EXACT_LIMIT + TICK == EXACT_LIMIT


@given(st.floats(-EXACT_LIMIT, EXACT_LIMIT))
def test_quantize_goes_to_the_nearest_tick_and_stays_there(seconds):
    near = quantize(seconds)
    assert abs(Fraction(near) - Fraction(seconds)) <= Fraction(TICK) / 2
    assert Fraction(near) * TICKS_PER_SECOND % 1 == 0
    assert quantize(near) == near


def test_infinity_stays():
    assert quantize(math.inf) == math.inf
    assert quantize(-math.inf) == -math.inf


def test_a_microsecond_does_not_vanish():
    """One tick is 0.95 us; half a tick or less rounds to nothing."""
    assert TICK == 2.0**-20
    assert quantize(1e-6) == TICK
    assert quantize(TICK / 2.1) == 0


def test_faults_come_before_repairs_messages_and_those_who_look():
    names = ["FAIL", "REPAIR", "CONNECT", "EMIT", "DELIVER", "AGENT", "REQUEST", "CHECK"]
    assert [rank.name for rank in sorted(Rank)] == names
