"""Laws of times that follow from clocks with random phases."""

from __future__ import annotations

import numpy as np
import pytest
from lab import network_nodes, outage, run_one
from scipy import stats

pytestmark = pytest.mark.no_cover

ALPHA = 1e-3  # the chance that a right model fails; the seeds are fixed


def test_vrrp_promotion_is_uniform_between_4_8_and_6_8_s():
    """Advertisements every 2 s with a random phase: 3 * 2 + 206/256 s after the last one.

    1200 routers, of which about half have their master on the node that loses power.
    """
    measured = run_one(
        release="mitaka",
        neutron={"l3_ha": True},
        hosts=network_nodes(2),
        workload={"tenants": 12, "per_tenant": {"routers": 100, "networks": 0}},
        failures={"network-1": outage(1000, 3600)},
    )
    lost = measured.history.router_outages.length
    low = 2 * 2 + 206 / 256
    assert lost.size >= 500
    assert np.unique(lost).size == lost.size
    assert low < lost.min()
    assert lost.max() <= low + 2
    assert stats.kstest(lost, stats.uniform(low, 2).cdf).pvalue > ALPHA
