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
from simulator.analysis.intervals import Rows, gaps, union
from simulator.analysis.service import History
from simulator.trace import Floats, Ints
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
        carried, below = _Solver(history, demands, rows, profile).run()
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


class _Solver:
    """Walks through the changes of who serves where: bits carried, and seconds below demand."""

    def __init__(self, history: History, demands: Demands, rows: Rows, profile: Profile) -> None:
        trace, context = history.trace, history.context
        lives, edges = demands.lives, [context.begin, context.end]
        times = [rows.start, rows.end, lives.start, lives.end, np.array(edges)]
        self.times = np.unique(np.concatenate(times))
        self.held = np.diff(profile.held(self.times), axis=1).T.tolist()
        self.factors = profile.factors
        self.load = demands.load
        self.exit = trace.objects.gateway[demands.router]
        self.capacity = trace.nodes.capacity_bps
        self.uplink = trace.uplink_bps
        self.carried = np.zeros(self.load.size)
        self.below = 0.0
        self._rows = rows
        self._starts = np.argsort(rows.start, kind="stable")
        self._ends = np.argsort(rows.end, kind="stable")
        self._node = np.full(self.load.size, -1)
        self._alive = self._alive_load(lives.start, lives.end, self.load)

    def _alive_load(self, start: Floats, end: Floats, load: Floats) -> list[float]:
        """Load of all that is offered in each stretch."""
        change = np.zeros(self.times.size)
        np.add.at(change, np.searchsorted(self.times, start), load)
        np.add.at(change, np.searchsorted(self.times, end), -load)
        found: list[float] = np.cumsum(change)[:-1].tolist()
        return found

    def run(self) -> tuple[Floats, float]:
        """Solve every stretch."""
        rows = self._rows
        started, ended = (
            np.searchsorted(ordered, self.times, side="right").tolist()
            for ordered in (rows.start[self._starts], rows.end[self._ends])
        )
        active = np.empty(0, dtype=np.int64)
        solved, rates, sums = self._node.copy(), self._rates(active), [0.0] * len(self.factors)
        begun = gone = 0
        for i, (alive, lengths) in enumerate(zip(self._alive, self.held, strict=True)):
            if (begun, gone) != (started[i], ended[i]):
                self._node[rows.owner[self._ends[gone : ended[i]]]] = -1
                come = self._starts[begun : started[i]]
                self._node[rows.owner[come]] = rows.node[come]
                begun, gone = started[i], ended[i]
                active = np.flatnonzero(self._node >= 0)
                # After an outage of all that serves, all is often as it was before.
                if active.size and not np.array_equal(self._node, solved):
                    solved, rates = self._node.copy(), self._rates(active)
                    sums = rates.sum(axis=1).tolist()
            for rate, total, factor, held in zip(rates, sums, self.factors, lengths, strict=True):
                if held and active.size:
                    self.carried[active] += rate * held
                if (total if active.size else 0.0) < alive * factor * (1 - RELATIVE):
                    self.below += held
        return self.carried, self.below

    def _rates(self, active: Ints) -> Floats:
        """The rates of *active* demands, one row a factor: node levels, then uplink levels."""
        rates = np.outer(self.factors, self.load[active])
        _level(rates, self._node[active], self.capacity)
        _level(rates, self.exit[active], self.uplink)
        return rates


def _level(demand: Floats, group: Ints, capacity: Floats) -> None:
    """Max-min shares: each row of *demand* cut at its groups' water levels, where over capacity."""
    rows, width = demand.shape[0], capacity.size
    key = (np.arange(0, rows * width, width)[:, np.newaxis] + group).ravel()
    total = np.bincount(key, weights=demand.ravel(), minlength=rows * width).reshape(rows, width)
    for row, one in zip(*np.nonzero(total > capacity), strict=True):
        mine = np.flatnonzero(group == one)
        demand[row, mine] = np.minimum(
            demand[row, mine], water_level(demand[row, mine], capacity[one])
        )


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
