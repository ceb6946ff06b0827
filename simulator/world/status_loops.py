"""The server's periodic loops in simulated time: they see dead agents, and move what these had.

Each controller's server runs its own: the passes of `neutron/failover.py` whose option is on, and
the health check. A pass every max(agent_down_time // 2, 1) s; the first one a random whole number
of seconds, one to two periods, after the server's start.

A tick at which nobody is dead changes nothing, so a loop sleeps until the first tick that can
matter: an agent says from when on it may have been silent for too long, and a disturbance of any
agent's heartbeats wakes the loops. With `heartbeats: explicit` every tick is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Any

from simpy import Event

from simulator.clock import Rank, quantize
from simulator.neutron.errors import RouterReschedulingFailed
from simulator.neutron.failover import Binding, Failover, PassEndedError
from simulator.neutron.records import Agent as Row
from simulator.neutron.records import Notice
from simulator.world.agents import Agent
from simulator.world.api import Api
from simulator.world.cluster import First, Routine, wake
from simulator.world.heartbeats import Heart
from simulator.world.streams import LOOP, Streams, stable_hash

Steps = Generator[Event, Any, Any]
HEALTH = "health"


class StatusLoop:
    """One loop of one controller's server: *kind* is the type of agent it moves from, or HEALTH."""

    def __init__(self, api: Api, controller: int, kind: str, streams: Streams) -> None:
        self._api = api
        self._cluster, self._control, self._plan = api.cluster, api.control, api.cluster.plan
        self._server = api.server
        self._failover = Failover(api.server)
        self._kind = kind
        self._period = quantize(self._failover.period)
        down, dead = self._plan.rules.agent_down_time, self._plan.rules.dead_limit
        self._limit = quantize(down if kind == HEALTH else dead)
        self._seconds = self._plan.cost("reschedule")
        self._rpc_call = self._plan.cost("rpc_call")
        self._moment = -1  # that of the following
        self._may_be_heard = False  # whether some L3 agent may be heard of at once
        self._candidates = self._failover.candidates(0.0)
        name = self._plan.components.names[controller]
        self._parts = (controller, self._plan.number[f"{name}/server"])
        # The loops of one server that wake at one instant have an order of their own.
        self._subject = 3 * self._parts[1] + ("l3", "dhcp", HEALTH).index(kind)
        self._draws = streams.stream(stable_hash(f"{name}/{kind}"), LOOP)
        self._patience = self._new_patience()
        self._life = 0
        self._lost: list[Binding] = []  # what the last look at _lost_at found to be moved
        self._lost_at = math.nan
        self._knows = False  # of silent agents, and does not look at them
        self._ended = Event(self._cluster.env)
        for part in self._parts:
            self._cluster.watch(part, self._on_change)

    def start(self) -> None:
        """Begin at time zero, anywhere in a period: the server has been running."""
        u = self._draws.uniform()
        if self._may_run():
            Routine(self._run(self._life, quantize(u * self._period)))

    # -- life ------------------------------------------------------------------------------

    def _may_run(self) -> bool:
        return all(self._cluster.is_up(part) for part in self._parts)

    def _on_change(self, component: int, up: bool) -> None:
        """The server's process starts or ends with its host and with faults of its own."""
        if not up:
            self._life += 1
            waiting, self._ended = self._ended, Event(self._cluster.env)
            if waiting.callbacks:
                wake(waiting)
        elif self._may_run():
            self._life += 1
            self._patience = self._new_patience()
            most = int(self._period)
            delay = most + self._draws.index(most + 1)
            first = self._cluster.env.now + delay
            Routine(self._run(self._life, float(first)))

    def _new_patience(self) -> Any:
        backs_off = self._plan.release.habits.rpc_backoff
        name = f"{self._plan.components.names[self._parts[1]]} {self._kind}"
        life = getattr(self, "_life", 0)
        return self._control.patience(name, life, backs_off=backs_off)

    def _run(self, life: int, tick: float) -> Generator[Event | First, Any, None]:
        """Pass after pass; *tick* is when the first one begins."""
        stamp = math.nan  # when the pass before was begun, or went on after its sleep
        while True:
            due = yield from self._sleep(life, tick)
            if self._life != life:
                return
            if due > tick:
                stamp = due - self._period
            begin = self._now
            if begin - stamp > self._plan.rules.agent_down_time:
                yield from self._wait(begin + quantize(self._plan.rules.dead_limit))
                if self._life != life:
                    return
            stamp = self._now
            steps = self._pass(life)
            killed = yield from self._control.together(steps) if self._kind == "l3" else steps
            if killed or self._life != life:
                return
            tick = begin + max(self._period, self._now - begin)

    @property
    def _now(self) -> float:
        return float(self._cluster.env.now)

    def _wait(self, time: float) -> Steps:
        """Sleep until *time*; the process may have ended by then."""
        yield self._cluster.until(time, Rank.CHECK, self._subject)

    # -- sleeping until a tick that matters ------------------------------------------------

    def _sleep(self, life: int, tick: float) -> Generator[First, Any, float]:
        """Wait for the first tick, from *tick* on by periods, at which something is to be done."""
        timer, at = None, math.nan
        while self._life == life:
            due = self._first_tick(tick, self._earliest())
            if math.isinf(due):
                yield First(*self._stirred())
                continue
            if timer is None or timer.processed or due != at:
                timer, at = self._cluster.until(due, Rank.CHECK, self._subject), due
            yield First(timer, *self._stirred())
            if self._life == life and timer.processed:
                if self._matters():
                    return due
                timer, tick = None, due + self._period
        return tick

    def _first_tick(self, tick: float, time: float) -> float:
        """The first tick at *time* and now or later."""
        time = max(time, self._now)
        if time <= tick or math.isinf(time):
            return tick if time <= tick else math.inf
        return tick + math.ceil((time - tick) / self._period) * self._period

    def _earliest(self) -> float:
        """An instant before which no tick can matter, unless something changes."""
        now, least, self._knows = self._now, math.inf, False
        if self._dies_of_database():
            return now
        for heart in list(self._control.doubtful):
            row = self._server.agents.get(heart.name)
            if row is None or not self._watches(row):
                continue
            if self._kind == HEALTH and self._is_known(row, heart, now):
                self._knows = True
                continue
            time = heart.silent_after(now, self._limit)
            if math.isinf(time) and time > 0:
                del self._control.doubtful[heart]
            least = min(least, time)
        return least

    def _is_known(self, row: Row, heart: Heart, now: float) -> bool:
        """Whether a health check has nothing to find about an agent before it is heard of."""
        return row.noticed is not None and heart.is_lost_since(row.noticed, now)

    def _stirred(self) -> tuple[Event, ...]:
        """Something changed that may matter, the process ended, or a known silence may have."""
        stirred = self._control.stirred(), self._ended
        return (*stirred, self._control.heard()) if self._knows else stirred

    def _watches(self, row: Row) -> bool:
        """Whether a pass may have to do with an agent: one that has nothing loses nothing."""
        return self._kind == HEALTH or (row.type == self._kind and bool(row.hosted))

    def _dies_of_database(self) -> bool:
        kills = self._plan.rules.loop_errors == "kill" and self._kind == "l3"
        return kills and not self._control.database_up

    def _matters(self) -> bool:
        """Whether a pass that begins now would do anything."""
        if not self._control.database_up:
            return self._dies_of_database()
        if self._earliest() > self._now:
            return False
        if self._kind == HEALTH:
            silence, now = self._server.tables.silence, self._now
            return any(silence(now, row) > self._limit for row in self._doubtful())
        self._lost, self._lost_at = self._failover.lost(self._now, self._kind), self._now
        return bool(self._lost)

    def _doubtful(self) -> list[Row]:
        """The agents of whom it is not sure that they are heard; the others are alive."""
        names = {heart.name for heart in self._control.doubtful}
        return [row for name, row in self._server.agents.items() if name in names]

    # -- a pass ----------------------------------------------------------------------------

    def _pass(self, life: int) -> Generator[Event, Any, bool]:
        """One pass to its end; whether the loop is dead after it."""
        if not self._control.database_up:
            return self._dies_of_database()
        if self._kind == HEALTH:
            for row in self._doubtful():
                if row.admin_state_up:
                    self._server.is_alive(self._now, row)
            return False
        if self._lost_at != self._now:  # it has slept since it looked
            self._lost = self._failover.lost(self._now, self._kind)
        bindings = self._lost
        place, moved = 0, None
        while place < len(bindings) and self._life == life:
            if self._kind == "l3" and not self._anybody_answers():
                place += yield from self._hopeless(bindings[place:])
                if place >= len(bindings):
                    return False
            if self._life != life or not self._control.database_up:
                return self._dies_of_database()
            if bindings[place][0] == moved:
                self._control.tell_held()  # before it is moved on
            verdict = yield from self._turn(life, bindings[place])
            if verdict != "go on":
                return verdict == "kill"
            moved = bindings[place][0]
            place += 1
            if self._seconds:
                yield from self._wait(self._now + self._seconds)
        return False

    def _hopeless(self, bindings: list[Binding]) -> Generator[Event, Any, int]:
        """Let turns pass that can change nothing, up to the begin of one; how many they were."""
        begin, passed = self._now, 0
        while passed < len(bindings) and self._is_hopeless(bindings[passed:]):
            if not self._seconds:
                return len(bindings)
            end = begin + len(bindings) * self._seconds
            yield self._cluster.until(end, Rank.CHECK, self._subject) | (
                (self._control.stirred() | self._control.heard()) | self._ended
            )
            passed = min(math.ceil((self._now - begin) / self._seconds), len(bindings))
            if begin + passed * self._seconds > self._now:
                yield from self._wait(begin + passed * self._seconds)
            if not self._may_run():
                return len(bindings)
        return passed

    def _anybody_answers(self) -> bool:
        """Whether some L3 agent may be heard of at any moment. Asked once while no time passes."""
        if self._moment != self._control.moment:
            self._moment = self._control.moment
            self._candidates = self._failover.candidates(self._now)
            self._may_be_heard = any(map(self._answers, self._control.agents_of("l3")))
        return self._may_be_heard

    def _is_hopeless(self, bindings: list[Binding]) -> bool:
        """Whether their turns change nothing, as long as nobody stirs."""
        return not self._anybody_answers() and self._failover.is_hopeless(self._now, bindings)

    def _turn(self, life: int, binding: Binding) -> Generator[Event, Any, str]:
        """One object of a pass; what becomes of the pass after it."""
        try:
            turn = self._failover.turn(self._now, self._kind, binding, self._candidates)
            notice = next(turn)
            while True:
                answered = self._tell(notice)
                if not answered:
                    answered = yield from self._wait_for(notice)
                    if self._life != life:
                        return "end"
                notice = turn.send(answered)
        except StopIteration:
            return "go on"
        except (RouterReschedulingFailed, PassEndedError) as error:
            return self._failover.verdict(error)

    def _tell(self, notice: Notice) -> bool:
        """Send a notice, if nothing has to be waited for."""
        if self._failover.is_call(notice):
            ready = self._answers(self._api.agents[notice.agent]) and not self._rpc_call
        else:
            ready = self._control.broker_up
        if ready:
            self._control.send([notice])
        return ready

    def _wait_for(self, notice: Notice) -> Generator[Event, Any, bool]:
        """Send a notice that takes time; whether it was answered, which only calls are."""
        if self._failover.is_call(notice):
            return (yield from self._call(notice))
        yield from self._cast(notice)
        return True

    def _cast(self, notice: Notice) -> Steps:
        """Publish, which blocks while there is no broker."""
        self._control.send([notice])
        while not self._control.broker_up:
            yield self._control.changed | self._ended
            if not self._may_run():
                return

    def _call(self, notice: Notice) -> Generator[Event, Any, bool]:
        """Tell an agent and wait for its answer; a call that times out is lost."""
        agent = self._api.agents[notice.agent]
        if not self._answers(agent) and not (yield from self._outwaits(agent)):
            return False
        self._control.send([notice])
        if self._rpc_call:
            yield from self._wait(self._now + self._rpc_call)
        return True

    def _outwaits(self, agent: Agent) -> Generator[Event, Any, bool]:
        """Wait until *agent* answers: whether it does in time."""
        deadline = self._now + self._patience.seconds
        timer = self._cluster.until(deadline, Rank.AGENT, agent.component)
        while not self._answers(agent):
            yield self._control.changed | agent.wakeup | (timer | self._ended)
            if not self._may_run():
                return False
            if self._now >= deadline:
                pause = self._patience.expired()
                if pause:
                    yield from self._wait(self._now + pause)
                return False
        return True

    def _answers(self, agent: Agent) -> bool:
        control = self._control
        return agent.running and control.listening and control.path(agent)


def status_loops(api: Api, streams: Streams) -> list[StatusLoop]:
    """The loops of all controllers, those whose option is on."""
    plan = api.cluster.plan
    if not plan.release.has_scheduler:
        return []
    kinds = list(Failover(api.server).passes) + [HEALTH] * plan.rules.health_check
    return [StatusLoop(api, host, kind, streams) for host in plan.controllers for kind in kinds]


Notify = Callable[[Notice], None]
