"""Rules that no recording shows: what an undone attempt leaves, and who has a place by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.neutron.errors import RouterReschedulingFailed
from simulator.neutron.failover import Failover
from simulator.neutron.rules import NEUTRON_29
from simulator.neutron.server import Server

NOW = 10_000.0


class First:
    def index(self, size, /):
        return 0


def server_with(*hosts, told=None, zones=(), **options):
    told = [] if told is None else told
    server = Server(
        replace(NEUTRON_29, **options),
        draws=lambda _: First(),
        on_bind=lambda *change: told.append(change),
    )
    for number, host in enumerate(hosts):
        zone = zones[number] if zones else "nova"
        server.report_state(NOW, host, "l3", host, zone=zone)
    return server


def kill(server, *names):
    for name in names:
        server.agents[name].heartbeat_timestamp = NOW - 1000


def state(server):
    """All that the tables say, in their order."""
    tables = server.tables
    return (
        {name: list(agent.hosted) for name, agent in tables.agents.items()},
        {router: list(record.agents.items()) for router, record in tables.routers.items()},
        tables.open_for("l3"),
    )


def undone(server, router, agent):
    with server.tables.transaction(router):
        server.tables.unbind(router, server.agents[agent])
        raise RouterReschedulingFailed(router)


def test_an_attempt_that_nobody_can_take_is_told_to_nobody():
    told = []
    server = server_with("a", told=told)
    for router in ("r1", "r2", "r3"):
        server.create_router(NOW, router)
        server.bind(router, "a")
    kill(server, "a")
    before = state(server)
    told.clear()
    assert Failover(server).at_once(NOW, "l3") == []
    assert told == []
    assert state(server) == before


def test_an_attempt_that_ends_the_pass_is_told_to_nobody():
    """An HA router at 29.0.0: other agents were chosen and bound, and all that is undone."""
    told = []
    server = server_with("a", "b", told=told, max_l3_agents_per_router=2)
    server.create_router(NOW, "ha", ha=True)
    server.create_router(NOW, "plain")
    server.bind("plain", "a")
    server.report_state(NOW, "c", "l3", "c")
    kill(server, "a")
    before = state(server)
    told.clear()
    assert Failover(server).at_once(NOW, "l3") == []
    assert told == []
    assert state(server) == before


def test_a_move_is_told_in_order():
    told = []
    server = server_with("a", told=told)
    server.create_router(NOW, "r")
    server.bind("r", "a")
    server.report_state(NOW, "b", "l3", "b")
    kill(server, "a")
    told.clear()
    Failover(server).at_once(NOW, "l3")
    assert told == [("r", "a", False), ("r", "b", True)]
    assert state(server) == ({"a": [], "b": ["r"]}, {"r": [("b", 1)]}, [])


def test_what_is_done_after_an_undone_attempt_is_told():
    told = []
    server = server_with("a", told=told)
    server.create_router(NOW, "r")
    server.bind("r", "a")
    told.clear()
    with pytest.raises(RouterReschedulingFailed):
        undone(server, "r", "a")
    server.remove_router_from_agent(NOW, "r", "a")
    assert told == [("r", "a", False)]
    assert server.tables.open_for("l3") == ["r"]


def test_a_router_may_be_added_by_hand_outside_its_zones():
    """validate_agent_router_combination, neutron/db/l3_agentschedulers_db.py, asks for no zone."""
    driver = "AZLeastRoutersScheduler"
    server = server_with("a", "b", zones=("z1", "z2"), router_scheduler_driver=driver)
    server.create_router(NOW, "r", hints=["z1"])
    assert server.sync(NOW, "b") == []
    server.add_router_to_agent(NOW, "r", "b")
    assert list(server.routers["r"].agents) == ["b"]


def test_an_ha_router_has_no_more_places_than_agents_are_active():
    """get_number_of_agents_for_scheduling, neutron/db/l3_hamode_db.py."""
    server = server_with("a", "b", max_l3_agents_per_router=3)
    server.create_router(NOW, "r", ha=True)
    server.report_state(NOW, "c", "l3", "c")
    kill(server, "a")
    server.update_router(NOW, "r")
    assert sorted(server.routers["r"].agents) == ["a", "b"]
    server.report_state(NOW, "a", "l3", "a")
    server.update_router(NOW, "r")
    assert sorted(server.routers["r"].agents) == ["a", "b", "c"]
