"""VMs that come and go: how many a network has, and what a change does to those it had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.analysis.cohorts import Cohorts
from simulator.analysis.course import Course
from simulator.analysis.intervals import Rows, concatenate, join, order_of, placed
from simulator.analysis.pieces import Pieces, pieces_of
from simulator.analysis.service import History
from simulator.trace import Floats, Ints, Kind, Sort, Trace


@dataclass(frozen=True)
class Changes:
    """Changes of networks' numbers of VMs, by network and time: *by* how many each.

    *before* is how many the network had; *share* of them stay, whoever comes. *vms* is
    how many each network has at its creation.
    """

    network: Ints
    time: Floats
    by: Floats
    before: Floats
    share: Floats
    vms: Floats

    @classmethod
    def of(cls, trace: Trace) -> Changes:
        """All of a trace."""
        events, vms = trace.of(Kind.VMS), trace.objects.vms
        order = order_of(events.object)
        network, time, by = events.object[order], events.time[order], events.value[order]
        sums = np.cumsum(by) - by
        before = vms[network] + sums - sums[np.searchsorted(network, network)]
        left = np.maximum((before + by) / np.where(before > 0, before, 1.0), 0.0)
        share = np.where(by >= 0, 1.0, np.where(before > 0, left, 0.0))
        return cls(network, time, by, before, share, vms)

    def since(self, network: Ints, time: Floats) -> Ints:
        """The place of the first change of each network at its time or later, if there is one."""
        return placed(network, time, self.network, self.time)

    def count(self, network: Ints, time: Floats) -> Floats:
        """How many VMs each network has just before its time."""
        place, low = self.since(network, time), np.searchsorted(self.network, network)
        sums = np.append(0.0, np.cumsum(self.by))
        found: Floats = self.vms[network] + sums[place] - sums[low]
        return found


@dataclass(frozen=True)
class Population:
    """How many VMs each network has: *count* in [start, end)."""

    network: Ints
    start: Floats
    end: Floats
    count: Floats


def population(history: History, changes: Changes) -> Population:
    """Each network's number of VMs over its life, clipped to the window."""
    objects, context = history.trace.objects, history.context
    networks = np.flatnonzero(objects.sort == Sort.NETWORK)
    network = np.concatenate([networks, changes.network])
    start = np.concatenate([history.born[networks], changes.time])
    count = np.concatenate([objects.vms[networks], changes.before + changes.by])
    order = order_of(network)
    network, start, count = network[order], start[order], count[order]
    end = np.minimum(history.dead, history.horizon)[network]
    same = network[1:] == network[:-1]
    end[:-1][same] = start[1:][same]
    start, end = np.maximum(start, context.begin), np.minimum(end, context.end)
    kept = (end > start) & (count > 0)
    return Population(network[kept], start[kept], end[kept], count[kept])


class Turnover:
    """The changes in the steps of a course: those that go do so in proportion, whoever they are.

    *units* says which of them have any.
    """

    def __init__(self, course: Course, network: Ints, changes: Changes) -> None:
        """*network* of each unit of the course."""
        self._course, self._changes = course, changes
        step = np.repeat(np.arange(course.steps), np.diff(course.offset))
        unit = np.arange(step.size) - course.offset[step]
        name = network[unit]
        first, stop = changes.since(name, course.begin), changes.since(name, course.until)
        changed = stop > first
        self._stay = np.ones(step.size)
        self._steps = set(step[changed].tolist())
        self.units = np.zeros(course.unit.size, dtype=bool)
        self.units[unit[changed]] = True
        self._came: list[tuple[int, int, float, float]] = []
        self._late: list[tuple[int, float, float, float]] = []
        self._shares: list[tuple[int, float, float, float]] = []
        quiet = np.flatnonzero(~changed & self.units[unit])
        self._whole = Rows(unit[quiet], quiet, course.begin[quiet], course.until[quiet])
        columns = (step, unit, np.arange(step.size), first, stop)
        for row in zip(*(column[changed].tolist() for column in columns), strict=True):
            self._read(*row)
        came = np.array(sorted(self._came), dtype=float).reshape(-1, 4)
        self._come_at = np.searchsorted(came[:, 0], np.arange(course.steps + 1))
        comer = came[:, 1].astype(np.int64)
        self._comers = Cohorts.at(comer, np.zeros_like(comer), came[:, 2], came[:, 3])

    def _read(self, step: int, unit: int, row: int, first: int, stop: int) -> None:
        changes = self._changes
        columns = (changes.time, changes.by, changes.share)
        mine = list(zip(*(column[first:stop].tolist() for column in columns), strict=True))
        self._read_step(unit, row, mine)
        later = 1.0
        for time, by, share in reversed(mine):
            if by > 0 and later > 0:
                self._came.append((step, unit, time, by * later))
            later *= share

    def _read_step(self, unit: int, row: int, changes: list[tuple[float, float, float]]) -> None:
        """What is left of those there at the begin, and of those that came since, unserved."""
        course = self._course
        served, end = bool(course.served[row]), float(course.until[row])
        since, left, late = float(course.begin[row]), 1.0, 0.0
        for time, by, share in [*changes, (end, 0.0, 1.0)]:
            if time > since:
                self._shares.append((unit, since, time, left))
                if late and not served:
                    self._late.append((unit, since, time, late))
            since, left, late = time, left * share, late * share + max(by, 0.0)
        self._stay[row] = left

    def stay(self, step: int) -> Floats | None:
        """The share that stays of those there at the begin of a step, by unit; None for all."""
        return self._stay[self._course.rows(step)] if step in self._steps else None

    def came(self, step: int) -> Cohorts:
        """Those that came during a step and are there at its end, renewed when they came."""
        return self._comers.take(np.arange(self._come_at[step], self._come_at[step + 1]))

    def thinned(self, pieces: Pieces) -> Pieces:
        """*pieces* of units with changes, each inside a step and as if nobody went: less who did.

        Here and in `late` *network* is the number of the unit.
        """
        unit, start, end, left = _columns(self._shares)
        share = np.append(np.ones(self._whole.owner.size), left)
        rows = concatenate([self._whole, Rows(unit, unit, start, end)])
        rows = Rows(rows.owner, np.arange(share.size), rows.start, rows.end).ordered()
        which, parts = join(pieces.network, pieces.start, pieces.end, rows)
        share, slope = share[parts.node], pieces.slope[which]
        level = pieces.level[which] + slope * (parts.start - pieces.start[which])
        return pieces_of([(parts.owner, parts.start, parts.end, level * share, slope * share)])

    def late(self) -> Pieces:
        """Those who came while nothing served, until the next step begins."""
        unit, start, end, level = _columns(self._late)
        return pieces_of([(unit, start, end, level, np.zeros(level.size))])


def _columns(rows: list[tuple[int, float, float, float]]) -> tuple[Ints, Floats, Floats, Floats]:
    """Units, and three columns of numbers."""
    table = np.array(rows, dtype=float).reshape(-1, 4)
    return table[:, 0].astype(np.int64), table[:, 1], table[:, 2], table[:, 3]
