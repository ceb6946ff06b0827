"""Per-router and per-network downtime of one replication."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.analysis.downtime import CAUSES, downtime
from simulator.analysis.measured import Measured
from simulator.trace import Floats, Sort


@dataclass(frozen=True)
class ObjectRows:
    """Every object that lived in the window: its kind, life, downtime, and downtime by cause, s.

    Kinds are router and network; under nova-network gateway and network, one of each a host.
    Where there are too many to keep each, rows are quantiles of each column instead, by kind:
    *quantiles* then holds their levels, and *names* is empty.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    life: Floats
    downtime: Floats
    causes: dict[str, Floats]
    quantiles: Floats | None = None


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
    multi_host = context.architecture == "multi_host"
    kinds = {int(Sort.ROUTER): "gateway" if multi_host else "router", int(Sort.NETWORK): "network"}
    return ObjectRows(
        names=tuple(objects.names[i] for i in kept.tolist()),
        kinds=tuple(kinds[sort] for sort in objects.sort[kept].tolist()),
        life=life[kept],
        downtime=(life - served)[kept],
        causes={cause: seconds[kept] for cause, seconds in causes.items()},
    )


def in_quantiles(rows: ObjectRows) -> ObjectRows:
    """*rows* as 101 quantiles of each column for each kind."""
    levels = np.linspace(0, 1, 101)
    found = list(dict.fromkeys(rows.kinds))
    every = np.array(rows.kinds)

    def column(values: Floats) -> Floats:
        parts = [np.quantile(values[every == kind], levels) for kind in found]
        return np.concatenate(parts) if parts else np.empty(0)

    return ObjectRows(
        names=(),
        kinds=tuple(kind for kind in found for _ in levels),
        life=column(rows.life),
        downtime=column(rows.downtime),
        causes={cause: column(seconds) for cause, seconds in rows.causes.items()},
        quantiles=np.tile(levels, len(found)),
    )
