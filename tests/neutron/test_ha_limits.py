"""When an HA router is refused: for want of agents, and of VRIDs."""

from __future__ import annotations

import pytest
from upstream.upstream_cloud import Cloud

from simulator.neutron.errors import HANotEnoughAvailableAgents, NoVRIDAvailable
from simulator.neutron.rules import OPTIONS, rules_of
from simulator.scenario.series import RELEASES


@pytest.mark.parametrize(
    ("series", "minimum"),
    [("grizzly", 0), ("icehouse", 0), ("juno", 2), ("newton", 2), ("ocata", 0), ("2026.2", 0)],
)
def test_the_minimum_of_each_release(series, minimum):
    assert rules_of(RELEASES[series]).min_l3_agents_per_router == minimum


def test_the_minimum_is_an_option():
    assert "min_l3_agents_per_router" in OPTIONS


def newton(**options) -> Cloud:
    return Cloud(rules_of(RELEASES["newton"]), **options)


def test_too_few_agents():
    cloud = newton()
    cloud.l3("1")
    with pytest.raises(HANotEnoughAvailableAgents) as refused:
        cloud.router(ha=True)
    assert refused.value.status == 500
    assert cloud.server.routers == {}
    cloud.l3("2")
    assert sorted(cloud.hosts(cloud.router(ha=True))) == ["l3-1", "l3-2"]


def test_agents_count_that_are_enabled_and_alive_and_no_compute_hosts():
    cloud = newton()
    cloud.l3("1")
    cloud.l3("dead", alive=False)
    cloud.l3("disabled", enabled=False)
    cloud.l3("compute", agent_mode="dvr")
    with pytest.raises(HANotEnoughAvailableAgents):
        cloud.router(ha=True)
    cloud.l3("snat", agent_mode="dvr_snat")
    cloud.router(ha=True)


def test_the_minimum_counts_agents_that_cannot_take_the_router():
    """Both modes, whatever the router."""
    cloud = newton()
    cloud.l3("legacy")
    cloud.l3("snat", agent_mode="dvr_snat")
    cloud.distributed("r1", ha=True)
    assert cloud.hosts("r1") == ["l3-snat"]


def test_the_limit_above_counts_against_the_minimum():
    cloud = newton(max_l3_agents_per_router=1)
    cloud.l3("1", "2")
    with pytest.raises(HANotEnoughAvailableAgents):
        cloud.router(ha=True)
    cloud = newton(max_l3_agents_per_router=0)
    cloud.l3("1", "2")
    cloud.router(ha=True)


def test_other_routers_need_no_agent():
    cloud = newton()
    cloud.router()
    assert cloud.hosts("r1") == []


def test_without_a_minimum_an_ha_router_may_have_no_agent():
    cloud = Cloud()
    assert cloud.hosts(cloud.router(ha=True)) == []


def test_the_255th_ha_router_of_a_project_is_refused():
    cloud = Cloud()
    for number in range(254):
        cloud.router(f"r{number}", ha=True, project="a")
    with pytest.raises(NoVRIDAvailable) as refused:
        cloud.router("one too many", ha=True, project="a")
    assert refused.value.status == 409
    assert "one too many" not in cloud.server.routers
    cloud.router("another project's", ha=True, project="b")
    cloud.router("not HA", project="a")
    cloud.server.delete_router(cloud.now, "not HA")
    with pytest.raises(NoVRIDAvailable):
        cloud.router("still too many", ha=True, project="a")
    cloud.server.delete_router(cloud.now, "r7")
    cloud.router("in its place", ha=True, project="a")
