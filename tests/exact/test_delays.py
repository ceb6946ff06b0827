"""How long a node is without what it served, after one scripted outage: simulated and told."""

from __future__ import annotations

import numpy as np
import pytest
from lab import CONTROLLER, FREE, run_one, scenario

from simulator.exact.answer import RefusedError
from simulator.exact.case import Case
from simulator.scenario.series import RELEASES

STATIC = [name for name in RELEASES if name != "nova-network"]
COSTS = {
    **FREE, "boot": "60s", "agent_start": "3s", "rest_call": "1s", "rpc_call": "2s",
    "rewire": "30s", "rebuild_per_router": "7s", "rebuild_per_network": "11s",
}  # fmt: skip


def one_outage(release, **costs):
    """One node down from 1000 to 2000 s; no random delay at the start."""
    options = {"periodic_fuzzy_delay": "0s", "allow_automatic_dhcp_failover": False}
    return scenario(
        release=release,
        horizon="4000s",
        neutron={n: v for n, v in options.items() if n in RELEASES[release].options},
        costs={**COSTS, **costs},
        hosts={"controller": CONTROLLER, "network": {"kind": "network", "count": 1}},
        failures={"network-1": {"outages": [{"at": "1000s", "for": "1000s"}]}},
        workload={"tenants": 13},
    )


def check(places, outages):
    """The mean outage of 13 objects is what the curves say, over 4000 s."""
    share = 1 - places.grid.mean(np.mean(places.present(), axis=0))
    assert outages.owner.size == 13
    assert share * 4000 == pytest.approx(outages.length.mean(), abs=1e-4)


@pytest.mark.parametrize("rewire", ["0s", "30s", "200s"])
@pytest.mark.parametrize("release", STATIC)
def test_every_object_is_back_when_it_is_told_to_be(release, rewire):
    given = one_outage(release, rewire=rewire)
    case, measured = Case(given, given.baseline), run_one(given)
    check(case.routers, measured.history.router_outages)
    check(case.networks, measured.history.network_outages)


@pytest.mark.parametrize("release", STATIC)
def test_the_server_works_on_the_answer_for_routers(release):
    given = one_outage(release, answer_per_router="500ms")
    check(Case(given, given.baseline).routers, run_one(given).history.router_outages)


def test_a_heartbeat_behind_a_sync_is_refused():
    """Grizzly's DHCP agent syncs once its first heartbeat is answered: 6.5 s later here."""
    given = one_outage("grizzly", answer_per_router="500ms")
    with pytest.raises(RefusedError, match="queue behind L3 agents' syncs"):
        assert Case(given, given.baseline).networks
