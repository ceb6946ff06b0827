"""The DHCP port of a network passes on with its address, so its VMs keep their server.

Leases of 400 s, renewed from 200 s (T1) on at the VM's own server, from 350 s (T2) on at any.
"""

from __future__ import annotations

import pytest
from lab import events, network_nodes, outage, run_one

from simulator.analysis.dhcp_ports import by_port
from simulator.trace import Kind

FOR_EVER = 80_000
NETWORK = "tenant-1/net-1"


def served(release, count=2, vms=10, **keys):
    """A run of one network with *vms* VMs on *count* nodes."""
    return run_one(
        release=release,
        hosts=network_nodes(count),
        workload={"tenants": 1, "per_tenant": {"vms": vms}},
        **{**keys, "neutron": {"dhcp_lease_duration": "400s", **keys.get("neutron", {})}},
    )


def bound(measured, kind=Kind.BOUND):
    """(time, node) of each binding of the network to a DHCP agent."""
    found = events(measured.trace, kind)
    return [(time, a.partition("/")[0]) for time, _, a, _ in found if a.endswith("/dhcp")]


def holders(release, count=2, **keys):
    """The nodes, those that have the network at first before the others."""
    first = [node for _, node in bound(served(release, count, **keys))]
    return [*first, *({f"network-{i + 1}" for i in range(count)} - set(first))]


def by_hand(at, op, node):
    return {"at": f"{at}s", "op": op, "network": "*", "agent": f"{node}/dhcp"}


def take(at, node):
    return by_hand(at, "remove_network_from_agent", node)


def give(at, node):
    return by_hand(at, "add_network_to_agent", node)


def test_after_a_failover_the_new_agent_has_the_old_address():
    """One node is down from 100 s on, the network moved at m, before 275 s; the other's data NIC is
    down from 275 to 1075 s. Renewed last in [-100, 100), all by then are due from 200 s later on:

    - before m - 200: renewed at m, without an address from m + 400 to 1075 s;
    - then, before 75: renewed at their T1, and so without one from 500 s + their T1 - 100 s on;
    - 75 to 100: never renewed, without one from 475 to 500 s on: 587.5 s each on average.
    """
    first, other = holders("2026.2", vms=1000)
    measured = served(
        "2026.2", vms=1000,
        failures={first: outage(100, FOR_EVER), f"{other}/data": outage(275, 800)},
    )  # fmt: skip
    _, (moved, node) = bound(measured)
    assert node == other
    assert 200 < moved < 275
    at_once, later, never = (moved - 100) / 200, (275 - moved) / 200, 25 / 200
    assert at_once + later + never == 1
    expected = (
        at_once * (1075 - (moved + 400)) + later * (1075 - (moved + 275) / 2 - 400) + never * 587.5
    )
    assert measured.leases.without_address() == pytest.approx(1000 * expected, rel=1e-9)


MOVED, STRANGER = 750.0, 2100.0


@pytest.mark.parametrize(
    ("release", "expected"),
    [("grizzly", STRANGER), ("icehouse", STRANGER), ("juno", MOVED), ("2026.2", MOVED)],
)
def test_a_network_moved_by_hand(release, expected):
    """Down from 1000 s on; moved at 1100 s; the other's data NIC is out from 1110 to 1510 s.

    Renewed in [800, 1000). With the old address: half are due at 1100 and renewed then, until 1500:
    10 s each; 5 % are renewed in [1100, 1110): 5 s each; 45 %, of [910, 1000), lose theirs in
    [1310, 1400): 155 s each. A stranger is asked from 1150 s on, when it is out: all lose theirs in
    [1200, 1400): 210 s each.
    """
    first, other = holders(release)
    measured = served(
        release,
        actions=[take(1100, first), give(1100, other)],
        failures={first: outage(1000, FOR_EVER), f"{other}/data": outage(1110, 400)},
    )
    assert bound(measured)[1:] == [(1100, other)]
    assert measured.leases.without_address() == pytest.approx(expected, abs=1e-9)


def test_a_deleted_agent_leaves_its_port_behind():
    """As above, but the agent that has the network is deleted: nobody reserves its port."""
    first, other = holders("2026.2")
    delete = {"at": "1100s", "op": "delete_agent", "agent": f"{first}/dhcp"}
    measured = served(
        "2026.2",
        actions=[delete, give(1100, other)],
        failures={first: outage(1000, FOR_EVER), f"{other}/data": outage(1110, 400)},
    )
    assert bound(measured)[1:] == [(1100, other)]
    assert measured.leases.without_address() == pytest.approx(STRANGER, abs=1e-9)


def test_two_that_have_one_address_are_one_server():
    """The first's agent is dead from 1000 s on, its dnsmasq goes on, and its host goes at 1200 s.
    The other, which has the network since 1100 s, is out from 1250 to 1550 s: 100^2 / 400 each."""
    first, other = holders("2026.2")
    measured = served(
        "2026.2",
        actions=[take(1100, first), give(1100, other)],
        failures={
            f"{first}/dhcp": outage(1000, FOR_EVER),
            first: outage(1200, FOR_EVER),
            f"{other}/data": outage(1250, 300),
        },
    )
    assert measured.leases.without_address() == pytest.approx(10 * 100**2 / 400, abs=1e-9)


def ports(measured):
    """The number of the port of each server, by when it began."""
    rows = by_port(measured.history)
    return [rows.node[i] for i in rows.start.argsort(kind="stable")]


def test_the_port_given_up_first_is_taken_first():
    """Two of four nodes serve: b is given up at 1000 s, a at 1010 s. Who comes at 1020 s has b's
    address, who comes at 1030 s has a's, and b, back at 1040 s, gets one of its own."""
    keys = {"neutron": {"dhcp_agents_per_network": 2}}
    a, b, c, d = holders("2026.2", 4, **keys)
    measured = served(
        "2026.2", 4, **keys,
        actions=[take(1000, b), take(1010, a), give(1020, c), give(1030, d), give(1040, b)],
    )  # fmt: skip
    one, two, third, fourth, fifth = ports(measured)
    assert {one, two} == {third, fourth}
    assert fifth not in {one, two}
    rows = by_port(measured.history)
    ends = {float(end): int(node) for node, end in zip(rows.node, rows.end, strict=True)}
    assert third == ends[1000.0]
    assert fourth == ends[1010.0]


def test_an_agent_that_has_its_network_back_has_its_port_back():
    first, _ = holders("2026.2")
    measured = served("2026.2", actions=[take(1000, first), give(2000, first)])
    assert len(set(ports(measured))) == 1


def test_nobody_takes_a_port_that_is_in_use():
    first, other = holders("2026.2")
    measured = served("2026.2", actions=[give(2000, other)])
    assert len(set(ports(measured))) == 2
    assert first != other


def test_the_habit_can_be_chosen_against_the_release():
    """Nine networks lose a node for good, then the other: strangers are asked at T2 only."""
    hours = []
    for reserved in (True, False):
        measured = run_one(
            release="kilo",
            hosts=network_nodes(2),
            neutron={"dhcp_lease_duration": "1h"},
            workload={"tenants": 9, "per_tenant": {"vms": 4}},
            failures={"network-1": outage(3000, 40000), "network-2": outage(5400, 1500)},
            behaviour={"dhcp_ports_reserved": reserved},
        )
        hours.append(measured.leases.without_address())
    assert hours[0] < hours[1]
