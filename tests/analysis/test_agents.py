"""The agent list of one instant, by hand and against what OpenStack's client printed."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from lab import CONTROLLER, network_nodes, outage, scenario

from simulator.analysis.agents import ListedAgent, agent_list, as_json_text, table
from simulator.analysis.results import ResultSet
from simulator.errors import InputError, MissingError
from simulator.experiment.runner import run

PRINTED = """\
+--------------------------------------+--------------------+------------+-------------------+-------+-------+---------------------------+
| ID                                   | Agent Type         | Host       | Availability Zone | Alive | State | Binary                    |
+--------------------------------------+--------------------+------------+-------------------+-------+-------+---------------------------+
| 201f4cd8-90e7-4f03-b1bc-7e1a111fd819 | Open vSwitch agent | net-node-1 | None              | :-)   | UP    | neutron-openvswitch-agent |
| 29cb54b0-d6c2-42f4-a7f0-f330b7e2e6ed | L3 agent           | net-node-3 | az2               | XXX   | UP    | neutron-l3-agent          |
| f9d65d70-8d73-4e37-a9f9-00e11dac4e23 | L3 agent           | net-node-2 | az1               | :-)   | DOWN  | neutron-l3-agent          |
+--------------------------------------+--------------------+------------+-------------------+-------+-------+---------------------------+
"""  # noqa: E501
"""Recorded from `openstack network agent list`, cut to three of its rows."""
RECORDED = [
    ListedAgent("201f4cd8-90e7-4f03-b1bc-7e1a111fd819", "Open vSwitch agent", "net-node-1", None,
                True, True, "neutron-openvswitch-agent"),
    ListedAgent("29cb54b0-d6c2-42f4-a7f0-f330b7e2e6ed", "L3 agent", "net-node-3", "az2",
                False, True, "neutron-l3-agent"),
    ListedAgent("f9d65d70-8d73-4e37-a9f9-00e11dac4e23", "L3 agent", "net-node-2", "az1",
                True, False, "neutron-l3-agent"),
]  # fmt: skip


def test_the_table_is_what_the_client_prints():
    assert table(RECORDED) == PRINTED


def test_json_is_what_the_client_prints():
    first = json.loads(as_json_text(RECORDED))[0]
    assert first == {
        "ID": "201f4cd8-90e7-4f03-b1bc-7e1a111fd819",
        "Agent Type": "Open vSwitch agent",
        "Host": "net-node-1",
        "Availability Zone": None,
        "Alive": True,
        "State": True,
        "Binary": "neutron-openvswitch-agent",
    }
    assert as_json_text(RECORDED[:1]).startswith('[\n  {\n    "ID": "201f')


def test_no_agents_is_a_table_too():
    assert len(table([]).splitlines()) == 4


def by_hand(*rows):
    """A result whose trace holds (time, event, agent, value)."""
    result = ResultSet(scenario(), [0], {"base": None})
    result.events = pd.DataFrame(rows, columns=["time_s", "event", "subject", "value"]).assign(
        variant="base", object=""
    )
    return result


EVENTS = (
    (0.0, "registered", "network-1/l3", 0.0),
    (0.0, "started", "network-1/l3", 0.0),
    (0.0, "registered", "network-1/l2", 0.0),
    (10.0, "agent_down", "network-1/l3", 0.0),
    (20.0, "agent_alive", "network-1/l3", 0.0),
    (30.0, "admin_state", "network-1/l3", 0.0),
    (40.0, "agent_down", "network-1/l3", 0.0),
    (50.0, "deregistered", "network-1/l3", 0.0),
    (60.0, "agent_down", "network-1/l3", 0.0),
    (70.0, "registered", "network-1/l3", 0.0),
)


@pytest.mark.parametrize(
    ("at", "row"),
    [
        (0.0, (True, True)),
        (9.9, (True, True)),
        (10.0, (False, True)),
        (20.0, (True, True)),
        (35.0, (True, False)),
        (40.0, (False, False)),
        (50.0, None),
        (65.0, None),
        (70.0, (True, True)),
    ],
)
def test_events_up_to_and_at_the_instant_count(at, row):
    rows = {agent.type: agent for agent in agent_list(by_hand(*EVENTS), at)}
    found = rows.get("L3 agent")
    assert (found and (found.alive, found.state)) == row
    assert rows["Open vSwitch agent"].zone is None
    if found:
        assert (found.host, found.zone, found.binary) == ("network-1", "nova", "quantum-l3-agent")


def test_a_dead_node_shows_once_the_limit_is_past():
    """Agents report every 4 s and look down 5 s after their last report: 1 to 5 s after death."""
    result = run(
        scenario(hosts=network_nodes(2), failures={"network-1": outage(1000, 600)}),
        replications=1, jobs=1,
    )  # fmt: skip

    def dead(at):
        return {agent.host for agent in agent_list(result, at) if not agent.alive}

    assert dead(999) == dead(1000.5) == set()
    assert dead(1006) == dead(1500) == {"network-1"}
    assert dead(1700) == set()
    ids = [agent.id for agent in agent_list(result, 0)]
    assert ids == sorted(ids) == [agent.id for agent in agent_list(result, 86400)]


def test_nova_network_lists_its_services():
    hosts = {
        "controller": CONTROLLER,
        "vm": {"kind": "compute", "count": 2},
    }
    result = run(scenario(release="nova-network", hosts=hosts), replications=1, jobs=1)
    assert {(a.binary, a.host, a.zone) for a in agent_list(result, 60)} == {
        ("nova-network", "vm-1", "internal"), ("nova-network", "vm-2", "internal"),
    }  # fmt: skip


def test_what_cannot_be_listed():
    variants = {"folsom": {"release": "folsom"}, "a": {}, "b": {}}
    result = run(scenario(variants=variants), replications=1, jobs=1)
    with pytest.raises(InputError, match="say which variant: --variant a or b"):
        agent_list(result, 0)
    with pytest.raises(MissingError, match="folsom has no agents table"):
        agent_list(result, 0, "folsom")
    with pytest.raises(MissingError, match="no variant 'c'; this result has: folsom, a, b"):
        agent_list(result, 0, "c")
    with pytest.raises(InputError, match="not within the run"):
        agent_list(result, 86401, "a")
    bare = run(scenario(), replications=1, jobs=1, trace_replication=None)
    with pytest.raises(MissingError, match="no trace"):
        agent_list(bare, 0)
