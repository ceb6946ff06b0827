"""Belief against truth: how late the server sees failures, and what it sees without one."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from simulator.analysis.intervals import (
    NOTHING,
    Rows,
    Spans,
    inside,
    intersect,
    placed,
    rows_of,
)
from simulator.analysis.replicas import outside
from simulator.analysis.service import History
from simulator.analysis.states import alternating
from simulator.trace import Floats, Kind


class Belief:
    """The agents table against the cluster. The owners of its rows are *agents*, by number."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.agents = sorted(set(history.trace.of(Kind.REGISTERED).subject.tolist()))

    @cached_property
    def _down(self) -> Rows:
        """When each agent looked down."""
        found = alternating(self.history.trace, Kind.AGENT_DOWN, Kind.AGENT_ALIVE)
        return rows_of((i, found.get(agent, NOTHING)) for i, agent in enumerate(self.agents))

    @cached_property
    def _silent(self) -> Rows:
        """When each agent could not report: process, host or management path were down."""
        return rows_of(
            (i, spans)
            for i, agent in enumerate(self.agents)
            for spans in (*self.history.mute(agent), self._fabric_lost)
        ).joined()

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

    def detections(self) -> Floats:
        """Seconds from each failure to `agent_down`, of failures that outlast it.

        Failures that began before the window, or while the agent looked down already, are left
        out.
        """
        context, down, silent = self.history.context, self._down, self._silent
        new = (silent.start > context.begin) & (silent.start < context.end)
        silent = silent.where(new & ~inside(silent.owner, silent.start, down))
        place = placed(silent.owner, silent.start, down.owner, down.start)
        theirs = np.append(down.owner, -1)[place] == silent.owner
        noticed = np.where(theirs, np.append(down.start, np.inf)[place], np.inf)
        delays: Floats = noticed - silent.start
        return delays[noticed < np.minimum(silent.end, context.end)]

    @cached_property
    def false_downs(self) -> Rows:
        """When agents looked down with process, host and management path up.

        The path is the management NICs of the agent's host and of the controllers; a lost broker
        or server makes false downs.
        """
        context = self.history.context
        return outside(self._down, self._silent).clipped(context.begin, context.end)
