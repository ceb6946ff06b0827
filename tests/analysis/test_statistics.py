"""Estimates: known intervals, what nothing seen means, and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.statistics import difference, estimate, rule_of_three


def test_t_interval_is_scipys():
    values = np.array([0.3, 0.5, 0.45, 0.62, 0.4])
    found = estimate(values, unit="1", high=None)
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (found.mean, found.ci_low, found.ci_high) == pytest.approx((values.mean(), low, high))
    assert found.n == 5


def test_undefined_is_null_with_a_reason():
    found = estimate(np.array([math.nan, math.nan]), unit="s", high=None, reason="no outage")
    assert found.as_dict() == {"mean": None, "reason": "no outage", "n": 0, "unit": "s"}


def test_replications_without_a_value_are_left_out():
    found = estimate(np.array([1.0, math.nan, 3.0]), unit="s", high=None)
    assert (found.mean, found.n) == (2.0, 2)


def test_one_replication_gives_no_interval():
    found = estimate(np.array([0.5]), unit="1", high=1.0)
    assert (found.mean, found.ci_low, found.ci_high) == (0.5, None, None)


def test_rule_of_three():
    """0.95 = 1 - (1 - p)^n: 1 - 0.05^(1/200) = 0.014867, about 3/200."""
    assert rule_of_three(200) == pytest.approx(0.0148671, abs=1e-6)


@pytest.mark.parametrize("high", [1.0, 500.0])
def test_nothing_seen_is_an_upper_bound(high):
    found = estimate(np.zeros(200), unit="s", high=high)
    assert (found.mean, found.ci_low) == (0.0, 0.0)
    assert found.ci_high == pytest.approx(high * rule_of_three(200))
    certain = estimate(np.full(200, high), unit="s", high=high)
    assert certain.ci_low == pytest.approx(high * (1 - rule_of_three(200)))


def test_nothing_seen_without_a_largest_value_says_so():
    found = estimate(np.zeros(100), unit="s", high=None)
    assert (found.ci_low, found.ci_high) == (0.0, None)
    assert found.note == "seen in none of 100 replications: in at most 3 % of them"
    assert found.unseen


def test_events_never_seen_are_bounded_by_poissons_rule_of_three():
    """exp(-50 m) = 0.05 at m = 2.9957 / 50; a difference of two such may be off either way."""
    zeros, bound = np.zeros(50), 2.995732 / 50
    found = estimate(zeros, unit="1", high=None, counts=True)
    assert (found.ci_low, found.ci_high) == (0.0, pytest.approx(bound))
    paired = difference(zeros, zeros, unit="1", high=None, counts=True)
    assert (paired.ci_low, paired.ci_high) == pytest.approx((-bound, bound))
    apart = difference(zeros, zeros[:25], unit="1", high=None, counts=True, paired=False)
    assert apart.ci_high == pytest.approx(bound + 2.995732 / 25)
    assert "another value in at most 5.8 %" in paired.note  # 1 - 0.05^(1/50)


def test_a_difference_of_what_has_no_largest_value_has_no_interval_but_a_note():
    found = difference(np.zeros(50), np.zeros(50), unit="s", high=None)
    assert (found.mean, found.ci_low, found.ci_high) == (0.0, None, None)
    assert "another value in at most 5.8 %" in found.note


def test_one_count_of_many_takes_the_usual_interval():
    found = estimate(np.array([0.0, 0.0, 3.0]), unit="1", high=None, counts=True)
    assert not found.unseen
    assert found.note is None


def test_shares_take_clopper_and_pearson():
    values = np.array([1.0] * 3 + [0.0] * 17)
    found = estimate(values, unit="1", high=1.0)
    exact = stats.binomtest(3, 20).proportion_ci(0.95, "exact")
    assert (found.ci_low, found.ci_high) == pytest.approx((exact.low, exact.high))


def test_paired_difference_is_the_interval_of_differences():
    a, b = np.array([3.0, 5.0, 4.0]), np.array([1.0, 4.0, 2.0])
    found = difference(a, b, unit="s", high=None)
    low, high = stats.t.interval(0.95, 2, 5 / 3, stats.sem(a - b))
    assert (found.mean, found.ci_low, found.ci_high) == pytest.approx((5 / 3, low, high))


def test_unpaired_difference_is_welchs():
    rng = np.random.default_rng(1)
    a, b = rng.normal(1, 2, 40), rng.normal(0, 1, 25)
    found = difference(a, b, unit="s", high=None, paired=False)
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))
    assert found.note == "not paired"


def test_difference_of_what_was_never_seen_is_bounded():
    found = difference(np.zeros(50), np.zeros(50), unit="s", high=100.0)
    assert found.ci_high == pytest.approx(100 * rule_of_three(50))
    assert found.ci_low == -found.ci_high


@pytest.mark.parametrize(
    ("name", "draw", "truth"),
    [
        ("normal", lambda rng, n: rng.normal(5, 1, n), 5.0),
        ("uniform", lambda rng, n: rng.random(n), 0.5),
        ("share", lambda rng, n: (rng.random(n) < 0.1).astype(float), 0.1),
    ],
)
def test_intervals_cover_the_truth(name, draw, truth):
    """2000 trials of n = 50: nominal 95 %; 4 standard errors of a binomial are 2 points."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(2000):
        found = estimate(draw(rng, 50), unit="1", high=1.0 if name == "share" else None)
        hits += found.ci_low <= truth <= found.ci_high
    assert hits / 2000 > 0.93
