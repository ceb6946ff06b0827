"""The tests of neutron/tests/unit/scheduler/test_l3_agent_scheduler.py, master, by their names."""

from __future__ import annotations

import pytest
from upstream_cloud import Cloud

from simulator.neutron.errors import (
    DVRL3CannotAssignToDvrAgent,
    DVRL3CannotRemoveFromDvrAgent,
    RouterL3AgentMismatch,
)
from simulator.neutron.records import Notice
from simulator.neutron.schedulers import vacant_index

CHANCE = {"router_scheduler_driver": "ChanceScheduler"}
ZONED = {"router_scheduler_driver": "AZLeastRoutersScheduler"}


def pair(**options) -> Cloud:
    """Upstream's own two agents."""
    cloud = Cloud(**{**CHANCE, **options})
    cloud.l3("1", "2")
    return cloud


def bind(cloud: Cloud, router: str, name: str) -> bool:
    """Bind a router as a scheduler does; whether a binding was made."""
    return cloud.server.tables.bind(router, cloud.server.agents[name])


# -- which routers, which agents -----------------------------------------------------------


def test__get_routers_can_schedule_with_compat_agent():
    cloud = Cloud()
    cloud.router()
    cloud.l3("1")
    assert cloud.sync("l3-1") == ["r1"]


def test__get_routers_can_schedule_with_no_compat_agent():
    cloud = Cloud()
    cloud.router()
    cloud.l3("1", handle_internal_only_routers=False)
    assert cloud.sync("l3-1") == []


def test__get_routers_can_schedule_with_no_target_routers():
    cloud = Cloud(**ZONED)
    cloud.l3("1")
    assert cloud.sync("l3-1") == []
    assert cloud.decisions == []


def asks(cloud: Cloud, monkeypatch) -> list[str]:
    """The routers that the filter of candidates was asked about, as it goes on."""
    asked: list[str] = []
    admitted = cloud.server.scheduling.admitted
    monkeypatch.setattr(
        cloud.server.scheduling,
        "admitted",
        lambda agents, router: asked.append(router) or admitted(agents, router),
    )
    return asked


def test__get_candidates_iterable_on_early_returns(monkeypatch):
    cloud = pair()
    asked = asks(cloud, monkeypatch)
    cloud.router("hosted")
    cloud.bind("hosted", "l3-1")
    cloud.server.schedule_router(cloud.now, "hosted")
    assert asked == []
    cloud.router("free")
    cloud.kill("l3-1")
    cloud.kill("l3-2")
    cloud.server.schedule_router(cloud.now, "free")
    assert asked == []
    cloud.l3("1")
    cloud.server.schedule_router(cloud.now, "free")
    assert asked == ["free"]


def test__get_candidates_skips_get_l3_agent_candidates_if_dvr_scheduled(monkeypatch):
    cloud = pair()
    asked = asks(cloud, monkeypatch)
    cloud.l3("snat", agent_mode="dvr_snat")
    cloud.distributed()
    cloud.bind("r1", "l3-snat")
    cloud.server.schedule_router(cloud.now, "r1")
    assert asked == []


def dvr_order(cloud: Cloud, monkeypatch, gateway: str | None) -> list[str]:
    """What scheduling a distributed router asks, in order."""
    calls: list[str] = []
    for owner, name in (
        (cloud.server.tables, "hosting"),
        (cloud.server.tables, "l3_agents"),
        (cloud.server.scheduling, "admitted"),
    ):
        call = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *a, n=name, c=call, **k: calls.append(n) or c(*a, **k)
        )
    cloud.server.tables.routers[cloud.distributed("r1")].gateway = gateway
    cloud.server.schedule_router(cloud.now, "r1")
    return calls


def test_schedule_dvr_router_without_snatbinding_and_no_gw(monkeypatch):
    cloud = Cloud(**CHANCE)
    cloud.l3("snat", agent_mode="dvr_snat")
    assert dvr_order(cloud, monkeypatch, None) == ["hosting", "l3_agents", "admitted"]
    assert cloud.hosts("r1") == ["l3-snat"]


def test_schedule_router_distributed(monkeypatch):
    cloud = Cloud(**CHANCE)
    cloud.l3("snat", agent_mode="dvr_snat")
    assert dvr_order(cloud, monkeypatch, "ext") == ["hosting", "l3_agents", "admitted"]
    assert cloud.hosts("r1") == ["l3-snat"]


# -- modes of agents -----------------------------------------------------------------------


def modes() -> Cloud:
    """Upstream's two legacy agents, one in dvr mode and one in dvr_snat mode."""
    cloud = pair()
    cloud.l3("dvr", agent_mode="dvr")
    cloud.l3("snat", agent_mode="dvr_snat")
    return cloud


def candidates(cloud: Cloud, *names: str, distributed: bool = True, ha: bool = False) -> list[str]:
    """Which of the agents may take a router with an interface."""
    if distributed:
        cloud.distributed("r1", "net", ha=ha)
    else:
        cloud.router()
    return [name for name in names if cloud.server.takes(cloud.server.agents[name], "r1")]


def test_get_l3_agent_candidates_legacy():
    assert candidates(modes(), "l3-1", "l3-dvr", distributed=False) == ["l3-1"]


def test_get_l3_agent_candidates_dvr():
    cloud = modes()
    cloud.network("net")
    cloud.vm("net", "dvr")
    assert candidates(cloud, "l3-1", "l3-dvr") == []


def test_get_l3_agent_candidates_dvr_no_vms():
    assert candidates(modes(), "l3-1", "l3-dvr") == []


def test_get_l3_agent_candidates_dvr_snat():
    cloud = modes()
    cloud.network("net")
    cloud.vm("net", "snat")
    assert candidates(cloud, "l3-snat") == ["l3-snat"]


def test_get_l3_agent_candidates_dvr_snat_no_vms():
    assert candidates(modes(), "l3-snat") == ["l3-snat"]


def test_get_l3_agent_candidates_dvr_ha_snat_no_vms():
    assert candidates(modes(), "l3-snat", ha=True) == ["l3-snat"]


def test_get_l3_agent_candidates_centralized():
    assert candidates(modes(), "l3-snat", distributed=False) == ["l3-snat"]


SIX = ["legacy", "dvr_snat", "dvr", "dvr_no_external", "fake_mode", "legacy"]


def six() -> Cloud:
    """Upstream's six agents, one in each mode and another legacy one, on hosts 1 to 6."""
    cloud = Cloud()
    for number, mode in enumerate(SIX, start=1):
        cloud.l3(f"host_{number}", agent_mode=mode)
    return cloud


class TestTestGetL3AgentsWithAgentModeFilter:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ([], SIX),
            (["legacy"], ["legacy", "legacy"]),
            (["dvr_snat"], ["dvr_snat"]),
            (["dvr"], ["dvr"]),
            (["dvr_no_external"], ["dvr_no_external"]),
            (["dvr_snat", "dvr"], ["dvr_snat", "dvr"]),
            (["dvr_snat", "dvr_no_external"], ["dvr_snat", "dvr_no_external"]),
            (["dvr_snat", "dvr", "dvr_no_external"], ["dvr_snat", "dvr", "dvr_no_external"]),
            (["invalid"], []),
        ],
    )
    def test_get_l3_agents(self, asked, found):
        assert [agent.mode for agent in six().server.tables.l3_agents(modes=asked)] == found


class TestTestGetL3AgentsWithHostFilter:
    @pytest.mark.parametrize("host", [*(f"host_{number}" for number in range(1, 7)), "invalid"])
    def test_get_l3_agents(self, host):
        found = [agent.host for agent in six().server.tables.l3_agents(hosts=[host])]
        assert found == ([] if host == "invalid" else [host])


def test_get_l3_agents_hosting_routers():
    cloud = pair()
    cloud.router()
    cloud.bind("r1", "l3-1")
    hosting, agent = cloud.server.tables.hosting, cloud.server.agents["l3-1"]
    assert hosting(["l3-1"], enabled=None) == hosting(["l3-1"]) == [agent]
    cloud.disable("l3-1")
    assert hosting(["l3-1"], enabled=None) == [agent]
    assert hosting(["l3-1"], enabled=True) == []


# -- bindings ------------------------------------------------------------------------------


def test__unbind_router_removes_binding():
    cloud = pair()
    cloud.router()
    bind(cloud, "r1", "l3-1")
    cloud.server.tables.unbind("r1", cloud.server.agents["l3-1"])
    assert cloud.hosts("r1") == cloud.hosted("l3-1") == []


def test_add_router_to_l3_agent():
    cloud = pair()
    cloud.router()
    cloud.server.add_router_to_agent(cloud.now, "r1", "l3-1")
    assert cloud.told == [("r1", "l3-1", True)]


def test_add_router_to_l3_agent_already_scheduled():
    cloud = pair()
    cloud.router()
    bind(cloud, "r1", "l3-1")
    cloud.told.clear()
    cloud.server.add_router_to_agent(cloud.now, "r1", "l3-1")
    assert cloud.told == []


def refused(error: type[Exception], name: str, **state) -> None:
    """Adding a router to an agent is refused, and changes nothing."""
    cloud = modes()
    cloud.disable("l3-snat")  # so that nothing is scheduled
    cloud.router(**state)
    with pytest.raises(error) as raised:
        cloud.server.add_router_to_agent(cloud.now, "r1", name)
    assert (raised.value.status, cloud.told) == (409, [])


def test_add_router_to_l3_agent_mismatch_error_dvr_to_legacy():
    refused(RouterL3AgentMismatch, "l3-1", distributed=True)


def test_add_router_to_l3_agent_mismatch_error_legacy_to_dvr():
    refused(DVRL3CannotAssignToDvrAgent, "l3-dvr")


def test_add_router_to_l3_agent_mismatch_error_dvr_to_dvr():
    refused(DVRL3CannotAssignToDvrAgent, "l3-dvr", distributed=True)


def add_distributed(*, scheduled: bool) -> Cloud:
    """A distributed router with a gateway, added to the dvr_snat agent."""
    cloud = modes()
    cloud.disable("l3-snat")
    cloud.distributed("r1", gateway="ext")
    cloud.enable("l3-snat")
    if scheduled:
        bind(cloud, "r1", "l3-snat")
        cloud.told.clear()
    cloud.server.add_router_to_agent(cloud.now, "r1", "l3-snat")
    return cloud


def test_add_router_to_l3_agent_dvr_to_snat():
    assert add_distributed(scheduled=False).hosts("r1") == ["l3-snat"]


def test_add_distributed_router_to_l3_agent():
    assert add_distributed(scheduled=False).told == [("r1", "l3-snat", True)]


def test_add_distributed_router_to_l3_agent_already_scheduled():
    assert add_distributed(scheduled=True).told == []


def test_remove_router_from_l3_agent_in_dvr_mode():
    """Whatever the router, be there one or not."""
    cloud = modes()
    with pytest.raises(DVRL3CannotRemoveFromDvrAgent) as raised:
        cloud.server.remove_router_from_agent(cloud.now, "any", "l3-dvr")
    assert raised.value.status == 409


def test_remove_router_from_l3_agent_in_dvr_snat_mode():
    cloud = modes()
    cloud.distributed()
    told = cloud.server.remove_router_from_agent(cloud.now, "r1", "l3-snat")
    assert told == [removed("l3-snat")]


def removed(agent: str, router: str = "r1") -> Notice:
    return Notice("l3", agent, "router_removed_from_agent", router)


def updated(agent: str, router: str = "r1") -> Notice:
    return Notice("l3", agent, "routers_updated", router)


def test_bind_new_router():
    cloud = pair()
    cloud.router()
    assert bind(cloud, "r1", "l3-1")
    assert cloud.hosts("r1") == ["l3-1"]


def test_bind_existing_router():
    cloud = pair()
    cloud.router()
    assert bind(cloud, "r1", "l3-1")
    assert not bind(cloud, "r1", "l3-1")
    assert cloud.hosts("r1") == ["l3-1"]


def test_bind_router_twice_for_non_ha():
    cloud = pair()
    cloud.router()
    assert bind(cloud, "r1", "l3-1")
    assert not bind(cloud, "r1", "l3-2")
    assert cloud.hosts("r1") == ["l3-1"]


def test_schedule_routers_unique_binding_indices():
    cloud = pair(max_l3_agents_per_router=2)
    cloud.router(ha=True)
    assert sorted(cloud.server.routers["r1"].agents.values()) == [1, 2]


@pytest.mark.parametrize("by_hand", [True, False], ids=["by hand", "scheduled"])
@pytest.mark.parametrize("freed", [1, 2, 3, None])
def test_get_vacant_binding_index(freed, by_hand):
    cloud = pair(max_l3_agents_per_router=3)
    cloud.l3("3")
    cloud.router(ha=True)
    record = cloud.server.routers["r1"]
    assert sorted(record.agents.values()) == [1, 2, 3]
    for name, index in list(record.agents.items()):
        if index == freed:
            cloud.server.tables.unbind("r1", cloud.server.agents[name])
    index = vacant_index(3, list(record.agents.values()), force=by_hand)
    assert index == (freed or (4 if by_hand else -1))


# -- schedulers ----------------------------------------------------------------------------


def test_random_scheduling():
    cloud = pair()
    for number, router in enumerate(["r1", "r2"], start=1):
        cloud.router(router, gateway="ext")
        assert len(cloud.hosts(router)) == 1
        assert cloud.draws == number


def test_scheduler_auto_schedule_when_agent_added():
    cloud = pair()
    cloud.disable("l3-1")
    cloud.disable("l3-2")
    cloud.router(gateway="ext")
    assert cloud.hosts("r1") == []
    cloud.enable("l3-1")
    cloud.sync("l3-1")
    assert cloud.hosts("r1") == ["l3-1"]


class TestL3AgentLeastRoutersSchedulerTestCase:
    def test_scheduler(self):
        cloud = pair(router_scheduler_driver="LeastRoutersScheduler")
        cloud.disable("l3-2")
        assert cloud.hosts(cloud.router("r1", gateway="ext")) == ["l3-1"]
        assert cloud.hosts(cloud.router("r2", gateway="ext")) == ["l3-1"]
        cloud.enable("l3-2")
        assert cloud.hosts(cloud.router("r3", gateway="ext")) == ["l3-2"]


def four(**options) -> Cloud:
    cloud = pair(**options)
    cloud.l3("3", "4")
    return cloud


def test_get_routers_l3_agents_count():
    """What lacks agents is what a sync offers."""
    cloud = four(max_l3_agents_per_router=0)
    assert len(cloud.hosts(cloud.router("r1", ha=True))) == 4
    cloud = four(max_l3_agents_per_router=2)
    assert len(cloud.hosts(cloud.router("r2", ha=True))) == 2
    assert len(cloud.hosts(cloud.router("r3"))) == 0
    assert cloud.server.tables.open_for("l3") == ["r3"]
    cloud.server.remove_router_from_agent(cloud.now, "r2", cloud.hosts("r2")[0])
    assert sorted(cloud.server.tables.open_for("l3")) == ["r2", "r3"]


def test_get_routers_not_ha_l3_agents_count():
    cloud = four()
    cloud.router("r1")
    cloud.router("r2")
    cloud.server.scheduling.router_among(cloud.now, "r1", [cloud.server.agents["l3-1"]])
    assert (cloud.hosts("r1"), cloud.hosts("r2")) == (["l3-1"], [])
    assert cloud.server.tables.open_for("l3") == ["r2"]


def test_get_ordered_l3_agents_by_num_routers():
    """Agents 1 to 4 have 0 to 3 routers; an HA router for all of them sees them in that order."""
    cloud = Cloud(max_l3_agents_per_router=0, router_scheduler_driver="LeastRoutersScheduler")
    for router in ("r1", "r2"):
        cloud.router(router, ha=True)
    for router in ("r3", "r4"):
        cloud.router(router)
    cloud.l3("4", "2", "3", "1")
    agents = cloud.server.agents
    for router, hosts in (("r1", "24"), ("r2", "34"), ("r3", "3"), ("r4", "4")):
        candidates = [agents[f"l3-{host}"] for host in hosts]
        cloud.server.scheduling.router_among(cloud.now, router, candidates)
    assert [len(cloud.hosted(f"l3-{host}")) for host in "1234"] == [0, 1, 2, 3]
    cloud.decisions.clear()
    cloud.router("r5", ha=True)
    assert cloud.decisions[0].chosen == ("l3-1", "l3-2", "l3-3", "l3-4")


# -- HA routers ----------------------------------------------------------------------------


def highly_available(**options) -> Cloud:
    """An HA router on both agents, which may be on more."""
    cloud = pair(**options)
    cloud.router(ha=True)
    assert sorted(cloud.hosts("r1")) == ["l3-1", "l3-2"]
    return cloud


def test_reschedule_ha_routers_from_down_agents():
    cloud = highly_available(max_l3_agents_per_router=2, ha_failover="moves")
    cloud.l3("3")
    cloud.kill("l3-1")
    cloud.failover.routers(cloud.now)
    assert sorted(cloud.hosts("r1")) == ["l3-2", "l3-3"]


def test_manual_add_ha_router_to_agent():
    cloud = highly_available(max_l3_agents_per_router=2)
    cloud.l3("3")
    cloud.server.add_router_to_agent(cloud.now, "r1", "l3-3")
    assert sorted(cloud.hosts("r1")) == ["l3-1", "l3-2", "l3-3"]


def test_manual_remove_ha_router_from_agent():
    cloud = highly_available()
    cloud.server.remove_router_from_agent(cloud.now, "r1", "l3-1")
    assert cloud.hosts("r1") == ["l3-2"]


def test_list_l3_agents_hosting_ha_router():
    cloud = highly_available()
    assert set(cloud.server.hosting(cloud.now, "r1").values()) == {"standby"}
    cloud.server.tell_ha_states("l3-1", {"r1": "active", "nowhere": "active"})
    assert cloud.server.hosting(cloud.now, "r1") == {"l3-1": "active", "l3-2": "standby"}


def test_list_l3_agents_hosting_legacy_router():
    cloud = Cloud()
    cloud.l3("1")
    cloud.router("r1", gateway=cloud.network())
    assert cloud.server.hosting(cloud.now, "r1") == {"l3-1": None}


def test_manual_remove_ha_router_from_all_agents():
    cloud = highly_available()
    for name in ("l3-1", "l3-2"):
        cloud.server.remove_router_from_agent(cloud.now, "r1", name)
    assert cloud.hosts("r1") == []


def test_scheduler_with_ha_enabled():
    """Both agents are given the router; its HA interfaces are not modelled."""
    cloud = highly_available()
    for name in ("l3-1", "l3-2"):
        assert cloud.server.given(name, ["r1"]) == ["r1"]


def test_auto_schedule():
    cloud = Cloud(**CHANCE)
    cloud.router(ha=True)
    cloud.l3("1", "2")
    assert cloud.sync("l3-1") == cloud.sync("l3-2") == ["r1"]
    assert cloud.hosts("r1") == ["l3-1", "l3-2"]


def third_agent(limit: int) -> Cloud:
    """A third agent registers and asks, and asks again."""
    cloud = highly_available(max_l3_agents_per_router=limit)
    cloud.l3("3")
    assert cloud.sync("l3-3") == ["r1"]
    assert len(cloud.hosts("r1")) == 3
    assert cloud.sync("l3-3") == ["r1"]
    return cloud


@pytest.mark.parametrize("limit", [0, 3])
def test_auto_schedule_specific_router_when_agent_added(limit):
    """A sync offers all routers, whatever was asked for."""
    cloud = third_agent(limit)
    assert sorted(cloud.hosts("r1")) == ["l3-1", "l3-2", "l3-3"]


@pytest.mark.parametrize("limit", [0, 3])
def test_auto_schedule_all_routers_when_agent_added(limit):
    cloud = third_agent(limit)
    assert sorted(cloud.server.routers["r1"].agents.values()) == [1, 2, 3]


def test_auto_schedule_ha_router_when_incompatible_agent_exist():
    cloud = pair()
    cloud.l3("3", handle_internal_only_routers=False)
    cloud.router(ha=True)
    assert cloud.sync("l3-3") == []
    assert sorted(cloud.hosts("r1")) == ["l3-1", "l3-2"]


def test_auto_schedule_ha_router_when_dvr_agent_exist():
    cloud = pair()
    cloud.l3("dvr", agent_mode="dvr")
    cloud.router(ha=True)
    assert cloud.sync("l3-dvr") == []
    assert sorted(cloud.hosts("r1")) == ["l3-1", "l3-2"]


class TestL3HALeastRoutersSchedulerTestCase:
    def test_scheduler(self):
        cloud = four(max_l3_agents_per_router=2, router_scheduler_driver="LeastRoutersScheduler")
        cloud.disable("l3-3")
        cloud.disable("l3-4")
        assert sorted(cloud.hosts(cloud.router("r1", ha=True))) == ["l3-1", "l3-2"]
        cloud.enable("l3-3")
        cloud.enable("l3-4")
        assert sorted(cloud.hosts(cloud.router("r2", ha=True))) == ["l3-3", "l3-4"]


# -- ports that need distributed routers ---------------------------------------------------


def computes() -> Cloud:
    """Two compute hosts, and a distributed router on a network, bound to nobody."""
    cloud = Cloud()
    cloud.l3("vm-host1", "vm-host2", agent_mode="dvr")
    cloud.distributed("r1", "net")
    return cloud


def test__notify_l3_agent_new_port_action():
    """Its host is told; entries for its address (ARP) are not modelled, here and below."""
    assert computes().vm("net", "vm-host1") == [updated("l3-vm-host1")]


def test__notify_l3_agent_new_port_no_action():
    """A port of any other owner."""
    told = computes().server.create_port(0.0, "net")
    assert [notice for notice in told if notice.agent_type == "l3"] == []


def test__notify_l3_agent_update_port_no_action():
    cloud = computes()
    cloud.vm("net", "vm-host1")
    assert cloud.vm("net", "vm-host1", before="vm-host1") == []


def test__notify_l3_agent_update_port_with_migration_port_profile():
    """While a VM migrates, both hosts have its port."""
    cloud = computes()
    cloud.vm("net", "vm-host1")
    assert cloud.server.port_on_host(cloud.now, "net", "vm-host2") == [updated("l3-vm-host2")]
    assert cloud.sync("l3-vm-host1") == cloud.sync("l3-vm-host2") == ["r1"]


def test__notify_l3_agent_port_binding_change():
    """Another port needs the router where the port was."""
    cloud = computes()
    cloud.vm("net", "vm-host1")
    cloud.vm("net", "vm-host1")
    assert cloud.vm("net", "vm-host2", before="vm-host1") == [updated("l3-vm-host2")]


def test__notify_l3_agent_port_binding_change_removed_routers():
    cloud = computes()
    cloud.vm("net", "vm-host1")
    told = cloud.vm("net", "vm-host2", before="vm-host1")
    assert told == [removed("l3-vm-host1"), updated("l3-vm-host2")]


def test__notify_l3_agent_update_port_removing_routers():
    cloud = computes()
    cloud.vm("net", "vm-host1")
    assert cloud.vm("net", None, before="vm-host1") == [removed("l3-vm-host1")]


def test__notify_port_delete():
    cloud = computes()
    cloud.server.port_on_host(cloud.now, "net", "vm-host1")
    told = cloud.server.port_off_host(cloud.now, "net", "vm-host1")
    assert told == [removed("l3-vm-host1")]
    assert cloud.sync("l3-vm-host1") == []


def test_dvr_handle_new_service_port():
    cloud = computes()
    cloud.distributed("r2", "net")
    told = cloud.vm("net", "vm-host1")
    assert told == [updated("l3-vm-host1", router) for router in ("r1", "r2")]


def test_get_dvr_routers_by_subnet_ids():
    cloud = computes()
    cloud.router("central")
    cloud.server.add_interface(cloud.now, "central", "net")
    assert cloud.server.distributed.on_network("net") == ["r1"]


def test_get_subnet_ids_on_router():
    """Networks stand for their subnets."""
    assert list(computes().server.routers["r1"].networks) == ["net"]


def test_get_subnet_ids_on_router_no_subnet():
    cloud = Cloud()
    assert list(cloud.server.routers[cloud.distributed("r1")].networks) == []


def test__check_dvr_serviceable_ports_on_host():
    """The name of the one host begins with that of the other."""
    cloud = Cloud()
    cloud.l3("my_l3_host_dvr", agent_mode="dvr")
    cloud.l3("my_l3_host_dvr_snat", agent_mode="dvr_snat")
    cloud.distributed("r1", "net")
    cloud.vm("net", "my_l3_host_dvr_snat")
    assert cloud.server.distributed.needs("r1", "my_l3_host_dvr_snat")
    assert not cloud.server.distributed.needs("r1", "my_l3_host_dvr")


# -- AZLeastRoutersScheduler ---------------------------------------------------------------


def zones(**options) -> Cloud:
    """Two agents a zone, called az1-1, az1-2, az2-1 …"""
    cloud = Cloud(**ZONED, **options)
    for zone in ("az1", "az2", "az3"):
        cloud.l3(f"{zone}-1", f"{zone}-2", zone=zone)
    return cloud


def spread(cloud: Cloud, routers: int, *hints: str) -> dict[str, int]:
    """How many of so many routers each agent has, those that have none apart."""
    for number in range(routers):
        cloud.router(f"r{number}", hints=hints)
        cloud.server.schedule_router(cloud.now, f"r{number}")
    loads = {name: len(agent.hosted) for name, agent in cloud.server.agents.items()}
    return {name: load for name, load in loads.items() if load}


def test_az_scheduler_auto_schedule():
    cloud = zones()
    cloud.router(hints=["az1"])
    assert cloud.sync("l3-az1-2") == ["r1"]
    assert cloud.hosts("r1") == ["l3-az1-2"]


def test_az_scheduler_auto_schedule_no_match():
    cloud = zones()
    cloud.router(hints=["az1"])
    assert cloud.sync("l3-az2-1") == []
    assert cloud.hosts("r1") == []


def test_az_scheduler_default_az():
    loads = spread(zones(default_availability_zones=("az2",)), 3)
    assert sorted(loads) == ["l3-az2-1", "l3-az2-2"]
    assert sum(loads.values()) == 3


def test_az_scheduler_az_hints():
    loads = spread(zones(), 3, "az3")
    assert sorted(loads) == ["l3-az3-1", "l3-az3-2"]
    assert sum(loads.values()) == 3


def test_az_scheduler_least_routers():
    assert spread(zones(), 4, "az1") == {"l3-az1-1": 2, "l3-az1-2": 2}


def test_az_scheduler_ha_az_hints():
    cloud = zones(max_l3_agents_per_router=2)
    cloud.router(ha=True, hints=["az1", "az3"])
    assert sorted(cloud.server.agents[name].zone for name in cloud.hosts("r1")) == ["az1", "az3"]


def test_az_scheduler_ha_auto_schedule():
    cloud = zones(max_l3_agents_per_router=3)
    cloud.disable("l3-az1-2")
    cloud.disable("l3-az3-2")
    cloud.router(ha=True, hints=["az1", "az3"])
    assert sorted(cloud.hosts("r1")) == ["l3-az1-1", "l3-az3-1"]
    cloud.enable("l3-az3-2")
    cloud.sync("l3-az3-2")
    assert sorted(cloud.hosts("r1")) == ["l3-az1-1", "l3-az3-1", "l3-az3-2"]
