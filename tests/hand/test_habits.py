"""Habits of agents and server that changed from release to release, each where it shows."""

from __future__ import annotations

from collections import Counter

import pytest
from lab import FREE, events, network_nodes, outage, run_one

from simulator.trace import Kind
from simulator.world.control import ControlPlane

TICK = 2.0**-20


def times(measured, kind, subject):
    return [time for time, _, name, _ in events(measured.trace, kind) if name == subject]


def returned(release, **keys):
    """network-1 is dark from 1000 to 1100 s, with 100 networks of 10 s each."""
    given = {
        "horizon": "4000s",
        "workload": {"tenants": 100, "per_tenant": {"routers": 0}},
        "costs": {**FREE, "rebuild_per_network": "10s"},
        "failures": {"network-1": outage(1000, 100)},
        **keys,
    }
    return run_one(release=release, **given)


@pytest.mark.parametrize(
    ("release", "threads", "syncs"), [("grizzly", 1, 1), ("icehouse", 4, 1), ("newton", 4, 2)]
)
def test_no_heartbeat_leaves_during_the_first_sync(release, threads, syncs):
    """The first leaves at 1100 s, the next when the sync is over: 100 x 10 s / threads later.

    Kilo to Newton sync twice, and the second sync starts every dnsmasq anew.
    """
    measured = returned(release)
    limit = 5 if release == "grizzly" else 75
    assert times(measured, Kind.AGENT_ALIVE, "network-1/dhcp")[0] == 1100
    downs = times(measured, Kind.AGENT_DOWN, "network-1/dhcp")
    assert 1100 + limit + TICK in downs
    over = 1100 + syncs * 1000 / threads
    assert times(measured, Kind.AGENT_ALIVE, "network-1/dhcp")[1] == over


def test_since_ocata_the_first_sync_starves_nobody():
    measured = returned("ocata")
    assert times(measured, Kind.AGENT_ALIVE, "network-1/dhcp") == [1100]
    assert len(times(measured, Kind.AGENT_DOWN, "network-1/dhcp")) == 1


def test_since_2025_2_the_first_heartbeat_comes_after_the_first_sync():
    """100 networks of 10 s by four threads: 250 s."""
    measured = returned("2025.2")
    assert times(measured, Kind.AGENT_ALIVE, "network-1/dhcp") == [1350]


@pytest.mark.parametrize(
    ("release", "waits"), [("icehouse", True), ("juno", False), ("kilo", True)]
)
def test_a_starting_l3_agent_asks_at_once_or_after_up_to_five_seconds(release, waits):
    delays = set()
    for seed in range(1, 12):
        measured = run_one(
            release=release, horizon="2000s", seed=seed, failures={"network-1": outage(1000, 100)}
        )
        delays |= set((measured.history.router_outages.end - 1100).tolist())
    assert delays <= ({0, 1, 2, 3, 4, 5} if waits else {0})
    assert len(delays) > 3 or not waits


def crowded(release, **keys):
    """A node with 300 routers that is dark from 1000 to 1100 s; the server needs 1 s a router."""
    return run_one(
        release=release,
        horizon="2h",
        hosts={**network_nodes(), "compute": {"kind": "compute", "count": 3}},
        workload={"tenants": 300, "per_tenant": {"networks": 0}},
        costs={**FREE, "answer_per_router": "1s"},
        failures={"network-1": outage(1000, 100)},
        **keys,
    )


def test_a_sync_that_takes_longer_than_a_call_waits_never_ends_until_kilo():
    """300 s for the answer and 60 s of patience: asked again at every tick, for ever (1516260)."""
    assert set(crowded("kilo").history.router_outages.end.tolist()) == {7200.0}


def test_liberty_waits_longer_each_time():
    """60, 120, 240 and 480 s: but each call that was given up still keeps the server for 300 s."""
    ends = set(crowded("liberty").history.router_outages.end.tolist())
    assert len(ends) == 1
    assert 2000 < ends.pop() < 7200


def test_mitaka_asks_for_fewer_at_a_time():
    """256 s for 256 routers, 128 for 128, 64 for 64, 32 for 32: the last is within 60 to 480 s."""
    ends = sorted(set(crowded("mitaka").history.router_outages.end.tolist()))
    assert ends[0] < ends[-1] < 7200
    assert len(ends) > 2


@pytest.mark.parametrize(("release", "own_queue"), [("kilo", False), ("mitaka", True)])
def test_heartbeats_wait_behind_other_calls_until_they_have_a_queue_of_their_own(
    release, own_queue
):
    """300 s of work for one answer: healthy agents look dead, until Mitaka."""
    measured = crowded(release)
    downs = times(measured, Kind.AGENT_DOWN, "compute-1/l2")
    assert bool(downs) != own_queue
    assert (measured.belief.false_downs.owner.size == 0) == own_queue


def test_a_heartbeat_that_waits_its_turn_is_processed_at_its_end():
    """One answer of 50 s at 1100 s (Juno asks at once): what comes meanwhile counts from 1150 s."""
    measured = run_one(
        release="juno",
        horizon="1240s",
        hosts={**network_nodes(), "compute": {"kind": "compute", "count": 1}},
        neutron={"report_interval": "4s", "agent_down_time": "9s"},
        workload={"tenants": 50},
        costs={**FREE, "answer_per_router": "1s"},
        failures={"network-1": outage(1000, 100)},
    )
    (down,) = times(measured, Kind.AGENT_DOWN, "compute-1/l2")
    (alive,) = times(measured, Kind.AGENT_ALIVE, "compute-1/l2")
    assert 1105 < down <= 1109 + TICK
    assert alive == 1150


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_calls_are_answered_side_by_side_by_as_many_workers(workers):
    """Both nodes ask at 1100 s; the server needs 1 s for each of their routers."""
    measured = run_one(
        release="juno",
        horizon="1240s",
        hosts={**network_nodes(2), "compute": {"kind": "compute", "count": 1}},
        neutron={"report_interval": "4s", "agent_down_time": "9s", "rpc_workers": workers},
        workload={"tenants": 40},
        costs={**FREE, "answer_per_router": "1s"},
        failures={"network-1": outage(1000, 100), "network-2": outage(1000, 100)},
    )
    bound = Counter(name for time, _, name, _ in events(measured.trace, Kind.BOUND)
                    if name.endswith("l3"))  # fmt: skip
    first = 1100.0 + bound["network-1/l3"]
    second = (1100.0 if workers == 2 else first) + bound["network-2/l3"]
    assert set(measured.history.router_outages.end.tolist()) == {first, second}
    assert bool(times(measured, Kind.AGENT_DOWN, "compute-1/l2"))  # both workers are at it


@pytest.mark.parametrize(("release", "patience"), [("liberty", None), ("newton", 60), ("yoga", 30)])
def test_how_long_an_agent_is_down_after_its_path_is_back(release, patience):
    """The management NIC is cut from 1000 to 1500 s.

    Calls time out after 60 s (Newton) or 30 s (Yoga), so the next heartbeat leaves that soon after
    the cut. Liberty's double: 60, 120, 240, 480 s and pauses, so some agent is down for longer.
    """
    late = []
    for seed in range(1, 7):
        measured = run_one(
            release=release,
            horizon="4000s",
            seed=seed,
            failures={"network-1/management": outage(1000, 500)},
        )
        for sort in ("l3", "dhcp", "l2"):
            (alive,) = times(measured, Kind.AGENT_ALIVE, f"network-1/{sort}")
            late.append(alive - 1500)
    assert min(late) >= 0
    if patience:
        assert max(late) <= patience
    else:
        assert 60 < max(late) <= 480 + 60


@pytest.mark.parametrize(("release", "flushes"), [("kilo", True), ("liberty", False)])
def test_an_l2_agent_that_starts_drops_its_flows_until_kilo(release, flushes):
    measured = run_one(release=release, failures={"network-1/l2": outage(1000, 10)},
                       costs={**FREE, "rewire": "20s"})  # fmt: skip
    outages = measured.history.router_outages
    assert (outages.owner.size > 0) == flushes
    assert set(outages.length.tolist()) <= {20.0}


@pytest.mark.parametrize(("release", "wipes"), [("havana", True), ("icehouse", False)])
def test_an_l3_agent_that_starts_destroys_its_namespaces_until_havana(release, wipes):
    measured = run_one(release=release, failures={"network-1/l3": outage(1000, 10)})
    assert (measured.history.router_outages.owner.size > 0) == wipes


@pytest.mark.parametrize(
    ("release", "over"), [("grizzly", 400), ("icehouse", 100), ("kilo", 200), ("ocata", None)]
)
def test_a_restarted_dhcp_agent_starts_every_server_anew_in_its_heartbeats_thread(release, over):
    """100 networks of 4 s by one thread or four, and by Kilo's agent twice.

    Nobody loses service, but no heartbeat leaves.
    """
    measured = run_one(
        release=release,
        horizon="4000s",
        workload={"tenants": 100, "per_tenant": {"routers": 0}},
        costs={**FREE, "rebuild_per_network": "4s"},
        failures={"network-1/dhcp": outage(1000, 20)},
    )
    limit = 5 if release == "grizzly" else 75
    downs = times(measured, Kind.AGENT_DOWN, "network-1/dhcp")
    assert (1020 + limit + TICK in downs) == bool(over)
    if over:
        assert times(measured, Kind.AGENT_ALIVE, "network-1/dhcp")[-1] == 1020 + over
    assert not measured.history.network_outages.owner.size


@pytest.mark.parametrize("release", ["liberty", "rocky", "stein", "2026.2"])
def test_a_revived_dhcp_agent_starts_every_server_anew(release):
    """Revived, it syncs at the next multiple of 5 s (since Stein within 1 s): n networks of 4 s by
    four threads take n s. Two networks that it is given 10 s later wait for that; Rocky and Stein
    set both up at a time.
    """

    def revived(*actions):
        return run_one(
            release=release,
            horizon="3000s",
            hosts=network_nodes(2),
            workload={"tenants": 80, "per_tenant": {"routers": 0}},
            costs={**FREE, "rebuild_per_network": "4s"},
            neutron={"allow_automatic_dhcp_failover": False},
            failures={"network-1/management": outage(1000, 200)},
            actions=list(actions),
        )

    before = revived()
    (told,) = times(before, Kind.REVIVED, "network-1/dhcp")
    bound = {network: agent for _, _, agent, network in events(before.trace, Kind.BOUND)}
    own = sum(agent == "network-1/dhcp" for agent in bound.values())
    others = [network for network, agent in bound.items() if agent == "network-2/dhcp"]
    tick = (told // 5 + 1) * 5
    if release in ("stein", "2026.2"):
        tick = told
    add = {"op": "add_network_to_agent", "agent": "network-1/dhcp", "at": f"{tick + 10}s"}
    after = revived(*({**add, "network": other} for other in others[:2]))
    assert own > 20
    last = 4 if release in ("rocky", "stein") else 8
    over = tick + 4 * -(-own // 4)
    assert times(after, Kind.CONFIGURED, "network-1/dhcp")[-2:] == [over + 4, over + last]


def test_agents_that_were_there_before_the_run_are_not_starting_up():
    """2000 s of grace for 1000 networks would be an agent's that starts: it did so long ago."""
    measured = run_one(
        release="kilo",
        horizon="1000s",
        hosts=network_nodes(2),
        workload={"tenants": 1000, "per_tenant": {"routers": 0}},
        failures={"network-1": outage(100, 5000)},
    )
    moved = [t for t, *_ in events(measured.trace, Kind.BOUND) if t > 100]
    assert 100 + 120 <= min(moved) <= 100 + 187


def asked(release, failures, routers, work):
    """(when sent, routers, answered, when over) of the calls of an L3 agent after 1000 s."""
    calls, call = [], ControlPlane.call

    def noted(self, agent, life, needs=0.0, **keys):
        sent = self.cluster.env.now
        answered = yield from call(self, agent, life, needs, **keys)
        if agent.name == "network-1/l3" and sent > 1000:
            calls.append((sent, round(needs / work), answered, self.cluster.env.now))
        return answered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ControlPlane, "call", noted)
        measured = run_one(
            release=release,
            horizon="6000s",
            neutron={"periodic_fuzzy_delay": "0s"},
            workload={"tenants": routers, "per_tenant": {"networks": 0, "vms": 0}},
            costs={**FREE, "answer_per_router": f"{work}s"},
            failures=failures,
        )
    return calls, measured


@pytest.mark.parametrize("release", ["mitaka", "stein", "2026.2"])
def test_chunks_keep_their_size_within_a_sync(release):
    """1,000 routers of 0.5 s: 256 of them time out after 60 s, and 128 do not after 120.

    fetch_and_sync_all_routers, neutron/agent/l3/agent.py at 29.0.0.
    """
    calls, measured = asked(release, {"network-1": outage(1000, 100)}, 1000, 0.5)
    chunks = [(size, answered) for _, size, answered, _ in calls if size]
    assert chunks == [(256, False), (128, True), *[(128, True)] * 6, (104, True)]
    times = [time for time, *_ in events(measured.trace, Kind.CONFIGURED) if time > 1000]
    assert len(times) == 1000
    assert times[-1] == calls[-1][3]
    assert times[-1] - times[0] == 7 * 64 - 12


def test_a_first_call_that_times_out_halves_the_chunk_too():
    """The server is away from 1090 to 1290 s: get_router_ids times out at 1160 s."""
    failures = {"network-1": outage(1000, 100), "server": outage(1090, 200)}
    calls, _ = asked("2026.2", failures, 300, 0.25)
    assert calls[0][1:3] == (0, False)
    assert [size for _, size, answered, _ in calls if size and answered][:2] == [128, 128]


@pytest.mark.parametrize("release", ["mitaka", "newton", "2026.2"])
def test_each_method_has_a_time_out_of_its_own(release):
    """get_router_ids times out at 1160 s; sync_routers, which needs 100 s, then still has 60."""
    failures = {"network-1": outage(1000, 100), "server": outage(1090, 100)}
    calls, _ = asked(release, failures, 1, 100.0)
    assert [answered for _, size, answered, _ in calls if not size] == [False, True, True]
    (short, long) = [(over - sent, answered) for sent, size, answered, over in calls if size]
    assert 60 <= short[0] <= 120
    assert not short[1]
    assert long == (100, True)


def test_what_a_router_paging_agent_has_no_more_it_takes_down_at_the_end_of_its_sync():
    """Of 50 routers one is another's since 700 s: from 1000 s on, 49 are asked for, for 49 s."""
    router = "tenant-1/router-1"
    group = {"kind": "network", "count": 1}

    def act(at, op, agent, name="*"):
        return {"at": f"{at}s", "op": op, "agent": agent, "router": name}

    measured = run_one(
        release="2026.2",
        horizon="3000s",
        hosts={"controller": {"kind": "controller", "count": 1}, "a": group, "b": group},
        workload={"tenants": 50},
        neutron={"periodic_fuzzy_delay": "0s"},
        costs={**FREE, "answer_per_router": "1s"},
        failures={"controller-1/broker": outage(610, 10)},
        actions=[
            act(100, "remove_router_from_agent", "*/l3"),
            act(110, "add_router_to_agent", "a-1/l3"),
            {"at": "600s", "op": "agent_stop", "agent": "a-1/l3"},
            act(700, "remove_router_from_agent", "a-1/l3", router),
            act(710, "add_router_to_agent", "b-1/l3", router),
            {"at": "1000s", "op": "agent_start", "agent": "a-1/l3"},
        ],
    )
    gone = [time for time, *_ in events(measured.trace, Kind.UNCONFIGURED) if time > 650]
    assert gone == [1049]
