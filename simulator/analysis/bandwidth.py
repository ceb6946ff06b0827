"""North-south bandwidth: max-min fair shares of what routers offer.

A router's traffic passes its node (the least of NICs and CPU) and the uplink of its external
network. On that tree max-min fairness is closed form: a node passes min(offered, capacity), an
uplink min(sum of its nodes, rate), and a router gets min(its demand, level of its node, level of
its uplink). What is shared by is the parts of `demands`: of a distributed router those of its
nodes, each for itself. All that is served is carried, less what `sharing` says is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.analysis.demands import Demands
from simulator.analysis.intervals import Rows, gaps, union
from simulator.analysis.profile import Profile
from simulator.analysis.service import History
from simulator.analysis.sharing import Sharing
from simulator.trace import Floats


@dataclass(frozen=True)
class Loads:
    """Time averages over the window, bit/s; *below* is seconds; *shares* carried over offered."""

    offered: float
    carried: float
    below: float
    shares: Floats


def loads(history: History, demands: Demands, rows: Rows) -> Loads:
    """What the routers offered and what was carried, over the window; *rows* served *demands*."""
    profile, window = Profile(history.context.daily), history.context.window
    lives, load = demands.lives, demands.load
    offered = load * (profile.weight(lives.end) - profile.weight(lives.start))
    bits = profile.weight(rows.end)
    bits -= profile.weight(rows.start)
    bits *= load[rows.owner]
    carried = np.bincount(rows.owner, weights=bits, minlength=load.size).astype(np.float64)
    lost, below = _lost(history, demands, rows, profile)
    carried = np.maximum(carried - lost, 0.0)
    size = len(history.trace.objects.names)
    asked, given = (
        np.bincount(demands.router, weights=bits, minlength=size) for bits in (offered, carried)
    )
    shares = given[asked > 0] / asked[asked > 0]
    return Loads(offered.sum() / window, carried.sum() / window, below, shares)


def _lost(
    history: History, demands: Demands, rows: Rows, profile: Profile
) -> tuple[Floats | float, float]:
    """Bits that full nodes and uplinks cost each demand, and seconds below what is asked for."""
    trace, peak = history.trace, max(profile.factors)
    is_uplink_full = _may_uplink_be_full(history, demands, rows, peak)
    if not is_uplink_full and not _may_node_be_full(history, demands, rows, peak):
        if demands.whole:
            silent = demands.unserved(history.router_outages)
        else:
            silent = gaps(rows, demands.lives)
        spans = union(silent.start, silent.end)
        held = (profile.held(spans.ends) - profile.held(spans.starts)).sum(axis=1)
        return 0.0, float(sum(t for t, f in zip(held, profile.factors, strict=True) if f > 0))
    sharing, exits = Sharing(demands, rows, profile), trace.objects.gateway[demands.router]
    nodes = sharing.cut(rows.node, trace.nodes.capacity_bps, exits[rows.owner])
    if is_uplink_full:
        sharing.cut(exits[rows.owner], trace.uplink_bps, exits[rows.owner], nodes)
    return sharing.lost, sharing.below()


def _may_node_be_full(history: History, demands: Demands, rows: Rows, peak: float) -> bool:
    """Whether any node would be full with all routers it ever had, at once."""
    nodes = history.trace.nodes
    width = nodes.host.size
    other = (rows.owner[1:] != rows.owner[:-1]) | (rows.node[1:] != rows.node[:-1])
    rows = rows.take(np.flatnonzero(np.append(True, other)[: rows.owner.size]))
    keys, place = np.unique(demands.router[rows.owner] * width + rows.node, return_inverse=True)
    most = np.zeros(keys.size)
    np.maximum.at(most, place, demands.load[rows.owner] * peak)
    by_node = np.bincount(keys % width, weights=most, minlength=width)
    return bool(np.any(by_node > nodes.capacity_bps))


def _may_uplink_be_full(history: History, demands: Demands, rows: Rows, peak: float) -> bool:
    """Whether any uplink would be full with all routers that ever were behind it, at once."""
    trace = history.trace
    routers = np.flatnonzero(np.bincount(demands.router[rows.owner]))
    exits, load = trace.objects.gateway[routers], trace.objects.load_bps[routers] * peak
    by_uplink = np.bincount(exits, weights=load, minlength=trace.uplinks.size)
    return bool(np.any(by_uplink > trace.uplink_bps))
