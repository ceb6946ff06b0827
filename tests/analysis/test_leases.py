"""Leases in closed form for one server, against VMs counted one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lab import FREE, outage, run_one, scenario

from simulator.analysis.measured import Measured
from simulator.trace import Kind, Sort


def one_by_one(outages, *, lease, regain, end, count=20_000):
    """Average seconds without address of *count* VMs whose renewals are evenly spread.

    Each VM last renewed u in [0, L/2] before an outage began; it loses its address when the lease
    ends before DHCP is back, and has one again *regain* later. Outages lie far apart.
    """
    ages = (np.arange(count) + 0.5) / count * lease / 2
    total = np.zeros(count)
    for begin, stop in outages:
        loses = begin + lease - ages
        lost = loses < stop
        total += np.where(lost, np.minimum(stop + regain, end) - loses, 0.0)
    return total.mean()


@pytest.mark.parametrize("lease", [120, 300])
@pytest.mark.parametrize("lengths", [[50], [90], [119, 121], [500, 30, 4000]])
def test_closed_form_equals_vms_one_by_one(lease, lengths):
    spans = [(1000.0 + 10_000 * i, 1000.0 + 10_000 * i + s) for i, s in enumerate(lengths)]
    measured = run_one(
        release="folsom",
        neutron={"dhcp_lease_duration": f"{lease}s"},
        costs={**FREE, "address_regain": "15s"},
        workload={"tenants": 1, "per_tenant": {"vms": 1}},
        failures={
            "network-1/data": {"outages": [{"at": f"{a}s", "for": f"{b - a}s"} for a, b in spans]}
        },
    )
    expected = one_by_one(spans, lease=lease, regain=15, end=86400)
    assert measured.leases.without_address() == pytest.approx(expected, abs=0.02)


def test_walking_step_by_step_agrees_with_the_closed_form():
    """The path for networks whose VMs change gives the same where they do not change."""
    given = scenario(
        start="equilibrium",
        horizon="30d",
        hosts={"controller": {"kind": "controller", "count": 1},
               "network": {"kind": "network", "count": 2}},
        costs={**FREE, "address_regain": "20s"},
        workload={"tenants": 20, "per_tenant": {"vms": 3}},
        failures={"nic.data": {"time_to_failure": "2h", "time_to_repair": {
            "exponential": {"mean": "3min"}}}},
    )  # fmt: skip
    measured = run_one(given)
    plain = measured.leases.without_address()
    assert plain > 0
    walked = Measured(with_idle_changes(measured.trace), measured.context).leases
    assert walked.without_address() == pytest.approx(plain, rel=1e-12)


def with_idle_changes(trace):
    """*trace* with one more event for each network: at its begin, no VM comes or goes."""
    networks = np.flatnonzero(trace.objects.sort == Sort.NETWORK)
    none = np.zeros(networks.size)
    more = {
        "time": none,
        "kind": none + Kind.VMS,
        "subject": none - 1,
        "object": networks,
        "value": none,
    }
    whole = {name: np.append(getattr(trace, name), column) for name, column in more.items()}
    order = np.lexsort((whole["object"], whole["subject"], whole["kind"], whole["time"]))
    columns = {
        name: column[order].astype(getattr(trace, name).dtype) for name, column in whole.items()
    }
    return replace(trace, **columns)


def test_a_vm_that_comes_during_an_outage_has_no_address_until_it_ends():
    """VMs come at 60/h; DHCP is gone for the last 10 h: every one that comes then counts whole.

    Those that came within 10 renewals before lose theirs 120 s after their own last renewal, a
    multiple of 60 s after they came; the others 90 s into the outage, on average.
    """
    measured = run_one(
        release="folsom",
        horizon="20h",
        workload={"tenants": 1, "per_tenant": {"vms": 0}, "changes": {
            "vms": {"arrivals": "60/h"}}},
        failures={"network-1/data": outage(10 * 3600, 36_000)},
    )  # fmt: skip
    changes = measured.trace.of(Kind.VMS).time.tolist()
    old = sum(1 for t in changes if t < 36_000 - 600)
    ages = [(36_000 - t) % 60 for t in changes if 36_000 - 600 <= t < 36_000]
    late = sum(72_000 - t for t in changes if t >= 36_000)
    assert old > 400
    assert len(ages) > 3
    assert measured.leases.without_address() == pytest.approx(
        old * (36_000 - 90) + sum(36_000 - 120 + age for age in ages) + late, rel=1e-12
    )


def test_a_second_outage_finds_those_that_have_not_regained():
    """Regaining takes 1000 s; out 0-300, back for 100 s, out again for 300 s."""
    measured = run_one(
        release="folsom",
        costs={**FREE, "address_regain": "1000s"},
        workload={"tenants": 1, "per_tenant": {"vms": 1}},
        failures={
            "network-1/data": {
                "outages": [{"at": "1000s", "for": "300s"}, {"at": "1400s", "for": "300s"}]
            }
        },
    )
    # Lost on average 90 s into the first outage, kept until 1700 + 1000 s.
    assert measured.leases.without_address() == pytest.approx(30 + 180 + 100 + 300 + 1000)
