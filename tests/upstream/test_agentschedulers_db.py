"""The tests of neutron/tests/unit/db/test_agentschedulers_db.py, master, under their names."""

from __future__ import annotations

import pytest
from upstream_cloud import HOUR, Cloud

from simulator.neutron.errors import (
    AgentNotFound,
    InvalidDHCPAgent,
    InvalidL3Agent,
    NetworkNotHostedByDhcpAgent,
    RouterHostedByL3Agent,
)
from simulator.neutron.failover import NOTIFY_ATTEMPTS
from simulator.neutron.records import Notice

KEEP = {"enable_services_on_agents_with_admin_state_down": True}


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


# -- networks ------------------------------------------------------------------------------


def test_report_states(cloud):
    cloud.register_agent_states()
    assert sorted(cloud.server.agents) == ["dhcp-hosta", "dhcp-hostc", "l3-hosta", "l3-hostb"]


def test_network_scheduling_on_network_creation(cloud):
    cloud.register_agent_states()
    cloud.server.create_network(cloud.now, "net")
    assert cloud.hosts("net") == []


def test_network_auto_schedule_with_disabled(cloud):
    networks = [cloud.network("net1"), cloud.network("net2")]
    cloud.register_agent_states()
    cloud.disable("dhcp-hosta")
    assert cloud.sync("dhcp-hosta") == []
    assert cloud.sync("dhcp-hostc") == networks
    assert cloud.hosted("dhcp-hosta") == []


def test_network_auto_schedule_with_no_dhcp(cloud):
    networks = [cloud.network(name, enable_dhcp=False) for name in ("net1", "net2")]
    cloud.register_agent_states()
    assert cloud.sync("dhcp-hosta") == cloud.sync("dhcp-hostc") == []
    assert [cloud.hosts(network) for network in networks] == [[], []]


def test_network_auto_schedule_with_multiple_agents():
    cloud = Cloud(dhcp_agents_per_network=2)
    networks = [cloud.network("net1"), cloud.network("net2")]
    cloud.register_agent_states()
    assert cloud.sync("dhcp-hosta") == cloud.sync("dhcp-hostc") == networks


def test_network_auto_schedule_restart_dhcp_agent():
    cloud = Cloud(dhcp_agents_per_network=2)
    cloud.network()
    cloud.register_agent_states()
    assert cloud.sync("dhcp-hosta") == cloud.sync("dhcp-hosta") == ["net"]
    assert cloud.hosts("net") == ["dhcp-hosta"]


def test_network_auto_schedule_with_hosted(cloud):
    networks = [cloud.network("net1"), cloud.network("net2")]
    cloud.register_agent_states()
    assert cloud.sync("dhcp-hosta") == networks
    assert cloud.sync("dhcp-hostc") == []
    assert [cloud.hosts(network) for network in networks] == [["dhcp-hosta"]] * 2


def test_network_auto_schedule_with_hosted_2(cloud):
    cloud.network("net1")
    cloud.register_agent_states()
    cloud.sync("dhcp-hosta")
    cloud.disable("dhcp-hosta")
    cloud.disable("dhcp-hostc")  # so that the subnet schedules nothing
    cloud.network("net2")
    cloud.enable("dhcp-hostc")
    assert cloud.sync("dhcp-hostc") == ["net2"]
    assert cloud.hosts("net1") == ["dhcp-hosta"]


def test_network_scheduling_on_port_creation(cloud):
    cloud.network()
    cloud.register_agent_states()
    cloud.port()
    (host,) = cloud.hosts("net")
    assert host in ("dhcp-hosta", "dhcp-hostc")


def test_network_ha_scheduling_on_port_creation():
    cloud = Cloud(dhcp_agents_per_network=2)
    cloud.network()
    cloud.register_agent_states()
    cloud.port()
    assert sorted(cloud.hosts("net")) == ["dhcp-hosta", "dhcp-hostc"]


def test_network_ha_scheduling_on_port_creation_with_new_agent():
    cloud = Cloud(dhcp_agents_per_network=3)
    cloud.network()
    cloud.register_agent_states()
    cloud.port()
    assert len(cloud.hosts("net")) == 2
    cloud.dhcp("hostd", networks=9)
    cloud.port()
    assert sorted(cloud.hosts("net")) == ["dhcp-hosta", "dhcp-hostc", "dhcp-hostd"]


def test_network_scheduler_with_disabled_agent(cloud):
    (agent,) = cloud.dhcp("hosta")
    cloud.port("net1")
    assert cloud.hosts("net1") == [agent]
    cloud.disable(agent)
    cloud.port("net2")
    assert cloud.hosts("net2") == []


@pytest.mark.parametrize("starting", [True, False])
@pytest.mark.parametrize("alive", [True, False])
def test_is_eligible_agent(cloud, starting, alive):
    (name,) = cloud.dhcp("hosta")
    agent = cloud.server.agents[name]
    agent.started_at = cloud.now - 100 if starting else cloud.now - HOUR
    agent.heartbeat_timestamp = cloud.now - 75 if alive else cloud.now - 76
    assert cloud.server.tables.is_starting(cloud.now, agent) == starting
    assert cloud.server.is_alive(cloud.now, agent) == alive
    assert cloud.server.tables.is_eligible(cloud.now, agent) == (starting or alive)


def test_network_scheduler_with_down_agent(cloud):
    (agent,) = cloud.dhcp("hosta")
    cloud.port("net1")
    assert cloud.hosts("net1") == [agent]
    cloud.kill(agent)
    cloud.port("net2")
    assert cloud.hosts("net2") == []


def test_network_scheduler_with_hosted_network(cloud):
    cloud.network()
    hosting, _ = cloud.dhcp("hosta", "hostc")
    cloud.bind("net", hosting)
    cloud.port()
    assert cloud.hosts("net") == [hosting]


def test_network_add_to_dhcp_agent(cloud):
    cloud.network()
    cloud.register_agent_states()
    assert cloud.hosted("dhcp-hosta") == []
    cloud.server.add_network_to_agent(cloud.now, "net", "dhcp-hosta")
    assert cloud.hosted("dhcp-hosta") == ["net"]


@pytest.mark.parametrize("options", [KEEP, {}])
def test_network_add_to_dhcp_agent_with_admin_state_down(options):
    cloud = Cloud(**options)
    cloud.network()
    cloud.dhcp("hosta", enabled=False)
    if not options:
        with pytest.raises(InvalidDHCPAgent):
            cloud.server.add_network_to_agent(cloud.now, "net", "dhcp-hosta")
        return
    cloud.server.add_network_to_agent(cloud.now, "net", "dhcp-hosta")
    assert cloud.hosted("dhcp-hosta") == ["net"]


def test_network_remove_from_dhcp_agent(cloud):
    (agent,) = cloud.dhcp("hosta")
    cloud.port()
    assert cloud.hosted(agent) == ["net"]
    cloud.server.remove_network_from_agent(cloud.now, "net", agent)
    assert cloud.hosted(agent) == []


def test_list_networks_hosted_by_dhcp_agent_with_invalid_agent(cloud):
    cloud.network()
    cloud.register_agent_states()
    cloud.bind("net", "dhcp-hosta")
    assert cloud.server.hosted_by("dhcp-hosta", "dhcp") == ["net"]
    assert cloud.server.hosted_by("l3-hosta", "dhcp") == []
    with pytest.raises(AgentNotFound) as refused:
        cloud.server.hosted_by("dhcp-nowhere", "dhcp")
    assert refused.value.status == 404


def test_list_active_networks_on_not_registered_yet_dhcp_agent(cloud):
    cloud.network()
    assert cloud.sync("dhcp-hosta") == []


def test_dhcp_agent_keep_services_off():
    cloud = keeping("dhcp", False)
    assert cloud.sync("dhcp-hosta") == []
    assert cloud.hosted("dhcp-hosta") == ["net"]


def test_dhcp_agent_keep_services_on():
    assert keeping("dhcp", True).sync("dhcp-hosta") == ["net"]


def keeping(agent_type: str, kept: bool) -> Cloud:
    """An agent that has one object, and is then disabled."""
    cloud = Cloud(enable_services_on_agents_with_admin_state_down=kept)
    cloud.register_agent_states()
    if agent_type == "dhcp":
        cloud.server.create_network(cloud.now, "net")
    else:
        cloud.router("r1")
    cloud.bind("net" if agent_type == "dhcp" else "r1", f"{agent_type}-hosta")
    cloud.disable(f"{agent_type}-hosta")
    return cloud


def test_network_no_reschedule():
    cloud = Cloud(network_auto_schedule=False)
    cloud.register_agent_states()
    networks = [cloud.network("net1"), cloud.network("net2")]
    assert cloud.sync("dhcp-hosta") == cloud.sync("dhcp-hostc") == []
    assert [cloud.hosts(network) for network in networks] == [[], []]
    cloud.server.add_network_to_agent(cloud.now, "net1", "dhcp-hosta")
    assert cloud.sync("dhcp-hosta") == ["net1"]


# -- routers that move ---------------------------------------------------------------------


def placed(*routers: str, **options) -> Cloud:
    """Routers on hosta's L3 agent, which then dies; hostb's is there."""
    cloud = Cloud(allow_automatic_l3agent_failover=True, **options)
    for router in routers:
        cloud.router(router)
    cloud.register_agent_states()
    assert cloud.sync("l3-hosta") == list(routers)
    cloud.kill("l3-hosta")
    return cloud


def test_router_rescheduler_iterates_after_reschedule_failure():
    cloud = placed("r1", "r2")
    cloud.server.update_router(cloud.now, "r2", {"gateway": "ext"})
    cloud.l3("hostb", handle_internal_only_routers=False)  # which cannot take r1
    cloud.failover.routers(cloud.now)
    assert cloud.hosts("r1") == ["l3-hosta"]
    assert cloud.hosts("r2") == ["l3-hostb"]


def test_router_is_not_rescheduled_from_alive_agent():
    cloud = placed("r1")
    cloud.l3("hosta")  # is heard of again
    cloud.kill("dhcp-hostc")
    assert cloud.failover.routers(cloud.now) == []
    assert cloud.hosts("r1") == ["l3-hosta"]


def test_router_is_not_rescheduled_if_agent_is_back_online():
    """Dead when the pass asks for bindings, heard of when it comes to the first router."""
    asked: list[str] = []

    def heard(agent, now):
        if not passing or agent.name != "l3-hosta":
            return agent.heartbeat_timestamp
        asked.append(agent.name)
        return now - HOUR if len(asked) == 1 else now

    passing = False
    cloud = placed("r1", "r2", heard=heard)
    passing = True
    assert cloud.failover.routers(cloud.now) == []
    assert cloud.hosts("r1") == cloud.hosts("r2") == ["l3-hosta"]
    assert len(asked) == 2  # for the bindings, and then once for both routers


def test_router_reschedule_from_dead_agent():
    cloud = placed("r1")
    cloud.failover.routers(cloud.now)
    assert cloud.hosts("r1") == ["l3-hostb"]
    assert cloud.sync("l3-hostb") == ["r1"]


def test_router_no_reschedule_from_dead_admin_down_agent():
    cloud = placed("r1")
    cloud.disable("l3-hosta")
    assert cloud.failover.routers(cloud.now) == []
    assert cloud.hosts("r1") == ["l3-hosta"]
    assert cloud.sync("l3-hostb") == []


def added(router: str, agent: str, *, failed: bool) -> Notice:
    return Notice("l3", agent, "router_added_to_agent", router, failed)


def test_router_reschedule_succeeded_after_failed_notification():
    answers = iter([False, True])
    cloud = placed("r1", answers=lambda name: next(answers))
    told = cloud.failover.routers(cloud.now)
    assert told[-2:] == [added("r1", "l3-hostb", failed=failed) for failed in (True, False)]
    assert cloud.hosts("r1") == ["l3-hostb"]


def test_router_reschedule_failed_notification_all_attempts():
    cloud = placed("r1", answers=lambda name: False)
    told = cloud.failover.routers(cloud.now)
    assert told.count(added("r1", "l3-hostb", failed=True)) == NOTIFY_ATTEMPTS == 2
    assert added("r1", "l3-hostb", failed=False) not in told
    assert cloud.hosts("r1") == []


# -- distributed routers -------------------------------------------------------------------


def snat_pair(**options) -> Cloud:
    """A distributed router on one of two dvr_snat agents."""
    cloud = Cloud(allow_automatic_l3agent_failover=True, **options)
    cloud.l3("hosta", "hostb", agent_mode="dvr_snat")
    cloud.distributed("r1", "net", gateway="ext")
    assert len(cloud.hosts("r1")) == 1
    return cloud


def test_router_reschedule_no_remove_if_agent_has_dvr_service_ports():
    cloud = snat_pair()
    (old,) = cloud.hosts("r1")
    cloud.vm("net", cloud.server.agents[old].host)
    cloud.kill(old)
    told = cloud.failover.routers(cloud.now)
    (new,) = cloud.hosts("r1")
    assert new != old
    assert told == [Notice("l3", old, "routers_updated", "r1"), added("r1", new, failed=False)]


def test_sync_dvr_router(cloud):
    cloud.register_dvr_agents()
    cloud.disable("l3-hosta")  # so that nothing is bound
    cloud.distributed("r1", "net")
    cloud.enable("l3-hosta")
    for host in ("hosta", "hostb"):
        cloud.vm("net", host)
        assert cloud.server.given(f"l3-{host}", ["r1"]) == ["r1"]
        assert cloud.hosted(f"l3-{host}") == []


def test_sync_dvr_router_with_fixedip_on_fip_net(cloud):
    cloud.register_dvr_agents()
    cloud.network("ext")
    cloud.distributed("r1", gateway="ext")
    cloud.vm("ext", "hostb")
    assert cloud.server.given("l3-hostb", ["r1"]) == []


def test_dvr_router_scheduling_to_only_dvr_snat_agent(cloud):
    cloud.register_dvr_agents()
    cloud.network("net")
    cloud.vm("net", "hostb")
    cloud.distributed("r1", "net", gateway="ext")
    cloud.server.schedule_router(cloud.now, "r1")
    assert cloud.hosts("r1") == ["l3-hosta"]


def test_dvr_router_csnat_rescheduling():
    cloud = snat_pair()
    (old,) = cloud.hosts("r1")
    cloud.kill(old)
    cloud.failover.routers(cloud.now)
    (new,) = cloud.hosts("r1")
    assert new != old


def test_dvr_router_manual_rescheduling():
    """Removed, and added to the same agent; the project's list has it added to another one."""
    cloud = snat_pair()
    (agent,) = cloud.hosts("r1")
    (other,) = {"l3-hosta", "l3-hostb"} - {agent}
    for name in (agent, other):
        told = cloud.server.remove_router_from_agent(cloud.now, "r1", cloud.hosts("r1")[0])
        assert [notice.method for notice in told] == ["router_removed_from_agent"]
        assert cloud.hosts("r1") == []
        cloud.server.add_router_to_agent(cloud.now, "r1", name)
        assert cloud.hosts("r1") == [name]


# -- routers -------------------------------------------------------------------------------


def test_list_routers_hosted_by_l3_agent_with_invalid_agent(cloud):
    cloud.register_agent_states()
    cloud.bind(cloud.router("r1"), "l3-hosta")
    assert cloud.server.hosted_by("l3-hosta", "l3") == ["r1"]
    with pytest.raises(AgentNotFound) as refused:
        cloud.server.hosted_by("l3-nowhere", "l3")
    assert refused.value.status == 404


def test_list_router_ids_on_host_no_l3_agent(cloud):
    cloud.router("r1")
    assert cloud.sync("l3-hosta") == []


def test_router_auto_schedule_with_invalid_router(cloud):
    cloud.router("r1")
    cloud.register_agent_states()
    cloud.bind("r1", "l3-hosta")
    cloud.server.delete_router(cloud.now, "r1")
    assert cloud.server.given("l3-hosta", ["r1"]) == []
    assert cloud.server.given("l3-hosta", ["unknown"]) == []


def test_router_auto_schedule_with_hosted(cloud):
    cloud.router("r1")
    cloud.register_agent_states()
    assert cloud.sync("l3-hosta") == ["r1"]
    assert cloud.sync("l3-hostb") == []
    assert cloud.hosts("r1") == ["l3-hosta"]


def test_router_auto_schedule_restart_l3_agent(cloud):
    cloud.router("r1")
    cloud.register_agent_states()
    assert cloud.sync("l3-hosta") == cloud.sync("l3-hosta") == ["r1"]


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


def test_rpc_sync_routers(cloud):
    cloud.register_agent_states()
    assert cloud.server.given("l3-hosta") == []
    routers = [cloud.router(name) for name in ("r1", "r2", "r3")]
    cloud.sync("l3-hosta")
    assert cloud.server.given("l3-hosta") == routers
    assert cloud.server.given("l3-hosta", ["r2"]) == ["r2"]
    assert cloud.server.given("l3-hosta", ["r1", "r3"]) == ["r1", "r3"]


def test_sync_router(cloud):
    cloud.register_agent_states()
    cloud.router("r1")
    assert cloud.server.given("l3-hosta", ["r1"]) == []
    assert cloud.hosts("r1") == []


def test_router_without_l3_agents(cloud):
    assert cloud.hosts(cloud.router(gateway="ext")) == []


def test_router_sync_data(cloud):
    cloud.register_agent_states()
    cloud.router("r1", gateway="ext")
    for network in ("net1", "net2"):
        cloud.server.add_interface(cloud.now, "r1", cloud.network(network))
    (first,) = cloud.hosts("r1")
    assert cloud.server.given(first) == ["r1"]
    (other,) = {"l3-hosta", "l3-hostb"} - {first}
    with pytest.raises(RouterHostedByL3Agent) as refused:
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
    add_to_l3_agent(cloud)


def test_router_add_to_l3_agent_with_admin_state_down():
    cloud = Cloud()
    cloud.router("r1")
    cloud.l3("hosta", enabled=False)
    with pytest.raises(InvalidL3Agent):
        cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hosta")
    add_to_l3_agent(Cloud(**KEEP), enabled=False)


def add_to_l3_agent(cloud: Cloud, **state) -> None:
    """To hosta, and then to hostb, which is refused."""
    cloud.router("r1")
    cloud.l3("hosta", "hostb", **state)
    assert cloud.hosted("l3-hosta") == []
    cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hosta")
    assert cloud.hosted("l3-hosta") == ["r1"]
    with pytest.raises(RouterHostedByL3Agent) as refused:
        cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hostb")
    assert refused.value.status == 409
    assert cloud.hosts("r1") == ["l3-hosta"]


def test_router_add_to_l3_agent_two_times(cloud):
    cloud.router("r1")
    cloud.register_agent_states()
    for _ in range(2):
        cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hosta")
    assert cloud.told == [("r1", "l3-hosta", True)]
    assert cloud.hosts("r1") == ["l3-hosta"]


def test_router_add_to_two_l3_agents(cloud):
    cloud.router("r1")
    cloud.register_agent_states()
    cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hosta")
    with pytest.raises(RouterHostedByL3Agent) as refused:
        cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hostb")
    assert refused.value.status == 409


def test_l3_agent_keep_services_off():
    cloud = keeping("l3", False)
    assert cloud.sync("l3-hosta") == []
    assert cloud.hosted("l3-hosta") == ["r1"]


def test_l3_agent_keep_services_on():
    assert keeping("l3", True).sync("l3-hosta") == ["r1"]


# -- notices -------------------------------------------------------------------------------


def test_network_add_to_dhcp_agent_notification(cloud):
    """To that host; priorities and usage events are not modelled."""
    cloud.network()
    cloud.register_agent_states()
    told = cloud.server.add_network_to_agent(cloud.now, "net", "dhcp-hosta")
    assert told == [Notice("dhcp", "dhcp-hosta", "network_create_end", "net")]


def test_network_remove_from_dhcp_agent_notification(cloud):
    cloud.network()
    cloud.register_agent_states()
    cloud.bind("net", "dhcp-hosta")
    told = cloud.server.remove_network_from_agent(cloud.now, "net", "dhcp-hosta")
    assert told == [Notice("dhcp", "dhcp-hosta", "network_delete_end", "net")]
    with pytest.raises(NetworkNotHostedByDhcpAgent) as refused:
        cloud.server.remove_network_from_agent(cloud.now, "net", "dhcp-hosta")
    assert refused.value.status == 409


def test_agent_updated_dhcp_agent_notification(cloud):
    cloud.register_agent_states()
    told = cloud.server.update_agent(cloud.now, "dhcp-hosta", False)
    assert told == [Notice("dhcp", "dhcp-hosta", "agent_updated")]


def test_network_port_create_notification(cloud):
    """In that order; priorities are not modelled."""
    (agent,) = cloud.dhcp("hosta")
    told = cloud.server.create_network(cloud.now, "net")
    told += cloud.server.create_subnet(cloud.now, "net", "subnet")
    told += cloud.server.create_port(cloud.now, "net")
    methods = ["network_create_end", "subnet_create_end", "port_create_end"]
    assert told == [Notice("dhcp", agent, method, "net") for method in methods]


def test_network_ha_port_create_notification():
    """Told to each of three; that one of them is told first, priorities, is not modelled."""
    cloud = Cloud(dhcp_agents_per_network=3)
    agents = cloud.dhcp("hosta", "hostb", "hostc")
    cloud.network()
    told = cloud.port()
    assert sorted(told) == [Notice("dhcp", agent, "port_create_end", "net") for agent in agents]


def test_unreserved_dhcp_port_creation(cloud):
    cloud.network()
    (agent,) = cloud.dhcp("hosta")
    assert Notice("dhcp", agent, "network_create_end", "net") in cloud.port()


def test_router_add_to_l3_agent_notification(cloud):
    """To that host, by a call; that it may not answer is modelled for passes only."""
    cloud.router("r1")
    cloud.register_agent_states()
    told = cloud.server.add_router_to_agent(cloud.now, "r1", "l3-hosta")
    assert told == [Notice("l3", "l3-hosta", "router_added_to_agent", "r1")]
    assert cloud.server.rules.added_by_call


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


# -- passes --------------------------------------------------------------------------------


def test_add_periodic_dhcp_agent_status_check():
    assert "dhcp" in Cloud(allow_automatic_dhcp_failover=True).failover.passes


def test_add_periodic_dhcp_agent_status_check_disabled():
    assert "dhcp" not in Cloud(allow_automatic_dhcp_failover=False).failover.passes


def test_add_periodic_l3_agent_status_check():
    assert "l3" in Cloud(allow_automatic_l3agent_failover=True).failover.passes


def test_add_periodic_l3_agent_status_check_disabled():
    assert "l3" not in Cloud(allow_automatic_l3agent_failover=False).failover.passes
