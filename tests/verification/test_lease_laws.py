"""How many VMs have lost their addresses: the model, the law, and VMs drawn one by one.

A VM renews its lease L at its own server every T1 = L/2, and from T2 = 7L/8 on asks any. Drawn are
20,000 VMs with random phases; by the Dvoretzky-Kiefer-Wolfowitz inequality their shares are nowhere
further from the law than sqrt(ln(2/0.001) / 40,000) = 0.0138, but once in a thousand draws.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from lab import CONTROLLER, FREE, run_one

LEASE, BEGIN = 1000.0, 2000.0
VMS, ALPHA = 20_000, 1e-3
BOUND = math.sqrt(math.log(2 / ALPHA) / (2 * VMS))


def share(begins, time):
    """The model's share of VMs without an address, *time* after the first of the servers ended."""
    return vm_seconds(begins, BEGIN + time + 0.5) - vm_seconds(begins, BEGIN + time - 0.5)


def vm_seconds(begins, horizon):
    """VM-seconds without an address, per VM, with a DHCP server for each that *begins* to fail."""
    hosts = {f"dhcp{i}": {"kind": "network", "count": 1, "agents": ["dhcp", "l2"]}
             for i in range(1, len(begins))}  # fmt: skip
    names = ["network-1", *(f"{name}-1" for name in hosts)]
    measured = run_one(
        release="folsom",
        horizon=f"{horizon}s",
        neutron={"dhcp_lease_duration": f"{LEASE}s"},
        costs=FREE,
        hosts={"controller": CONTROLLER, "network": {"kind": "network", "count": 1}, **hosts},
        workload={"tenants": 1, "per_tenant": {"vms": 1}},
        failures={
            f"{name}/data": {"outages": [{"at": f"{BEGIN + begin}s", "for": "1d"}]}
            for name, begin in zip(names, begins, strict=True)
        },
    )
    return measured.leases.without_address()


@pytest.mark.parametrize("time", [400, 510, 600, 750, 900, 990, 1200])
def test_with_one_server_none_are_lost_for_half_a_lease_and_all_after_a_whole(time):
    law = np.clip((time - LEASE / 2) / (LEASE / 2), 0, 1)
    ages = np.random.default_rng(1).uniform(0, LEASE / 2, VMS)
    assert share([0], time) == pytest.approx(law, abs=1e-6)
    assert np.mean(LEASE - ages <= time) == pytest.approx(law, abs=BOUND)


@pytest.mark.parametrize("time", [600, 700, 800, 950, 1100, 1250, 1400, 1490, 1600])
def test_with_two_servers_those_are_saved_that_rebind_before_the_second_ends(time):
    """The second ends half a lease after the first; a quarter of that one's VMs are its by then."""
    x = time / LEASE
    first = np.clip(2 * x - 5 / 4, 0, 3 / 4) + np.clip((x - 11 / 8) / (1 / 8), 0, 1) / 4
    second = np.clip((x - 1) / (1 / 2), 0, 1)
    rng = np.random.default_rng(2)
    ages, of_first = rng.uniform(0, LEASE / 2, VMS), rng.random(VMS) < 0.5
    rebinds = 7 / 8 * LEASE - ages
    saved = rebinds < LEASE / 2
    of_first_lost = np.where(saved, rebinds + LEASE, LEASE - ages)
    lost = np.where(of_first, of_first_lost, LEASE / 2 + LEASE - ages)
    law = (first + second) / 2
    assert share([0, LEASE / 2], time) == pytest.approx(law, abs=1e-6)
    assert np.mean(lost <= time) == pytest.approx(law, abs=BOUND)
