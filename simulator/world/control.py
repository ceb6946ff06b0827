"""The way between agents and server: broker, server, database and the management network.

What is configured goes on without them; what must be asked or told waits.

With several controllers each service is there while one controller carries it (an assumption: a
take-over without loss of time). Queues and their messages live in the broker and die with it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeVar

from simpy import Event

from simulator.clock import Rank, quantize
from simulator.neutron.records import FANOUT, Notice
from simulator.trace import Kind
from simulator.world.arrivals import Rounds, Scattered
from simulator.world.cluster import Cluster, wake
from simulator.world.lanes import Lanes
from simulator.world.noise import is_constant
from simulator.world.plan import Plan
from simulator.world.queueing import Line, Services
from simulator.world.retrying import Patience, next_attempt
from simulator.world.streams import BACKOFF, MESSAGE, Streams, stable_hash

if TYPE_CHECKING:
    from simulator.world.agents import Agent
    from simulator.world.heartbeats import Heart

T = TypeVar("T")


class ControlPlane:
    """Whether broker and server can be reached, and the messages between server and agents.

    *listening*: the server consumes from the broker, so heartbeats and calls arrive. *epoch*
    counts what ends messages in flight: the loss of the broker or of the server. *broker_lost* is
    when the broker was last lost, s.
    """

    def __init__(self, cluster: Cluster, plan: Plan, streams: Streams) -> None:
        self.cluster = cluster
        self.plan = plan
        self.agents: list[Agent] = []
        self._by_name: dict[str, Agent] = {}
        self._by_type: dict[str, list[Agent]] = defaultdict(list)
        self.broker_up = self.server_up = self.fabric_up = self.listening = True
        self.epoch = 0
        self.has_queue = True  # of the server, in the broker: calls lie there while it is away
        self.losses: list[float] = []  # when each epoch ended
        self.changed = Event(cluster.env)
        self.broker_lost = -math.inf
        self._workers = Lanes(-math.inf)  # of the server, which answer calls
        self._workers_each = max(int(plan.option("rpc_workers") or 0), 1)  # type: ignore[arg-type]
        self._reports_each = int(plan.option("rpc_state_report_workers") or 0)  # type: ignore[arg-type]
        self.shares_queue = not self._reports_each
        self._reporters = Lanes(-math.inf)  # workers that process heartbeats, if they are others
        self.line = self._new_line(streams)
        self._server_back = -math.inf
        self._streams = streams
        self._blocked: list[tuple[float, Notice]] = []
        self._held: dict[Agent, list[tuple[Notice, int]]] | None = None  # to be told together
        self.moment = 0  # counts how often steps went on whose notices are told together
        self._blocked_until = -math.inf  # when the last of the blocked ones so far is published
        self._stirred, self._heard = Event(cluster.env), Event(cluster.env)
        self.doubtful: dict[Heart, None] = {}  # of whom it is not sure that they go on being heard
        self._parts = {
            name: [plan.number[f"{plan.components.names[c]}/{name}"] for c in plan.controllers]
            for name in ("broker", "server", "database", "management")
        }
        self.database_up = True
        self._servers = max(len(plan.controllers), 1)  # that are up
        for controller in plan.controllers:
            cluster.watch(controller, self._on_change)
        for parts in self._parts.values():
            for part in parts:
                cluster.watch(part, self._on_change)

    def join(self, agent: Agent) -> None:
        """Count *agent* among those that the server can tell something."""
        self.agents.append(agent)
        self._by_name[agent.name] = agent
        self._by_type[agent.type].append(agent)

    def agents_of(self, agent_type: str) -> list[Agent]:
        """All agents of one type."""
        return self._by_type[agent_type]

    # -- state -----------------------------------------------------------------------------

    def path(self, agent: Agent) -> bool:
        """Whether *agent*'s management NIC and the controllers' let messages pass."""
        return self.fabric_up and agent.management_up

    def in_contact(self, agent: Agent) -> bool:
        """Whether *agent* reaches the server: over the broker, or by REST (Folsom's L3 agent)."""
        by_rest = self.plan.release.architecture == "polling" and agent.type == "l3"
        return (self.server_up if by_rest else self.listening) and self.path(agent)

    def _any(self, name: str) -> bool:
        return self._count(name) > 0 or not self.plan.controllers

    def _count(self, name: str) -> int:
        """How many controllers carry the service *name*."""
        up = self.cluster.is_up
        pairs = zip(self.plan.controllers, self._parts[name], strict=True)
        return sum(up(host) and up(part) for host, part in pairs)

    @property
    def busy_until(self) -> float:
        """When one of the server's workers is free for the next call or heartbeat, s."""
        return self._workers.free_at(self.cluster.env.now, self._servers * self._workers_each)

    def report(self) -> float:
        """A heartbeat has come: when a worker will have processed it, s.

        The same workers take heartbeats and calls as they come, unless heartbeats have a queue and
        workers of their own (rpc_state_report_workers).
        """
        now = self.cluster.env.now
        if self.line:
            return self.line.take()
        return max(now, self.busy_until) if self.shares_queue else now

    def _new_line(self, streams: Streams) -> Line | None:
        """Where heartbeats wait for those workers, if there are any and they take time."""
        plan = self.plan
        if plan.service is None or not any(agent.reports for agent in plan.agents):
            return None
        return Line(
            self.cluster,
            Services(plan.service, streams),
            Rounds() if is_constant(plan.delay, plan.loss) else Scattered(),
            limit=plan.seconds("agent_down_time"),
            workers=self._reporting,
            stir=self.stir,
        )

    def _reporting(self) -> tuple[Lanes, int]:
        """Who processes heartbeats, and how many workers they are."""
        lanes = self._workers if self.shares_queue else self._reporters
        return lanes, self._servers * (self._reports_each or self._workers_each)

    def _on_change(self, component: int, up: bool) -> None:
        now = self.cluster.env.now
        self.database_up = self._any("database")
        broker, server = self._any("broker"), self._any("server") and self.database_up
        fabric = self._any("management")
        if self.line:
            self.line.disturb()
        self._servers = max(self._count("server"), 1)
        self._hold()  # there may be fewer workers now
        if (broker, server, fabric) == (self.broker_up, self.server_up, self.fabric_up):
            return
        lost_broker, new_broker = self.broker_up and not broker, broker and not self.broker_up
        new_server = server and not self.server_up
        self.broker_up, self.server_up, self.fabric_up = broker, server, fabric
        if lost_broker:
            self.broker_lost = now
            self.has_queue = False
            for agent in self.agents:
                agent.lose_queue()
        if new_broker:
            self._publish_blocked(now)
        if new_server:
            self._server_back = now
        if self.listening and not (broker and server):
            self.listening = False
            if self.line:
                self.line.lose()
            self._workers, self._reporters = Lanes(-math.inf), Lanes(-math.inf)
            self.epoch += 1
            self.losses.append(now)
        elif broker and server and not self.listening:
            since = max(self.broker_lost, self._server_back)
            self._listen_at(next_attempt(since, now) if self.broker_lost > -math.inf else now)
        self._announce()

    def _listen_at(self, time: float) -> None:
        outages = (self.broker_lost, self._server_back)

        def listen() -> None:
            ready = self.broker_up and self.server_up and not self.listening
            if ready and outages == (self.broker_lost, self._server_back):
                self.listening = self.has_queue = True
                self._announce()

        if time <= self.cluster.env.now:
            self.listening = self.has_queue = True
        else:
            self.cluster.at(time, Rank.CONNECT, -1, listen)

    def _announce(self) -> None:
        """Tell all who wait, and every agent, that something changed."""
        waiting, self.changed = self.changed, Event(self.cluster.env)
        if waiting.callbacks:
            wake(waiting)
        for agent in self.agents:
            agent.on_control_change()
        self.stir()

    def stir(self) -> None:
        """Let periodic passes look again: something changed that they may care about."""
        if self._stirred.callbacks:
            waiting, self._stirred = self._stirred, Event(self.cluster.env)
            wake(waiting)

    def stirred(self) -> Event:
        """An event for a process to wait for: that something changed."""
        return self._stirred

    def tell_heard(self) -> None:
        """A heartbeat was processed that is simulated one by one, or one leaves that will be."""
        if self._heard.callbacks:
            waiting, self._heard = self._heard, Event(self.cluster.env)
            wake(waiting)

    def heard(self) -> Event:
        """An event for a process to wait for: that somebody was heard of."""
        return self._heard

    # -- patience --------------------------------------------------------------------------

    def patience(
        self, caller: str, life: int, *, backs_off: bool, interval: bool = False
    ) -> Patience:
        """How long calls of the process *caller* in its *life* wait.

        *interval*: only as long as report_interval.
        """
        base, most = self._waits(backs_off, interval)
        name = f"{caller} {life}"
        return Patience(base, most, lambda: self._streams.stream(stable_hash(name), BACKOFF))

    def _waits(self, backs_off: bool, interval: bool) -> tuple[float, float]:
        """How long a call waits at first, and at most, s."""
        plan = self.plan
        has = "rpc_response_timeout" in plan.release.options
        base = plan.seconds("rpc_response_timeout") if has else 60.0
        if interval:
            base = min(base, plan.seconds("report_interval"))
        if not backs_off:
            return base, base
        capped = "rpc_response_max_timeout" in plan.release.options
        return base, max(plan.seconds("rpc_response_max_timeout"), base) if capped else 10 * base

    def path_changed(self) -> None:
        """An agent's management NIC failed or came back."""
        waiting, self.changed = self.changed, Event(self.cluster.env)
        if waiting.callbacks:
            wake(waiting)

    # -- agents ask the server -------------------------------------------------------------

    def connect(self, agent: Agent, life: int, since: float) -> Generator[Event, Any, bool]:
        """Wait until *agent* has a connection; False if its process ended meanwhile."""
        while agent.life == life and not (self.broker_up and self.path(agent)):
            yield self.changed
            time = next_attempt(since, self.cluster.env.now)
            yield self.cluster.until(time, Rank.CONNECT, agent.component)
        return agent.life == life

    def call(
        self, agent: Agent, life: int, work: float = 0.0, *, method: str = "sync"
    ) -> Generator[Event, Any, bool]:
        """One call of *agent* to *method*: whether it was answered, after waiting for the broker.

        *work* is what the server needs for the answer, s. A call that it does not take, or does
        not answer in time, times out (rpc_response_timeout).
        """
        env = self.cluster.env
        if not (self.broker_up and self.path(agent)):
            self.waits(agent)
            connected = yield from self.connect(agent, life, env.now)
            if not connected:
                return False
        patience = agent.patience(method)
        waits = patience.seconds
        deadline = env.now + waits
        if not self.listening:
            yield from self._queued(agent, life, deadline)
        if agent.life != life:
            return False
        if work:  # when the heartbeats of this instant have come
            yield self.cluster.until(env.now, Rank.AGENT, agent.component)
        if self.listening and agent.life == life:
            epoch = self.epoch
            done = env.now + self.plan.cost("rpc_call") + self._serve(work)
            if done > env.now:
                yield self.cluster.until(min(done, deadline), Rank.AGENT, agent.component)
            if agent.life != life:
                return False
            if self.epoch == epoch and self.path(agent) and done <= deadline:
                self.answered(agent)
                return True
        self.waits(agent)
        yield self.cluster.until(max(deadline, env.now), Rank.AGENT, agent.component)
        pause = patience.expired(waits)
        if pause:
            yield self.cluster.until(env.now + pause, Rank.AGENT, agent.component)
        return False

    def _serve(self, work: float) -> float:
        """Have a worker spend *work* seconds on a call, after those before it; until done, s.

        Heartbeats that come while all are at work wait where they share the queue with calls
        (rpc_state_report_workers, bugs 1496410 and 1505217).
        """
        if not work:
            return 0.0
        now = self.cluster.env.now
        if self.line and self.shares_queue:
            self.line.disturb()
        (done,) = self._workers.assign(
            [work], now, workers=self._servers * self._workers_each, now=now
        )
        self._hold()
        return done - now

    def _hold(self) -> None:
        """Have heartbeats wait, one by one, if all workers that take them are at work."""
        if self.line or not self.shares_queue:
            return  # in a line they wait as it is
        if (until := self.busy_until) > self.cluster.env.now:
            for agent in self.agents:
                if agent.heart:
                    agent.heart.hold(until)

    def _queued(self, agent: Agent, life: int, end: float) -> Generator[Event, Any, None]:
        """Wait while a call lies in the queue of a server that is away, but not beyond *end*.

        The queue is the broker's: it is there from when the server first listened until the
        broker is lost.
        """
        lost = self.broker_lost
        deadline = self.cluster.until(end, Rank.AGENT, agent.component)
        while self.has_queue and not self.listening and agent.life == life:
            self.waits(agent)
            yield self.changed | agent.wakeup | deadline
            if self.broker_lost != lost or deadline.processed:
                return

    def rest(self, agent: Agent, life: int) -> Generator[Event, Any, bool]:
        """Wait until *agent* reaches the REST API, trying every polling interval (Folsom)."""
        env, began = self.cluster.env, self.cluster.env.now
        interval = self.plan.seconds("polling_interval")
        while agent.life == life and not self.in_contact(agent):
            self.waits(agent)
            yield self.changed
            time = began + math.ceil((env.now - began) / interval) * interval
            yield self.cluster.until(time, Rank.CONNECT, agent.component)
        if agent.life == life:
            self.answered(agent)
        return agent.life == life

    def waits(self, agent: Agent) -> None:
        """Record that *agent* waits, if that is the fault of what all share and not of its NIC.

        It waits until the server has answered it, pauses between attempts included.
        """
        if agent.management_up and not agent.waiting:
            agent.waiting = True
            self.cluster.recorder.add(self.cluster.env.now, Kind.WAITING, agent.component)

    def answered(self, agent: Agent) -> None:
        """Record that *agent* waits no longer: the server answered, or its process ended."""
        if agent.waiting:
            agent.waiting = False
            self.cluster.recorder.add(self.cluster.env.now, Kind.RESUMED, agent.component)

    # -- the server tells agents -----------------------------------------------------------

    def send(self, notices: list[Notice]) -> None:
        """Publish *notices*: now, or when the server has its broker back, for it blocks until then.

        What follows waits for what is blocked: nobody acts again before the first act returns.
        """
        now = self.cluster.env.now
        for notice in notices:
            if not self.broker_up:
                self._blocked.append((now, notice))
                for agent in self._addressed(notice):
                    agent.miss(notice)  # until it comes after all
            elif self._held is not None and self._blocked_until <= now:
                agent = self._by_name[notice.agent]
                place = self.cluster.recorder.reserve()
                self._held.setdefault(agent, []).append((notice, place))
            else:
                self._publish_at(max(now, self._blocked_until), now, notice)

    def together(self, steps: Generator[Event, Any, T]) -> Generator[Event, Any, T]:
        """*steps*, of which what they send at one instant is told agent by agent at its end.

        For steps that do not look at what becomes of it. What an agent does with a notice is
        recorded where that was sent, so the trace is as if each had been told at once.
        """
        while True:
            self._held, self.moment = {}, self.moment + 1
            try:
                event = next(steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            finally:
                self.tell_held()
                self._held = None
            yield event

    def tell_held(self) -> None:
        """Tell agents now what is held back to be told together."""
        held, self._held = self._held, None
        for agent, sent in (held or {}).items():
            self._tell(agent, sent)
        self._held = None if held is None else {}

    def _tell(self, agent: Agent, sent: list[tuple[Notice, int]]) -> None:
        """Send *agent* what was sent at this instant, each with its place in the trace.

        One that waits is no longer waiting with the first, which is recorded of no object.
        """
        recorder, now = self.cluster.recorder, self.cluster.env.now
        undelayed = self.plan.delay is None and agent.queue_busy_until <= now
        if agent.has_queue and undelayed and not agent.waiting:
            with recorder.at({notice.target: place for notice, place in sent}):
                agent.deliver([notice for notice, _ in sent])
            return
        for notice, place in sent:
            with recorder.at({notice.target: place}):
                self._publish(notice)

    def _addressed(self, notice: Notice) -> list[Agent]:
        """Whom *notice* is for."""
        fanout = notice.agent == FANOUT
        return self.agents_of(notice.agent_type) if fanout else [self._by_name[notice.agent]]

    def _publish_blocked(self, now: float) -> None:
        blocked, self._blocked = self._blocked, []
        for since, notice in blocked:
            time = max(next_attempt(since, now), self._blocked_until)
            self._publish_at(time, since, notice)

    def _publish_at(self, time: float, since: float, notice: Notice) -> None:
        """Publish at *time*, if the broker is there then; *since* is when it was to be sent."""
        if time == self.cluster.env.now:
            self._publish(notice)
            return
        self._blocked_until = time

        def publish() -> None:
            if self.broker_up:
                self._publish(notice)
            else:
                self._blocked.append((since, notice))

        self.cluster.at(time, Rank.CONNECT, -1, publish)

    def _publish(self, notice: Notice) -> None:
        for agent in self._addressed(notice):
            if agent.has_queue:
                self._enqueue(agent, notice)
            else:  # nobody declared it since the broker started
                agent.miss(notice)

    def _enqueue(self, agent: Agent, notice: Notice) -> None:
        """Put *notice* in the queue of *agent*, where nothing overtakes anything."""
        now, sent_after = self.cluster.env.now, self.broker_lost
        time = max(now + self._message_delay(agent), agent.queue_busy_until)
        if time == now:
            agent.deliver([notice])
            return
        agent.queue_busy_until = time
        agent.in_flight.append(notice)

        def arrive() -> None:
            if self.broker_lost == sent_after:
                agent.in_flight.remove(notice)
                agent.deliver([notice])

        self.cluster.at(time, Rank.DELIVER, agent.component, arrive)

    def _message_delay(self, agent: Agent) -> float:
        """The delay of the next message to *agent* that is not a heartbeat's answer, s."""
        if self.plan.delay is None:
            return 0.0
        draw = self._streams.uniform(agent.entity, MESSAGE, agent.messages)
        agent.messages += 1
        return quantize(self.plan.delay.sample(draw))
