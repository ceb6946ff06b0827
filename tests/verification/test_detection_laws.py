"""How long it takes to see a dead agent, and to move its routers: simulated against derived.

Each law is tested by Kolmogorov and Smirnov at a level of 0.1 %, on hundreds of independent phases;
a wrong interval, limit or period of a few percent fails.
"""

from __future__ import annotations

import numpy as np
import pytest
from lab import events, network_nodes, outage, replicate, run_one
from scipy import stats

from simulator.trace import Kind
from simulator.validation.timing import rescheduled

pytestmark = pytest.mark.no_cover

LEVEL = 1e-3


@pytest.mark.parametrize(
    ("release", "low", "high"),
    [("grizzly", 1, 5), ("havana-2013.2.1", 5, 9), ("havana", 45, 75), ("2026.2", 45, 75)],
)
def test_a_dead_agent_is_down_after_its_limit_less_its_phase(release, low, high):
    """agent_down_time - U(0, report_interval): 250 hosts with two or three agents fail at once."""
    measured = run_one(
        release=release,
        horizon="1h",
        hosts=network_nodes(250, agents=["l3", "dhcp"]),
        workload={"tenants": 1},
        failures={"host.network": outage(2000, 900)},
    )
    found = measured.detections
    assert found.size == 500
    assert stats.kstest(found, stats.uniform(low, high - low).cdf).pvalue > LEVEL


def test_juno_moves_routers_after_twice_the_limit_and_up_to_a_period():
    """120 to 187 s after a crash, 153.5 s on average."""
    keys = {
        "release": "juno",
        "neutron": {"allow_automatic_l3agent_failover": True},
        "horizon": "2000s",
        "hosts": network_nodes(2),
        "workload": {"tenants": 6},
        "failures": {"network-1": outage(1000, 900)},
    }
    found = np.array([
        min(times)
        for measured in replicate(250, **keys)
        if (times := [t - 1000 for t, *_ in events(measured.trace, Kind.BOUND) if t > 1000])
    ])  # fmt: skip
    assert found.size > 235  # one in 64 has no router on network-1
    assert found.min() >= 120
    assert found.max() <= 187
    assert stats.kstest(found, rescheduled).pvalue > LEVEL
    error = np.sqrt((30**2 + 37**2) / 12 / found.size)
    assert found.mean() == pytest.approx(153.5, abs=3.3 * error)


def test_a_restarted_server_looks_first_after_one_to_two_periods():
    """A whole number of seconds from 37 to 74, each as likely: chi-square over the 38 of them.

    The node died 120 s before the restart, at 5000 s: at any first pass it is silent for 157 s and
    more, and its routers are moved.
    """
    keys = {
        "release": "juno",
        "neutron": {"allow_automatic_l3agent_failover": True},
        "horizon": "5200s",
        "hosts": network_nodes(2),
        "workload": {"tenants": 6},
        "failures": {
            "network-1": outage(4880, 3000),
            "controller-1/server": outage(4900, 100),
        },
    }
    delays = [
        min(times) - 5000
        for measured in replicate(300, **keys)
        if (times := [t for t, *_ in events(measured.trace, Kind.BOUND) if t > 4900])
    ]
    whole = np.array([delay for delay in delays if delay % 1 == 0], dtype=int)
    assert whole.size == len(delays) > 280
    assert set(whole) <= set(range(37, 75))
    counts = np.bincount(whole - 37, minlength=38)
    assert stats.chisquare(counts).pvalue > LEVEL
