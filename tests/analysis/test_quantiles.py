"""Quantiles over replications: which ordered values bound them, and what few values cannot say."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from simulator.analysis.quantiles import quantile, ranks
from simulator.analysis.statistics import ONE


def chance_below(count, n, share):
    """The chance that fewer than *count* of *n* values lie below the quantile, exactly."""
    p = Fraction(share)
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(count))


@settings(deadline=None)
@given(strategies.integers(2, 120), strategies.sampled_from([0.05, 0.25, 0.5, 0.9, 0.95, 0.99]))
def test_each_side_is_missed_at_most_one_time_in_forty_and_no_closer_ranks_do(n, share):
    """The r-th value lies above the quantile if fewer than r do not exceed it."""
    tail = Fraction(1, 40)
    below, above = ranks(n, share)
    assert chance_below(below, n, share) <= tail < chance_below(below + 1, n, share)
    assert 1 - chance_below(above, n, share) <= tail < 1 - chance_below(above - 1, n, share)


def test_the_median_of_ten_lies_between_the_second_and_the_ninth():
    """P(B < 2) = 11/1024 and P(B < 3) = 56/1024, on either side."""
    found = quantile(np.arange(10.0, 0.0, -1.0), 0.5, unit="s")
    assert (found.mean, found.ci_low, found.ci_high, found.n) == (5.0, 2.0, 9.0, 10)
    assert found.note is None


@pytest.mark.parametrize(("n", "top"), [(71, 1.0), (72, 0.71)])
def test_the_95_percent_quantile_has_an_upper_bound_from_72_values_on(n, top):
    """0.95^71 = 0.0262 and 0.95^72 = 0.0249."""
    found = quantile(np.arange(n) / 100, 0.95, unit="1", high=1.0)
    assert found.ci_high == top
    assert (found.note is None) == (n == 72)


def test_a_side_without_a_bound_has_that_of_what_is_possible_and_says_so():
    found = quantile(np.arange(1.0, 6.0), 0.5, unit="s")
    assert (found.ci_low, found.ci_high) == (0.0, None)
    assert found.note == "5 replications are too few for a 95 % bound: no upper or lower one"
    found = quantile(np.arange(1.0, 31.0), 0.95, unit="s")
    assert (found.ci_low, found.ci_high) == (26.0, None)
    assert found.note.endswith("no upper one")
    found = quantile(np.arange(1.0, 31.0), 0.05, unit="s")
    assert (found.ci_low, found.ci_high) == (0.0, 5.0)
    assert found.note.endswith("no lower one")


def test_undefined_values_are_left_out():
    found = quantile(np.array([math.nan, 3.0, math.nan]), 0.5, unit="s")
    assert (found.mean, found.ci_low, found.n, found.note) == (3.0, None, 1, ONE)
    found = quantile(np.full(4, math.nan), 0.5, unit="s", reason="no routers")
    assert (found.mean, found.n, found.reason) == (None, 0, "no routers")


@pytest.mark.parametrize("share", [0.0, 1.0, 95.0, math.nan])
def test_a_share_lies_between_0_and_1(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(np.arange(3.0), share, unit="s")


@settings(deadline=None)
@given(strategies.integers(2, 300), strategies.floats(0.01, 0.99), strategies.integers(0, 99))
def test_the_quantile_lies_in_its_interval(n, share, seed):
    found = quantile(np.random.default_rng(seed).exponential(size=n), share, unit="s")
    assert found.ci_low <= found.mean
    assert found.ci_high is None or found.mean <= found.ci_high
