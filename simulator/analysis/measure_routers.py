"""Metrics of routers: how much they serve, how they fail together, how long outages last."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.analysis.intervals import Lives, Rows
from simulator.analysis.measured import Function, Measured, at_level, some
from simulator.trace import Floats
from simulator.units import YEAR


def availability(m: Measured) -> float:
    """North-south serving time over life."""
    return share(m.history.routed, m.routers())


def share(serving: Rows, lives: Lives) -> float:
    """Serving time of all over the sum of their lives."""
    return float(serving.length.sum()) / float(lives.length.sum())


def availability_worst(m: Measured) -> float:
    """The smallest availability of one router."""
    lives = m.routers()
    alive = lives.length > 0
    return float(np.min(1 - m.router_downtime[alive] / lives.length[alive]))


def share_over_limit(m: Measured) -> float:
    """Share of routers down for longer than the limit, pro rata of life."""
    lives = m.routers()
    alive = lives.length > 0
    limit = m.context.downtime_limit_per_year * lives.length[alive] / YEAR
    return float(np.mean(m.router_downtime[alive] > limit))


def east_west_availability(m: Measured) -> float:
    """Serving time between a router's own subnets over life."""
    if m.context.distributed:
        return m.leases.residents.east_west() / float(m.routers().length.sum())
    return share(m.history.routed_inside, m.routers())


def conflicted_time(m: Measured) -> float:
    """Seconds in which two hosts answered for a router."""
    m.routers()
    return float(m.history.conflicted.length.sum())


def all_down_time(m: Measured) -> float:
    """Seconds in which no router served."""
    m.routers()
    return m.all_down.length


def all_down_probability(m: Measured) -> float:
    """1 if there was such a time, else 0."""
    return float(all_down_time(m) > 0)


def all_down_time_by_nodes(m: Measured) -> float:
    """Seconds in which nodes and agents alone kept routers down, and none served."""
    m.routers()
    return m.all_down_by_nodes.length


def all_down_probability_by_nodes(m: Measured) -> float:
    """1 if there was such a time, else 0."""
    return float(all_down_time_by_nodes(m) > 0)


def p95(values: Floats) -> float:
    """The 95th percentile."""
    return at_level(values, 0.95)


def blast(choose: Callable[[Floats], float]) -> Function:
    """The mean (or whatever *choose* takes) of the shares of routers that onsets stop."""

    def chosen(m: Measured) -> float:
        m.routers()
        return float(choose(some(m.blasts, "no failure stopped a router")))

    return chosen


def outages(m: Measured) -> float:
    """Number of outages."""
    m.routers()
    return float(m.history.router_outages.owner.size)


def outage(choose: Callable[[Floats], float]) -> Function:
    """The median (or whatever *choose* takes) of the lengths of outages, s."""

    def chosen(m: Measured) -> float:
        m.routers()
        return float(choose(some(m.closed_outages, "no outage began and ended in the window")))

    return chosen


def downtime(cause: str) -> Function:
    """Share of life lost to one cause."""

    def lost(m: Measured) -> float:
        return float(m.router_causes[cause].sum()) / float(m.routers().length.sum())

    return lost
