"""Addresses, bandwidth and one outage in every metric, with the arithmetic in the assert."""

from __future__ import annotations

import pytest
from lab import CONTROLLER, FREE, metrics, network_nodes, outage, run_one

from simulator.analysis.metrics import METRICS, measure
from simulator.trace import Kind, Sort
from simulator.units import YEAR
from simulator.world.streams import FUZZ, Streams, stable_hash

DAY = 86400.0


@pytest.mark.parametrize(
    ("seconds", "vm_seconds"),
    [
        (60, 0.0),  # nobody's lease ends before L/2 = 60 s
        (90, 10 * 30**2 / 120),  # integral of (t - 60) / 60 from 60 to 90 s, 10 VMs
        (120, 10 * 120 / 4),  # the whole ramp: L / 4
        (300, 10 * (120 / 4 + 180)),  # and 180 s with nobody
    ],
)
def test_the_120_s_lease(seconds, vm_seconds):
    """DHCP is gone for *seconds*, and back at once: regaining takes no time here."""
    measured = run_one(
        release="folsom",
        workload={"tenants": 1, "per_tenant": {"vms": 10}},
        failures={"network-1/data": outage(1000, seconds)},
    )
    assert measured.leases.without_address() == pytest.approx(vm_seconds, abs=1e-6)


def test_vms_regain_their_address_a_stated_time_after_dhcp_is_back():
    """Out 90 s: half of 10 VMs lost it, for 20 s more."""
    measured = run_one(
        release="folsom",
        costs={**FREE, "address_regain": "20s"},
        workload={"tenants": 1, "per_tenant": {"vms": 10}},
        failures={"network-1/data": outage(1000, 90)},
    )
    assert measured.leases.without_address() == pytest.approx(10 * (7.5 + 0.5 * 20), abs=1e-6)


def test_a_vm_is_outside_only_with_an_address_and_a_router():
    """DHCP node down 300 s, router node up: 10 VMs lose 210 s each; then 100 s of no router."""
    measured = run_one(
        release="folsom",
        hosts={
            "controller": CONTROLLER,
            "gateway": {"kind": "network", "count": 1, "agents": ["l3", "l2"]},
            "dhcp": {"kind": "network", "count": 1, "agents": ["dhcp", "l2"]},
        },
        workload={"tenants": 1, "per_tenant": {"vms": 10}},
        failures={"dhcp-1": outage(1000, 300), "gateway-1": outage(50_000, 100)},
    )
    served, total = measured.leases.north_south()
    assert total == 10 * DAY
    assert total - served == pytest.approx(10 * (30 + 180 + 100), abs=1e-6)


def test_no_address_is_lost_while_a_second_server_serves():
    values = metrics(
        release="folsom",
        hosts={**network_nodes(), "dhcp": {"kind": "network", "count": 1, "agents": ["dhcp"]}},
        failures={"network-1": outage(1000, 3600)},
    )
    assert values["vm.hours_without_address"] == 0.0
    assert values["network.availability"] == 1.0


def test_two_routers_over_one_10_gbps_nic():
    """VLANs: 1500 of 1504 bytes. 8 and 4 Gbit/s over 9.973: the small one whole, the rest to the
    other; on the average of two equal halves of a day."""
    nic = 10e9 * 1500 / 1504
    values = metrics(
        release="folsom",
        segmentation="vlan",
        hosts=network_nodes(forwarding={"rate": "unlimited"}),
        workload={
            "tenants": 2,
            "traffic": {
                "per_router": "8Gbps",
                "daily": [{"from": "0h", "factor": 1.0}, {"from": "12h", "factor": 0.5}],
            },
        },
    )
    assert values["load.offered"] == pytest.approx(12e9)
    assert values["load.carried"] == pytest.approx((nic + 8e9) / 2)
    assert values["load.hours_below_demand"] == pytest.approx(12)
    assert values["load.router_p5"] == pytest.approx((nic / 2 + 4e9) / 12e9)


def test_packets_per_second_bind_before_bits():
    """130 kpps of 64 bytes are 66.56 Mbit/s."""
    values = metrics(
        release="folsom",
        hosts=network_nodes(forwarding={"packet_rate": "130kpps"}),
        workload={"tenants": 1, "traffic": {"per_router": "1Gbps", "packet_size": "64B"}},
    )
    assert values["load.carried"] == pytest.approx(130e3 * 64 * 8)


def test_an_uplink_is_shared_by_the_nodes_before_it():
    """Two nodes of 4.5 Gbit/s behind 6 Gbit/s, 10 routers of 1 Gbit/s, of which k on node 1."""
    measured = run_one(
        hosts=network_nodes(2),
        external_networks={"public": {"uplink": "6Gbps"}},
        workload={"tenants": 10, "traffic": {"per_router": "1Gbps"}},
    )
    bound = measured.trace.of(Kind.BOUND)
    agents = bound.subject[measured.trace.objects.sort[bound.object] == Sort.ROUTER]
    k = int((agents == measured.trace.components.names.index("network-1/l3")).sum())
    assert agents.size == 10
    carried = min(6e9, min(k * 1e9, 4.5e9) + min((10 - k) * 1e9, 4.5e9))
    assert measure(measured)["load.carried"] == pytest.approx(carried, rel=1e-12)


def test_one_outage_of_known_length_in_every_metric():
    """Grizzly, two nodes, four tenants over one year. Node 1 crashes for 8760 s (a thousandth of
    8.76e6 s, or YEAR / 3600); k of the 4 routers and j of the 4 networks are on it."""
    out = YEAR / 3600
    begin = 1_000_000
    measured = run_one(
        horizon="1y",
        seed=5,
        hosts=network_nodes(2),
        workload={
            "tenants": 4,
            "per_tenant": {"vms": 10},
            "traffic": {"per_router": "100Mbps"},
        },
        failures={"network-1": outage(begin, out)},
    )
    values = {name: _value(metric, measured) for name, metric in METRICS.items()}
    nodes = measured.history.routed.node
    names = [measured.trace.components.names[h] for h in measured.trace.nodes.host[nodes]]
    k = len({o for o, n in zip(measured.history.routed.owner, names, strict=True) if n[-1] == "1"})
    assert 0 < k < 4, "the seed must place routers on both nodes"
    rows = measured.history.router_outages
    # Whole seconds until the L3 agent's first sync, in life 2: a stop and a start after life 0.
    draws = Streams(5, 0).stream(stable_hash("network-1/l3"), FUZZ, first=2)
    lag = draws.index(6)
    assert lag > 0, "the seed must make it wait"
    assert set(rows.length.tolist()) == {out + lag}
    down = k * (out + lag)
    leased = measured.history.dhcp_servers
    j = len({int(o) for o in leased.owner[leased.end == begin]})
    vms_down = {int(n) for n in leased.owner[leased.end == begin]}
    both = sum(1 for n in vms_down if measured.trace.objects.router[n] in set(rows.owner))
    address = 10 * (120 / 4 + out - 120)  # lost by the 10 VMs of a network
    overlap = 10 * (out + lag)  # lost by the 10 VMs of a router
    joint = address  # of those that lost both: the address comes back before the router
    expected = {
        "router.availability": 1 - down / (4 * YEAR),
        "router.availability_worst": 1 - (out + lag) / YEAR,
        "router.share_over_limit": k / 4,  # 8760 s exceed the hour a year
        "router.east_west_availability": 1 - down / (4 * YEAR),
        "router.conflicted_time": 0.0,
        "router.all_down_time": 0.0,
        "router.all_down_probability": 0.0,
        "router.all_down_time_by_nodes": 0.0,
        "router.all_down_probability_by_nodes": 0.0,
        "router.blast_radius_mean": k / 4,
        "router.blast_radius_p95": k / 4,
        "router.blast_radius_max": k / 4,
        "router.outages": k,
        "router.outage_median": out + lag,
        "router.outage_p95": out + lag,
        "router.outage_longest": out + lag,
        "router.downtime_unscheduled": 0.0,
        "router.downtime_host": k * out / (4 * YEAR),
        "router.downtime_configuring": k * lag / (4 * YEAR),
        "router.downtime_electing": 0.0,
        "router.downtime_node_path": 0.0,
        "router.downtime_uplink": 0.0,
        "router.downtime_conflicted": 0.0,
        "network.availability": 1 - j * out / (4 * YEAR),
        "vm.hours_without_address": j * address / 3600,
        "vm.north_south_availability": 1 - (k * overlap + j * address - both * joint) / (40 * YEAR),
        "tenant.availability": 1 - down / (4 * YEAR),
        "tenant.availability_worst": 1 - (out + lag) / YEAR,
        "node.availability": 1 - out / (2 * YEAR),
        "control.availability": "nothing that was created met its first trigger",
        "control.provisioning_median": "nothing was created and served",
        "control.provisioning_p95": "nothing was created and served",
        "failover.time_median": "nothing moved to another host",
        "failover.time_p95": "nothing moved to another host",
        "failover.moves": 0.0,
        "load.offered": 4e8,
        "load.carried": 4e8 * (1 - down / (4 * YEAR)),
        "load.hours_below_demand": (out + lag) / 3600,
        "load.imbalance": (
            (YEAR - out - lag) * max(k, 4 - k) / 2
            + lag * 2  # all load on one of two nodes that are up
            + out * 1  # on the only one that is
        )
        / YEAR,
        "dhcp.servers_per_node_max": (max(j, 4 - j) * (YEAR - out) + (4 - j) * out) / YEAR,
        "dhcp.servers_per_node_mean": (4 * YEAR - j * out) / 2 / YEAR,
        "agent.false_down_episodes": 0.0,
        "agent.false_down_time": 0.0,
        "agent.ha_report_delay_mean": "no router is highly available",
    }
    for name, value in expected.items():
        if isinstance(value, str):
            assert values[name] == value, name
        else:
            assert values[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    assert 1 < values["agent.detection_mean"] <= 5.0001  # three agents, each 1 to 5 s
    assert values["agent.detection_mean"] <= values["agent.detection_p95"] <= 5.0001
    carried = 1 - (out + lag) / YEAR  # of the routers hit; the others carry all they offer
    assert carried <= values["load.router_p5"] <= 1
    unchecked = {"agent.detection_mean", "agent.detection_p95", "load.router_p5"}
    assert set(expected) | unchecked == set(METRICS)


def _value(metric, measured):
    from simulator.analysis.measured import UndefinedError

    try:
        return metric.function(measured)
    except UndefinedError as reason:
        return str(reason)


def test_a_definition_stands_alone():
    """`netnode explain` shows one at a time, so none may point at its neighbour."""
    for name, metric in METRICS.items():
        words = metric.definition.lower()
        assert not any(
            phrase in words for phrase in ("of the same", "the same by", "any such", "of these,")
        ), name


@pytest.mark.parametrize("counts_as", ["up", "down"])
def test_the_end_of_a_conflict_is_no_failover(counts_as):
    """Two Folsom nodes that both answer; the uplink blinks, then one node after the other fails."""
    values = metrics(
        release="folsom",
        hosts=network_nodes(2),
        measures={"conflicted_counts_as": counts_as},
        failures={
            "uplink": outage(1000, 10),
            "network-1": outage(10000, 20000),
            "network-2": outage(50000, 10000),
        },
    )
    assert values["failover.moves"] == 0
