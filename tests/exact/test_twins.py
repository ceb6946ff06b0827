"""Means corrected by the nodes' exact availability: the same mean, less variance, sound ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lab import FREE, down_share, network_nodes, outage, scenario

from simulator.analysis.confidence import mean_interval
from simulator.exact.answers import answers
from simulator.exact.twins import MOVES, control_variate
from simulator.experiment.runner import run

HEAVY = {
    "time_to_failure": {"weibull": {"shape": 0.7, "mean": "570h"}},
    "time_to_repair": {"lognormal": {"mean": "30h", "sigma": 1.4}},
}
TWO = {
    "start": "equilibrium", "horizon": "50d", "hosts": network_nodes(2), "costs": FREE,
    "neutron": {"periodic_fuzzy_delay": "0s"}, "workload": {"tenants": 2},
}  # fmt: skip


def found(replications=60, **keys):
    result = run(scenario(**{**TWO, **keys}), replications=replications, jobs=1)
    return result, {(one.variant, one.minus, one.metric): one for one in control_variate(result)}


def test_the_correction_by_hand():
    """y - (c - E c), replication by replication; E c = 0.95."""
    result, corrected = found(failures={"host.network": down_share(0.05, "100h")})
    (name,) = result.variants
    values = result.samples[name].values
    better = values["router.availability"] - (values["node.availability"] - 0.95)
    one = corrected[name, "", "router.availability"]
    assert one.estimate.mean == pytest.approx(better.mean(), abs=1e-14)
    assert (one.estimate.ci_low, one.estimate.ci_high) == pytest.approx(mean_interval(better))
    assert one.factor == pytest.approx(values["router.availability"].var() / better.var())
    assert one.plain == result.estimate("router.availability", name)
    lost = corrected[name, "", "router.downtime_host"]
    assert lost.estimate.mean == pytest.approx(1 - better.mean(), abs=1e-12)


def test_it_is_nearer_to_what_is_exact_and_says_by_how_much():
    """Two nodes that are down 5 % of the time: routers' placement is all that is left to vary."""
    result, corrected = found(200, failures={"host.network": HEAVY})
    (name,) = result.variants
    one = corrected[name, "", "router.availability"]
    truth = answers(result.scenario, name).found["router.availability"].value
    assert truth == pytest.approx(0.95)
    assert one.factor > 2
    assert one.estimate.ci_low <= truth <= one.estimate.ci_high
    plain, better = (e.ci_high - e.ci_low for e in (one.plain, one.estimate))
    assert better < plain / 1.2


def test_differences_are_corrected_by_both_variants():
    """One node against two, 5 % down each: neither is better in the mean."""
    result, corrected = found(
        100,
        failures={"host.network": down_share(0.05, "100h")},
        baseline="two",
        variants={"two": {}, "one": {"hosts": {"network": {"count": 1}}}},
    )
    values = {name: result.samples[name].values for name in ("one", "two")}
    better = {
        name: v["router.availability"] - (v["node.availability"] - 0.95)
        for name, v in values.items()
    }
    one = corrected["one", "two", "router.availability"]
    assert one.estimate.mean == pytest.approx((better["one"] - better["two"]).mean(), abs=1e-14)
    assert one.plain == result.difference("router.availability", "one")
    assert one.estimate.ci_low <= 0 <= one.estimate.ci_high


@pytest.mark.parametrize(
    "keys",
    [
        {"failures": {"host.network": outage(1000, 1000)}},  # nothing varies
        {"failures": {"host.network": HEAVY}, "start": "all_up"},  # no exact mean
        {"failures": {"nic.data": HEAVY}},  # the nodes never fail: nothing to correct by
        {"failures": {"host.network": HEAVY, "agent.l3": HEAVY}},  # what meets is too rare
        {"failures": {"host.network": HEAVY, "broker": HEAVY}},
        {"failures": {"host.network": HEAVY, "host.controller": HEAVY}},
    ],
)
def test_where_nothing_can_be_corrected_nothing_is(keys):
    assert not found(30, **keys)[1]


def test_what_is_on_the_way_of_something_rare_is_not_corrected():
    """An external NIC fails once in 200 years: who needs it has no sound spread, others have."""
    rare = {"time_to_failure": {"exponential": {"mean": "200y"}}, "time_to_repair": "48h"}
    nics = {f"network-{i}/external": rare for i in (1, 2)}
    _, corrected = found(40, failures={"host.network": HEAVY, **nics})
    assert {name for *_, name in corrected} == {
        "router.east_west_availability", "router.downtime_host", "network.availability"
    }  # fmt: skip


def test_a_metric_that_some_replications_lack_is_not_corrected():
    """Of those in which it is defined, the nodes have another mean."""
    result, corrected = found(40, failures={"host.network": HEAVY})
    (name,) = result.variants
    assert (name, "", "router.availability") in corrected
    result.samples[name].values["router.availability"][3] = np.nan
    left = {one.metric for one in control_variate(result)}
    assert left == {metric for *_, metric in corrected} - {"router.availability"}


def test_too_few_replications_are_not_corrected():
    assert not found(19, failures={"host.network": down_share(0.05, "100h")})[1]


@pytest.mark.parametrize("n", [50, 200])
def test_intervals_of_corrected_means_contain_the_truth(n):
    """A year's downtime, some 1.5 outages of lognormal length (sigma 1.4), of which a router has
    half to half as much again, and as many of its own in every third year: 93 % of the time."""
    rng, trials, missed = np.random.default_rng(n), 2000, 0

    def downtime(mean):
        counts = rng.poisson(mean, (trials, n))
        lengths = rng.lognormal(-(1.4**2) / 2, 1.4, (counts.max(), trials, n))
        return np.sum(lengths * (np.arange(counts.max())[:, None, None] < counts), axis=0)

    nodes = downtime(1.5)
    routers = nodes * rng.uniform(0.5, 1.5, nodes.shape) + downtime(0.3)
    for sample, twin in zip(routers, nodes, strict=True):
        low, high = mean_interval(sample - (twin - 1.5))
        missed += not low <= 1.8 <= high
    assert missed / trials <= 0.07 + 2.33 * math.sqrt(0.07 * 0.93 / trials)


def test_what_is_corrected_are_metrics_of_the_same_kind():
    from simulator.analysis.metrics import METRICS

    assert all(METRICS[name].high == 1.0 or "downtime" in name for name in MOVES)
