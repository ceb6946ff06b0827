"""Max-min fairness against progressive filling, and shares against solving every stretch anew.

The daily profile is compared with summing seconds.
"""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lab import network_nodes, run_one

from simulator.analysis import sharing
from simulator.analysis.bandwidth import loads
from simulator.analysis.demands import Demands
from simulator.analysis.intervals import Lives, Rows
from simulator.analysis.profile import Profile
from simulator.analysis.sharing import water_levels
from simulator.units import DAY

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


@given(st.lists(rates, min_size=1, max_size=4), st.floats(0.1, 30))
def test_water_levels_fill_the_capacity(demands, capacity):
    """Each row for itself; short ones are filled up with demands of zero."""
    table = np.zeros((len(demands), max(map(len, demands))))
    for row, demand in zip(table, demands, strict=True):
        row[: len(demand)] = demand
    levels = water_levels(table, np.full(len(table), capacity))
    carried = np.minimum(table, levels[:, np.newaxis]).sum(axis=1)
    assert carried == pytest.approx(np.minimum(capacity, table.sum(axis=1)))


def shared(demands, rows, nodes, uplinks, *, daily=(), window=100.0):
    """Loads of *demands* (rate, uplink, start, end), and *rows* (demand, node, start, end)."""
    rate, exits, start, end = (np.array(c) for c in zip(*demands, strict=True))
    owner, node, begin, until = (np.array(c) for c in zip(*rows, strict=True))
    things = np.arange(rate.size)
    trace = SimpleNamespace(
        nodes=SimpleNamespace(host=np.arange(len(nodes)), capacity_bps=np.array(nodes)),
        objects=SimpleNamespace(gateway=exits, load_bps=rate, names=things),
        uplinks=np.arange(len(uplinks)), uplink_bps=np.array(uplinks),
    )  # fmt: skip
    history = SimpleNamespace(trace=trace, context=SimpleNamespace(daily=daily, window=window))
    asked = Demands(things, rate, Lives(start, end), rate.size)
    return loads(history, asked, Rows(owner, node, begin, until))


@given(
    st.lists(st.tuples(st.floats(0.1, 10), st.integers(0, 3)), min_size=1, max_size=15),
    st.lists(st.floats(0.5, 20), min_size=4, max_size=4),
    st.lists(st.floats(0.5, 30), min_size=2, max_size=2),
)
def test_node_then_uplink_levels_are_max_min_fair(routers, nodes, uplinks):
    """Nodes 0 and 1 stand before uplink 0, nodes 2 and 3 before uplink 1."""
    demand = np.array([d for d, _ in routers])
    node = np.array([n for _, n in routers])
    found = shared(
        [(d, n // 2, 0.0, 100.0) for d, n in routers],
        [(i, n, 0.0, 100.0) for i, (_, n) in enumerate(routers)],
        nodes, uplinks,
    )  # fmt: skip
    links = np.zeros((len(routers), 6), dtype=bool)
    links[np.arange(len(routers)), node] = True
    links[np.arange(len(routers)), 4 + node // 2] = True
    expected = progressive_filling(demand, links, [*nodes, *uplinks])
    assert found.shares * demand == pytest.approx(expected, abs=1e-6)


def level_of(rates, capacity):
    """The least level whose shares fill *capacity*: infinity if all fits."""
    if sum(rates) <= capacity:
        return np.inf
    left, rates = capacity, sorted(rates)
    for i, rate in enumerate(rates):
        if rate * (len(rates) - i) > left:
            return left / (len(rates) - i)
        left -= rate
    return np.inf  # by rounding


def stretch_by_stretch(demands, rows, nodes, uplinks, *, daily):
    """Bits carried of each demand, and seconds below demand: all shares anew whenever any change.

    Each edge of the *daily* profile is a change, too.
    """
    times = {t for *_, start, end in [*demands, *rows] for t in (start, end)}
    times |= {day * DAY + since for day in range(3) for since, _ in daily}
    times = sorted(t for t in times if t <= max(d[3] for d in demands))
    bits, below = np.zeros(len(demands)), 0.0
    for now, then in pairwise(times):
        factor = [f for since, f in daily if since <= now % DAY][-1]
        here = {d: node for d, node, start, end in rows if start <= now < end}
        rates = {d: demands[d][0] * factor for d in here}
        for place, capacities in ((here, nodes), ({d: demands[d][1] for d in here}, uplinks)):
            for group, capacity in enumerate(capacities):
                mine = [d for d in rates if place[d] == group]
                level = level_of([rates[d] for d in mine], capacity)
                rates |= {d: min(rates[d], level) for d in mine}
        for d, rate in rates.items():
            bits[d] += rate * (then - now)
        asked = sum(rate * factor for rate, _, start, end in demands if start <= now < end)
        below += (then - now) * (sum(rates.values()) < asked * (1 - 1e-9))
    return bits, below


@st.composite
def systems(draw):
    """Demands that live and are served for a while, now here, now there, on whole hours."""
    hours = st.integers(0, 60)
    demands, rows = [], []
    for i in range(draw(st.integers(1, 8))):
        edges = sorted(draw(st.lists(hours, min_size=2, max_size=8, unique=True)))
        edges = [hour * 3600.0 for hour in edges]
        demands.append((draw(st.floats(0.01, 10)), draw(st.integers(0, 2)), edges[0], edges[-1]))
        for start, end in pairwise(edges):
            node = draw(st.integers(-1, 3))
            if node >= 0:
                rows.append((i, node, start, end))
    nodes = draw(st.lists(st.floats(0.5, 20), min_size=4, max_size=4))
    uplinks = draw(st.lists(st.floats(0.5, 20) | st.just(np.inf), min_size=3, max_size=3))
    factors = draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 1.7]), min_size=1, max_size=3))
    starts = sorted(draw(st.sets(st.integers(1, 23), min_size=2, max_size=2)))
    daily = [(h * 3600.0, f) for h, f in zip([0, *starts], factors, strict=False)]
    return demands, rows, nodes, uplinks, daily


@given(systems(), st.sampled_from([1, 7, 1_000_000]))
@settings(max_examples=200)
def test_shares_of_what_changed_are_those_of_solving_every_stretch(system, cells):
    """Nodes that serve several uplinks, routers that move, come and go, factors of zero."""
    *system, daily = system
    demands, rows, *_ = system
    assume(rows)
    bits, below = stretch_by_stretch(*system, daily=daily)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "CELLS", cells)
        found = shared(*system, daily=daily, window=1.0)
    weight = Profile(tuple(daily)).weight
    offered = np.array([
        rate * (weight(np.array([end])) - weight(np.array([start])))[0]
        for rate, _, start, end in demands
    ])  # fmt: skip
    asked = offered > 0
    assert found.below == pytest.approx(below, abs=1e-6)
    assert found.carried == pytest.approx(bits.sum(), rel=1e-9, abs=1e-6)
    assert found.shares * offered[asked] == pytest.approx(bits[asked], rel=1e-9, abs=1e-6)


def test_what_rounding_leaves_of_demands_that_are_gone_is_not_missing():
    """0.1 + 0.2 - 0.1 - 0.2 is not quite zero: the hours from 3 to 10 and after 12 miss nothing.

    The node would be full with both of the others, which are never there at once.
    """
    gone = [(0.1, 0, 0.0, 2.0), (0.2, 0, 1.0, 3.0)]
    served = [(0.6, 0, 10.0, 11.0), (0.6, 0, 11.0, 12.0), (0.2, 0, 30.0, 31.0)]
    rows = [(2, 0, 10.0, 11.0), (3, 0, 11.0, 12.0), (4, 0, 30.0, 31.0)]
    found = shared([*gone, *served], rows, [1.0], [np.inf])
    assert found.below == 3.0
    assert found.shares == pytest.approx([0, 0, 1, 1, 1])


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
    monkeypatch.setattr(sharing, "CELLS", cells)
    measured.trace.nodes.capacity_bps[:] = measured.trace.objects.load_bps.sum() * 0.9999
    solved = measured.loads
    assert solved.offered == pytest.approx(easy.offered)
    assert solved.carried == pytest.approx(easy.carried)
    assert solved.below == pytest.approx(easy.below)
    assert solved.shares == pytest.approx(easy.shares)
