"""Judging thresholds: whole intervals, points, and what is not there."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab import scenario

from simulator.analysis.metrics import METRICS
from simulator.analysis.results import ResultSet, Sample
from simulator.analysis.statistics import ONE, Estimate
from simulator.analysis.thresholds import (
    KEEPS,
    in_words,
    judge,
    replications_needed,
    verdict,
)
from simulator.analysis.verdicts import Verdict, exit_code
from simulator.scenario.thresholds import Threshold

PASS, FAIL, UNDECIDED, MISSING = list(Verdict)[:4]


def result(values, *, partial=False, planned=None):
    """A result by hand: *values* by variant and metric; other metrics are undefined."""
    count = len(next(iter(next(iter(values.values())).values())))
    given = scenario(
        variants={name: {} for name in values}, replications=planned or count, horizon="1y"
    )
    samples = {
        name: Sample(
            {m: np.array(columns.get(m, [math.nan] * count), dtype=float) for m in METRICS},
            {m: "not in this test" for m in METRICS if m not in columns},
        )
        for name, columns in values.items()
    }
    return ResultSet(given, list(range(count)), samples, partial=partial)


def limit(op, value, metric="router.outages", **keys):
    return Threshold(metric=metric, op=op, value=value, **keys)


def between(low, high, *, mean=5.0):
    return Estimate(mean, low, high, 30, "1")


@pytest.mark.parametrize(
    ("op", "verdicts"),
    [
        # the interval [4, 6] and a limit of 3, 4, 5, 6 and 7: which of its values keep it?
        ("<", (FAIL, FAIL, UNDECIDED, UNDECIDED, PASS)),
        ("<=", (FAIL, UNDECIDED, UNDECIDED, PASS, PASS)),
        (">", (PASS, UNDECIDED, UNDECIDED, FAIL, FAIL)),
        (">=", (PASS, PASS, UNDECIDED, UNDECIDED, FAIL)),
    ],
)
def test_an_interval_is_closed_so_touching_tells_the_operators_apart(op, verdicts):
    found = [verdict(limit(op, value), between(4.0, 6.0)) for value in (3, 4, 5, 6, 7)]
    assert tuple(found) == verdicts


@given(
    st.sampled_from(list(KEEPS)),
    st.floats(0, 100),
    st.lists(st.floats(0, 100), min_size=2, max_size=2).map(sorted),
    st.lists(st.floats(0, 1), max_size=20),
)
def test_a_verdict_is_what_all_values_of_the_interval_say(op, value, ends, places):
    """Against the definition: each value between the ends is compared by itself."""
    low, high = ends
    inside = [low, high, *(min(max(low + p * (high - low), low), high) for p in places)]
    kept = [KEEPS[op](one, value) for one in inside]
    expected = PASS if all(kept) else UNDECIDED if any(kept) else FAIL
    assert verdict(limit(op, value), between(low, high)) == expected


@pytest.mark.parametrize(
    ("on", "op", "value", "expected"),
    [
        ("ci_low", ">=", 4, PASS),
        ("ci_low", ">", 4, FAIL),
        ("ci_low", ">", 3.9, PASS),
        ("ci_high", "<=", 6, PASS),
        ("ci_high", "<", 6, FAIL),
        ("ci_high", "<", 5, FAIL),
    ],
)
def test_an_end_of_the_interval_is_a_point_and_always_decided(on, op, value, expected):
    assert verdict(limit(op, value, on=on), between(4.0, 6.0)) == expected


def test_without_a_bound_a_side_is_open_and_decides_nothing():
    open_above = between(0.0, None, mean=0.0)
    assert verdict(limit("<", 1e15), open_above) == UNDECIDED
    assert verdict(limit(">", 1), open_above) == UNDECIDED
    assert verdict(limit(">=", 0), open_above) == PASS
    assert verdict(limit("<", 0), open_above) == FAIL
    assert verdict(limit("<", 1, on="ci_high"), open_above) == MISSING
    assert verdict(limit("<", 1, on="ci_low"), open_above) == PASS


@pytest.mark.parametrize("op", KEEPS)
def test_one_replication_decides_no_mean_and_has_no_interval(op):
    found = result({"a": {"router.outages": [5]}})
    thresholds = [limit(op, 5, on=on) for on in ("mean", "p95", "ci_low", "ci_high")]
    findings = judge(found, thresholds)
    assert [f.verdict for f in findings] == [UNDECIDED, UNDECIDED, MISSING, MISSING]
    assert all(ONE in f.found for f in findings)
    assert findings[3].found.endswith("it has no ci_high")


@pytest.mark.parametrize("on", ["mean", "p95", "ci_low", "ci_high"])
@pytest.mark.parametrize("op", KEEPS)
def test_what_is_undefined_is_missing_and_never_passes(on, op):
    found = result({"a": {"router.outages": [5, 6]}})
    (finding,) = judge(found, [limit(op, "10s", "failover.time_p95", on=on)])
    assert finding.verdict == MISSING
    assert finding.found == "undefined: not in this test"
    assert exit_code([finding]) == 4


def test_a_result_without_the_metric_or_the_variant_lacks_it():
    found = result({"a": {"router.outages": [5, 6]}})
    del found.samples["a"].values["load.carried"]
    findings = judge(found, [limit(">", "1bps", "load.carried"), limit("<", 9, variant="b")])
    assert [f.verdict for f in findings] == [MISSING, MISSING]
    assert findings[0].found.startswith("no metric 'load.carried' in this result")
    assert findings[1].found == "no variant 'b' in this result; it has: a"
    assert [f.name for f in findings] == ["a: load.carried > 1bps", "b: router.outages < 9"]


def test_a_threshold_without_a_variant_is_for_each():
    found = result(
        {"a": {"router.outages": [5, 6, 7] * 7}, "b": {"router.outages": [50, 60, 70] * 7}}
    )
    findings = judge(found, [limit("<", 10), limit(">", 10, variant="b")], ["s.yaml:3", "s.yaml:4"])
    assert [(f.variant, f.verdict, f.place) for f in findings] == [
        ("a", PASS, "s.yaml:3"), ("b", FAIL, "s.yaml:3"), ("b", PASS, "s.yaml:4"),
    ]  # fmt: skip


def test_the_mean_and_its_ends_are_those_of_the_table():
    """Mean 6, s = 1, t(2) = 4.303: the interval is [3.516, 8.484]."""
    found = result({"a": {"router.outages": [5, 6, 7]}})
    (finding,) = judge(found, [limit("<", 7)])
    assert finding.verdict == UNDECIDED
    assert finding.found.startswith("6.0 [3.5, 8.5], limit 7, 3 replications, ")
    assert finding.found.endswith(", about 20 would decide")
    assert finding.numbers == {
        "value": 6.0,
        "ci_low": pytest.approx(3.516, abs=1e-3),
        "ci_high": pytest.approx(8.484, abs=1e-3),
        "limit": 7.0,
        "n": 3,
    }
    for on, value, expected in (("ci_low", 3.51, PASS), ("ci_low", 3.52, FAIL)):
        (finding,) = judge(found, [limit(">", value, on=on)])
        assert finding.verdict == expected


def test_the_95th_percentile_has_the_interval_of_order_statistics():
    """Of 200 values 1..200, the 95 % quantile is 190; ranks 184 and 197 enclose it."""
    found = result({"a": {"router.outages": range(1, 201)}})
    for op, value, expected in (
        ("<=", 197, PASS), ("<", 197, UNDECIDED), ("<", 184, FAIL), (">=", 184, PASS),
        (">", 184, UNDECIDED), (">", 197, FAIL),
    ):  # fmt: skip
        (finding,) = judge(found, [limit(op, value, on="p95")])
        assert finding.verdict == expected, (op, value)
        assert [finding.numbers[key] for key in ("value", "ci_low", "ci_high")] == [190, 184, 197]
    assert finding.name == "a: p95 of router.outages > 197"


def test_few_replications_bound_no_95th_percentile_from_above():
    found = result({"a": {"router.outages": [5, 6, 7]}})
    (finding,) = judge(found, [limit("<", 1e6, on="p95")])
    assert finding.verdict == UNDECIDED
    assert "too few for a 95 % bound" in finding.found


@pytest.mark.parametrize(
    ("metric", "values", "value", "verdicts"),
    [
        # seen in none of 30: 1 - 0.05^(1/30) = 9.5 % at most; counts: -ln 0.05 / 30 = 0.09986
        ("router.all_down_probability", 0, "9%", UNDECIDED),
        ("router.all_down_probability", 0, "10%", PASS),
        ("router.outages", 0, 0.0998, UNDECIDED),
        ("router.outages", 0, 0.0999, PASS),
        # an unbounded time that was never seen can be of any length
        ("router.conflicted_time", 0, "1000y", UNDECIDED),
    ],
)
def test_what_was_never_seen_is_bounded_by_the_rule_of_three(metric, values, value, verdicts):
    found = result({"a": {metric: [values] * 30}})
    (finding,) = judge(found, [limit("<", value, metric)])
    assert finding.verdict == verdicts


def test_an_availability_that_never_failed_is_bounded_from_below():
    """All of 30 at 1: at least 1 - 9.5 % = 90.5 %."""
    found = result({"a": {"router.availability": [1.0] * 30}})
    for value, expected in (("90%", PASS), ("91%", UNDECIDED)):
        (finding,) = judge(found, [limit(">=", value, "router.availability")])
        assert finding.verdict == expected
    words = "100 % (at least 90 %), limit 91 %, 30 replications, about 32 would decide"
    assert finding.found == words


@pytest.mark.parametrize(
    ("estimate", "value", "count"),
    [
        (between(4.0, 6.0), 5.5, 120),  # half the width: four times 30
        (between(4.0, 6.0), 4.9, 3000),
        (between(4.0, 7.0), 6.0, 120),  # the side that the limit is on
        (between(4.0, 6.0), 6.0, 31),  # it touches
        (between(4.0, 6.0), 5.0, None),
        (Estimate(0.0, 0.0, 0.09, 30, "1", unseen=True), 0.03, 90),  # about 3 / n
    ],
)
def test_how_many_replications_would_decide(estimate, value, count):
    assert replications_needed(limit("<", value), estimate) == count


def test_what_nothing_bounds_is_told_so():
    found = result({"a": {"router.conflicted_time": [0.0] * 30}})
    (finding,) = judge(found, [limit("<", "1s", "router.conflicted_time")])
    assert finding.found == (
        "0 (in at most 9.5 %), limit 1 s, 30 replications, which no number of them bounds"
    )


def normal(n):
    """*n* values that are spread as a normal distribution of mean 5 and deviation 1."""
    return [NormalDist(5, 1).inv_cdf((i + 0.5) / n) for i in range(n)]


def test_as_many_replications_as_were_told_decide():
    """Against 5.1: 1.96 / sqrt(n) is below 0.1 from 385 on."""
    (few,) = judge(result({"a": {"router.outages": normal(100)}}), [limit("<", 5.1)])
    assert few.verdict == UNDECIDED
    assert few.found.endswith("100 replications, about 400 would decide")
    for count, expected in ((350, UNDECIDED), (400, PASS)):
        (more,) = judge(result({"a": {"router.outages": normal(count)}}), [limit("<", 5.1)])
        assert more.verdict == expected


def test_a_partial_result_is_judged_and_never_passes():
    found = result({"a": {"router.outages": [5, 6, 7] * 7}}, partial=True, planned=30)
    findings = judge(found, [limit("<", 100), limit("<", 1)])
    assert [f.verdict for f in findings] == [MISSING, PASS, FAIL]
    assert findings[0].found == "a partial result: 21 of 30 replications"
    assert "limit 100, 21 replications" in findings[1].found
    assert findings[1].found.endswith(", of a partial result")
    assert exit_code(findings[:2]) == exit_code(findings[:2], "pass") == 4
    assert exit_code(findings) == 1


def test_an_interval_that_may_not_hold_decides_nothing():
    found = result({"a": {"router.outages": [5, 6, 7]}})
    (finding,) = judge(found, [limit("<", 1000)])
    assert finding.verdict == UNDECIDED
    assert "too few replications" in finding.found


def test_replications_in_which_a_metric_is_undefined_are_told():
    found = result({"a": {"failover.time_median": [2.0, math.nan, 4.0, 3.0] * 7}})
    (finding,) = judge(found, [limit("<", "30s", "failover.time_median")])
    assert finding.verdict == PASS
    words = "3.00 s [2.62, 3.38], limit 30 s, defined in 21 of 28 replications"
    assert finding.found.startswith(words)


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("router.availability", "99.95%", "router.availability < 99.95%"),
        ("router.availability", 0.99999, "router.availability < 99.999%"),
        ("router.outage_p95", "90s", "router.outage_p95 < 90s"),
        ("router.outage_p95", "300s", "router.outage_p95 < 5min"),
        ("router.outage_p95", "12345s", "router.outage_p95 < 12345s"),
        ("router.outage_p95", 0, "router.outage_p95 < 0"),
        ("vm.hours_without_address", "48h", "vm.hours_without_address < 2d"),
        ("load.carried", "4500Mbps", "load.carried < 4.5Gbps"),
        ("router.outages", 12, "router.outages < 12"),
    ],
)
def test_a_limit_in_words_is_exact_and_short(metric, value, words):
    assert in_words(limit("<", value, metric)) == words


def test_shares_of_downtime_are_compared_in_the_unit_of_the_table():
    """2e-4 of a year is 105 min."""
    values = [1e-4, 2e-4, 3e-4] * 7
    found = result({"a": {"router.downtime_host": values}})
    (finding,) = judge(found, [limit("<", "0.1%", "router.downtime_host")])
    assert finding.name == "a: router.downtime_host < 0.1%"
    assert finding.found.startswith("105 min/y [85, 125], limit 525.6 min/y")
    assert finding.verdict == PASS


def test_a_scenario_carries_its_thresholds_into_the_document():
    found = result({"a": {"router.outages": [5, 6, 7] * 7}})
    assert found.findings == []
    assert found.document()["thresholds"] == []
    found.scenario = found.scenario.model_copy(update={"thresholds": (limit("<", 100),)})
    (finding,) = found.findings
    assert found.document()["thresholds"] == [finding.as_dict()]
    assert finding.as_dict()["verdict"] == "pass"
