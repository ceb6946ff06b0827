"""A cloud as the state of the model's server."""

from __future__ import annotations

from datetime import UTC, datetime

from exports.demo import CLOUD, DHCP_1, L3_1, PUBLIC, ROUTER_0, ROUTER_3, TENANT_2, read, state_of

from simulator.exports.reading import read_cloud
from simulator.neutron.server import Server


def test_everything_that_is_known_is_in_the_server():
    state = state_of(read_cloud([CLOUD]))
    server = state.server
    assert isinstance(server, Server)
    assert (len(server.agents), len(server.networks), len(server.routers)) == (9, 6, 4)
    assert (state.left_out, state.partial, state.assumed) == ((), (), ())
    assert state.now == datetime(2026, 11, 22, 10, 20, 42, 23698, UTC).timestamp() // 2**-20 / 2**20
    alive = {name for name, row in server.agents.items() if server.is_alive(state.now, row)}
    assert alive == {f"net-node-{n}/{kind}" for n in (1, 2) for kind in ("l3", "dhcp", "l2")}
    assert [n for n, row in server.agents.items() if not row.admin_state_up] == ["net-node-2/l3"]
    assert server.agents["net-node-3/dhcp"].zone == "az2"
    assert dict.fromkeys(server.routers[ROUTER_3].agents) == dict.fromkeys(
        ["net-node-3/l3", "net-node-1/l3", "net-node-2/l3"]
    )
    assert sorted(server.routers[ROUTER_3].agents.values()) == [1, 2, 3]
    assert server.routers[ROUTER_3].ha
    assert server.routers[ROUTER_0].gateway == PUBLIC
    assert set(server.networks[TENANT_2].agents) == {state.names[DHCP_1]}
    assert server.networks[TENANT_2].subnets == {"da0edfff-405a-4fd1-9e1a-150caa117c03": True}
    assert set(server.agents["net-node-1/dhcp"].hosted) == {TENANT_2, PUBLIC}
    assert server.agents["net-node-1/dhcp"].load == 0  # as its last heartbeat told


def test_agents_that_ask_are_given_what_they_host():
    state = state_of(read_cloud([CLOUD]))
    server = state.server
    assert server.sync(state.now, state.names[L3_1]) == [
        ROUTER_3, "e2a37937-8052-4ae9-94e1-6ef55fc2c52a",
    ]  # fmt: skip
    assert server.sync(state.now, "net-node-2/l3") == []  # it is disabled


def test_what_is_unknown_is_left_out_and_never_unbound():
    state = state_of(read("rest_agents.json", "rest_networks.json", "rest_routers.json"))
    assert len(state.left_out) == 10
    assert state.server.networks == state.server.routers == {}
    assert len(state.server.agents) == 9


def test_what_is_known_in_part_is_told():
    state = state_of(read("sdk_export.json"))
    assert len(state.partial) == 10
    assert set(state.server.routers[ROUTER_0].agents) == {"net-node-3/l3"}


def test_without_heartbeats_agents_are_as_alive_as_they_look():
    state = state_of(read("cli_agent_list.csv"))
    alive = [name for name, row in state.server.agents.items()
             if state.server.is_alive(state.now, row)]  # fmt: skip
    assert len(alive) == 6
    assert len(state.assumed) == 9


def test_subnets_without_a_word_on_dhcp_are_assumed_to_have_it():
    cloud = read("rest_agents.json", "rest_networks.json", "rest_network_dhcp_agents.json",
                 of={CLOUD / "rest_network_dhcp_agents.json": "tenant-0"})  # fmt: skip
    state = state_of(cloud)
    assert state.assumed == (
        "subnet 9314fb98-10c6-49d6-8694-b0562362e552: DHCP is on, for no export tells",
    )
    assert len(state.left_out) == 5
