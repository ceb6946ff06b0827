"""What comes and goes: the same as object by object, at a cost that stays as the cloud grows."""

from __future__ import annotations

import pytest
from lab import columns, run_one, scenario
from swarm import random_keys

from simulator.neutron.server import Server
from simulator.world.api import Api
from simulator.world.objects import Crowd, Objects

BUSY = {
    "tenants": {"arrivals": "20/h", "lifetime": "600s"},
    "networks": {"arrivals": "60/h", "lifetime": "900s"},
    "routers": {"arrivals": "60/h", "lifetime": "900s"},
    "ports": {"arrivals": "60/h", "lifetime": "100s"},
    "floating_ips": {"arrivals": "60/h", "lifetime": "100s"},
    "vms": {"arrivals": "60/h", "lifetime": "300s"},
}


def one_by_one(api, network, count):
    """The rule itself: each port asks the scheduler, and agents are told of each."""
    for _ in range(count):
        api.require_server()
        notices = api.server.create_port(api.now, network)
        api._first_trigger(network)
        api.tell(notices)


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(200, 240))
def test_ports_of_one_instant_are_as_ports_one_by_one(seed, monkeypatch):
    """Messages take 50 ms or none: a random delay would be drawn for each notice."""
    keys = random_keys(seed)
    keys["broker"] = {"delay": "50ms"} if seed % 2 else {}
    keys["workload"]["per_tenant"] |= {"vms": 4, "ports": 2}
    given = scenario(**keys, seed=seed)
    at_once = columns(run_one(given).trace)
    monkeypatch.setattr(Api, "create_ports", one_by_one)
    assert columns(run_one(given).trace) == at_once


def test_a_million_vms_are_asked_for_once(monkeypatch):
    """Ten tenants an hour, each with a network of 10^6 VMs."""
    calls = []
    once = Server.create_port

    def counted(server, now, network, *count):
        calls.append(network)
        return once(server, now, network, *count)

    monkeypatch.setattr(Server, "create_port", counted)
    trace = run_one(
        workload={
            "tenants": 1,
            "per_tenant": {"vms": 10**6},
            "changes": {"tenants": {"arrivals": "10/h", "lifetime": "1h"}},
        }
    ).trace
    assert len(calls) == len(trace.objects.names) // 2 - 1 > 200


def test_no_arrival_or_removal_lists_the_whole_cloud(monkeypatch):
    """Objects are listed when the run begins, and by agents that ask for all; not by arrivals."""
    listed = []
    for name in ("routers", "networks"):
        plain = getattr(Objects, name)

        def counted(objects, plain=plain):
            listed.append(plain)
            return plain(objects)

        monkeypatch.setattr(Objects, name, counted)
    counts = []
    for changes in ({}, BUSY):
        listed.clear()
        run_one(workload={"tenants": 30, "changes": changes}, horizon="10h")
        counts.append(len(listed))
    assert counts[0] == counts[1]


@pytest.mark.no_cover
def test_a_new_network_joins_the_eldest_router_that_its_tenant_still_has():
    measured = run_one(
        horizon="2d",
        workload={"tenants": 5, "per_tenant": {"routers": 2}, "changes": BUSY},
        actions=[{"at": "1d", "op": "delete_router", "router": "tenant-*/router-1"}],
    )
    objects = measured.trace.objects
    born, dead = measured.history.born, measured.history.dead
    seen = 0
    for i, name in enumerate(objects.names):
        if "network-new" not in name:
            continue
        own = [
            r for r, other in enumerate(objects.names)
            if "router" in other and objects.tenant[r] == objects.tenant[i]
            and born[r] < born[i] < dead[r]
        ]  # fmt: skip
        assert objects.router[i] == (own[0] if own else -1)
        seen += born[i] > 86400
    assert seen > 100


def test_a_crowd_keeps_the_order_of_coming_and_picks_each_member_alike():
    crowd = Crowd([3, 1, 4])
    crowd.add(5)
    crowd.discard(1)
    crowd.discard(99)
    twin = crowd.copy()
    twin.discard(3)
    assert list(crowd) == [3, 4, 5]
    assert sorted(crowd.pick(u) for u in (0.0, 0.34, 0.999)) == [3, 4, 5]
    assert list(twin) == [4, 5]
    assert 3 in crowd
    assert 1 not in crowd
