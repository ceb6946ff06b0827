"""From events to service: what was up, what was set up where, and what therefore served.

`History` reads a trace once into tables that the metrics share. The words are those of the
metrics' definitions: see `netnode explain`.
"""

from __future__ import annotations

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
    grouped,
    nowhere,
    placed,
    put_off,
    union_of,
)
from simulator.analysis.replicas import mastering, without_standbys
from simulator.analysis.states import Ends, alternating, alternating_objects, failed, places
from simulator.trace import Bools, Floats, Ints, Kind, Sort, Trace


class History:
    """One trace, read for one context."""

    def __init__(self, trace: Trace, context: Context) -> None:
        self.trace = trace
        self.context = context
        self.horizon = trace.horizon
        nodes = trace.nodes
        hosts = trace.components.host
        self.node_of_host = np.full(hosts.size, -1)
        self.node_of_host[nodes.host] = np.arange(nodes.host.size)
        self.node_of = self.node_of_host[hosts]

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
        """When *agent* could not report through its node's fault."""
        return union_of(self.mute(agent))

    def mute(self, agent: int) -> list[Spans]:
        """When the process of *agent* did not run, its host was down, its management NIC was."""
        host = int(self.trace.components.host[agent])
        nic = self.management[self.trace.components.names[host]]
        down = [self.failed.get(part, NOTHING) for part in (host, nic)]
        return [self.stopped.get(agent, NOTHING), *down]

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
        kinds = (Kind.PORTS_REFUSED, Kind.PORTS_BOUND)
        return alternating_objects(self.trace, *kinds, self.node_of)

    @cached_property
    def untold(self) -> dict[int, Spans]:
        """When agents did not know of what is theirs, since a notice was lost, likewise."""
        return alternating_objects(self.trace, Kind.UNTOLD, Kind.TOLD, self.node_of)

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
        return self._lives[sort]

    @cached_property
    def _lives(self) -> dict[Sort, Lives]:
        begin, end = self.context.begin, self.context.end
        start = np.minimum(np.maximum(self.born, begin), end)  # never created: an empty life
        until = np.minimum(self.dead, end)
        sorts = self.trace.objects.sort
        return {sort: Lives(start, np.where(sorts == sort, until, -np.inf)) for sort in Sort}

    def of(self, sort: Sort, rows: Rows) -> Rows:
        """Those of *rows* whose owners are of one sort."""
        return rows.where(self.trace.objects.sort[rows.owner] == int(sort))

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
        rows = places(trace, Kind.CONFIGURED)
        events = trace.at(rows)
        agent, thing = events.subject, events.object
        end = np.minimum(self.dead[thing], self.horizon)
        for kind, ender, by_object in (
            (Kind.UNCONFIGURED, agent, True),
            (Kind.WIPED, agent, False),
            (Kind.FAIL, trace.components.host[agent], False),
        ):
            ends = Ends(trace, kind, by_object=by_object).after(rows, ender, thing)
            np.minimum(end, ends, out=end)
        found = Rows(thing, self.node_of[agent], events.time, end)
        return found.where(end > found.start).ordered()

    @cached_property
    def bound(self) -> Rows:
        """When each object was bound to an agent of each node.

        Without a scheduler an object belongs, while it lives, to every node that ever had it set
        up; one that none ever had, to every node whose agents would.
        """
        trace = self.trace
        if not self.context.has_scheduler:
            owner, node = self._homes()
            end = np.minimum(self.dead[owner], self.horizon)
            return Rows(owner, node, self.born[owner], end)
        rows = places(trace, Kind.BOUND)
        events = trace.at(rows)
        agent, thing = events.subject, events.object
        unbound = Ends(trace, Kind.UNBOUND, by_object=True).after(rows, agent, thing)
        end = np.minimum(np.minimum(self.dead[thing], self.horizon), unbound)
        found = Rows(thing, self.node_of[agent], events.time, end)
        return found.where(found.end > found.start).ordered()

    def _homes(self) -> tuple[Ints, Ints]:
        """Objects and the nodes they belong to where no server binds, in pairs."""
        attached, width = self.attached, self.trace.nodes.host.size
        living = np.isfinite(self.born)
        living[attached.owner] = False
        pairs = [np.unique(attached.owner * width + attached.node)]
        pairs += [thing * width + self._takers(thing) for thing in np.flatnonzero(living).tolist()]
        owner, node = np.divmod(np.concatenate(pairs), width)
        return owner, node

    def _takers(self, thing: int) -> Ints:
        """The nodes that may set up *thing*: under multi_host the one it is named after."""
        trace = self.trace
        if self.context.architecture == "multi_host":
            host = trace.components.names.index(trace.objects.names[thing].partition("/")[0])
            return self.node_of_host[[host]]
        router = trace.objects.sort[thing] == Sort.ROUTER
        return np.flatnonzero((trace.nodes.l3 if router else trace.nodes.dhcp) >= 0)

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
        return self._without_standbys(self._with_wires)

    @cached_property
    def _with_wires(self) -> Rows:
        return self._wired(self.attached)

    def _wired(self, rows: Rows) -> Rows:
        if not self.refused and self.unwired.keys().isdisjoint(self.trace.nodes.l2.tolist()):
            return rows
        start = rows.start.copy()
        if self.refused:
            pair = rows.node * len(self.trace.objects.names) + rows.owner
            refused = np.flatnonzero(np.isin(pair, list(self.refused)))
            for one, which in grouped(pair[refused]):
                mine = refused[which]
                start[mine] = _delayed(start[mine], self.refused[one])
        for node, which in grouped(rows.node):
            waits = self.unwired.get(int(self.trace.nodes.l2[node]))
            if waits:
                start[which] = _delayed(start[which], waits)
        return Rows(rows.owner, rows.node, start, rows.end).where(rows.end > start)

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
        width = self.trace.uplinks.size + 1
        key = rows.node * width
        if external:
            key += self.trace.objects.gateway[rows.owner] + 1

        def spans(one: int) -> Spans:
            node, exit_ = divmod(one, width)
            return self.path(
                node, external=exit_ > 0, gateway=exit_ - 1, uplink=uplink, flows=flows, data=data
            )

        return rows.covered(key, spans)

    def on_running_hosts(self, rows: Rows) -> Rows:
        """The parts of *rows* in which their node's host was up."""
        hosts = self.trace.nodes.host
        if not self._any_failed(hosts):
            return rows

        def spans(node: int) -> Spans:
            return complement(self.failed.get(int(hosts[node]), NOTHING), 0.0, self.horizon)

        return rows.covered(rows.node, spans)

    # -- routers ---------------------------------------------------------------------------

    @cached_property
    def turned_out(self) -> Rows:
        """When the uplink kept each router's replicas, which check it, from being master for long.

        They go round then: one finds no way out and gives up, the next one takes over.
        """
        if not self.context.checks_way_out:
            return concatenate(())
        rows = self._with_wires
        gateways = self.trace.objects.gateway[rows.owner]
        down = [self.failed.get(uplink, NOTHING) for uplink in self.trace.uplinks.tolist()]
        parts = [rows.take(gateways == i).covered_by(spans) for i, spans in enumerate(down)]
        return concatenate(parts)

    @cached_property
    def present(self) -> Rows:
        """When each router was set up at a node that reaches the data network."""
        return self.of(Sort.ROUTER, self._within_reach)

    @cached_property
    def _within_reach(self) -> Rows:
        """When each object was set up at a node that reaches the data network."""
        return self.carried_by(self.wired, external=False)

    @cached_property
    def linked(self) -> Rows:
        """When each router was set up at a node whose way out was whole, the uplink included."""
        if not self._any_failed(self.trace.uplinks):
            return self.linked_by_nodes
        return self.carried_by(self.of(Sort.ROUTER, self.wired), external=True)

    @cached_property
    def linked_by_nodes(self) -> Rows:
        """As `linked`, had no uplink failed."""
        if not self._any_failed(self.trace.nodes.external_nic):
            return self.present
        return self.carried_by(self.of(Sort.ROUTER, self.wired), external=True, uplink=False)

    def _any_failed(self, parts: Ints) -> bool:
        return not self.failed.keys().isdisjoint(parts.tolist())

    @cached_property
    def routed(self) -> Rows:
        """When each router served north-south, inside the window.

        A router's rows are disjoint and in order; those that touch are of different nodes.
        """
        return self._serving(self.linked)

    @cached_property
    def routed_by_nodes(self) -> Rows:
        """As `routed`, had no uplink failed."""
        same = self.linked_by_nodes is self.linked
        return self.routed if same else self._serving(self.linked_by_nodes)

    @property
    def routed_inside(self) -> Rows:
        """As `routed`, between the router's own subnets; not kept, for it is asked for once."""
        return self.routed if self.present is self.linked else self._serving(self.present)

    @cached_property
    def answering(self) -> Rows:
        """When each node answered north-south for each router, conflicts included."""
        if not self._contested.owner.size:
            return self.routed
        return self.linked.clipped(self.context.begin, self.context.end).joined()

    def _serving(self, rows: Rows) -> Rows:
        if self._contested.owner.size:
            rows = self._resolve(rows)
        return rows.clipped(self.context.begin, self.context.end).joined()

    @cached_property
    def _contested(self) -> Rows:
        """When two nodes or more answered for one router."""
        rows = self.present.ordered()
        both = (rows.owner[1:] == rows.owner[:-1]) & (rows.start[1:] < rows.end[:-1])
        if not both.any():
            return concatenate(())
        some = self._among(rows, rows.owner[1:][both])
        owners, begin, until, count, _ = self._counts(rows.take(some), concatenate(()))
        both = count > 1
        return Rows(owners[both], nowhere(int(both.sum())), begin[both], until[both])

    @cached_property
    def conflicted(self) -> Rows:
        """When each router was conflicted, inside the window, merged."""
        return self._contested.clipped(self.context.begin, self.context.end).merged()

    def _resolve(self, rows: Rows) -> Rows:
        """*rows* without the times in which two nodes answered (or with, if the scenario says)."""
        some = self._among(rows, self._contested.owner)
        mine, rest = rows.take(some), rows.take(~some)
        here = self.present.take(self._among(self.present, self._contested.owner))
        owners, begin, until, present, serving = self._counts(here, mine)
        kept = (serving > 0) & ((present == 1) | self.context.conflicted_serves)
        pieces = Rows(owners[kept], owners[kept], begin[kept], until[kept])
        return concatenate([rest, self._with_nodes(pieces, mine.ordered())])

    def _with_nodes(self, pieces: Rows, rows: Rows) -> Rows:
        """Give each of *pieces* the node of the last of *rows* to begin that covers its start."""
        place = placed(pieces.owner, pieces.start, rows.owner, rows.start, "right") - 1
        wrong = np.flatnonzero(rows.end[place] <= pieces.start)
        while wrong.size:
            place[wrong] -= 1
            wrong = wrong[rows.end[place[wrong]] <= pieces.start[wrong]]
        return Rows(pieces.owner, rows.node[place], pieces.start, pieces.end)

    def _among(self, rows: Rows, owners: Ints) -> Bools:
        """Which of *rows* are of any of *owners*."""
        chosen = np.zeros(self.born.size, dtype=bool)
        chosen[owners] = True
        found: Bools = chosen[rows.owner]
        return found

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
        return self.of(Sort.NETWORK, self._within_reach)

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
    return np.where(times > 0, put_off(times, waits), times)
