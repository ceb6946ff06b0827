"""Estimates: known intervals, what nothing seen means, and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.confidence import (
    difference_interval,
    mean_interval,
    product_interval,
    rule_of_three,
    share_interval,
    sign_interval,
    skewness,
    welch_interval,
)
from simulator.analysis.statistics import DOUBTFUL, difference, estimate


def test_without_skewness_the_interval_is_students():
    values = np.array([0.3, 0.4, 0.45, 0.5, 0.6])
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


def test_few_counts_are_a_share_of_replications_times_a_size():
    """[1.0, 2.0, 3.0] are all seen; of 0, 0 and 3 one is, and a lot of events is of that size."""
    found = estimate(np.array([1.0, 2.0, 3.0]), unit="1", high=None, counts=True)
    assert (found.unseen, found.note) == (False, DOUBTFUL)
    found = estimate(np.array([0.0, 0.0, 3.0]), unit="1", high=None, counts=True)
    exact = stats.binomtest(1, 3).proportion_ci(0.95, "exact")
    assert (found.ci_low, found.ci_high) == pytest.approx((3 * exact.low, 3 * exact.high))
    assert (found.unseen, found.doubtful) == (False, False)
    assert found.note == "not 0 in 1 of 3 replications"


def test_shares_take_clopper_and_pearson():
    values = np.array([1.0] * 3 + [0.0] * 17)
    found = estimate(values, unit="1", high=1.0)
    exact = stats.binomtest(3, 20).proportion_ci(0.95, "exact")
    assert (found.ci_low, found.ci_high) == pytest.approx((exact.low, exact.high))


def test_paired_difference_is_the_interval_of_differences():
    a, b = np.array([3.0, 5.0, 5.0]), np.array([2.0, 3.0, 2.0])
    found = difference(a, b, unit="s", high=None)
    low, high = stats.t.interval(0.95, 2, 2, stats.sem(a - b))
    assert (found.mean, found.ci_low, found.ci_high) == pytest.approx((2, low, high))


def test_unpaired_difference_is_welchs():
    a, b = np.linspace(-3, 5, 40), np.linspace(-1.5, 1.5, 25)
    found = difference(a, b, unit="s", high=None, paired=False)
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))
    assert found.note == "not paired"


def test_difference_of_what_was_never_seen_is_bounded():
    found = difference(np.zeros(50), np.zeros(50), unit="s", high=100.0)
    assert found.ci_high == pytest.approx(100 * rule_of_three(50))
    assert found.ci_low == -found.ci_high


SKEWED = np.array([0.1] * 5 + [0.2] * 4 + [0.3] * 2 + [2.0])


def test_a_tail_lengthens_its_side_alone():
    """With a = skewness / (6 sqrt(n)) up to a third larger, the tail's side is the largest of

    (1 - (1 - 6 a (t + a))^(1/3)) / (2 a), and the other side t.
    """
    assert skewness(SKEWED) == pytest.approx(stats.skew(SKEWED, bias=False))
    low, high = mean_interval(SKEWED)
    t, error = stats.t.ppf(0.975, 11), stats.sem(SKEWED)
    assert low == pytest.approx(SKEWED.mean() - t * error)
    lean = np.linspace(1e-6, skewness(SKEWED) * 4 / 3 / (6 * math.sqrt(12)), 20_000)
    furthest = np.max((1 - np.cbrt(1 - 6 * lean * (t + lean))) / (2 * lean))
    assert furthest > 2 * t
    assert high == pytest.approx(SKEWED.mean() + furthest * error, rel=0.01)
    assert mean_interval(-SKEWED) == pytest.approx((-high, -low))


def test_the_tails_of_two_samples_do_not_make_up_for_each_other():
    """Against 12 values without spread Welch's t has freedom 11: the interval is the mean's."""
    low, high = mean_interval(SKEWED)
    assert welch_interval(SKEWED, np.ones(12)) == pytest.approx((low - 1, high - 1))
    both = welch_interval(SKEWED, SKEWED)
    assert both[0] == pytest.approx(-both[1])
    t = stats.t.ppf(0.975, 22) * stats.sem(SKEWED) * math.sqrt(2)
    assert both[1] > 1.2 * t


def test_a_product_of_two_ends_is_put_together_in_logarithms():
    low, high = product_interval(0.2, (0.1, 0.4), 10.0, (5.0, 30.0))
    assert low == pytest.approx(2 * math.exp(-math.hypot(math.log(2), math.log(2))))
    assert high == pytest.approx(2 * math.exp(math.hypot(math.log(2), math.log(3))))
    assert product_interval(0.2, (0.1, 0.4), -10.0, (-30.0, -5.0)) == pytest.approx((-high, -low))


def test_a_product_whose_sign_is_open_takes_the_furthest_on_the_other_side():
    low, high = product_interval(0.2, (0.1, 0.4), 10.0, (-5.0, 30.0))
    assert (low, high > 0) == (pytest.approx(-2.0), True)
    assert product_interval(0.2, (0.1, 0.4), 0.0, (-5.0, 5.0)) == pytest.approx((-2.0, 2.0))


def test_a_difference_of_independent_ends_takes_the_hypotenuse():
    assert difference_interval(5, (2, 10), 1, (0, 5)) == (4 - 5, 4 + math.hypot(5, 1))


def test_signs_are_shares():
    low, high = share_interval(3, 4)
    assert sign_interval([1, 1, -1, 1]) == pytest.approx((2 * low - 1, 2 * high - 1))


def test_what_few_replications_saw_is_their_share_times_its_mean():
    """Two of 50 saw 1 s and 3 s."""
    values = np.zeros(50)
    values[[3, 7]] = [1.0, 3.0]
    found = estimate(values, unit="s", high=100.0)
    means = mean_interval(np.array([1.0, 3.0]))
    high = product_interval(0.04, share_interval(2, 50), 2.0, means)[1]
    assert (found.mean, found.ci_low, found.ci_high) == pytest.approx((0.08, 0.0, high))
    assert found.note == f"not 0 in 2 of 50 replications; {DOUBTFUL}"
    assert found.doubtful


def test_what_few_replications_lacked_is_the_same_below_the_largest_value():
    values = np.zeros(50)
    values[[3, 7]] = [0.1, 0.3]
    seen = estimate(values, unit="1", high=1.0)
    lacked = estimate(1 - values, unit="1", high=1.0)
    ends = 1 - seen.mean, 1 - seen.ci_high, 1 - seen.ci_low
    assert (lacked.mean, lacked.ci_low, lacked.ci_high) == pytest.approx(ends)
    assert lacked.note.startswith("not 1 in 2 of 50 replications")


def test_what_one_replication_saw_has_no_bound_but_the_largest_value():
    values = np.zeros(50)
    values[3] = 2.0
    found = estimate(values, unit="s", high=None)
    assert (found.ci_low, found.ci_high, found.doubtful) == (0.0, None, False)
    found = estimate(values, unit="s", high=100.0)
    most = product_interval(0.02, share_interval(1, 50), 2.0, (0.0, 100.0))[1]
    assert found.ci_high == pytest.approx(most)
    assert 100 / 50 < most < 100 * share_interval(1, 50)[1]


def test_twenty_replications_that_saw_something_are_enough():
    values = np.zeros(50)
    values[:20] = 1 + np.arange(20) / 20
    found = estimate(values, unit="s", high=None)
    assert (found.ci_low, found.ci_high) == pytest.approx(mean_interval(values))
    assert (found.note, found.doubtful) == (None, False)
    assert estimate(values[10:], unit="s", high=None).note == DOUBTFUL
    assert estimate(values[11:], unit="s", high=None).note.startswith("not 0 in 9 of 39")


@pytest.mark.parametrize(
    ("size", "copies", "doubtful"), [(12, 1, True), (12, 2, True), (12, 9, False)]
)
def test_an_interval_is_doubtful_of_few_values_or_of_skewed_ones(size, copies, doubtful):
    """Skewness 3.4: 24 < 8 * 3.4^2 replications are few, 108 are taken to be enough."""
    values = np.tile(SKEWED[-size:], copies)
    found = estimate(values, unit="s", high=None)
    assert (found.doubtful, found.note) == (doubtful, DOUBTFUL if doubtful else None)


def test_a_few_that_saw_another_value_are_a_share_of_it():
    """57 of 60 see 4 and 3 see 60, of at most 100: a t interval of such values often misses."""
    values = np.array([4.0] * 57 + [60.0, 50.0, 70.0])
    found = estimate(values, unit="h", high=100.0)
    low, top = share_interval(3, 60)
    assert found.mean == pytest.approx(4 + 56 * 3 / 60)
    assert found.ci_low < 4 + 56 * low * 2
    assert found.ci_high > 4 + 56 * top
    assert found.doubtful
    assert found.note.startswith("not 4 in 3 of 60 replications")


def test_paired_shares_are_the_share_that_differs_times_which_way():
    a, b = np.zeros(20), np.zeros(20)
    a[:5], b[2:6] = 1, 1
    found = difference(a, b, unit="1", high=1.0)
    signs = sign_interval([1, 1, -1])
    ends = product_interval(3 / 20, share_interval(3, 20), 1 / 3, signs)
    assert (found.mean, found.ci_low, found.ci_high) == pytest.approx((0.05, *ends))
    assert found.note == "not 0 in 3 of 20 replications"


def test_paired_shares_that_never_differ_are_bounded_by_the_rule_of_three():
    values = np.array([1.0] * 10 + [0.0] * 10)
    found = difference(values, values, unit="1", high=1.0)
    assert (found.ci_low, found.ci_high) == pytest.approx((-rule_of_three(20), rule_of_three(20)))


def test_a_difference_that_is_always_0_says_in_how_many_it_may_not_be():
    values = np.arange(20.0)
    found = difference(values, values, unit="s", high=None)
    assert (found.mean, found.ci_low, found.ci_high) == (0.0, 0.0, 0.0)
    assert found.note == "the same in all 20 replications: another value in at most 14 % of them"


def test_a_few_replications_that_differ_are_a_share_of_all():
    a, b = np.arange(20.0), np.arange(20.0)
    a[3] += 2
    found = difference(a, b, unit="s", high=None)
    assert (found.mean, found.ci_low, found.ci_high) == (0.1, None, None)
    a[5] += 1
    found = difference(a, b, unit="s", high=None)
    ends = product_interval(0.1, share_interval(2, 20), 1.5, mean_interval(np.array([2.0, 1.0])))
    assert (found.ci_low, found.ci_high) == pytest.approx(ends)
    assert found.doubtful


def test_a_difference_of_independent_shares_is_made_of_their_intervals():
    a, b = np.array([1.0] * 5 + [0.0] * 15), np.array([1.0] * 2 + [0.0] * 28)
    found = difference(a, b, unit="1", high=1.0, paired=False)
    ends = difference_interval(0.25, share_interval(5, 20), 2 / 30, share_interval(2, 30))
    assert (found.ci_low, found.ci_high) == pytest.approx(ends)


@pytest.mark.parametrize("confidence", [0.9, 0.99, 0.999])
def test_more_confidence_is_a_wider_interval(confidence):
    values = np.linspace(1, 3, 30)
    t = stats.t.interval(confidence, 29, values.mean(), stats.sem(values))
    found = estimate(values, unit="s", high=None, confidence=confidence)
    assert (found.ci_low, found.ci_high) == pytest.approx(t)
    nothing = estimate(np.zeros(30), unit="s", high=1.0, confidence=confidence)
    assert nothing.ci_high == pytest.approx(1 - (1 - confidence) ** (1 / 30))
