"""Per-router and per-network downtime of one replication."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.analysis.downtime import CAUSES, downtime
from simulator.analysis.measured import Measured
from simulator.trace import Floats, Ints, Sort


@dataclass(frozen=True)
class ObjectRows:
    """Every object that lived in the window: its sort, life, downtime, and downtime by cause, s."""

    names: tuple[str, ...]
    sort: Ints
    life: Floats
    downtime: Floats
    causes: dict[str, Floats]


def object_rows(measured: Measured) -> ObjectRows:
    """The rows of one replication, in the order of creation."""
    history = measured.history
    size = len(measured.trace.objects.names)
    life, served = np.zeros(size), np.zeros(size)
    causes = {cause: np.zeros(size) for cause in CAUSES}
    context = measured.context
    leased = history.leased.clipped(context.begin, context.end)
    for sort, serving in ((Sort.ROUTER, history.routed), (Sort.NETWORK, leased)):
        life += history.lives(sort).length
        served += serving.total(size)
        parts = measured.router_causes if sort == Sort.ROUTER else downtime(history, sort)
        for cause, seconds in parts.items():
            causes[cause] += seconds
    kept = np.flatnonzero(life > 0)
    objects = measured.trace.objects
    return ObjectRows(
        names=tuple(objects.names[i] for i in kept.tolist()),
        sort=objects.sort[kept],
        life=life[kept],
        downtime=(life - served)[kept],
        causes={cause: seconds[kept] for cause, seconds in causes.items()},
    )
