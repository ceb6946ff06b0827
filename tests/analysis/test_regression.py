"""Regressions: which difference is a loss, which is none, and which cannot be told."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st
from lab import down_share, network_nodes, scenario
from scipy import stats

from simulator.analysis.baseline import Baseline, baseline_of
from simulator.analysis.confidence import welch_interval
from simulator.analysis.metrics import METRICS
from simulator.analysis.regression import (
    JUDGED,
    MORE,
    NEITHER,
    better,
    default_tolerance,
    regressions,
)
from simulator.analysis.results import Sample
from simulator.analysis.verdicts import Verdict
from simulator.experiment.runner import run

N = 6
ONE = "load.carried"


@pytest.fixture(scope="module")
def result():
    given = scenario(
        start="equilibrium",
        horizon="5d",
        hosts=network_nodes(2),
        failures={"host": down_share(0.05)},
        workload={"tenants": 4, "traffic": {"per_router": "1Mbps"}},
    )
    return run(given, replications=N, jobs=1, objects="none")


def with_values(thing, **columns):
    """A result or baseline in which some metrics have other values."""
    sample = thing.samples["base"]
    values = {**sample.values, **{name.replace("__", "."): np.array(column, dtype=float)
                                  for name, column in columns.items()}}  # fmt: skip
    return dataclasses.replace(thing, samples={"base": Sample(values, sample.reasons)})


def finding(result, baseline, metric=ONE, **options):
    (found,) = [one for one in regressions(result, baseline, **options) if one.metric == metric]
    return found


def only(result, metric, before, now, tolerance):
    """The finding on *metric*, with these values before and now."""
    base = with_values(baseline_of(result), **{metric.replace(".", "__"): before})
    other = with_values(result, **{metric.replace(".", "__"): now})
    return finding(other, base, metric, tolerances={metric: tolerance})


def test_every_metric_is_known_which_way_it_gets_better():
    assert set(MORE) | set(NEITHER) | set(JUDGED) <= set(METRICS)
    assert not set(MORE) & set(NEITHER)
    for metric in METRICS:
        assert (better(metric) == "more") == ("availability" in metric or metric in
                                              ("load.carried", "load.router_p5"))  # fmt: skip
    assert better("router.outage_longest") == "less"


def test_the_default_tolerance_is_a_share_of_the_mean_or_of_the_lost_time():
    assert default_tolerance("router.availability", 0.98) == pytest.approx(0.001)
    assert default_tolerance("agent.detection_mean", 60.0) == 3.0
    assert default_tolerance("load.carried", 0.0) == 0.0


def test_the_same_result_passes_and_says_so(result):
    found = regressions(result, baseline_of(result), exact=True)
    assert {one.verdict for one in found} == {Verdict.PASS}
    assert found[0].found == f"nothing moved in {N} traces"
    assert found[1].found.startswith("the same in all 6 replications: ")
    assert {one.metric for one in found[1:]} <= set(JUDGED)
    assert {"router.availability", "load.carried"} <= {one.metric for one in found[1:]}


BEFORE = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]


@pytest.mark.parametrize(
    ("metric", "shift", "verdict", "word"),
    [
        ("load.carried", -3.0, Verdict.FAIL, "worse"),  # more is better
        ("load.carried", -1.9, Verdict.PASS, "within the tolerance"),
        ("load.carried", +3.0, Verdict.PASS, "better, so the baseline should be updated"),
        ("router.outages", +3.0, Verdict.FAIL, "worse"),  # less is better
        ("router.outages", +1.9, Verdict.PASS, "within the tolerance"),
        ("router.outages", -3.0, Verdict.PASS, "better, so the baseline should be updated"),
        ("load.offered", +3.0, Verdict.FAIL, "moved"),  # neither is
        ("load.offered", -3.0, Verdict.FAIL, "moved"),
        ("load.offered", +1.9, Verdict.PASS, "within the tolerance"),
        ("load.offered", -1.9, Verdict.PASS, "within the tolerance"),
    ],
)
def test_a_shift_is_judged_by_its_way_and_the_tolerance(result, metric, shift, verdict, word):
    """All replications move by about the same: tolerance 2, and the interval is 0.01 wide."""
    noise = np.array([1, -1, 1, -1, 1, -1]) * 1e-3
    found = only(result, metric, BEFORE, np.array(BEFORE) + shift + noise, 2.0)
    assert (found.verdict, found.found.split(":")[0]) == (verdict, word)
    assert found.numbers["limit"] == 2.0
    assert found.numbers["n"] == N
    assert found.numbers["value"] == pytest.approx(shift)
    assert "(paired, n = 6)" in found.found


@pytest.mark.parametrize("metric", ["load.carried", "router.outages", "load.offered"])
def test_an_interval_on_both_sides_of_the_tolerance_is_undecided(result, metric):
    bad = -1.0 if metric == "load.carried" else 1.0
    now = np.array(BEFORE) + bad * np.array([0.0, 4.0, 0.0, 4.0, 0.0, 4.0])
    found = only(result, metric, BEFORE, now, 2.0)
    assert (found.verdict, found.found.split(":")[0]) == (
        Verdict.UNDECIDED,
        "too uncertain to tell",
    )


def test_the_interval_is_that_of_student_at_bonferronis_level(result):
    base = baseline_of(result)
    count = sum(bool(one.metric) for one in regressions(result, base))
    d = 0.5 + np.array([-1.0, -0.5, -0.25, 0.25, 0.5, 1.0])  # not skewed: plain t
    base = with_values(base, load__carried=BEFORE)
    found = finding(with_values(result, load__carried=BEFORE + d), base)
    half = stats.t.ppf(1 - 0.025 / count, N - 1) * stats.sem(d)
    assert count > 4
    assert found.numbers["ci_low"] == pytest.approx(d.mean() - half)
    assert found.numbers["ci_high"] == pytest.approx(d.mean() + half)
    more = finding(with_values(result, load__carried=BEFORE + d), base,
                   tolerances={"router.outages": 1.0})  # fmt: skip
    assert more.numbers["ci_low"] < found.numbers["ci_low"]  # one more is judged


@sampled(st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=N, max_size=N),
         st.integers(0, 20), st.sampled_from([ONE, "router.outages", "load.offered"]))  # fmt: skip
def test_the_verdict_follows_from_interval_tolerance_and_way(result, pairs, tolerance, metric):
    before, now = np.array(pairs, dtype=float).T + 100
    found = only(result, metric, before, now, float(tolerance))
    low, high = found.numbers["ci_low"], found.numbers["ci_high"]
    loss = {"more": (-high, -low), "less": (low, high), "neither": (low, high)}[better(metric)]
    beyond = loss[0] > tolerance or (metric == "load.offered" and -loss[1] > tolerance)
    kept = loss[1] <= tolerance and not (metric == "load.offered" and -loss[0] > tolerance)
    wanted = Verdict.FAIL if beyond else Verdict.PASS if kept else Verdict.UNDECIDED
    assert found.verdict == wanted
    assert low <= found.numbers["value"] <= high


def test_another_seed_is_not_paired_and_judged_by_welch(result):
    base = with_values(baseline_of(result), load__carried=BEFORE)
    fresh = dataclasses.replace(result, scenario=result.scenario.model_copy(update={"seed": 5}))
    now = [90.0, 91.0, 90.5, 90.0, 91.0, 90.5]
    found = finding(with_values(fresh, load__carried=now), base, tolerances={ONE: 2.0})
    assert (found.verdict, "(not paired, n = 6 and 6)" in found.found) == (Verdict.UNDECIDED, True)
    count = sum(bool(one.metric) for one in regressions(fresh, base, {ONE: 2.0}))
    low, high = welch_interval(np.array(now), np.array(BEFORE), 1 - 0.05 / count)
    assert (found.numbers["ci_low"], found.numbers["ci_high"]) == pytest.approx((low, high))
    (traces,) = [one for one in regressions(fresh, base, exact=True) if not one.metric]
    assert (traces.verdict, traces.found) == (
        Verdict.NOT_COMPARABLE, "other draws: seed 5, the baseline's is 1",
    )  # fmt: skip
    same = finding(with_values(fresh, load__carried=[7.0] * N),
                   with_values(base, load__carried=[7.0] * N))  # fmt: skip
    assert (same.verdict, same.found) == (Verdict.PASS, "the same in all 6 replications: 7 bps")


def test_one_replication_cannot_be_told(result):
    one = dataclasses.replace(
        result, replications=[0],
        samples={"base": Sample({m: v[:1] for m, v in result.samples["base"].values.items()},
                                result.samples["base"].reasons)},
    )  # fmt: skip
    base = dataclasses.replace(baseline_of(result), replications=1, samples=one.samples)
    assert finding(one, base).verdict == Verdict.PASS
    moved = finding(with_values(one, load__carried=[1.0]), base)
    assert moved.verdict == Verdict.UNDECIDED
    assert moved.found.startswith("1 replication to compare, so no interval")


# -- missing ---------------------------------------------------------------------------------

NAN = np.nan


def test_a_value_that_is_gone_is_missing_and_never_a_pass(result):
    base = baseline_of(result)
    reasons = {**result.samples["base"].reasons, ONE: "no north-south load"}
    gone = with_values(result, load__carried=[NAN] * N)
    gone = dataclasses.replace(gone, samples={"base": Sample(gone.samples["base"].values, reasons)})
    found = finding(gone, base)
    assert (found.verdict, found.found) == (
        Verdict.MISSING, "the result has no value: no north-south load",
    )  # fmt: skip
    values = {m: v for m, v in result.samples["base"].values.items() if m != ONE}
    lacks = dataclasses.replace(result, samples={"base": Sample(values, {})})
    assert finding(lacks, base).found == "the result lacks this metric"
    old = dataclasses.replace(base, samples={"base": Sample(values, {})})
    found = finding(result, old)
    assert (found.verdict, found.found) == (Verdict.MISSING, "the baseline lacks this metric")


def test_what_the_baseline_seldom_has_is_judged_only_if_asked_for(result):
    seldom = [1.0, 2.0, NAN, NAN, NAN, NAN]
    base = with_values(baseline_of(result), failover__time_median=seldom)
    now = with_values(result, failover__time_median=seldom)
    metric = "failover.time_median"
    assert metric not in {one.metric for one in regressions(now, base)}
    asked = finding(now, base, metric, tolerances={metric: 1.0})
    assert (asked.verdict, asked.found.split(":")[0]) == (
        Verdict.PASS, "the same in all 2 replications",
    )  # fmt: skip
    never = finding(result, baseline_of(result), metric, tolerances={metric: 1.0})
    assert never.verdict == Verdict.MISSING
    assert never.found.startswith("the baseline has no value: ")
    half = with_values(baseline_of(result), failover__time_median=[1.0, 2.0, 3.0, NAN, NAN, NAN])
    assert finding(now, half, metric).verdict == Verdict.PASS


def test_replications_in_which_one_side_has_no_value_are_left_out(result):
    base = with_values(baseline_of(result), load__carried=BEFORE)
    now = finding(with_values(result, load__carried=[NAN, *BEFORE[1:]]), base)
    assert (now.verdict, now.numbers["n"]) == (Verdict.PASS, N - 1)
    apart = with_values(baseline_of(result), load__carried=[1, 2, 3, NAN, NAN, NAN])
    never = finding(with_values(result, load__carried=[NAN, NAN, NAN, 1, 2, 3]), apart)
    assert (never.verdict, never.numbers["n"]) == (Verdict.UNDECIDED, 0)


def test_a_variant_that_only_one_side_has_is_missing(result):
    base = baseline_of(result)
    renamed = dataclasses.replace(base, samples={"old": base.samples["base"]})
    found = regressions(result, renamed)
    assert [(one.verdict, one.found) for one in found] == [
        (Verdict.MISSING, "the result has no variant 'old'"),
        (Verdict.MISSING, "the baseline has no variant 'base'"),
    ]


# -- traces ----------------------------------------------------------------------------------


def traces(result, baseline, **options):
    (found,) = [one for one in regressions(result, baseline, **options) if not one.metric]
    return found


def moved_baseline(result, *, events=True, **fields) -> Baseline:
    """A baseline in whose replication 0 one event, the fifth, was another."""
    base = baseline_of(result)
    prints = {**base.fingerprints}
    prints["base", 0] = dataclasses.replace(prints["base", 0], ordered="0" * 16, **fields)
    lines = list(base.events["base"])
    lines[5] = "0.5\tfail\tnetwork-1\t\t2.0"
    return dataclasses.replace(base, fingerprints=prints, events={"base": lines} if events else {})


def test_a_trace_that_moved_fails_only_where_bits_are_asked_for(result):
    base = moved_baseline(result, unordered="1" * 16)
    found = traces(result, base)
    assert found.verdict == Verdict.PASS
    assert found.found.startswith(
        "the numbers moved in 1 of 6 traces; first in replication 0: at 0.0 s "
    )
    assert found.found.endswith(", was at 0.5 s fail network-1 (2)")
    assert traces(result, base, exact=True).verdict == Verdict.FAIL
    order = traces(result, moved_baseline(result), exact=True)
    assert (order.verdict, order.found.split(";")[0]) == (
        Verdict.FAIL, "the order moved in 1 of 6 traces",
    )  # fmt: skip


def test_without_events_the_slice_is_named(result):
    slices = result.fingerprints["base", 0].slices
    other = slices[:8] + ("0000" if slices[8:12] != "0000" else "1111") + slices[12:]
    found = traces(result, moved_baseline(result, events=False, slices=other))
    assert found.found == (
        "the order moved in 1 of 6 traces; first in replication 0 between 7.5 h and 11.25 h"
    )
    same = dataclasses.replace(result.fingerprints["base", 3], tables="0" * 16)
    base = baseline_of(result)
    base = dataclasses.replace(base, fingerprints={**base.fingerprints, ("base", 3): same})
    assert traces(result, base).found == (
        "the tables moved in 1 of 6 traces; the events are the same, but not the names, rates or "
        "loads behind them"
    )


def test_metrics_that_moved_alone_are_told_and_fail_only_where_bits_are_asked_for(result):
    """As when analysis forgets something: the events are the same, what they mean is not."""
    now = with_values(result, load__carried=result.samples["base"].values[ONE] + 1)
    found = traces(now, baseline_of(result))
    assert (found.verdict, found.found) == (
        Verdict.PASS, f"nothing moved in the traces; 1 of {len(METRICS)} metrics moved: {ONE}",
    )  # fmt: skip
    assert traces(now, baseline_of(result), exact=True).verdict == Verdict.FAIL
    elsewhere = dataclasses.replace(baseline_of(result), machine={})
    assert traces(now, elsewhere, exact=True).verdict == Verdict.NOT_COMPARABLE


def test_on_another_machine_moved_traces_are_not_comparable_and_equal_ones_pass(result):
    machine = {**result.machine, "numpy": "1.0"}
    base = dataclasses.replace(moved_baseline(result), machine=machine)
    found = traces(result, base, exact=True)
    assert found.verdict == Verdict.NOT_COMPARABLE
    assert found.found.startswith(
        f"drawn elsewhere (numpy {result.machine['numpy']}, was 1.0); the order moved in 1 of 6"
    )
    same = dataclasses.replace(baseline_of(result), machine=machine)
    assert traces(result, same, exact=True).verdict == Verdict.PASS


def test_traces_of_a_changed_scenario_are_not_comparable(result):
    found = traces(result, moved_baseline(result), exact=True, changed=["x is 2, was 1"])
    assert found.verdict == Verdict.NOT_COMPARABLE
    assert found.found.startswith("the scenario was changed (x is 2, was 1); the order moved")


def test_a_result_without_fingerprints_is_missing_them_only_where_bits_are_asked_for(result):
    old = dataclasses.replace(result, fingerprints={}, machine={})
    assert traces(old, baseline_of(result)).verdict == Verdict.NOT_COMPARABLE
    assert traces(old, baseline_of(result), exact=True).verdict == Verdict.MISSING


def test_that_metrics_moved_of_which_none_is_judged_is_no_pass(result):
    """The traces are the same, the metrics are not, and the baseline knows none that is judged."""
    unknown = {metric.replace(".", "__"): [math.nan] * 6 for metric in JUDGED}
    base = with_values(baseline_of(result), **unknown)
    found = regressions(with_values(result, router__outages=[1.0] * 6), base)
    missing = [one for one in found if one.verdict == Verdict.MISSING]
    assert {one.variant for one in missing} == {one.variant for one in found}
    assert all("to judge nothing is no pass" in one.found for one in missing)
