"""Random runs against closed forms. Each assert has a chance of 1e-4 or less to fail by chance.

The seeds are fixed, so a failure means that something changed, not bad luck.
"""

from __future__ import annotations

import numpy as np
import pytest
from lab import CONTROLLER, down_share, network_nodes, outage, replicate, scenario
from scipy import stats

from simulator.analysis.metrics import measure
from simulator.trace import Kind

pytestmark = pytest.mark.no_cover

Z = 4.0  # two-sided chance 6e-5
PROMPT = {"periodic_fuzzy_delay": "0s"}  # Grizzly's first sync without its random 0 to 5 s


def z_score(values, expected):
    values = np.asarray(values)
    return (values.mean() - expected) / (values.std(ddof=1) / np.sqrt(values.size))


def cycle(family, up, down):
    ttf = {"exponential": {"mean": up}} if family == "exponential" else {
        "weibull": {"shape": 0.7, "mean": up}}  # fmt: skip
    return {"time_to_failure": ttf, "time_to_repair": {"exponential": {"mean": down}}}


@pytest.mark.parametrize("family", ["exponential", "weibull"])
@pytest.mark.parametrize("release", ["folsom", "grizzly"])
def test_availability_is_mttf_over_mttf_plus_mttr(family, release):
    """MTTF 19 h, MTTR 1 h: 0.95, from the first second on (equilibrium), whatever the shape."""
    given = scenario(
        release=release,
        start="equilibrium",
        horizon="20d",
        neutron=PROMPT if release == "grizzly" else {},
        failures={"host.network": cycle(family, "19h", "1h")},
        workload={"tenants": 3},
    )
    found = [measure(m)["router.availability"] for m in replicate(150, given)]
    assert abs(z_score(found, 0.95)) < Z


@pytest.mark.parametrize(
    ("nodes", "replications", "error"),
    [
        (1, 200, 0.02),
        (2, 200, 0.05),
        (3, 200, 0.1),
        pytest.param(3, 6000, 0.02, marks=pytest.mark.slow),
    ],
)
def test_all_down_is_u_to_the_n(nodes, replications, error):
    """U = 0.1: all nodes that carry a router are down U^n of the time.

    *error* is the relative standard error at most: four of them would be found, so the short run
    tells U^3 from values 30 % away or more (U^2 and U^4 are), and the slow one from 8 %.
    """
    given = scenario(
        start="equilibrium",
        horizon="30d",
        neutron=PROMPT,
        hosts=network_nodes(nodes),
        failures={"host.network": down_share(0.1)},
        workload={"tenants": 25, "per_tenant": {"networks": 0}},
    )
    found = [m.all_down.length / (30 * 86400) for m in replicate(replications, given)]
    assert stats.sem(found) < error * 0.1**nodes
    assert abs(z_score(found, 0.1**nodes)) < Z


def test_overlapping_random_causes_of_90_and_80_percent_leave_72():
    given = scenario(
        release="folsom",
        start="equilibrium",
        horizon="30d",
        failures={"nic.data": down_share(0.1), "nic.external": down_share(0.2)},
    )
    values = [measure(m) for m in replicate(150, given)]
    assert abs(z_score([v["router.availability"] for v in values], 0.72)) < Z
    assert abs(z_score([v["router.east_west_availability"] for v in values], 0.9)) < Z


def test_two_conflicting_agents_serve_2a_times_1_minus_a():
    given = scenario(
        release="folsom",
        start="equilibrium",
        horizon="30d",
        hosts=network_nodes(2),
        failures={"host.network": down_share(0.2)},
    )
    found = [measure(m)["router.availability"] for m in replicate(150, given)]
    assert abs(z_score(found, 2 * 0.8 * 0.2)) < Z


def test_dhcp_on_two_agents_fails_u_squared_of_the_time():
    given = scenario(
        release="folsom",
        start="equilibrium",
        horizon="30d",
        hosts={**network_nodes(), "dhcp": {"kind": "network", "count": 1, "agents": ["dhcp"]}},
        failures={"host.network": down_share(0.1)},
    )
    found = [1 - measure(m)["network.availability"] for m in replicate(200, given)]
    assert abs(z_score(found, 0.01)) < Z


@pytest.mark.parametrize(
    ("neutron", "low", "high"),
    [
        ({}, 1, 5),
        ({"agent_down_time": "9s"}, 5, 9),
        ({"report_interval": "30s", "agent_down_time": "75s"}, 45, 75),
    ],
)
def test_detection_delay_is_uniform(neutron, low, high):
    """D - U(0, R): Kolmogorov-Smirnov at 1e-4."""
    given = scenario(
        start="equilibrium",
        horizon="60d",
        neutron=neutron,
        failures={"host.network": cycle("exponential", "20h", "1h")},
    )
    delays = np.concatenate([m.detections for m in replicate(8, given)])
    assert delays.size > 1000
    assert delays.min() > low
    assert delays.max() < high + 0.001
    one_an_outage = delays[::3]  # the three agents of a host fail together, phases apart
    assert stats.kstest(one_an_outage, "uniform", (low, high - low)).pvalue > 1e-4


@pytest.mark.parametrize("kind", ["router", "network"])
def test_initial_placement_is_uniform(kind):
    """600 objects over 5 nodes, chi-square at 1e-4, in each of 20 replications; and the 20
    statistics themselves by Kolmogorov-Smirnov."""
    given = scenario(hosts=network_nodes(5), workload={"tenants": 600}, horizon="1h")
    scores = []
    for measured in replicate(20, given):
        bound = measured.trace.of(Kind.BOUND)
        sort = measured.trace.objects.sort[bound.object]
        agents = bound.subject[sort == (0 if kind == "router" else 1)]
        counts = np.unique(agents, return_counts=True)[1]
        assert counts.sum() == 600
        scores.append(stats.chisquare(counts).statistic)
    assert max(scores) < stats.chi2.isf(1e-4 / 20, 4)
    assert stats.kstest(scores, stats.chi2(4).cdf).pvalue > 1e-4


def test_equal_means_give_equal_availability_but_other_outages():
    """LANL's fits: Weibull 0.48 and exponential of one mean agree in A, not in outages a month."""
    found = {}
    for family in ("exponential", "weibull"):
        ttf = {"exponential": {"mean": "100h"}} if family == "exponential" else {
            "weibull": {"shape": 0.48, "mean": "100h"}}  # fmt: skip
        given = scenario(
            release="folsom",
            start="equilibrium",
            horizon="30d",
            failures={"host.network": {
                "time_to_failure": ttf, "time_to_repair": {"exponential": {"mean": "5h"}}}},
        )  # fmt: skip
        values = [measure(m) for m in replicate(300, given)]
        found[family] = values
        availability = [v["router.availability"] for v in values]
        assert abs(z_score(availability, 100 / 105)) < Z
    spread = {
        family: np.var([v["router.outages"] for v in values], ddof=1)
        for family, values in found.items()
    }
    assert spread["weibull"] > 1.5 * spread["exponential"]


def test_variants_share_the_failures_of_the_components_they_share():
    """Folsom's and Grizzly's network-1 fail at the same instants, in every replication."""
    given = scenario(
        start="equilibrium",
        horizon="30d",
        hosts=network_nodes(),
        failures={"host": down_share(0.05), "agent": down_share(0.01, "50h")},
    )
    small = replicate(3, given)
    large = replicate(3, scenario(
        start="equilibrium", horizon="30d", release="folsom",
        hosts={"compute": {"kind": "compute", "count": 2}, **network_nodes(2)},
        failures={"host": down_share(0.05), "agent": down_share(0.01, "50h")},
    ))  # fmt: skip
    for one, other in zip(small, large, strict=True):
        faults = [
            {
                (time, trace.components.names[part])
                for time, part in zip(
                    trace.of(Kind.FAIL).time.tolist(), trace.of(Kind.FAIL).subject.tolist(),
                    strict=True,
                )
                if trace.components.names[part].startswith("network-1")
            }
            for trace in (one.trace, other.trace)
        ]  # fmt: skip
        assert faults[0] == faults[1]
        assert faults[0]


def test_downtime_of_vms_is_weighted_by_vm():
    """VMs come one by one to four networks; the first router node is down from 10 to 20 of 24 h.

    Each VM counts from its coming on. The DHCP node never fails, so only routers matter.
    """
    begin, end, day = 36_000.0, 72_000.0, 86_400.0
    node = {"kind": "network", "agents": ["l3", "l2"]}
    measured = next(replicate(
        1,
        seed=2,
        neutron=PROMPT,
        hosts={
            "controller": CONTROLLER,
            "gateway": {**node, "count": 2},
            "dhcp": {**node, "count": 1, "agents": ["dhcp"]},
        },
        workload={"tenants": 4, "per_tenant": {"vms": 0}, "changes": {"vms": {"arrivals": "1/h"}}},
        failures={"gateway-1": outage(begin, end - begin)},
    ))  # fmt: skip
    trace = measured.trace
    bound = trace.of(Kind.BOUND)
    cut = set(bound.object[bound.subject == trace.components.names.index("gateway-1/l3")].tolist())
    comings = trace.of(Kind.VMS)
    total, lost = dict.fromkeys(comings.object.tolist(), 0.0), {}
    for time, network in zip(comings.time.tolist(), comings.object.tolist(), strict=True):
        total[network] += day - time
        if trace.objects.router[network] in cut:
            lost[network] = lost.get(network, 0.0) + max(end - max(time, begin), 0.0)
    expected = 1 - sum(lost.values()) / sum(total.values())
    by_network = 1 - np.mean([lost.get(network, 0.0) / total[network] for network in total])
    assert abs(by_network - expected) > 0.01, "the seed must make an unweighted mean differ"
    found = measure(measured)["vm.north_south_availability"]
    assert found == pytest.approx(expected, abs=1e-9)
