"""Heartbeats: emitted every report_interval, delayed or lost on the way, and mostly computed.

One process an agent (`Heart`) emits heartbeats. While nothing can change what becomes of them it
does not emit but opens a `Stretch`: an arithmetic progression from which the time of the last
heartbeat before any instant follows. `heartbeats: explicit` never opens one; every heartbeat is
then an event and the server's timestamp a stored number. Both give the same trace to the last
bit, which the tests hold them to. Where the server needs time for each, stretches feed the line of
all agents' heartbeats (`queueing`).

An agent is alive at t if some heartbeat was processed in [t - D, t], D = agent_down_time. So the
times of being alive are the union of [a, a + D] over the times a of processing, and `agent_down`
is stamped one tick after an end of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Any

from simpy import Event

from simulator.clock import TICK, Rank
from simulator.trace import Kind
from simulator.world.agents import Agent
from simulator.world.cluster import Routine, priority, wake
from simulator.world.heard import Heard, HeardInLine, Hearing
from simulator.world.noise import Noise, Stretch
from simulator.world.retrying import Patience

CALM, CALMEST = 2, 256
"""Regular heartbeats before a stretch: the least, and the most after ones that soon ended."""
CALLS = ("l3", "dhcp")  # their first heartbeat is a call that waits for the answer (2013.1.3 on)


class Heart:
    """The heartbeats of one agent.

    *processed* is told of each heartbeat that is simulated one by one, with whether it is the
    first of a process: it stamps the agents table. *listed* tells whether the agent has a row
    there. *after_first*, if any, is work that the answer to the first heartbeat starts and that
    keeps the next one waiting. With *calls* every heartbeat waits for its answer. *told*: the
    agent is told when it is heard of after a silence, or might be; so those that are late, and
    two before a stretch, are simulated.
    *patience* tells how long the calls of a new process wait. *exposed*: what is under way when
    something changes is simulated one by one, since somebody waits for it.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        interval: float,
        limit: float,
        phase: float,
        noise: Noise,
        explicit: bool,
        calls: bool,
        told: bool,
        patience: Callable[[], Patience],
        processed: Callable[[Agent, bool], None],
        listed: Callable[[Agent], bool],
        after_first: Callable[[Agent, int], Generator[Event, Any, Any]] | None,
        exposed: bool,
    ) -> None:
        self.name = agent.name
        self._agent = agent
        self._cluster = agent.cluster
        self._control = agent.control
        self._control.doubtful[self] = None
        self._interval = interval
        self._limit = limit
        self._phase = phase
        self._noise = noise
        self._explicit = explicit
        self._calls = calls
        self._told = told
        self._patience = patience
        self._waits = patience()
        self._processed = processed
        self._listed = listed
        self._after_first = after_first
        self._exposed = exposed
        self._count = 0  # of heartbeats emitted since time zero
        self._next = 0.0  # when the one after the last stretch leaves
        self._heard: Hearing
        line, component = agent.control.line, agent.component
        if line is None or explicit:
            self._heard = Heard(
                noise, agent.control.losses, limit, keeps=not explicit, env=agent.cluster.env,
                component=component,
            )  # fmt: skip
        else:
            self._heard = HeardInLine(line, component, noise, limit, self._attend)
            self._exposed = exposed or told
        self._answered: Event | None = None  # the last one sent has been processed, if asked for
        self._unanswered: float | None = None  # when it left, if it is of a stretch and was not
        self._needed = CALM  # so many in a row must be regular before a stretch
        self._open: Stretch | None = None
        self._parked = False  # its process sleeps, though the agent's has ended
        self._new_life = -1  # the one that a parked process is woken for
        self._disturbed = Event(self._cluster.env)
        self._alive = False  # explicit only: as recorded
        self._regular = 0  # heartbeats in a row that were heard and not late

    # -- the process's life ----------------------------------------------------------------

    def begin(self) -> None:
        """Start at time zero as if the agent had always been alive, *phase* into its interval."""
        agent = self._agent
        if agent.running and self._control.listening and self._control.path(agent):
            self._heard.add(-self._phase)
        if self._explicit:
            self._alive = self._heard.latest + self._limit >= 0
            if self._alive:
                self._watch(self._heard.latest)
            else:
                self._cluster.recorder.add(0.0, Kind.AGENT_DOWN, agent.component)
        if agent.running:
            Routine(self._run(agent.life, self._interval - self._phase, False))

    def start(self, life: int) -> None:
        """The agent's process started now; its first heartbeat leaves at once."""
        env = self._cluster.env
        self._waits, self._unanswered = self._patience(), None
        if self._parked:
            self._parked, self._new_life = False, life
            waiting, self._disturbed = self._disturbed, Event(env)
            wake(waiting, priority(Rank.EMIT, self._agent.component))
        else:
            Routine(self._run(life, env.now, True))
        plan = self._control.plan
        if plan.delay is not None or plan.loss or plan.service is not None:
            self._control.tell_heard()  # soon: a pass that had nobody to turn to may have

    def disturb(self, *, inclusive: bool = False) -> None:
        """Something changed on the way to the server, or the process ended: look again.

        *inclusive*: a heartbeat of this very instant has left already.
        """
        was_open = self._open is not None
        self._cut_off(inclusive=inclusive)
        if not self._agent.running and was_open and not self._told:
            self._parked = True
        elif not (self._agent.running and was_open and self._steady(self._next)):
            self._look_again()
        self._control.stir()

    def _cut_off(self, *, inclusive: bool) -> None:
        """End the open stretch, if there is one, and simulate what must be one by one."""
        now = self._cluster.env.now
        if self._open is not None:
            self._close(now, inclusive=inclusive)
            self._ask_again()
        if self._exposed:
            self._expose(now if inclusive else now - TICK)
        self._regular = 0

    def _ask_again(self) -> None:
        """Have the process wait for the answer to the last one of the line, if there was none."""
        sent = self._next - self._interval
        waits = self._calls and self._control.line is not None
        if waits and self._heard.last(self._cluster.env.now) < sent:
            self._unanswered, self._answered = sent, Event(self._cluster.env)

    def _attend(self) -> None:
        """What just left or is under way is not processed as it should be: see to it."""
        self._interrupt(inclusive=True)
        self._look_again()

    def _interrupt(self, *, inclusive: bool) -> None:
        """End a stretch in line; if it was short, be longer about the next one.

        To begin and end a stretch costs as much as to simulate many heartbeats.
        """
        assert self._open is not None
        lasted = self._open.left_by(self._cluster.env.now, inclusive=inclusive)
        self._needed = CALM if lasted > self._needed else min(2 * self._needed, CALMEST)
        self._cut_off(inclusive=inclusive)

    def _look_again(self) -> None:
        """Let the process decide anew, if it sleeps."""
        if self._parked:
            return
        waiting, self._disturbed = self._disturbed, Event(self._cluster.env)
        if waiting.callbacks:
            wake(waiting)

    def _close(self, now: float, *, inclusive: bool = False) -> None:
        """End the open stretch; what is to leave at *now* has not left yet, unless *inclusive*."""
        stretch = self._open
        assert stretch is not None
        stretch.count = stretch.left_by(now, inclusive=inclusive)
        if stretch.late_below > stretch.index + stretch.count:
            stretch.late, stretch.late_below = [], 0  # somebody asked for what does not leave
        self._count += stretch.count
        self._next = stretch.first + stretch.count * stretch.interval
        self._open = None
        self._heard.end()
        self._control.doubtful[self] = None

    def forget(self) -> None:
        """The agent's row was deleted now: the next heartbeat processed makes a new one."""
        self._simulate_all()

    # -- emitting --------------------------------------------------------------------------

    def _run(self, life: int, emission: float, first: bool) -> Generator[Event, Any, None]:
        agent, control, cluster = self._agent, self._control, self._cluster
        due = False
        while True:
            if not due:
                yield cluster.until(emission, Rank.EMIT, agent.component)
            due = False
            if not control.broker_up or (first and not control.path(agent)):
                yield from control.connect(agent, life, emission)
            if agent.life != life:
                return
            arrival = self._after_calls(self._publish(first))
            if (first and agent.type in CALLS) or self._waits_long(arrival):
                answered = yield from self._answer(arrival, cluster.env.now)
                if answered and first and self._after_first and agent.life == life:
                    yield from self._after_first(agent, life)
                first = first and not answered
            else:
                first = False
            if agent.life != life:
                return
            emission = max(cluster.env.now, emission + self._interval)
            while not self._explicit and not first and self._steady(emission):
                yield self._until_irregular()
                if agent.life != life:
                    if agent.life != self._new_life:
                        return
                    life, first, due, emission = agent.life, True, True, cluster.env.now
                    break
                if self._open is not None and control.line:
                    self._interrupt(inclusive=False)
                elif self._open is not None:
                    self._close(cluster.env.now)
                emission = self._next
                if self._unanswered is not None:
                    sent, self._unanswered = self._unanswered, None
                    yield from self._answer(sent, sent)
                    if agent.life != life:
                        return
                    emission = max(cluster.env.now, emission)
                    break
                if self._told and emission == cluster.env.now:
                    break  # it is irregular

    def _until_irregular(self) -> Event:
        """When the open stretch must end: something changes, or a call will be late."""
        if not self._told:
            return self._disturbed
        assert self._open is not None
        late = self._noise.next_late(self._open, self._open.first)
        if math.isinf(late):
            return self._disturbed
        return self._disturbed | self._cluster.until(late, Rank.CONNECT, self._agent.component)

    def _after_calls(self, arrival: float | None) -> float | None:
        """When what arrives then is processed, behind the calls that the server has so far.

        Where heartbeats take time, it is known only when it has come.
        """
        if arrival is None or not self._control.shares_queue or self._control.line:
            return arrival
        return max(arrival, self._control.busy_until)

    def _waits_long(self, arrival: float | None) -> bool:
        """Whether it must be simulated how the agent waits for its answer, if it does."""
        late = self._told and self._is_late(arrival)
        return self._calls and (late or self._control.line is not None)

    def _is_late(self, arrival: float | None) -> bool:
        """Whether an answer would come too late for the next heartbeat, if at all."""
        now, control = self._cluster.env.now, self._control
        late = arrival is None or arrival - now > self._interval
        held = not control.line and control.shares_queue and control.busy_until > now
        self._regular = 0 if late or held else self._regular + 1
        return late

    def _steady(self, emission: float) -> bool:
        """Open a stretch from *emission* on, if all heartbeats from there fare alike."""
        control, agent = self._control, self._agent
        if not control.broker_up:
            return False  # the next one finds its connection broken
        heard = control.listening and control.path(agent)
        if heard and not self._listed(agent):
            return False  # the next one makes a new row
        if self._told and (not heard or self._regular < self._needed):
            return False  # it waits for its answer, or may be told that it was down
        if control.line and emission <= self._cluster.env.now:
            return False  # among what leaves at this instant it has a turn
        if control.line and self._told and self._interval > self._limit:
            return False  # each ends a silence
        if not control.line and control.shares_queue and control.busy_until > emission:
            return False  # it waits behind other calls
        self._open = Stretch(emission, self._count, self._interval, heard, control.epoch)
        if heard:
            self._heard.follow(self._open, self._cluster.env.now, self._line_patience())
        return True

    def _line_patience(self) -> float:
        """How soon each must be processed to be like the others, s; not a number: no matter."""
        if not self._told:
            return math.nan
        return min(self._interval, self._waits.seconds) if self._calls else math.inf

    def _publish(self, first: bool) -> float | None:
        """Send a heartbeat now; when it will be processed, or None if never."""
        number, self._count = self._count, self._count + 1
        control, cluster, agent = self._control, self._cluster, self._agent
        if not (control.listening and control.path(agent)):
            return None
        now, epoch = cluster.env.now, control.epoch
        arrival = self._noise.arrival(number, now)

        waits = self._calls or (first and agent.type in CALLS)
        answered = self._answered = Event(cluster.env) if control.line and waits else None

        def arrive() -> None:
            if control.epoch == epoch:
                self._queue(first, epoch, answered)

        if arrival == now:
            arrive()
        elif arrival is not None:
            cluster.at(arrival, Rank.DELIVER, agent.component, arrive)
        return arrival

    def _queue(self, first: bool, epoch: int, answered: Event | None = None) -> None:
        """A heartbeat has come: it is processed now, or when a worker of the server has."""
        self._process_at(self._control.report(), first, epoch, answered)

    def _process_at(
        self, done: float, first: bool, epoch: int, answered: Event | None = None
    ) -> None:
        """Have the server process a heartbeat at *done*, if it does not lose it before."""
        cluster = self._cluster

        def process() -> None:
            if self._control.epoch == epoch:
                self._arrive(first)
                if answered is not None:
                    wake(answered)

        if done <= cluster.env.now:
            process()
        else:
            cluster.at(done, Rank.DELIVER, self._agent.component, process)

    def hold(self, until: float) -> None:
        """The server works on calls: what comes from now on waits, one by one, if before *until*.

        To be called when the heartbeats of this instant have left and what was due has arrived.
        """
        if self._heard.next_after(self._cluster.env.now) < until:
            self._simulate_all()

    def _simulate_all(self) -> None:
        """Simulate one by one what is under way, and what leaves after this instant."""
        self._cut_off(inclusive=True)
        self._expose(self._cluster.env.now)
        self._look_again()
        self._control.stir()

    def _expose(self, now: float) -> None:
        """Simulate one by one what of the stretches is under way after *now*."""
        answered = None if self._unanswered is None else self._answered
        for epoch, times in self._heard.under_way(now, self._control.epoch):
            for time in times:
                self._come(time, epoch, answered)
        for time in self._heard.withdraw():
            self._process_at(time, False, self._control.epoch, answered)

    def _come(self, time: float, epoch: int, answered: Event | None) -> None:
        """Have a heartbeat of a stretch arrive at *time* as one that is simulated."""

        def arrive() -> None:
            if self._control.epoch == epoch:
                self._queue(False, epoch, answered)

        self._cluster.at(time, Rank.DELIVER, self._agent.component, arrive)

    def _answer(self, arrival: float | None, sent: float) -> Generator[Event, Any, bool]:
        """Wait for the answer to a call of *sent* that arrives at *arrival*: whether it came."""
        cluster, control, component = self._cluster, self._control, self._agent.component
        waits = self._waits  # of this life: the process may end, and another begin, meanwhile
        epoch, deadline = control.epoch, sent + waits.seconds
        if arrival is not None and control.line:
            if (yield from self._processed_by(deadline)):
                if cluster.env.now - sent >= self._interval:
                    self._regular = 0
                return True
            self._regular = 0
        elif arrival is not None:
            if arrival > sent:
                yield cluster.until(min(arrival, deadline), Rank.AGENT, component)
            if control.epoch == epoch and arrival <= deadline:
                return True
        elif self._calls and (yield from self._outlives_server(deadline)):
            return True
        yield cluster.until(deadline, Rank.AGENT, component)
        pause = waits.expired()
        if pause:
            yield cluster.until(deadline + pause, Rank.AGENT, component)
        return False

    def _processed_by(self, deadline: float) -> Generator[Event, Any, bool]:
        """Whether a worker of the server has processed the last heartbeat sent by *deadline*."""
        answered = self._answered
        assert answered is not None
        yield answered | self._cluster.until(deadline, Rank.AGENT, self._agent.component)
        return answered.triggered

    def _outlives_server(self, deadline: float) -> Generator[Event, Any, bool]:
        """Whether a server that is away is back by *deadline*, with its queue and this call in it.

        It answers, though what the call tells is older than itself and ignored.
        """
        control, lost = self._control, self._control.broker_lost
        if not (control.broker_up and control.path(self._agent)):
            return False
        timer = self._cluster.until(deadline, Rank.AGENT, self._agent.component)
        while control.has_queue and not control.listening:
            yield control.changed | timer
            if timer.processed or control.broker_lost != lost:
                return False
        return control.listening

    def _arrive(self, first: bool) -> None:
        now = self._cluster.env.now
        self._processed(self._agent, first)
        self._heard.add(now)
        self._control.tell_heard()
        if self._explicit:
            if not self._alive:
                self._alive = True
                self._cluster.recorder.add(now, Kind.AGENT_ALIVE, self._agent.component)
            self._watch(now)

    # -- belief ----------------------------------------------------------------------------

    def last_heard(self, now: float) -> float:
        """When the last heartbeat was processed, *now*, if it had its turn, at the latest."""
        return self._heard.last(now)

    def silent_after(self, now: float, limit: float) -> float:
        """An instant before which nothing but a disturbance makes it silent for over *limit*."""
        return -math.inf if self._explicit else self._heard.silent_after(now, limit, self._open)

    def is_lost_since(self, time: float, now: float) -> bool:
        """Whether nothing was heard after *time*, nor will be that is not told of one by one."""
        if self._explicit or (self._open is not None and self._open.heard):
            return False
        return self.last_heard(now) == time

    def _watch(self, heard: float) -> None:
        """Explicit only: see, when the limit has passed, whether a newer heartbeat came."""

        def check() -> None:
            if self._alive and self._heard.latest == heard:
                self._alive = False
                recorder = self._cluster.recorder
                recorder.add(self._cluster.env.now, Kind.AGENT_DOWN, self._agent.component)

        self._cluster.at(heard + self._limit + TICK, Rank.CHECK, self._agent.component, check)

    def finish(self, horizon: float) -> None:
        """Record, at the end of the run, when the agent looked down and alive."""
        if self._explicit:
            return
        recorder, component = self._cluster.recorder, self._agent.component
        alive = self._heard.alive(horizon)
        if not any(start <= 0 < down for start, down in alive):
            recorder.add(0.0, Kind.AGENT_DOWN, component)
        for start, down in alive:
            if start > 0:
                recorder.add(start, Kind.AGENT_ALIVE, component)
            if down > 0:
                recorder.add(down, Kind.AGENT_DOWN, component)
