"""When routers had no wire because the server took a sound L2 agent for dead.

It refuses to bind ports to the host of an L2 agent that it has not heard of. If the agent, its host
or its management NIC was down in the time of that silence, the node is to blame; else broker and
server are, who are everybody's.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.intervals import Rows, Spans, concatenate, covers, grouped
from simulator.analysis.service import History
from simulator.trace import Floats, Kind, Sort


def excused(history: History) -> Rows:
    """When each router had been set up and no node was to blame that its ports were not bound."""
    held, size = history.held, len(history.trace.objects.names)
    if not history.refused:
        return concatenate(())
    pair = held.node * size + held.owner
    router = history.trace.objects.sort[held.owner] == Sort.ROUTER
    here = np.flatnonzero(router & np.isin(pair, list(history.refused)))
    times = _times(history)
    parts = []
    for node, at_node in grouped(held.node[here]):
        silences = _Silences(history, int(history.trace.nodes.l2[node]))
        for one, which in grouped(pair[here[at_node]]):
            spans = silences.sound(_each(history.refused[one], times[one]))
            parts.append(held.take(here[at_node][which]).covered_by(spans))
    return history.carried_by(concatenate(parts), external=True, uplink=False)


def _times(history: History) -> dict[int, Floats]:
    """When ports were refused, by node and object in one number."""
    events = history.trace.of(Kind.PORTS_REFUSED)
    pair = history.node_of[events.subject] * len(history.trace.objects.names) + events.object
    return {one: np.unique(events.time[which]) for one, which in grouped(pair)}


def _each(whole: Spans, starts: Floats) -> Spans:
    """From each refusal to the next, or to the end of those that *whole* holds."""
    starts = starts[covers(whole, starts)]  # the others were undone at once
    ends = whole.ends[np.searchsorted(whole.starts, starts, side="right") - 1]
    return Spans(starts, np.minimum(ends, np.append(starts[1:], np.inf)))


class _Silences:
    """When one L2 agent was not heard of, and when that was its node's fault."""

    def __init__(self, history: History, agent: int) -> None:
        self._faults = history.unheard(agent)
        self._limit = history.context.agent_down_time
        self._down, self._alive = (
            np.sort(events.time[events.subject == agent])
            for events in map(history.trace.of, (Kind.AGENT_DOWN, Kind.AGENT_ALIVE))
        )

    def sound(self, refused: Spans) -> Spans:
        """Those of *refused* that began in a silence without a fault of the node."""
        down, alive = _last(self._down, refused.starts), _last(self._alive, refused.starts)
        silent = np.where(down > alive, down - self._limit, refused.starts)
        first = np.searchsorted(self._faults.ends, silent, side="right")
        sound = np.append(self._faults.starts, np.inf)[first] > refused.starts
        return Spans(refused.starts[sound], refused.ends[sound])


def _last(events: Floats, times: Floats) -> Floats:
    """The last of *events*, in order, that each of *times* has seen; minus infinity for none."""
    last: Floats = np.append(-np.inf, events)[np.searchsorted(events, times, side="right")]
    return last
