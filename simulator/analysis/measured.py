"""One replication as the metrics see it: what several of them share, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.analysis.bandwidth import Loads, loads
from simulator.analysis.belief import Belief
from simulator.analysis.context import Context
from simulator.analysis.downtime import downtime
from simulator.analysis.intervals import Lives, Rows, Spans, union, union_of
from simulator.analysis.leases import Leases
from simulator.analysis.service import History
from simulator.trace import Floats, Kind, Sort, Trace


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
        if not np.any(lives.length > 0):
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
        return self._none_of(self.history.routed)

    @cached_property
    def all_down_by_nodes(self) -> Spans:
        """The same by causes of nodes and agents alone: not uplinks, not broker or server."""
        rows = self.history.routed_by_nodes
        waiting = self._waiting()
        starts = np.concatenate([rows.start, waiting.starts])
        ends = np.concatenate([rows.end, waiting.ends])
        return _difference(self._existing(), union(starts, ends))

    def _waiting(self) -> Spans:
        """When an L3 agent on a host that is up waits for broker or server to rebuild."""
        agents = set(self.trace.nodes.l3.tolist())
        spans = self.history.alternating(Kind.WAITING, Kind.RESUMED)
        return union_of([pairs for agent, pairs in spans.items() if agent in agents])

    def _existing(self) -> Spans:
        lives = self.history.lives(Sort.ROUTER)
        alive = lives.end > lives.start
        return union(lives.start[alive], lives.end[alive])

    def _none_of(self, rows: Rows) -> Spans:
        return _difference(self._existing(), union(rows.start, rows.end))

    @cached_property
    def blasts(self) -> Floats:
        """For each onset of a cause that hits a router: the share of routers it stops."""
        return np.array(list(_blasts(self.history)))

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
        return some(np.array(self.belief.detections()), "no failure outlasted its detection")

    @cached_property
    def loads(self) -> Loads:
        """Bandwidth offered and carried; UndefinedError without any."""
        found = loads(self.history)
        if not found.offered:
            raise UndefinedError("no north-south load: set workload.traffic.per_router")
        return found

    @cached_property
    def moves(self) -> Floats:
        """Failure to service on another host, s, of routers and networks that moved."""
        history = self.history
        parts = [
            _moves(history.router_outages, history.routed),
            _moves(history.network_outages, history.leased),
        ]
        return np.concatenate(parts)

    @cached_property
    def provisioning(self) -> Floats:
        """Acceptance to first service, s, of objects created inside the window."""
        history = self.history
        delays = []
        for rows in (history.routed, history.leased):
            first = np.full(history.born.size, np.inf)
            np.minimum.at(first, rows.owner, rows.start)
            new = (history.born > self.context.begin) & (history.born < self.context.end)
            seen = new & (first < self.context.end)
            delays.append((first - history.born)[seen])
        return some(np.concatenate(delays), "nothing was created and served")

    @cached_property
    def dhcp_servers(self) -> tuple[float, float]:
        """Time averages of the largest and of the mean number of DHCP servers on a node."""
        history = self.history
        nodes = np.flatnonzero(self.trace.nodes.dhcp >= 0)
        objects = self.trace.objects
        rows = history.attached.take(objects.sort[history.attached.owner] == Sort.NETWORK)
        rows = rows.clipped(self.context.begin, self.context.end)
        weight = np.ones(rows.owner.size)
        largest = _largest(rows, weight, nodes.size, np.searchsorted(nodes, rows.node))
        mean = float(rows.length.sum()) / nodes.size / self.context.window
        return float(np.sum(largest.value * largest.length)) / self.context.window, mean

    @cached_property
    def imbalance(self) -> float:
        """Largest node's offered load over the mean of nodes that are up, averaged over time."""
        history, objects = self.history, self.trace.objects
        nodes = np.flatnonzero(self.trace.nodes.l3 >= 0)
        rows = history.attached.clipped(self.context.begin, self.context.end)
        loaded = (objects.load_bps > 0) & (objects.gateway >= 0)
        rows = rows.take(loaded[rows.owner])
        place = np.searchsorted(nodes, rows.node)
        up = [history.failed.get(int(self.trace.nodes.host[n]), []) for n in nodes]
        largest = _largest(rows, objects.load_bps[rows.owner], nodes.size, place, up)
        busy = (largest.value > 0) & (largest.up > 0)
        if not busy.any():
            raise UndefinedError("no node carries load")
        mean = largest.total[busy] / largest.up[busy]
        ratio = largest.value[busy] / mean
        return float(np.average(ratio, weights=largest.length[busy]))


def some(values: Floats, reason: str) -> Floats:
    """*values*, or UndefinedError with *reason* if there are none."""
    if not values.size:
        raise UndefinedError(reason)
    return values


def _difference(a: Spans, b: Spans) -> Spans:
    """What of *a* is not in *b*."""
    edges = np.unique(np.concatenate([a.starts, a.ends, b.starts, b.ends]))
    if not edges.size:
        return a
    middle = (edges[1:] + edges[:-1]) / 2
    kept = _covers(a, middle) & ~_covers(b, middle)
    return union(edges[:-1][kept], edges[1:][kept])


def _covers(spans: Spans, times: Floats) -> np.ndarray:
    place = np.searchsorted(spans.starts, times, side="right") - 1
    ends = spans.ends[np.maximum(place, 0)] if spans.ends.size else np.full(times.size, -np.inf)
    return (place >= 0) & (times < ends)


def _blasts(history: History) -> list[float]:
    """Routers stopped by each onset that stops any, over routers alive.

    Onsets are failures of components, and the restarts that wipe or flush what a host had.
    """
    trace, context = history.trace, history.context
    rows = history.routed
    lives = history.lives(Sort.ROUTER)
    stopped = np.minimum(history.dead, context.end)[rows.owner] > rows.end
    rows = rows.take(stopped)
    order = np.argsort(rows.end, kind="stable")
    ends, node = rows.end[order], rows.node[order]
    exits = trace.objects.gateway[rows.owner[order]]
    alive = lives.end > lives.start
    births, deaths = np.sort(lives.start[alive]), np.sort(lives.end[alive])
    uplink_of = {int(c): g for g, c in enumerate(trace.uplinks)}
    onset = np.isin(trace.kind, (Kind.FAIL, Kind.WIPED, Kind.FLUSHED))
    times, subjects = trace.time[onset], trace.subject[onset]
    first = np.searchsorted(ends, times, side="left")
    last = np.searchsorted(ends, times, side="right")
    shares = []
    for i in np.flatnonzero(last > first).tolist():
        part, place = int(subjects[i]), slice(first[i], last[i])
        if part in uplink_of:
            hit = int(np.sum(exits[place] == uplink_of[part]))
        else:
            hit = int(np.sum(node[place] == history.node_of[part]))
        if hit:
            time = times[i]
            living = np.searchsorted(births, time) - np.searchsorted(deaths, time)
            shares.append(hit / float(living))
    return shares


def _moves(outages: Rows, serving: Rows) -> Floats:
    """Lengths of outages that end with service at another node than the one before."""
    known = outages.take(outages.node >= 0)
    ends = {
        (int(o), float(s)): int(n)
        for o, s, n in zip(serving.owner, serving.start, serving.node, strict=True)
    } if known.owner.size else {}  # fmt: skip
    return np.array([
        end - start
        for owner, node, start, end in zip(
            known.owner.tolist(), known.node.tolist(), known.start.tolist(), known.end.tolist(),
            strict=True,
        )
        if ends.get((owner, end), node) != node
    ])  # fmt: skip


@dataclass(frozen=True)
class Largest:
    """Stretches of time: their length, the largest node's weight, all nodes', and nodes up."""

    length: Floats
    value: Floats
    total: Floats
    up: Floats


def _largest(
    rows: Rows,
    weight: Floats,
    nodes: int,
    place: np.ndarray,
    failed: list[list[tuple[float, float]]] | None = None,
) -> Largest:
    """The largest node's weight through time; *place* is each row's node, from 0 to nodes - 1."""
    times = [rows.start, rows.end]
    downs = [(n, *span) for n, spans in enumerate(failed or []) for span in spans]
    table = np.array(downs, dtype=float).reshape(-1, 3)
    low, high = (rows.start.min(), rows.end.max()) if rows.start.size else (0.0, 0.0)
    down_start, down_end = np.clip(table[:, 1], low, high), np.clip(table[:, 2], low, high)
    edges = np.unique(np.concatenate([*times, down_start, down_end]))
    if edges.size < 2:
        nothing = np.empty(0)
        return Largest(nothing, nothing, nothing, nothing)
    change = np.zeros((edges.size, nodes))
    np.add.at(change, (np.searchsorted(edges, rows.start), place), weight)
    np.add.at(change, (np.searchsorted(edges, rows.end), place), -weight)
    held = np.cumsum(change, axis=0)[:-1]
    lost = np.zeros(edges.size)
    np.add.at(lost, np.searchsorted(edges, down_start), 1.0)
    np.add.at(lost, np.searchsorted(edges, down_end), -1.0)
    up = nodes - np.cumsum(lost)[:-1]
    return Largest(np.diff(edges), held.max(axis=1), held.sum(axis=1), up)
