"""Ports that the server refuses to bind while a host's L2 agent looks dead, in simulated time."""

from __future__ import annotations

import pytest
from lab import events, network_nodes, outage, run_one

from simulator.trace import Kind

SEEDS = range(1, 13)
MOVE = [
    {"at": "1000s", "op": "remove_router_from_agent", "router": "*", "agent": "network-1/l3"},
    {"at": "1010s", "op": "add_router_to_agent", "router": "*", "agent": "network-2/l3"},
]


def moved(release, seed, **keys):
    """Routers moved by hand to a host whose agents look alive for 20 s of 200 s only.

    Returns the run, when they serve again, and whether the new host's L2 agent looked alive.
    """
    measured = run_one(
        release=release,
        seed=seed,
        horizon="3000s",
        hosts=network_nodes(2),
        neutron={
            "report_interval": "200s",
            "agent_down_time": "20s",
            "router_auto_schedule": False,
        },
        workload={"tenants": 12},
        actions=MOVE,
        **keys,
    )
    states = [
        kind
        for time, kind, name, _ in events(measured.trace, Kind.AGENT_ALIVE, Kind.AGENT_DOWN)
        if time <= 1010 and "2/l2" in name
    ]
    outages = measured.history.router_outages
    (end,) = set(outages.end[outages.start == 1000].tolist())
    return measured, end, not states or states[-1] == "AGENT_ALIVE"


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


@pytest.mark.parametrize("release", ["liberty", "2026.2"])
def test_since_liberty_ports_are_bound_when_the_l2_agent_is_heard_of_again(release):
    for seed in SEEDS:
        measured, end, alive = moved(release, seed)
        assert end == (1010 if alive else alive_after(measured, 1010))


def test_a_starting_l2_agent_has_its_hosts_ports_bound():
    """Its first heartbeat comes before its question."""
    for seed in SEEDS:
        _, end, alive = moved("havana", seed, failures={"network-2/l2": outage(2000, 10)})
        assert end == (1010 if alive else 2010)


def test_an_l3_agent_that_asks_again_has_them_bound_if_the_l2_agent_looks_alive():
    """Icehouse keeps what is set up when the L3 agent starts anew, and asks for it."""
    ends = set()
    for seed in SEEDS:
        measured, end, alive = moved(
            "icehouse", seed, failures={"network-2/l3": {"outages": [
                {"at": f"{at}s", "for": "1s"} for at in range(1013, 2900, 7)]}},
        )  # fmt: skip
        if not alive:
            seen = alive_after(measured, 1010)
            assert seen < end <= seen + 7 + 5
            ends.add(end)
    assert ends
