"""Random valid systems: one seed, one system, with everything failing often."""

from __future__ import annotations

import random

from lab import CONTROLLER

from simulator.scenario.series import DRIVERS, RELEASES, behaviours


def random_keys(seed):
    """The keys of a scenario of one simulated hour in which all kinds of things go wrong."""
    rng = random.Random(seed)
    release = rng.choice([*["grizzly"] * 10, *["folsom"] * 5, *["nova-network"] * 5, *LATER])
    hosts = {
        "c": {**CONTROLLER, "count": rng.randint(1, 2)},
        "n": {"kind": "network", "count": rng.randint(1, 3)},
        "k": {"kind": "compute", "count": rng.randint(1, 2)},
    }
    if release == "nova-network":
        del hosts["n"]
    elif rng.random() < 0.3:
        hosts["d"] = {"kind": "network", "count": 1, "agents": ["dhcp", "l2", "lbaas"]}
    return {
        "horizon": "3600s",
        "release": release,
        "start": rng.choice(["equilibrium", "all_up"]),
        "components": rng.choice(["default", "article"]),
        "segmentation": rng.choice(["gre", "vlan"]),
        "hosts": hosts,
        "failures": _failures(rng),
        "neutron": _neutron(rng, release),
        "broker": _broker(rng),
        "costs": _costs(rng),
        "workload": _workload(rng),
        "actions": _ACTIONS if RELEASES[release].has_scheduler and rng.random() < 0.7 else [],
    }


def waiting_keys(seed):
    """As `random_keys` or those below, of a server that needs time for each heartbeat."""
    rng = random.Random(f"waiting {seed}")
    keys = rng.choice([_timed_keys, _timed_keys, mixed_keys, distributed_keys])(seed)
    if rng.random() < 0.5:
        keys["failures"] = {part: keys["failures"][part] for part in ("agent", "nic")}
    return {**keys, "costs": {**keys["costs"], "heartbeat": rng.choice(_SERVICE)}}


def _timed_keys(seed):
    """As `random_keys`, of any release with heartbeats."""
    rng = random.Random(f"timed {seed}")
    release = rng.choice(["grizzly", *LATER])
    given = random_keys(seed)
    hosts = {**given["hosts"], "n": {"kind": "network", "count": rng.randint(1, 3)}}
    neutron = _neutron(rng, release)
    return {**given, "release": release, "hosts": hosts, "neutron": neutron}


_SERVICE = [
    "1ms",
    "50ms",
    "1s",
    "3s",
    {"exponential": {"mean": "50ms"}},
    {"exponential": {"mean": "500ms"}},
    {"exponential": {"mean": "2s"}},
    {"lognormal": {"median": "200ms", "sigma": 1.2}},
]
LATER = list(RELEASES)[3:]
WITH_DVR = LATER[LATER.index("juno") :]


def mixed_keys(seed):
    """As `random_keys`, of a release some of whose rules and habits are those of others."""
    rng = random.Random(f"mixed {seed}")
    keys, known = random_keys(seed), behaviours()
    chosen = rng.sample(sorted(known), rng.randint(1, 6))
    behaviour = {name: rng.choice(known[name]) for name in chosen}
    return {
        **keys,
        "release": rng.choice(LATER),
        "hosts": {**keys["hosts"], "n": {"kind": "network", "count": rng.randint(1, 3)}},
        "neutron": {},
        "behaviour": {n: list(v) if isinstance(v, tuple) else v for n, v in behaviour.items()},
    }


def distributed_keys(seed):
    """As `random_keys`, of releases that have distributed routers, with such."""
    rng = random.Random(f"distributed {seed}")
    keys, release = random_keys(seed), rng.choice(WITH_DVR)
    local = {"kind": "compute", "agents": ["l3", "l2"]}
    del keys["workload"]["changes"]["floating_ips"]
    keys["workload"]["per_tenant"]["floating_ips"] = rng.choice([0, 1, 2, 9])
    return {
        **keys,
        "release": release,
        "hosts": {
            "c": {**CONTROLLER, "count": rng.randint(1, 2)},
            "n": {"kind": "network", "count": rng.randint(1, 3), "agent_mode": "dvr_snat"},
            "k": {**local, "count": rng.randint(1, 3), "agent_mode": "dvr"},
            "x": {**local, "count": rng.randint(1, 2), "agent_mode": _other_mode(release)},
        },
        "neutron": {**_neutron(rng, release), "router_distributed": True},
        "actions": _ACTIONS + _ON_COMPUTE if rng.random() < 0.7 else [],
    }


def _other_mode(release):
    return "dvr_no_external" if LATER.index(release) >= LATER.index("queens") else "dvr"


def _neutron(rng, release):
    if release == "folsom":
        return {}
    has = RELEASES[release].options
    chosen = dict(rng.choice(_TIMINGS))
    for name, values in _CHOICES.items():
        value = rng.choice(values)
        known = name in has and DRIVERS.get(value, release) in list(RELEASES)[: _place(release)]
        if value is not None and known:
            chosen[name] = value
    return chosen


def _place(release):
    return list(RELEASES).index(release) + 1


_CHOICES = {
    "allow_automatic_l3agent_failover": [True, True, None],
    "allow_automatic_dhcp_failover": [False, None, None],
    "dhcp_agents_per_network": [2, None],
    "rpc_response_timeout": ["10s", None],
    "rpc_state_report_workers": [0, None],
    "rpc_workers": [0, 2, None],
    "network_scheduler_driver": ["ChanceScheduler", "WeightScheduler", "AZAwareWeightScheduler"],
    "router_scheduler_driver": ["LeastRoutersScheduler", "AZLeastRoutersScheduler", None],
    "network_auto_schedule": [False, None, None, None],
    "enable_services_on_agents_with_admin_state_down": [True, None],
}


def _costs(rng):
    return {
        **rng.choice([{}, {"boot": "20s", "agent_start": "3s"}, {"rpc_call": "2s"}]),
        "answer_per_router": rng.choice(["0s", "4ms", "2s"]),
        "reschedule": rng.choice(["0s", "100ms", "3s"]),
    }


_TIMINGS = [
    {},
    {"report_interval": "4s", "agent_down_time": "9s"},
    {"report_interval": "4s", "agent_down_time": "20s"},
    {"report_interval": "30s", "agent_down_time": "75s"},
    {"report_interval": "4.1s", "agent_down_time": "3s"},
]

_ACTIONS = [
    {"at": "1000s", "op": "add_network_to_agent", "network": "*", "agent": "*/dhcp"},
    {"at": "1200s", "op": "remove_router_from_agent", "router": "tenant-1/*", "agent": "n-*/l3"},
    {"at": "1300s", "op": "add_router_to_agent", "router": "tenant-1/*", "agent": "n-*/l3"},
    {"at": "1500s", "op": "delete_agent", "agent": "n-1/l3"},
    {"at": "1600s", "op": "agent_stop", "agent": "n-1/dhcp"},
    {"at": "1700s", "op": "agent_start", "agent": "n-1/dhcp"},
    {"at": "2000s", "op": "update_agent", "agent": "n-1/l3", "admin_state_up": False},
    {"at": "2300s", "op": "update_agent", "agent": "n-1/l3", "admin_state_up": True},
    {"at": "2500s", "op": "delete_network", "network": "tenant-2/*"},
    {"at": "2600s", "op": "delete_router", "router": "tenant-3/*"},
]


_ON_COMPUTE = [
    {"at": "1400s", "op": "delete_agent", "agent": "k-1/l3"},
    {"at": "1900s", "op": "update_agent", "agent": "k-*/l3", "admin_state_up": False},
    {"at": "2400s", "op": "update_agent", "agent": "k-*/l3", "admin_state_up": True},
]


def _failures(rng):
    failures = {
        "host": _cycle(rng, 2000, 200),
        "agent": _cycle(rng, 900, 20),
        "nic": _cycle(rng, 1500, 60),
        "uplink": _cycle(rng, 2000, 100),
    }
    for part in ("server", "broker", "database"):
        if rng.random() < 0.7:
            failures[part] = _cycle(rng, 1500, rng.choice([3, 30, 300]))
    return failures


def _cycle(rng, up, down):
    return {"time_to_failure": _law(rng, up), "time_to_repair": _law(rng, down)}


def _law(rng, mean):
    mean *= rng.uniform(0.3, 1)
    return rng.choice(
        [
            {"exponential": {"mean": f"{mean}s"}},
            {"weibull": {"shape": 0.7, "mean": f"{mean}s"}},
            {"lognormal": {"mean": f"{mean}s", "sigma": 1.0}},
            f"{round(mean) + 1}s",
        ]
    )


def _broker(rng):
    broker = {}
    if rng.random() < 0.6:
        broker["delay"] = rng.choice(
            [
                "50ms",
                "1.5s",
                {"exponential": {"mean": "300ms"}},
                {"exponential": {"mean": "3s"}},
                {"lognormal": {"median": "200ms", "sigma": 1.2}},
            ]
        )
    if rng.random() < 0.4:
        broker["loss"] = rng.choice([0.001, 0.05, 0.3])
    return broker


def _workload(rng):
    return {
        "tenants": 5,
        "per_tenant": {"routers": rng.choice([1, 2]), "vms": rng.choice([0, 3])},
        "traffic": {"per_router": rng.choice(["100Mbps", "1Gbps", _SPREAD])},
        "changes": {
            "tenants": {"arrivals": "20/h", "lifetime": "600s"},
            "vms": {"arrivals": "60/h", "lifetime": "300s"},
            "floating_ips": {"arrivals": "20/h"},
            "networks": {"arrivals": "5/h", "lifetime": "900s"},
            "routers": {"arrivals": "9/h"},
            "ports": {"arrivals": "9/h", "lifetime": "100s"},
        },
    }


_SPREAD = {"lognormal": {"mean": "400Mbps", "sigma": 1.0}}
