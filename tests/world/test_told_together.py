"""What a pass tells at one instant is told agent by agent: the trace is as if one by one."""

from __future__ import annotations

import numpy as np
import pytest
from lab import FREE, columns, network_nodes, run_one, scenario
from swarm import distributed_keys, mixed_keys, random_keys

from simulator.trace import Kind, Recorder
from simulator.world.control import ControlPlane

pytestmark = pytest.mark.no_cover  # the same code as in the swarm, which is slower then

WORK = {**FREE, "rebuild_per_router": "2s"}
DYING = {
    "host.network": {"time_to_failure": "3000s", "time_to_repair": "700s"},
    "agent": {"time_to_failure": {"exponential": {"mean": "1500s"}}, "time_to_repair": "200s"},
    "nic": {"time_to_failure": {"exponential": {"mean": "2500s"}}, "time_to_repair": "300s"},
}


def same_one_by_one(monkeypatch, keys, seed=1):
    """The trace of *keys*, which must be as if notices were sent one by one; how many were not."""
    most, tell, send = [0], ControlPlane._tell, ControlPlane.send

    def counted(control, agent, sent):
        most[0] = max(most[0], len(sent))
        tell(control, agent, sent)

    def at_once(control, notices):
        held, control._held = control._held, None
        send(control, notices)
        control._held = held

    monkeypatch.setattr(ControlPlane, "_tell", counted)
    together = run_one(scenario(**keys, seed=seed)).trace
    monkeypatch.setattr(ControlPlane, "send", at_once)
    assert columns(together) == columns(run_one(scenario(**keys, seed=seed)).trace)
    return together, most[0]


@pytest.mark.parametrize("release", ["juno", "kilo", "liberty", "newton", "stein", "2026.2"])
@pytest.mark.parametrize("costs", [FREE, WORK, {**FREE, "reschedule": "1s"}, {}])
def test_a_pass_may_tell_agents_together(monkeypatch, release, costs):
    keys = {
        "release": release,
        "horizon": "3h",
        "hosts": network_nodes(4),
        "costs": costs,
        "neutron": {"allow_automatic_l3agent_failover": True},
        "failures": DYING,
        "workload": {"tenants": 24, "per_tenant": {"routers": 1, "networks": 0, "vms": 0}},
    }
    trace, most = same_one_by_one(monkeypatch, keys)
    assert np.count_nonzero(trace.kind == Kind.UNBOUND) > 24
    free = costs.get("reschedule") == "0s"
    assert most > 2 if free else most <= 2


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("make", [random_keys, mixed_keys, distributed_keys])
def test_it_may_in_random_systems(monkeypatch, make, seed):
    keys = make(seed)
    keys["costs"] = {**keys["costs"], "reschedule": "0s"}
    same_one_by_one(monkeypatch, keys, seed)


def test_what_is_recorded_later_stands_where_its_place_was_reserved():
    recorder = Recorder()
    recorder.add(1.0, Kind.UNBOUND, 0, 7)
    first = recorder.reserve()
    recorder.add(1.0, Kind.UNBOUND, 0, 8)
    second = recorder.reserve()
    recorder.batch(Kind.CONFIGURED, 5, [9], [1.0])
    with recorder.at({7: first, 8: second}):
        recorder.batch(Kind.CONFIGURED, 1, [7, 8], [1.0, 1.0])
        recorder.add(1.0, Kind.PORTS_REFUSED, 1, 8)
        recorder.add(1.0, Kind.RESUMED, 1)
    recorder.add(1.0, Kind.BOUND, 0, 7)
    found = recorder.columns(2.0)
    assert list(zip(found["kind"].tolist(), found["object"].tolist(), strict=True)) == [
        (Kind.UNBOUND, 7),
        (Kind.CONFIGURED, 7),
        (Kind.RESUMED, -1),
        (Kind.UNBOUND, 8),
        (Kind.CONFIGURED, 8),
        (Kind.PORTS_REFUSED, 8),
        (Kind.CONFIGURED, 9),
        (Kind.BOUND, 7),
    ]
