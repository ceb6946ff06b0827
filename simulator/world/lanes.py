"""The workers of an agent or a server: who is free when, and when each piece of work is done."""

from __future__ import annotations

import math
from collections.abc import Iterable
from heapq import heapify, heapreplace
from itertools import accumulate

import numpy as np

from simulator.trace import Floats

IDLE = -math.inf


def departures(free: float, arrivals: Floats, costs: Floats) -> Floats:
    """When one worker, free from *free* on, is done with each of *arrivals*, in order.

    The recursion d(k) = max(a(k), d(k - 1)) + c(k) of Lindley (1952), all at once: what comes
    before k takes S(k - 1), so d(k) = S(k) + the largest a(j) - S(j - 1) of all j up to k. On the
    clock's grid sums are exact, and so is this.
    """
    begun = arrivals.copy()
    begun[0] = max(free, begun[0])
    spent = np.cumsum(costs)
    done: Floats = spent + np.maximum.accumulate(begun - (spent - costs))
    return done


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

    def assign_each(self, costs: Floats, arrivals: Floats, *, workers: int) -> Floats:
        """When pieces of work that come at *arrivals*, in order, are done: each as by `assign`."""
        if workers == len(self._free) == 1:
            done = departures(self._free[0], arrivals, costs)
            self._free = [float(done[-1])]
            return done
        times = [
            self.assign([cost], begin, workers=workers, now=begin)[0]
            for cost, begin in zip(costs.tolist(), arrivals.tolist(), strict=True)
        ]
        return np.array(times)

    def copy(self) -> Lanes:
        """The same workers, to see what would become of them."""
        twin = Lanes(IDLE)
        twin._free = list(self._free)
        return twin

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
