"""Max-min fairness against progressive filling, and the daily profile against summing seconds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab import network_nodes, run_one

from simulator.analysis import bandwidth
from simulator.analysis.bandwidth import Profile, _level, water_level

rates = st.lists(st.floats(0.01, 10), min_size=1, max_size=12)


def progressive_filling(demand, links, capacity):
    """The textbook algorithm: raise all together, freeze who is met or whose link is full."""
    rate = np.zeros(len(demand))
    free = np.ones(len(demand), dtype=bool)
    while free.any():
        step = min(demand[free] - rate[free])
        for link, room in enumerate(capacity):
            users = links[:, link] & free
            if users.any():
                left = room - rate[links[:, link]].sum()
                step = min(step, left / users.sum())
        rate[free] += max(step, 0)
        free &= rate < demand - 1e-12
        for link, room in enumerate(capacity):
            if rate[links[:, link]].sum() >= room - 1e-9:
                free &= ~links[:, link]
    return rate


@given(rates, st.floats(0.1, 30))
def test_water_level_fills_the_capacity(demand, capacity):
    demand = np.array(demand)
    level = water_level(demand, capacity)
    carried = np.minimum(demand, level).sum()
    assert carried == pytest.approx(min(capacity, demand.sum()))


@given(
    st.lists(st.tuples(st.floats(0.1, 10), st.integers(0, 3)), min_size=1, max_size=15),
    st.lists(st.floats(0.5, 20), min_size=4, max_size=4),
    st.lists(st.floats(0.5, 30), min_size=2, max_size=2),
)
def test_node_then_uplink_levels_are_max_min_fair(routers, nodes, uplinks):
    """Nodes 0 and 1 stand before uplink 0, nodes 2 and 3 before uplink 1."""
    demand = np.array([d for d, _ in routers])
    node = np.array([n for _, n in routers])
    levelled = demand.copy()[np.newaxis]
    stretch = np.zeros_like(node)
    _level(levelled, stretch, node, np.array(nodes))
    _level(levelled, stretch, node // 2, np.array(uplinks))
    links = np.zeros((len(routers), 6), dtype=bool)
    links[np.arange(len(routers)), node] = True
    links[np.arange(len(routers)), 4 + node // 2] = True
    expected = progressive_filling(demand, links, [*nodes, *uplinks])
    assert levelled[0] == pytest.approx(expected, abs=1e-6)


def test_profile_weighs_time_by_factor():
    profile = Profile(((0.0, 0.5), (6 * 3600.0, 1.0), (18 * 3600.0, 0.25)))
    hours = np.arange(0, 24 * 3 * 3600, 1800.0)
    factor = np.where(hours % 86400 < 6 * 3600, 0.5,
                      np.where(hours % 86400 < 18 * 3600, 1.0, 0.25))  # fmt: skip
    expected = np.concatenate([[0], np.cumsum(factor * 1800)])[:-1]
    assert profile.weight(hours) == pytest.approx(expected)
    assert profile.held(hours).sum(axis=0) == pytest.approx(hours)


@pytest.mark.parametrize("cells", [20, 1_000_000])
def test_solving_stretch_by_stretch_agrees_with_the_sum_where_nothing_is_full(cells, monkeypatch):
    """The same system with capacity just above and far above what is offered."""
    keys = {
        "start": "equilibrium",
        "horizon": "60d",
        "hosts": network_nodes(3),
        "failures": {"host.network": {"time_to_failure": "100h", "time_to_repair": "5h"}},
        "workload": {
            "tenants": 9,
            "traffic": {
                "per_router": {"lognormal": {"mean": "100Mbps", "sigma": 1.0}},
                "daily": [{"from": "0h", "factor": 0.2}, {"from": "7h", "factor": 1.0}],
            },
        },
    }
    easy = run_one(**keys).loads
    measured = run_one(**keys)
    monkeypatch.setattr(bandwidth, "CELLS", cells)
    measured.trace.nodes.capacity_bps[:] = measured.trace.objects.load_bps.sum() * 0.9999
    solved = measured.loads
    assert solved.offered == pytest.approx(easy.offered)
    assert solved.carried == pytest.approx(easy.carried)
    assert solved.below == pytest.approx(easy.below)
    assert solved.shares == pytest.approx(easy.shares)
