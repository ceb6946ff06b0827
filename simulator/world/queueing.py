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
from simulator.world.cluster import Cluster, priority
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
    """When each agent was alive, of the heartbeats processed so far; *lasts*: its last one."""

    def __init__(self, limit: float) -> None:
        self._reach = limit + TICK  # so long one keeps its agent alive
        self.lasts = np.empty(0)
        self._since: list[float] = []
        self._spans: list[list[tuple[float, float]]] = []

    def enter(self) -> None:
        """There is one agent more."""
        self.lasts = np.append(self.lasts, -math.inf)
        self._since.append(math.nan)
        self._spans.append([])

    def last(self, who: int) -> float:
        """When the last heartbeat of an agent was processed; minus infinity if none was."""
        return float(self.lasts[who])

    def add(self, times: Floats, who: Agents) -> None:
        """Heartbeats were processed at *times*, which for each agent are in order."""
        order = np.argsort(who, kind="stable")
        times, who = times[order], who[order]
        firsts = _firsts(who)
        before = np.empty_like(times)
        before[1:] = times[:-1]
        before[firsts] = self.lasts[who[firsts]]
        for place in np.flatnonzero(times - before > self._reach).tolist():
            self._wake(int(who[place]), float(before[place]), float(times[place]))
        lasts = np.append(firsts[1:], times.size) - 1
        self.lasts[who[lasts]] = times[lasts]

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
    changes for somebody who looked ahead.

    Of some agents heartbeats are watched: they must be processed within their *patience* after they
    left, and no silence over *limit* may end with them. The line looks ahead, and when one leaves
    of which that is not so, or is not any more, the agent has to `attend` to it.
    """

    def __init__(
        self,
        cluster: Cluster,
        services: Services,
        arrivals: Arrivals,
        *,
        limit: float,
        workers: Callable[[], tuple[Lanes, int]],
        stir: Callable[[], None],
    ) -> None:
        self._cluster = cluster
        self._env = cluster.env
        self._limit = limit
        self._services = services
        self._arrivals = arrivals
        self._workers = workers
        self._stir = stir
        self._components: list[int] = []
        self._came = 0  # heartbeats, and so the index of the next one's service time
        self._settled = (-math.inf, 0)  # up to where all is worked out
        self._waiting: list[Batch] = []  # when they will be processed, each part in order
        self._gaps = Gaps(limit)
        self._ahead: Ahead | None = None
        self._look = FIRST_LOOK
        self._asked = False  # whether somebody relies on what was seen ahead
        self._attend: list[Callable[[], None]] = []
        self._patience = np.empty(0)  # of each agent; not a number if it is not watched
        self._simulated = np.empty(0)  # when the last one simulated was processed
        self._changes = 0
        self._watches = False  # at the end of this instant

    def enter(self, component: int, noise: Noise, attend: Callable[[], None]) -> int:
        """An agent's heartbeats will stand here; its number. To be called in order."""
        self._components.append(component)
        self._attend.append(attend)
        self._patience = np.append(self._patience, math.nan)
        self._simulated = np.append(self._simulated, -math.inf)
        self._arrivals.enter(component, noise)
        self._gaps.enter()
        return len(self._components) - 1

    # -- what comes ------------------------------------------------------------------------

    def follow(self, who: int, stretch: Stretch, patience: float = math.nan) -> None:
        """The heartbeats of *stretch* come as they leave; with *patience* they are watched."""
        self._arrivals.follow(who, stretch)
        self._patience[who] = patience
        self.change()

    def end(self, who: int) -> None:
        """The stretch of an agent ends now."""
        self._patience[who] = math.nan
        self.change()

    def hear(self, who: int, time: float) -> None:
        """A heartbeat that was simulated is processed at *time*."""
        self._simulated[who] = time

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
        self._ahead = None
        self._changes += 1
        if self._asked:
            self._asked = False
            self._stir()
        if not self._watches and not np.isnan(self._patience).all():
            self._watches = True
            self._cluster.at(self._env.now, Rank.CHECK, -1, self._watch)

    def under_way(self, who: int, after: float) -> list[float]:
        """When those that have left come after *after*: from now on others must see to them."""
        self.change()
        return self._arrivals.under_way(who, after)

    def withdraw(self, who: int) -> list[float]:
        """When those of an agent that wait are processed: others must see to them, too."""
        self.settle()
        found: list[float] = []
        for place, part in enumerate(self._waiting):
            gone = (part[1] == who) & ~self._are_over(who, part)
            if gone.any():
                found += part[0][gone].tolist()
                self._waiting[place] = _some(part, ~gone)
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
        for come in self._arrivals.upto(end):
            self._waiting.append(self._serve(come, lanes, workers, self._came))
            self._came += come[0].size
            # Of several workers one may process the next to come before these.
            self._process(min(end.time, float(come[0][-1])))
        self._process(end.time)

    def _serve(self, come: Batch, lanes: Lanes, workers: int, first: int) -> Batch:
        """When heartbeats that *come* are processed, in this order; *first* has which index."""
        times, who, sent = come
        costs = self._services.some(first, times.size)
        return _sorted((lanes.assign_each(costs, times, workers=workers), who, sent))

    def _process(self, time: float) -> None:
        """Let what waits be processed, if that is before *time*."""
        processed: list[Batch] = []
        waiting: list[Batch] = []
        self._join()
        for part in self._waiting:
            count = int(np.searchsorted(part[0], time))
            if count:
                processed.append(_some(part, slice(count)))
            if count < part[0].size:
                waiting.append(_some(part, slice(count, None)))
        self._waiting = waiting
        if processed:
            times, who, _ = _joined(processed)
            self._gaps.add(times, who)

    def _join(self) -> None:
        """Keep the parts that wait few: each is far smaller than the one before."""
        parts = self._waiting
        while len(parts) > 1 and 2 * parts[-1][0].size >= parts[-2][0].size:
            parts[-2:] = [_joined(parts[-2:])]

    def _happened(self, who: int) -> float:
        """Up to when what is processed of an agent has been: what is at this instant has a turn."""
        turn = priority(Rank.DELIVER, self._components[who])
        now: float = self._env.now
        return now if self._env.reached > turn else now - TICK

    def last(self, who: int) -> float:
        """When the last heartbeat of an agent was processed, as far as things have come."""
        self.settle()
        now = self._env.now
        for part in self._waiting:
            if part[0][0] <= now and self._are_over(who, part).any():
                return now
        return self._gaps.last(who)

    def _are_over(self, who: int, part: Batch) -> NDArray[np.bool_]:
        """Which of *part* are of an agent and have been processed.

        One that needed no time at all, on its way or here, is so as soon as it left.
        """
        done, whose, sent = part
        bound, now = self._happened(who), self._env.now
        found: NDArray[np.bool_] = (whose == who) & (
            (done <= bound) | ((done == now) & (sent == now))
        )
        return found

    def spans(self, who: int) -> list[tuple[float, float]]:
        """When an agent was alive, up to the first instant of being down."""
        self.settle()
        return self._gaps.spans(who)

    # -- what will be processed ------------------------------------------------------------

    def silent_after(self, who: int, heard: float, limit: float) -> float:
        """Before when nothing but a change makes an agent silent for over *limit*, as far as seen.

        It was last *heard* of then.
        """
        ahead = self._looked_ahead().processed(who)
        ahead = ahead[ahead > self._env.now]
        if not ahead.size:
            return heard + limit
        self._asked = True
        times = np.append(heard, ahead)
        silent = np.flatnonzero(np.diff(times) > limit)
        return float(times[silent[0] if silent.size else -1]) + limit

    def _watch(self) -> None:
        """Have agents attend to heartbeats that have left and should not be left to the line."""
        self._watches = False
        if np.isnan(self._patience).all():
            return
        self.settle()
        now, ahead, changes = self._env.now, self._looked_ahead(), self._changes
        who, sent = self._unlike(ahead)
        due = sorted(set(who[sent <= now].tolist()))
        for agent in due:
            self._attend[agent]()
        if due:
            return  # that was a change

        def watch() -> None:
            if self._changes == changes and not self._watches:
                self._watch()

        time = min(float(sent.min()) if sent.size else math.inf, ahead.until)
        if time < math.inf:
            self._cluster.at(time, Rank.CHECK, -1, watch)

    def _unlike(self, ahead: Ahead) -> tuple[Agents, Floats]:
        """Whose watched heartbeats are not as they should be, and when these leave."""
        heard = np.maximum(self._gaps.lasts, self._simulated)
        silence = np.diff(ahead.done, prepend=-math.inf)
        silence[ahead.firsts] = (ahead.done - heard[ahead.who])[ahead.firsts]
        patience = self._patience[ahead.who]
        watched = ~np.isnan(patience)
        found = watched & ((ahead.done - ahead.sent >= patience) | (silence > self._limit))
        return ahead.who[found], ahead.sent[found]

    def _looked_ahead(self) -> Ahead:
        """What becomes of the heartbeats that wait or come soon."""
        now: float = self._env.now
        if self._ahead is None or self._ahead.until <= now:
            until = now + self._look_span()
            self._ahead = Ahead(until, self._look_ahead(Position(until, 0)))
        return self._ahead

    def _look_span(self) -> float:
        """How far to look ahead, s: further each time, as long as nothing changes."""
        intervals = self._arrivals.open()
        if not intervals:
            return math.inf
        self._look = min(2 * self._look, SIZE)
        return max(self._look // len(intervals), 2) * intervals[0]

    def _look_ahead(self, end: Position) -> list[Batch]:
        lanes, workers = self._workers()
        lanes, came, found = lanes.copy(), self._came, list(self._waiting)
        for come in self._arrivals.copy().upto(end):
            found.append(self._serve(come, lanes, workers, came))
            came += come[0].size
        return found


class Ahead:
    """What becomes of the heartbeats that come up to *until*, if nothing changes.

    *done*, *who* and *sent* tell when each is processed, whose it is and when it left, agent by
    agent, each of which begins at one of *firsts*.
    """

    def __init__(self, until: float, parts: list[Batch]) -> None:
        self.until = until
        done, who, sent = _joined(parts) if parts else (np.empty(0), np.empty(0, int), np.empty(0))
        order = np.argsort(who, kind="stable")
        self.done, self.who, self.sent = done[order], who[order], sent[order]
        self.firsts = _firsts(self.who) if parts else np.empty(0, int)

    def processed(self, who: int) -> Floats:
        """When those of one agent are processed."""
        begin, end = np.searchsorted(self.who, [who, who + 1])
        return self.done[begin:end]


def _firsts(who: Agents) -> NDArray[np.intp]:
    """Where each agent's begin in *who*, which is sorted."""
    return np.flatnonzero(np.concatenate([[True], who[1:] != who[:-1]]))


def _some(batch: Batch, which: slice | NDArray[np.bool_]) -> Batch:
    """Some heartbeats of *batch*."""
    times, who, sent = batch
    return times[which], who[which], sent[which]


def _joined(parts: list[Batch]) -> Batch:
    """*parts* as one, in order of time."""
    if len(parts) == 1:
        return parts[0]
    times, who, sent = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _sorted((times, who, sent))


def _sorted(batch: Batch) -> Batch:
    times, who, sent = batch
    if (times[1:] >= times[:-1]).all():
        return batch
    order = np.argsort(times, kind="stable")
    return times[order], who[order], sent[order]
