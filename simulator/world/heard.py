"""When the server processed the heartbeats of one agent, as far as it is known by now.

Those simulated one by one are times; the others are stretches, from which times follow.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from simulator.clock import TICK, Rank
from simulator.world.cluster import Instants, priority
from simulator.world.noise import Noise, Stretch
from simulator.world.queueing import Line
from simulator.world.spans import joined


class Hearing(Protocol):
    """The processed heartbeats of one agent, which is alive for a limit after each."""

    latest: float
    """When the last one of those that are simulated one by one was processed, s."""

    def add(self, time: float) -> None:
        """One that was simulated is processed at *time*."""

    def follow(self, stretch: Stretch, now: float, patience: float) -> None:
        """Those of *stretch*, which begins *now* or later, are processed as they come.

        *patience*: how soon each must be to be like the others (see `Line`), where they wait.
        """

    def end(self) -> None:
        """The stretch followed last ends now."""

    def under_way(self, now: float, epoch: int) -> Iterable[tuple[int, Sequence[float]]]:
        """What of the ended stretches of *epoch* arrives after *now*: no longer of them."""

    def withdraw(self) -> Sequence[float]:
        """When those that have come and wait are processed: no longer of a stretch."""

    def last(self, now: float) -> float:
        """When the last one was processed: *now*, if it has had its turn, at the latest."""

    def next_after(self, now: float) -> float:
        """An instant, *now* or later, before which nothing of a stretch is processed."""

    def silent_after(self, now: float, limit: float, stretch: Stretch | None) -> float:
        """Before when nothing but a change makes it silent for over *limit*; *stretch* is open."""

    def alive(self, horizon: float) -> list[tuple[float, float]]:
        """When the agent was alive: up to the first instant of being down."""


class Heard:
    """Hearing where a heartbeat is processed as it arrives.

    *losses*: when each epoch of messages ended, s. Those simulated one by one are known before the
    latest only if it *keeps* them. *component* is the agent's, whose turn it must be.
    """

    def __init__(
        self, noise: Noise, losses: Sequence[float], limit: float, *, keeps: bool, env: Instants,
        component: int,
    ) -> None:  # fmt: skip
        self._env = env
        self._emitted, self._delivered = (
            priority(rank, component) for rank in (Rank.EMIT, Rank.DELIVER)
        )
        self._keeps = keeps
        self._limit = limit
        self._noise = noise
        self._losses = losses
        self._times = array("d")
        self._starts, self._ends = array("d"), array("d")  # of being alive by what is over
        self._stretches: list[Stretch] = []
        self._unsettled: list[Stretch] = []  # those of which something may still be processed
        self._settled = -math.inf  # the last processing of all others
        self.latest = -math.inf
        self._last = -math.inf  # as asked for last, at _asked; so it is until _until
        self._asked = self._until = math.inf
        self._late_of: Stretch | None = None  # of which _late_at is the next late heartbeat
        self._late_at = math.inf
        self._calm_since = math.inf  # none was late from then until now, or _late_at

    def add(self, time: float) -> None:
        self.latest = time
        self._asked = self._until = math.inf
        if self._keeps:
            self._times.append(time)

    def follow(self, stretch: Stretch, now: float, patience: float) -> None:
        if len(self._stretches) >= MANY:
            self._pack(now)
        self._stretches.append(stretch)
        self._unsettled.append(stretch)
        self._asked = self._until = math.inf

    def end(self) -> None:
        pass  # its count says so

    def withdraw(self) -> Sequence[float]:
        return ()  # nothing waits

    def _pack(self, now: float) -> None:
        """Of stretches that were over before *now* keep only when they made the agent alive.

        What may still be processed at this very instant may still be cut, too.
        """
        going = []
        for stretch in self._stretches:
            spans = [] if stretch.count is None else self._spans(stretch, now)
            last = max((end for _, end in spans), default=-math.inf) - self._limit
            if stretch.count is None or last >= now:
                going.append(stretch)
                continue
            self._settled = max(self._settled, last)
            self._starts.extend(start for start, _ in spans)
            self._ends.extend(end for _, end in spans)
        kept = set(map(id, going))
        self._stretches = going
        self._unsettled = [stretch for stretch in self._unsettled if id(stretch) in kept]

    def _spans(self, stretch: Stretch, horizon: float) -> list[tuple[float, float]]:
        """When those of *stretch* that left before *horizon* make the agent alive."""
        count = stretch.left_by(horizon, inclusive=False)
        return self._noise.spans(stretch, count, self._limit, self._cut(stretch))

    def under_way(self, now: float, epoch: int) -> Iterator[tuple[int, Sequence[float]]]:
        for stretch in self._unsettled:
            if stretch.epoch < epoch or math.isfinite(stretch.cut):
                continue
            assert stretch.count is not None
            stretch.cut = now + TICK
            yield epoch, self._noise.under_way(stretch, stretch.count, now)

    def last(self, now: float) -> float:
        last = self._last_by(now)
        if last < now or self.latest == now or self._has_come(now):
            return last
        return self._last_by(now - TICK)

    def _has_come(self, now: float) -> bool:
        """Whether what is processed at this very instant has been."""
        reached = self._env.reached
        if reached > self._delivered:
            return True
        noise, unsettled = self._noise, self._unsettled
        return reached > self._emitted and any(noise.at_once(s, now) for s in unsettled)

    def silent_after(self, now: float, limit: float, stretch: Stretch | None) -> float:
        if stretch is None or not stretch.heard or now < self._noise.heard_by(stretch):
            return self.last(now) + limit
        if self._late_of is not stretch or self._late_at < now:
            self._late_of, self._late_at = stretch, self._noise.next_late(stretch, now)
            self._calm_since = now
        if now - 2 * self._limit >= self._calm_since:
            return self._late_at
        heard = self.last(now)  # after the last late ones: a silence may have begun
        late = self._noise.next_late(stretch, max(heard - self._limit, stretch.first))
        return heard + limit if late < now else self._late_at

    def _last_by(self, now: float) -> float:
        """When the last one was processed, at *now* at the latest, if it had its turn."""
        if self._asked <= now < self._until:
            return self._last
        self._settle(now)
        last, until = max(self._settled, self.latest), math.inf
        for stretch in self._unsettled:
            found = self._last_of(stretch, now)
            last = max(last, found)
            until = min(until, self._noise.next(stretch, found, now))
        if last < now:  # what is processed at this very instant may still be cut
            self._last, self._asked, self._until = last, now, until
        return last

    def next_after(self, now: float) -> float:
        self._settle(now)
        nexts = (self._noise.next(s, self._last_of(s, now), now) for s in self._unsettled)
        return min(nexts, default=math.inf)

    def _last_of(self, stretch: Stretch, now: float) -> float:
        return self._noise.last(stretch, now, self._cut(stretch))

    def _settle(self, now: float) -> None:
        """Set aside the stretches that were over before *now*, with the last processing of each.

        What is processed at this very instant may not have had its turn.
        """
        if all(stretch.count is None for stretch in self._unsettled):
            return
        waiting = []
        for stretch in self._unsettled:
            if stretch.count is None or not self._noise.settled(stretch, now - TICK):
                waiting.append(stretch)
                continue
            self._settled = max(self._settled, self._last_of(stretch, now))
        self._unsettled = waiting

    def _cut(self, stretch: Stretch) -> float:
        lost = self._losses[stretch.epoch] if stretch.epoch < len(self._losses) else math.inf
        return min(lost, stretch.cut)

    def alive(self, horizon: float) -> list[tuple[float, float]]:
        found = [(time, time + self._limit) for time in self._times]
        found += zip(self._starts, self._ends, strict=True)
        for stretch in self._stretches:
            found += self._spans(stretch, horizon)
        return joined((start, end + TICK) for start, end in found)


MANY = 32
"""With so many stretches it is looked which are over: often enough, and seldom enough."""


class HeardInLine:
    """Hearing where heartbeats wait in *line* for a server that needs time for each."""

    def __init__(
        self, line: Line, component: int, noise: Noise, limit: float, attend: Callable[[], None]
    ) -> None:
        self._line = line
        self._limit = limit
        self._who = line.enter(component, noise, attend)
        self._starts, self._ends = array("d"), array("d")  # of being alive by the simulated ones
        self.latest = -math.inf

    def add(self, time: float) -> None:
        self.latest = time
        end = time + self._limit + TICK
        if self._ends and time <= self._ends[-1]:
            self._ends[-1] = end
        else:
            self._starts.append(time)
            self._ends.append(end)
        self._line.hear(self._who, time)

    def follow(self, stretch: Stretch, now: float, patience: float) -> None:
        self._line.follow(self._who, stretch, patience)

    def end(self) -> None:
        self._line.end(self._who)

    def under_way(self, now: float, epoch: int) -> list[tuple[int, list[float]]]:
        return [(epoch, self._line.under_way(self._who, now))]

    def withdraw(self) -> list[float]:
        return self._line.withdraw(self._who)

    def last(self, now: float) -> float:
        return max(self.latest, self._line.last(self._who))

    def next_after(self, now: float) -> float:
        return now

    def silent_after(self, now: float, limit: float, stretch: Stretch | None) -> float:
        heard = self.last(now)
        return (
            heard + limit if stretch is None else self._line.silent_after(self._who, heard, limit)
        )

    def alive(self, horizon: float) -> list[tuple[float, float]]:
        found = list(zip(self._starts, self._ends, strict=True))
        return joined(found + self._line.spans(self._who))
