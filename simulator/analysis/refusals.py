"""When routers had no wire because the server took a sound L2 agent for dead.

It refuses to bind ports to the host of an L2 agent that it has not heard of. If the agent, its host
or its management NIC was down in the time of that silence, the node is to blame; else broker and
server are, who are everybody's.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.intervals import NOTHING, Rows, Spans, concatenate, covers, union_of
from simulator.analysis.service import History
from simulator.analysis.states import alternating, grouped
from simulator.trace import Bools, Floats, Kind, Sort


def excused(history: History) -> Rows:
    """When each router had been set up and no node was to blame that its ports were not bound."""
    held, size = history.held, len(history.trace.objects.names)
    if not history.refused:
        return concatenate(())
    pair = held.node * size + held.owner
    router = history.trace.objects.sort[held.owner] == Sort.ROUTER
    here = np.flatnonzero(router & np.isin(pair, list(history.refused)))
    stopped = alternating(history.trace, Kind.STOPPED, Kind.STARTED)
    parts = []
    for one, which in grouped(pair[here]):
        refused, node = _each(history, one), one // size
        down = _failures(history, node, stopped.get(int(history.trace.nodes.l2[node]), NOTHING))
        silent = _silent_since(history, node, refused.starts)
        sound = ~_meets(down, silent, refused.starts)
        spans = Spans(refused.starts[sound], refused.ends[sound])
        parts.append(held.take(here[which]).covered_by(spans))
    return history.carried_by(concatenate(parts), external=True, uplink=False)


def _each(history: History, pair: int) -> Spans:
    """From each refusal of the ports of a *pair* of node and object to the next, or to the end."""
    whole = history.refused[pair]
    node, thing = divmod(pair, len(history.trace.objects.names))
    events = history.trace.of(Kind.PORTS_REFUSED)
    mine = (events.object == thing) & (history.node_of[events.subject] == node)
    starts = np.unique(events.time[mine])
    starts = starts[covers(whole, starts)]  # the others were undone at once
    ends = whole.ends[np.searchsorted(whole.starts, starts, side="right") - 1]
    return Spans(starts, np.minimum(ends, np.append(starts[1:], np.inf)))


def _failures(history: History, node: int, stopped: Spans) -> Spans:
    """When the L2 agent of *node* could not report through the node's fault."""
    host, names = int(history.trace.nodes.host[node]), history.trace.components.names
    parts = (host, names.index(f"{names[host]}/management"))
    return union_of([stopped, *(history.failed.get(part, NOTHING) for part in parts)])


def _silent_since(history: History, node: int, times: Floats) -> Floats:
    """When the L2 agent of *node* was last heard of, that looked dead at each of *times*."""
    down, alive = (
        _last(history, kind, node, times) for kind in (Kind.AGENT_DOWN, Kind.AGENT_ALIVE)
    )
    silent: Floats = np.where(down > alive, down - history.context.agent_down_time, times)
    return silent


def _last(history: History, kind: Kind, node: int, times: Floats) -> Floats:
    """When the last event of *kind* of the L2 agent of *node* was, before each of *times*."""
    events = history.trace.of(kind)
    found = np.sort(events.time[events.subject == history.trace.nodes.l2[node]])
    place = np.searchsorted(found, times, side="right")
    last: Floats = np.concatenate([[-np.inf], found])[place]
    return last


def _meets(spans: Spans, begin: Floats, end: Floats) -> Bools:
    """Which of the intervals from *begin* to *end* have an instant in *spans*."""
    first = np.searchsorted(spans.ends, begin, side="right")
    found: Bools = np.append(spans.starts, np.inf)[first] <= end
    return found
