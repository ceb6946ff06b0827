"""When no router served at all, and when nodes and agents alone were to blame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.analysis import refusals, unhosted, untold
from simulator.analysis.intervals import (
    NOTHING,
    Rows,
    Spans,
    complement,
    concatenate,
    difference,
    gaps,
    grouped,
    join,
    union,
)
from simulator.analysis.replicas import outside
from simulator.analysis.service import History
from simulator.analysis.states import alternating
from simulator.trace import Kind, Sort

NOBODY = np.empty(0, dtype=np.int64)


def all_down(history: History, serving: Rows) -> Spans:
    """When routers existed and none of them was in *serving*."""
    lives = history.lives(Sort.ROUTER)
    return difference(union(lives.start, lives.end), _times(serving))


def all_down_by_nodes(history: History, silent: Spans) -> Spans:
    """When nodes and agents alone kept a router from serving, and none served.

    *silent*: when all were down, had no uplink failed. A router is excused, so that it neither
    serves nor counts as down, while it is bound to no agent through no node's fault (see
    `unhosted`), or while all that keeps its node from serving it is that the L3 agent (to set it
    up) or the L2 agent (to wire it) waits for broker or server, that the broker lost what would
    have told the L3 agent of it (`untold`), or that its ports are not bound and its L2 agent was
    sound (`refusals`).
    """
    if not silent.starts.size:
        return NOTHING
    serving, lives = history.routed_by_nodes, history.lives(Sort.ROUTER)
    same = serving is history.routed
    down = (history.router_outages if same else gaps(serving, lives)).covered_by(silent)
    return _times(down.without(_excused(history)))


def _excused(history: History) -> Rows:
    """When no node was to blame for a router that was bound nowhere, or that waited for agents."""
    bound = history.of(Sort.ROUTER, history.bound)
    waits = alternating(history.trace, Kind.WAITING, Kind.RESUMED)
    loose = unhosted.excused(history, bound, waits)
    waiting = _waiting(history, bound, waits)
    return concatenate([loose, waiting, refusals.excused(history), _shared(history)])


def _waiting(history: History, bound: Rows, waits: Mapping[int, Spans]) -> Rows:
    """When routers did not serve since their agents waited, or were not told, on fit nodes."""
    nodes, held = history.trace.nodes, history.held
    set_up = dict(grouped(held.node)) if waits else {}
    missed = {pair // len(history.trace.objects.names) for pair in history.untold}
    parts = []
    for node, which in grouped(bound.node) if waits or missed else ():
        l3, l2 = (waits.get(int(column[node]), NOTHING) for column in (nodes.l3, nodes.l2))
        if not l3.starts.size and not l2.starts.size and node not in missed:
            continue
        mine = bound.take(which)
        if history.context.replicated:  # a standby's agent keeps nothing from serving
            mine = outside(mine, history.attached)
        idle = concatenate([mine.covered_by(l3), untold.untold(history, mine)])
        here = held.take(set_up.get(node, NOBODY))
        here = here.take(np.isin(here.owner, mine.owner))
        flushed = difference(history.flushed.get(int(nodes.l2[node]), NOTHING), l2)
        flowing = complement(flushed, 0.0, history.horizon)
        parts += [idle.covered_by(flowing), here.covered_by(l2)]
    return history.carried_by(concatenate(parts), external=True, uplink=False, flows=False)


def _shared(history: History) -> Rows:
    """When highly available routers were down through what they share, uplink or HA network.

    Replicas that check their way out give up in turn without an uplink, and all are masters without
    an HA network: neither is the nodes' doing, nor is the time until one is master afterwards.
    """
    if not history.context.replicated:
        return concatenate(())
    names = history.trace.components.names
    everywhere = history.failed.get(names.index("ha-network"), NOTHING)
    unsettled = _unsettled(history)
    parts = [history.conflicted.covered_by(everywhere), _after(unsettled, everywhere)]
    parts.append(history.carried_by(history.turned_out, external=True, uplink=False))
    gateways = history.trace.objects.gateway[unsettled.owner]
    for gateway, uplink in enumerate(history.trace.uplinks.tolist()):
        if history.context.checks_way_out:
            spans = history.failed.get(uplink, NOTHING)
            parts.append(_after(unsettled.take(gateways == gateway), spans))
    return concatenate(parts)


def _unsettled(history: History) -> Rows:
    """When each router had replicas on running hosts, and none or several of them as masters."""
    lives = history.lives(Sort.ROUTER)
    idle = gaps(history.held.inside(lives).merged(), lives)
    attached = history.attached.merged()
    _, none = join(idle.owner, idle.start, idle.end, attached)
    return concatenate([none, history.conflicted]).merged()


def _after(rows: Rows, failures: Spans) -> Rows:
    """What is left of each of *rows* when the first failure ends that it has seen."""
    place = np.searchsorted(failures.ends, rows.start, side="right")
    begin = np.append(failures.ends, np.inf)[place]
    return Rows(rows.owner, rows.node, begin, rows.end).take(rows.end > begin)


def _times(rows: Rows) -> Spans:
    """When any of *rows* was."""
    return union(rows.start, rows.end)
