"""control.availability: each object that is asked for counts once, refused or not."""

from __future__ import annotations

import pytest
from lab import events, metrics, outage, run_one

from simulator.trace import Kind

DOWN = {"controller-1/server": outage(86400, 5 * 86400)}
KEYS = {"horizon": "10d", "failures": DOWN}


def arrivals(sort, **per_tenant):
    changes = {sort: {"arrivals": "10/h"}}
    return {"tenants": 1, "per_tenant": per_tenant, "changes": changes}


def asked(measured):
    """Requests that were refused, and that were made, each placed or not."""
    requests = measured.trace.of(Kind.REQUEST)
    return int((requests.object < 0).sum()), int((requests.object >= 0).sum())


@pytest.mark.no_cover
def test_a_refused_tenant_counts_with_all_that_it_would_have_brought():
    """A tenant brings a router and 5 networks: 6 requests, refused or placed. 2400 arrivals in 10
    days, half of them while the server is down; sqrt(2400) / 2 / 2400 is 1 %."""
    measured = run_one(**KEYS, workload=arrivals("tenants", networks=5, vms=1))
    refused, made = asked(measured)
    assert refused % 6 == made % 6 == 0
    assert (refused + made) / 6 == pytest.approx(2400, abs=4 * 49)
    values = metrics(**KEYS, workload=arrivals("tenants", networks=5, vms=1))
    assert values["control.availability"] == made / (refused + made)
    assert values["control.availability"] == pytest.approx(0.5, abs=0.04)


@pytest.mark.no_cover
def test_a_tenants_router_with_a_gateway_counts_alone_where_its_networks_get_no_port():
    """Networks without VMs and ports meet no trigger: one request a tenant."""
    measured = run_one(**KEYS, workload=arrivals("tenants", networks=5, vms=0))
    refused, made = asked(measured)
    created = [e for e in events(measured.trace, Kind.CREATED) if "router" in e[3] and e[0] > 0]
    assert made == len(created)
    assert refused + made == pytest.approx(2400, abs=4 * 49)


@pytest.mark.parametrize(("networks", "each"), [(2, 2), (0, 0)])
def test_routers_without_a_gateway_meet_their_trigger_at_an_interface(networks, each):
    """Three routers without a gateway, two networks, no VMs: two routers get an interface."""
    work = arrivals("tenants", networks=networks, vms=0, routers=3, gateway=False, floating_ips=0)
    measured = run_one(**KEYS, workload=work)
    refused, made = asked(measured)
    created = [e for e in events(measured.trace, Kind.CREATED) if "router-1" in e[3] and e[0] > 0]
    assert made == each * len(created)
    assert (refused > 0) == (each > 0)


@pytest.mark.parametrize("release", ["grizzly", "folsom"])
def test_networks_without_a_port_ask_for_nothing(release):
    values = metrics(**KEYS, release=release, workload=arrivals("networks"))
    why = {
        "grizzly": "nothing that was created met its first trigger",
        "folsom": "this release has no scheduler",
    }
    assert values["control.availability"] == why[release]


def test_a_router_that_is_refused_counts_once():
    """10/h for 10 days with gateways; the server is down for half of them."""
    measured = run_one(**KEYS, workload=arrivals("routers"))
    refused, made = asked(measured)
    assert made == len([e for e in events(measured.trace, Kind.CREATED) if e[0] > 0])
    assert refused + made == pytest.approx(2400, abs=4 * 49)
