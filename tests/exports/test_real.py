"""The exports of the demo cloud: what was counted by hand in the files."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
from exports.demo import (
    ALL_L3,
    CLOUD,
    DHCP_1,
    DHCP_2,
    DHCP_3,
    HA_NETWORK,
    L3_1,
    L3_2,
    L3_3,
    PUBLIC,
    ROUTER_0,
    ROUTER_1,
    ROUTER_2,
    ROUTER_3,
    TENANT_0,
    TENANT_1,
    TENANT_2,
    TENANT_3,
    members,
    read,
)

from simulator.exports.cloud import Binding
from simulator.exports.reading import read_cloud


def test_rest_agents():
    cloud = read("rest_agents.json")
    assert {agent.name for agent in cloud.agents.values()} == {
        f"net-node-{host}/{kind}" for host in (1, 2, 3) for kind in ("l3", "dhcp", "l2")
    }
    found = {
        agent.name: (agent.zone, agent.alive, agent.admin_state_up)
        for agent in cloud.agents.values()
    }
    assert found["net-node-1/l3"] == ("az1", True, True)
    assert found["net-node-2/l3"] == ("az1", True, False)
    assert found["net-node-3/l3"] == ("az2", False, True)
    assert found["net-node-3/dhcp"] == ("az2", False, True)
    assert found["net-node-1/l2"] == (None, True, True)
    assert sum(agent.alive for agent in cloud.agents.values()) == 6
    agent = cloud.agents[L3_1]
    assert agent.label == "L3 agent"
    assert agent.heartbeat_timestamp == datetime(2026, 11, 22, 10, 20, 41, 919618, UTC)
    assert agent.started_at == agent.created_at == datetime(2026, 11, 22, 10, 16, 55, 369049, UTC)
    assert agent.configurations["handle_internal_only_routers"] is True
    assert all(agent.hosted is None for agent in cloud.agents.values())
    assert cloud.warnings == ()


@pytest.mark.parametrize("ending", ["json", "csv", "table"])
def test_the_clients_lists_tell_what_the_rest_api_tells(ending):
    listed, rest = read(f"cli_agent_list.{ending}"), read("rest_agents.json")
    assert listed.agents.keys() == rest.agents.keys()
    for key, agent in listed.agents.items():
        same = ("label", "host", "zone", "alive", "admin_state_up", "name", "type")
        assert [getattr(agent, field) for field in same] == [
            getattr(rest.agents[key], field) for field in same
        ]
        assert agent.heartbeat_timestamp is None
        assert "heartbeat_timestamp" not in agent.told
    assert read(f"cli_agent_list.{ending}", "rest_agents.json").agents == rest.agents


def test_rest_networks_and_routers_alone_tell_no_binding():
    cloud = read("rest_networks.json", "rest_routers.json", "rest_agents.json", "rest_ports.json")
    assert (len(cloud.networks), len(cloud.routers)) == (6, 4)
    assert len(cloud.unknown()) == 10
    assert [key for key, one in cloud.networks.items() if one.external] == [PUBLIC]
    assert cloud.networks[TENANT_0].subnets == {"9314fb98-10c6-49d6-8694-b0562362e552": None}
    assert {one.gateway for one in cloud.routers.values()} == {PUBLIC}
    assert [key for key, one in cloud.routers.items() if one.ha] == [ROUTER_3]
    assert not any(one.distributed or one.hints for one in cloud.routers.values())
    assert all(one.admin_state_up for one in cloud.routers.values())


def test_the_dump_of_the_sdk_tells_at_least_who_hosts():
    """It holds the objects of each agent; whether it holds each agent, it does not say."""
    cloud = read("sdk_export.json")
    assert members(cloud.networks) == {
        TENANT_2: ((DHCP_1,), False), PUBLIC: ((DHCP_1,), False),
        TENANT_0: ((DHCP_2,), False), TENANT_3: ((DHCP_2,), False),
        HA_NETWORK: ((DHCP_3,), False), TENANT_1: ((DHCP_3,), False),
    }  # fmt: skip
    assert members(cloud.routers) == {
        ROUTER_0: ((L3_3,), False), ROUTER_1: ((L3_1,), False), ROUTER_2: ((L3_2,), False),
        ROUTER_3: (ALL_L3, False),
    }  # fmt: skip
    assert cloud.agents[L3_3].hosted == Binding((ROUTER_3, ROUTER_0), exact=True)
    dhcp = {subnet: on for one in cloud.networks.values() for subnet, on in one.subnets.items()}
    assert sorted(dhcp.values()) == [False, False, True, True, True, True]
    assert dhcp["00de3778-3553-4a09-9dac-b25987b8a4b3"] is False


def test_the_dump_of_the_sdk_is_exact_if_no_agent_is_missing():
    cloud = read("sdk_export.json", all_agents=True)
    assert {exact for _, exact in members({**cloud.networks, **cloud.routers}).values()} == {True}
    without_lists = read("rest_agents.json", "rest_routers.json", all_agents=True)
    assert len(without_lists.unknown()) == 4


def test_lists_that_do_not_say_whose_tell_no_binding():
    """Their agents and objects are known all the same; those that must be of one object warn."""
    cloud = read("rest_router_l3_agents.json", "rest_agent_l3_routers.json",
                 "cli_router_list_agent.json", "cli_agent_list_router.json")  # fmt: skip
    assert members(cloud.routers) == {ROUTER_1: None, ROUTER_3: None}
    assert cloud.agents.keys() == {L3_3}
    assert len(cloud.warnings) == 1
    assert "does not say which" in cloud.warnings[0]


def test_the_caller_can_say_whose_a_list_is():
    names = ("rest_agents.json", "rest_networks.json", "rest_routers.json",
             "rest_ha_router_l3_agents.json", "rest_agent_dhcp_networks.json")  # fmt: skip
    of = {CLOUD / names[3]: "router-3", CLOUD / names[4]: "net-node-1/dhcp"}
    cloud = read(*names, of=of)
    assert cloud.routers[ROUTER_3].binding == Binding(
        ALL_L3, exact=True, ha_states=dict.fromkeys(ALL_L3, "standby")
    )
    assert members(cloud.networks)[TENANT_2] == ((DHCP_1,), False)
    assert members(cloud.networks)[PUBLIC] == ((DHCP_1,), False)
    assert len(cloud.unknown()) == 3 + 4
    assert cloud.agents[DHCP_1].hosted == Binding((TENANT_2, PUBLIC), exact=True)
    assert cloud.agents[L3_1].hosted == Binding((ROUTER_3,), exact=False)


@pytest.fixture
def rest_folder(tmp_path):
    """The answers of the REST API and the record of the requests, nothing else."""
    for file in [*CLOUD.glob("rest_*.json"), CLOUD / "COMMANDS.txt"]:
        shutil.copy(file, tmp_path)
    return tmp_path


def test_the_record_of_requests_says_whose_lists_they_are(rest_folder):
    cloud = read_cloud([rest_folder])
    assert members(cloud.routers) == {
        ROUTER_0: ((L3_3,), True), ROUTER_1: ((L3_1,), False), ROUTER_2: None,
        ROUTER_3: (ALL_L3, True),
    }  # fmt: skip
    assert members(cloud.networks) == {
        TENANT_0: ((DHCP_2,), True), TENANT_2: ((DHCP_1,), False), PUBLIC: ((DHCP_1,), False),
        TENANT_1: None, TENANT_3: None, HA_NETWORK: None,
    }  # fmt: skip
    assert cloud.warnings == ()


def test_the_clients_files_say_the_same_as_the_rest_api(rest_folder, tmp_path):
    folder = tmp_path / "client"
    folder.mkdir()
    for file in [*CLOUD.glob("cli_*"), CLOUD / "COMMANDS.txt"]:
        shutil.copy(file, folder)
    client, rest = read_cloud([folder]), read_cloud([rest_folder])
    assert members(client.routers) == members(rest.routers)
    assert members(client.networks) == members(rest.networks)
    assert client.routers[ROUTER_3].binding.ha_states == dict.fromkeys(ALL_L3, "standby")
    assert client.routers[ROUTER_0].gateway == PUBLIC
    assert client.agents[L3_1].heartbeat_timestamp is not None
    assert client.warnings == ()


def test_all_files_together_tell_everything_and_agree():
    """The record says that the list of agents is whole, the dump what each of them hosts."""
    cloud = read_cloud([CLOUD])
    assert cloud.unknown() == []
    assert members(cloud.routers) == {
        ROUTER_0: ((L3_3,), True), ROUTER_1: ((L3_1,), True), ROUTER_2: ((L3_2,), True),
        ROUTER_3: (ALL_L3, True),
    }  # fmt: skip
    assert members(cloud.networks) == {
        TENANT_2: ((DHCP_1,), True), PUBLIC: ((DHCP_1,), True), TENANT_0: ((DHCP_2,), True),
        TENANT_3: ((DHCP_2,), True), HA_NETWORK: ((DHCP_3,), True), TENANT_1: ((DHCP_3,), True),
    }  # fmt: skip
    assert cloud.warnings == ()
