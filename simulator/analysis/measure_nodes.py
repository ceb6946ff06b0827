"""Metrics of the nodes themselves, whatever they carry."""

from __future__ import annotations

from simulator.analysis.intervals import NOTHING, clip
from simulator.analysis.measured import Measured, UndefinedError


def availability(m: Measured) -> float:
    """Share of the window in which the nodes' hosts are up, over all of them."""
    nodes, begin, end = m.trace.nodes, m.context.begin, m.context.end
    hosts = nodes.host[nodes.central].tolist()
    if not hosts:
        raise UndefinedError("no host runs an agent that routers or networks could be given to")
    failed = m.history.failed
    down = sum(clip(failed.get(host, NOTHING), begin, end).length for host in hosts)
    return 1 - down / (len(hosts) * (end - begin))
