"""Distributed routers (DVR) in small systems, with the arithmetic in the assert.

One network with object number 1 (its router is 0) on two compute hosts: VM j is on host number
(1 + j) mod 2, so of three VMs two are on compute-2 and one on compute-1.
"""

from __future__ import annotations

import numpy as np
import pytest
from lab import CONTROLLER, FREE, events, metrics, outage, run_one, scenario

from simulator.analysis.context import context_of
from simulator.analysis.measured import Measured
from simulator.analysis.metrics import measure
from simulator.clock import Rank
from simulator.trace import Kind, vm_place, vms_at
from simulator.world.plan import compile_plan
from simulator.world.simulation import World
from simulator.world.streams import Streams

OUT = 8640.0  # a tenth of a day
NETWORK = 1


def system(*, mode="dvr", snat=1, vms=3, floating_ips=1, neutron=(), compute=(), **keys):
    """SNAT, DHCP and VMs on hosts of their own; nothing costs time."""
    per_tenant = {"vms": vms, "floating_ips": floating_ips}
    return {
        "release": "queens" if mode == "dvr_no_external" else "mitaka",
        "neutron": {"router_distributed": True, "periodic_fuzzy_delay": "0s", **dict(neutron)},
        "hosts": {
            "controller": CONTROLLER,
            "snat": {
                "kind": "network", "count": snat, "agents": ["l3", "l2"], "agent_mode": "dvr_snat",
            },
            "dhcp": {"kind": "network", "count": 1, "agents": ["dhcp", "l2"]},
            "compute": {
                "kind": "compute", "count": 2, "agents": ["l3", "l2"], "agent_mode": mode,
                **dict(compute),
            },
        },
        "workload": {"tenants": 1, "per_tenant": per_tenant},
        **keys,
    }  # fmt: skip


def approx(value):
    return pytest.approx(value, rel=1e-9)


def three(values):
    """Availability of the router, between its subnets, and of VMs to the outside."""
    names = (
        "router.availability",
        "router.east_west_availability",
        "vm.north_south_availability",
    )
    return tuple(values[name] for name in names)


def at_compute(measured, *kinds):
    """Events of a router at the L3 agents of compute hosts, after the start."""
    found = events(measured.trace, *kinds)
    return [
        (time, kind, agent.removesuffix("/l3"))
        for time, kind, agent, _ in found
        if time > 0 and agent.startswith("compute") and agent.endswith("/l3")
    ]


# -- failures ------------------------------------------------------------------------------


@pytest.mark.parametrize(("floating_ips", "share"), [(0, 0), (1, 1 / 3), (2, 2 / 3), (9, 1)])
def test_without_its_snat_node_only_vms_with_floating_ips_reach_the_outside(floating_ips, share):
    values = metrics(**system(floating_ips=floating_ips, failures={"snat-1": outage(1000, OUT)}))
    assert three(values) == approx((0.9, 1.0, 1 - 0.1 * (1 - share)))
    assert values["router.outages"] == 1
    assert values["router.downtime_host"] == approx(0.1)
    assert values["router.conflicted_time"] == 0


@pytest.mark.parametrize("release", ["juno", "kilo", "liberty", "newton", "stein", "2026.2"])
def test_so_it_is_in_every_release(release):
    values = metrics(**system(release=release, failures={"snat-1": outage(1000, OUT)}))
    assert three(values) == approx((0.9, 1.0, 1 - 0.1 * 2 / 3))


@pytest.mark.parametrize(
    ("part", "inside", "outside"),
    [
        ("compute-1", 0.1 * 1 / 3, 0.1 * 1 / 3 * 1 / 3),  # one VM of three, a third of it floating
        ("compute-2", 0.1 * 2 / 3, 0.1 * 2 / 3 * 1 / 3),
        ("compute-1/external", 0.0, 0.1 * 1 / 3 * 1 / 3),
        ("compute-1/data", 0.1 * 1 / 3, 0.0),  # floating IPs leave by the host's own way
        ("snat-1/external", 0.0, 0.1 * 2 / 3),
        ("snat-1/data", 0.0, 0.1 * 2 / 3),
        ("uplink/public", 0.0, 0.1),
    ],
)
def test_who_loses_what_while_one_part_is_down(part, inside, outside):
    values = metrics(**system(failures={part: outage(1000, OUT)}))
    lost = 0.1 if part.startswith(("snat", "uplink")) else 0.0
    assert three(values) == approx((1 - lost, 1 - inside, 1 - outside))


@pytest.mark.parametrize(("part", "lost"), [("snat-1", 0.1), ("compute-1", 0.0)])
def test_hosts_without_an_external_network_leave_floating_ips_to_the_network_node(part, lost):
    values = metrics(**system(mode="dvr_no_external", failures={part: outage(1000, OUT)}))
    inside = 0.1 / 3 if part == "compute-1" else 0.0
    assert three(values) == approx((1 - lost, 1 - inside, 1 - lost))


def test_vms_without_a_floating_ip_need_an_address_and_the_others_do_not():
    """DHCP out for a tenth of the day; Mitaka's lease is a day: nobody's ends before half of it.
    With one of 120 s it costs 30 s a VM on the way, and then all."""
    keys = system(neutron={"dhcp_lease_duration": "120s"}, failures={"dhcp-1": outage(1000, OUT)})
    values = metrics(**keys)
    lost = (OUT - 120 + 30) / 86400  # of each VM; the address is regained at once
    assert values["vm.hours_without_address"] * 3600 == approx(3 * lost * 86400)
    assert three(values) == approx((1.0, 1.0, 1 - lost * 2 / 3))


def test_a_host_that_returns_boots_starts_syncs_and_rebuilds():
    costs = {**FREE, "boot": "60s", "agent_start": "10s", "rebuild_per_router": "5s"}
    measured = run_one(**system(costs=costs, failures={"compute-1": outage(1000, OUT)}))
    assert at_compute(measured, Kind.CONFIGURED, Kind.UNCONFIGURED) == [
        (1000 + OUT + 75, "CONFIGURED", "compute-1")
    ]
    inside = (OUT + 75) / 86400 / 3
    assert three(measure(measured)) == approx((1.0, 1 - inside, 1 - inside / 3))


def test_the_restart_of_a_compute_hosts_agent_loses_nothing():
    measured = run_one(**system(failures={"compute-1/l3": outage(1000, OUT)}))
    found = at_compute(
        measured, Kind.STOPPED, Kind.STARTED, Kind.WIPED, Kind.CONFIGURED, Kind.UNCONFIGURED
    )
    assert found == [(1000.0, "STOPPED", "compute-1"), (1000 + OUT, "STARTED", "compute-1")]
    assert three(measure(measured)) == (1.0, 1.0, 1.0)


def test_snat_moves_to_another_node_and_floating_ips_never_notice():
    """Seeds of the scheduler decide which of two nodes has it; that one dies for good."""
    neutron = {"allow_automatic_l3agent_failover": True}
    keys = system(snat=2, neutron=neutron)
    (mine,) = {e[2].partition("/")[0] for e in events(run_one(**keys).trace, Kind.BOUND)
               if e[2].startswith("snat")}  # fmt: skip
    measured = run_one(**system(snat=2, neutron=neutron, failures={mine: outage(1000, 90_000)}))
    (other,) = {"snat-1", "snat-2"} - {mine}
    found = [e for e in events(measured.trace, Kind.UNBOUND, Kind.BOUND) if e[0] > 0]
    assert [e[1:3] for e in found] == [("UNBOUND", f"{mine}/l3"), ("BOUND", f"{other}/l3")]
    away = found[0][0] - 1000
    assert 150 - 30 < away < 150 + 75  # silent for 150 s, from a heartbeat on, then a pass
    values = measure(measured)
    assert three(values) == approx((1 - away / 86400, 1.0, 1 - away / 86400 * 2 / 3))
    assert values["failover.moves"] == 1
    assert values["failover.time_median"] == approx(away)


# -- VMs that come and go ------------------------------------------------------------------


def scripted(keys, *changes):
    """A run in which VMs come to a network at given times, or go."""
    given = scenario(**keys)
    world = World(compile_plan(given, given.baseline), Streams(given.seed, 0))
    for time, network, by in changes:
        world.cluster.at(
            time, Rank.REQUEST, -1, lambda n=network, by=by: world.api.change_vms(n, by)
        )
    world.env.run(until=world.plan.horizon)
    return Measured(world.trace(), context_of(given, given.baseline))


def test_hosts_are_given_a_router_with_their_first_vm_and_lose_it_with_the_last():
    changes = ((100, 1), (200, 2), (300, -1), (400, -1), (500, -1))
    measured = scripted(system(vms=0), *((time, NETWORK, by) for time, by in changes))
    assert at_compute(measured, Kind.CONFIGURED, Kind.UNCONFIGURED) == [
        (100.0, "CONFIGURED", "compute-2"),  # VM 0
        (200.0, "CONFIGURED", "compute-1"),  # VM 1; VM 2 is on compute-2
        (400.0, "UNCONFIGURED", "compute-1"),
        (500.0, "UNCONFIGURED", "compute-2"),
    ]


def test_a_router_is_measured_where_its_vms_are_and_by_its_node_without_any():
    """compute-1 is down all the time, the SNAT node for 100 s before there is a VM."""
    down = {"compute-1": outage(0, 90_000), "snat-1": outage(10, 50)}
    measured = scripted(system(vms=0, failures=down), (100, NETWORK, 1), (200, NETWORK, 1))
    inside = 50 + (86400 - 200) / 2  # from 200 s on half of its VMs are on compute-1
    floating = (86400 - 200) * 0.5  # one of two, of which half
    total = 100 + 2 * (86400 - 200)
    assert three(measure(measured)) == approx(
        (1 - 50 / 86400, 1 - inside / 86400, 1 - floating / total)
    )


def test_a_new_vm_needs_its_hosts_part_first():
    costs = {**FREE, "rebuild_per_router": "20s"}
    measured = scripted(system(vms=0, floating_ips=9, costs=costs), (1000, NETWORK, 1))
    total = 86400 - 1000
    assert three(measure(measured)) == approx((1.0, 1 - 20 / 86400, 1 - 20 / total))


def test_a_network_that_goes_takes_its_vms_along():
    actions = [{"at": "1000s", "op": "delete_network", "network": "tenant-1/*"}]
    measured = run_one(**system(actions=actions))
    found = at_compute(measured, Kind.UNCONFIGURED)
    assert sorted(found) == [(1000.0, "UNCONFIGURED", f"compute-{i}") for i in (1, 2)]


def test_a_compute_hosts_agent_that_is_disabled_is_given_nothing():
    """Its periodic task asks within 40 s; what it is told of meanwhile it refuses."""
    off = {"at": "1000s", "op": "update_agent", "agent": "compute-1/l3", "admin_state_up": False}
    keys = system(actions=[off, {**off, "at": "5000s", "admin_state_up": True}], vms=1)
    measured = scripted(keys, (2000, NETWORK, 1), (3000, NETWORK, -1), (4000, NETWORK, 1))
    (again,) = at_compute(measured, Kind.CONFIGURED, Kind.UNCONFIGURED)
    assert 5000 <= again[0] <= 5040
    assert again[1:] == ("CONFIGURED", "compute-1")


def brute_force(measured, step):
    """East-west of routers and north-south of VMs, by looking every *step* seconds."""
    history, trace = measured.history, measured.trace
    objects, hosts = trace.objects, np.flatnonzero(trace.nodes.local).tolist()
    local = measured.leases.residents
    changes = trace.of(Kind.VMS)

    def holds(rows, owner, time, node=None):
        here = (rows.owner == owner) & (rows.start <= time) & (time < rows.end)
        return bool(np.any(here if node is None else here & (rows.node == node)))

    inside = served = asked = lives = 0.0
    for time in np.arange(step / 2, trace.horizon, step).tolist():
        vms = dict(enumerate(objects.vms.tolist()))
        for when, network, by in zip(changes.time, changes.object, changes.value, strict=True):
            vms[int(network)] += by if when <= time else 0
        for router in np.flatnonzero(objects.sort == 0).tolist():
            mine = np.flatnonzero(objects.router == router).tolist()
            each = [hosts[(n + j) % len(hosts)] for n in mine for j in range(int(vms[n]))]
            up = [holds(local.inside, router, time, h) for h in each]
            inside += np.mean(up) if up else holds(history.routed_inside, router, time)
            lives += 1
            central = holds(history.routed, router, time)
            share = min(1.0, objects.floating_ips[router] / len(each)) if each else 0.0
            asked += len(each)
            served += sum(
                share * holds(local.outside, router, time, h) + (1 - share) * central for h in each
            )
    return inside / lives, served / asked


@pytest.mark.parametrize("seed", range(4))
def test_what_is_measured_is_what_is_seen_every_second(seed):
    """Two networks to a router, VMs that come and go, everything failing; leases never end."""
    keys = system(
        horizon="2h", seed=seed, vms=seed, floating_ips=2, snat=2,
        neutron={"allow_automatic_l3agent_failover": True, "dhcp_lease_duration": "30d"},
        failures={
            name: {"time_to_failure": "20min", "time_to_repair": f"{minutes}min"}
            for name, minutes in (("host.network", 7), ("host.compute", 5), ("nic", 3))
        },
        start="equilibrium",
    )  # fmt: skip
    keys["hosts"]["dhcp"] = {**keys["hosts"]["dhcp"], "kind": "compute"}
    keys["workload"] = {
        "tenants": 2,
        "per_tenant": {"networks": 3, "routers": 2, **keys["workload"]["per_tenant"]},
        "changes": {"vms": {"arrivals": "60/h", "lifetime": "20min"}},
    }
    measured = run_one(**keys)
    inside, outside = brute_force(measured, 10.0)
    values = measure(measured)
    assert values["router.east_west_availability"] == pytest.approx(inside, abs=5e-3)
    address = values["vm.hours_without_address"] * 3600 / measured.leases.vm_seconds()
    found = values["vm.north_south_availability"]
    assert outside - address - 5e-3 <= found <= outside + 5e-3


@pytest.mark.parametrize("hosts", [1, 2, 3, 7])
def test_how_many_vms_are_on_each_host(hosts):
    places = np.arange(hosts)
    for network in range(10):
        for count in range(20):
            where = [vm_place(network, vm, hosts) for vm in range(count)]
            expected = np.bincount(np.array(where, dtype=int), minlength=hosts)
            assert vms_at(np.array(network), np.array(count), places, hosts).tolist() == list(
                expected
            )


# -- load ----------------------------------------------------------------------------------


def loaded(load="900Mbps", **keys):
    keys = system(**keys)
    workload = {**keys["workload"], "traffic": {"per_router": load}}
    return metrics(**{**keys, "segmentation": "vlan", "workload": workload})


def test_the_load_of_floating_ips_does_not_pass_the_network_node():
    values = loaded(failures={"snat-1": outage(1000, OUT)})
    assert values["load.offered"] == approx(900e6)
    assert values["load.carried"] == approx(900e6 * (1 / 3 + 0.9 * 2 / 3))
    assert values["load.hours_below_demand"] == approx(2.4)
    assert values["load.imbalance"] == approx(1.0)


def test_a_compute_host_carries_what_its_own_external_nic_passes():
    """A third of 900 Mbit/s, of which two thirds on compute-2: 100 and 200 through 120 each; the
    data NICs are not on the way."""
    values = loaded(compute={"nics": {"external": "120Mbps", "data": "1Mbps"}})
    assert values["load.carried"] == approx(600e6 + 100e6 + 120e6)
    assert values["load.hours_below_demand"] == approx(24)


def test_without_floating_ips_all_load_passes_the_network_node():
    for keys in ({"floating_ips": 0}, {"mode": "dvr_no_external"}, {"vms": 0}):
        values = loaded(**keys, failures={"snat-1": outage(1000, OUT)})
        assert values["load.carried"] == approx(0.9 * 900e6), keys
