"""Belief against truth: how late the server sees failures, and what it sees without one."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from simulator.analysis.intervals import (
    NOTHING,
    Spans,
    clip,
    covers,
    difference,
    intersect,
    union_of,
)
from simulator.analysis.service import History
from simulator.analysis.states import alternating
from simulator.trace import Kind


class Belief:
    """The agents table against the cluster, agent by agent."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.agents = sorted(set(history.trace.of(Kind.REGISTERED).subject.tolist()))

    @cached_property
    def _down(self) -> dict[int, Spans]:
        """When each agent looked down."""
        return alternating(self.history.trace, Kind.AGENT_DOWN, Kind.AGENT_ALIVE)

    def silent(self, agent: int) -> Spans:
        """When *agent* could not report: its process, its host or its management path was down."""
        return union_of([self.history.unheard(agent), self._fabric_lost])

    @cached_property
    def _fabric_lost(self) -> Spans:
        """When no controller's management NIC worked: no agent has a path then."""
        trace, failed = self.history.trace, self.history.failed
        spans = Spans(np.array([0.0]), np.array([self.history.horizon]))
        for name, kind, sort in zip(
            trace.components.names, trace.components.kinds, trace.components.sorts, strict=True
        ):
            if kind == "host" and sort == "controller":
                spans = intersect(spans, failed.get(self.history.management[name], NOTHING))
        return spans

    def detections(self) -> list[float]:
        """Seconds from each failure to `agent_down`, of failures that outlast it.

        Failures that began before the window, or while the agent looked down already, are left
        out.
        """
        context = self.history.context
        delays: list[float] = []
        for agent in self.agents:
            down = self._down.get(agent, NOTHING)
            begin, end = self.silent(agent)
            new = (begin > context.begin) & (begin < context.end) & ~covers(down, begin)
            begin, end = begin[new], np.minimum(end[new], context.end)
            noticed = np.append(down.starts, np.inf)[np.searchsorted(down.starts, begin)]
            delays += (noticed - begin)[noticed < end].tolist()
        return delays

    def false_downs(self) -> tuple[int, float]:
        """Episodes and seconds of looking down with process, host and management path up.

        The path is the management NICs of the agent's host and of the controllers; a lost broker
        or server makes false downs.
        """
        context = self.history.context
        episodes, seconds = 0, 0.0
        for agent in self.agents:
            down = difference(self._down.get(agent, NOTHING), self.silent(agent))
            spans = clip(down, context.begin, context.end)
            episodes += spans.starts.size
            seconds += spans.length
        return episodes, seconds
