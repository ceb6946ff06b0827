"""The tests of neutron/tests/unit/scheduler/test_dhcp_agent_scheduler.py, master, by name."""

from __future__ import annotations

import random

import pytest
from upstream_cloud import Cloud

from simulator.neutron.records import Notice
from simulator.neutron.schedulers import SCHEDULERS, Choice

ZONED = {"network_scheduler_driver": "AZAwareWeightScheduler"}


def schedule(cloud: Cloud, network: str = "net") -> list[str]:
    """Schedule a network; whom it is bound to."""
    cloud.server.schedule_network(cloud.now, network)
    return cloud.hosts(network)


def bound(cloud: Cloud, network: str, *names: str) -> list[bool]:
    """Bind a network as a scheduler does; which bindings were made."""
    tables = cloud.server.tables
    return [tables.bind(network, tables.agents[name]) for name in names]


# -- bindings ------------------------------------------------------------------------------


def test_schedule_bind_network_single_agent():
    cloud = Cloud()
    cloud.network()
    assert bound(cloud, "net", *cloud.dhcp("a")) == [True]
    assert cloud.hosts("net") == ["dhcp-a"]


def test_schedule_bind_network_multi_agents():
    cloud = Cloud(dhcp_agents_per_network=2)
    cloud.network()
    assert bound(cloud, "net", *cloud.dhcp("a", "b")) == [True, True]
    assert cloud.hosts("net") == ["dhcp-a", "dhcp-b"]


def test_schedule_bind_network_multi_agent_fail_one():
    cloud = Cloud()
    cloud.network()
    assert bound(cloud, "net", *cloud.dhcp("a"), "dhcp-a") == [True, False]
    assert cloud.hosts("net") == ["dhcp-a"]


# -- a network on a dead agent -------------------------------------------------------------


def on_dead_agent(**options) -> Cloud:
    cloud = Cloud(**options)
    cloud.network()
    cloud.dhcp("dead", alive=False)
    cloud.dhcp("alive")
    cloud.bind("net", "dhcp-dead")
    return cloud


def test_network_rescheduled_when_db_returns_active_hosts():
    cloud = on_dead_agent(dhcp_hosting="alive", one_binding=False)
    assert schedule(cloud) == ["dhcp-dead", "dhcp-alive"]


def test_network_not_rescheduled_when_db_returns_all_hosts():
    assert schedule(on_dead_agent(dhcp_hosting="bound")) == ["dhcp-dead"]


def test_auto_reschedule_vs_network_on_dead_agent():
    cloud = on_dead_agent()
    assert cloud.sync("dhcp-alive") == []
    assert cloud.hosts("net") == ["dhcp-dead"]


# -- agents that ask -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, 1, id="Network present"),
        pytest.param({"present": False}, 0, id="No network"),
        pytest.param({"already": True}, 1, id="Network already scheduled"),
        pytest.param({}, 1, id="Agent down"),  # sic: upstream's scenario leaves it alive
        pytest.param({"enable_dhcp": False}, 0, id="dhcp disabled"),
        pytest.param({"asker": "dhcp-host-b"}, 0, id="Invalid host"),
        pytest.param({"hints": ("nova",)}, 1, id="Match AZ"),
        pytest.param({"hints": ("not-match",)}, 0, id="Not match AZ"),
    ],
)
def test_auto_schedule_network(given, expected):
    cloud = Cloud()
    if given.get("present", True):
        cloud.network("net", enable_dhcp=given.get("enable_dhcp", True))
        cloud.server.networks["net"].hints = given.get("hints", ())
    (agent,) = cloud.dhcp("host-a")
    if given.get("already"):
        cloud.bind("net", agent)
    cloud.sync(given.get("asker", agent))
    assert len(cloud.hosted(agent)) == expected
    assert sum(hosted for _, _, hosted in cloud.told) == expected


def test_auto_schedule_network_excess_agents():
    """The second agent is offered the network as if nobody had it."""
    cloud = Cloud()
    cloud.network()
    first, second = cloud.dhcp("a", "b")
    cloud.sync(first)
    assert bound(cloud, "net", second) == [False]
    assert cloud.hosts("net") == [first]


# -- the pass ------------------------------------------------------------------------------


def test_reschedule_network_from_down_agent():
    cloud = on_dead_agent()
    cloud.server.create_network(cloud.now, "other")
    cloud.bind("other", "dhcp-alive")
    told = cloud.failover.networks(cloud.now)
    assert told == [Notice("dhcp", "dhcp-alive", "network_create_end", "net")]
    assert cloud.hosts("net") == cloud.hosts("other") == ["dhcp-alive"]


def test_reschedule_network_from_down_agent_failed():
    """Nobody is chosen: the one agent alive is in another zone."""
    cloud = on_dead_agent()
    cloud.server.networks["net"].hints = ("elsewhere",)
    assert cloud.failover.networks(cloud.now) == []
    assert cloud.hosts("net") == []


def test_filter_bindings():
    """An agent that is starting up has 150 s, and 2 s for each network."""
    cloud = Cloud()
    cloud.dhcp("starting", "dead", "alive")
    for number, name in enumerate(["dhcp-starting", "dhcp-dead"] * 2):
        cloud.server.create_network(cloud.now, number)
        cloud.bind(number, name)
    cloud.kill("dhcp-starting")
    cloud.kill("dhcp-dead")
    cloud.server.agents["dhcp-starting"].started_at = cloud.now - 153
    cloud.failover.networks(cloud.now)
    hosts = [cloud.hosts(number) for number in range(4)]
    assert hosts == [["dhcp-starting"], ["dhcp-alive"]] * 2


def test_reschedule_doesnt_occur_if_no_agents():
    cloud = on_dead_agent()
    cloud.kill("dhcp-alive")
    assert cloud.failover.networks(cloud.now) == []
    assert cloud.hosts("net") == ["dhcp-dead"]


# -- WeightScheduler -----------------------------------------------------------------------


def test_scheduler_one_agents_per_network():
    cloud = Cloud()
    cloud.network()
    cloud.dhcp("c")
    assert schedule(cloud) == ["dhcp-c"]


def test_scheduler_two_agents_per_network():
    cloud = Cloud(dhcp_agents_per_network=2)
    cloud.network()
    cloud.dhcp("c", "d")
    assert sorted(schedule(cloud)) == ["dhcp-c", "dhcp-d"]


def test_scheduler_no_active_agents():
    cloud = Cloud()
    cloud.network()
    assert schedule(cloud) == []


def test_scheduler_equal_distribution():
    cloud = Cloud()
    for network in ("net1", "net2", "net3"):
        cloud.network(network)
    cloud.dhcp("c", networks=0)
    cloud.dhcp("d", networks=1)
    assert schedule(cloud, "net1") == ["dhcp-c"]
    cloud.dhcp("d", networks=2)
    assert schedule(cloud, "net2") == ["dhcp-c"]
    cloud.dhcp("c", networks=4)
    assert schedule(cloud, "net3") == ["dhcp-d"]


# -- who hosts -----------------------------------------------------------------------------


def hosting(*networks: str, **filters) -> set[str]:
    """Hosts of four bound agents: a is dead, b alive, c dead and disabled, d disabled."""
    cloud = Cloud(dhcp_agents_per_network=4)
    names = cloud.dhcp("a", alive=False) + cloud.dhcp("b")
    names += cloud.dhcp("c", alive=False, enabled=False) + cloud.dhcp("d", enabled=False)
    bindings: list[str] = []
    for network in networks or ("net",):
        cloud.server.create_network(cloud.now, network)
        cloud.bind(network, *names)
        bindings += cloud.hosts(network)
    if filters.pop("active", False):
        filters["active_at"] = cloud.now
    filters.setdefault("enabled", None)
    return {agent.host for agent in cloud.server.tables.hosting(bindings, **filters)}


def test_get_dhcp_agents_hosting_networks_default():
    assert hosting() == {"a", "b", "c", "d"}


def test_get_dhcp_agents_hosting_networks_active():
    assert hosting(active=True) == {"b", "d"}


def test_get_dhcp_agents_hosting_networks_admin_up():
    assert hosting(enabled=True) == {"a", "b"}


def test_get_dhcp_agents_hosting_networks_active_admin_up():
    assert hosting(active=True, enabled=True) == {"b"}


def test_get_dhcp_agents_hosting_networks_admin_down():
    assert hosting(enabled=False) == {"c", "d"}


def test_get_dhcp_agents_hosting_networks_active_admin_down():
    assert hosting(active=True, enabled=False) == {"d"}


def test_get_dhcp_agents_hosting_many_networks():
    assert hosting("net1", "net2") == {"a", "b", "c", "d"}


def test_get_dhcp_agents_host_network_filter_by_hosts():
    assert hosting(hosts=["a"]) == {"a"}


# -- AZAwareWeightScheduler ----------------------------------------------------------------


def zones(*loads: int, **options) -> Cloud:
    """Two agents a zone, called az1-1, az1-2, az2-1 …, with these loads."""
    cloud = Cloud(**ZONED, **options)
    for number, load in enumerate(loads):
        zone = f"az{number // 2 + 1}"
        cloud.dhcp(f"{zone}-{number % 2 + 1}", zone=zone, networks=load)
    return cloud


def zoned(cloud: Cloud, *hints: str) -> list[str]:
    """Whom a network with these hints is given."""
    cloud.server.create_network(cloud.now, "net", hints=hints)
    return schedule(cloud)


def test_az_scheduler_one_az_hints():
    assert zoned(zones(1, 2, 3, 4), "az2") == ["dhcp-az2-1"]


def test_az_scheduler_default_az_hints():
    cloud = zones(3, 4, 1, 2, default_availability_zones=("az1",))
    assert zoned(cloud) == ["dhcp-az1-1"]


def test_az_scheduler_two_az_hints():
    cloud = zones(1, 2, 3, 4, 5, 6, dhcp_agents_per_network=2)
    assert sorted(zoned(cloud, "az1", "az3")) == ["dhcp-az1-1", "dhcp-az3-1"]


def test_az_scheduler_two_az_hints_one_available_az():
    cloud = zones(1, 2, 3, 4, dhcp_agents_per_network=2)
    cloud.kill("dhcp-az2-1")
    cloud.disable("dhcp-az2-2")
    assert sorted(zoned(cloud, "az1", "az2")) == ["dhcp-az1-1", "dhcp-az1-2"]


def test_az_scheduler_no_az_hints_one_agent():
    assert zoned(zones(2, 3, 2, 1)) == ["dhcp-az2-2"]


def test_az_scheduler_no_az_hints_multiple_agent():
    cloud = zones(2, 3, 2, 1, dhcp_agents_per_network=2)
    assert sorted(zoned(cloud)) == ["dhcp-az1-1", "dhcp-az2-2"]


@pytest.mark.parametrize("seed", range(3))
def test_az_scheduler_select_az_with_least_weight(seed):
    cloud = zones(6, 5, 4, 3, 2, 1)
    agents = cloud.server.agents
    names = random.Random(seed).sample(list(agents), 6)
    load = {name: agents[name].load for name in names}
    zone = {name: agents[name].zone for name in names}
    chosen = SCHEDULERS["AZAwareWeightScheduler"](Choice(names, 2, load, zone), cloud)
    assert chosen == ["dhcp-az3-2", "dhcp-az2-2"]
