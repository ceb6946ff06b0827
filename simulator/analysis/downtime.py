"""Why objects were down: each second of downtime has one cause.

The states are nested, so their differences add up to the downtime: an object lives; is bound to an
agent; some host it is bound to is up; it is set up on one; a replica of it is master, or gave up as
the uplink is down; that one's NICs and flows pass traffic; the uplink does; nobody else answers for
it; it serves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.analysis.intervals import Rows, concatenate
from simulator.analysis.service import History
from simulator.analysis.states import Ends
from simulator.trace import Floats, Ints, Kind, Sort

CAUSES: Mapping[str, str] = {
    "unscheduled": "no agent is bound to it",
    "host": "no host it is bound to is up",
    "configuring": "its agent has not set it up (again) yet: starting, waiting, syncing, queueing",
    "electing": "no VRRP replica of it is master and known to be so outside; the uplink is up, or "
    "they do not check it",
    "node_path": "a NIC is down, or it has no wire: the L2 agent has not made one, or looked dead",
    "uplink": "the uplink of its external network is down",
    "conflicted": "two hosts answer for it",
}


def downtime(history: History, sort: Sort) -> dict[str, Floats]:
    """Seconds of each cause, by object; zero for objects of the other sort."""
    size = len(history.trace.objects.names)
    lives = history.lives(sort)

    def seconds(rows: Rows) -> Floats:
        mine = rows.take(history.trace.objects.sort[rows.owner] == sort)
        return mine.inside(lives).merged().total(size)

    bound, attached = bindings(history), history.attached
    router = sort == Sort.ROUTER
    up = history.on_running_hosts(bound)
    out = history.turned_out
    wired = concatenate([history.wired, out])
    passing = history.carried_by(wired, external=router, uplink=False)
    linked = history.carried_by(history.wired, external=router) if router else passing
    served = history.routed if router else history.leased
    levels = [
        lives.length,
        seconds(concatenate([bound, attached])),
        seconds(concatenate([up, attached])),
        seconds(attached),
        seconds(concatenate([history.held, out])),
        seconds(passing),
        seconds(linked),
        seconds(served),
    ]
    return {cause: np.maximum(levels[i] - levels[i + 1], 0.0) for i, cause in enumerate(CAUSES)}


def bindings(history: History) -> Rows:
    """When each object was bound to an agent of each node.

    Without a scheduler an object belongs, while it lives, to every node that ever had it set up;
    one that none ever had, to every node whose agents would.
    """
    trace = history.trace
    if not history.context.has_scheduler:
        owner, node = _places(history)
        end = np.minimum(history.dead[owner], history.horizon)
        return Rows(owner, node, history.born[owner], end)
    rows = np.flatnonzero(trace.kind == Kind.BOUND)
    agent, thing = trace.subject[rows], trace.object[rows]
    unbound = Ends(trace, Kind.UNBOUND, by_object=True).after(rows, agent, thing)
    end = np.minimum(np.minimum(history.dead[thing], history.horizon), unbound)
    found = Rows(thing, history.node_of[agent], trace.time[rows], end)
    return found.take(found.end > found.start)


def _places(history: History) -> tuple[Ints, Ints]:
    """Objects and the nodes they belong to where no server binds, in pairs."""
    attached = history.attached
    homeless = np.setdiff1d(np.flatnonzero(np.isfinite(history.born)), attached.owner)
    pairs = [np.unique(np.stack([attached.owner, attached.node]), axis=1)]
    for thing in homeless.tolist():
        nodes = _takers(history, thing)
        pairs.append(np.stack([np.full(nodes.size, thing), nodes]))
    owner, node = np.concatenate(pairs, axis=1)
    return owner, node


def _takers(history: History, thing: int) -> Ints:
    """The nodes that may set up *thing*: under multi_host the one it is named after."""
    trace = history.trace
    if history.context.architecture == "multi_host":
        host = trace.components.names.index(trace.objects.names[thing].partition("/")[0])
        return np.array([history.node_of_host[host]])
    router = trace.objects.sort[thing] == Sort.ROUTER
    return np.flatnonzero((trace.nodes.l3 if router else trace.nodes.dhcp) >= 0)
