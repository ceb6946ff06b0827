"""Automatic failover in the simulated world: when passes run, and what becomes of objects."""

from __future__ import annotations

import pytest
from lab import FREE, events, network_nodes, outage, run_one

from simulator.trace import Kind

ON = {"allow_automatic_l3agent_failover": True}
PERIOD = 37.0


def moves(measured, sort="router", begin=0.0):
    """(time, BOUND or UNBOUND, agent, object) after *begin*."""
    found = events(measured.trace, Kind.BOUND, Kind.UNBOUND)
    return [event for event in found if event[0] > begin and sort in event[3]]


def last_heard(measured, agent, limit=75.0):
    """When the last heartbeat before the agent's first `agent_down` was processed."""
    tick = 2.0**-20
    return next(t for t, _, s, _ in events(measured.trace, Kind.AGENT_DOWN) if s == agent) - (
        limit + tick
    )


def failed(release, neutron=ON, **keys):
    """Two nodes, ten tenants; network-1 loses power from 1000 s on, for ever if nothing else."""
    given = {
        "release": release,
        "horizon": "4000s",
        "hosts": network_nodes(2),
        "neutron": neutron,
        "workload": {"tenants": 10},
        "failures": {"network-1": outage(1000, 9000)},
        **keys,
    }
    return run_one(**given)


@pytest.mark.parametrize("release", ["juno", "kilo", "mitaka", "2026.2"])
def test_all_routers_of_a_dead_node_move_at_the_first_pass_past_twice_the_limit(release):
    measured = failed(release)
    found = moves(measured, begin=1000)
    (when,) = {time for time, *_ in found}
    heard = last_heard(measured, "network-1/l3")
    assert heard + 150 < when <= heard + 150 + PERIOD
    assert all(agent == "network-2/l3" for _, kind, agent, _ in found if kind == "BOUND")
    assert len(found) % 2 == 0


def test_without_the_option_nothing_moves():
    assert moves(failed("juno", {}), begin=1000) == []


def test_the_server_moves_one_router_after_the_other():
    """5 s each: the k-th is moved 5 k s after the pass began."""
    measured = failed("juno", costs={**FREE, "reschedule": "5s"})
    times = [time for time, kind, *_ in moves(measured, begin=1000) if kind == "BOUND"]
    assert len(times) > 2
    assert times == [times[0] + 5 * k for k in range(len(times))]


@pytest.mark.parametrize(("release", "workers"), [("havana", None), ("juno", 8), ("2026.2", 32)])
def test_the_new_agent_sets_up_as_many_at_a_time_as_its_release(release, workers):
    """Forty routers of 10 s each come back to one node: side by side, or in rounds of 8 or 32."""
    measured = run_one(
        release=release,
        horizon="3000s",
        workload={"tenants": 40},
        costs={**FREE, "rebuild_per_router": "10s"},
        failures={"network-1": outage(1000, 100)},
    )
    ends = sorted(measured.history.router_outages.end.tolist())
    begin = ends[0] - 10
    workers = workers or 40
    assert ends == [begin + 10 * (1 + k // workers) for k in range(40)]


def test_a_pass_that_takes_too_long_makes_the_next_one_wait():
    """30 s a router: a pass of n routers takes 30 n s, over 75; the guard then sleeps 150 s.

    network-2 dies while its routers are being moved to network-3. The pass that sees it begins
    when the first is over, and goes on 150 s later.
    """
    measured = failed(
        "kilo",
        hosts=network_nodes(3),
        costs={**FREE, "reschedule": "30s"},
        workload={"tenants": 24},
        failures={"network-1": outage(1000, 9000), "network-2": outage(1160, 9000)},
    )
    unbound = [(t, agent) for t, kind, agent, _ in moves(measured, begin=1000) if kind == "UNBOUND"]
    first = [t for t, agent in unbound if agent == "network-1/l3"]
    second = [t for t, agent in unbound if agent == "network-2/l3"]
    assert len(first) > 3
    assert first == [first[0] + 30 * k for k in range(len(first))]
    over = first[-1] + 30
    assert second[0] == over + 150
    assert last_heard(measured, "network-2/l3") + 150 < second[0]


def test_with_every_agent_dead_routers_keep_their_bindings():
    measured = failed("kilo", hosts=network_nodes(1))
    assert moves(measured, begin=1000) == []


def test_junos_loop_does_not_outlive_an_exception():
    """All dead at 1000 s, both back at 1600 s; then network-1 dies again, for good, at 2500 s."""
    failures = {
        "network-1": {"outages": [{"at": "1000s", "for": "600s"}, {"at": "2500s", "for": "9000s"}]},
        "network-2": outage(1000, 600),
    }
    juno, kilo = (failed(name, failures=failures) for name in ("juno", "kilo"))
    assert moves(juno, begin=2500) == []
    moved = moves(kilo, begin=2500)
    assert {agent for _, kind, agent, _ in moved if kind == "BOUND"} == {"network-2/l3"}


def test_junos_loop_dies_with_the_database_and_lives_again_with_the_server():
    """The database is away for 100 s, over two periods; later the server is restarted."""
    away = {"controller-1/database": outage(500, 100)}
    dead = failed("juno", failures={**away, "network-1": outage(1000, 9000)})
    assert moves(dead, begin=900) == []
    again = {**away, "controller-1/server": outage(1500, 10), "network-1": outage(1000, 9000)}
    found = moves(failed("juno", failures=again), begin=900)
    (when,) = {time for time, *_ in found}
    assert when - 1510 in range(37, 75)


def test_kilo_takes_every_network_off_its_agents_and_liberty_none():
    """The broker is away from 1000 to 1400 s: every agent looks dead from 1075 s on."""
    keys = {
        "neutron": {},
        "failures": {"controller-1/broker": outage(1000, 400)},
        "workload": {"tenants": 5},
    }
    kilo, liberty = (failed(name, **keys) for name in ("kilo", "liberty"))
    gone = [event for event in moves(kilo, "network", 1000) if event[1] == "UNBOUND"]
    assert len(gone) == 5
    assert all(1150 < time < 1400 for time, *_ in gone)
    assert moves(liberty, "network", 1000) == []
    assert not events(kilo.trace, Kind.UNCONFIGURED)  # nobody told them


def test_networks_of_a_dead_node_move_too_but_not_before_kilo():
    assert moves(failed("juno", {}), "network", 1000) == []
    found = moves(failed("kilo", {}), "network", 1000)
    assert {agent for _, kind, agent, _ in found if kind == "BOUND"} == {"network-2/dhcp"}
    (when,) = {time for time, *_ in found}
    heard = last_heard(failed("kilo", {}), "network-1/dhcp")
    assert heard + 150 < when <= heard + 150 + PERIOD


@pytest.mark.parametrize("release", ["juno", "liberty"])
def test_an_agent_cut_from_the_broker_forwards_on_and_its_routers_are_conflicted(release):
    """network-1's management NIC is cut from 1000 to 2000 s; nobody else notices a thing.

    Its routers are set up at network-2 some 150 s later and still at network-1: two hosts answer,
    until network-1 hears, at 2000 s, that they were taken away.
    """
    measured = failed(release, failures={"network-1/management": outage(1000, 1000)})
    found = moves(measured, begin=1000)
    (when,) = {time for time, *_ in found}
    count = len(found) // 2
    assert count
    conflicts = measured.history.conflicted
    assert conflicts.start.tolist() == [when] * count
    assert conflicts.end.tolist() == [2000.0] * count
    # In that time they count as down, and reported apart.
    outages = measured.history.router_outages
    assert sorted(outages.start.tolist()) == [when] * count
    assert sorted(outages.end.tolist()) == [2000.0] * count
    assert measured.router_causes["conflicted"].sum() == pytest.approx(count * (2000 - when))


def test_a_dead_process_on_a_living_host_leaves_its_routers_in_conflict_until_it_starts():
    """The L3 agent's process is away from 1000 to 2000 s; its namespaces are not (Juno)."""
    measured = failed("juno", failures={"network-1/l3": outage(1000, 1000)})
    found = moves(measured, begin=1000)
    (when,) = {time for time, *_ in found}
    conflicts = measured.history.conflicted
    assert conflicts.start.tolist() == [when] * (len(found) // 2)
    assert set(conflicts.end.tolist()) == {2000.0}


def test_an_agent_that_is_chosen_and_does_not_answer_loses_the_router_again():
    """Two nodes die 100 s apart (Liberty, 60 s for each of two calls, no pause with no back-off).

    network-1 dies at 1000 s and network-2 at 1100 s. When the first pass finds network-1 dead,
    some 150 s later, network-2 may still look alive. A router given to it is told about twice and
    then left without an agent, unseen by any later pass: `unhosted`.
    """
    for seed in range(1, 60):
        measured = failed(
            "liberty",
            hosts=network_nodes(3),
            seed=seed,
            neutron={**ON, "router_scheduler_driver": "ChanceScheduler"},
            failures={
                "network-1": outage(1000, 9000),
                "network-2": outage(1130, 9000),
            },
            workload={"tenants": 20},
        )
        found = moves(measured, begin=1000)
        given = [(t, router) for t, kind, agent, router in found
                 if kind == "BOUND" and agent == "network-2/l3"]  # fmt: skip
        if given:
            break
    (when, router) = given[0]
    lost = next(t for t, kind, agent, name in found
                if kind == "UNBOUND" and agent == "network-2/l3" and name == router)  # fmt: skip
    # The first call waits 60 s and up to 60 s more; the second, backed off, 120 s and up to 60 s.
    assert when + 180 <= lost <= when + 300
    later = [event for event in found if event[3] == router and event[0] > lost]
    assert later == []
    assert measured.history.router_outages.end.max() == 4000


def test_an_agent_that_is_back_is_spared_since_mitaka():
    """A node is dark for 200 s: the server moves its routers one by one, 30 s each.

    Liberty moves those whose turn comes after the node is heard of again, Mitaka does not.
    """
    counts = {}
    for release in ("liberty", "mitaka"):
        measured = failed(
            release,
            neutron={**ON, "router_scheduler_driver": "ChanceScheduler"},
            failures={"network-1/management": outage(1000, 220)},
            costs={**FREE, "reschedule": "30s"},
            workload={"tenants": 30},
        )
        found = [t for t, kind, *_ in moves(measured, begin=1000) if kind == "UNBOUND"]
        counts[release] = len(found)
        assert found[0] < 1220
    assert counts["mitaka"] < counts["liberty"]


@pytest.mark.parametrize(("release", "resyncs"), [("kilo", False), ("liberty", True)])
def test_a_revived_agent_asks_for_what_it_missed(release, resyncs):
    """The broker is away from 1000 to 1160 s, and a router is taken from its agent at 1100 s.

    The server publishes that at 1100 + 8^2 = 1164 s; the agent has its queue again only at
    1000 + 13^2 = 1169 s, so the message is lost. Told that it was down, Liberty's agent asks at the
    next tick of its periodic task, within 40 s, and takes the router down; Kilo's keeps it.
    """
    measured = failed(
        release,
        {"router_auto_schedule": False},
        hosts=network_nodes(1),
        failures={"controller-1/broker": outage(1000, 160)},
        actions=[{"at": "1100s", "op": "remove_router_from_agent", "router": "tenant-1/*",
                  "agent": "network-1/l3"}],
    )  # fmt: skip
    (alive,) = [t for t, _, s, _ in events(measured.trace, Kind.AGENT_ALIVE) if s == "network-1/l3"]
    assert alive > 1169
    gone = [t for t, _, _, thing in events(measured.trace, Kind.UNCONFIGURED)
            if thing == "tenant-1/router-1"]  # fmt: skip
    assert bool(gone) == resyncs
    assert all(alive < time <= alive + 40 for time in gone)
