"""When DHCP servers come and go, for many networks side by side, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.analysis.intervals import Lives, Rows
from simulator.trace import Bools, Floats, Ints


@dataclass(frozen=True)
class Course:
    """Each unit's life cut where any of its servers starts or stops.

    A *unit* is a network, or part of the life of one. Units are numbered anew, those with most
    steps first: *unit*[i] is what the i-th was called. So step k is of the units 0 to size[k] - 1,
    and their *begin* and *until* lie together in the flat columns, from *offset*[k] on. So do the
    flips, *server*[i] of unit *flipped*[i] coming *up* or not at the begin of a step, from
    *flip_offset*[k] on.
    """

    unit: Ints
    servers: int
    offset: Ints
    begin: Floats
    until: Floats
    served: Bools
    flip_offset: Ints
    flipped: Ints
    server: Ints
    up: Bools

    @property
    def steps(self) -> int:
        """Steps of the unit that has most."""
        return self.offset.size - 1

    def rows(self, step: int) -> slice:
        """Where *step* lies in *begin*, *until* and *served*: units 0, 1, 2, …"""
        return slice(int(self.offset[step]), int(self.offset[step + 1]))

    def rows_of(self, unit: int) -> Ints:
        """Where the steps of one unit lie in *begin*, *until* and *served*."""
        found: Ints = self.offset[:-1][np.diff(self.offset) > unit] + unit
        return found

    def flips(self, step: int) -> slice:
        """Where the flips at the begin of *step* lie."""
        return slice(int(self.flip_offset[step]), int(self.flip_offset[step + 1]))


def course(lives: Lives, serving: Rows) -> Course:
    """The course of units that live for *lives*.

    *serving* has the unit as owner; rows of one unit and node must be disjoint and not touch.
    """
    units = lives.start.size
    unit, time, by, server = _events(lives, serving)
    first = np.append(True, (unit[1:] != unit[:-1]) | (time[1:] > time[:-1]))[: unit.size]
    row = np.cumsum(first) - 1
    begin, owner = time[first], unit[first]
    start = np.searchsorted(owner, np.arange(units + 1))
    step = np.arange(owner.size) - start[owner]
    names = np.argsort(-np.diff(start), kind="stable")
    rank = np.empty(units, dtype=np.int64)
    rank[names] = np.arange(units)

    until = np.append(begin[1:], np.inf)[: begin.size]
    until[start[1:] - 1] = lives.end
    level = np.append(0.0, np.cumsum(np.bincount(row, weights=by, minlength=owner.size)))
    served = level[1:] - level[start[:-1]][owner] > 0
    side = np.lexsort((rank[owner], step))
    flip = np.flatnonzero(by)
    flip = flip[np.argsort(step[row[flip]], kind="stable")]
    edges = np.arange(int(step.max(initial=-1)) + 2)
    return Course(
        unit=names, servers=int(server.max(initial=0)) + 1,
        offset=np.searchsorted(step[side], edges),
        begin=begin[side], until=until[side], served=served[side],
        flip_offset=np.searchsorted(step[row[flip]], edges),
        flipped=rank[unit[flip]], server=server[flip], up=by[flip] > 0,
    )  # fmt: skip


def _events(lives: Lives, serving: Rows) -> tuple[Ints, Floats, Ints, Ints]:
    """Unit, time, change and server of births (a change of 0), starts and stops, in order."""
    units, rows = lives.start.size, serving.owner.size
    number = _numbers(serving)
    unit = np.concatenate([np.arange(units), serving.owner, serving.owner])
    time = np.concatenate([lives.start, serving.start, serving.end])
    by = np.repeat([0, 1, -1], [units, rows, rows])
    server = np.concatenate([np.zeros(units, dtype=np.int64), number, number])
    order = np.lexsort((time, unit))
    order = order[time[order] < lives.end[unit[order]]]
    return unit[order], time[order], by[order], server[order]


def _numbers(serving: Rows) -> Ints:
    """The number of each row's server among those of its unit."""
    nodes = int(serving.node.max(initial=0)) + 1
    pairs, which = np.unique(serving.owner * nodes + serving.node, return_inverse=True)
    owner = pairs // nodes
    number: Ints = (np.arange(pairs.size) - np.searchsorted(owner, owner))[which]
    return number
