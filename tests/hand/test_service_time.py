"""A server that needs time for each heartbeat, against a queue worked out here."""

from __future__ import annotations

from itertools import pairwise

import pytest
from lab import FREE, events, network_nodes, outage, run_one, scenario

from simulator.clock import TICK, quantize
from simulator.scenario.load import load
from simulator.trace import Kind
from simulator.world.streams import HEARTBEAT_PHASE, SERVICE, Streams, stable_hash

INTERVAL, LIMIT, HORIZON = 4.0, 9.0, 2000.0
BELIEFS = (Kind.AGENT_DOWN, Kind.AGENT_ALIVE)


def served(service, *, release="grizzly", agents=("l3", "dhcp"), nodes=1, **more):
    return run_one(
        release=release,
        horizon=f"{HORIZON:g}s",
        hosts=network_nodes(nodes, agents=list(agents)),
        workload={"tenants": 0},
        neutron={"report_interval": f"{INTERVAL:g}s", "agent_down_time": f"{LIMIT:g}s"},
        costs={**FREE, "heartbeat": service},
        **more,
    )


def queued(measured, law):
    """When the heartbeats of each agent are processed, by Lindley's recursion over all of them."""
    streams = Streams(1, 0)
    parts = {name: i for i, name in enumerate(measured.trace.components.names)}
    names = [name for name in parts if name.endswith(("/l3", "/dhcp"))]
    arrivals, processed = [], {}
    for name in names:
        u = float(streams.uniforms(stable_hash(name), HEARTBEAT_PHASE, 0, 1)[0])
        phase = min(quantize(u * INTERVAL), INTERVAL)
        processed[name] = [-phase]
        count = int(HORIZON / INTERVAL) + 1
        times = [INTERVAL - phase + k * INTERVAL for k in range(count)]
        arrivals += [(time, parts[name], name) for time in times if time < HORIZON]
    free = 0.0
    for i, (time, _, name) in enumerate(sorted(arrivals)):
        free = max(free, time) + quantize(law(float(streams.uniforms(0, SERVICE, i, 1)[0])))
        processed[name].append(free)
    return processed


def beliefs(processed):
    """When each agent is believed down and alive again, of these heartbeats."""
    found = []
    for name, times in processed.items():
        for before, after in pairwise([*times, float("inf")]):
            if after > before + LIMIT + TICK:
                found += [(before + LIMIT + TICK, "AGENT_DOWN", name), (after, "AGENT_ALIVE", name)]
    return sorted(row for row in found if row[0] < HORIZON)


@pytest.mark.parametrize("mean", [0.5, 1.9, 2.5])
def test_heartbeats_are_processed_one_after_the_other(mean):
    """Of two agents: at a quarter of what the server can do, near all of it, and beyond."""
    service = {"exponential": {"mean": f"{mean}s"}}
    measured = served(service, seed=1)
    given = scenario(costs={**FREE, "heartbeat": service})
    law = given.variants[given.baseline].costs.heartbeat.build()
    expected = beliefs(queued(measured, law.sample))
    found = [row[:3] for row in events(measured.trace, *BELIEFS) if row[0] > 0]
    assert sorted(found) == expected
    assert bool(expected) == (mean > 1)


def test_where_agents_wait_for_answers_no_heartbeats_pile_up():
    """3 s for each of two, every 4 s: 500 s of Grizzly's casts lie in the queue after 1000 s.

    So an agent that dies then is believed alive for as long. Mitaka's agents send when answered.
    """
    late, soon = (
        min(
            time
            for time, _, name, _ in events(measured.trace, Kind.AGENT_DOWN)
            if name == "network-1/l3" and time > 1000
        )
        for measured in (
            served("3s", release=release, failures={"agent.l3": outage(1000, 900)})
            for release in ("grizzly", "mitaka")
        )
    )
    assert 1490 < late - LIMIT < 1510
    assert soon < 1000 + 6 + LIMIT + 1


@pytest.mark.parametrize(("workers", "flaps"), [(1, True), (4, False)])
def test_heartbeats_have_workers_of_their_own(workers, flaps):
    """8 agents and 2 s each: one worker is round in 16 s, four in 4 s."""
    more = {"rpc_state_report_workers": workers}
    keys = {
        "release": "mitaka",
        "horizon": "2000s",
        "hosts": network_nodes(4, agents=["l3", "dhcp"]),
        "neutron": {"report_interval": "4s", "agent_down_time": "9s", **more},
        "workload": {"tenants": 0},
        "costs": {**FREE, "heartbeat": "2s"},
    }
    assert bool(events(run_one(**keys).trace, Kind.AGENT_DOWN)) == flaps


def test_what_waits_for_the_server_is_lost_with_it():
    """A Grizzly server with a backlog that comes back starts with an empty queue."""
    failures = {"server": outage(1000, 1), "agent.l3": outage(1000, 900)}
    rows = events(served("3s", failures=failures).trace, *BELIEFS)
    down = {name: time for time, kind, name, _ in rows if kind == "AGENT_DOWN" and time > 1000}
    alive = {name: time for time, kind, name, _ in rows if kind == "AGENT_ALIVE" and time > 1000}
    assert down["network-1/l3"] <= 1000 + LIMIT + TICK
    assert 1001 + 3 <= alive["network-1/dhcp"] <= 1001 + INTERVAL + 3


def test_an_overloaded_server_is_warned_of(tmp_path):
    path = tmp_path / "slow.yaml"
    path.write_text(
        "{version: 1, horizon: 1h, release: grizzly, costs: {heartbeat: 3s}, hosts: "
        "{c: {kind: controller, count: 1}, n: {kind: network, count: 2}}}"
    )
    loaded = load(path)
    assert loaded.scenario
    assert "NN106" in [problem.code for problem in loaded.problems]
