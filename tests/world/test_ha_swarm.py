"""Random systems of highly available routers: invariants, and both ways to make heartbeats."""

from __future__ import annotations

import random

import numpy as np
import pytest
from lab import columns, run_one, scenario
from swarm import random_keys

from simulator.analysis.metrics import measure
from simulator.trace import Kind

RELEASES = ["juno", "kilo", "liberty", "mitaka", "newton", "queens", "train", "2024.1"]


def ha_keys(seed):
    """A random system with one to four network nodes, whose HA network fails as its NICs do."""
    rng, keys = random.Random(seed), random_keys(seed)
    release = keys["release"] = rng.choice(RELEASES)
    keys["neutron"] = {"l3_ha": True}
    if RELEASES.index(release) < RELEASES.index("queens"):
        keys["neutron"]["min_l3_agents_per_router"] = 1
    if RELEASES.index(release) >= RELEASES.index("newton"):
        keys["neutron"]["ha_vrrp_health_check_interval"] = rng.choice(["0s", "5s"])
    keys["hosts"]["n"] = {"kind": "network", "count": rng.randint(1, 4)}
    keys["failures"]["ha_network"] = keys["failures"]["nic"]
    keys["failures"]["host"] = {**keys["failures"]["host"], "orderly": rng.random() < 0.5}
    return {**keys, "actions": [], "seed": seed}


@pytest.mark.parametrize("seed", range(20))
def test_what_holds_of_every_system(seed):
    keys = ha_keys(seed)
    measured = run_one(scenario(**keys))
    other = run_one(scenario(**keys, heartbeats="explicit"))
    assert columns(measured.trace) == columns(other.trace)
    measure(measured)
    causes = measured.router_causes
    assert np.allclose(sum(causes.values()), measured.router_downtime, atol=1e-6)
    assert measured.all_down_by_nodes.length <= measured.all_down.length + 1e-6
    _replicas_alternate(measured.trace)


def _replicas_alternate(trace):
    """Only a backup is promoted, only what was promoted is demoted, and both are there."""
    state = {}
    for kind, agent, router in zip(
        trace.kind.tolist(), trace.subject.tolist(), trace.object.tolist(), strict=True
    ):
        key = agent, router
        if kind == Kind.CONFIGURED:
            state[key] = "backup"
        elif kind == Kind.UNCONFIGURED:
            state.pop(key, None)
        elif kind == Kind.PROMOTED:
            assert state.get(key) == "backup"
            state[key] = "master"
        elif kind == Kind.DEMOTED:
            assert state.get(key) == "master"
            state[key] = "backup"
        elif kind == Kind.FAIL:
            gone = [key for key in state if trace.components.host[key[0]] == agent]
            for key in gone:
                del state[key]
