"""From events to service: what was up, what was set up where, and what therefore served.

`History` reads a trace once into tables that the metrics share. The words are those of the
metrics' definitions: see `netnode explain`.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TypeAlias

import numpy as np

from simulator.analysis.context import Context
from simulator.analysis.intervals import (
    Lives,
    Rows,
    Spans,
    complement,
    concatenate,
    gaps,
    overlaps,
    union_of,
)
from simulator.trace import Floats, Ints, Kind, Sort, Trace

Pairs: TypeAlias = list[tuple[float, float]]


class History:
    """One trace, read for one context."""

    def __init__(self, trace: Trace, context: Context) -> None:
        self.trace = trace
        self.context = context
        self.horizon = trace.horizon
        nodes = trace.nodes
        self.node_of_host = {int(host): n for n, host in enumerate(nodes.host)}
        hosts = trace.components.host
        self.node_of = np.array([self.node_of_host.get(int(h), -1) for h in hosts])

    # -- components ------------------------------------------------------------------------

    @cached_property
    def failed(self) -> dict[int, Pairs]:
        """When each component was failed: while any cause held."""
        trace = self.trace
        rows = np.flatnonzero(trace.kind <= Kind.REPAIR)
        causes: dict[int, int] = defaultdict(int)
        since: dict[int, float] = {}
        spans: dict[int, Pairs] = defaultdict(list)
        for time, kind, component in zip(
            trace.time[rows].tolist(),
            trace.kind[rows].tolist(),
            trace.subject[rows].tolist(),
            strict=True,
        ):
            if kind == Kind.FAIL:
                if not causes[component]:
                    since[component] = time
                causes[component] += 1
            else:
                causes[component] -= 1
                if not causes[component]:
                    spans[component].append((since.pop(component), time))
        for component, time in since.items():
            spans[component].append((time, self.horizon))
        return spans

    def alternating(self, on: Kind, off: Kind) -> dict[int, Pairs]:
        """Per subject, from the first event *on* to the next *off*, again and again."""
        trace = self.trace
        rows = np.flatnonzero((trace.kind == on) | (trace.kind == off))
        since: dict[int, float] = {}
        spans: dict[int, Pairs] = defaultdict(list)
        for time, kind, subject in zip(
            trace.time[rows].tolist(),
            trace.kind[rows].tolist(),
            trace.subject[rows].tolist(),
            strict=True,
        ):
            if kind == on:
                since.setdefault(subject, time)
            elif subject in since:
                spans[subject].append((since.pop(subject), time))
        for subject, time in since.items():
            spans[subject].append((time, self.horizon))
        return spans

    @cached_property
    def flushed(self) -> dict[int, Pairs]:
        """When each L2 agent had dropped the flows of its host and not put them back."""
        return self.alternating(Kind.FLUSHED, Kind.WIRED)

    @cached_property
    def unwired(self) -> dict[int, Pairs]:
        """When what is new on an L2 agent's host waits to be wired."""
        return self.alternating(Kind.STOPPED, Kind.WIRED)

    # -- objects ---------------------------------------------------------------------------

    @cached_property
    def born(self) -> Floats:
        """When each object was created."""
        return self._times(Kind.CREATED)

    @cached_property
    def dead(self) -> Floats:
        """When each object was deleted; infinity for never."""
        return self._times(Kind.DELETED)

    def _times(self, kind: Kind) -> Floats:
        events = self.trace.of(kind)
        times = np.full(len(self.trace.objects.names), np.inf)
        times[events.object] = events.time
        return times

    def lives(self, sort: Sort) -> Lives:
        """When the objects of one sort exist inside the window; the others never."""
        context = self.context
        start = np.maximum(self.born, context.begin)
        end = np.minimum(self.dead, context.end)
        return Lives(start, np.where(self.trace.objects.sort == sort, end, -np.inf))

    # -- what is set up where --------------------------------------------------------------

    @cached_property
    def attached(self) -> Rows:
        """When each object was set up at each node, wired or not. Not clipped to the window."""
        events = self.trace.of(Kind.CONFIGURED)
        node = self.node_of[events.subject]
        start = events.time
        end = np.minimum(self.dead[events.object], self.horizon)
        losses = self._losses()
        order = np.argsort(node, kind="stable")
        bounds = np.searchsorted(node[order], np.arange(len(self.trace.nodes.host) + 1))
        for n, times in losses.items():
            which = order[bounds[n] : bounds[n + 1]]
            at = np.searchsorted(times, start[which], side="right")
            end[which] = np.minimum(end[which], times[at])
        rows = Rows(events.object, node, start, end)
        self._take_down(rows, events.subject)
        return rows.take(rows.end > rows.start)

    def _losses(self) -> dict[int, Floats]:
        """When each node lost all it had set up: its host failed. Ends with infinity."""
        losses: dict[int, list[float]] = defaultdict(list)
        for component, spans in self.failed.items():
            if component in self.node_of_host:
                losses[self.node_of_host[component]] += [start for start, _ in spans]
        return {n: np.array([*sorted(times), np.inf]) for n, times in losses.items()}

    def _take_down(self, rows: Rows, agents: Ints) -> None:
        """End the rows that an agent's restart wiped, or that were taken down one by one."""
        wiped = self.trace.of(Kind.WIPED)
        for agent in np.unique(wiped.subject).tolist():
            times = np.append(wiped.time[wiped.subject == agent], np.inf)
            which = np.flatnonzero(agents == agent)
            at = np.searchsorted(times, rows.start[which], side="right")
            rows.end[which] = np.minimum(rows.end[which], times[at])
        gone = self.trace.of(Kind.UNCONFIGURED)
        if not gone.time.size:
            return
        places: dict[tuple[int, int], list[int]] = defaultdict(list)
        touched = np.flatnonzero(np.isin(rows.owner, gone.object))
        for i in touched.tolist():
            places[int(agents[i]), int(rows.owner[i])].append(i)
        for time, agent, thing in zip(
            gone.time.tolist(), gone.subject.tolist(), gone.object.tolist(), strict=True
        ):
            for i in places[agent, thing]:
                if rows.start[i] <= time < rows.end[i]:
                    rows.end[i] = time

    @cached_property
    def wired(self) -> Rows:
        """As `attached`, but from when the host's L2 agent had wired what is new."""
        rows = self.attached
        start = rows.start.copy()
        for n, l2 in enumerate(self.trace.nodes.l2.tolist()):
            for begin, end in self.unwired.get(l2, ()):
                late = (rows.node == n) & (start >= begin) & (start < end) & (start > 0)
                start[late] = end
        wired = Rows(rows.owner, rows.node, start, rows.end)
        return wired.take(wired.end > wired.start)

    # -- paths -----------------------------------------------------------------------------

    def path(self, node: int, *, external: bool, gateway: int = -1, uplink: bool = True) -> Spans:
        """When *node* passes traffic of what it has set up.

        Its host is up, its L2 agent has not dropped the flows, and its data NIC is up; with
        *external* the external NIC too, and the uplink of network *gateway* if *uplink*. Under
        multi_host no data network lies on the way out.
        """
        nodes, failed = self.trace.nodes, self.failed
        parts = [int(nodes.host[node])]
        if self.context.architecture != "multi_host":
            parts.append(int(nodes.data_nic[node]))
        if external:
            parts.append(int(nodes.external_nic[node]))
        if external and uplink and gateway >= 0:
            parts.append(int(self.trace.uplinks[gateway]))
        down = [failed[part] for part in parts if part in failed]
        flushed = self.flushed.get(int(nodes.l2[node]))
        if flushed:
            down.append(flushed)
        return complement(union_of(down), 0.0, self.horizon)

    def carried_by(self, rows: Rows, *, external: bool, uplink: bool = True) -> Rows:
        """The parts of *rows* in which their node's path was up.

        A router without a gateway needs no external NIC and no uplink.
        """
        gateway = self.trace.objects.gateway[rows.owner]
        key = rows.node * (len(self.trace.uplinks) + 1) + gateway + 1
        parts = []
        order = np.argsort(key, kind="stable")
        keys, starts = np.unique(key[order], return_index=True)
        for i, which in enumerate(np.split(order, starts[1:])):
            node, exit_ = divmod(int(keys[i]), len(self.trace.uplinks) + 1)
            spans = self.path(
                node, external=external and exit_ > 0, gateway=exit_ - 1, uplink=uplink
            )
            if spans.starts.size == 1 and spans.length == self.horizon:
                parts.append(rows.take(which))
                continue
            piece, start, end = overlaps(rows.start[which], rows.end[which], spans)
            parts.append(Rows(rows.owner[which][piece], rows.node[which][piece], start, end))
        return concatenate(parts)

    def without(self, rows: Rows, failed: Pairs) -> Rows:
        """The parts of *rows* outside the times *failed*."""
        spans = complement(union_of([failed]), 0.0, self.horizon)
        piece, start, end = overlaps(rows.start, rows.end, spans)
        return Rows(rows.owner[piece], rows.node[piece], start, end)

    # -- routers ---------------------------------------------------------------------------

    @cached_property
    def _router_rows(self) -> Rows:
        rows = self.wired
        return rows.take(self.trace.objects.sort[rows.owner] == Sort.ROUTER)

    @cached_property
    def present(self) -> Rows:
        """When each router was set up at a node that reaches the data network."""
        return self.carried_by(self._router_rows, external=False)

    @cached_property
    def routed(self) -> Rows:
        """When each router served north-south, inside the window, merged."""
        return self._serving(external=True, uplink=True)

    @cached_property
    def routed_by_nodes(self) -> Rows:
        """As `routed`, had no uplink failed."""
        if not self._any_failed(self.trace.uplinks):
            return self.routed
        return self._serving(external=True, uplink=False)

    @cached_property
    def routed_inside(self) -> Rows:
        """When each router served between its subnets, inside the window, merged."""
        if not self._any_failed(self.trace.uplinks, self.trace.nodes.external_nic):
            return self.routed
        return self._serving(external=False, uplink=False)

    def _any_failed(self, *parts: Ints) -> bool:
        return any(int(part) in self.failed for group in parts for part in group)

    def _serving(self, *, external: bool, uplink: bool) -> Rows:
        if external and self._any_failed(self.trace.uplinks, self.trace.nodes.external_nic):
            rows = self.carried_by(self._router_rows, external=True, uplink=uplink)
        else:
            rows = self.present
        if self._contested.owner.size:
            rows = self._resolve(rows)
        return rows.clipped(self.context.begin, self.context.end).merged()

    @cached_property
    def _contested(self) -> Rows:
        """When two nodes or more answered for one router."""
        rows = self.present
        order = np.lexsort((rows.start, rows.owner))
        owner, start, end = rows.owner[order], rows.start[order], rows.end[order]
        if not np.any((owner[1:] == owner[:-1]) & (start[1:] < end[:-1])):
            return rows.take(np.zeros(rows.owner.size, dtype=bool))
        owners, begin, until, count, _ = self._counts(rows, concatenate(()))
        both = count > 1
        return Rows(owners[both], np.full(int(both.sum()), -1), begin[both], until[both])

    @cached_property
    def conflicted(self) -> Rows:
        """When each router was conflicted, inside the window, merged."""
        return self._contested.clipped(self.context.begin, self.context.end).merged()

    def _resolve(self, rows: Rows) -> Rows:
        """*rows* without the times in which two nodes answered (or with, if the scenario says)."""
        owners, begin, until, present, serving = self._counts(self.present, rows)
        kept = (serving > 0) & ((present == 1) | self.context.conflicted_serves)
        node = np.full(owners.size, -1, dtype=np.int64)
        result = Rows(owners[kept], node[kept], begin[kept], until[kept])
        return _with_nodes(result, rows)

    def _counts(self, present: Rows, serving: Rows) -> tuple[Ints, Floats, Floats, Ints, Ints]:
        """Owner by owner, the pieces between changes, and how many rows of each table hold."""
        owner = np.concatenate([present.owner] * 2 + [serving.owner] * 2)
        time = np.concatenate([present.start, present.end, serving.start, serving.end])
        steps = [
            np.repeat([1, -1, 0, 0], [present.owner.size] * 2 + [serving.owner.size] * 2),
            np.repeat([0, 0, 1, -1], [present.owner.size] * 2 + [serving.owner.size] * 2),
        ]
        order = np.lexsort((time, owner))
        owner, time = owner[order], time[order]
        counts = [np.cumsum(step[order]) for step in steps]
        real = np.flatnonzero((owner[1:] == owner[:-1]) & (time[1:] > time[:-1]))
        return owner[real], time[real], time[real + 1], counts[0][real], counts[1][real]

    # -- networks --------------------------------------------------------------------------

    @cached_property
    def dhcp_servers(self) -> Rows:
        """When each network had a DHCP server on a node that reaches the data network."""
        rows = self.wired
        rows = rows.take(self.trace.objects.sort[rows.owner] == Sort.NETWORK)
        return self.carried_by(rows, external=False)

    @cached_property
    def leased(self) -> Rows:
        """When each network's DHCP served, merged, over the whole run."""
        return self.dhcp_servers.merged()

    # -- outages ---------------------------------------------------------------------------

    @cached_property
    def router_outages(self) -> Rows:
        """The maximal times in which a router lived and did not serve north-south."""
        return gaps(self.routed, self.lives(Sort.ROUTER))

    @cached_property
    def network_outages(self) -> Rows:
        """The maximal times in which a network lived and its DHCP did not serve."""
        lives = self.lives(Sort.NETWORK)
        leased = self.leased.clipped(self.context.begin, self.context.end)
        return gaps(leased, lives)


def _with_nodes(rows: Rows, sources: Rows) -> Rows:
    """Give each of *rows* the node of a row of *sources* that covers its start."""
    order = np.lexsort((sources.start, sources.owner))
    key = list(zip(sources.owner[order].tolist(), sources.start[order].tolist(), strict=True))
    places: dict[int, list[int]] = defaultdict(list)
    for position, (owner, _) in zip(order.tolist(), key, strict=True):
        places[owner].append(position)
    node = rows.node.copy()
    for i, (owner, start) in enumerate(zip(rows.owner.tolist(), rows.start.tolist(), strict=True)):
        for position in places[owner]:
            if sources.start[position] <= start < sources.end[position]:
                node[i] = sources.node[position]
    return Rows(rows.owner, node, rows.start, rows.end)
