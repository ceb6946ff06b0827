"""All routers down, and whether nodes and agents alone were to blame, with hand-made traces."""

from __future__ import annotations

import pytest
from lab import events, metrics, network_nodes, outage, run_one, with_events

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


POWER = {"network-1": outage(100, 430), "network-2": outage(200, 1000)}


def doomed(failures=POWER, **neutron):
    """Two nodes, one router. Failover moves it from network-1 to network-2, which still looks alive
    but is not, and takes it off again when that has not answered twice for 60 s.
    """
    measured = run_one(
        horizon="3000s", release="2026.2", hosts=network_nodes(2), workload={"tenants": 1},
        failures=failures,
        neutron={
            "allow_automatic_l3agent_failover": True, "periodic_fuzzy_delay": "0s", **neutron
        },
    )  # fmt: skip
    found = events(measured.trace, Kind.BOUND, Kind.UNBOUND)
    mine = [(time, kind, agent) for time, kind, agent, thing in found if thing == ROUTER]
    assert [(kind, agent) for _, kind, agent in mine[:4]] == [
        ("BOUND", "network-1/l3"), ("UNBOUND", "network-1/l3"),
        ("BOUND", "network-2/l3"), ("UNBOUND", "network-2/l3"),
    ]  # fmt: skip
    return measured, mine[3][0], mine[4:]


def test_a_router_that_dying_nodes_left_without_any_is_the_nodes_fault():
    """Bound nowhere from t on, with both nodes down. Node 1 is back at 530 s and asks at once."""
    measured, t, rest = doomed()
    assert 200 + 120 < t < 530
    assert rest == [(530.0, "BOUND", "network-1/l3")]
    assert (measured.all_down.length, measured.all_down_by_nodes.length) == (430.0, 430.0)


def test_so_it_is_while_only_the_node_it_was_taken_from_is_down():
    """Without automatic scheduling node 1, back at t + x, does not get the router; node 2, which it
    was taken from, is back at 1200 s and does not either. From there on no node is to blame."""
    measured, t, rest = doomed(router_auto_schedule=False)
    assert (t < 530, rest) == (True, [])
    assert (measured.all_down.length, measured.all_down_by_nodes.length) == (2900.0, 1100.0)


def test_the_node_it_was_taken_from_has_it_again():
    """Node 2 is back at 800 s, and asks a broker that is away until 1000 s: 200 s are excused."""
    broker = {"controller-1/broker": outage(700, 300)}
    power = {"network-1": outage(100, 2500), "network-2": outage(200, 600)}
    measured, _, rest = doomed(failures={**power, **broker})
    ((back, kind, agent),) = rest
    assert (kind, agent) == ("BOUND", "network-2/l3")
    assert back >= 1000
    assert measured.all_down.length == back - 100
    assert measured.all_down_by_nodes.length == 700.0


def test_a_highly_available_router_whose_nodes_are_all_dead_is_down_by_nodes():
    """29.0.0 takes it off both at once. Node 1 is back at 2000 s, and is master 6.8 s later."""
    measured = run_one(
        horizon="6000s", release="2026.2", hosts=network_nodes(2), workload={"tenants": 1},
        failures={"network-1": outage(1000, 1000), "network-2": outage(1100, 1900)},
        neutron={"allow_automatic_l3agent_failover": True, "l3_ha": True,
                 "periodic_fuzzy_delay": "0s"},
    )  # fmt: skip
    unbound = [t for t, _, agent, _ in events(measured.trace, Kind.UNBOUND) if "l3" in agent]
    assert unbound[0] == unbound[1] < 2000
    assert measured.all_down_by_nodes.length == 906.8046875
