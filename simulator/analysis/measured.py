"""One replication as the metrics see it: what several of them share, computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

import numpy as np

from simulator.analysis.all_down import all_down, all_down_by_nodes
from simulator.analysis.bandwidth import Loads, loads
from simulator.analysis.belief import Belief
from simulator.analysis.context import Context
from simulator.analysis.demands import Demands, demands
from simulator.analysis.downtime import downtime
from simulator.analysis.intervals import NOTHING, Lives, Rows, Spans, ranges
from simulator.analysis.largest import largest
from simulator.analysis.leases import Leases
from simulator.analysis.onsets import blasts, moves
from simulator.analysis.service import History
from simulator.trace import Floats, Sort, Trace


class UndefinedError(Exception):
    """A metric has no value here; the message says why."""


class Measured:
    """One replication, with what several metrics share."""

    def __init__(self, trace: Trace, context: Context) -> None:
        self.trace = trace
        self.context = context
        self.history = History(trace, context)

    # -- shared ----------------------------------------------------------------------------

    def routers(self) -> Lives:
        """The routers' lives; UndefinedError where a system has none."""
        if self.context.architecture == "multi_host":
            raise UndefinedError("nova-network has no routers: each host is the gateway of its VMs")
        return self._alive(Sort.ROUTER, "no routers")

    def networks(self) -> Lives:
        """The networks' lives."""
        if self.context.architecture == "multi_host":
            raise UndefinedError("nova-network serves DHCP on each host for its own VMs only")
        return self._alive(Sort.NETWORK, "no networks")

    def _alive(self, sort: Sort, reason: str) -> Lives:
        lives = self.history.lives(sort)
        if not lives.any:
            raise UndefinedError(reason)
        return lives

    @cached_property
    def router_downtime(self) -> Floats:
        """Seconds without north-south service of each object that is a router."""
        lives = self.history.lives(Sort.ROUTER)
        return lives.length - self.history.routed.total(lives.start.size)

    @cached_property
    def router_causes(self) -> dict[str, Floats]:
        """Seconds of downtime by cause, of each object that is a router."""
        return downtime(self.history, Sort.ROUTER)

    @cached_property
    def closed_outages(self) -> Floats:
        """Durations of routers' outages that touch no edge of the window, s."""
        rows, context = self.history.router_outages, self.context
        inside = (rows.start > context.begin) & (rows.end < context.end)
        return rows.length[inside]

    @cached_property
    def all_down(self) -> Spans:
        """When no router served while one existed."""
        return all_down(self.history, self.history.routed)

    @cached_property
    def all_down_by_nodes(self) -> Spans:
        """When nodes and agents alone kept a router from serving, and none served."""
        history = self.history
        same = history.routed_by_nodes is history.routed
        silent = self.all_down if same else all_down(history, history.routed_by_nodes)
        return all_down_by_nodes(history, silent)

    @cached_property
    def blasts(self) -> Floats:
        """For each onset of a cause that hits a router: the share of routers it stops."""
        return blasts(self.history)

    @cached_property
    def tenants(self) -> tuple[Floats, Floats]:
        """Per tenant: seconds reachable and seconds of life."""
        objects, lives = self.trace.objects, self.history.lives(Sort.ROUTER)
        alive = np.flatnonzero((lives.length > 0) & (objects.tenant >= 0))
        count = int(objects.tenant.max(initial=-1)) + 1
        rows = self.history.routed
        rows = Rows(objects.tenant[rows.owner], rows.node, rows.start, rows.end)
        life = Rows(objects.tenant[alive], alive, lives.start[alive], lives.end[alive])
        return rows.merged().total(count), life.merged().total(count)

    @cached_property
    def leases(self) -> Leases:
        """The VMs and who of them has an address."""
        return Leases(self.history)

    @cached_property
    def belief(self) -> Belief:
        """The agents table; UndefinedError where there is none."""
        if not self.context.reports:
            raise UndefinedError("no agent reports: this release has no agents table")
        return Belief(self.history)

    @cached_property
    def detections(self) -> Floats:
        """Seconds from failure to `agent_down`, of failures that outlast it."""
        return some(self.belief.detections(), "no failure outlasted its detection")

    @cached_property
    def demands(self) -> tuple[Demands, Rows]:
        """What is offered north-south, in parts, and when each was served by which node."""
        distributed = self.context.distributed
        return demands(self.history, self.leases.residents if distributed else None)

    @cached_property
    def loads(self) -> Loads:
        """Bandwidth offered and carried; UndefinedError without any."""
        found = loads(self.history, *self.demands)
        if not found.offered:
            raise UndefinedError("no north-south load: set workload.traffic.per_router")
        return found

    @cached_property
    def moves(self) -> Floats:
        """Failure to service on another host, s, of routers and networks that moved."""
        history = self.history
        servers = history.dhcp_servers.clipped(self.context.begin, self.context.end)
        parts = [
            moves(history.router_outages, history.answering),
            moves(history.network_outages, servers),
        ]
        return np.concatenate(parts)

    @cached_property
    def provisioning(self) -> Floats:
        """Acceptance to first service, s, of objects created inside the window."""
        history = self.history
        delays = []
        for rows in (history.routed, history.leased):
            first, served = np.full(history.born.size, np.inf), ranges(rows.owner)[0]
            first[rows.owner[served]] = rows.start[served]
            new = (history.born > self.context.begin) & (history.born < self.context.end)
            seen = new & (first < self.context.end)
            delays.append(first[seen] - history.born[seen])
        return some(np.concatenate(delays), "nothing was created and served")

    @cached_property
    def dhcp_servers(self) -> tuple[float, float]:
        """Time averages of the largest and of the mean number of DHCP servers on a node."""
        history = self.history
        nodes = np.flatnonzero(self.trace.nodes.dhcp >= 0)
        rows = history.of(Sort.NETWORK, history.attached)
        rows = rows.clipped(self.context.begin, self.context.end)
        weight = np.ones(rows.owner.size)
        most = largest(rows, weight, nodes.size, np.searchsorted(nodes, rows.node))
        mean = float(rows.length.sum()) / nodes.size / self.context.window
        return float(np.sum(most.value * most.length)) / self.context.window, mean

    @cached_property
    def imbalance(self) -> float:
        """Largest node's offered load over the mean of nodes that are up, averaged over time."""
        history, (demands, _) = self.history, self.demands
        nodes = np.flatnonzero((self.trace.nodes.l3 >= 0) & ~self.trace.nodes.local)
        rows = demands.by_network_node(history.held.clipped(self.context.begin, self.context.end))
        place = np.searchsorted(nodes, rows.node)
        down = [history.failed.get(int(self.trace.nodes.host[n]), NOTHING) for n in nodes]
        most = largest(rows, demands.load[rows.owner], nodes.size, place, down)
        busy = (most.value > 0) & (most.up > 0)
        if not busy.any():
            raise UndefinedError("no node carries load")
        ratio = most.value[busy] / (most.total[busy] / most.up[busy])
        return float(np.average(ratio, weights=most.length[busy]))


Function: TypeAlias = Callable[[Measured], float]


def some(values: Floats, reason: str) -> Floats:
    """*values*, or UndefinedError with *reason* if there are none."""
    if not values.size:
        raise UndefinedError(reason)
    return values


def at_level(values: Floats, level: float) -> float:
    """The quantile of *values* at *level*: that of `np.quantile`, at a tenth of its cost."""
    place = level * (values.size - 1)
    pair = [int(place), min(int(place) + 1, values.size - 1)]
    low, high = np.partition(values, pair)[pair].tolist()
    share, step = place - pair[0], high - low
    return float(high - step * (1 - share) if share >= 0.5 else low + step * share)
