"""What becomes of heartbeats between agent and server: delayed, or delayed at random and lost.

Both classes answer for a `Stretch` (heartbeat i leaves at first + i * interval, and has number
index + i) without looking at every heartbeat, and for a single one:

`arrival(number, emission)`     when it is processed, or None if it is lost
`last(stretch, …)`              the last processing of a stretch up to an instant
`spans(stretch, …)`             the unions of [a, a + limit] over the processings a

A message still under way at *cut*, when the server or the broker went down, is lost.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from simulator.clock import TICK, quantize
from simulator.distributions import Deterministic, Distribution
from simulator.trace import Floats
from simulator.world.streams import (
    HEARTBEAT_DELAY,
    HEARTBEAT_LATE,
    Stream,
    Streams,
    times_between,
)

NEVER = 2**62
BLOCK = 8  # delays drawn at a time: seldom are many neighbours asked for
MANY = 2**9  # where each is


@dataclass(slots=True)
class Stretch:
    """Heartbeats that leave at equal intervals while nothing disturbs them.

    *heard* is False for those that cannot arrive: the path is cut or nobody listens. *count* is
    the number that left, once the stretch is closed. *epoch* is the control plane's at the start.
    What is not processed before *cut* is not of the stretch any more.
    *late* are the processings of those heartbeats below *late_below* that are late, sorted.
    """

    first: float
    index: int
    interval: float
    heard: bool
    epoch: int
    count: int | None = None
    cut: float = math.inf
    late: list[float] = field(default_factory=list)
    late_below: int = 0

    def left_by(self, time: float, *, inclusive: bool) -> int:
        """How many left before *time*, or at *time* too if *inclusive*."""
        if self.count is not None:
            return self.count
        steps = steps_within(time - self.first, self.interval)
        if not inclusive and steps >= 0 and self.first + steps * self.interval == time:
            steps -= 1
        return max(steps + 1, 0)


def steps_within(span: float, interval: float) -> int:
    """The largest whole number k with k * interval <= span, exactly; negative if span < 0."""
    if math.isinf(span):
        return NEVER if span > 0 else -1
    k = math.floor(span / interval)
    while k * interval > span:
        k -= 1
    while (k + 1) * interval <= span:
        k += 1
    return k


class Noise(Protocol):
    """What becomes of one agent's heartbeats."""

    def arrival(self, number: int, emission: float) -> float | None:
        """When heartbeat *number*, sent at *emission*, is processed; None if it is lost."""

    def last(self, stretch: Stretch, now: float, cut: float) -> float:
        """The last processing, at most *now* and before *cut*."""

    def next(self, stretch: Stretch, last: float, now: float) -> float:
        """An instant after *now* before which nothing more is processed, *last* having been."""

    def settled(self, stretch: Stretch, now: float) -> bool:
        """Whether a closed stretch is over: nothing of it can be processed after *now*."""

    def spans(
        self, stretch: Stretch, count: int, limit: float, cut: float
    ) -> list[tuple[float, float]]:
        """Starts and ends of the times of being alive that the first *count* give."""

    def under_way(self, stretch: Stretch, count: int, now: float) -> list[float]:
        """The processings after *now* of the first *count*, which left by then."""

    def at_once(self, stretch: Stretch, now: float) -> bool:
        """Whether one that leaves an open stretch at *now* is processed as it leaves."""

    def next_late(self, stretch: Stretch, after: float) -> float:
        """When the first late heartbeat of an open stretch leaves, at *after* or later."""

    def heard_by(self, stretch: Stretch) -> float:
        """By when a heartbeat of an open stretch that is heard has been processed for certain."""


class ConstantDelay:
    """Every heartbeat is processed *delay* after it was sent."""

    def __init__(self, delay: float, limit: float) -> None:
        self.delay = delay
        self._limit = limit

    def arrival(self, number: int, emission: float) -> float | None:
        return emission + self.delay

    def last(self, stretch: Stretch, now: float, cut: float) -> float:
        begin = stretch.first + self.delay
        k = steps_within(now - begin, stretch.interval)
        if stretch.count is not None:
            k = min(k, stretch.count - 1)
        if cut <= now:
            k = min(k, self._before(begin, stretch, cut))
        return begin + k * stretch.interval if k >= 0 else -math.inf

    def next(self, stretch: Stretch, last: float, now: float) -> float:
        return max(last + stretch.interval, stretch.first + self.delay)

    def settled(self, stretch: Stretch, now: float) -> bool:
        assert stretch.count is not None
        return stretch.first + (stretch.count - 1) * stretch.interval + self.delay <= now

    def spans(
        self, stretch: Stretch, count: int, limit: float, cut: float
    ) -> list[tuple[float, float]]:
        begin = stretch.first + self.delay
        k = min(self._before(begin, stretch, cut), count - 1)
        if k < 0:
            return []
        if stretch.interval <= limit:
            return [(begin, begin + k * stretch.interval + limit)]
        starts = [begin + i * stretch.interval for i in range(k + 1)]
        return [(start, start + limit) for start in starts]

    def under_way(self, stretch: Stretch, count: int, now: float) -> list[float]:
        begin = stretch.first + self.delay
        first = max(steps_within(now - begin, stretch.interval) + 1, 0)
        return [begin + k * stretch.interval for k in range(first, count)]

    def heard_by(self, stretch: Stretch) -> float:
        return stretch.first + self.delay

    def at_once(self, stretch: Stretch, now: float) -> bool:
        return not self.delay

    def next_late(self, stretch: Stretch, after: float) -> float:
        return math.inf if stretch.interval <= self._limit else after

    def _before(self, begin: float, stretch: Stretch, cut: float) -> int:
        """The last that is processed before *cut*, however many there are; -1 for none."""
        k = steps_within(cut - begin, stretch.interval)
        if k >= 0 and begin + k * stretch.interval == cut:
            k -= 1
        return k


class RandomDelay:
    """Heartbeats with independent random delays, each lost with some chance.

    A heartbeat is *late* if it is lost or delayed by more than *slack*, limit - interval at most
    (and the interval, where it waits for its answer). Between two
    that are not late, with none between them, no gap over *limit* can open. So the late ones are
    found by geometric skips, and delays are drawn only for them and their neighbours; the delay
    of heartbeat k is drawn with index k, whoever asks. Where *each* delay will be asked for, they
    are drawn in blocks.
    """

    def __init__(
        self,
        delay: Distribution | None,
        loss: float,
        *,
        slack: float,
        each: bool,
        streams: Streams,
        entity: int,
    ) -> None:
        self._delay = delay or Deterministic(0.0)
        self._slack = slack
        self._late_share = loss + (1 - loss) * (1 - self._delay.cdf(self._slack))
        self._lost_of_late = loss / self._late_share if self._late_share else 0.0
        self._streams = streams
        self._entity = entity
        self._skips = Stream(streams, entity, HEARTBEAT_LATE)
        self._late: list[int] = []
        self._known = 0  # lateness is known for all numbers below
        self._block = -1
        self._uniforms: list[float] = []
        self._each = each
        self._delays: list[float] = []  # those of a block; not a number for the lost ones

    def arrival(self, number: int, emission: float) -> float | None:
        delay = self._one_of_each(number) if self._each else self._delay_of(number)
        return None if delay is None else emission + delay

    def delays(self, first: int, count: int) -> Floats:
        """The delays of *count* heartbeats from number *first* on; not a number for those lost."""
        uniforms = self._streams.uniforms(self._entity, HEARTBEAT_DELAY, first, count)
        delays = np.empty(count)
        late = np.array(self._late_between(first, first + count), dtype=np.int64) - first
        soon = np.ones(count, dtype=bool)
        soon[late] = False
        delays[soon] = times_between(self._delay, uniforms[soon], -1.0, self._slack)
        for place in late.tolist():
            delay = self._late_delay(float(uniforms[place]))
            delays[place] = math.nan if delay is None else delay
        return delays

    def _one_of_each(self, number: int) -> float | None:
        block, offset = divmod(number, MANY)
        if block != self._block:
            self._block, self._delays = block, self.delays(block * MANY, MANY).tolist()
        delay = self._delays[offset]
        return None if math.isnan(delay) else delay

    def last(self, stretch: Stretch, now: float, cut: float) -> float:
        count = stretch.left_by(now, inclusive=True)
        late = self._late_times(stretch, count)
        k = min(bisect_right(late, now), bisect_left(late, cut))
        best = late[k - 1] if k else -math.inf
        for i in range(count - 1, -1, -1):
            if stretch.first + i * stretch.interval + max(self._slack, 0.0) <= best:
                break
            best = max(best, self._processed(stretch, stretch.index + i, now, cut))
        return best

    def next(self, stretch: Stretch, last: float, now: float) -> float:
        return now + TICK

    def settled(self, stretch: Stretch, now: float) -> bool:
        assert stretch.count is not None
        late = self._late_times(stretch, stretch.count)
        last = stretch.first + (stretch.count - 1) * stretch.interval + max(self._slack, 0.0)
        return last <= now and not (late and late[-1] > now)

    def _late_times(self, stretch: Stretch, count: int) -> list[float]:
        """The processings of the late ones among the first *count*, sorted."""
        stop = stretch.index + count
        begin = max(stretch.late_below, stretch.index)
        for number in self._late_between(begin, stop):
            time = self._processed(stretch, number, math.inf, math.inf)
            if time > -math.inf:
                insort(stretch.late, time)
        stretch.late_below = max(stop, begin)
        return stretch.late

    def spans(
        self, stretch: Stretch, count: int, limit: float, cut: float
    ) -> list[tuple[float, float]]:
        found: list[tuple[float, float]] = []
        begin, stop = stretch.index, stretch.index + count
        for late in self._late_between(begin, stop):
            found += self._run(stretch, range(begin, late), limit, cut)
            time = self._processed(stretch, late, math.inf, cut)
            if time > -math.inf:
                found.append((time, time + limit))
            begin = late + 1
        return found + self._run(stretch, range(begin, stop), limit, cut)

    def _run(
        self, stretch: Stretch, run: range, limit: float, cut: float
    ) -> list[tuple[float, float]]:
        """The span of being alive that a *run* of heartbeats gives of which none is late.

        One that leaves after another has been processed cannot be processed before it, nor one
        after it whose latest time has passed.
        """
        first, last = math.inf, -math.inf
        for number in run:
            emission = self._emission(stretch, number)
            if emission >= min(first, cut):
                break
            time = emission + self._on_time(self._uniform(number))
            first = min(first, time) if time < cut else first
        for number in reversed(run):
            emission = self._emission(stretch, number)
            if emission + self._slack <= last:
                break
            time = emission + self._on_time(self._uniform(number))
            last = max(last, time) if time < cut else last
        return [(first, last + limit)] if last >= first else []

    def under_way(self, stretch: Stretch, count: int, now: float) -> list[float]:
        numbers = set(self._late_between(stretch.index, stretch.index + count))
        for i in range(count - 1, -1, -1):
            if stretch.first + i * stretch.interval + max(self._slack, 0.0) <= now:
                break
            numbers.add(stretch.index + i)
        times = [self._processed(stretch, number, math.inf, math.inf) for number in numbers]
        return sorted(time for time in times if time > now)

    def heard_by(self, stretch: Stretch) -> float:
        late = self._late_between(stretch.index, stretch.index + 1)
        return math.inf if late else stretch.first + max(self._slack, 0.0)

    def at_once(self, stretch: Stretch, now: float) -> bool:
        number = stretch.index + stretch.left_by(now, inclusive=True) - 1
        leaves = number >= stretch.index and self._emission(stretch, number) == now
        return leaves and self._processed(stretch, number, now, math.inf) == now

    def next_late(self, stretch: Stretch, after: float) -> float:
        first = stretch.index + max(0, steps_within(after - stretch.first, stretch.interval))
        if self._late_share <= 0:
            return math.inf
        while True:
            place = bisect_left(self._late, first)
            if place < len(self._late):
                emission = self._emission(stretch, self._late[place])
                if emission >= after:
                    return emission
                first = self._late[place] + 1
            else:
                self._learn(self._known + 1)

    def _emission(self, stretch: Stretch, number: int) -> float:
        return stretch.first + (number - stretch.index) * stretch.interval

    def _processed(self, stretch: Stretch, number: int, now: float, cut: float) -> float:
        """When heartbeat *number* of *stretch* is processed; minus infinity for not at all."""
        time = self.arrival(number, self._emission(stretch, number))
        return time if time is not None and time < cut and time <= now else -math.inf

    def _late_between(self, begin: int, stop: int) -> list[int]:
        self._learn(stop)
        return self._late[bisect_left(self._late, begin) : bisect_left(self._late, stop)]

    def _learn(self, stop: int) -> None:
        """Find all late heartbeats with numbers below *stop*."""
        while self._known < stop:
            late = self._known + self._skip()
            self._late.append(late)
            self._known = late + 1

    def _skip(self) -> int:
        """How many heartbeats that are not late come before the next late one: geometric."""
        if self._late_share <= 0:
            return NEVER
        u = self._skips.uniform()
        if self._late_share >= 1:
            return 0
        return int(min(math.log(u) / math.log1p(-self._late_share), NEVER))

    def _delay_of(self, number: int) -> float | None:
        u = self._uniform(number)
        self._learn(number + 1)
        place = bisect_left(self._late, number)
        if place == len(self._late) or self._late[place] != number:
            return self._on_time(u)
        return self._late_delay(u)

    def _late_delay(self, u: float) -> float | None:
        """The delay at probability *u* of a late heartbeat; None if it is lost."""
        if u < self._lost_of_late:
            return None
        rest = (u - self._lost_of_late) / (1 - self._lost_of_late)
        low = max(self._slack, -1.0)
        return quantize(self._delay.between(rest, low, math.inf))

    def _on_time(self, u: float) -> float:
        """The delay at probability *u* of a heartbeat that is not late."""
        return quantize(self._delay.between(u, -1.0, self._slack))

    def _uniform(self, number: int) -> float:
        block, offset = divmod(number, BLOCK)
        if block != self._block:
            first = block * BLOCK
            self._uniforms = self._streams.few(self._entity, HEARTBEAT_DELAY, first, BLOCK)
            self._block = block
        return self._uniforms[offset]


def is_constant(delay: Distribution | None, loss: float) -> bool:
    """Whether all heartbeats fare alike."""
    return not loss and (delay is None or isinstance(delay, Deterministic))


def make_noise(
    delay: Distribution | None, loss: float, *, interval: float, limit: float, calls: bool,
    each: bool, streams: Streams, entity: int,
) -> Noise:  # fmt: skip
    """The noise of one agent's heartbeats; *calls*: they wait for their answers.

    *each*: every delay will be asked for.
    """
    if is_constant(delay, loss):
        return ConstantDelay(delay.value if isinstance(delay, Deterministic) else 0.0, limit)
    slack = min(limit - interval, interval) if calls else limit - interval
    return RandomDelay(delay, loss, slack=slack, each=each, streams=streams, entity=entity)
