"""When no router served at all, and when nodes and agents alone were to blame."""

from __future__ import annotations

from simulator.analysis.downtime import bindings
from simulator.analysis.intervals import Rows, Spans, concatenate, difference, gaps, union
from simulator.analysis.service import History
from simulator.analysis.states import alternating, grouped
from simulator.trace import Kind, Sort


def all_down(history: History) -> Spans:
    """When no router served while one existed."""
    lives = history.lives(Sort.ROUTER)
    return difference(union(lives.start, lives.end), _times(history.routed))


def all_down_by_nodes(history: History) -> Spans:
    """When nodes and agents alone kept a router from serving, and none served.

    Uplinks are taken to be up. A router that is bound to no agent, or whose agent waits for
    broker or server on a node that would pass its traffic, is excused: it neither serves nor
    counts as down.
    """
    serving, lives = history.routed_by_nodes, history.lives(Sort.ROUTER)
    settled = concatenate([serving, _excused(history)]).inside(lives).merged()
    return difference(_times(gaps(settled, lives)), _times(serving))


def _excused(history: History) -> Rows:
    """When each router was bound nowhere, or its agent waited though its node was fit."""
    lives = history.lives(Sort.ROUTER)
    bound = bindings(history)
    bound = bound.take(history.trace.objects.sort[bound.owner] == Sort.ROUTER)
    loose = gaps(bound.inside(lives).merged(), lives)
    waits = alternating(history.trace, Kind.WAITING, Kind.RESUMED)
    parts = []
    for node, which in grouped(bound.node) if waits else ():
        agent = int(history.trace.nodes.l3[node])
        if agent in waits:
            parts.append(bound.take(which).covered_by(waits[agent]))
    waiting = history.carried_by(concatenate(parts), external=True, uplink=False)
    return concatenate([loose, waiting])


def _times(rows: Rows) -> Spans:
    """When any of *rows* was."""
    return union(rows.start, rows.end)
