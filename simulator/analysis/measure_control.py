"""Metrics of the control plane: scheduling, detecting failures, moving what they hit."""

from __future__ import annotations

import numpy as np

from simulator.analysis.measured import Function, Measured, UndefinedError, at_level, some
from simulator.trace import Kind


def availability(m: Measured) -> float:
    """Share of scheduling requests placed at their first trigger."""
    if not m.context.has_scheduler:
        raise UndefinedError("this release has no scheduler")
    events = m.trace.of(Kind.REQUEST)
    inside = events.value[events.time >= m.context.begin]
    return float(np.mean(some(inside, "nothing that was created met its first trigger")))


def provisioning(level: float) -> Function:
    """A quantile of the seconds from acceptance to first service."""

    def quantile(m: Measured) -> float:
        if m.context.architecture == "multi_host":
            raise UndefinedError("nova-network sets up a network with its host")
        return at_level(m.provisioning, level)

    return quantile


def detection_mean(m: Measured) -> float:
    """Mean seconds from a failure until the agent looks down."""
    return float(np.mean(m.detections))


def detection_p95(m: Measured) -> float:
    """The 95th percentile of the same."""
    return at_level(m.detections, 0.95)


def false_down_episodes(m: Measured) -> float:
    """How often a healthy agent looked down."""
    return float(m.belief.false_downs.owner.size)


def false_down_time(m: Measured) -> float:
    """For how many seconds, summed over agents."""
    return float(m.belief.false_downs.length.sum())


def ha_report_delay_mean(m: Measured) -> float:
    """Mean seconds from a VRRP promotion until the server knows of it."""
    if not m.context.replicated:
        raise UndefinedError("no router is highly available")
    trace, nothing = m.trace, "the server heard of no promotion"
    rows = np.flatnonzero(np.isin(trace.kind, (Kind.PROMOTED, Kind.HA_REPORTED)))
    rows = rows[(trace.kind[rows] == Kind.PROMOTED) | (trace.value[rows] == 1)]
    rows = rows[np.lexsort((rows, trace.object[rows], trace.subject[rows]))]
    before, after = rows[:-1], rows[1:]
    told = (trace.kind[before] == Kind.PROMOTED) & (trace.kind[after] == Kind.HA_REPORTED)
    told &= (trace.subject[before] == trace.subject[after]) & (trace.time[before] > 0)
    told &= (trace.object[before] == trace.object[after]) & (trace.time[after] >= m.context.begin)
    return float(np.mean(some(trace.time[after[told]] - trace.time[before[told]], nothing)))


def failover(level: float) -> Function:
    """A quantile of the seconds from the loss of service to service on another host."""

    def quantile(m: Measured) -> float:
        return at_level(some(m.moves, "nothing moved to another host"), level)

    return quantile


def failover_moves(m: Measured) -> float:
    """How many routers and networks moved."""
    return float(m.moves.size)
