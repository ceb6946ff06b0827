"""All routers down, and whether nodes and agents alone were to blame, with hand-made traces."""

from __future__ import annotations

import pytest
from lab import metrics, network_nodes, outage, run_one, with_events

from simulator.trace import Kind

L3, DATA, HOST = "network-1/l3", "network-1/data", "network-1"
ROUTER = "tenant-1/router-1"
WIPED = [(1000.0, Kind.WIPED, L3, "")]
"""Its agent restarts at 1000 s and destroys what it had."""


def down(*extra, **keys):
    """Seconds all down, and of these by nodes; one router in 10,000 s unless *keys* say else."""
    given = {"horizon": "10000s", "workload": {"tenants": 1}, **keys}
    measured = with_events(run_one(**given), *extra)
    return measured.all_down.length, measured.all_down_by_nodes.length


def test_an_agent_that_waits_on_a_fit_node_is_excused():
    """Wiped at 1000 s, waiting from there to 2995 s, set up at 3000 s: 2000 s down, 5 by nodes."""
    waiting = [(1000.0, Kind.WAITING, L3, ""), (2995.0, Kind.RESUMED, L3, "")]
    assert down(*WIPED, *waiting, (3000.0, Kind.CONFIGURED, L3, ROUTER)) == (2000.0, 5.0)


def test_a_host_that_dies_meanwhile_is_to_blame_for_its_own_part():
    """As above, but the host is down from 1500 to 2800 s, and the agent waits again after it."""
    events = [
        *WIPED,
        (1000.0, Kind.WAITING, L3, ""),
        (1500.0, Kind.FAIL, HOST, ""),
        (1500.0, Kind.RESUMED, L3, ""),
        (2800.0, Kind.REPAIR, HOST, ""),
        (2800.0, Kind.WAITING, L3, ""),
        (2995.0, Kind.RESUMED, L3, ""),
        (3000.0, Kind.CONFIGURED, L3, ROUTER),
    ]
    assert down(*events) == (2000.0, 1300.0 + 5.0)


def test_a_node_that_passes_nothing_is_to_blame_while_its_agent_waits():
    """As above, with the data NIC down from 1000 to 2500 s."""
    events = [
        *WIPED,
        (1000.0, Kind.WAITING, L3, ""),
        (1000.0, Kind.FAIL, DATA, ""),
        (2500.0, Kind.REPAIR, DATA, ""),
        (2995.0, Kind.RESUMED, L3, ""),
        (3000.0, Kind.CONFIGURED, L3, ROUTER),
    ]
    assert down(*events) == (2000.0, 1500.0 + 5.0)


def test_a_router_that_no_agent_has_is_excused():
    """Bound nowhere from 1000 to 3000 s, set up 10 s later."""
    events = [
        (1000.0, Kind.UNBOUND, L3, ROUTER),
        (1000.0, Kind.UNCONFIGURED, L3, ROUTER),
        (3000.0, Kind.BOUND, L3, ROUTER),
        (3010.0, Kind.CONFIGURED, L3, ROUTER),
    ]
    assert down(*events) == (2010.0, 10.0)


def test_an_excused_router_does_not_count_as_serving():
    """Two routers: one bound nowhere from 1000 s on, the other's host path cut at 5000 s for 100 s:
    until then one serves, then none does, and a node is to blame for one of the two."""
    events = [
        (1000.0, Kind.UNBOUND, L3, ROUTER),
        (1000.0, Kind.UNCONFIGURED, L3, ROUTER),
        (5000.0, Kind.FAIL, DATA, ""),
        (5100.0, Kind.REPAIR, DATA, ""),
    ]
    assert down(*events, workload={"tenants": 2}) == (100.0, 100.0)


def test_an_uplink_takes_all_down_but_no_node_is_to_blame():
    values = metrics(failures={"uplink/public": outage(1000, 600)})
    assert values["router.all_down_time"] == 600.0
    assert values["router.all_down_time_by_nodes"] == 0.0
    assert values["router.all_down_probability"] == 1.0
    assert values["router.all_down_probability_by_nodes"] == 0.0


def test_nodes_that_overlap_take_all_down():
    """Node 1 down from 1000 to 2000 s, node 2 from 1500 to 3000 s: 500 s, and on each of them up to
    5 s until the first sync, which can only prolong the 500 s of node 1."""
    measured = run_one(
        hosts=network_nodes(2),
        workload={"tenants": 20},
        failures={"network-1": outage(1000, 1000), "network-2": outage(1500, 1500)},
    )
    assert 500.0 <= measured.all_down.length <= 505.0
    assert measured.all_down_by_nodes.length == measured.all_down.length


def test_routers_that_come_while_the_broker_is_gone_are_not_the_nodes_fault():
    """Tenants come at 4/h, none at the start; the broker is gone for 20,000 s: none is placed."""
    values = metrics(
        workload={"tenants": 0, "changes": {"tenants": {"arrivals": "4/h"}}},
        failures={"controller-1/broker": outage(1, 20_000)},
    )
    assert values["router.all_down_time"] > 10_000
    assert values["router.all_down_time_by_nodes"] == 0.0


@pytest.mark.parametrize(("service", "time"), [("broker", 500), ("server", 500)])
def test_an_l2_agent_that_waits_for_what_all_share_is_no_fault_of_its_node(service, time):
    """The L2 agent restarts at 1000 s, flushes, and waits for what is away since 990 s."""
    values = metrics(
        failures={"network-1/l2": outage(980, 20), f"controller-1/{service}": outage(990, time)}
    )
    assert values["router.all_down_time"] >= 490
    assert values["router.all_down_time_by_nodes"] == 0


def test_a_host_that_returns_to_a_broker_away_is_down_by_nodes_until_its_agents_wait():
    """Host down 1000 to 1010 s; its L3 agent asks 0 to 5 s later, and waits for the broker."""
    values = metrics(
        failures={"network-1": outage(1000, 10), "controller-1/broker": outage(990, 500)}
    )
    assert values["router.all_down_time"] >= 490
    assert 10 <= values["router.all_down_time_by_nodes"] <= 15
