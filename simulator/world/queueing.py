"""The line in which heartbeats wait for a worker of a server that needs time for each.

All agents' heartbeats stand in it, and where they share their queue with calls these do, too. So
what becomes of one follows from all that came before it, agents' stretches merged: by Lindley's
recursion, a batch at a time. It is worked out when somebody asks, up to that instant; a disturbance
changes only what comes after it. Heartbeats that are simulated one by one take their place in the
line when they come.

What is kept of the processed ones is where they leave gaps, not when each was.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulator.clock import TICK, Rank
from simulator.distributions import Distribution
from simulator.trace import Floats
from simulator.world.arrivals import SIZE, Agents, Arrivals, Batch, Position
from simulator.world.cluster import Instants, priority
from simulator.world.lanes import Lanes
from simulator.world.noise import Noise, Stretch
from simulator.world.streams import SERVICE, Streams, times_at

FIRST_LOOK = 2**6  # arrivals looked ahead at first
DRAWN, KEPT = 2**12, 8  # service times drawn at a time, and how many such blocks are kept


class Services:
    """How long a worker needs for each heartbeat, by the order in which they come, s.

    Drawn in blocks whoever asks, so those simulated one by one need what computed ones need.
    """

    def __init__(self, law: Distribution, streams: Streams) -> None:
        self._law = law
        self._streams = streams
        self._blocks: dict[int, Floats] = {}

    def one(self, index: int) -> float:
        """That of the heartbeat with *index*."""
        block, place = divmod(index, DRAWN)
        return float(self._block(block)[place])

    def some(self, first: int, count: int) -> Floats:
        """Those of *count* heartbeats from the index *first* on."""
        begin, skip = divmod(first, DRAWN)
        end = (first + count - 1) // DRAWN
        whole = [self._block(block) for block in range(begin, end + 1)]
        found: Floats = np.concatenate(whole)[skip : skip + count]
        return found

    def _block(self, number: int) -> Floats:
        if number not in self._blocks:
            if len(self._blocks) == KEPT:
                del self._blocks[min(self._blocks)]
            uniforms = self._streams.uniforms(0, SERVICE, number * DRAWN, DRAWN)
            self._blocks[number] = times_at(self._law, uniforms)
        return self._blocks[number]


class Gaps:
    """When each agent was alive, of the heartbeats processed so far."""

    def __init__(self, limit: float) -> None:
        self._reach = limit + TICK  # so long one keeps its agent alive
        self._last = np.empty(0)
        self._since: list[float] = []
        self._spans: list[list[tuple[float, float]]] = []

    def enter(self) -> None:
        """There is one agent more."""
        self._last = np.append(self._last, -math.inf)
        self._since.append(math.nan)
        self._spans.append([])

    def last(self, who: int) -> float:
        """When the last heartbeat of an agent was processed; minus infinity if none was."""
        return float(self._last[who])

    def add(self, times: Floats, who: Agents) -> None:
        """Heartbeats were processed at *times*, which for each agent are in order."""
        order = np.argsort(who, kind="stable")
        times, who = times[order], who[order]
        firsts = _firsts(who)
        before = np.empty_like(times)
        before[1:] = times[:-1]
        before[firsts] = self._last[who[firsts]]
        for place in np.flatnonzero(times - before > self._reach).tolist():
            self._wake(int(who[place]), float(before[place]), float(times[place]))
        lasts = np.append(firsts[1:], times.size) - 1
        self._last[who[lasts]] = times[lasts]

    def _wake(self, who: int, before: float, time: float) -> None:
        """An agent is heard of at *time* after a silence, or for the first time."""
        if before > -math.inf:
            self._spans[who].append((self._since[who], before + self._reach))
        self._since[who] = time

    def spans(self, who: int) -> list[tuple[float, float]]:
        """When an agent was alive, up to the first instant of being down."""
        last = self.last(who)
        open_span = [(self._since[who], last + self._reach)] if last > -math.inf else []
        return self._spans[who] + open_span


class Line:
    """All heartbeats that wait, will wait or have waited, agents counted as they `enter`.

    *workers* tells who processes them, and how many these are. *stir* is called when something
    changes that was looked at ahead of its time.
    """

    def __init__(
        self,
        env: Instants,
        services: Services,
        arrivals: Arrivals,
        *,
        limit: float,
        workers: Callable[[], tuple[Lanes, int]],
        stir: Callable[[], None],
    ) -> None:
        self._env = env
        self._services = services
        self._arrivals = arrivals
        self._workers = workers
        self._stir = stir
        self._components: list[int] = []
        self._came = 0  # heartbeats, and so the index of the next one's service time
        self._settled = (-math.inf, 0)  # up to where all is worked out
        self._waiting: list[Batch] = []  # when they will be processed, each part in order
        self._gaps = Gaps(limit)
        self._ahead: dict[int, Floats] | None = None  # when each agent's next are processed
        self._ahead_until = -math.inf  # of those that come until then
        self._look = FIRST_LOOK

    def enter(self, component: int, noise: Noise) -> int:
        """An agent's heartbeats will stand here; its number. To be called in order."""
        self._components.append(component)
        self._arrivals.enter(component, noise)
        self._gaps.enter()
        return len(self._components) - 1

    # -- what comes ------------------------------------------------------------------------

    def follow(self, who: int, stretch: Stretch) -> None:
        """The heartbeats of *stretch* come as they leave."""
        self._arrivals.follow(who, stretch)
        self.change()

    def take(self) -> float:
        """A heartbeat that is simulated has come: when it is processed, s."""
        self.settle()
        now = self._env.now
        lanes, workers = self._workers()
        (done,) = lanes.assign([self._services.one(self._came)], now, workers=workers, now=now)
        self._came += 1
        self.change()
        return done

    def disturb(self) -> None:
        """The workers have something else to do, or are not as many: not for what came before."""
        self.settle()
        self.change()

    def change(self) -> None:
        """What comes from now on is not what it would have been."""
        self._look = FIRST_LOOK
        if self._ahead is not None:
            self._ahead = None
            self._stir()

    def under_way(self, who: int, after: float) -> list[float]:
        """When those that have left come after *after*: from now on others must see to them."""
        self.change()
        return self._arrivals.under_way(who, after)

    def withdraw(self, who: int) -> list[float]:
        """When those of an agent that wait are processed: others must see to them, too."""
        self.settle()
        bound, found = self._happened(who), []
        for place, (done, whose) in enumerate(self._waiting):
            gone = (whose == who) & (done > bound)
            if gone.any():
                found += done[gone].tolist()
                self._waiting[place] = done[~gone], whose[~gone]
        self._waiting = [part for part in self._waiting if part[0].size]
        self.change()
        return sorted(found)

    def lose(self) -> None:
        """The server loses what waits and what is on the way to it."""
        self.settle()
        self._waiting = []
        self._arrivals.clear()
        self.change()

    # -- what was processed ----------------------------------------------------------------

    def settle(self) -> None:
        """Work out all that has come so far."""
        end = Position(self._env.now, self._env.reached)
        if self._settled == (end.time, end.turn):
            return
        self._settled = end.time, end.turn
        lanes, workers = self._workers()
        for times, who in self._arrivals.upto(end):
            self._waiting.append(self._serve(times, who, lanes, workers, self._came))
            self._came += times.size
            # Of several workers one may process the next to come before these.
            self._process(min(end.time, float(times[-1])))
        self._process(end.time)

    def _serve(self, times: Floats, who: Agents, lanes: Lanes, workers: int, first: int) -> Batch:
        """When heartbeats that come at *times* are processed, in this order."""
        done = lanes.assign_each(self._services.some(first, times.size), times, workers=workers)
        if (done[1:] >= done[:-1]).all():
            return done, who
        order = np.argsort(done, kind="stable")
        return done[order], who[order]

    def _process(self, time: float) -> None:
        """Let what waits be processed, if that is before *time*."""
        processed: list[Batch] = []
        waiting: list[Batch] = []
        for done, who in self._waiting:
            count = int(np.searchsorted(done, time))
            if count:
                processed.append((done[:count], who[:count]))
            if count < done.size:
                waiting.append((done[count:], who[count:]))
        self._waiting = waiting
        if processed:
            self._gaps.add(*_joined(processed))

    def _happened(self, who: int) -> float:
        """Up to when what is processed of an agent has been: what is at this instant has a turn."""
        turn = priority(Rank.DELIVER, self._components[who])
        now: float = self._env.now
        return now if self._env.reached > turn else now - TICK

    def last(self, who: int) -> float:
        """When the last heartbeat of an agent was processed, as far as things have come."""
        self.settle()
        bound, now = self._happened(who), self._env.now
        for done, whose in self._waiting if bound == now else ():
            if done[0] <= now and (whose[: np.searchsorted(done, now, "right")] == who).any():
                return now
        return self._gaps.last(who)

    def spans(self, who: int) -> list[tuple[float, float]]:
        """When an agent was alive, up to the first instant of being down."""
        self.settle()
        return self._gaps.spans(who)

    # -- what will be processed ------------------------------------------------------------

    def silent_after(self, who: int, heard: float, limit: float) -> float:
        """Before when nothing but a change makes an agent silent for over *limit*, as far as seen.

        It was last *heard* of then.
        """
        ahead = self._looked_ahead().get(who, np.empty(0))
        times = np.append(heard, ahead[ahead > self._env.now])
        silent = np.flatnonzero(np.diff(times) > limit)
        return float(times[silent[0] if silent.size else -1]) + limit

    def _looked_ahead(self) -> dict[int, Floats]:
        """When the heartbeats of each agent are processed that wait or come soon."""
        now: float = self._env.now
        if self._ahead is None or self._ahead_until <= now:
            self._ahead_until = now + self._look_span()
            self._ahead = self._look_ahead(Position(self._ahead_until, 0))
        return self._ahead

    def _look_span(self) -> float:
        """How far to look ahead, s: further each time, as long as nothing changes."""
        intervals = self._arrivals.open()
        if not intervals:
            return math.inf
        self._look = min(2 * self._look, SIZE)
        return max(self._look // len(intervals), 2) * intervals[0]

    def _look_ahead(self, end: Position) -> dict[int, Floats]:
        lanes, workers = self._workers()
        lanes, came, found = lanes.copy(), self._came, list(self._waiting)
        for times, who in self._arrivals.copy().upto(end):
            found.append(self._serve(times, who, lanes, workers, came))
            came += times.size
        if not found:
            return {}
        times, who = _joined(found)
        order = np.argsort(who, kind="stable")
        firsts = _firsts(who[order])
        owners = who[order][firsts].tolist()
        return dict(zip(owners, np.split(times[order], firsts[1:]), strict=True))


def _firsts(who: Agents) -> NDArray[np.intp]:
    """Where each agent's begin in *who*, which is sorted."""
    return np.flatnonzero(np.concatenate([[True], who[1:] != who[:-1]]))


def _joined(parts: list[Batch]) -> Batch:
    """*parts* as one, in order."""
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([times for times, _ in parts])
    who = np.concatenate([who for _, who in parts])
    if (times[1:] >= times[:-1]).all():
        return times, who
    order = np.argsort(times, kind="stable")
    return times[order], who[order]
