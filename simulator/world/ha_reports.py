"""When the server learns which replica of a router is master.

An L3 agent tells of its replicas' states in batches, the last state of each (`Pace`). Since Stein a
promotion waits first, and is dropped if it did not last (3f022a193f, bug 1837635).

A batch that cannot be sent (the process, its management path, broker or server is not there) is
sent when it can be; the state a replica had is told by nobody once that is gone.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from simulator.trace import Kind
from simulator.world.plan import Plan
from simulator.world.vrrp import Said

SERVICES = ("broker", "server", "database", "management")


class Reach:
    """When each L3 agent can tell the server something."""

    def __init__(self, plan: Plan, rows: Sequence[tuple[float, int, int, int, float]]) -> None:
        """*rows* are the recorded events, in order, with at least those of components."""
        self._plan, names = plan, plan.components.names
        self._failed = np.zeros(len(names), dtype=np.int64)
        self._runs: dict[int, bool] = {}
        self._path: dict[int, int] = {}
        for agent in plan.agents:
            if agent.type == "l3":
                self._runs[agent.component] = False
                self._path[plan.number[f"{agent.host_name}/management"]] = agent.component
        self._management = {agent: nic for nic, agent in self._path.items()}
        self._services = [
            [(c, plan.number[f"{names[c]}/{name}"]) for c in plan.controllers] for name in SERVICES
        ]
        self._control = {c for pairs in self._services for pair in pairs for c in pair}
        self._open = True
        self._times: dict[int, list[float]] = {agent: [] for agent in self._runs}
        self._can: dict[int, list[bool]] = {agent: [] for agent in self._runs}
        for time, kind, subject, _, _ in rows:
            self._see(time, kind, subject)

    def _see(self, time: float, kind: int, subject: int) -> None:
        if kind in (Kind.STARTED, Kind.STOPPED) and subject in self._runs:
            self._runs[subject] = kind == Kind.STARTED
            self._note(time, subject)
        elif kind in (Kind.FAIL, Kind.REPAIR):
            self._failed[subject] += 1 if kind == Kind.FAIL else -1
            if subject in self._path:
                self._note(time, self._path[subject])
            if subject in self._control:
                self._open = all(map(self._any, self._services))
                for agent in self._runs:
                    self._note(time, agent)

    def _any(self, pairs: list[tuple[int, int]]) -> bool:
        failed = self._failed
        return not pairs or any(not failed[host] and not failed[part] for host, part in pairs)

    def _note(self, time: float, agent: int) -> None:
        can = self._open and self._runs[agent] and not self._failed[self._management[agent]]
        if not self._can[agent] or self._can[agent][-1] != can:
            self._times[agent].append(time)
            self._can[agent].append(bool(can))

    def first(self, agent: int, time: float) -> float:
        """When *agent* can tell something, at *time* or later; infinity for never."""
        place = bisect_right(self._times[agent], time) - 1
        if place < 0 or self._can[agent][place]:
            return time
        return self._times[agent][place + 1] if place + 1 < len(self._times[agent]) else np.inf


class Pace:
    """When one agent sends the states it learns of, in order.

    Source: BatchNotifier, neutron/notifiers/batch_notifier.py. `slow` (Kilo): the first state opens
    a batch, which is held for *apart* s. Since Ocata it is sent at once, and what comes within
    *apart* s of it when they are over. Until Rocky (13.0.7) every state has a thread that sends
    what there is and keeps a lock for *apart* s, so after n states at once the next n batches are
    at times that much apart. Since Stein (14.4.2) only a batch that was sent does so.
    """

    def __init__(self, habit: str, apart: float) -> None:
        self._habit, self._apart = habit, apart
        self._since = self._until = self._due = -math.inf

    def sends(self, at: float) -> float:
        """When the batch is due that a state joins which the agent learned *at*, s."""
        if at <= 0 or self._habit == "at_once":
            return at
        if at > self._due:
            self._due = self._next(at)
        if self._habit in ("spaced", "fast"):
            self._until += self._apart
        return self._due

    def _next(self, at: float) -> float:
        """When a batch is due that a state at *at* opens."""
        if self._habit == "slow":
            return at + self._apart
        if self._habit == "settled":
            return max(at, self._due + self._apart)
        if at >= self._until:
            self._since = self._until = at
        return self._since + math.ceil((at - self._since) / self._apart) * self._apart


class Reports:
    """What agents tell the server of their replicas."""

    def __init__(self, plan: Plan, reach: Reach) -> None:
        self._habit = plan.release.habits.ha_report
        advert = plan.seconds("ha_vrrp_advert_int")
        self._apart = 2 * (3 * advert + 2) if self._habit in ("slow", "spaced") else advert
        self._settle = advert if self._habit == "settled" else 0.0
        self._reach = reach
        self._horizon = plan.horizon
        self._states: dict[tuple[int, int], list[tuple[float, bool]]] = defaultdict(list)

    def hear(self, router: int, agent: int, said: Said) -> None:
        """An agent learns that its replica of *router* is master, or a backup again."""
        self._states[router, agent].append((said.time, bool(said.active)))

    def sent(
        self, ended: Mapping[tuple[int, int], Sequence[float]]
    ) -> Iterator[tuple[float, int, int, int]]:
        """Time, agent, router and state (1 for active) of each report that the server gets.

        *ended* says when replicas, by router and agent, were taken away.
        """
        queues: dict[int, list[tuple[float, float, int, bool]]] = defaultdict(list)
        for (router, agent), states in self._states.items():
            ends = ended.get((router, agent), ())
            for i, (time, active) in enumerate(states):
                place = bisect_right(ends, time)
                until = ends[place] if place < len(ends) else np.inf
                if i + 1 < len(states):
                    until = min(until, states[i + 1][0])
                at = time + self._settle * (active and time > 0)
                if at < until:
                    queues[agent].append((at, until, router, active))
        for agent in sorted(queues):
            pace = Pace(self._habit, self._apart)
            for at, until, router, active in sorted(queues[agent]):
                due = self._reach.first(agent, pace.sends(at))
                if due < min(until, self._horizon):
                    yield due, agent, router, int(active)
