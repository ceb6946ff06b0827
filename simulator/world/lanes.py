"""The workers of an agent or a server: who is free when, and when each piece of work is done."""

from __future__ import annotations

import math
from collections.abc import Iterable
from heapq import heapify, heapreplace
from itertools import accumulate

IDLE = -math.inf


class Lanes:
    """When each worker is free, s; their number may change from one piece of work to the next."""

    def __init__(self, free: float) -> None:
        self._free = [free]

    @property
    def busy_until(self) -> float:
        """When all work is done."""
        return max(self._free)

    def free_at(self, now: float, workers: float) -> float:
        """When one of *workers* is free, *now* or later."""
        if len(self._free) < workers:
            return now
        return max(min(self._free), now)

    def assign(
        self, costs: Iterable[float], begin: float, *, workers: float, now: float
    ) -> list[float]:
        """When each of some pieces of work is done, from *begin* on.

        Each is taken, in order, by the first of *workers* that is free; an unbounded number of them
        takes all at once.
        """
        if math.isinf(workers):
            times = [begin + cost for cost in costs]
            self._free = [max(self.busy_until, *times)]
            return times
        lanes = self._resized(int(workers), now)
        if len(lanes) == 1:
            _, *times = accumulate(costs, initial=max(lanes[0], begin))
            self._free = times[-1:] or lanes
            return times
        heapify(lanes)
        times = []
        for cost in costs:
            times.append(max(lanes[0], begin) + cost)
            heapreplace(lanes, times[-1])
        self._free = lanes
        return times

    def _resized(self, workers: int, now: float) -> list[float]:
        """The workers, new ones idle; of too many, those that are idle go."""
        lanes = sorted(self._free)
        missing = workers - len(lanes)
        if missing >= 0:
            return [IDLE] * missing + lanes
        idle = sum(lane <= now for lane in lanes)
        return lanes[min(-missing, idle, len(lanes) - 1) :]

    def stop(self, now: float) -> None:
        """All work ends now."""
        self._free = [min(lane, now) for lane in self._free]
