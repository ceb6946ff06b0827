"""North-south bandwidth: max-min fair shares of what routers offer.

A router's traffic passes its node (the least of NICs and CPU) and the uplink of its external
network. On that tree max-min fairness is closed form: a node passes min(offered, capacity), an
uplink min(sum of its nodes, rate), and a router gets min(its demand, level of its node, level of
its uplink). Solved once for each stretch of time in which nothing changes, and for each step of
the daily profile, never for each second or router.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.intervals import Rows, union
from simulator.analysis.service import History
from simulator.trace import Floats, Ints, Sort
from simulator.units import DAY

RELATIVE = 1e-9  # carried counts as below offered by more than this share


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
        self._starts = [since for since, _ in steps]
        self._lengths = [e - s for e, s in zip(edges, self._starts, strict=True)]
        self.factors = [factor for _, factor in steps]

    def held(self, times: Floats) -> NDArray[np.float64]:
        """Seconds of each step in [0, t), one row a step."""
        days, rest = np.divmod(times, DAY)
        return np.array([
            days * length + np.clip(rest - start, 0.0, length)
            for start, length in zip(self._starts, self._lengths, strict=True)
        ])  # fmt: skip

    def weight(self, times: Floats) -> Floats:
        """The integral of the factor over [0, t)."""
        total: Floats = np.asarray(self.factors) @ self.held(times)
        return total


def loads(history: History) -> Loads:
    """What the routers offered and what was carried, over the window."""
    context, objects = history.context, history.trace.objects
    profile = Profile(context.daily)
    lives = history.lives(Sort.ROUTER)
    loaded = (objects.load_bps > 0) & (objects.gateway >= 0) & (lives.length > 0)
    rows = history.routed
    rows = rows.take(loaded[rows.owner])
    weight = profile.weight(np.maximum(lives.end, lives.start)) - profile.weight(lives.start)
    offered = np.where(loaded, objects.load_bps * weight, 0.0)
    if _never_full(history, rows, max(profile.factors)):
        weight = profile.weight(rows.end) - profile.weight(rows.start)
        bits = objects.load_bps[rows.owner] * weight
        carried = np.bincount(rows.owner, weights=bits, minlength=offered.size).astype(np.float64)
        outages = history.router_outages
        silent = outages.take(loaded[outages.owner])
        spans = union(silent.start, silent.end)
        held = (profile.held(spans.ends) - profile.held(spans.starts)).sum(axis=1)
        below = float(sum(t for t, f in zip(held, profile.factors, strict=True) if f > 0))
    else:
        carried, below = _solve(history, rows, loaded, profile)
    shares = carried[loaded & (offered > 0)] / offered[loaded & (offered > 0)]
    window = context.window
    return Loads(offered.sum() / window, carried.sum() / window, below, shares)


def _never_full(history: History, rows: Rows, peak: float) -> bool:
    """Whether no node and no uplink can ever saturate: all routers it ever had, at once."""
    trace = history.trace
    pairs = np.unique(np.stack([rows.node, rows.owner]), axis=1)
    demand = trace.objects.load_bps[pairs[1]] * peak
    by_node = np.bincount(pairs[0], weights=demand, minlength=trace.nodes.host.size)
    exits = trace.objects.gateway
    owners = np.unique(rows.owner)
    by_uplink = np.bincount(
        exits[owners], weights=trace.objects.load_bps[owners] * peak,
        minlength=trace.uplinks.size,
    )  # fmt: skip
    fits = np.all(by_node <= trace.nodes.capacity_bps)
    return bool(fits and np.all(by_uplink <= trace.uplink_bps))


def _solve(
    history: History, rows: Rows, loaded: NDArray[np.bool_], profile: Profile
) -> tuple[Floats, float]:
    """Bits carried by each router, and seconds below demand, where something saturates."""
    solver = _Solver(history, rows, loaded, profile)
    return solver.run()


class _Solver:
    """Walks through the changes of who serves where."""

    def __init__(
        self, history: History, rows: Rows, loaded: NDArray[np.bool_], profile: Profile
    ) -> None:
        trace, context = history.trace, history.context
        lives = history.lives(Sort.ROUTER)
        alive = np.flatnonzero(loaded)
        times = np.concatenate(
            [
                rows.start,
                rows.end,
                lives.start[alive],
                lives.end[alive],
                [context.begin, context.end],
            ]
        )
        self.times = np.unique(times)
        self.held = np.diff(profile.held(self.times), axis=1)
        self.factors = profile.factors
        self.load = trace.objects.load_bps
        self.exit = trace.objects.gateway
        self.capacity = trace.nodes.capacity_bps
        self.uplink = trace.uplink_bps
        self.carried = np.zeros(self.load.size)
        self.below = 0.0
        self._rows = rows
        self._starts = np.argsort(rows.start, kind="stable")
        self._ends = np.argsort(rows.end, kind="stable")
        self._node = np.full(self.load.size, -1)
        self._alive = self._alive_load(lives.start[alive], lives.end[alive], self.load[alive])

    def _alive_load(self, start: Floats, end: Floats, load: Floats) -> Floats:
        """Load of all living routers in each stretch."""
        change = np.zeros(self.times.size)
        np.add.at(change, np.searchsorted(self.times, start), load)
        np.add.at(change, np.searchsorted(self.times, end), -load)
        return np.cumsum(change)[:-1]

    def run(self) -> tuple[Floats, float]:
        """Solve every stretch."""
        rows = self._rows
        started = ended = 0
        rates: list[Floats] = []
        active = np.empty(0, dtype=np.int64)
        for i in range(self.times.size - 1):
            now = self.times[i]
            first_start, first_end = started, ended
            while ended < self._ends.size and rows.end[self._ends[ended]] <= now:
                ended += 1
            while started < self._starts.size and rows.start[self._starts[started]] <= now:
                started += 1
            gone = rows.owner[self._ends[first_end:ended]]
            come = self._starts[first_start:started]
            if gone.size or come.size or not rates:
                self._node[gone] = -1
                self._node[rows.owner[come]] = rows.node[come]
                active = np.flatnonzero(self._node >= 0)
                rates = [self._rates(active, factor) for factor in self.factors]
            for rate, factor, held in zip(rates, self.factors, self.held[:, i], strict=True):
                self.carried[active] += rate * held
                if rate.sum() < self._alive[i] * factor * (1 - RELATIVE):
                    self.below += held
        return self.carried, float(self.below)

    def _rates(self, active: Ints, factor: float) -> Floats:
        """The rates of *active* routers at one factor: node levels, then uplink levels."""
        demand = self.load[active] * factor
        demand = _levelled(demand, self._node[active], self.capacity)
        return _levelled(demand, self.exit[active], self.uplink)


def _levelled(demand: Floats, group: Ints, capacity: Floats) -> Floats:
    """Max-min shares: *demand* cut at its group's water level where the group is over capacity."""
    total = np.bincount(group, weights=demand, minlength=capacity.size)
    full = np.flatnonzero(total > capacity)
    if not full.size:
        return demand
    demand = demand.copy()
    for one in full.tolist():
        mine = np.flatnonzero(group == one)
        demand[mine] = np.minimum(demand[mine], water_level(demand[mine], capacity[one]))
    return demand


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
