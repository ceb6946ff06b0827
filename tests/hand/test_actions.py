"""Acts by hand, in small systems with the arithmetic in the assert."""

from __future__ import annotations

from collections import Counter

import pytest
from lab import events, network_nodes, run_one

from simulator.scenario.schema import ACTION_ARGUMENTS
from simulator.trace import Kind
from simulator.world.operators import OPERATIONS


def test_every_operation_of_the_schema_can_be_done():
    assert set(ACTION_ARGUMENTS) == OPERATIONS


def test_the_operator_counts_anew_before_each_binding():
    """40 networks on 4 agents at random, and each once more by hand, on the idlest other agent.

    Filling up the idlest first, 40 more bindings level counts of 10 each on average: all end at
    20, for no agent starts with more than 20, and the lowest may always be raised but where it
    hosts the network itself.
    """
    trace = run_one(
        hosts=network_nodes(4),
        workload={"tenants": 40},
        actions=[{"at": "100s", "op": "add_network_to_agent", "network": "*", "agent": "*/dhcp"}],
    ).trace
    dhcp = [e for e in events(trace, Kind.BOUND) if e[2].endswith("/dhcp")]
    before = Counter(agent for time, _, agent, _ in dhcp if time == 0)
    after = Counter(agent for _, _, agent, _ in dhcp)
    assert max(before.values()) - min(before.values()) > 1, "the seed must place unevenly"
    assert sum(before.values()) == 40
    assert sorted(after.values()) == [20, 20, 20, 20]


@pytest.mark.parametrize("stopped_before", [False, True])
@pytest.mark.parametrize(
    "ops",
    [["agent_start", "agent_stop"], ["agent_stop", "agent_start"], ["agent_start"], ["agent_stop"]],
)
def test_acts_of_one_instant_are_done_in_the_files_order(ops, stopped_before):
    """Stopped at 1000 s or not: the last of the acts at 2000 s decides."""
    early = [{"at": "1000s", "op": "agent_stop", "agent": "network-1/l3"}] * stopped_before
    late = [{"at": "2000s", "op": op, "agent": "network-1/l3"} for op in ops]
    trace = run_one(actions=early + late).trace
    downs = len(events(trace, Kind.AGENT_DOWN))
    returns = len(events(trace, Kind.AGENT_ALIVE))
    assert downs - returns == (ops[-1] == "agent_stop")


@pytest.mark.parametrize("release", ["grizzly", "icehouse", "kilo", "liberty", "mitaka", "2026.2"])
def test_the_router_of_a_disabled_agent_is_not_to_be_had(release):
    """check_agent_router_scheduling_needed asks for any binding, of whatever agent."""
    measured = run_one(
        release=release,
        horizon="1000s",
        hosts=network_nodes(2),
        workload={"tenants": 1},
        actions=[
            {"at": "5s", "op": "remove_router_from_agent", "router": "*", "agent": "*/l3"},
            {"at": "10s", "op": "add_router_to_agent", "router": "*", "agent": "network-1/l3"},
            {"at": "100s", "op": "update_agent", "agent": "network-1/l3", "admin_state_up": False},
            {"at": "101s", "op": "add_router_to_agent", "router": "*", "agent": "network-2/l3"},
        ],
    )
    acted = measured.trace.of(Kind.ACTED)
    assert dict(zip(acted.time.tolist(), acted.value.tolist(), strict=True))[101.0] == 409
    assert events(measured.trace, Kind.BOUND)[-1][2] == "network-1/l3"
