"""The tests of quantum/tests/unit/openvswitch/test_agent_scheduler.py and of
quantum/tests/unit/test_agent_ext_plugin.py at 2013.1.5, under their names.
"""

from __future__ import annotations

import pytest
from upstream_cloud import Cloud

from simulator.neutron.errors import RouterSchedulingFailed
from simulator.neutron.records import Notice
from simulator.neutron.rules import GRIZZLY


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(GRIZZLY)


def test_report_states(cloud):
    cloud.register_agent_states()
    assert sorted(cloud.server.agents) == ["dhcp-hosta", "dhcp-hostc", "l3-hosta", "l3-hostb"]


def test_network_scheduling_on_network_creation(cloud):
    cloud.register_agent_states()
    assert cloud.hosts(cloud.network()) == []


def test_network_auto_schedule_with_disabled(cloud):
    networks = [cloud.network("net1"), cloud.network("net2")]
    cloud.register_agent_states()
    cloud.disable("dhcp-hosta")
    assert cloud.sync("dhcp-hosta") == []
    assert cloud.sync("dhcp-hostc") == networks
    assert cloud.hosted("dhcp-hosta") == []


def test_network_auto_schedule_with_hosted(cloud):
    networks = [cloud.network("net1"), cloud.network("net2")]
    cloud.register_agent_states()
    assert cloud.sync("dhcp-hosta") == networks
    assert cloud.sync("dhcp-hostc") == []
    assert [cloud.hosts(network) for network in networks] == [["dhcp-hosta"]] * 2


def test_network_auto_schedule_with_hosted_2(cloud):
    cloud.register_agent_states()
    cloud.network("net1")
    cloud.sync("dhcp-hosta")
    cloud.disable("dhcp-hosta")
    cloud.network("net2")
    assert cloud.sync("dhcp-hostc") == ["net2"]
    assert cloud.hosts("net1") == ["dhcp-hosta"]


def test_network_scheduling_on_port_creation(cloud):
    cloud.register_agent_states()
    cloud.port()
    (host,) = cloud.hosts("net")
    assert host in ("dhcp-hosta", "dhcp-hostc")


def test_network_scheduler_with_disabled_agent(cloud):
    (agent,) = cloud.dhcp("hosta")
    cloud.port("net1")
    assert cloud.hosts("net1") == [agent]
    cloud.disable(agent)
    cloud.port("net2")
    assert cloud.hosts("net2") == []


def test_network_scheduler_with_down_agent(cloud):
    (agent,) = cloud.dhcp("hosta")
    cloud.port("net1")
    assert cloud.hosts("net1") == [agent]
    cloud.kill(agent)
    cloud.port("net2")
    assert cloud.hosts("net2") == []


def test_network_scheduler_with_hosted_network(cloud):
    hosting, _ = cloud.dhcp("hosta", "hostc")
    cloud.network()
    cloud.bind("net", hosting)
    cloud.port()
    assert cloud.hosts("net") == [hosting]


def test_network_add_to_dhcp_agent(cloud):
    cloud.register_agent_states()
    cloud.network()
    assert cloud.hosted("dhcp-hosta") == []
    cloud.server.add_network_to_agent(cloud.now, "net", "dhcp-hosta")
    assert cloud.hosted("dhcp-hosta") == ["net"]


def test_network_remove_from_dhcp_agent(cloud):
    (agent,) = cloud.dhcp("hosta")
    cloud.port()
    assert cloud.hosted(agent) == ["net"]
    cloud.server.remove_network_from_agent(cloud.now, "net", agent)
    assert cloud.hosted(agent) == []


def test_router_auto_schedule_with_hosted(cloud):
    cloud.router("r1")
    cloud.register_agent_states()
    assert cloud.sync("l3-hosta") == ["r1"]
    assert cloud.sync("l3-hostb") == []
    assert cloud.hosts("r1") == ["l3-hosta"]


def test_router_auto_schedule_with_hosted_2(cloud):
    cloud.register_agent_states()
    cloud.router("r1")
    cloud.sync("l3-hosta")
    cloud.disable("l3-hosta")
    cloud.router("r2")
    assert cloud.sync("l3-hostb") == ["r2"]
    assert cloud.hosts("r1") == ["l3-hosta"]


def test_router_auto_schedule_with_disabled(cloud):
    routers = [cloud.router("r1"), cloud.router("r2")]
    cloud.register_agent_states()
    cloud.disable("l3-hosta")
    assert cloud.sync("l3-hosta") == []
    assert cloud.sync("l3-hostb") == routers
    assert cloud.hosted("l3-hosta") == []


def test_router_auto_schedule_with_candidates(cloud):
    cloud.router("r1")
    cloud.router("r2")
    (agent,) = cloud.l3("hosta", use_namespaces=False, router_id="r1")
    assert cloud.sync(agent) == ["r1"]
    assert cloud.hosts("r2") == []


def test_router_schedule_with_candidates(cloud):
    (agent,) = cloud.l3("hosta", use_namespaces=False, router_id="r1")
    for router in ("r1", "r2"):
        cloud.router(router)
        cloud.server.add_interface(cloud.now, router, cloud.network(f"net-{router}"))
    assert cloud.hosts("r1") == [agent]
    assert cloud.hosts("r2") == []


def test_router_without_l3_agents(cloud):
    assert cloud.hosts(cloud.router(gateway="ext")) == []


def test_router_sync_data(cloud):
    cloud.register_agent_states()
    cloud.router("r1")
    cloud.server.update_router(cloud.now, "r1", {"gateway": "ext"})
    for network in ("net1", "net2"):
        cloud.server.add_interface(cloud.now, "r1", cloud.network(network))
    (first,) = cloud.hosts("r1")
    assert cloud.server.given(first) == ["r1"]
    (other,) = {"l3-hosta", "l3-hostb"} - {first}
    with pytest.raises(RouterSchedulingFailed) as refused:
        cloud.server.add_router_to_agent(cloud.now, "r1", other)
    assert refused.value.status == 409
    cloud.server.remove_router_from_agent(cloud.now, "r1", first)
    cloud.server.add_router_to_agent(cloud.now, "r1", other)
    assert cloud.hosts("r1") == [other]
    cloud.server.remove_router_from_agent(cloud.now, "r1", other)
    assert cloud.hosts("r1") == []
    cloud.server.update_router(cloud.now, "r1")
    assert len(cloud.hosts("r1")) == 1


def test_router_add_to_l3_agent(cloud):
    cloud.router("r1")
    cloud.register_agent_states()
    cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hosta")
    assert cloud.hosted("l3-hosta") == ["r1"]
    with pytest.raises(RouterSchedulingFailed) as refused:
        cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hostb")
    assert refused.value.status == 409
    assert cloud.hosts("r1") == ["l3-hosta"]


def test_network_add_to_dhcp_agent_notification(cloud):
    cloud.register_agent_states()
    cloud.network()
    told = cloud.server.add_network_to_agent(cloud.now, "net", "dhcp-hosta")
    assert told == [Notice("dhcp", "dhcp-hosta", "network_create_end", "net")]


def test_network_remove_from_dhcp_agent_notification(cloud):
    cloud.register_agent_states()
    cloud.network()
    cloud.bind("net", "dhcp-hosta")
    told = cloud.server.remove_network_from_agent(cloud.now, "net", "dhcp-hosta")
    assert told == [Notice("dhcp", "dhcp-hosta", "network_delete_end", "net")]


def test_agent_updated_dhcp_agent_notification(cloud):
    cloud.register_agent_states()
    told = cloud.server.update_agent(cloud.now, "dhcp-hosta", False)
    assert told == [Notice("dhcp", "dhcp-hosta", "agent_updated")]


def test_network_port_create_notification(cloud):
    (agent,) = cloud.dhcp("hosta")
    assert cloud.port() == [
        Notice("dhcp", agent, "network_create_end", "net"),
        Notice("dhcp", agent, "port_create_end", "net"),
    ]


def test_router_add_to_l3_agent_notification(cloud):
    cloud.router("r1")
    cloud.register_agent_states()
    told = cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hosta")
    assert told == [Notice("l3", "l3-hosta", "router_added_to_agent", "r1")]


def test_router_remove_from_l3_agent_notification(cloud):
    cloud.router("r1")
    cloud.register_agent_states()
    cloud.bind("r1", "l3-hosta")
    told = cloud.server.remove_router_from_agent(cloud.now, "r1", "l3-hosta")
    assert told == [Notice("l3", "l3-hosta", "router_removed_from_agent", "r1")]


def test_agent_updated_l3_agent_notification(cloud):
    cloud.register_agent_states()
    told = cloud.server.update_agent(cloud.now, "l3-hosta", False)
    assert told == [Notice("l3", "l3-hosta", "agent_updated")]


def test_list_agent(cloud):
    names = cloud.l3("hosta", "hostb") + cloud.dhcp("hosta", "hostc")
    assert list(cloud.server.agents) == names


def test_update_agent(cloud):
    """Of what an update can change, the rules know admin_state_up."""
    cloud.register_agent_states()
    assert cloud.server.agents["l3-hosta"].admin_state_up
    cloud.server.update_agent(cloud.now, "l3-hosta", False)
    assert not cloud.server.agents["l3-hosta"].admin_state_up
    assert cloud.server.agents["l3-hostb"].admin_state_up


def test_dead_agent():
    cloud = Cloud(GRIZZLY, agent_down_time=1.0)
    (name,) = cloud.l3("hosta")
    agent = cloud.server.agents[name]
    assert cloud.server.is_alive(cloud.now, agent)
    assert not cloud.server.is_alive(cloud.now + 1.5, agent)
