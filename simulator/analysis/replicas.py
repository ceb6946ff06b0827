"""Replicas of highly available routers: what one that is not VRRP master has set up is idle."""

from __future__ import annotations

import numpy as np

from simulator.analysis.intervals import Rows, concatenate, join
from simulator.analysis.states import Ends
from simulator.trace import Floats, Ints, Kind, Sort, Trace


def mastering(trace: Trace, node_of: Ints, dead: Floats) -> Rows:
    """When each router's addresses were carried by its replica on each node.

    From PROMOTED to DEMOTED, or until the replica, its host or the router (*dead*) was no more.
    """
    rows = np.flatnonzero(trace.kind == int(Kind.PROMOTED))
    events = trace.at(rows)
    agent, thing = events.subject, events.object
    ends = [
        np.minimum(dead[thing], trace.horizon),
        Ends(trace, Kind.FAIL, by_object=False).after(rows, trace.components.host[agent], thing),
        Ends(trace, Kind.WIPED, by_object=False).after(rows, agent, thing),
        Ends(trace, Kind.DEMOTED, by_object=True).after(rows, agent, thing),
        Ends(trace, Kind.UNCONFIGURED, by_object=True).after(rows, agent, thing),
    ]
    found = Rows(thing, node_of[agent], events.time, np.minimum.reduce(ends))
    return found.take(found.end > found.start)


def without_standbys(rows: Rows, masters: Rows, trace: Trace) -> Rows:
    """*rows* of routers only while their node is among *masters*; those of networks whole."""
    routers = trace.objects.sort[rows.owner] == Sort.ROUTER
    mine = rows.take(routers)
    which, start, end = _shared(mine, masters)
    parts = Rows(mine.owner[which], mine.node[which], start, end)
    return concatenate([rows.take(~routers), parts])


def outside(rows: Rows, others: Rows) -> Rows:
    """The parts of *rows* in which their owner has none of *others* at their node."""
    mine, theirs = _places(rows, others)
    holes = Rows(mine, np.arange(mine.size), rows.start, rows.end).without(
        Rows(theirs, theirs, others.start, others.end)
    )
    which = holes.node
    return Rows(rows.owner[which], rows.node[which], holes.start, holes.end)


def _shared(rows: Rows, others: Rows) -> tuple[Ints, Floats, Floats]:
    """The parts of *rows* that *others* of the same owner and node cover: whose, from, to."""
    mine, theirs = _places(rows, others)
    merged = Rows(theirs, theirs, others.start, others.end).merged()
    which, parts = join(mine, rows.start, rows.end, merged)
    return which, parts.start, parts.end


def _places(rows: Rows, others: Rows) -> tuple[Ints, Ints]:
    """A number for each owner and node: those of *rows*, and those of *others*."""
    width = int(max(rows.node.max(initial=-1), others.node.max(initial=-1))) + 1
    both = [rows.owner * width + rows.node, others.owner * width + others.node]
    _, key = np.unique(np.concatenate(both), return_inverse=True)
    return key[: rows.owner.size], key[rows.owner.size :]
