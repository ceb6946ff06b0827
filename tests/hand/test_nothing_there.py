"""Systems without routers, networks or a host that is ever up: numbers or reasons, no crash."""

from __future__ import annotations

import pytest
from lab import CONTROLLER, network_nodes, scenario

from simulator.analysis.report import html, markdown, text
from simulator.experiment.runner import run

RELEASES = ("folsom", "grizzly", "nova-network")
COMPUTE = {"controller": CONTROLLER, "compute": {"kind": "compute", "count": 1}}


def result(release, **keys):
    """Two replications of a day, with every table, report and picture made."""
    found = run(
        scenario(
            hosts=COMPUTE if release == "nova-network" else network_nodes(),
            variants={"one": {"release": release}, "two": {"release": release}},
            **keys,
        ),
        replications=2,
        jobs=1,
        trace_replication=0,
    )
    for table in ("summary", "differences", "frame", "objects", "events"):
        getattr(found, table)
    assert all(write(found, everything=True) for write in (text, markdown, html))
    for picture in (found.plot(), found.plot_outages()):
        picture.canvas.draw()
    return {metric: found.estimate(metric, "one") for metric in found.samples["one"].values}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    "workload",
    [{"tenants": 0}, {"tenants": 2, "per_tenant": {"networks": 0, "routers": 0}}],
    ids=["no tenants", "tenants with nothing"],
)
def test_without_networks_and_routers_there_are_reasons(release, workload):
    values = result(release, workload=workload)
    for metric in ("router.availability", "router.all_down_time_by_nodes", "network.availability"):
        assert values[metric].mean is None
        assert values[metric].reason
    assert values["vm.hours_without_address"].reason == "no VMs"


@pytest.mark.parametrize("release", ["folsom", "grizzly"])
def test_a_host_that_is_never_up_serves_nothing(release):
    """Down from 0 s to the end: availability 0, all of it for the host, by nodes, and no onset."""
    failures = {"network-1": {"outages": [{"at": "0s", "for": "1d"}]}}
    values = result(release, failures=failures)
    assert values["router.availability"].mean == 0.0
    assert values["network.availability"].mean == 0.0
    assert values["tenant.availability"].mean == 0.0
    assert values["router.downtime_host"].mean == 1.0
    assert values["router.all_down_time"].mean == 86400.0
    assert values["router.all_down_time_by_nodes"].mean == 86400.0
    assert values["router.blast_radius_mean"].reason == "no failure stopped a router"
    assert values["failover.moves"].mean == 0.0


def test_under_nova_network_a_host_that_is_never_up_cuts_its_own_vms():
    """One compute host of one, down all the time: its VMs reach nothing. Those that were there at
    the start keep their address for 60 to 120 s."""
    values = result(
        "nova-network",
        workload={"tenants": 1, "per_tenant": {"vms": 4}},
        failures={"compute-1": {"outages": [{"at": "0s", "for": "1d"}]}},
    )
    assert values["vm.north_south_availability"].mean == 0.0
    assert values["vm.hours_without_address"].mean == pytest.approx(4 * (24 - 90 / 3600))
