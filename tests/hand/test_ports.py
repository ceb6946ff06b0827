"""Ports that the server refuses to bind while a host's L2 agent looks dead, in simulated time."""

from __future__ import annotations

import pytest
from lab import FREE, events, network_nodes, outage, run_one

from simulator.trace import Kind

SEEDS = range(1, 13)
MOVE = [
    {"at": "1000s", "op": "remove_router_from_agent", "router": "*", "agent": "network-1/l3"},
    {"at": "1010s", "op": "add_router_to_agent", "router": "*", "agent": "network-2/l3"},
]


SELDOM = {"report_interval": "200s", "agent_down_time": "20s", "router_auto_schedule": False}


def moved(release, seed, **keys):
    """Routers moved by hand to a host whose agents look alive for 20 s of 200 s only.

    Returns the run, when they serve again, and whether the new host's L2 agent looked alive.
    """
    measured = run_one(
        release=release,
        seed=seed,
        horizon="3000s",
        hosts=network_nodes(2),
        neutron=SELDOM,
        workload={"tenants": 12},
        **{"actions": MOVE, **keys},
    )
    outages = measured.history.router_outages
    (end,) = set(outages.end[outages.start == 1000].tolist())
    return measured, end, alive_at(measured, 1010, "network-2/l2")


def alive_at(measured, when, agent):
    """Whether an agent looked alive."""
    found = events(measured.trace, Kind.AGENT_ALIVE, Kind.AGENT_DOWN)
    states = [kind for time, kind, name, _ in found if time <= when and name == agent]
    return not states or states[-1] == "AGENT_ALIVE"


def alive_after(measured, time):
    found = events(measured.trace, Kind.AGENT_ALIVE)
    return next(t for t, _, name, _ in found if t > time and name == "network-2/l2")


def test_grizzly_binds_always_and_havana_while_the_l2_agent_looks_alive():
    """The Open vSwitch plugin does not look; ML2 does, and asks no more by itself."""
    seen = set()
    for seed in SEEDS:
        assert moved("grizzly", seed)[1] == 1010
        measured, end, alive = moved("havana", seed)
        assert end == (1010 if alive else 3000)
        assert bool(events(measured.trace, Kind.PORTS_REFUSED)) == (not alive)
        seen.add(alive)
    assert seen == {True, False}


def test_downtime_for_want_of_a_wire_is_the_nodes_path():
    for seed in SEEDS:
        measured, _, alive = moved("havana", seed)
        causes = measured.router_causes
        assert (causes["node_path"].sum() == 0) == alive
        assert causes["configuring"].sum() == 0


@pytest.mark.parametrize("release", ["mitaka", "2026.2"])
def test_since_mitaka_ports_are_bound_when_the_l2_agent_is_heard_of_again(release):
    for seed in SEEDS:
        measured, end, alive = moved(release, seed)
        assert end == (1010 if alive else alive_after(measured, 1010))


@pytest.mark.parametrize(
    ("release", "helps"), [("havana", False), ("juno", False), ("mitaka", True)]
)
def test_a_starting_l2_agent_has_its_hosts_ports_bound_since_mitaka(release, helps):
    """Its first heartbeat comes before its question."""
    for seed in SEEDS:
        _, end, alive = moved(release, seed, failures={"network-2/l2": outage(1015, 5)})
        assert end == (1010 if alive else 1020 if helps else 3000)


@pytest.mark.parametrize(("release", "helps"), [("icehouse", True), ("kilo", False)])
def test_an_l3_agent_that_asks_again_has_them_bound_until_icehouse(release, helps):
    """It keeps what is set up when it starts anew every 7 s, and asks for it within 5 s.

    The server binds the ports if the L2 agent looks alive then; Kilo's does not try again.
    """
    restarts = [{"at": f"{at}s", "for": "1s"} for at in range(1013, 2900, 7)]
    refused = 0
    for seed in SEEDS:
        measured, end, alive = moved(
            release, seed, failures={"network-2/l3": {"outages": restarts}}
        )
        if not alive:
            refused += 1
            seen = alive_after(measured, 1010)
            assert seen < end <= seen + 7 + 5 if helps else end == 3000
    assert refused


def test_a_router_that_moves_on_has_its_ports_bound_there():
    """Away again at 1100 s, and back on the first host at 1110 s, whose L2 agent looks alive."""

    def refused_at(measured, time):
        return time in [event[0] for event in events(measured.trace, Kind.PORTS_REFUSED)]

    back = [
        {"at": "1100s", "op": "remove_router_from_agent", "router": "*", "agent": "network-2/l3"},
        {"at": "1110s", "op": "add_router_to_agent", "router": "*", "agent": "network-1/l3"},
    ]
    tried = 0
    for seed in range(1, 40):
        measured, end, alive = moved("juno", seed, actions=[*MOVE, *back])
        assert alive or end == (3000 if refused_at(measured, 1110) else 1110)
        tried += end == 1110
    assert tried


def failing(release, seed, **failures):
    """One router on one of two nodes, with failover."""
    return run_one(
        release=release,
        seed=seed,
        horizon="4000s",
        hosts=network_nodes(2),
        workload={"tenants": 1},
        neutron={"allow_automatic_l3agent_failover": True},
        failures=failures,
    )


def test_refused_through_broker_or_server_is_not_down_by_nodes():
    """The broker is away from 1000 to 1400 s, and the first L3 agent back is given the router."""
    refused = 0
    for seed in range(1, 60):
        measured = failing("kilo", seed, **{"controller-1/broker": outage(1000, 400)})
        if events(measured.trace, Kind.PORTS_REFUSED):
            refused += 1
            assert measured.all_down.length > 2400
            assert measured.all_down_by_nodes.length < 30
    assert refused


def test_refused_through_the_l2_agents_own_death_is_down_by_nodes():
    """The router's host is lost at 300 s; the other's L2 agent was dead from 100 to 620 s."""
    for seed in (1, 2, 3):
        (_, _, agent, _) = events(failing("kilo", seed).trace, Kind.BOUND)[-1]
        holder = agent.partition("/")[0]
        other = {"network-1": "network-2", "network-2": "network-1"}[holder]
        failures = {holder: outage(300, 20000), f"{other}/l2": outage(100, 520)}
        measured = failing("kilo", seed, **failures)
        assert events(measured.trace, Kind.PORTS_REFUSED)
        assert not events(measured.trace, Kind.PORTS_BOUND)
        assert measured.all_down.length == measured.all_down_by_nodes.length == 3700


def added(at, release="mitaka", **keys):
    """A router added at *at* s to a host whose agents look alive for 20 s of 200 s only."""
    acts = [
        {"at": "1000s", "op": "remove_router_from_agent", "router": "*", "agent": "*/l3"},
        {"at": f"{at}s", "op": "add_router_to_agent", "router": "*", "agent": "network-2/l3"},
    ]
    return run_one(
        release=release,
        horizon="2000s",
        hosts=network_nodes(2),
        neutron=SELDOM,
        workload={"tenants": 1},
        actions=acts,
        **keys,
    )


@pytest.mark.parametrize("at", [1100, 1119, 1121])
def test_ports_that_are_bound_after_all_wait_for_the_wire(at):
    """The L2 agent is down from 1115 to 1120 s, and has wired what is new at 1180 s."""
    measured = added(
        at, failures={"network-2/l2": outage(1115, 5)}, costs={**FREE, "rewire": "60s"}
    )
    assert measured.history.router_outages.end.tolist() == [1180]


@pytest.mark.parametrize("long_ago", [{}, {"network-2/l2": outage(100, 50)}])
def test_a_failure_long_repaired_is_not_to_blame(long_ago):
    """The row of the L2 agent is deleted when it looks alive: nobody's node has failed."""
    deleted = {"at": "1001s", "op": "delete_agent", "agent": "network-2/l2"}
    measured = run_one(
        release="kilo",
        horizon="2000s",
        hosts=network_nodes(2),
        neutron={
            "report_interval": "60s",
            "agent_down_time": "150s",
            "router_auto_schedule": False,
        },
        workload={"tenants": 1},
        actions=[
            {"at": "1000s", "op": "remove_router_from_agent", "router": "*", "agent": "*/l3"},
            deleted,
            {"at": "1001.5s", "op": "add_router_to_agent", "router": "*", "agent": "network-2/l3"},
        ],
        failures=long_ago,
    )
    assert events(measured.trace, Kind.PORTS_REFUSED)
    assert measured.all_down_by_nodes.length == 0


def test_each_refusal_has_its_own_cause():
    """Refused through the broker's outage; later given back when the L2 agent is truly dead.

    Network-1 is lost for good at 3000 s; all that follows is the nodes' doing.
    """
    failures = {
        "controller-1/broker": outage(1000, 400),
        "network-2": outage(1906.1, 300),
        "network-2/l2": outage(2634.5, 4000),
        "network-1/l2": outage(2680.6, 4000),
        "network-1": outage(3000, 9000),
    }
    measured = run_one(
        release="liberty",
        seed=133,
        horizon="6000s",
        hosts=network_nodes(2),
        workload={"tenants": 1},
        neutron={"allow_automatic_l3agent_failover": True},
        failures=failures,
    )
    refused = [
        t for t, *_, thing in events(measured.trace, Kind.PORTS_REFUSED) if "router" in thing
    ]
    assert len(refused) == 2
    assert measured.all_down_by_nodes.ends[-1] == 6000
    assert measured.all_down_by_nodes.starts[-1] == 3000
