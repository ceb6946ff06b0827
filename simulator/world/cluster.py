"""The cluster's truth: which components have failed, and why. The one door to that state.

A component is failed while its set of causes is not empty, so two overlapping faults do not end
each other. Whoever depends on a component registers with `watch`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator
from typing import Any, TypeAlias

from simpy import Environment, Event
from simpy.events import EventPriority

from simulator.clock import Rank
from simulator.trace import Kind, Recorder
from simulator.world.plan import Plan

CAUSES = ("crash", "operator", "shutdown")
"""Why a component fails: by itself, by hand, or in good order (of a host: VRRP masters resign)."""

Watcher: TypeAlias = Callable[[int, bool], None]


class Instants(Environment):
    """SimPy's environment, which also knows how far the present instant has come.

    *reached* is the latest turn, as `priority` makes them, of all that has happened in it.
    """

    reached = 0

    def step(self) -> None:
        """Let the next event happen."""
        first = self._queue[0]
        if first[0] > self._now or first[1] > self.reached:
            self.reached = first[1]
        super().step()


class Cluster:
    """Components, their causes of failure, and the clock."""

    def __init__(self, plan: Plan, env: Instants, recorder: Recorder) -> None:
        self.plan = plan
        self.env = env
        self.recorder = recorder
        self._causes: defaultdict[int, set[str]] = defaultdict(set)
        self._watchers: dict[int, list[Watcher]] = defaultdict(list)

    def watch(self, component: int, watcher: Watcher) -> None:
        """Call `watcher(component, up)` whenever *component* fails or is up again."""
        self._watchers[component].append(watcher)

    def is_up(self, component: int) -> bool:
        """Whether no cause of its own keeps *component* down."""
        return not self._causes.get(component)

    def fail(self, component: int, cause: str = "crash") -> None:
        """*cause* begins to hold; it must not hold already."""
        causes = self._causes[component]
        assert cause not in causes, (component, cause)
        causes.add(cause)
        now = self.env.now
        self.recorder.add(now, Kind.FAIL, component, value=CAUSES.index(cause))
        if len(causes) == 1:
            for watcher in self._watchers.get(component, ()):
                watcher(component, False)

    def repair(self, component: int, cause: str = "crash") -> None:
        """*cause* ceases to hold; the component is up again if it was the last."""
        causes = self._causes[component]
        causes.remove(cause)
        self.recorder.add(self.env.now, Kind.REPAIR, component, value=CAUSES.index(cause))
        if not causes:
            for watcher in self._watchers.get(component, ()):
                watcher(component, True)

    def holds(self, component: int, cause: str) -> bool:
        """Whether *cause* keeps *component* down now."""
        return cause in self._causes.get(component, ())

    def at(self, time: float, rank: Rank, subject: int, action: Callable[[], None]) -> None:
        """Do *action* at *time*, after what has a lower rank or subject at that instant."""
        event = Alarm(self.env, [lambda _: action()])
        self.env.schedule(event, priority(rank, subject), time - self.env.now)

    def until(self, time: float, rank: Rank, subject: int) -> Event:
        """An event for a process to wait for: that *time* has come."""
        event = Alarm(self.env, [])
        self.env.schedule(event, priority(rank, subject), time - self.env.now)
        return event


def priority(rank: Rank, subject: int) -> EventPriority:
    """SimPy's priority for events of one instant; 0 is SimPy's own, for starting processes."""
    return EventPriority((rank << 24) | (subject + 1))


AT_ONCE = EventPriority(0)


def wake(event: Event, turn: EventPriority = AT_ONCE) -> None:
    """Let those who wait for *event* go on within this instant, at once unless their *turn* is."""
    event._ok = True
    event._value = None
    event.env.schedule(event, turn)


class Alarm(Event):
    """A SimPy event that goes off once, at a time that is known when it is made."""

    def __init__(self, env: Environment, calls: list[Callable[[Event], None]]) -> None:
        self.env = env
        self.callbacks = calls
        self._ok = True
        self._value = None
        self._defused = False


class Routine:
    """Steps that go on as soon as what they wait for has come, the first of them at once.

    A lighter SimPy process: nobody waits for its end, and nobody interrupts it. Of several events,
    which it waits for as a `First`, the first that comes lets it go on.
    """

    __slots__ = ("_send",)

    def __init__(self, steps: Generator[Event | First, Any, Any]) -> None:
        self._send = steps.send
        self._go_on(None)

    def _go_on(self, _: Event | None) -> None:
        try:
            event = self._send(None)
            while event.callbacks is None:  # it has come already
                event = self._send(None)
        except StopIteration:
            return
        event.callbacks.append(self._go_on)


class First:
    """The first of some *events*, none of which has come yet: a condition that is no event itself.

    Whoever waits for it goes on within the call of that event, and not after events of its own.
    """

    __slots__ = ("_events", "callbacks")

    def __init__(self, *events: Event) -> None:
        self.callbacks: list[Callable[[Event], None]] = []
        self._events = events
        for event in events:
            assert event.callbacks is not None
            event.callbacks.append(self._come)

    def _come(self, first: Event) -> None:
        for event in self._events:
            if event is not first and event.callbacks is not None:
                event.callbacks.remove(self._come)
        for call in self.callbacks:
            call(first)


class Timer(Event):
    """A SimPy event that one owner schedules again and again, instead of making new ones."""

    def __init__(self, env: Environment, subject: int, action: Callable[[], None]) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        self._subject = subject
        self._calls = [lambda _: action()]

    def arm(self, delay: float, rank: Rank) -> None:
        """Do the action after *delay*. The timer must not be pending."""
        self.callbacks = self._calls
        self.env.schedule(self, priority(rank, self._subject), delay)
