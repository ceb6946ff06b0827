"""The node that carries most, through time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.analysis.intervals import Rows, Spans
from simulator.trace import Floats, Ints

CELLS = 4_000_000
"""How many (stretch, node) cells are held in memory at once."""
RESIDUE = 1e-9
"""Sums below this share of the heaviest row are what rounding left of zero."""


@dataclass(frozen=True)
class Largest:
    """Stretches of time: their length, the largest node's weight, all nodes', and nodes up."""

    length: Floats
    value: Floats
    total: Floats
    up: Floats


def largest(
    rows: Rows, weight: Floats, nodes: int, place: Ints, failed: Sequence[Spans] = ()
) -> Largest:
    """The largest node's weight from the first of *rows* to the end of the last.

    *place* is each row's node, from 0 to nodes - 1; *failed* is when each node was.
    """
    if not rows.owner.size:
        nothing = np.empty(0)
        return Largest(nothing, nothing, nothing, nothing)
    low, high = rows.start.min(), rows.end.max()
    down = [np.concatenate([np.empty(0), *ends]) for ends in zip(*failed, strict=True)]
    lost, back = (np.clip(times, low, high) for times in down or (np.empty(0), np.empty(0)))
    edges = np.unique(np.concatenate([rows.start, rows.end, lost, back]))
    gone = np.zeros(edges.size)
    np.add.at(gone, np.searchsorted(edges, lost), 1.0)
    np.add.at(gone, np.searchsorted(edges, back), -1.0)
    value, total = _levels(edges, rows, weight, nodes, place)
    return Largest(np.diff(edges), value, total, nodes - np.cumsum(gone)[:-1])


def _levels(
    edges: Floats, rows: Rows, weight: Floats, nodes: int, place: Ints
) -> tuple[Floats, Floats]:
    """The largest and the sum of the nodes' weights in each stretch, a chunk at a time."""
    at = np.searchsorted(edges, np.concatenate([rows.start, rows.end]))
    order = np.argsort(at, kind="stable")
    at = at[order]
    node, change = np.tile(place, 2)[order], np.concatenate([weight, -weight])[order]
    value, total = np.empty(edges.size - 1), np.empty(edges.size - 1)
    held = np.zeros(nodes)
    for first in range(0, edges.size - 1, max(CELLS // nodes, 1)):
        stop = min(first + max(CELLS // nodes, 1), edges.size - 1)
        mine = slice(*np.searchsorted(at, [first, stop]))
        levels = np.zeros((stop - first, nodes))
        np.add.at(levels, (at[mine] - first, node[mine]), change[mine])
        levels[0] += held
        np.cumsum(levels, axis=0, out=levels)
        held = levels[-1].copy()
        value[first:stop], total[first:stop] = levels.max(axis=1), levels.sum(axis=1)
    floor = RESIDUE * weight.max()
    return np.where(value > floor, value, 0.0), np.where(total > floor, total, 0.0)
