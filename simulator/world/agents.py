"""An agent: its process, what it has configured, its queue of work and of messages.

The process lives while its host is up and booted and no cause of its own holds. What it has
configured outlives the process but not the host (what a restart does is the release's habit, in
`workflows`). Work is done in order by one worker or several, each object at its cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from simpy import Event

from simulator.clock import Rank
from simulator.neutron.records import Notice
from simulator.trace import Kind
from simulator.world.cluster import Cluster, wake
from simulator.world.control import ControlPlane
from simulator.world.lanes import Lanes
from simulator.world.plan import AgentPlan
from simulator.world.retrying import Patience, next_attempt

if TYPE_CHECKING:
    from simulator.world.heartbeats import Heart


FIRST_CHUNK = 256
"""How many routers an L3 agent asks for at a time, at first (0e97feb0f3)."""


class Work(NamedTuple):
    """Objects to set up or take down, each at its time, as recorded from *place* on.

    *before* is what was true of each, *planned_at* when it was planned, *done_by* when all is done.
    """

    kind: Kind
    objects: Sequence[int]
    times: list[float]
    place: int
    before: list[float | None]
    planned_at: float
    done_by: float


class Agent:
    """One live agent. *life* counts starts and stops: work of an ended life is void."""

    __slots__ = (
        "_booted",
        "_boots",
        "_lanes",
        "_lose_contact",
        "_mailbox",
        "_miss",
        "_planned",
        "_queue_survives",
        "_receive",
        "_start",
        "chunk",
        "cluster",
        "component",
        "configured",
        "control",
        "entity",
        "fresh",
        "fuzz",
        "has_queue",
        "heart",
        "in_flight",
        "interrupted",
        "life",
        "locked_until",
        "management_up",
        "messages",
        "name",
        "patiences",
        "plan",
        "queue_busy_until",
        "running",
        "started_at",
        "sync_again",
        "synced_at",
        "syncing",
        "type",
        "untold",
        "waiting",
        "wakeup",
        "workers",
    )  # fmt: skip

    def __init__(
        self,
        plan: AgentPlan,
        cluster: Cluster,
        control: ControlPlane,
        *,
        start: Callable[[Agent, int], None],
        receive: Callable[[Agent, Sequence[Notice]], None],
        miss: Callable[[Agent, Notice], None],
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
        self.configured: dict[int, float] = {}  # what is set up once all work is done, and since
        self._planned: list[Work] = []
        self.workers = 1.0  # how many objects it works on at a time
        self.locked_until = -math.inf  # when the sync is over that other work waits for
        self._lanes = Lanes(0.0)
        self.chunk = FIRST_CHUNK
        self.fresh = False  # its next sync starts all DHCP servers anew
        self.fuzz = 0.0
        self.syncing = False
        self.synced_at = -math.inf  # when its last sync began
        self.sync_again = False  # a sync was asked for while one was going on
        self.waiting = False  # for broker or server, as recorded
        self.wakeup = Event(cluster.env)
        self.interrupted = False
        self.patiences: dict[str, Patience] = {}  # of this process, by the method it calls
        self._start = start
        self._receive = receive
        self._miss = miss
        self._lose_contact = lose_contact
        self._booted = True
        self._boots = 0  # how often the host went down or up
        self.has_queue = True  # whether the broker has this agent's queue
        self.messages = 0  # how many were sent to it
        self.queue_busy_until = -math.inf  # when the last message sent so far arrives
        self._mailbox: list[Notice] = []
        self.in_flight: list[Notice] = []  # sent to it and on the way
        self.untold: dict[int, None] = {}  # what it would have set up, had no notice been lost
        # Folsom's DHCP agents listen through a queue of their own, which ends with the process.
        self._queue_survives = cluster.plan.release.has_scheduler
        number = cluster.plan.number
        cluster.watch(plan.host, self._on_host)
        cluster.watch(plan.component, self._on_process)
        cluster.watch(number[f"{plan.host_name}/management"], self._on_management)
        control.join(self)

    def patience(self, method: str) -> Patience:
        """How long the process waits for answers to *method*: each has its own time-out.

        Source: _METHOD_TIMEOUTS, neutron/common/rpc.py (3e668b6a37), neutron_lib/rpc.py since.
        """
        if method not in self.patiences:
            backs_off = self.cluster.plan.release.habits.rpc_backoff
            caller = f"{self.name} {method}"
            self.patiences[method] = self.control.patience(caller, self.life, backs_off=backs_off)
        return self.patiences[method]

    # -- life ------------------------------------------------------------------------------

    @property
    def heart_waits(self) -> bool:
        """Whether its heartbeats begin only after its first sync."""
        first_sync = self.cluster.plan.release.habits.dhcp_first_sync
        return self.type == "dhcp" and first_sync == "before"

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
        self.running = self.may_run
        if self.running:
            self.started_at = 0.0
        kind = Kind.STARTED if self.running else Kind.STOPPED
        self.cluster.recorder.add(0.0, kind, self.component)
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
        self.started_at, self._lanes, self.chunk = now, Lanes(now), FIRST_CHUNK
        self.syncing = self.sync_again = False
        self.fresh = True
        self.patiences = {}
        self.cluster.recorder.add(now, Kind.STARTED, self.component)
        self._start(self, self.life)
        if self.heart and not self.heart_waits:
            self.heart.start(self.life)
        self._declare_queue()
        self._open_mailbox()
        self.wake()

    def _stop(self) -> None:
        if not self.running:
            self.life += 1  # a launch under way is void
            return
        self.life += 1
        self.running = False
        self.cluster.recorder.add(self.cluster.env.now, Kind.STOPPED, self.component)
        self.hear(list(self.untold))  # it will ask for everything
        if not self._queue_survives:
            self._mailbox.clear()
        self.control.answered(self)
        self.interrupt_work()
        if self.heart:
            self.heart.disturb()
        self.wake()

    # -- work ------------------------------------------------------------------------------

    @property
    def busy_until(self) -> float:
        """When all work is done, if nothing comes in between."""
        return self._lanes.busy_until

    def _assign(self, costs: Iterable[float], begin: float) -> list[float]:
        return self._lanes.assign(costs, begin, workers=self.workers, now=self.cluster.env.now)

    def build(
        self, objects: Sequence[int], costs: Iterable[float], *, begin: float = 0.0,
        behind: bool = False,
    ) -> None:  # fmt: skip
        """Set up *objects* in order, as workers are free, from *begin* on.

        *behind*: a lock keeps this work waiting until all earlier work is done.
        """
        if not objects:
            return
        begin = max(begin, self.cluster.env.now, self.busy_until if behind else begin)
        times = self._assign(costs, begin)
        missing = [i for i, thing in enumerate(objects) if thing not in self.configured]
        if not missing:
            return
        objects = [objects[i] for i in missing]
        times = [times[i] for i in missing]
        self._plan(Kind.CONFIGURED, objects, times)
        self.configured.update(zip(objects, times, strict=True))

    def extend(self, thing: int, seconds: float) -> None:
        """More work on *thing*, after all other.

        If it was only told about at this very instant, this is part of setting it up: a router
        made with its gateway, interfaces and floating IPs serves when it has them all.
        """
        now = self.cluster.env.now
        if not seconds:
            return
        (done,) = self._assign([seconds], max(now, self.configured[thing]))
        if self.configured[thing] < now:
            return
        for work in reversed(self._planned):
            if work.kind == Kind.CONFIGURED and thing in work.objects:
                if work.planned_at == now:
                    which = work.objects.index(thing)
                    work.times[which] = math.inf
                    self.cluster.recorder.cancel(work.place + which)
                    self._plan(Kind.CONFIGURED, [thing], [done])
                    self.configured[thing] = done
                return

    def remove(self, objects: Iterable[int]) -> None:
        """Take *objects* down, after the work before them."""
        gone = [thing for thing in objects if thing in self.configured]
        if gone:
            free = self._lanes.free_at(self.cluster.env.now, self.workers)
            times = [max(free, self.configured[thing]) for thing in gone]
            self._plan(Kind.UNCONFIGURED, gone, times)
            for thing in gone:
                del self.configured[thing]

    def wipe(self) -> None:
        """Destroy all that is configured."""
        if self.configured:
            self.configured.clear()
            self.cluster.recorder.add(self.cluster.env.now, Kind.WIPED, self.component)

    def _plan(self, kind: Kind, objects: Sequence[int], times: list[float]) -> None:
        """Record work that is done at *times*, unless it is interrupted."""
        before = [self.configured.get(thing) for thing in objects]
        place = self.cluster.recorder.batch(kind, self.component, objects, times)
        now = self.cluster.env.now
        self._planned = [work for work in self._planned if work.done_by >= now]
        self._planned.append(Work(kind, objects, times, place, before, now, max(times)))

    def interrupt_work(self) -> bool:
        """Give up what is not done by now; whether there was any."""
        now = self.cluster.env.now
        planned = [work for work in self._planned if work.done_by >= now]
        self._planned = []
        for work in reversed(planned):
            for i, (thing, time) in enumerate(zip(work.objects, work.times, strict=True)):
                if time < now:
                    continue
                self.cluster.recorder.cancel(work.place + i)
                before = work.before[i]
                if before is None:
                    self.configured.pop(thing, None)
                else:
                    self.configured[thing] = before
        busy, self.locked_until = self.busy_until > now, -math.inf
        self._lanes.stop(now)
        return busy or bool(planned)

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
        if not self.control.in_contact(self):
            self._lose_contact(self)
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
        self.queue_busy_until = -math.inf
        lost = self._mailbox + self.in_flight
        self._mailbox, self.in_flight = [], []
        for notice in lost:
            self.miss(notice)

    def miss(self, notice: Notice) -> None:
        """The broker lost *notice*; a process that does not run will ask for everything."""
        if self.running:
            self._miss(self, notice)

    def leave_untold(self, things: Iterable[int]) -> None:
        """A notice was lost without which it does not know that it has *things*."""
        for thing in things:
            if thing not in self.untold:
                self.untold[thing] = None
                self.cluster.recorder.add(self.cluster.env.now, Kind.UNTOLD, self.component, thing)

    def hear(self, things: Iterable[int]) -> None:
        """It knows of *things*, or need not any more."""
        for thing in things if self.untold else ():
            if thing in self.untold:
                del self.untold[thing]
                self.cluster.recorder.add(self.cluster.env.now, Kind.TOLD, self.component, thing)

    def deliver(self, notices: Sequence[Notice]) -> None:
        """Messages reach this agent's queue at once, and the agent if it can consume them."""
        if self.running and self.control.path(self):
            self._receive(self, notices)
        elif self.running or self._queue_survives:
            self._mailbox += notices

    def _open_mailbox(self) -> None:
        if self._mailbox and self.running and self.control.path(self):
            notices, self._mailbox = self._mailbox, []
            for notice in notices:
                self._receive(self, [notice])
