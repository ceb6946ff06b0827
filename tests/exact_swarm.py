"""Random Markovian systems for exact answers: one seed, one system whose bindings stay."""

from __future__ import annotations

import random

from lab import CONTROLLER, FREE

from simulator.scenario.series import RELEASES

STATIC = [name for name in RELEASES if name != "nova-network"]
HORIZON = 15 * 86400.0
SINCE_TRAIN = STATIC[STATIC.index("train") :]


def exponential(rng, up, down):
    """Failures with means drawn around *up* and *down*, s."""
    means = {"time_to_failure": up, "time_to_repair": down}
    return {
        name: {"exponential": {"mean": f"{mean * rng.uniform(0.5, 2)}s"}}
        for name, mean in means.items()
    }


def markovian_keys(seed):
    """The keys of a scenario: exponential laws, no failover; costs of nothing, or fixed ones.

    With fixed costs agents do not fail; without, they may, and hosts too.
    """
    rng = random.Random(f"markovian {seed}")
    release, slow = rng.choice(STATIC), rng.random() < 0.5
    options = RELEASES[release].options
    providers = 1 if rng.random() < 0.5 else 2
    return {
        "release": release,
        "start": "equilibrium" if slow else rng.choice(["equilibrium", "equilibrium", "all_up"]),
        "horizon": f"{HORIZON}s",
        "warm_up": rng.choice(["0s", "0s", "100000s"]),
        "hosts": _hosts(rng, split=providers == 2 and release not in SINCE_TRAIN),
        "neutron": _neutron(rng, options, slow),
        "failures": _failures(rng, slow),
        "costs": {**FREE, **(_slow(rng) if slow else {})},
        "external_networks": {name: {} for name in ("isp-a", "isp-b")[:providers]},
        "workload": _workload(rng, providers),
        "measures": {"conflicted_counts_as": rng.choice(["down", "up"])},
    }


def _hosts(rng, *, split):
    """Network nodes; *split*: each L3 agent must name its provider."""
    mine = ({"gateway_external_network_id": isp} if split else {} for isp in ("isp-a", "isp-b"))
    hosts = {"c": CONTROLLER, "n": {"kind": "network", "count": rng.randint(1, 4), **next(mine)}}
    if split or rng.random() < 0.3:
        agents = {"agents": ["l3", "dhcp"]} if rng.random() < 0.7 else {}
        hosts["m"] = {"kind": "network", "count": rng.randint(1, 2), **agents, **next(mine)}
    if rng.random() < 0.3:
        hosts["d"] = {"kind": "network", "count": 1, "agents": ["dhcp", "l2"]}
    return hosts


def _neutron(rng, options, slow):
    chosen = {}
    if "allow_automatic_dhcp_failover" in options:
        chosen["allow_automatic_dhcp_failover"] = False
    if "periodic_fuzzy_delay" in options:
        chosen["periodic_fuzzy_delay"] = rng.choice(["0s", "5s"]) if slow else "0s"
    if "dhcp_agents_per_network" in options:
        chosen["dhcp_agents_per_network"] = rng.randint(1, 2)
    if "router_scheduler_driver" in options and rng.random() < 0.3:
        chosen["router_scheduler_driver"] = "ChanceScheduler"
    return chosen


def _failures(rng, slow):
    found = {"host.network": exponential(rng, 36_000, 3600)}
    if rng.random() < 0.2:
        del found["host.network"]
    for part in ("nic.data", "nic.external", "uplink", "n-1"):
        if rng.random() < 0.3:
            found[part] = exponential(rng, 60_000, 3000)
    for agent in () if slow else ("l3", "dhcp", "l2"):
        if rng.random() < 0.5:
            found[f"agent.{agent}"] = exponential(rng, 30_000, 4000)
    return found


def _slow(rng):
    return {
        "boot": rng.choice(["0s", "60s"]),
        "agent_start": "3s",
        "rest_call": "1s",
        "rpc_call": rng.choice(["0s", "2s"]),
        "rewire": rng.choice(["0s", "30s"]),
        "rebuild_per_router": rng.choice(["0s", "40s"]),
        "rebuild_per_network": rng.choice(["0s", "25s"]),
    }


def _workload(rng, providers):
    one, two = [{"isp-a": 1}, {"isp-a": 2}], [{"isp-a": 1, "isp-b": 1}, {"isp-b": 2}]
    routers = rng.choice(one if providers == 1 else two)
    per_tenant = {"routers": routers, "networks": 2, "gateway": rng.random() < 0.8}
    traffic = {"per_router": "1Mbps"} if rng.random() < 0.7 else {}
    return {"tenants": rng.choice([1, 3, 8]), "per_tenant": per_tenant, "traffic": traffic}
