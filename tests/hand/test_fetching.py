"""What becomes of a router that an L3 agent is told of, by release, worked out by hand."""

from __future__ import annotations

import pytest
from lab import FREE, events, outage, run_one

from simulator.clock import quantize
from simulator.trace import Kind
from simulator.world.retrying import Patience
from simulator.world.streams import BACKOFF, Streams, stable_hash

AGENT, ROUTER = "network-1/l3", "tenant-1/router-1"
TOLD = {"router": ROUTER, "agent": AGENT}


def act(at, op, **arguments):
    return {"at": f"{at}s", "op": op, **arguments}


def one(release, *actions, call="10s", **keys):
    """One router on one node; a call that is answered takes *call*."""
    return run_one(**{
        "release": release,
        "horizon": "8000s",
        "workload": {"tenants": 1},
        "costs": {**FREE, "rpc_call": call},
        "actions": list(actions),
        **keys,
    })  # fmt: skip


def moved(measured):
    """When the agent had the router set up, and when taken down, after the start."""
    kinds = {kind: [] for kind in ("CONFIGURED", "UNCONFIGURED")}
    for time, kind, agent, router in events(measured.trace, Kind.CONFIGURED, Kind.UNCONFIGURED):
        if time > 0 and (agent, router) == (AGENT, ROUTER):
            kinds[kind].append(time)
    return kinds["CONFIGURED"], kinds["UNCONFIGURED"]


REMOVED = act(1000, "remove_router_from_agent", **TOLD)
ADDED = act(2000, "add_router_to_agent", **TOLD)
UPDATED = act(2000, "update_router", router=ROUTER)


@pytest.mark.parametrize(
    ("release", "up"), [("grizzly", 2000), ("havana", 2010), ("liberty", 2010), ("2026.2", 2010)]
)
def test_since_havana_the_agent_asks_for_what_it_is_told_of(release, up):
    assert moved(one(release, REMOVED, ADDED)) == ([up], [1000])


@pytest.mark.parametrize(("release", "built"), [("grizzly", True), ("havana", False)])
def test_a_router_that_is_no_longer_its_own_is_not_set_up(release, built):
    """Added at 2000 and removed at 2003; messages take 5 s, so the agent asks at 2005."""
    measured = one(
        release, REMOVED, ADDED, act(2003, "remove_router_from_agent", **TOLD),
        call="0s", broker={"delay": "5s"},
    )  # fmt: skip
    assert moved(measured) == (([2005], [1005, 2008]) if built else ([], [1005]))


def test_a_removal_ends_the_asking_and_a_new_notice_begins_it_anew():
    gone = act(2005, "remove_router_from_agent", **TOLD)
    again = act(2007, "add_router_to_agent", **TOLD)
    assert moved(one("pike", REMOVED, ADDED, gone)) == ([], [1000])
    assert moved(one("pike", REMOVED, ADDED, gone, again)) == ([2017], [1000])


def test_until_kilo_a_call_that_fails_ends_in_a_full_sync():
    """The server dies at 2005 and is back at 2050: the call times out at 2060, a sync begins at the
    next tick of 40 s and is answered 10 s later."""
    measured = one("kilo", REMOVED, ADDED, failures={"server": outage(2005, 45)})
    ((up,), _) = moved(measured)
    assert 2070 < up <= 2110


@pytest.mark.parametrize("release", ["liberty", "newton", "ocata", "2026.2"])
def test_since_liberty_the_router_is_asked_for_again(release):
    """The server is away from 2005 to 2300. Calls of 60 and 120 s time out, pauses of up to 60 s
    follow; the third, of 240 s, lies in its queue by then: answered at 2310."""
    measured = one(release, REMOVED, ADDED, failures={"server": outage(2005, 295)})
    assert moved(measured) == ([2310], [1000])


def given_up():
    """When six calls have failed: 60, 120, 240, 480, 600 and 600 s, each with a pause."""
    draws = Streams(1, 0).stream(stable_hash(f"{AGENT} sync_routers 0"), BACKOFF)
    pauses = [quantize(draws.uniform() * 60) for _ in range(6)]
    return 2000 + 60 + 120 + 240 + 480 + 600 + 600 + sum(pauses)


@pytest.mark.parametrize(
    ("release", "deleted"),
    [("kilo", False), ("newton", False), ("ocata", True), ("rocky", True), ("stein", False)],
)
def test_from_ocata_to_rocky_it_is_deleted_after_six_calls(release, deleted):
    """An update at 2000; the server is away from 2005 to 6000, then the agent is told that it was
    down, and syncs at the next tick of 40 s: two calls of 10 s each."""
    measured = one(release, UPDATED, failures={"server": outage(2005, 3995)})
    outages = measured.history.router_outages
    up, down = moved(measured)
    assert down == ([given_up()] if deleted else [])
    assert outages.start.tolist() == down
    assert outages.end.tolist() == up
    assert all(6000 < time <= 6000 + 60 + 40 + 20 for time in up)


@pytest.mark.parametrize(
    ("release", "gone"), [("newton", [2032]), ("ocata", [2006]), ("stein", []), ("2026.2", [])]
)
def test_an_agent_without_a_row_is_refused_at_once(release, gone):
    """Its row goes while it asks, and is new at its next heartbeat, without bindings.

    Newton's asks again after 30 s, and is given nothing. Ocata's asks six times, 1 s each, and
    deletes the router; later ones keep it.
    """
    measured = one(release, UPDATED, act(2000.5, "delete_agent", agent=AGENT), call="1s")
    again = [time for time, _, agent, _ in events(measured.trace, Kind.REGISTERED) if time > 0]
    assert len(again) == 1
    assert 2006 < again[0] < 2031
    assert moved(measured)[1] == gone


def test_calls_that_wait_at_the_same_time_double_the_patience_once():
    patience = Patience(60, 600, lambda: Streams(1, 0).stream(1, BACKOFF))
    for _ in range(3):
        patience.expired(60)
    assert patience.seconds == 120
    patience.expired()
    assert patience.seconds == 240
