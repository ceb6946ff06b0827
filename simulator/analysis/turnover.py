"""VMs that come and go: how many a network has, and what a change does to those it had."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from simulator.analysis.cohorts import Cohorts
from simulator.analysis.course import Course
from simulator.analysis.intervals import Rows, join
from simulator.analysis.pieces import Pieces, pieces_of
from simulator.analysis.service import History
from simulator.trace import Floats, Ints, Kind, Sort, Trace

Changes: TypeAlias = dict[int, list[tuple[float, float]]]
"""Of each network whose number of VMs changes: when, and by how many, in order."""


def changes_of(trace: Trace) -> Changes:
    """The changes of a trace."""
    events = trace.of(Kind.VMS)
    changes: Changes = defaultdict(list)
    for time, network, by in zip(
        events.time.tolist(), events.object.tolist(), events.value.tolist(), strict=True
    ):
        changes[network].append((time, by))
    return dict(changes)


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
    networks = np.flatnonzero(objects.sort == Sort.NETWORK).tolist()
    plain = np.array([n for n in networks if n not in changes], dtype=np.int64)
    dead = np.minimum(history.dead, history.horizon)
    rows = [
        (network, begin, end, count)
        for network, mine in changes.items()
        for begin, end, count in _steps(history, network, mine)
    ]
    table = np.array(rows, dtype=float).reshape(-1, 4)
    network = np.concatenate([plain, table[:, 0].astype(np.int64)])
    start = np.concatenate([history.born[plain], table[:, 1]])
    end = np.concatenate([dead[plain], table[:, 2]])
    count = np.concatenate([objects.vms[plain], table[:, 3]])
    start, end = np.maximum(start, context.begin), np.minimum(end, context.end)
    kept = (end > start) & (count > 0)
    return Population(network[kept], start[kept], end[kept], count[kept])


def _steps(
    history: History, network: int, changes: list[tuple[float, float]]
) -> Iterator[tuple[float, float, float]]:
    begin = float(history.born[network])
    count = float(history.trace.objects.vms[network])
    end = min(float(history.dead[network]), history.horizon)
    for time, by in changes:
        yield begin, time, count
        begin, count = time, count + by
    yield begin, end, count


class Turnover:
    """The changes in the steps of a course: those that go do so in proportion, whoever they are."""

    def __init__(self, course: Course, network: Ints, vms: Floats, changes: Changes) -> None:
        """*network* and *vms* of each unit of the course; a unit with changes is a whole life."""
        self._course = course
        self._stay = np.ones(course.begin.size)
        self._came: list[tuple[int, int, float, float]] = []
        self._late: list[tuple[int, float, float, float]] = []
        self._shares: list[tuple[int, float, float, float]] = []
        self._any = False
        for unit, name in enumerate(network.tolist()):
            if name in changes:
                self._any = True
                self._read(unit, name, _with_shares(float(vms[unit]), changes[name]))
        came = np.array(sorted(self._came), dtype=float).reshape(-1, 4)
        self._come_at = np.searchsorted(came[:, 0], np.arange(course.steps + 1))
        comer = came[:, 1].astype(np.int64)
        self._comers = Cohorts.at(comer, np.zeros_like(comer), came[:, 2], came[:, 3])

    def _read(self, unit: int, network: int, changes: list[tuple[float, float, float]]) -> None:
        rows = self._course.rows_of(unit)
        begin, until = self._course.begin[rows], self._course.until[rows]
        times = np.array([time for time, _, _ in changes])
        edges = np.searchsorted(times, np.append(begin, until[-1])).tolist()
        for step, row in enumerate(rows.tolist()):
            mine = changes[edges[step] : edges[step + 1]]
            span = float(begin[step]), float(until[step])
            self._read_step(network, row, span, mine)
            later = 1.0
            for time, by, share in reversed(mine):
                if by > 0 and later > 0:
                    self._came.append((step, unit, time, by * later))
                later *= share

    def _read_step(
        self,
        network: int,
        row: int,
        span: tuple[float, float],
        changes: list[tuple[float, float, float]],
    ) -> None:
        """What is left of those there at the begin, and of those that came since, unserved."""
        served = bool(self._course.served[row])
        since, left, late = span[0], 1.0, 0.0
        for time, by, share in [*changes, (span[1], 0.0, 1.0)]:
            if time > since:
                self._shares.append((network, since, time, left))
                if late and not served:
                    self._late.append((network, since, time, late))
            since, left, late = time, left * share, late * share + max(by, 0.0)
        self._stay[row] = left

    def stay(self, step: int) -> Floats | None:
        """The share that stays of those there at the begin of a step, by unit; None for all."""
        return self._stay[self._course.rows(step)] if self._any else None

    def came(self, step: int) -> Cohorts:
        """Those that came during a step and are there at its end, renewed when they came."""
        return self._comers.take(np.arange(self._come_at[step], self._come_at[step + 1]))

    def thinned(self, pieces: Pieces) -> Pieces:
        """*pieces*, each inside a step and as if nobody went in it, less those who did."""
        size = int(pieces.network.max(initial=-1)) + 1
        table = np.array(self._shares, dtype=float).reshape(-1, 4)
        network = table[:, 0].astype(np.int64)
        order = np.lexsort((table[:, 1], network))
        order = order[network[order] < size]
        rows = Rows(network[order], order, table[order, 1], table[order, 2])
        which, parts = join(pieces.network, pieces.start, pieces.end, rows, size)
        share = table[parts.node, 3]
        slope = pieces.slope[which]
        level = pieces.level[which] + slope * (parts.start - pieces.start[which])
        return pieces_of([(parts.owner, parts.start, parts.end, level * share, slope * share)])

    def late(self) -> Pieces:
        """Those who came while nothing served, until the next step begins."""
        table = np.array(self._late, dtype=float).reshape(-1, 4)
        network = table[:, 0].astype(np.int64)
        level = table[:, 3]
        return pieces_of([(network, table[:, 1], table[:, 2], level, np.zeros(level.size))])


def _with_shares(
    vms: float, changes: list[tuple[float, float]]
) -> list[tuple[float, float, float]]:
    """Each change with the share of those there before that stay."""
    found = []
    for time, by in changes:
        left = 1.0 if by >= 0 else max((vms + by) / vms, 0.0) if vms > 0 else 0.0
        found.append((time, by, left))
        vms += by
    return found
