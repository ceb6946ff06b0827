"""Why objects were down: each second of downtime has one cause.

The states are nested, so their differences add up to the downtime: an object lives; is bound to an
agent; some host it is bound to is up; it is set up on one; that one's NICs and flows pass traffic;
the uplink does; nobody else answers for it; it serves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.analysis.intervals import Rows, concatenate
from simulator.analysis.service import History
from simulator.trace import Floats, Kind, Sort

CAUSES: Mapping[str, str] = {
    "unscheduled": "no agent is bound to it",
    "host": "no host it is bound to is up",
    "configuring": "its agent has not set it up (again) yet: starting, waiting, syncing, queueing",
    "node_path": "a data or external NIC is down, or an L2 agent has not wired it",
    "uplink": "the uplink of its external network is down",
    "conflicted": "two hosts answer for it",
}


def downtime(history: History, sort: Sort) -> dict[str, Floats]:
    """Seconds of each cause, by object; zero for objects of the other sort."""
    context = history.context
    size = len(history.trace.objects.names)
    lives = history.lives(sort)

    def seconds(rows: Rows) -> Floats:
        mine = rows.take(history.trace.objects.sort[rows.owner] == sort)
        start = np.maximum(mine.start, lives.start[mine.owner])
        end = np.minimum(mine.end, lives.end[mine.owner])
        inside = Rows(mine.owner, mine.node, start, end).take(end > start)
        return inside.clipped(context.begin, context.end).merged().total(size)

    bound, attached = bindings(history), history.attached
    router = sort == Sort.ROUTER
    up = _on_running_hosts(history, bound)
    passing = history.carried_by(history.wired, external=router, uplink=False)
    linked = history.carried_by(history.wired, external=router) if router else passing
    served = history.routed if router else history.leased
    levels = [
        lives.length,
        seconds(concatenate([bound, attached])),
        seconds(concatenate([up, attached])),
        seconds(attached),
        seconds(passing),
        seconds(linked),
        seconds(served),
    ]
    return {cause: np.maximum(levels[i] - levels[i + 1], 0.0) for i, cause in enumerate(CAUSES)}


def bindings(history: History) -> Rows:
    """When each object was bound to an agent of each node.

    Without a scheduler an object belongs to every node that ever had it set up, from its creation
    on.
    """
    trace, horizon = history.trace, history.horizon
    if not history.context.has_scheduler:
        pairs = np.unique(np.stack([history.attached.owner, history.attached.node]), axis=1)
        owner, node = pairs
        return Rows(owner, node, history.born[owner], np.minimum(history.dead[owner], horizon))
    bound, unbound = trace.of(Kind.BOUND), trace.of(Kind.UNBOUND)
    end = np.minimum(history.dead[bound.object], horizon)
    ends: dict[tuple[int, int], list[float]] = {}
    for agent, thing, time in zip(
        unbound.subject.tolist(), unbound.object.tolist(), unbound.time.tolist(), strict=True
    ):
        ends.setdefault((agent, thing), []).append(time)
    if ends:
        for i, (agent, thing, start) in enumerate(
            zip(bound.subject.tolist(), bound.object.tolist(), bound.time.tolist(), strict=True)
        ):
            later = [time for time in ends.get((agent, thing), ()) if time >= start]
            end[i] = min([end[i], *later])
    return Rows(bound.object, history.node_of[bound.subject], bound.time, end)


def _on_running_hosts(history: History, rows: Rows) -> Rows:
    """The parts of *rows* in which their node's host was up."""
    parts = []
    for node in np.unique(rows.node).tolist():
        mine = rows.take(rows.node == node)
        failed = history.failed.get(int(history.trace.nodes.host[node]))
        if failed:
            mine = history.without(mine, failed)
        parts.append(mine)
    return concatenate(parts)
