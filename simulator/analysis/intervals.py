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


def union_of(parts: Iterable[Spans]) -> Spans:
    """The union of a few spans."""
    parts = [part for part in parts if part.starts.size]
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    return union(*(np.concatenate(ends) for ends in zip(*parts, strict=True)))


def union_of_pairs(pairs: Iterable[tuple[float, float]]) -> Spans:
    """The union of (start, end) in any order."""
    table = np.array(list(pairs), dtype=float).reshape(-1, 2)
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


def difference(a: Spans, b: Spans) -> Spans:
    """What of *a* is not in *b*."""
    if not a.starts.size or not b.starts.size:
        return a
    return intersect(a, complement(b, a.starts[0], a.ends[-1]))


def covers(spans: Spans, times: Floats) -> Bools:
    """Which of *times* lie in *spans*."""
    place = np.searchsorted(spans.starts, times, side="right") - 1
    found: Bools = (place >= 0) & (times < np.append(spans.ends, -np.inf)[place])
    return found


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
    """Intervals, each of an *owner* at a *node* (a row of `trace.Nodes`, -1 for no one node)."""

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

    def inside(self, lives: Lives) -> Rows:
        """The part of each row inside its owner's life; empty ones are dropped."""
        start = np.maximum(self.start, lives.start[self.owner])
        end = np.minimum(self.end, lives.end[self.owner])
        return Rows(self.owner, self.node, start, end).take(end > start)

    def covered_by(self, spans: Spans) -> Rows:
        """The parts of the rows inside *spans*."""
        row, start, end = overlaps(self.start, self.end, spans)
        return Rows(self.owner[row], self.node[row], start, end)

    def total(self, owners: int) -> Floats:
        """Seconds of each owner, rows added up."""
        total = np.bincount(self.owner, weights=self.length, minlength=owners)
        return total.astype(np.float64, copy=False)  # bincount of nothing gives integers

    def merged(self) -> Rows:
        """The union of each owner's rows, whatever their nodes; by owner and start."""
        return self._united(self.owner, np.full(self.owner.size, -1, dtype=np.int64))

    def joined(self) -> Rows:
        """The union of each owner's rows at each node; by owner and start."""
        nodes = int(self.node.max(initial=-1)) + 1
        rows = self._united(self.owner * nodes + self.node, self.node)
        return rows.take(np.lexsort((rows.start, rows.owner)))

    def _united(self, group: Ints, node: Ints) -> Rows:
        """The union of the rows of each *group*, which are of one owner; at *node*."""
        order = np.lexsort((self.start, group))
        rows = Rows(self.owner[order], node[order], self.start[order], self.end[order])
        if not order.size:
            return rows
        fresh = _fresh(group[order], rows.start, rows.end)
        if fresh.all():
            return rows
        number = np.cumsum(fresh) - 1
        ends = np.full(int(number[-1]) + 1, -np.inf)
        np.maximum.at(ends, number, rows.end)
        return Rows(rows.owner[fresh], rows.node[fresh], rows.start[fresh], ends)


def _fresh(group: Ints, starts: Floats, ends: Floats) -> Bools:
    """Of intervals sorted by group and start: which do not touch what went before in theirs."""
    change = np.empty(ends.size, dtype=bool)
    change[0] = True
    np.not_equal(group[1:], group[:-1], out=change[1:])
    touching = ~change
    touching[1:] &= starts[1:] <= ends[:-1]
    if _monotone(ends, change):
        return ~touching
    fresh = np.empty(ends.size, dtype=bool)  # a long interval may cover several later ones
    reach, before = -np.inf, -1
    for i, (which, start, end) in enumerate(zip(group, starts, ends, strict=True)):
        if which != before:
            reach, before = -np.inf, which
        fresh[i] = start > reach
        reach = max(reach, end)
    return fresh


def _monotone(ends: Floats, change: Bools) -> bool:
    """Whether ends never fall within one group."""
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

    *serving* must be disjoint, by owner and start, and inside the lives.
    """
    owner = serving.owner
    begin = np.empty(owner.size)
    first = np.empty(owner.size, dtype=bool)
    if owner.size:
        first[0] = True
        np.not_equal(owner[1:], owner[:-1], out=first[1:])
        begin[1:] = serving.end[:-1]
        begin[first] = lives.start[owner[first]]
    last = np.append(first[1:], True) if owner.size else first
    silent = np.flatnonzero(np.bincount(owner, minlength=lives.start.size) == 0)
    owners = np.concatenate([owner, owner[last], silent])
    start = np.concatenate([begin, serving.end[last], lives.start[silent]])
    end = np.concatenate([serving.start, lives.end[owner[last]], lives.end[silent]])
    rows = Rows(owners, np.full(owners.size, -1, dtype=np.int64), start, end)
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

    *rows* must be disjoint, by owner and start. Returns which interval each part is of, and
    the parts.
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
