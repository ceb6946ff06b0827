"""What failures did to routers and networks: how many they stopped, and what moved elsewhere."""

from __future__ import annotations

import numpy as np

from simulator.analysis.intervals import Rows, matched
from simulator.analysis.service import History
from simulator.analysis.states import places
from simulator.trace import Bools, Floats, Ints, Kind, Sort


def blasts(history: History) -> Floats:
    """Routers stopped by each onset that stops any, over routers alive just before.

    Onsets are failures of components, and the restarts that wipe or flush what a host had. What
    comes over one node (or one uplink) at one instant is one onset.
    """
    trace = history.trace
    lives = history.lives(Sort.ROUTER)
    stops = _stops(history)
    times, places = _onsets(history)
    instants = np.unique(times)
    width = trace.nodes.host.size + trace.uplinks.size
    onsets = np.unique(np.searchsorted(instants, times) * width + places)
    instant = np.searchsorted(instants, stops.end)
    known = np.append(instants, np.inf)[instant] == stops.end
    gateway = trace.objects.gateway[stops.owner]
    uplink = np.where(gateway >= 0, trace.nodes.host.size + gateway, -1)
    hits = np.zeros(onsets.size)
    for place in (stops.node, uplink):
        key = (instant * width + place)[known & (place >= 0)]
        found = np.searchsorted(onsets, key)
        found = found[np.append(onsets, -1)[found] == key]
        hits += np.bincount(found, minlength=onsets.size)
    alive = lives.end > lives.start
    time = instants[onsets[hits > 0] // width]
    living = np.searchsorted(np.sort(lives.start[alive]), time)
    living -= np.searchsorted(np.sort(lives.end[alive]), time)
    shares: Floats = hits[hits > 0] / living
    return shares


def _onsets(history: History) -> tuple[Floats, Ints]:
    """When causes of outages began, and where: a node, or past the nodes an uplink."""
    trace = history.trace
    place_of = history.node_of.copy()
    place_of[trace.uplinks] = trace.nodes.host.size + np.arange(trace.uplinks.size)
    rows = places(trace, Kind.FAIL, Kind.WIPED, Kind.FLUSHED)
    place = place_of[trace.subject[rows]]
    return trace.time[rows][place >= 0], place[place >= 0]


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
    some, several = np.empty(owners, dtype=np.int64), np.zeros(owners, dtype=bool)
    some[serving.owner] = serving.node
    several[serving.owner[serving.node != some[serving.owner]]] = True
    outages, serving = outages.where(several[outages.owner]), serving.where(several[serving.owner])
    before, old = matched(outages.owner, outages.start, serving.owner, serving.end)
    after, new = matched(outages.owner, outages.end, serving.owner, serving.start)
    moved = np.zeros((2, outages.owner.size), dtype=bool)
    moved[0, before], moved[1, after] = True, True
    width = int(serving.node.max(initial=-1)) + 1
    stayed = np.intersect1d(before * width + serving.node[old], after * width + serving.node[new])
    moved[0, stayed // max(width, 1)] = False
    return outages.length[moved.all(axis=0)]
