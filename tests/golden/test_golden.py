"""Whole traces of scripted outages, kept as text: what moved, moved on purpose.

After a change that is meant to move them: `python tests/golden/test_golden.py`, then read the
difference. The only draws in them are placements and phases, from raw Philox words, whose stream
NumPy keeps.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from lab import CONTROLLER, events, network_nodes, outage, run_one, scenario  # noqa: E402

OUTAGES = {
    "network-1": outage(1000, 600),
    "network-1/l3": outage(3000, 10),
    "network-1/dhcp": outage(4000, 100),
    "network-1/l2": outage(5000, 10),
    "network-1/management": outage(6000, 60),
    "network-1/external": outage(7000, 60),
    "controller-1/broker": outage(8000, 300),
    "controller-1/server": outage(9000, 30),
    "uplink/public": outage(10_000, 60),
}
COMMON = {
    "horizon": "3h",
    "failures": OUTAGES,
    "costs": {},
    "workload": {"tenants": 3, "per_tenant": {"vms": 2}},
}
SYSTEMS = {
    "folsom": {"release": "folsom"},
    "grizzly": {
        "hosts": network_nodes(2),
        "broker": {"delay": "50ms"},
        "actions": [
            {"at": "1300s", "op": "create_port", "network": "tenant-1/network-1"},
            {"at": "1300s", "op": "create_port", "network": "tenant-2/network-1"},
            {"at": "1300s", "op": "create_port", "network": "tenant-3/network-1"},
            {"at": "2000s", "op": "add_network_to_agent", "network": "*", "agent": "*/dhcp"},
            {"at": "2100s", "op": "remove_router_from_agent", "router": "*", "agent": "*/l3"},
            {"at": "2200s", "op": "add_router_to_agent", "router": "*", "agent": "*/l3"},
            {"at": "2300s", "op": "update_agent", "agent": "network-2/l3",
             "admin_state_up": False},
            {"at": "2400s", "op": "update_agent", "agent": "network-2/l3",
             "admin_state_up": True},
            {"at": "2500s", "op": "delete_agent", "agent": "network-2/dhcp"},
        ],
    },
    **{
        f"{release}-failover": {
            "release": release,
            "hosts": network_nodes(2),
            "neutron": {"allow_automatic_l3agent_failover": True},
            "broker": {"delay": "50ms"},
        }
        for release in ("juno", "liberty", "2026.2")
    },
    "kilo-ha": {
        "release": "kilo",
        "hosts": network_nodes(3),
        "neutron": {"l3_ha": True},
        "failures": {
            **OUTAGES,
            "network-2": {**outage(1800, 60), "orderly": True},
            "network-3/data": outage(2500, 60),
            "ha_network": outage(9500, 60),
        },
    },
    "mitaka-dvr": {
        "release": "mitaka",
        "neutron": {"router_distributed": True, "allow_automatic_l3agent_failover": True},
        "hosts": {
            **network_nodes(2, agent_mode="dvr_snat"),
            "compute": {"kind": "compute", "count": 2, "agents": ["l3", "l2"], "agent_mode": "dvr"},
        },
        "broker": {"delay": "50ms"},
        "failures": {
            **OUTAGES,
            "compute-1": outage(1500, 300),
            "compute-2/l3": outage(2500, 60),
            "compute-2/external": outage(2700, 60),
        },
        "actions": [
            {"at": "1000s", "op": "update_router", "router": "*"},
            {"at": "3500s", "op": "delete_network", "network": "tenant-2/*"},
            {"at": "3600s", "op": "delete_router", "router": "tenant-2/*"},
        ],
    },
    "nova-network": {
        "release": "nova-network",
        "hosts": {"controller": CONTROLLER, "network": {"kind": "compute", "count": 2}},
        "failures": {k: v for k, v in OUTAGES.items() if k.split("/")[-1] not in
                     ("l3", "dhcp", "l2")} | {"network-1/nova-network": outage(3000, 100)},
    },
}  # fmt: skip


def render(name):
    trace = run_one(scenario(**{**COMMON, **SYSTEMS[name]})).trace
    lines = [f"{t!r:>20} {k:<12} {s:<24} {o}".rstrip() for t, k, s, o in events(trace)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_trace_is_as_it_was(name):
    assert render(name) == (FOLDER / f"{name}.txt").read_text()


if __name__ == "__main__":
    for one in SYSTEMS:
        (FOLDER / f"{one}.txt").write_text(render(one))
