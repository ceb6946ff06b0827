"""From events to states: when a component was failed, and between which events a state held.

At one instant several things may happen, and what came first decides; so what ends a state is
found by its place in the trace, not by its time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

import numpy as np

from simulator.analysis.intervals import Spans, union_of_pairs
from simulator.trace import Floats, Ints, Kind, Trace

Pairs = list[tuple[float, float]]
Group = TypeVar("Group", bound=Hashable)


def failed(trace: Trace) -> dict[int, Spans]:
    """When each component was failed: while any cause held."""
    causes: dict[int, int] = defaultdict(int)
    since: dict[int, float] = {}
    pairs: dict[int, Pairs] = defaultdict(list)
    for time, kind, component in _events(trace, Kind.FAIL, Kind.REPAIR):
        if kind == Kind.FAIL:
            since.setdefault(component, time)
            causes[component] += 1
        else:
            causes[component] -= 1
            if not causes[component]:
                pairs[component].append((since.pop(component), time))
    return _spans(trace, pairs, since)


def alternating(trace: Trace, on: Kind, off: Kind) -> dict[int, Spans]:
    """Per subject, from the first event *on* to the next *off*, again and again."""
    return _alternating(trace, _events(trace, on, off), on)


def alternating_objects(trace: Trace, on: Kind, off: Kind) -> dict[tuple[int, int], Spans]:
    """The same for each pair of subject and object."""
    rows = np.flatnonzero(np.isin(trace.kind, (on, off)))
    pairs = zip(trace.subject[rows].tolist(), trace.object[rows].tolist(), strict=True)
    times, kinds = trace.time[rows].tolist(), trace.kind[rows].tolist()
    return _alternating(trace, zip(times, kinds, pairs, strict=True), on)


def _alternating(
    trace: Trace, events: Iterable[tuple[float, int, Group]], on: Kind
) -> dict[Group, Spans]:
    since: dict[Group, float] = {}
    pairs: dict[Group, Pairs] = defaultdict(list)
    for time, kind, group in events:
        if kind == on:
            since.setdefault(group, time)
        elif group in since:
            pairs[group].append((since.pop(group), time))
    return _spans(trace, pairs, since)


def _events(trace: Trace, *kinds: Kind) -> Iterator[tuple[float, int, int]]:
    """Time, kind and subject of the events of some kinds."""
    rows = np.flatnonzero(np.isin(trace.kind, kinds))
    columns = (column[rows].tolist() for column in (trace.time, trace.kind, trace.subject))
    return zip(*columns, strict=True)


def _spans(
    trace: Trace, pairs: dict[Group, Pairs], since: Mapping[Group, float]
) -> dict[Group, Spans]:
    """*pairs*, and what began at *since* and lasts to the end."""
    for group, time in since.items():
        pairs[group].append((time, trace.horizon))
    return {group: union_of_pairs(found) for group, found in pairs.items()}


class Ends:
    """Events that end what events before them began, each within a group."""

    def __init__(self, trace: Trace, kind: Kind, *, by_object: bool) -> None:
        """The events of *kind*; they are of one group if of one subject (and of one object)."""
        self._times = np.append(trace.time, np.inf)
        self._things = len(trace.objects.names) if by_object else 0
        rows = np.flatnonzero(trace.kind == kind)
        groups = self._groups(trace.subject[rows], trace.object[rows])
        self._keys = np.sort(groups * self._times.size + rows)

    def _groups(self, subjects: Ints, objects: Ints) -> Ints:
        return subjects * self._things + objects if self._things else subjects

    def after(self, rows: Ints, subjects: Ints, objects: Ints) -> Floats:
        """When the first end of each group after the trace's *rows* came; infinity for never."""
        size = self._times.size
        groups = self._groups(subjects, objects)
        place = np.searchsorted(self._keys, groups * size + rows, side="right")
        found = np.append(self._keys, -1)[place]
        row = np.where(found // size == groups, found % size, size - 1)
        times: Floats = self._times[row]
        return times


def grouped(keys: Ints) -> Iterator[tuple[int, Ints]]:
    """Each key that occurs, and where."""
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    return zip(found.tolist(), np.split(order, starts[1:]), strict=False)
