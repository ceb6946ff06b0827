"""Several things at one instant count in the order in which they happened."""

from __future__ import annotations

import pytest
from lab import CONTROLLER, FREE, metrics, network_nodes, outage, run_one, with_events

from simulator.trace import Kind

L3 = "network-1/l3"
ROUTER = "tenant-1/router-1"
ONE = {"horizon": "10000s", "workload": {"tenants": 1}}


def by_hand(op, what, agent):
    """What is taken from *agent* and given to it, or to another, at 1000 s."""
    return {"at": "1000s", "op": op, what: "*", "agent": agent}


def moved(old, new):
    return [
        by_hand("remove_router_from_agent", "router", old),
        by_hand("add_router_to_agent", "router", new),
    ]


def test_a_router_taken_and_given_back_at_one_instant_never_stops():
    values = metrics(**ONE, actions=moved(L3, L3))
    assert values["router.availability"] == 1.0
    assert values["router.downtime_unscheduled"] == 0.0
    assert values["router.outages"] == 0


def test_a_network_taken_and_given_back_at_one_instant_never_stops():
    agent = "network-1/dhcp"
    actions = [
        by_hand("remove_network_from_agent", "network", agent),
        by_hand("add_network_to_agent", "network", agent),
    ]
    assert metrics(**ONE, actions=actions)["network.availability"] == 1.0


def test_the_causes_of_an_outage_know_that_it_is_bound_again():
    """Bound anew at 1000 s, set up 100 s later; host down from 5000 to 6000 s, and its router set
    up 100 s after the first sync, of at most 5 s: 1000 s by host, 200 s and more configuring."""
    values = metrics(
        **ONE,
        costs={**FREE, "rebuild_per_router": "100s"},
        failures={"network-1": outage(5000, 1000)},
        actions=moved(L3, L3),
    )
    assert values["router.downtime_unscheduled"] == 0.0
    assert values["router.downtime_host"] == 0.1
    assert 0.0200 <= values["router.downtime_configuring"] <= 0.0205


def test_set_up_and_then_taken_down_at_one_instant_is_down():
    """The other order: given back first (at 1000 s, when it still had it), then taken down."""
    measured = with_events(
        run_one(**ONE),
        (1000.0, Kind.BOUND, L3, ROUTER),
        (1000.0, Kind.CONFIGURED, L3, ROUTER),
        (1000.0, Kind.UNBOUND, L3, ROUTER),
        (1000.0, Kind.UNCONFIGURED, L3, ROUTER),
    )
    assert measured.history.routed.end.tolist() == [1000.0]
    assert measured.router_causes["unscheduled"].sum() == 9000.0


def test_a_moved_router_loads_the_node_that_it_is_on():
    """1 Gbit/s for 1000 s on the fast node, then 400 Mbit/s for 9000 s: 0.46 Gbit/s."""
    values = metrics(
        horizon="10000s",
        workload={"tenants": 1, "traffic": {"per_router": "1Gbps"}},
        hosts={
            "controller": CONTROLLER,
            "fast": {"kind": "network", "count": 1},
            "slow": {"kind": "network", "count": 1, "forwarding": {"rate": "400Mbps"}},
        },
        actions=moved("fast-1/l3", "slow-1/l3"),
    )
    assert values["router.availability"] == 1.0
    assert values["load.carried"] == pytest.approx((1000 * 1e9 + 9000 * 4e8) / 10000)


def test_a_moved_router_is_hit_by_the_failure_of_its_new_node():
    """It moves to node 2 at 1000 s without a pause; node 2 is down from 5000 to 6000 s. It comes
    back there, so nothing but the move by hand moved."""
    values = metrics(
        **ONE,
        hosts=network_nodes(2),
        failures={"network-2": outage(5000, 1000)},
        actions=moved(L3, "network-2/l3"),
    )
    assert values["router.blast_radius_mean"] == 1.0
    assert values["router.outages"] == 1
    assert values["failover.moves"] == 0


def test_a_network_that_returns_to_the_node_it_had_last_did_not_move():
    """Two DHCP servers: node 1 is down from 1000 to 6000 s, node d from 2000 to 3000 s. The network
    was out from 2000 to 3000 s, and is served by d before and after."""
    values = metrics(
        **ONE,
        release="folsom",
        hosts={**network_nodes(), "d": {"kind": "network", "count": 1, "agents": ["dhcp", "l2"]}},
        failures={"network-1": outage(1000, 5000), "d-1": outage(2000, 1000)},
    )
    assert values["network.availability"] == 0.9
    assert values["failover.moves"] == 0


def test_a_network_that_returns_on_the_other_node_did_move():
    """Node 1 is down from 1000 to 3000 s, node d from 2000 to 6000 s: 1000 s from d to node 1."""
    values = metrics(
        **ONE,
        release="folsom",
        hosts={**network_nodes(), "d": {"kind": "network", "count": 1, "agents": ["dhcp", "l2"]}},
        failures={"network-1": outage(1000, 2000), "d-1": outage(2000, 4000)},
    )
    assert values["failover.moves"] == 1
    assert values["failover.time_median"] == 1000.0


def test_what_fails_on_one_node_at_one_instant_is_one_onset():
    """Both NICs of node 1 at 1000 s: one onset that stops 2 of 2 routers; one NIC at 5000 s."""
    measured = run_one(
        failures={
            "network-1/data": outage(1000, 100),
            "network-1/external": {
                "outages": [{"at": "1000s", "for": "50s"}, {"at": "5000s", "for": "50s"}]
            },
        }
    )
    assert measured.blasts.tolist() == [1.0, 1.0]


def test_an_uplink_stops_the_routers_behind_it():
    """Of each tenant's three routers, one is behind the second network: 2 of 6."""
    measured = run_one(
        external_networks={"one": {}, "two": {}},
        hosts={
            "controller": CONTROLLER,
            "a": {"kind": "network", "count": 1, "gateway_external_network_id": "one"},
            "b": {"kind": "network", "count": 1, "gateway_external_network_id": "two"},
        },
        workload={"tenants": 2, "per_tenant": {"routers": {"one": 2, "two": 1}}},
        failures={"uplink/two": outage(1000, 100)},
    )
    assert measured.blasts.tolist() == [pytest.approx(2 / 6)]
