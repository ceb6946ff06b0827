"""Belief against truth: how late the server sees failures, and what it sees without one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TypeAlias

import numpy as np

from simulator.analysis.intervals import Spans, clip, complement, intersect, union_of
from simulator.analysis.service import History
from simulator.trace import Kind

Pairs: TypeAlias = list[tuple[float, float]]


class Belief:
    """The agents table against the cluster, agent by agent."""

    def __init__(self, history: History) -> None:
        self.history = history
        trace = history.trace
        self.agents = sorted(set(trace.of(Kind.REGISTERED).subject.tolist()))
        self._management = {
            name.removesuffix("/management"): i
            for i, name in enumerate(trace.components.names)
            if name.endswith("/management")
        }

    @cached_property
    def _down(self) -> dict[int, Pairs]:
        """When each agent looked down."""
        return self.history.alternating(Kind.AGENT_DOWN, Kind.AGENT_ALIVE)

    @cached_property
    def _stopped(self) -> dict[int, Pairs]:
        """When each agent's process did not run, after it had run once."""
        return self.history.alternating(Kind.STOPPED, Kind.STARTED)

    def silent(self, agent: int) -> Spans:
        """When *agent* could not report: its process, its host or its management path was down."""
        history, trace = self.history, self.history.trace
        host = int(trace.components.host[agent])
        nic = self._management[trace.components.names[host]]
        process = list(self._stopped.get(agent, ()))
        starts = self._first_start.get(agent, history.horizon)
        if starts > 0:
            process.append((0.0, starts))
        failed = history.failed
        return union_of([process, failed.get(nic, []), failed.get(host, []), self._fabric_lost])

    @cached_property
    def _fabric_lost(self) -> Pairs:
        """When no controller's management NIC worked: no agent has a path then."""
        trace, failed = self.history.trace, self.history.failed
        spans = Spans(np.array([0.0]), np.array([self.history.horizon]))
        for name, kind, sort in zip(
            trace.components.names, trace.components.kinds, trace.components.sorts, strict=True
        ):
            if kind == "host" and sort == "controller":
                spans = intersect(spans, union_of([failed.get(self._management[name], [])]))
        return list(zip(spans.starts.tolist(), spans.ends.tolist(), strict=True))

    @cached_property
    def _first_start(self) -> dict[int, float]:
        events = self.history.trace.of(Kind.STARTED)
        first: dict[int, float] = {}
        for time, agent in zip(events.time.tolist(), events.subject.tolist(), strict=True):
            first.setdefault(agent, time)
        return first

    def detections(self) -> list[float]:
        """Seconds from each failure to `agent_down`, of failures that outlast it.

        Failures that began before the window, or while the agent looked down already, are left
        out.
        """
        context = self.history.context
        delays = []
        for agent in self.agents:
            down = self._down.get(agent, [])
            starts = [start for start, _ in down]
            for begin, end in zip(*(part.tolist() for part in self.silent(agent)), strict=True):
                if not context.begin < begin < context.end or _inside(down, begin):
                    continue
                place = bisect_left(starts, begin)
                if place < len(starts) and starts[place] < min(end, context.end):
                    delays.append(starts[place] - begin)
        return delays

    def false_downs(self) -> tuple[int, float]:
        """Episodes and seconds of looking down with process, host and management path up.

        The path is the management NICs of the agent's host and of the controllers; a lost broker
        or server makes false downs.
        """
        context = self.history.context
        episodes, seconds = 0, 0.0
        for agent in self.agents:
            down = union_of([self._down.get(agent, [])])
            fit = complement(self.silent(agent), 0.0, self.history.horizon)
            spans = clip(intersect(down, fit), context.begin, context.end)
            episodes += spans.starts.size
            seconds += spans.length
        return episodes, seconds


def _inside(spans: Pairs, time: float) -> bool:
    """Whether one of the sorted *spans* covers *time*."""
    place = bisect_right(spans, (time, float("inf"))) - 1
    return place >= 0 and spans[place][0] <= time < spans[place][1]
