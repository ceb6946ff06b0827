"""Distributed routers (DVR), release by release: what no upstream test of the list holds."""

from __future__ import annotations

import pytest
from upstream.upstream_cloud import Cloud

from simulator.neutron.errors import (
    DistributedHARouterNotSupported,
    DVRL3CannotAssignToDvrAgent,
    InvalidL3Agent,
    RouterL3AgentMismatch,
)
from simulator.neutron.records import Notice
from simulator.neutron.rules import Rules, rules_of
from simulator.scenario.series import RELEASES

SERIES_WITH_DVR = list(RELEASES)[list(RELEASES).index("juno") :]


def rules(series: str) -> Rules:
    return rules_of(RELEASES[series])


def cloud_of(series: str, *, snat: int = 2, **options) -> Cloud:
    """So many dvr_snat agents, one dvr agent on a compute host, and a legacy one."""
    cloud = Cloud(rules(series), **options)
    cloud.l3(*(f"snat{number}" for number in range(snat)), agent_mode="dvr_snat")
    cloud.l3("compute", agent_mode="dvr")
    cloud.l3("old")
    return cloud


def told(agent: str, method: str) -> Notice:
    return Notice("l3", agent, method, "r1")


# -- modes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("series", SERIES_WITH_DVR)
@pytest.mark.parametrize("distributed", [True, False])
def test_routers_are_bound_where_the_mode_suits(series, distributed):
    cloud = cloud_of(series)
    for number in range(20):
        cloud.router(str(number), gateway="ext", distributed=distributed)
        cloud.server.schedule_router(cloud.now, str(number))
    found = {cloud.server.agents[cloud.hosts(str(number))[0]].mode for number in range(20)}
    assert found == ({"dvr_snat"} if distributed else {"dvr_snat", "legacy"})


def test_an_agent_that_tells_no_mode_is_legacy():
    cloud = Cloud()
    cloud.l3("old")
    cloud.distributed("r1", gateway="ext")
    assert cloud.sync("l3-old") == []


def test_nothing_is_bound_to_a_compute_host_without_external_network():
    cloud = Cloud()
    cloud.l3("compute", agent_mode="dvr_no_external")
    for name in ("r1", "r2"):
        cloud.router(name, distributed=name == "r1")
        with pytest.raises(DVRL3CannotAssignToDvrAgent):
            cloud.server.add_router_to_agent(cloud.now, name, "l3-compute")
    assert cloud.sync("l3-compute") == []


# -- SNAT ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("series", "draws"), [("kilo", 4), ("liberty", 4), ("mitaka", 0)])
def test_snat_is_chosen_at_random_until_liberty_whatever_the_driver(series, draws):
    cloud = cloud_of(series, router_scheduler_driver="LeastRoutersScheduler")
    for number in range(4):
        cloud.router(str(number), gateway="ext", distributed=True)
        cloud.server.schedule_router(cloud.now, str(number))
    assert cloud.draws == draws
    assert draws or len(cloud.hosted("l3-snat0")) == len(cloud.hosted("l3-snat1")) == 2


@pytest.mark.parametrize(("series", "bound"), [("liberty", []), ("mitaka", ["l3-snat0"])])
def test_snat_needs_a_gateway_until_liberty(series, bound):
    cloud = cloud_of(series, snat=1)
    cloud.distributed("r1", "net")
    assert cloud.hosts("r1") == bound
    cloud.server.update_router(cloud.now, "r1", {"gateway": "ext"})
    assert cloud.hosts("r1") == ["l3-snat0"]
    notices = cloud.server.update_router(cloud.now, "r1", {"gateway": None})
    assert cloud.hosts("r1") == bound
    method = "routers_updated" if bound else "router_removed_from_agent"
    assert notices == [told("l3-snat0", method)]


@pytest.mark.parametrize(("series", "given"), [("kilo", []), ("liberty", []), ("mitaka", ["r1"])])
def test_a_sync_binds_distributed_routers_since_mitaka(series, given):
    cloud = cloud_of(series, snat=0)
    cloud.router("r1", gateway="ext", distributed=True)
    cloud.l3("snat", agent_mode="dvr_snat")
    assert cloud.sync("l3-snat") == given


@pytest.mark.parametrize("series", ["liberty", "mitaka", "2026.2"])
def test_snat_moves_from_a_dead_node(series):
    cloud = cloud_of(series, allow_automatic_l3agent_failover=True)
    cloud.distributed("r1", gateway="ext")
    cloud.server.schedule_router(cloud.now, "r1")
    (old,) = cloud.hosts("r1")
    cloud.kill(old)
    notices = cloud.failover.routers(cloud.now)
    (new,) = {"l3-snat0", "l3-snat1"} - {old}
    assert cloud.hosts("r1") == [new]
    assert notices == [
        told(old, "router_removed_from_agent"),
        told(new, "router_added_to_agent"),
    ]


def test_snat_stays_if_no_other_node_has_the_mode():
    cloud = cloud_of("2026.2", snat=1, allow_automatic_l3agent_failover=True)
    cloud.distributed("r1", gateway="ext")
    cloud.kill("l3-snat0")
    assert cloud.failover.routers(cloud.now) == []
    assert cloud.hosts("r1") == ["l3-snat0"]


@pytest.mark.parametrize(
    ("series", "hosts"), [("kilo", "l3-old"), ("liberty", "l3-turned"), ("mitaka", "l3-old")]
)
def test_only_liberty_leaves_what_a_dead_agent_in_dvr_mode_has(series, hosts):
    """It had the router while it was a legacy agent."""
    cloud = Cloud(rules(series), allow_automatic_l3agent_failover=True)
    cloud.l3("turned")
    cloud.router("r1", gateway="ext")
    cloud.server.schedule_router(cloud.now, "r1")
    cloud.l3("turned", agent_mode="dvr")
    cloud.l3("old")
    cloud.kill("l3-turned")
    cloud.failover.routers(cloud.now)
    assert cloud.hosts("r1") == [hosts]


# -- bindings by hand ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "error"),
    [("liberty", RouterL3AgentMismatch), ("mitaka", DVRL3CannotAssignToDvrAgent)],
)
def test_the_error_of_a_central_router_for_a_compute_host(series, error):
    cloud = cloud_of(series)
    cloud.router("r1")
    with pytest.raises(error) as refused:
        cloud.server.add_router_to_agent(cloud.now, "r1", "l3-compute")
    assert refused.value.status == 409


def test_the_type_is_checked_before_the_mode_and_the_mode_before_the_admin_state():
    cloud = cloud_of("2026.2")
    cloud.dhcp("compute")
    cloud.disable("l3-compute")
    cloud.disable("l3-old")
    cloud.distributed("r1")
    for name, error in (
        ("dhcp-compute", InvalidL3Agent),
        ("l3-compute", DVRL3CannotAssignToDvrAgent),
        ("l3-old", RouterL3AgentMismatch),
    ):
        with pytest.raises(error):
            cloud.server.add_router_to_agent(cloud.now, "r1", name)


def test_a_removal_from_a_compute_host_is_sent_until_liberty():
    cloud = cloud_of("liberty")
    cloud.distributed("r1")
    notices = cloud.server.remove_router_from_agent(cloud.now, "r1", "l3-compute")
    assert notices == [told("l3-compute", "router_removed_from_agent")]


@pytest.mark.parametrize(
    ("series", "by_hand", "moved"),
    [
        ("liberty", False, False),
        ("newton", True, False),
        ("queens", True, False),
        ("rocky", True, True),
    ],
)
def test_a_host_that_still_needs_the_router_keeps_it(series, by_hand, moved):
    cloud = cloud_of(series, snat=2)
    cloud.distributed("r1", "net", gateway="ext")
    (name,) = cloud.hosts("r1")
    cloud.vm("net", cloud.server.agents[name].host)
    cloud.kill(name)
    methods = ["router_removed_from_agent", "routers_updated"]
    assert cloud.failover.routers(cloud.now)[0] == told(name, methods[moved])
    (name,) = cloud.hosts("r1")
    cloud.vm("net", cloud.server.agents[name].host)
    notices = cloud.server.remove_router_from_agent(cloud.now, "r1", name)
    assert notices == [told(name, methods[by_hand])]


# -- compute hosts -------------------------------------------------------------------------


def test_a_compute_host_is_given_what_its_vms_need():
    cloud = cloud_of("2026.2")
    cloud.distributed("r1", "a", "b")
    cloud.distributed("r2", "b")
    cloud.distributed("other", "c")
    cloud.router("central")
    cloud.server.add_interface(cloud.now, "central", "a")
    for network in ("a", "b"):
        cloud.vm(network, "compute")
    cloud.vm("c", "elsewhere")
    assert cloud.sync("l3-compute") == ["r1", "r2"]
    assert cloud.server.given("l3-compute", ["r2", "other"]) == ["r2"]
    assert cloud.hosted("l3-compute") == []


def test_a_legacy_agent_is_not_given_what_its_vms_would_need():
    cloud = cloud_of("2026.2")
    cloud.distributed("r1", "net")
    assert cloud.vm("net", "old") == []
    assert cloud.sync("l3-old") == []


def test_a_router_that_is_down_is_not_given():
    cloud = cloud_of("2026.2")
    cloud.distributed("r1", "net")
    cloud.vm("net", "compute")
    cloud.server.update_router(cloud.now, "r1", {"admin_state_up": False})
    assert cloud.sync("l3-compute") == []


def test_an_update_is_told_to_the_live_hosts_that_need_the_router():
    cloud = cloud_of("2026.2", snat=1)
    cloud.l3("disabled", "dead", agent_mode="dvr")
    cloud.disable("l3-disabled")
    cloud.distributed("r1", "net", gateway="ext")
    for host in ("snat0", "compute", "old", "disabled", "dead"):
        cloud.vm("net", host)
    cloud.kill("l3-dead")
    assert cloud.server.update_router(cloud.now, "r1") == [
        told("l3-snat0", "routers_updated"),
        told("l3-compute", "routers_updated"),
    ]


def test_a_host_loses_the_router_with_its_last_port_on_any_of_its_networks():
    cloud = cloud_of("2026.2")
    cloud.distributed("r1", "a", "b")
    for network in ("a", "a", "b"):
        cloud.vm(network, "compute")
    assert cloud.vm("a", None, before="compute") == []
    assert cloud.vm("b", None, before="compute") == []
    assert cloud.vm("a", None, before="compute") == [
        told("l3-compute", "router_removed_from_agent")
    ]


def test_the_node_with_the_binding_keeps_the_router_without_ports():
    cloud = cloud_of("2026.2", snat=1)
    cloud.distributed("r1", "net", gateway="ext")
    cloud.vm("net", "snat0")
    assert cloud.vm("net", None, before="snat0") == []
    assert cloud.sync("l3-snat0") == ["r1"]


def test_what_is_deleted_is_needed_no_more():
    cloud = cloud_of("2026.2")
    cloud.distributed("r1", "a", "b")
    cloud.distributed("r2", "b")
    for network in ("a", "b"):
        cloud.vm(network, "compute")
    cloud.server.delete_router(cloud.now, "r2")
    assert cloud.sync("l3-compute") == ["r1"]
    cloud.server.delete_network(cloud.now, "b")
    assert list(cloud.server.routers["r1"].networks) == ["a"]
    cloud.server.delete_network(cloud.now, "a")
    assert cloud.sync("l3-compute") == []
    assert cloud.server.distributed.needed_on("compute") == []


# -- distributed and HA --------------------------------------------------------------------


@pytest.mark.parametrize("series", ["juno", "kilo", "liberty"])
def test_a_router_is_not_both_distributed_and_ha_before_mitaka(series):
    cloud = cloud_of(series)
    with pytest.raises(DistributedHARouterNotSupported) as refused:
        cloud.distributed("r1", ha=True)
    assert refused.value.status == 501
    assert cloud.server.routers == {}


def test_replicas_of_a_distributed_router_are_on_dvr_snat_agents():
    cloud = cloud_of("2026.2", snat=2, max_l3_agents_per_router=3)
    cloud.distributed("r1", ha=True)
    assert sorted(cloud.hosts("r1")) == ["l3-snat0", "l3-snat1"]
    cloud.l3("snat2", agent_mode="dvr_snat")
    assert cloud.sync("l3-snat2") == ["r1"]
    assert cloud.sync("l3-old") == cloud.sync("l3-compute") == []
