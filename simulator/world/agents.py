"""An agent: its process, what it has configured, its queue of work and of messages.

The process lives while its host is up and booted and no cause of its own holds. What it has
configured outlives the process but not the host (what a restart does is the release's habit, in
`workflows`). Work is serial: one object after the other, each at its cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from simpy import Event

from simulator.clock import Rank
from simulator.neutron.server import Notice
from simulator.trace import Batch, Kind
from simulator.world.cluster import Cluster, wake
from simulator.world.control import ControlPlane, next_attempt
from simulator.world.plan import AgentPlan

if TYPE_CHECKING:
    from simulator.world.heartbeats import Heart


class Agent:
    """One live agent. *life* counts starts and stops: work of an ended life is void."""

    __slots__ = (
        "_booted", "_boots", "_lose_contact", "_mailbox", "_receive", "_start", "batches",
        "busy_until", "cluster", "component", "configured", "control", "entity", "fuzz",
        "has_queue", "heart", "interrupted", "life", "management_up", "name", "plan", "running",
        "started_at", "syncing", "type", "wakeup",
    )  # fmt: skip

    def __init__(
        self,
        plan: AgentPlan,
        cluster: Cluster,
        control: ControlPlane,
        *,
        start: Callable[[Agent, int], None],
        receive: Callable[[Agent, Notice], None],
        lose_contact: Callable[[Agent], None],
    ) -> None:
        self.plan = plan
        self.component, self.name, self.type = plan.component, plan.name, plan.type
        self.entity = plan.entity
        self.cluster = cluster
        self.control = control
        self.heart: Heart | None = None
        self.life = 0
        self.running = False
        self.started_at = -math.inf
        self.management_up = True
        self.configured: dict[int, float] = {}  # object -> when it is set up, maybe still to come
        self.batches: list[Batch] = []
        self.busy_until = 0.0
        self.fuzz = 0.0
        self.syncing = False
        self.wakeup = Event(cluster.env)
        self.interrupted = False
        self._start = start
        self._receive = receive
        self._lose_contact = lose_contact
        self._booted = True
        self._boots = 0  # how often the host went down or up
        self.has_queue = True  # whether the broker has this agent's queue
        self._mailbox: list[Notice] = []
        number = cluster.plan.number
        cluster.watch(plan.host, self._on_host)
        cluster.watch(plan.component, self._on_process)
        cluster.watch(number[f"{plan.host_name}/management"], self._on_management)
        control.agents.append(self)

    # -- life ------------------------------------------------------------------------------

    @property
    def may_run(self) -> bool:
        """Whether the host is up and booted and no cause of its own keeps the process down."""
        up = self.cluster.is_up
        return self._booted and up(self.plan.host) and up(self.component)

    def begin(self) -> None:
        """Take up the state at time zero: an agent that can run has been running."""
        self.management_up = self.cluster.is_up(
            self.cluster.plan.number[f"{self.plan.host_name}/management"]
        )
        self._booted = self.cluster.is_up(self.plan.host)
        if self.may_run:
            self.running = True
            self.started_at = 0.0
            self.cluster.recorder.add(0.0, Kind.STARTED, self.component)
        if self.heart:
            self.heart.begin()

    def _on_host(self, component: int, up: bool) -> None:
        self._boots += 1
        if not up:
            self._booted = False
            self._stop()
            self.configured.clear()
            return
        boot = self._boots

        def booted() -> None:
            if self._boots == boot:
                self._booted = True
                self._launch()

        self._later(self.cluster.env.now + self.cluster.plan.cost("boot"), booted)

    def _on_process(self, component: int, up: bool) -> None:
        if up:
            self._launch()
        else:
            self._stop()

    def _launch(self) -> None:
        """Start the process, if nothing keeps it from running, once it has loaded."""
        if not self.may_run:
            return
        life = self.life

        def start() -> None:
            if self.life == life and self.may_run and not self.running:
                self._begin_life()

        self._later(self.cluster.env.now + self.cluster.plan.cost("agent_start"), start)

    def _later(self, time: float, action: Callable[[], None], rank: Rank = Rank.AGENT) -> None:
        if time == self.cluster.env.now:
            action()
        else:
            self.cluster.at(time, rank, self.component, action)

    def _begin_life(self) -> None:
        now = self.cluster.env.now
        self.life += 1
        self.running = True
        self.started_at = self.busy_until = now
        self.syncing = False
        self.cluster.recorder.add(now, Kind.STARTED, self.component)
        self._start(self, self.life)
        if self.heart:
            self.heart.start(self.life)
        self._declare_queue()
        self._open_mailbox()

    def _stop(self) -> None:
        if not self.running:
            self.life += 1  # a launch under way is void
            return
        self.life += 1
        self.running = False
        self.cluster.recorder.add(self.cluster.env.now, Kind.STOPPED, self.component)
        self.interrupt_work()
        if self.heart:
            self.heart.disturb()
        self.wake()

    # -- work ------------------------------------------------------------------------------

    def build(self, objects: Sequence[int], costs: Iterable[float], begin: float = 0.0) -> None:
        """Set up *objects* one after the other, from *begin* or when earlier work is done."""
        if not objects:
            return
        begin = max(begin, self.busy_until, self.cluster.env.now)
        times = list(accumulate(costs, initial=begin))[1:]
        self.busy_until = times[-1]
        missing = [i for i, thing in enumerate(objects) if thing not in self.configured]
        if not missing:
            return
        objects = [objects[i] for i in missing]
        times = [times[i] for i in missing]
        self.configured.update(zip(objects, times, strict=True))
        batch = Batch(Kind.CONFIGURED, self.component, objects, times)
        self.cluster.recorder.batch(batch)
        self.batches = [b for b in self.batches if b.times[-1] > self.cluster.env.now]
        self.batches.append(batch)

    def occupy(self, seconds: float) -> None:
        """Work that changes nothing which is measured, but keeps what follows waiting."""
        if seconds:
            self.busy_until = max(self.busy_until, self.cluster.env.now) + seconds

    def remove(self, objects: Iterable[int]) -> None:
        """Take *objects* down, after the work before them."""
        gone = [thing for thing in objects if thing in self.configured]
        if not gone:
            return
        life = self.life

        def take_down() -> None:
            if self.life != life:
                return
            for thing in gone:
                if self.configured.pop(thing, None) is not None:
                    now = self.cluster.env.now
                    self.cluster.recorder.add(now, Kind.UNCONFIGURED, self.component, thing)

        self._later(max(self.busy_until, self.cluster.env.now), take_down)

    def wipe(self) -> None:
        """Destroy all that is configured."""
        if self.configured:
            self.configured.clear()
            self.cluster.recorder.add(self.cluster.env.now, Kind.WIPED, self.component)

    def interrupt_work(self) -> bool:
        """Give up what is not set up by now; whether there was any."""
        now = self.cluster.env.now
        open_batches = [batch for batch in self.batches if batch.times[-1] >= now]
        self.batches = []
        for batch in open_batches:
            batch.cut = min(batch.cut, now)
            for thing, time in zip(batch.objects, batch.times, strict=True):
                if time >= now:
                    self.configured.pop(thing, None)
        busy = self.busy_until > now
        self.busy_until = min(self.busy_until, now)
        return busy or bool(open_batches)

    def wake(self) -> None:
        """Let the workflow that waits for something to do look again."""
        waiting, self.wakeup = self.wakeup, Event(self.cluster.env)
        if waiting.callbacks:
            wake(waiting)

    # -- messages --------------------------------------------------------------------------

    def _on_management(self, component: int, up: bool) -> None:
        self.management_up = up
        self.control.path_changed()
        self.on_control_change()

    def on_control_change(self) -> None:
        """Broker, server or the path to them changed."""
        if not self.running:
            return
        if self.heart:
            self.heart.disturb()
        control = self.control
        if not (control.listening and control.path(self)):
            self._lose_contact(self)
        else:
            self._declare_queue()
            self._open_mailbox()
        self.wake()

    def _declare_queue(self) -> None:
        """Have the broker make this agent's queue, as soon as the process is connected."""
        control, life = self.control, self.life
        if self.has_queue or not (control.broker_up and control.path(self)):
            return
        lost = control.broker_lost
        time = next_attempt(max(self.started_at, lost), self.cluster.env.now)

        def declare() -> None:
            if self.life == life and control.broker_lost == lost and control.path(self):
                self.has_queue = True

        self._later(time, declare, Rank.CONNECT)

    def lose_queue(self) -> None:
        """The broker died: its queues and what was in them are gone."""
        self.has_queue = False
        self._mailbox.clear()

    def deliver(self, notice: Notice) -> None:
        """A message reaches this agent's queue, and the agent if it can consume it."""
        if self.running and self.control.path(self):
            self._receive(self, notice)
        else:
            self._mailbox.append(notice)

    def _open_mailbox(self) -> None:
        if self._mailbox and self.running and self.control.path(self):
            notices, self._mailbox = self._mailbox, []
            for notice in notices:
                self._receive(self, notice)
