"""When routers were bound to no agent, and no node was to blame for that.

A failover pass takes a router off a node that is down, and may leave it without any: the agent that
it chose is dead, too, and does not answer. So a router that lost its last binding while that node
was down counts as bound there until the node is back; if it then gets the router again by itself,
until it has asked for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.analysis.intervals import (
    NOTHING,
    Lives,
    Rows,
    Spans,
    concatenate,
    gaps,
    grouped,
    matched,
    put_off,
    union_of,
)
from simulator.analysis.service import History
from simulator.trace import Bools, Floats, Ints, Kind, Sort


def excused(history: History, bound: Rows, waits: Mapping[int, Spans]) -> Rows:
    """When each router was bound nowhere without a node's fault; *bound* are all bindings.

    *waits*: when each agent waited for broker or server, which is no node's fault.
    """
    dead = np.minimum(history.dead, history.horizon)
    router = history.trace.objects.sort == Sort.ROUTER
    loose = gaps(bound.merged(), Lives(history.born, np.where(router, dead, -np.inf)))
    if not loose.owner.size:
        return loose
    lost = _Lost.of(history)
    if not lost.router.size:
        return loose
    place, found = lost.find(loose)
    back = np.where(found, lost.back[place], loose.start)
    again = (back > loose.start) & _is_again(history, loose, lost.node[place])
    late = Rows(loose.owner, lost.node[place], np.minimum(back, loose.end), loose.end)
    parts = [late.take(~again & (late.end > late.start))]
    for node, which in grouped(late.node):
        mine = late.take(which[again[which]])
        parts.append(mine.covered_by(waits.get(int(history.trace.nodes.l3[node]), NOTHING)))
    return concatenate(parts)


@dataclass(frozen=True)
class _Lost:
    """Bindings that ended: of which *router*, when, on which *node*, and when that was *back*.

    In order of router and time; of several at one instant the node that was back first comes first.
    """

    router: Ints
    time: Floats
    node: Ints
    back: Floats

    @classmethod
    def of(cls, history: History) -> _Lost:
        """All of a history."""
        trace = history.trace
        events = trace.of(Kind.UNBOUND)
        mine = trace.objects.sort[events.object] == Sort.ROUTER
        router, time = events.object[mine], events.time[mine]
        node = history.node_of[events.subject[mine]]
        back = time.copy()
        gateway = trace.objects.gateway[router] >= 0
        for key, which in grouped(2 * node + gateway):
            down = _down(history, key // 2, external=bool(key % 2))
            back[which] = put_off(time[which], down)
        order = np.lexsort((back, time, router))
        return cls(router[order], time[order], node[order], back[order])

    def find(self, loose: Rows) -> tuple[Ints, Bools]:
        """The binding whose end began each of the rows: its place, and whether there is one."""
        which, found = matched(loose.owner, loose.start, self.router, self.time)
        place = np.full(loose.owner.size, -1)
        place[which[::-1]] = found[::-1]  # of several the first
        return place, place >= 0


def _down(history: History, node: int, *, external: bool) -> Spans:
    """When *node* could not be given routers, or could not serve them, through its own failure."""
    nodes = history.trace.nodes
    parts = [int(nodes.data_nic[node])] + [int(nodes.external_nic[node])] * external
    failed = [history.failed.get(part, NOTHING) for part in parts]
    return union_of([history.unheard(int(nodes.l3[node])), *failed])


def _is_again(history: History, loose: Rows, node: Ints) -> Bools:
    """Which of the rows end with a binding to *node* (one a row) that nobody made by hand."""
    trace, found = history.trace, np.zeros(loose.owner.size, dtype=bool)
    things = len(trace.objects.names)
    sought = trace.nodes.l3[node] * things + loose.owner
    for kind in (Kind.BOUND, Kind.ACTED):
        events = trace.of(kind)
        pair = events.subject * things + events.object
        which, _ = matched(sought, loose.end, pair, events.time)
        found[which] = kind == Kind.BOUND
    return found
