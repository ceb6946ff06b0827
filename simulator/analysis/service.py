"""From events to service: what was up, what was set up where, and what therefore served.

`History` reads a trace once into tables that the metrics share. The words are those of the
metrics' definitions: see `netnode explain`.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

import numpy as np

from simulator.analysis.context import Context
from simulator.analysis.intervals import (
    NOTHING,
    Lives,
    Rows,
    Spans,
    complement,
    concatenate,
    gaps,
    union_of,
)
from simulator.analysis.replicas import mastering, without_standbys
from simulator.analysis.states import Ends, alternating, alternating_objects, failed, grouped
from simulator.trace import Bools, Floats, Ints, Kind, Sort, Trace


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
    def failed(self) -> dict[int, Spans]:
        """When each component that ever failed was failed: while any cause held."""
        return failed(self.trace)

    @cached_property
    def management(self) -> dict[str, int]:
        """The management NIC of each host, by the host's name."""
        names = enumerate(self.trace.components.names)
        ending = "/management"
        return {name.removesuffix(ending): i for i, name in names if name.endswith(ending)}

    @cached_property
    def stopped(self) -> dict[int, Spans]:
        """When each agent's process did not run."""
        return alternating(self.trace, Kind.STOPPED, Kind.STARTED)

    def unheard(self, agent: int) -> Spans:
        """When *agent* could not report through its node's fault: process, host or management."""
        host = int(self.trace.components.host[agent])
        nic = self.management[self.trace.components.names[host]]
        down = [self.failed.get(part, NOTHING) for part in (host, nic)]
        return union_of([self.stopped.get(agent, NOTHING), *down])

    @cached_property
    def flushed(self) -> dict[int, Spans]:
        """When each L2 agent had dropped the flows of its host and not put them back."""
        return alternating(self.trace, Kind.FLUSHED, Kind.WIRED)

    @cached_property
    def unwired(self) -> dict[int, Spans]:
        """When what is new on an L2 agent's host waits to be wired."""
        return alternating(self.trace, Kind.STOPPED, Kind.WIRED)

    @cached_property
    def refused(self) -> dict[int, Spans]:
        """When the server refused to bind ports, by node and object in one number."""
        found = alternating_objects(self.trace, Kind.PORTS_REFUSED, Kind.PORTS_BOUND)
        size = len(self.trace.objects.names)
        return {int(self.node_of[agent]) * size + thing: s for (agent, thing), s in found.items()}

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
        start = np.clip(self.born, context.begin, context.end)  # never created: an empty life
        end = np.minimum(self.dead, context.end)
        return Lives(start, np.where(self.trace.objects.sort == sort, end, -np.inf))

    # -- what is set up where --------------------------------------------------------------

    @cached_property
    def attached(self) -> Rows:
        """When each object was set up at each node, wired or not. Not clipped to the window.

        Of a distributed router this is what network nodes have of it: see `local` for the others.
        """
        return self._set_up.take(~self._is_local) if self.context.distributed else self._set_up

    @cached_property
    def local(self) -> Rows:
        """When each distributed router was set up and wired at each compute host, for its VMs."""
        return self._wired(self._set_up.take(self._is_local))

    @cached_property
    def _is_local(self) -> Bools:
        """Which rows of `_set_up` are parts of distributed routers at compute hosts."""
        rows, trace = self._set_up, self.trace
        router = trace.objects.sort[rows.owner] == Sort.ROUTER
        found: Bools = router & trace.nodes.local[rows.node]
        return found

    @cached_property
    def _set_up(self) -> Rows:
        trace = self.trace
        rows = np.flatnonzero(trace.kind == Kind.CONFIGURED)
        agent, thing = trace.subject[rows], trace.object[rows]
        ends = (
            np.minimum(self.dead[thing], self.horizon),
            Ends(trace, Kind.UNCONFIGURED, by_object=True).after(rows, agent, thing),
            Ends(trace, Kind.WIPED, by_object=False).after(rows, agent, thing),
            Ends(trace, Kind.FAIL, by_object=False).after(
                rows, trace.components.host[agent], thing
            ),
        )
        found = Rows(thing, self.node_of[agent], trace.time[rows], np.minimum.reduce(ends))
        return found.take(found.end > found.start)

    @cached_property
    def held(self) -> Rows:
        """As `attached`, without the standby replicas of highly available routers."""
        return self._without_standbys(self.attached)

    def _without_standbys(self, rows: Rows) -> Rows:
        if not self.context.replicated:
            return rows
        return without_standbys(rows, self._masters, self.trace)

    @cached_property
    def _masters(self) -> Rows:
        return mastering(self.trace, self.node_of, self.dead)

    @cached_property
    def wired(self) -> Rows:
        """As `held`, but from when ports were bound and the host's L2 agent had wired them."""
        return self._without_standbys(self._wired(self.attached))

    def _wired(self, rows: Rows) -> Rows:
        start = rows.start.copy()
        pair = rows.node * len(self.trace.objects.names) + rows.owner
        refused = np.flatnonzero(np.isin(pair, list(self.refused)))
        for one, which in grouped(pair[refused]):
            mine = refused[which]
            start[mine] = _delayed(start[mine], self.refused[one])
        for node, which in grouped(rows.node):
            waits = self.unwired.get(int(self.trace.nodes.l2[node]), NOTHING)
            start[which] = _delayed(start[which], waits)
        wired = Rows(rows.owner, rows.node, start, rows.end)
        return wired.take(wired.end > wired.start)

    # -- paths -----------------------------------------------------------------------------

    def path(
        self,
        node: int,
        *,
        external: bool,
        gateway: int = -1,
        uplink: bool = True,
        flows: bool = True,
        data: bool = True,
    ) -> Spans:
        """When *node* passes traffic of what it has set up.

        Its host is up, its data NIC is up and, if *flows* matter, its L2 agent has not dropped
        them; with *external* the external NIC is up too, and the uplink of network *gateway* if
        *uplink*. No *data* network lies on the way out of VMs that are on the node itself: under
        multi_host, or with floating IPs of distributed routers.
        """
        nodes, failed = self.trace.nodes, self.failed
        parts = [int(nodes.host[node])]
        if data and self.context.architecture != "multi_host":
            parts.append(int(nodes.data_nic[node]))
        if external:
            parts.append(int(nodes.external_nic[node]))
        if external and uplink and gateway >= 0:
            parts.append(int(self.trace.uplinks[gateway]))
        down = [failed[part] for part in parts if part in failed]
        if flows:
            down.append(self.flushed.get(int(nodes.l2[node]), NOTHING))
        return complement(union_of(down), 0.0, self.horizon)

    def carried_by(
        self,
        rows: Rows,
        *,
        external: bool,
        uplink: bool = True,
        flows: bool = True,
        data: bool = True,
    ) -> Rows:
        """The parts of *rows* in which their node's path was up; the words are those of `path`.

        A router without a gateway needs no external NIC and no uplink.
        """
        gateway = self.trace.objects.gateway[rows.owner]
        key = rows.node * (len(self.trace.uplinks) + 1) + gateway + 1
        parts = []
        for one, which in grouped(key):
            node, exit_ = divmod(one, len(self.trace.uplinks) + 1)
            spans = self.path(
                node, external=external and exit_ > 0, gateway=exit_ - 1, uplink=uplink,
                flows=flows, data=data,
            )  # fmt: skip
            mine = rows.take(which)
            whole = spans.starts.size == 1 and spans.length == self.horizon
            parts.append(mine if whole else mine.covered_by(spans))
        return concatenate(parts)

    def on_running_hosts(self, rows: Rows) -> Rows:
        """The parts of *rows* in which their node's host was up."""
        parts = []
        for node, which in grouped(rows.node):
            mine = rows.take(which)
            down = self.failed.get(int(self.trace.nodes.host[node]))
            up = mine.covered_by(complement(down, 0.0, self.horizon)) if down else mine
            parts.append(up)
        return concatenate(parts)

    # -- routers ---------------------------------------------------------------------------

    @cached_property
    def turned_out(self) -> Rows:
        """When the uplink kept each router's replicas, which check it, from being master for long.

        They go round then: one finds no way out and gives up, the next one takes over.
        """
        if not self.context.checks_way_out:
            return concatenate(())
        rows = self._wired(self.attached)
        gateways = self.trace.objects.gateway[rows.owner]
        down = [self.failed.get(uplink, NOTHING) for uplink in self.trace.uplinks.tolist()]
        parts = [rows.take(gateways == i).covered_by(spans) for i, spans in enumerate(down)]
        return concatenate(parts)

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
        """When each router served north-south, inside the window.

        A router's rows are disjoint and in order; those that touch are of different nodes.
        """
        return self._serving(external=True, uplink=True)

    @cached_property
    def routed_by_nodes(self) -> Rows:
        """As `routed`, had no uplink failed."""
        if not self._any_failed(self.trace.uplinks):
            return self.routed
        return self._serving(external=True, uplink=False)

    @cached_property
    def routed_inside(self) -> Rows:
        """As `routed`, between the router's own subnets."""
        if not self._any_failed(self.trace.uplinks, self.trace.nodes.external_nic):
            return self.routed
        return self._serving(external=False, uplink=False)

    def _any_failed(self, *parts: Ints) -> bool:
        return any(int(part) in self.failed for group in parts for part in group)

    @cached_property
    def answering(self) -> Rows:
        """When each node answered north-south for each router, conflicts included."""
        rows = self._reaching(external=True, uplink=True)
        return rows.clipped(self.context.begin, self.context.end).joined()

    def _reaching(self, *, external: bool, uplink: bool) -> Rows:
        if external and self._any_failed(self.trace.uplinks, self.trace.nodes.external_nic):
            return self.carried_by(self._router_rows, external=True, uplink=uplink)
        return self.present

    def _serving(self, *, external: bool, uplink: bool) -> Rows:
        rows = self._reaching(external=external, uplink=uplink)
        if self._contested.owner.size:
            rows = self._resolve(rows)
        return rows.clipped(self.context.begin, self.context.end).joined()

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


def _delayed(times: Floats, waits: Spans) -> Floats:
    """*times*, those within *waits* put off to their end; what stood at time 0 had no wait."""
    if not waits.starts.size:
        return times
    place = np.searchsorted(waits.starts, times, side="right") - 1
    end = waits.ends[np.maximum(place, 0)]
    return np.where((place >= 0) & (times < end) & (times > 0), end, times)


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
