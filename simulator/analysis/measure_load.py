"""Metrics of north-south bandwidth."""

from __future__ import annotations

from simulator.analysis.measured import Measured, at_level
from simulator.units import HOUR


def offered(m: Measured) -> float:
    """What routers offer, bit/s."""
    return float(m.loads.offered)


def carried(m: Measured) -> float:
    """What is carried of it, bit/s."""
    return float(m.loads.carried)


def hours_below_demand(m: Measured) -> float:
    """Hours in which less is carried than offered."""
    return m.loads.below / HOUR


def router_p5(m: Measured) -> float:
    """Fifth percentile over routers of carried over offered."""
    return at_level(m.loads.shares, 0.05)


def imbalance(m: Measured) -> float:
    """Largest node's offered load over the mean of the nodes that are up."""
    assert m.loads  # undefined without any
    return m.imbalance
