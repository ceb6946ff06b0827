"""When the heartbeats of all agents come to the server, merged, before any of them has to be made.

Two kinds, by what the way does to them: `Rounds`, which are delayed alike, and `Scattered`, which
are delayed at random, or lost. Both are told of stretches (`follow`) and give batches of what comes
up to a `Position`, in the order in which simulated ones would come.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.clock import TICK, Rank
from simulator.trace import Floats
from simulator.world.cluster import priority
from simulator.world.noise import NEVER, ConstantDelay, Noise, RandomDelay, Stretch, steps_within

SIZE = 2**13  # arrivals worked out at a time: more of them leave the processor's cache

Agents: TypeAlias = NDArray[Any]  # of whole numbers, small ones in few bytes: sorted in no time
Batch: TypeAlias = tuple[Floats, Agents, Floats]
"""Of some heartbeats: a time of each, whose it is, and when it left."""


@dataclass(slots=True)
class Feed:
    """Heartbeats of a stretch on their way to the server: *taken* of them have come.

    *who* counts the agents, *turn* is that of an arrival among those of one instant. Of a stretch
    that was cut no more than *most* come.
    """

    who: int
    turn: int
    stretch: Stretch
    delay: float
    taken: int = 0
    most: int = NEVER

    @property
    def next(self) -> float:
        """When the next one comes, if any does."""
        return self.stretch.first + self.delay + self.taken * self.stretch.interval

    @property
    def left(self) -> int:
        """How many are still to come."""
        count = NEVER if self.stretch.count is None else self.stretch.count
        return min(count, self.most) - self.taken

    @property
    def last(self) -> float:
        """When the last one comes; infinity if that is not known."""
        left = self.left
        far = left > NEVER // 2
        return math.inf if far else self.next + (left - 1) * self.stretch.interval

    def come_by(self, time: float) -> int:
        """How many of those still to come have come at *time*."""
        return max(min(steps_within(time - self.next, self.stretch.interval) + 1, self.left), 0)


@dataclass
class Position:
    """An instant, and the turn within it before which all has happened."""

    time: float
    turn: int

    def last_of(self, feed: Feed) -> float:
        """The last instant at which a heartbeat of *feed* would have come."""
        return self.time if feed.turn < self.turn else self.time - TICK


class Arrivals(Protocol):
    """What comes to the server, up to how far it was asked for."""

    def enter(self, component: int, noise: Noise) -> None:
        """There is one agent more."""

    def follow(self, who: int, stretch: Stretch) -> None:
        """The heartbeats of *stretch* come as they leave."""

    def upto(self, end: Position) -> Iterator[Batch]:
        """What comes before *end* and was not given yet, in order."""

    def under_way(self, who: int, after: float) -> list[float]:
        """When those of ended stretches come after *after*: they are given to nobody else."""

    def clear(self) -> None:
        """All that is on its way is lost."""

    def copy(self) -> Arrivals:
        """The same, to see what would come."""

    def open(self) -> list[float]:
        """The intervals of the stretches that have not ended."""


class Rounds:
    """Heartbeats that all are delayed alike, and leave at one interval.

    So from any instant on they come round after round, always in the same order, until a stretch
    ends or another begins.
    """

    def __init__(self) -> None:
        self._turns: list[int] = []
        self._delay = 0.0
        self._feeds: list[Feed] = []

    def enter(self, component: int, noise: Noise) -> None:
        assert isinstance(noise, ConstantDelay)
        self._delay = noise.delay
        rank = Rank.DELIVER if noise.delay else Rank.EMIT  # what needs no time comes as it leaves
        self._turns.append(priority(rank, component))

    def follow(self, who: int, stretch: Stretch) -> None:
        self._feeds.append(Feed(who, self._turns[who], stretch, self._delay))

    def upto(self, end: Position) -> Iterator[Batch]:
        while feeds := [feed for feed in self._feeds if feed.come_by(end.last_of(feed))]:
            interval = feeds[0].stretch.interval
            second = min(feed.next for feed in feeds) + interval
            turns = [feed for feed in feeds if feed.next < second]
            turns.sort(key=lambda feed: (feed.next, feed.who))
            later = [feed.next - TICK for feed in feeds if feed.next >= second]
            edge = min(*later, *(feed.last for feed in turns), math.inf)
            counts = [feed.come_by(min(edge, end.last_of(feed))) for feed in turns]
            begins = np.array([feed.next for feed in turns])
            for feed, count in zip(turns, counts, strict=True):
                feed.taken += count
            who = _numbers([feed.who for feed in turns])
            for times, whose in _rounds(begins, who, interval, sum(counts)):
                yield times, whose, times - self._delay
        self._feeds = [feed for feed in self._feeds if feed.left > 0]

    def under_way(self, who: int, after: float) -> list[float]:
        times: list[float] = []
        for feed in self._feeds:
            if feed.who == who and feed.stretch.count is not None:
                come, left, begin = feed.come_by(after), feed.left, feed.next
                times += [begin + k * feed.stretch.interval for k in range(come, left)]
                feed.most = feed.taken + come
        return times

    def clear(self) -> None:
        self._feeds = []

    def copy(self) -> Rounds:
        twin = Rounds()
        twin._delay = self._delay
        twin._feeds = [replace(feed) for feed in self._feeds]
        return twin

    def open(self) -> list[float]:
        return [feed.stretch.interval for feed in self._feeds if feed.stretch.count is None]


def _rounds(
    begins: Floats, who: Agents, interval: float, count: int
) -> Iterator[tuple[Floats, Agents]]:
    """The first *count* of heartbeats that come at *begins*, again and again every *interval*."""
    each = max(SIZE // begins.size, 1)
    for first in range(0, -(-count // begins.size), each):
        number = min(count - first * begins.size, each * begins.size)
        rounds = -(-number // begins.size)
        steps = np.arange(first, first + rounds) * interval
        times = (steps[:, None] + begins).ravel()[:number]
        yield times, np.tile(who, rounds)[:number]


def _numbers(who: list[int]) -> Agents:
    return np.array(who, dtype=np.min_scalar_type(max(who)))


class Scattered:
    """Heartbeats that are delayed at random, and lost: each is drawn.

    Those drawn that have not come yet are kept sorted: by time, and at one instant those that
    needed no time first, then by agent. A *place* is an agent's number, and for those that needed
    time that plus the number of agents.
    """

    def __init__(self) -> None:
        self._components: list[int] = []
        self._noises: list[RandomDelay] = []
        self._feeds: list[Feed] = []
        self._times: Floats = np.empty(0)
        self._sent: Floats = np.empty(0)
        self._places: Agents = np.empty(0, dtype=np.uint8)

    def enter(self, component: int, noise: Noise) -> None:
        assert isinstance(noise, RandomDelay)
        self._components.append(component)
        self._noises.append(noise)
        self._places = self._places.astype(np.min_scalar_type(2 * len(self._noises)))

    def follow(self, who: int, stretch: Stretch) -> None:
        self._feeds.append(Feed(who, self._turn(who), stretch, 0.0))

    def _turn(self, place: int) -> int:
        late, who = divmod(place, len(self._components))
        return priority(Rank.DELIVER if late else Rank.EMIT, self._components[who])

    def upto(self, end: Position) -> Iterator[Batch]:
        agents = len(self._components)
        while (begin := self._begin(end)) < math.inf:
            edge = Position(begin + self._span(), 0)
            stop = edge if edge.time < end.time else end
            self._draw(stop)
            times, places, sent = self._come(stop)
            if times.size:
                yield times, places % agents, sent
        self._feeds = [feed for feed in self._feeds if feed.left > 0]

    def _begin(self, end: Position) -> float:
        """When the next one leaves or comes; infinity if none does before *end*."""
        times = [feed.next for feed in self._feeds if feed.come_by(end.last_of(feed))]
        if self._count(end):
            times.append(float(self._times[0]))
        return min(times, default=math.inf)

    def _span(self) -> float:
        """How long about so many leave as are worked out at a time, s."""
        if not self._feeds:
            return math.inf
        return max(SIZE // len(self._feeds), 1) * self._feeds[0].stretch.interval

    def _draw(self, stop: Position) -> None:
        """Draw what becomes of all that leave before *stop*."""
        drawn = [(feed, feed.come_by(stop.last_of(feed))) for feed in self._feeds]
        self._send([(feed, count) for feed, count in drawn if count])

    def _send(self, leaving: list[tuple[Feed, int]]) -> None:
        """Put the next heartbeats of some feeds on their way."""
        agents = len(self._components)
        times, places, sent = [self._times], [self._places], [self._sent]
        for feed, count in leaving:
            delays = self._noises[feed.who].delays(feed.stretch.index + feed.taken, count)
            steps: Floats = np.arange(count, dtype=np.float64)
            leaves = feed.next + steps * feed.stretch.interval
            feed.taken += count
            there = ~np.isnan(delays)
            place = np.where(delays > 0, agents + feed.who, feed.who)
            times.append((leaves + delays)[there])
            sent.append(leaves[there])
            places.append(place[there].astype(self._places.dtype))
        time, place = np.concatenate(times), np.concatenate(places)
        order = np.lexsort((place, time))
        self._times, self._places = time[order], place[order]
        self._sent = np.concatenate(sent)[order]

    def _count(self, end: Position) -> int:
        """How many of those on their way come before *end*."""
        count = int(np.searchsorted(self._times, end.time))
        while count < self._times.size and self._times[count] == end.time:
            if self._turn(int(self._places[count])) >= end.turn:
                break
            count += 1
        return count

    def _come(self, stop: Position) -> Batch:
        """Those on their way that come before *stop*, which are so no longer."""
        count = self._count(stop)
        batch = self._times[:count], self._places[:count], self._sent[:count]
        self._keep(slice(count, None))
        return batch

    def _keep(self, which: slice | NDArray[np.bool_]) -> None:
        """Of those on their way only these are left."""
        self._times, self._places = self._times[which], self._places[which]
        self._sent = self._sent[which]

    def under_way(self, who: int, after: float) -> list[float]:
        ended = [f for f in self._feeds if f.who == who and f.stretch.count is not None]
        self._send([(feed, feed.left) for feed in ended if feed.left > 0])
        gone = (self._places % len(self._components) == who) & (self._times > after)
        times: list[float] = self._times[gone].tolist()
        self._keep(~gone)
        return times

    def clear(self) -> None:
        self._feeds = []
        self._keep(slice(0))

    def copy(self) -> Scattered:
        twin = Scattered()
        twin._components, twin._noises = self._components, self._noises
        twin._feeds = [replace(feed) for feed in self._feeds]
        twin._times, twin._places, twin._sent = self._times, self._places, self._sent
        return twin

    def open(self) -> list[float]:
        return [feed.stretch.interval for feed in self._feeds if feed.stretch.count is None]
