"""From events to states: when a component was failed, and between which events a state held.

At one instant several things may happen, and what came first decides; so what ends a state is
found by its place in the trace, not by its time.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.intervals import Rows, Spans, concatenate, order_of, ranges
from simulator.trace import Bools, Floats, Ints, Kind, Trace


def failed(trace: Trace) -> dict[int, Spans]:
    """When each component was failed: while any cause held."""
    rows = places(trace, Kind.FAIL, Kind.REPAIR)
    rows = rows[order_of(trace.at(rows).subject)]
    component, change = trace.at(rows).subject, np.where(trace.kind[rows] == Kind.FAIL, 1, -1)
    causes = np.cumsum(change)
    causes -= (causes - change)[np.searchsorted(component, component)]  # those of others before
    return _spans(_held(trace, rows, component, causes > 0))


def alternating(trace: Trace, on: Kind, off: Kind) -> dict[int, Spans]:
    """Per subject, from the first event *on* to the next *off*, again and again."""
    rows = places(trace, on, off)
    return _spans(_held(trace, rows, trace.at(rows).subject, trace.kind[rows] == int(on)))


def alternating_objects(trace: Trace, on: Kind, off: Kind, place: Ints) -> dict[int, Spans]:
    """The same for each *place* of a subject, and each object: by both in one number."""
    rows = places(trace, on, off)
    events = trace.at(rows)
    pair = place[events.subject] * len(trace.objects.names) + events.object
    return _spans(_held(trace, rows, pair, trace.kind[rows] == int(on)))


def places(trace: Trace, *kinds: Kind) -> Ints:
    """Where the events of some kinds are in the trace."""
    first, *others = map(int, kinds)  # an array is slow to compare with a member of an enumeration
    chosen = trace.kind == first
    for kind in others:
        chosen |= trace.kind == kind
    return np.flatnonzero(chosen)


def _held(trace: Trace, rows: Ints, group: Ints, on: Bools) -> Rows:
    """When each group was on, which it is or not from each of its events (*rows*) to the next."""
    if not rows.size:
        return concatenate(())
    order = order_of(group)
    group, time, on = group[order], trace.time[rows[order]], on[order]
    before = np.append(False, on[:-1] & (group[1:] == group[:-1]))
    turns = np.flatnonzero(on != before)
    group, time = np.append(group[turns], -1), np.append(time[turns], trace.horizon)
    begins = np.flatnonzero(on[turns])
    owner = group[begins]
    end = np.where(group[begins + 1] == owner, time[begins + 1], trace.horizon)
    held = Rows(owner, owner, time[begins], end)
    return held.where(held.end > held.start).merged()


def _spans(rows: Rows) -> dict[int, Spans]:
    """The *rows* of each owner, by owner and start."""
    if not rows.owner.size:
        return {}
    first, stop = ranges(rows.owner)
    return {
        owner: Spans(rows.start[a:b], rows.end[a:b])
        for owner, a, b in zip(
            rows.owner[first].tolist(), first.tolist(), stop.tolist(), strict=True
        )
    }


class Ends:
    """Events that end what events before them began, each within a group."""

    def __init__(self, trace: Trace, kind: Kind, *, by_object: bool) -> None:
        """The events of *kind*; they are of one group if of one subject (and of one object)."""
        self._time = trace.time
        self._things = len(trace.objects.names) if by_object else 0
        rows = places(trace, kind)
        events = trace.at(rows)
        groups = self._groups(events.subject, events.object)
        self._keys = np.sort(groups * self._time.size + rows)

    def _groups(self, subjects: Ints, objects: Ints) -> Ints:
        return subjects * self._things + objects if self._things else subjects

    def after(self, rows: Ints, subjects: Ints, objects: Ints) -> Floats:
        """When the first end of each group after the trace's *rows* came; infinity for never."""
        if not self._keys.size:
            return np.full(rows.size, np.inf)
        size = self._time.size
        groups = self._groups(subjects, objects)
        found = np.searchsorted(self._keys, groups * size + rows)
        key = self._keys.take(found, mode="clip")
        times: Floats = self._time[key % size]
        times[(found == self._keys.size) | (key // size != groups)] = np.inf
        return times
