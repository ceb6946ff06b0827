"""What common random numbers gain, and that a run in equilibrium has no beginning.

Each assertion has a chance of 1e-3 or less to fail by chance; the seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
from lab import FREE, down_share, network_nodes, replicate, scenario
from scipy import stats

from simulator.analysis.metrics import measure
from simulator.analysis.statistics import pairing_factor

pytestmark = pytest.mark.no_cover

METRIC = "router.availability"
HEAVY = {
    "time_to_failure": {"weibull": {"shape": 0.7, "mean": "570h"}},
    "time_to_repair": {"lognormal": {"mean": "30h", "sigma": 1.4}},
}


def values(count, metric=METRIC, **keys):
    given = scenario(**{"start": "equilibrium", "horizon": "20d", **keys})
    return np.array([measure(m)[metric] for m in replicate(count, given)])


@pytest.mark.parametrize(
    "repair", [down_share(0.05, "600h"), pytest.param(HEAVY, marks=pytest.mark.slow)]
)
def test_the_last_tenth_of_a_run_is_as_the_first(repair):
    """Nodes are down 5 % of the time in the first two days of twenty and in the last two."""
    keys = {"failures": {"host.network": repair}, "hosts": network_nodes(2)}
    first = values(200, horizon="2d", **keys)
    last = values(200, horizon="20d", warm_up="18d", **keys)
    assert abs(stats.ttest_rel(first, last).statistic) < stats.t.ppf(1 - 5e-4, 199)
    for tenth in (first, last):
        assert abs(stats.ttest_1samp(tenth, 0.95).statistic) < stats.t.ppf(1 - 5e-4, 199)


def test_all_up_at_the_start_is_seen_at_once():
    """So that the test above can fail: from all up, half a day is too good by far."""
    keys = {"failures": {"host.network": down_share(0.05, "600h")}, "start": "all_up"}
    first = values(500, horizon="12h", **keys)
    assert stats.ttest_1samp(first, 0.95).statistic > 3.3


def test_common_random_numbers_cut_the_variance_of_a_difference():
    """Rebuilding that costs a second a router, or nothing: the failures are the same in both.

    With failures of their own, the difference of the two has the variances of both.
    """
    keys = {"failures": {"host.network": down_share(0.05)}, "hosts": network_nodes(2)}
    free = values(60, **keys)
    slow = values(60, costs={**FREE, "rebuild_per_router": "60s"}, **keys)
    factor = pairing_factor(slow, free)
    assert factor > 20
    apart = values(60, costs={**FREE, "rebuild_per_router": "60s"}, seed=99, **keys)
    assert 0.5 < pairing_factor(apart, free) < 2


def test_the_factor_is_the_variances_of_both_over_that_of_the_difference():
    a, b = np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.0, 2.5, 2.0, 7.0])
    expected = (np.var(a[:3], ddof=1) + np.var(b[:3], ddof=1)) / np.var((a - b)[:3], ddof=1)
    assert pairing_factor(a, b) == pytest.approx(expected)
    assert pairing_factor(a, a) is None
    assert pairing_factor(a[:1], b[:1]) is None
