"""What is offered north-south, in parts that have one way each.

A router offers its load as one part, by the node that serves it. Of a distributed router the VMs
with floating IPs offer their share by their own hosts, and the others theirs by the network node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.analysis.intervals import Lives, Rows, concatenate, gaps, join
from simulator.analysis.residents import Residents
from simulator.analysis.service import History
from simulator.trace import Floats, Ints, Sort


@dataclass(frozen=True)
class Demands:
    """Parts of what routers offer: each *load*, bit/s, of a *router* during its *lives*.

    The first *central* parts go by the node that serves the router, and are in its order, disjoint.
    If *whole*, each is all that its router offers in all its life.
    """

    router: Ints
    load: Floats
    lives: Lives
    central: int
    whole: bool = False

    def by_network_node(self, rows: Rows) -> Rows:
        """*rows* of routers, inside their lives, as rows of central parts; by owner and start."""
        if self.whole:
            part = np.full(int(rows.owner.max(initial=-1)) + 1, -1)
            some = self.router[self.router < part.size]
            part[some] = np.arange(some.size)
            rows = replace(rows, owner=part[rows.owner])
            return rows.where(rows.owner >= 0).ordered()
        size = self.central
        parts = Rows(
            self.router[:size], np.arange(size), self.lives.start[:size], self.lives.end[:size]
        )
        which, found = join(rows.owner, rows.start, rows.end, parts)
        found = Rows(found.node, rows.node[which], found.start, found.end)
        return found.take(np.lexsort((found.start, found.owner)))

    def unserved(self, outages: Rows) -> Rows:
        """When whole parts are not served: which of their routers' *outages*."""
        asking = np.zeros(int(outages.owner.max(initial=-1)) + 1, dtype=bool)
        asking[self.router[self.router < asking.size]] = True
        return outages.where(asking[outages.owner])


def demands(history: History, residents: Residents | None) -> tuple[Demands, Rows]:
    """The parts of what all routers with a gateway offer, and when each was served by which node.

    The rows are disjoint, by owner and start. *residents* are for distributed routers.
    """
    objects, lives = history.trace.objects, history.lives(Sort.ROUTER)
    loaded = (objects.load_bps > 0) & (objects.gateway >= 0) & (lives.length > 0)
    if residents is not None:
        return _distributed(history, residents, np.where(loaded, objects.load_bps, 0.0))
    router = np.flatnonzero(loaded)
    own = Lives(lives.start[router], lives.end[router])
    found = Demands(router, objects.load_bps[router], own, router.size, whole=True)
    return found, found.by_network_node(history.routed)


def _distributed(history: History, residents: Residents, load: Floats) -> tuple[Demands, Rows]:
    lives, totals, exits = history.lives(Sort.ROUTER), residents.totals, residents.exits
    share = exits.weight / totals.weight[exits.which]
    away = np.bincount(exits.which, weights=share, minlength=totals.owner.size)
    with_vms = totals.rows().inside(lives)
    empty = gaps(with_vms, lives)
    own = exits.rows().inside(lives)
    inward = concatenate([with_vms, empty])
    weight = np.concatenate([1 - away[with_vms.node], np.ones(empty.owner.size)])
    order = np.lexsort((inward.start, inward.owner))
    rows = concatenate([inward.take(order), own])
    offered = load[rows.owner] * np.concatenate([weight[order], share[own.node]])
    kept = offered > RESIDUE * load[rows.owner]
    central = int(kept[: order.size].sum())
    rows, offered = rows.take(kept), offered[kept]
    found = Demands(rows.owner, offered, Lives(rows.start, rows.end), central)
    local = replace(exits.take(rows.node[central:]), start=rows.start[central:])
    local = replace(local, end=rows.end[central:])
    which, served = residents.served_at(local, residents.outside)
    outward = Rows(which + central, served.node, served.start, served.end)
    outward = outward.clipped(history.context.begin, history.context.end)
    return found, concatenate([found.by_network_node(history.routed), outward])


RESIDUE = 1e-12
"""Shares of a router's load below this are what rounding left of zero."""
