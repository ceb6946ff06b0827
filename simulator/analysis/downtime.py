"""Why objects were down: each second of downtime has one cause.

The states are nested, so their differences add up to the downtime: an object lives; is bound to an
agent; some host it is bound to is up; it is set up on one; a replica of it is master, or gave up as
the uplink is down; that one's NICs and flows pass traffic; the uplink does; nobody else answers for
it; it serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_

import numpy as np

from simulator.analysis.intervals import Rows, concatenate
from simulator.analysis.service import History
from simulator.trace import Floats, Sort

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
    size, lives = len(history.trace.objects.names), history.lives(sort)

    def seconds(parts: list[Rows]) -> Floats:
        rows, *others = (history.of(sort, part).inside(lives) for part in parts)
        merged = rows.merged()
        for other in others:
            more = other.beyond(merged)
            merged = concatenate([merged, more]).merged() if more.owner.size else merged
        return merged.total(size)

    attached, out, router = history.attached, history.turned_out, sort == Sort.ROUTER
    if router and not out.owner.size:
        passing = history.linked_by_nodes
    else:
        wired = history.of(sort, concatenate([history.wired, out]))
        passing = history.carried_by(wired, external=router, uplink=False)
    states = [
        [history.bound, attached],
        [history.on_running_hosts(history.bound), attached],
        [attached],
        [history.held, out] if out.owner.size else [history.held],
        [passing],
        [history.linked if router else passing],
        [history.routed if router else history.leased],
    ]
    levels = [lives.length]
    for before, state in zip([[], *states], states, strict=False):
        same = len(before) == len(state) and all(map(is_, before, state))
        levels.append(levels[-1] if same else seconds(state))
    return {cause: np.maximum(levels[i] - levels[i + 1], 0.0) for i, cause in enumerate(CAUSES)}
