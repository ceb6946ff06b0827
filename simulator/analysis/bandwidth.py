"""North-south bandwidth: max-min fair shares of what routers offer.

A router's traffic passes its node (the least of NICs and CPU) and the uplink of its external
network. On that tree max-min fairness is closed form: a node passes min(offered, capacity), an
uplink min(sum of its nodes, rate), and a router gets min(its demand, level of its node, level of
its uplink). Solved once for each stretch of time in which nothing changes, and for each step of
the daily profile, never for each second or router. What is shared by is the parts of `demands`: of
a distributed router those of its nodes, each for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.analysis.demands import Demands
from simulator.analysis.intervals import Rows, every, gaps, union
from simulator.analysis.service import History
from simulator.trace import Floats, Ints
from simulator.units import DAY

RELATIVE = 1e-9  # carried counts as below offered by more than this share
CELLS = 1_000_000
"""How many (stretch, demand) cells are held in memory at once."""


@dataclass(frozen=True)
class Loads:
    """Time averages over the window, bit/s; *below* is seconds; *shares* carried over offered."""

    offered: float
    carried: float
    below: float
    shares: Floats


class Profile:
    """A daily load profile: for each factor, how long it held up to a time."""

    def __init__(self, daily: tuple[tuple[float, float], ...]) -> None:
        steps = daily or ((0.0, 1.0),)
        edges = [since for since, _ in steps[1:]] + [DAY]
        self._starts = np.array([[since] for since, _ in steps])
        self._lengths = np.array([[edge] for edge in edges]) - self._starts
        self.factors = [factor for _, factor in steps]

    def held(self, times: Floats) -> Floats:
        """Seconds of each step in [0, t), one row a step."""
        days, rest = np.divmod(times, DAY)
        part = np.minimum(np.maximum(rest - self._starts, 0.0), self._lengths)
        held: Floats = days * self._lengths + part
        return held

    def weight(self, times: Floats) -> Floats:
        """The integral of the factor over [0, t)."""
        total: Floats = np.asarray(self.factors) @ self.held(times)
        return total


def loads(history: History, demands: Demands, rows: Rows) -> Loads:
    """What the routers offered and what was carried, over the window; *rows* served *demands*."""
    context = history.context
    profile = Profile(context.daily)
    lives, load = demands.lives, demands.load
    offered = load * (profile.weight(lives.end) - profile.weight(lives.start))
    if _never_full(history, demands, rows, max(profile.factors)):
        weight = profile.weight(rows.end) - profile.weight(rows.start)
        bits = load[rows.owner] * weight
        carried = np.bincount(rows.owner, weights=bits, minlength=offered.size).astype(np.float64)
        silent = gaps(rows, lives)
        spans = union(silent.start, silent.end)
        held = (profile.held(spans.ends) - profile.held(spans.starts)).sum(axis=1)
        below = float(sum(t for t, f in zip(held, profile.factors, strict=True) if f > 0))
    else:
        carried, below = _shared_out(history, demands, rows, profile)
    size = len(history.trace.objects.names)
    asked, given = (
        np.bincount(demands.router, weights=bits, minlength=size) for bits in (offered, carried)
    )
    window = context.window
    shares = given[asked > 0] / asked[asked > 0]
    return Loads(offered.sum() / window, carried.sum() / window, below, shares)


def _never_full(history: History, demands: Demands, rows: Rows, peak: float) -> bool:
    """Whether no node and no uplink can ever saturate: all routers it ever had, at once."""
    trace, width = history.trace, history.trace.nodes.host.size
    router = demands.router[rows.owner]
    keys, place = np.unique(router * width + rows.node, return_inverse=True)
    most = np.zeros(keys.size)
    np.maximum.at(most, place, demands.load[rows.owner] * peak)
    by_node = np.bincount(keys % width, weights=most, minlength=width)
    exits = trace.objects.gateway
    owners = np.unique(router)
    by_uplink = np.bincount(
        exits[owners], weights=trace.objects.load_bps[owners] * peak,
        minlength=trace.uplinks.size,
    )  # fmt: skip
    fits = np.all(by_node <= trace.nodes.capacity_bps)
    return bool(fits and np.all(by_uplink <= trace.uplink_bps))


def _shared_out(
    history: History, demands: Demands, rows: Rows, profile: Profile
) -> tuple[Floats, float]:
    """Bits carried of each demand, and seconds below all that is asked, stretch by stretch."""
    trace, context, load = history.trace, history.context, demands.load
    edges = [rows.start, rows.end, demands.lives.start, demands.lives.end]
    times = np.unique(np.concatenate([*edges, [context.begin, context.end]]))
    held, factors = np.diff(profile.held(times), axis=1).T, np.array(profile.factors)
    asked = _asked(times, demands)[:, np.newaxis] * factors
    first, stop = np.searchsorted(times, rows.start), np.searchsorted(times, rows.end)
    carried, below = np.zeros(load.size), 0.0
    size = max(CELLS // max(load.size, 1), 1)
    for begin in range(0, times.size - 1, size):
        part = slice(begin, min(begin + size, times.size - 1))
        row, stretch = every(np.maximum(first, part.start), np.minimum(stop, part.stop))
        node = np.full((part.stop - part.start, load.size), -1)
        node[stretch - begin, rows.owner[row]] = rows.node[row]
        stretch, demand = np.nonzero(node >= 0)
        rates = np.outer(factors, load[demand])
        _level(rates, stretch, node[stretch, demand], trace.nodes.capacity_bps)
        _level(rates, stretch, trace.objects.gateway[demands.router[demand]], trace.uplink_bps)
        lengths = held[part]
        bits = rates.T * lengths[stretch]
        np.add.at(carried, np.repeat(demand, factors.size), bits.ravel())
        total = [np.bincount(stretch, weights=rate, minlength=len(node)) for rate in rates]
        short = np.stack(total, axis=1) < asked[part] * (1 - RELATIVE)
        below = sum(lengths[short].tolist(), below)
    return carried, below


def _asked(times: Floats, demands: Demands) -> Floats:
    """All that is offered in each stretch between *times*."""
    change = np.zeros(times.size)
    np.add.at(change, np.searchsorted(times, demands.lives.start), demands.load)
    np.add.at(change, np.searchsorted(times, demands.lives.end), -demands.load)
    found: Floats = np.cumsum(change)[:-1]
    return found


def _level(rates: Floats, stretch: Ints, group: Ints, capacity: Floats) -> None:
    """Max-min shares: *rates*, one row a factor, cut at the water levels of groups over capacity.

    Each is of a *stretch*, which are in order, and of a *group* that shares its capacity.
    """
    size, width = int(stretch.max(initial=-1)) + 1, capacity.size
    key = stretch * width + group
    for rate in rates:
        total = np.bincount(key, weights=rate, minlength=size * width).reshape(size, width)
        for place, one in zip(*(total > capacity).nonzero(), strict=True):
            mine = slice(*np.searchsorted(stretch, [place, place + 1]))
            chosen = mine.start + np.flatnonzero(group[mine] == one)
            rate[chosen] = np.minimum(rate[chosen], water_level(rate[chosen], capacity[one]))


def water_level(demand: Floats, capacity: float) -> float:
    """The level at which sum(min(demand, level)) = capacity; infinity if all fits.

    Bertsekas and Gallager, Data Networks, 6.5.2: raise all shares together, and let go whose
    demand is met.
    """
    ordered = np.sort(demand)
    met = np.concatenate([[0.0], np.cumsum(ordered)[:-1]])
    left = np.arange(ordered.size, 0, -1)
    level = (capacity - met) / left
    short = np.flatnonzero(level < ordered)
    return float(level[short[0]]) if short.size else np.inf
