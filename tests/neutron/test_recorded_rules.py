"""Rules that recordings of Neutron 29.0.0 corrected: tests/conformance/README.md says which."""

from __future__ import annotations

import pytest
from upstream.upstream_cloud import Cloud

from simulator.neutron import errors
from simulator.neutron.rules import rules_of
from simulator.scenario.series import RELEASES


def told(notices):
    return [(notice.agent, notice.method, notice.failed) for notice in notices]


# -- scheduling ----------------------------------------------------------------------------


def test_no_request_schedules_with_auto_schedule_off():
    cloud = Cloud(network_auto_schedule=False)
    cloud.dhcp("1")
    net = cloud.network()
    assert cloud.server.schedule_network(cloud.now, net) == []
    assert cloud.decisions == []
    with pytest.raises(errors.NetworkNotFound):
        cloud.server.schedule_network(cloud.now, "nowhere")


def test_a_host_without_an_l2_agent_is_no_candidate_but_may_be_bound_by_hand():
    cloud = Cloud()
    (name,) = cloud.dhcp("1")
    cloud.server.agents[name].l2 = False
    net = cloud.network()
    assert cloud.server.networks[net].agents == {}
    cloud.server.add_network_to_agent(cloud.now, net, name)
    assert list(cloud.server.networks[net].agents) == [name]


@pytest.mark.parametrize("make", ["create_network", "create_router"])
def test_default_zones_are_checked_like_hints(make):
    cloud = Cloud(default_availability_zones=("a", "b"))
    cloud.dhcp("1", zone="a")
    cloud.l3("1", zone="a")
    with pytest.raises(errors.AvailabilityZoneNotFound):
        getattr(cloud.server, make)(cloud.now, "x")
    getattr(cloud.server, make)(cloud.now, "x", hints=["a"])


# -- who is told ---------------------------------------------------------------------------


@pytest.mark.parametrize("anyway", [False, True])
def test_disabled_agents_are_told_if_they_serve(anyway):
    cloud = Cloud(enable_services_on_agents_with_admin_state_down=anyway)
    cloud.l3("1")
    cloud.dhcp("1")
    net = cloud.network()
    cloud.server.create_router(cloud.now, "r", gateway=net)
    cloud.disable("l3-1")
    cloud.disable("dhcp-1")
    expected = [("l3-1", "routers_updated", False)] if anyway else []
    assert told(cloud.server.update_router(cloud.now, "r")) == expected
    expected = [("dhcp-1", "port_create_end", False)] if anyway else []
    assert told(cloud.server.create_port(cloud.now, net)) == expected


def test_an_ha_router_with_a_gateway_is_told_twice():
    cloud = Cloud()
    cloud.l3("1")
    net = cloud.network()
    notices = cloud.server.create_router(cloud.now, "r", ha=True, gateway=net)
    assert told(notices) == [("l3-1", "routers_updated", False)] * 2


def test_taking_away_a_network_that_nobody_has_asks_for_the_binding_only():
    cloud = Cloud()
    (name,) = cloud.dhcp("1")
    with pytest.raises(errors.NetworkNotHostedByDhcpAgent):
        cloud.server.remove_network_from_agent(cloud.now, "nowhere", name)
    with pytest.raises(errors.AgentNotFound):
        cloud.server.remove_network_from_agent(cloud.now, "nowhere", "nobody")


# -- failover of HA routers ----------------------------------------------------------------


def dead_pair(**options) -> Cloud:
    cloud = Cloud(allow_automatic_l3agent_failover=True, **options)
    cloud.l3("1", "2")
    cloud.server.create_router(cloud.now, "r", ha=True)
    cloud.kill("l3-1")
    cloud.kill("l3-2")
    return cloud


def test_without_candidates_all_bindings_go_and_the_dead_are_told_once_a_binding():
    cloud = dead_pair()
    notices = cloud.failover.routers(cloud.now)
    assert sorted(told(notices)) == [
        ("l3-1", "router_added_to_agent", False),
        ("l3-1", "router_added_to_agent", False),
        ("l3-2", "router_added_to_agent", False),
        ("l3-2", "router_added_to_agent", False),
    ]
    assert cloud.server.routers["r"].agents == {}
    assert sorted(cloud.server.routers["r"].ha_ports) == ["l3-1", "l3-2"]
    assert cloud.failover.routers(cloud.now) == []
    cloud.l3("3")
    assert cloud.sync("l3-3") == ["r"]


def test_the_first_that_does_not_answer_ends_a_turn_not_the_pass():
    cloud = dead_pair(answers=lambda name: False)
    notices = told(cloud.failover.routers(cloud.now))
    assert notices == [("l3-1", "router_added_to_agent", True)] * 4


def test_without_ports_the_bindings_stay():
    cloud = dead_pair()
    cloud.server.routers["r"].ha_ports.clear()
    assert cloud.failover.routers(cloud.now) == []
    assert sorted(cloud.server.routers["r"].agents) == ["l3-1", "l3-2"]


def test_with_a_candidate_the_pass_ends_and_nothing_has_changed():
    cloud = dead_pair()
    cloud.l3("3")
    assert cloud.failover.routers(cloud.now) == []
    assert sorted(cloud.server.routers["r"].agents) == ["l3-1", "l3-2"]
    assert sorted(cloud.server.routers["r"].ha_ports) == ["l3-1", "l3-2"]
    bindings = cloud.failover.lost(cloud.now, "l3")
    assert not cloud.failover.is_hopeless(cloud.now, bindings)


def test_a_port_goes_with_a_binding_by_hand_and_with_its_agent():
    cloud = Cloud()
    cloud.l3("1", "2", "3")
    cloud.server.create_router(cloud.now, "r", ha=True)
    cloud.server.remove_router_from_agent(cloud.now, "r", "l3-1")
    cloud.server.delete_agent(cloud.now, "l3-2")
    assert list(cloud.server.routers["r"].ha_ports) == ["l3-3"]


@pytest.mark.parametrize(("release", "refused"), [("grizzly", 0), ("juno", 0), ("kilo", 1)])
def test_what_an_unknown_agent_hosts(release, refused):
    cloud = Cloud(rules_of(RELEASES[release]))
    if refused:
        with pytest.raises(errors.AgentNotFound):
            cloud.server.hosted_by("nobody", "dhcp")
    else:
        assert cloud.server.hosted_by("nobody", "dhcp") == []


# -- what is asked of the server -----------------------------------------------------------


@pytest.mark.parametrize(
    ("release", "one_dead", "all_dead"),
    [
        ("liberty", "active", "active"),
        ("mitaka", "standby", "standby"),
        ("rocky", "standby", "unknown"),
        ("2026.2", "standby", "unknown"),
    ],
)
@pytest.mark.parametrize("end", ["kill", "disable"])
def test_what_is_told_of_a_master_whose_agent_is_dead(release, one_dead, all_dead, end):
    for victims, expected in ((["l3-1"], one_dead), (["l3-1", "l3-2"], all_dead)):
        cloud = Cloud(rules=rules_of(RELEASES[release]))
        cloud.l3("1", "2")
        cloud.server.create_router(cloud.now, "r", ha=True)
        cloud.server.tell_ha_states("l3-1", {"r": "active"})
        for name in victims:
            getattr(cloud, end)(name)
        assert cloud.server.hosting(cloud.now, "r") == {"l3-1": expected, "l3-2": "standby"}


def test_which_configurations_decide_what_an_l3_agent_takes():
    """router_id alone since Mitaka; the external network's id until Stein (9b2e472ae9)."""
    found = {}
    for release in ("grizzly", "mitaka", "stein", "2026.2"):
        cloud = Cloud(rules=rules_of(RELEASES[release]))
        cloud.l3("1", router_id="other")
        cloud.l3("2", gateway_external_network_id="elsewhere")
        cloud.network("ext")
        cloud.server.create_router(cloud.now, "r", gateway="ext")
        found[release] = [
            name
            for name, agent in cloud.server.agents.items()
            if cloud.server.scheduling.suits(agent, "r")
        ]
    assert found == {
        "grizzly": ["l3-1"],
        "mitaka": [],
        "stein": [],
        "2026.2": ["l3-2"],
    }
