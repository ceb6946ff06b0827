"""Routers that an agent does not know of, for the broker lost what told it: no node's fault."""

from __future__ import annotations

import pytest
from lab import FREE, columns, events, network_nodes, outage, run_one

from simulator.trace import Kind

AGENT, ROUTER = "network-1/l3", "tenant-1/router-1"
TOLD = {"router": ROUTER, "agent": AGENT}
BROKER = "controller-1/broker"
SERIES = ["grizzly", "kilo", "2026.2"]


def act(at, op, **arguments):
    return {"at": f"{at}s", "op": op, **arguments}


REMOVED = act(1000, "remove_router_from_agent", **TOLD)
ADDED = act(2000, "add_router_to_agent", **TOLD)
UPDATED = act(3000, "update_router", router=ROUTER)


def one(release, *actions, failures=None, **keys):
    """One router on one node, messages take 5 s; the broker is lost at 2001 s for 30 s.

    No agent looks dead for that, so none is told that it had been.
    """
    return run_one(**{
        "release": release,
        "horizon": "20000s",
        "workload": {"tenants": 1},
        "broker": {"delay": "5s"},
        "actions": list(actions),
        "failures": {BROKER: outage(2001, 30), **(failures or {})},
        "neutron": {"periodic_fuzzy_delay": "0s", "agent_down_time": "300s"},
        **keys,
    })  # fmt: skip


def untold(measured):
    """When the agent's not knowing began or ended."""
    found = events(measured.trace, Kind.UNTOLD, Kind.TOLD)
    assert all((agent, router) == (AGENT, ROUTER) for _, _, agent, router in found)
    return [(time, kind) for time, kind, _, _ in found]


def down(measured):
    """Seconds all down, and of these by nodes."""
    return measured.all_down.length, measured.all_down_by_nodes.length


@pytest.mark.parametrize("release", SERIES)
def test_a_notice_that_was_on_its_way_to_a_lost_queue_is_never_made_up_for(release):
    """Taken down at 1005 s, added at 2000 s: the notice is on its way for 1 s, and is gone."""
    measured = one(release, REMOVED, ADDED)
    assert untold(measured) == [(2001, "UNTOLD")]
    assert down(measured) == (20_000 - 1005, 1.0)


def test_an_agent_that_is_told_that_it_was_down_asks_for_what_it_missed():
    """It looks dead after 75 s, and is heard of after that: it syncs at its next tick of 40 s."""
    measured = one("2026.2", REMOVED, ADDED, neutron={})
    ((lost, _), (told, _)) = untold(measured)
    revived = [t for t, _, agent, _ in events(measured.trace, Kind.REVIVED) if agent == AGENT]
    assert lost == 2001
    assert revived[0] < told <= revived[0] + 40
    assert down(measured) == (told - 1005, 1.0)


@pytest.mark.parametrize("release", SERIES)
def test_a_notice_to_an_agent_without_a_queue_is_lost_at_once(release):
    """The broker is back at 2001 s; the agent, in its fourth attempt, at 1990 + 16 s."""
    failures = {BROKER: outage(1990, 11)}
    lost = one(release, REMOVED, act(2003, "add_router_to_agent", **TOLD), failures=failures)
    assert untold(lost) == [(2003, "UNTOLD")]
    assert down(lost) == (20_000 - 1005, 0.0)
    heard = one(release, REMOVED, act(2007, "add_router_to_agent", **TOLD), failures=failures)
    assert untold(heard) == []
    assert down(heard) == (2012 - 1005, 5.0)


@pytest.mark.parametrize("release", SERIES)
def test_a_node_whose_management_nic_is_down_is_to_blame_until_it_is_back(release):
    """The notice of 2000 s lies in the queue of an agent cut off from 1990 to 2100 s."""
    measured = one(release, REMOVED, ADDED, broker={},
                   failures={"network-1/management": outage(1990, 110)})  # fmt: skip
    assert untold(measured) == [(2001, "UNTOLD")]
    assert down(measured) == (19_000, 100.0)


@pytest.mark.parametrize("release", SERIES)
def test_an_agent_that_hears_of_it_after_all_sets_it_up_in_its_own_time(release):
    """An update of 3000 s is there at 3005 s; setting up takes 10 s."""
    measured = one(release, REMOVED, ADDED, UPDATED, costs={**FREE, "rebuild_per_router": "10s"})
    assert untold(measured) == [(2001, "UNTOLD"), (3005, "TOLD")]
    assert down(measured) == (3015 - 1005, 1.0 + 10.0)


@pytest.mark.parametrize("release", SERIES)
@pytest.mark.parametrize("part", [AGENT, "network-1"])
def test_what_fails_afterwards_is_the_nodes_fault(release, part):
    """Down from 3000 to 3100 s, whereupon the agent asks for all."""
    measured = one(release, REMOVED, ADDED, failures={part: outage(3000, 100)})
    assert untold(measured) == [(2001, "UNTOLD"), (3000, "TOLD")]
    assert down(measured) == (3100 - 1005, 1.0 + 100.0)


@pytest.mark.parametrize("release", SERIES)
def test_a_node_that_would_pass_nothing_is_not_excused(release):
    measured = one(release, REMOVED, ADDED, failures={"network-1/data": outage(3000, 100)})
    assert down(measured) == (20_000 - 1005, 1.0 + 100.0)


@pytest.mark.parametrize("release", SERIES)
def test_a_router_taken_from_it_and_given_again_is_told_anew(release):
    """Unbound from 2500 to 2600 s, told at 2605 s: 5 s on the way count as ever."""
    again = [
        act(2500, "remove_router_from_agent", **TOLD), act(2600, "add_router_to_agent", **TOLD)
    ]  # fmt: skip
    measured = one(release, REMOVED, ADDED, *again)
    assert untold(measured) == [(2001, "UNTOLD"), (2500, "TOLD")]
    assert down(measured) == (2605 - 1005, 1.0 + 5.0)


@pytest.mark.parametrize("release", SERIES)
@pytest.mark.parametrize("op", ["update_router", "remove_router_from_agent", "delete_router"])
def test_nothing_is_recorded_of_what_the_agent_has_or_has_no_longer(release, op):
    """The notice is lost; the router goes on serving, or would not have been set up."""
    told = TOLD if op.endswith("agent") else {"router": ROUTER}
    measured = one(release, act(2000, op, **told))
    assert untold(measured) == []
    assert measured.all_down_by_nodes.length == 0.0


@pytest.mark.parametrize("release", SERIES)
def test_nothing_is_recorded_of_an_agent_that_does_not_run(release):
    """It is down from 1990 to 2500 s, and asks for all then: 500 s are its own."""
    measured = one(release, REMOVED, ADDED, failures={AGENT: outage(1990, 510)})
    assert untold(measured) == []
    assert down(measured) == (2500 - 1005, 500.0)


def test_nothing_is_recorded_of_a_router_that_the_agent_is_asking_for():
    """Told at 2005 s, it asks for 10 s; the broker is lost at 2007 s with an update on its way."""
    measured = one(
        "kilo", REMOVED, ADDED, act(2004, "update_router", router=ROUTER),
        costs={**FREE, "rpc_call": "10s"}, failures={BROKER: outage(2007, 30)},
    )  # fmt: skip
    assert untold(measured) == []
    assert [t for t, _, agent, _ in events(measured.trace, Kind.WAITING) if agent == AGENT]


def test_a_lost_notice_that_the_agent_is_enabled_again_is_one_about_all_it_has():
    """Disabled at 1000 s: told at 1005 s, it takes its router down at the next tick of 40 s."""
    disabled = act(1000, "update_agent", agent=AGENT, admin_state_up=False)
    measured = one("grizzly", disabled, act(2000, "update_agent", agent=AGENT, admin_state_up=True))
    assert untold(measured) == [(2001, "UNTOLD")]
    (since,) = measured.history.router_outages.start
    assert 1005 < since <= 1045
    assert down(measured) == (20_000 - since, 2001 - since)


@pytest.mark.parametrize("release", ["kilo", "2026.2"])
def test_a_replica_that_is_not_told_is_no_fault_of_the_other_ones_node(release):
    """The router is given to the second node, too; the first, its only master, loses its data NIC
    from 2100 to 2200 s. The second would have stood in, had it been told."""
    second = {"router": ROUTER, "agent": "network-2/l3"}
    measured = one(
        release,
        act(1000, "remove_router_from_agent", **second),
        act(2000, "add_router_to_agent", **second),
        hosts=network_nodes(2),
        neutron={"l3_ha": True},
        failures={"network-1/data": outage(2100, 100)},
    )
    found = [(t, kind, agent) for t, kind, agent, _ in events(measured.trace, Kind.UNTOLD)]
    assert found == [(2001, "UNTOLD", "network-2/l3")]
    all_down, by_nodes = measured.all_down, measured.all_down_by_nodes
    assert (all_down.starts[-1], all_down.ends[-1]) == (2100, 2200)
    assert by_nodes.ends.max(initial=0.0) < 2000


@pytest.mark.parametrize("release", SERIES)
def test_heartbeats_one_by_one_leave_the_same_trace(release):
    given = {"failures": {"network-1/management": outage(1990, 20)}}
    skipped = one(release, REMOVED, ADDED, UPDATED, **given)
    assert [kind for _, kind in untold(skipped)] == ["UNTOLD", "TOLD"]
    explicit = one(release, REMOVED, ADDED, UPDATED, **given, heartbeats="explicit")
    assert columns(skipped.trace) == columns(explicit.trace)


@pytest.mark.parametrize("release", ["rocky", "stein", "2026.2"])
def test_an_agent_that_gives_up_a_router_it_never_had_waits_until_it_is_answered(release):
    """Added at 2000 s; the server is away from 2005 to 6000 s, and the agent gives up after six
    calls. It asks for 10 s, waits, and is answered; the call for the router itself takes 10 s."""
    measured = run_one(
        release=release, horizon="8000s", workload={"tenants": 1},
        costs={**FREE, "rpc_call": "10s"}, actions=[REMOVED, ADDED],
        failures={"server": outage(2005, 3995)},
    )  # fmt: skip
    found = events(measured.trace, Kind.WAITING, Kind.RESUMED)
    waits = [(time, kind) for time, kind, agent, _ in found if agent == AGENT]
    assert waits[0] == (2010, "WAITING")
    assert (len(waits), waits[1][0] > 6000) == (2, True)
    (end,) = measured.history.router_outages.end
    assert end == waits[1][0] + 10
    assert down(measured) == (end - 1000, 10.0 + 10.0)


@pytest.mark.parametrize("release", SERIES)
def test_a_notice_that_waits_for_the_broker_is_not_the_nodes_affair(release):
    """Added at 2005 s, and tried again at 2041 s.

    The broker is back at 2031 s; the agent has its queue again at 2037 s.
    """
    measured = one(release, REMOVED, act(2005, "add_router_to_agent", **TOLD), broker={})
    assert untold(measured) == [(2005, "UNTOLD"), (2041, "TOLD")]
    assert down(measured) == (2041 - 1000, 0.0)


@pytest.mark.parametrize("release", SERIES)
def test_one_that_is_sent_before_the_agent_has_its_queue_again_is_lost(release):
    """Added at 2010 s: the server tries again at 2035 s, two seconds before there is a queue."""
    measured = one(release, REMOVED, act(2010, "add_router_to_agent", **TOLD), broker={})
    assert untold(measured) == [(2010, "UNTOLD")]
    assert down(measured) == (20_000 - 1000, 0.0)
