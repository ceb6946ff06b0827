"""Intervals of time as arrays: half open, [start, end).

A `Spans` is a pair of arrays (starts, ends), sorted and disjoint. A `Rows` is a table of
intervals, each of one owner (an object, a tenant) at one node; they may overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.trace import Bools, Floats, Ints

Number = TypeVar("Number", np.int64, np.float64)


class Spans(NamedTuple):
    """Sorted, disjoint, non-empty intervals."""

    starts: Floats
    ends: Floats

    @property
    def length(self) -> float:
        """Their total length, s."""
        return float(np.sum(self.ends - self.starts))


NOTHING = Spans(np.empty(0), np.empty(0))
MANY, LONGEST = 10_000, 100
"""Of more than so many intervals few matter to their union: so many of the longest hold most."""


def union(starts: Floats, ends: Floats) -> Spans:
    """The union of intervals in any order; those that touch are one."""
    filled = ends > starts
    if not filled.all():
        starts, ends = starts[filled], ends[filled]
    if not starts.size:
        return NOTHING
    if starts.size > MANY:
        starts, ends = _beyond_longest(starts, ends)
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate(ends[order])
    apart = starts[1:] > ends[:-1]
    if apart.all():
        return Spans(starts, ends)
    edges = np.flatnonzero(apart)
    first, last = np.append(0, edges + 1), np.append(edges, starts.size - 1)
    return Spans(starts[first], ends[last])


def _beyond_longest(starts: Floats, ends: Floats) -> tuple[Floats, Floats]:
    """Intervals of the same union: that of the longest ones, and those that are not inside it."""
    some = np.argpartition(starts - ends, LONGEST)[:LONGEST].copy()  # the rest is large
    held = union(starts[some], ends[some])
    place = np.searchsorted(held.starts, starts, side="right") - 1
    free = (place < 0) | (ends > held.ends[place])
    return np.append(held.starts, starts[free]), np.append(held.ends, ends[free])


def union_of(parts: Iterable[Spans]) -> Spans:
    """The union of a few spans."""
    parts = [part for part in parts if part.starts.size]
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    return union(*(np.concatenate(ends) for ends in zip(*parts, strict=True)))


def complement(spans: Spans, begin: float, end: float) -> Spans:
    """What of [begin, end) the spans leave out."""
    starts = np.concatenate([[begin], spans.ends])
    ends = np.concatenate([spans.starts, [end]])
    return clip(Spans(starts, ends), begin, end)


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
    begun = np.searchsorted(spans.starts, times, side="right")
    found: Bools = begun > np.searchsorted(spans.ends, times, side="right")
    return found


def put_off(times: Floats, spans: Spans) -> Floats:
    """*times*, those within one of *spans* put off to its end."""
    place = np.searchsorted(spans.starts, times, side="right") - 1
    late: Floats = np.where(covers(spans, times), np.append(spans.ends, np.inf)[place], times)
    return late


def overlaps(starts: Floats, ends: Floats, spans: Spans) -> tuple[Ints, Floats, Floats]:
    """The pieces of each interval that *spans* cover: whose piece it is, starts and ends."""
    first = np.searchsorted(spans.ends, starts, side="right")
    stop = np.searchsorted(spans.starts, ends, side="left")
    which, piece = every(first, stop)
    return (
        which,
        np.maximum(starts[which], spans.starts[piece]),
        np.minimum(ends[which], spans.ends[piece]),
    )


def every(first: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Every number of each range from *first* to *stop*: whose it is, and the number."""
    count = np.maximum(stop - first, 0)
    which = np.repeat(np.arange(first.size), count)
    return which, np.arange(which.size) + (first - np.cumsum(count) + count)[which]


Side: TypeAlias = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")


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

    def where(self, kept: Bools) -> Rows:
        """The rows for which *kept* holds: all of them without a copy."""
        return self if kept.all() else self.take(np.flatnonzero(kept))

    def clipped(self, begin: float, end: float) -> Rows:
        """The part of each row inside [begin, end); empty ones are dropped."""
        if self.start.min(initial=begin) >= begin and self.end.max(initial=end) <= end:
            return self.where(self.end > self.start)
        start, stop = np.maximum(self.start, begin), np.minimum(self.end, end)
        return Rows(self.owner, self.node, start, stop).where(stop > start)

    def inside(self, lives: Lives) -> Rows:
        """The part of each row inside its owner's life; empty ones are dropped."""
        start, end = lives.start[self.owner], lives.end[self.owner]
        if np.all(start <= self.start) and np.all(end >= self.end):
            return self.where(self.end > self.start)
        np.maximum(start, self.start, out=start)
        np.minimum(end, self.end, out=end)
        return Rows(self.owner, self.node, start, end).where(end > start)

    def covered_by(self, spans: Spans) -> Rows:
        """The parts of the rows inside *spans*."""
        row, start, end = overlaps(self.start, self.end, spans)
        return Rows(self.owner[row], self.node[row], start, end)

    def covered(self, key: Ints, spans: Callable[[int], Spans]) -> Rows:
        """The parts of the rows inside the spans of their *key*, one a row; in the same order."""
        first, stop = np.empty(key.size, dtype=np.int64), np.empty(key.size, dtype=np.int64)
        found: list[Spans] = []
        before = 0
        for one, which in grouped(key):
            mine = spans(one)
            first[which] = np.searchsorted(mine.ends, self.start[which], side="right") + before
            stop[which] = np.searchsorted(mine.starts, self.end[which], side="left") + before
            found.append(mine)
            before += mine.starts.size
        if not found:
            return self
        starts, ends = (np.concatenate(column) for column in zip(*found, strict=True))
        row, piece = every(first, stop)
        rows = self if row.size == key.size and np.all(stop > first) else self.take(row)
        return Rows(
            rows.owner, rows.node,
            np.maximum(rows.start, starts[piece]), np.minimum(rows.end, ends[piece]),
        )  # fmt: skip

    def total(self, owners: int) -> Floats:
        """Seconds of each owner, rows added up."""
        total = np.bincount(self.owner, weights=self.length, minlength=owners)
        return total.astype(np.float64, copy=False)  # bincount of nothing gives integers

    def beyond(self, others: Rows) -> Rows:
        """The rows that none of *others* of the same owner, merged, holds whole."""
        if not others.owner.size:
            return self
        place = placed(self.owner, self.start, others.owner, others.start, "right") - 1
        held = (others.owner[place] == self.owner) & (others.start[place] <= self.start)
        return self.where(~held | (others.end[place] < self.end))

    def without(self, others: Rows) -> Rows:
        """The parts of the rows that no row of *others* of the same owner covers."""
        which, parts = join(self.owner, self.start, self.end, others.merged())
        holes = gaps(Rows(which, which, parts.start, parts.end), Lives(self.start, self.end))
        which = holes.owner
        return Rows(self.owner[which], self.node[which], holes.start, holes.end)

    def ordered(self) -> Rows:
        """The rows by owner and start; itself if they are so already."""
        same = self.owner[1:] == self.owner[:-1]
        later = (self.owner[1:] > self.owner[:-1]) | (same & (self.start[1:] >= self.start[:-1]))
        return self if later.all() else self.take(np.lexsort((self.start, self.owner)))

    def merged(self) -> Rows:
        """The union of each owner's rows, whatever their nodes; by owner and start."""
        rows = self.ordered()
        return _united(Rows(rows.owner, nowhere(rows.owner.size), rows.start, rows.end))

    def joined(self) -> Rows:
        """The union of each owner's rows at each node; by owner and start."""
        rows = self.ordered()
        same = rows.owner[1:] == rows.owner[:-1]
        if not np.any(same & (rows.start[1:] <= rows.end[:-1])):
            return rows
        nodes = int(rows.node.max()) + 1
        places = Rows(rows.owner * nodes + rows.node, rows.node, rows.start, rows.end)
        if np.any(same & (rows.start[1:] < rows.end[:-1])):  # else only neighbours can touch
            places = places.ordered()
        united = _united(places)
        return Rows(united.owner // nodes, united.node, united.start, united.end).ordered()


def _united(rows: Rows) -> Rows:
    """The union of each owner's *rows*, which are by owner and start, and of one node each."""
    fresh = _fresh(rows.owner, rows.start, rows.end)
    if fresh.all():
        return rows
    first = np.flatnonzero(fresh)
    ends = np.maximum.reduceat(rows.end, first)
    return Rows(rows.owner[first], rows.node[first], rows.start[first], ends)


def _fresh(group: Ints, starts: Floats, ends: Floats) -> Bools:
    """Of intervals sorted by group and start: which do not touch what went before in theirs."""
    fresh = np.ones(ends.size, dtype=bool)
    same = group[1:] == group[:-1]
    fresh[1:] = ~(same & (starts[1:] <= ends[:-1]))
    if fresh.all() or not np.any(same & (ends[1:] < ends[:-1])):
        return fresh
    # A long interval may cover several later ones: compare with the latest end of the group so far.
    order = np.argsort(ends)
    rank = np.empty(ends.size, dtype=np.int64)
    rank[order] = np.arange(ends.size)
    number = np.cumsum(np.append(True, ~same)) * ends.size
    reach = ends[order[np.maximum.accumulate(rank + number) - number]]
    fresh[1:] = ~(same & (starts[1:] <= reach[:-1]))
    return fresh


@dataclass(frozen=True)
class Lives:
    """When each owner exists, [start, end), inside the window; *end* <= *start* if it does not."""

    start: Floats
    end: Floats

    @cached_property
    def length(self) -> Floats:
        """Seconds of each life."""
        return np.maximum(self.end - self.start, 0.0)

    @cached_property
    def any(self) -> bool:
        """Whether any owner lives at all."""
        return bool(np.any(self.end > self.start))


def gaps(serving: Rows, lives: Lives) -> Rows:
    """The maximal times in which an owner lives and does not serve.

    *serving* must be disjoint, by owner and start, and inside the lives.
    """
    owner = serving.owner
    first, stop = ranges(owner)
    last = stop - 1
    begin = np.empty(owner.size)
    begin[1:] = serving.end[:-1]
    begin[first] = lives.start[owner[first]]
    silent = np.flatnonzero(np.bincount(owner, minlength=lives.start.size) == 0)
    final = owner[last]
    owners = np.concatenate([owner, final, silent])
    start = np.concatenate([begin, serving.end[last], lives.start[silent]])
    end = np.concatenate([serving.start, lives.end[final], lives.end[silent]])
    filled = np.flatnonzero(end > start)
    return Rows(owners[filled], nowhere(filled.size), start[filled], end[filled])


def nowhere(count: int) -> Ints:
    """The node of so many rows of no one node: read only, and of no size."""
    return np.ndarray((count,), np.int64, _NOWHERE, strides=(0,))


_NOWHERE = np.int64(-1).tobytes()


def ranges(owner: Ints) -> tuple[Ints, Ints]:
    """Where the rows of each owner that has any begin and stop; they must be by owner."""
    fresh = np.ones(owner.size, dtype=bool)
    np.not_equal(owner[1:], owner[:-1], out=fresh[1:])
    first = np.flatnonzero(fresh)
    stop = np.empty_like(first)
    stop[:-1] = first[1:]
    stop[-1:] = owner.size
    return first, stop


def several(rows: Rows, owners: int) -> Bools:
    """Which of so many *owners* have rows at more than one node."""
    one = np.empty(owners, dtype=np.int64)
    one[rows.owner] = rows.node
    found = np.zeros(owners, dtype=bool)
    found[rows.owner[rows.node != one[rows.owner]]] = True
    return found


def concatenate(parts: Iterable[Rows]) -> Rows:
    """All rows of all parts."""
    parts = [part for part in parts if part.owner.size]
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return Rows(nothing, nothing, np.empty(0), np.empty(0))
    if len(parts) == 1:
        return parts[0]
    return Rows(
        np.concatenate([part.owner for part in parts]),
        np.concatenate([part.node for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.end for part in parts]),
    )


def rows_of(parts: Iterable[tuple[int, Spans]]) -> Rows:
    """The spans of owners as rows, in the same order; the owner is the node, too."""
    parts = [part for part in parts if part[1].starts.size]
    if not parts:
        return concatenate(())
    owners = np.array([owner for owner, _ in parts])
    owner = np.repeat(owners, [spans.starts.size for _, spans in parts])
    starts, ends = (np.concatenate(c) for c in zip(*(spans for _, spans in parts), strict=True))
    return Rows(owner, owner, starts, ends)


def grouped(keys: Ints) -> Iterator[tuple[int, Ints]]:
    """Each key that occurs, and where."""
    order = order_of(keys)
    first, stop = ranges(keys[order])
    for key, a, b in zip(keys[order[first]].tolist(), first.tolist(), stop.tolist(), strict=True):
        yield key, order[a:b]


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """The different *values*, in rising order: those of `np.unique`, which hashes them, slowly."""
    ordered = np.sort(values)
    found: NDArray[Number] = ordered[np.append(True, ordered[1:] != ordered[:-1])[: ordered.size]]
    return found


def order_of(keys: Ints) -> Ints:
    """The places of *keys* in rising order; equal ones stay as they are."""
    if keys.size and keys.min() >= -1 and keys.max() < np.iinfo(np.int16).max:
        keys = keys.astype(np.int16)  # sorted in linear time
    return np.argsort(keys, kind="stable")


def join(owner: Ints, start: Floats, end: Floats, rows: Rows) -> tuple[Ints, Rows]:
    """The parts of the intervals (owner, start, end) that *rows* of the same owner cover.

    *rows* must be disjoint, by owner and start. Returns which interval each part is of, and
    the parts.
    """
    first = placed(owner, start, rows.owner, rows.end, "right")
    stop = placed(owner, end, rows.owner, rows.start)
    which, row = every(first, stop)
    parts = Rows(
        rows.owner[row],
        rows.node[row],
        np.maximum(start[which], rows.start[row]),
        np.minimum(end[which], rows.end[row]),
    )
    return which, parts


def inside(owner: Ints, time: Floats, rows: Rows) -> Bools:
    """Whether any of *rows* of each *owner*, disjoint and by owner and start, holds its *time*."""
    begun = placed(owner, time, rows.owner, rows.start, "right")
    found: Bools = begun > placed(owner, time, rows.owner, rows.end, "right")
    return found


def matched(owner: Ints, time: Floats, owners: Ints, times: Floats) -> tuple[Ints, Ints]:
    """All pairs of a place in (*owner*, *time*) and one in (*owners*, *times*) that are equal."""
    order = np.lexsort((times, owners))
    table = owners[order], times[order]
    first, stop = (placed(owner, time, *table, side) for side in SIDES)
    which, place = every(first, stop)
    return which, order[place]


def placed(owner: Ints, time: Floats, owners: Ints, times: Floats, side: Side = "left") -> Ints:
    """The place of each (*owner*, *time*) in a table by owner and time: left of equals or right."""
    place: Ints = np.searchsorted(_pairs(owners, times), _pairs(owner, time), side)
    return place


def _pairs(owner: Ints, time: Floats) -> NDArray[np.complex128]:
    """Owner and time in one number: complex ones are in order of their real parts first."""
    pairs = np.empty(owner.size, dtype=np.complex128)
    pairs.real, pairs.imag = owner, time
    return pairs
