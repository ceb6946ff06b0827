"""Which DHCP servers are one and the same for a VM: those with one address, that of a port.

Neutron (Juno and later) reserves the DHCP port of a network that is taken from an agent, and the
next agent that is given the network takes it over with its address. A VM asks its own server by
unicast, so for it the new one is the old one. What goes on to serve on the old node has the address
too, and counts as the same server. Source: remove_network_from_dhcp_agent,
neutron/db/agentschedulers_db.py (bug 1288923), and setup_dhcp_port, neutron/agent/linux/dhcp.py.

An agent that is deleted leaves its port behind as its own: it has it again if it comes back.

Assumed: of several reserved ports the one reserved first is taken, and at the binding.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

import numpy as np

from simulator.analysis.intervals import Rows, concatenate, join
from simulator.analysis.service import History
from simulator.trace import Floats, Ints, Kind, Sort


def by_port(history: History) -> Rows:
    """When each network had a DHCP server with each address; *node* numbers these, not nodes."""
    servers = history.dhcp_servers
    moved = _moved(history)
    if not moved.size:
        return servers.joined()
    stays = ~np.isin(servers.owner, moved)
    named = _named(history, servers.take(~stays), moved)
    return concatenate([servers.take(stays), named]).joined()


def _moved(history: History) -> Ints:
    """The networks that were ever taken from an agent; none where ports are not reserved."""
    if not history.context.reserves_ports:
        return np.empty(0, dtype=np.int64)
    things = np.unique(history.trace.of(Kind.UNBOUND).object)
    found: Ints = things[history.trace.objects.sort[things] == Sort.NETWORK]
    return found


def _named(history: History, servers: Rows, moved: Ints) -> Rows:
    """*servers* of the networks *moved*, by port; one never bound has a number of its own."""
    nodes = history.trace.nodes.host.size
    table = np.array(list(_taken(history, moved, nodes)), dtype=float).reshape(-1, 4)
    network, node, port = (table[:, i].astype(np.int64) for i in (0, 1, 3))
    pairs = np.concatenate([servers.owner * nodes + servers.node, network * nodes + node])
    key = np.unique(pairs, return_inverse=True)[1]
    mine, theirs = key[: servers.owner.size], key[servers.owner.size :]
    ports = _until_next(theirs, port, table[:, 2])
    which, parts = join(mine, servers.start, servers.end, ports)
    named = Rows(servers.owner[which], parts.node, parts.start, parts.end)
    return concatenate([servers.take(~np.isin(mine, theirs)), named])


def _until_next(owner: Ints, port: Ints, time: Floats) -> Rows:
    """Which port each owner had from *time* to its next one; its first one also before that."""
    order = np.lexsort((time, owner))
    owner, port, time = owner[order], port[order], time[order]
    fresh = np.append(True, owner[1:] != owner[:-1])[: owner.size]
    start = np.where(fresh, -np.inf, time)
    end = np.where(np.append(fresh[1:], True)[: owner.size], np.inf, np.append(time[1:], np.inf))
    rows = Rows(owner, port, start, end)
    return rows.take(end > start)


def _taken(history: History, moved: Ints, first: int) -> Iterator[tuple[int, int, float, int]]:
    """Each binding of the networks *moved*: network, node, time, and the port, from *first* on."""
    trace = history.trace
    chosen = np.isin(trace.kind, (Kind.BOUND, Kind.UNBOUND)) & np.isin(trace.object, moved)
    rows = np.flatnonzero(chosen)
    columns = (trace.time[rows], trace.kind[rows], trace.object[rows], trace.subject[rows])
    gone = trace.of(Kind.DEREGISTERED)
    deleted = set(zip(gone.time.tolist(), gone.subject.tolist(), strict=True))
    held: dict[tuple[int, int], int] = {}
    reserved: dict[int, deque[int]] = defaultdict(deque)
    fresh: dict[int, int] = defaultdict(lambda: first)
    for time, kind, network, agent in zip(*(column.tolist() for column in columns), strict=True):
        if kind == Kind.UNBOUND:
            if (time, agent) not in deleted:
                reserved[network].append(held.pop((network, agent)))
            continue
        if (network, agent) not in held:
            if not reserved[network]:
                reserved[network].append(fresh[network])
                fresh[network] += 1
            held[network, agent] = reserved[network].popleft()
        yield network, int(history.node_of[agent]), time, held[network, agent]
