"""Intervals of time as arrays: half open, [start, end).

A `Spans` is a pair of arrays (starts, ends), sorted and disjoint. A `Rows` is a table of
intervals, each of one owner (an object, a tenant) at one node; they may overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.trace import Bools, Floats, Ints


class Spans(NamedTuple):
    """Sorted, disjoint, non-empty intervals."""

    starts: Floats
    ends: Floats

    @property
    def length(self) -> float:
        """Their total length, s."""
        return float(np.sum(self.ends - self.starts))


NOTHING = Spans(np.empty(0), np.empty(0))


def union(starts: Floats, ends: Floats) -> Spans:
    """The union of intervals in any order; those that touch are one."""
    filled = ends > starts
    starts, ends = starts[filled], ends[filled]
    if not starts.size:
        return NOTHING
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate(ends[order])
    fresh = np.empty(starts.size, dtype=bool)
    fresh[0] = True
    np.greater(starts[1:], ends[:-1], out=fresh[1:])
    last = np.append(fresh[1:], True)
    return Spans(starts[fresh], ends[last])


def union_of(lists: Iterable[Iterable[tuple[float, float]]]) -> Spans:
    """The union of a few lists of (start, end)."""
    pairs = [pair for one in lists for pair in one]
    if not pairs:
        return NOTHING
    table = np.array(pairs, dtype=float)
    return union(table[:, 0], table[:, 1])


def complement(spans: Spans, begin: float, end: float) -> Spans:
    """What of [begin, end) the spans leave out."""
    starts = np.concatenate([[begin], spans.ends])
    ends = np.concatenate([spans.starts, [end]])
    starts, ends = np.maximum(starts, begin), np.minimum(ends, end)
    filled = ends > starts
    return Spans(starts[filled], ends[filled])


def clip(spans: Spans, begin: float, end: float) -> Spans:
    """The part of the spans inside [begin, end)."""
    starts, ends = np.maximum(spans.starts, begin), np.minimum(spans.ends, end)
    filled = ends > starts
    return Spans(starts[filled], ends[filled])


def intersect(a: Spans, b: Spans) -> Spans:
    """What both cover."""
    _, starts, ends = overlaps(a.starts, a.ends, b)
    return Spans(starts, ends)


def overlaps(starts: Floats, ends: Floats, spans: Spans) -> tuple[Ints, Floats, Floats]:
    """The pieces of each interval that *spans* cover: whose piece it is, starts and ends."""
    first = np.searchsorted(spans.ends, starts, side="right")
    stop = np.searchsorted(spans.starts, ends, side="left")
    count = np.maximum(stop - first, 0)
    which = np.repeat(np.arange(starts.size), count)
    offset = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    piece = first[which] + offset
    return (
        which,
        np.maximum(starts[which], spans.starts[piece]),
        np.minimum(ends[which], spans.ends[piece]),
    )


@dataclass(frozen=True)
class Rows:
    """Intervals, each of an *owner* at a *node* (a row of `trace.Nodes`)."""

    owner: Ints
    node: Ints
    start: Floats
    end: Floats

    @property
    def length(self) -> Floats:
        """Seconds of each row."""
        return self.end - self.start

    def take(self, which: Ints | Bools) -> Rows:
        """Some of the rows."""
        return Rows(self.owner[which], self.node[which], self.start[which], self.end[which])

    def clipped(self, begin: float, end: float) -> Rows:
        """The part of each row inside [begin, end); empty ones are dropped."""
        start, stop = np.maximum(self.start, begin), np.minimum(self.end, end)
        rows = Rows(self.owner, self.node, start, stop)
        return rows.take(stop > start)

    def total(self, owners: int) -> Floats:
        """Seconds of each owner, rows added up."""
        total = np.bincount(self.owner, weights=self.length, minlength=owners)
        return total.astype(np.float64, copy=False)  # bincount of nothing gives integers

    def merged(self) -> Rows:
        """Each owner's rows as a union, in order; *node* is that of the row that begins it."""
        order = np.lexsort((self.start, self.owner))
        rows = self.take(order)
        if not rows.owner.size:
            return rows
        fresh = _fresh(rows)
        if fresh.all():
            return rows
        group = np.cumsum(fresh) - 1
        ends = np.full(int(group[-1]) + 1, -np.inf)
        np.maximum.at(ends, group, rows.end)
        return Rows(rows.owner[fresh], rows.node[fresh], rows.start[fresh], ends)


def _fresh(rows: Rows) -> Bools:
    """Of rows sorted by owner and start: which do not touch what went before of their owner."""
    ends = rows.end
    change = np.empty(ends.size, dtype=bool)
    change[0] = True
    np.not_equal(rows.owner[1:], rows.owner[:-1], out=change[1:])
    touching = ~change
    touching[1:] &= rows.start[1:] <= ends[:-1]
    if _monotone(ends, change):
        return ~touching
    fresh = np.empty(ends.size, dtype=bool)  # a long row may cover several later ones
    reach, owner = -np.inf, -1
    for i, (who, start, end) in enumerate(zip(rows.owner, rows.start, ends, strict=True)):
        if who != owner:
            reach, owner = -np.inf, who
        fresh[i] = start > reach
        reach = max(reach, end)
    return fresh


def _monotone(ends: Floats, change: Bools) -> bool:
    """Whether ends never fall within one owner."""
    return bool(np.all((ends[1:] >= ends[:-1]) | change[1:]))


@dataclass(frozen=True)
class Lives:
    """When each owner exists, [start, end), inside the window; *end* <= *start* if it does not."""

    start: Floats
    end: Floats

    @property
    def length(self) -> Floats:
        """Seconds of each life."""
        return np.maximum(self.end - self.start, 0.0)


def gaps(serving: Rows, lives: Lives) -> Rows:
    """The maximal times in which an owner lives and does not serve.

    *serving* must be merged and inside the lives. The node of a gap is that of the row before it,
    -1 for none.
    """
    owner = serving.owner
    begin = np.empty(owner.size)
    node = np.empty(owner.size, dtype=np.int64)
    first = np.empty(owner.size, dtype=bool)
    if owner.size:
        first[0] = True
        np.not_equal(owner[1:], owner[:-1], out=first[1:])
        begin[1:], node[1:] = serving.end[:-1], serving.node[:-1]
        begin[first], node[first] = lives.start[owner[first]], -1
    last = np.append(first[1:], True) if owner.size else first
    silent = np.flatnonzero(np.bincount(owner, minlength=lives.start.size) == 0)
    parts = (
        Rows(owner, node, begin, serving.start),
        Rows(owner[last], serving.node[last], serving.end[last], lives.end[owner[last]]),
        Rows(silent, np.full(silent.size, -1), lives.start[silent], lives.end[silent]),
    )
    rows = concatenate(parts)
    return rows.take(rows.end > rows.start)


def concatenate(parts: Iterable[Rows]) -> Rows:
    """All rows of all parts."""
    parts = list(parts)
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return Rows(nothing, nothing, np.empty(0), np.empty(0))
    return Rows(
        np.concatenate([part.owner for part in parts]),
        np.concatenate([part.node for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.end for part in parts]),
    )


@dataclass(frozen=True)
class Ranges:
    """Where each owner's rows lie in rows sorted by owner and start."""

    first: Ints
    stop: Ints

    @classmethod
    def of(cls, rows: Rows, owners: int) -> Ranges:
        """The ranges of sorted *rows*."""
        every = np.arange(owners)
        return cls(
            np.searchsorted(rows.owner, every, side="left"),
            np.searchsorted(rows.owner, every, side="right"),
        )


def join(owner: Ints, start: Floats, end: Floats, rows: Rows, owners: int) -> tuple[Ints, Rows]:
    """The parts of the intervals (owner, start, end) that *rows* of the same owner cover.

    *rows* must be merged. Returns which interval each part is of, and the parts.
    """
    ranges = Ranges.of(rows, owners)
    known = owner >= 0
    safe = np.where(known, owner, 0)
    low, high = ranges.first[safe], np.where(known, ranges.stop[safe], ranges.first[safe])
    first = _bisect(rows.end, low, high, start, after=True)
    stop = _bisect(rows.start, low, high, end, after=False)
    count = np.maximum(stop - first, 0)
    which = np.repeat(np.arange(owner.size), count)
    offset = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    row = first[which] + offset
    parts = Rows(
        rows.owner[row],
        rows.node[row],
        np.maximum(start[which], rows.start[row]),
        np.minimum(end[which], rows.end[row]),
    )
    return which, parts


def _bisect(values: Floats, low: Ints, high: Ints, sought: Floats, *, after: bool) -> Ints:
    """Binary search of each *sought* in its own range of *values*, all at once.

    The first place whose value is over (*after*) or not below *sought*.
    """
    low, high = low.copy(), high.copy()
    while True:
        active = low < high
        if not active.any():
            return low
        middle = (low + high) // 2
        value = values[np.where(active, middle, 0)]
        right = active & ((value <= sought) if after else (value < sought))
        low = np.where(right, middle + 1, low)
        high = np.where(active & ~right, middle, high)
