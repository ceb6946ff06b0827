"""What failures did to routers and networks: how many they stopped, and what moved elsewhere."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from simulator.analysis.intervals import Rows
from simulator.analysis.service import History
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
        hits += np.bincount(np.searchsorted(onsets, key[np.isin(key, onsets)]),
                            minlength=onsets.size)  # fmt: skip
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
    rows = np.flatnonzero(np.isin(trace.kind, (Kind.FAIL, Kind.WIPED, Kind.FLUSHED)))
    places = place_of[trace.subject[rows]]
    return trace.time[rows][places >= 0], places[places >= 0]


def _stops(history: History) -> Rows:
    """The times of service that end in an outage."""
    rows, lives = history.routed, history.lives(Sort.ROUTER)
    return rows.take(~_followed(rows) & (rows.end < lives.end[rows.owner]))


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
    serving = serving.take(np.isin(serving.owner, outages.owner))
    before: dict[tuple[int, float], set[int]] = defaultdict(set)
    after: dict[tuple[int, float], set[int]] = defaultdict(set)
    for owner, node, start, end in zip(
        serving.owner.tolist(),
        serving.node.tolist(),
        serving.start.tolist(),
        serving.end.tolist(),
        strict=True,
    ):
        before[owner, end].add(node)
        after[owner, start].add(node)
    nobody: set[int] = set()
    lengths = []
    for owner, start, end in zip(
        outages.owner.tolist(), outages.start.tolist(), outages.end.tolist(), strict=True
    ):
        old, new = before.get((owner, start), nobody), after.get((owner, end), nobody)
        if old and new and old.isdisjoint(new):
            lengths.append(end - start)
    return np.array(lengths)
