"""What failures did to routers and networks: how many they stopped, and what moved elsewhere."""

from __future__ import annotations

import numpy as np

from simulator.analysis.intervals import Rows, matched, placed, several
from simulator.analysis.service import History
from simulator.analysis.states import places
from simulator.trace import Bools, Floats, Ints, Kind, Sort


def blasts(history: History) -> Floats:
    """Routers stopped by each onset that stops any, over routers alive just before.

    Onsets are failures of components, and the restarts that wipe or flush what a host had. What
    comes over one node (or one uplink) at one instant is one onset.
    """
    trace, stops = history.trace, _stops(history)
    where, times = _onsets(history)
    gateway = trace.objects.gateway[stops.owner]
    hits = np.zeros(where.size, dtype=np.int64)
    for place in (stops.node, np.where(gateway >= 0, trace.nodes.host.size + gateway, -1)):
        at = placed(place, stops.end, where, times)
        found = (np.append(where, -2)[at] == place) & (np.append(times, np.inf)[at] == stops.end)
        hits += np.bincount(at[found], minlength=hits.size)
    order = np.lexsort((where, times))
    order = order[hits[order] > 0]
    time, lives = times[order], history.lives(Sort.ROUTER)
    alive = lives.end > lives.start
    living = np.searchsorted(np.sort(lives.start[alive]), time)
    living -= np.searchsorted(np.sort(lives.end[alive]), time)
    shares: Floats = hits[order] / living
    return shares


def _onsets(history: History) -> tuple[Ints, Floats]:
    """Where causes of outages began, a node, or past the nodes an uplink, and when; in order."""
    trace = history.trace
    place_of = history.node_of.copy()
    place_of[trace.uplinks] = trace.nodes.host.size + np.arange(trace.uplinks.size)
    rows = places(trace, Kind.FAIL, Kind.WIPED, Kind.FLUSHED)
    where, time = place_of[trace.subject[rows]], trace.time[rows]
    order = np.lexsort((time, where))
    where, time = where[order], time[order]
    fresh = np.append(True, (where[1:] != where[:-1]) | (time[1:] != time[:-1]))[: where.size]
    fresh &= where >= 0
    return where[fresh], time[fresh]


def _stops(history: History) -> Rows:
    """The times of service that end in an outage."""
    rows, lives = history.routed, history.lives(Sort.ROUTER)
    return rows.where(~_followed(rows) & (rows.end < lives.end[rows.owner]))


def _followed(rows: Rows) -> Bools:
    """Of rows by owner and start: which ones the next row of their owner touches."""
    followed = np.zeros(rows.owner.size, dtype=bool)
    followed[:-1] = (rows.owner[1:] == rows.owner[:-1]) & (rows.start[1:] == rows.end[:-1])
    return followed


def moves(outages: Rows, serving: Rows) -> Floats:
    """Lengths, s, of the outages that end with service on another node.

    None of the nodes that served just before serves at the outage's end. *serving* has a row for
    each node, so that several nodes may serve one owner at a time.
    """
    owners = int(max(outages.owner.max(initial=-1), serving.owner.max(initial=-1))) + 1
    movers = several(serving, owners)
    outages, serving = outages.where(movers[outages.owner]), serving.where(movers[serving.owner])
    if not outages.owner.size:
        return np.empty(0)
    before, old = matched(outages.owner, outages.start, serving.owner, serving.end)
    after, new = matched(outages.owner, outages.end, serving.owner, serving.start)
    moved = np.zeros((2, outages.owner.size), dtype=bool)
    moved[0, before], moved[1, after] = True, True
    width = int(serving.node.max()) + 1
    stayed = np.intersect1d(before * width + serving.node[old], after * width + serving.node[new])
    moved[0, stayed // width] = False
    return outages.length[moved.all(axis=0)]
