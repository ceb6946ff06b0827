"""VMs by the time of their last renewal: cohorts, never single VMs.

A cohort is a mass of VMs that have the same own DHCP server, and whose last renewals are evenly
spread over an interval or lie at one instant. Whatever happens to a VM happens a fixed time after
its last renewal, so an outage cuts cohorts in two and moves the parts as wholes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np

from simulator.trace import Bools, Floats, Ints

REMEMBERED = 10
"""Renewals for which a VM keeps its phase; after as many without disturbance it has any phase.

Assumed: real clients add some chance to each renewal. For the mean of outages that come at random
it makes no difference.
"""


@dataclass(frozen=True)
class Cohorts:
    """One row a cohort: *mass* VMs of *unit* whose own server is number *own* of that unit.

    Their last renewals are evenly spread over [first, last), s; all at that instant if the two are
    equal. While their own server serves, they renew at each multiple of the renewal time later.
    """

    unit: Ints
    own: Ints
    first: Floats
    last: Floats
    mass: Floats

    @classmethod
    def at(cls, unit: Ints, own: Ints, time: Floats, mass: Floats) -> Cohorts:
        """VMs that renewed at one instant each row."""
        return cls(unit, own, time, time, mass)

    def take(self, which: Ints | Bools) -> Cohorts:
        """Some of the cohorts."""
        return Cohorts(*(getattr(self, field.name)[which] for field in fields(self)))

    def split(self, time: Floats) -> tuple[Cohorts, Cohorts]:
        """Those last renewed before *time* (one a row), and the others."""
        some, whole = self.first < time, self.last <= time
        cut = some & ~whole
        before = np.where(some, self.mass, 0.0)
        width = self.last[cut] - self.first[cut]
        before[cut] *= (time[cut] - self.first[cut]) / width
        early = replace(self, last=np.minimum(self.last, time), mass=before)
        late = replace(self, first=np.maximum(self.first, time), mass=self.mass - before)
        return early.take(some), late.take(~(some & whole))

    def later(self, by: float) -> Cohorts:
        """The same VMs, last renewed *by* seconds later."""
        return replace(self, first=self.first + by, last=self.last + by)

    def pooled(self, first: Floats, last: Floats) -> Cohorts:
        """One cohort for each unit and server, last renewed in [first, last) (one a unit)."""
        if not self.unit.size:
            return self
        servers = int(self.own.max()) + 1
        mass = np.bincount(self.unit * servers + self.own, weights=self.mass).astype(np.float64)
        key = np.flatnonzero(mass)
        unit = key // servers
        return Cohorts(unit, key % servers, first[unit], last[unit], mass[key])

    def spread(self, serving: Bools) -> Cohorts:
        """The same VMs, divided equally among the servers that serve: *serving*[unit, server]."""
        options = serving[self.unit]
        row, own = np.nonzero(options)
        return replace(self.take(row), own=own, mass=(self.mass / options.sum(axis=1))[row])

    def stopped(self, time: Floats, renewal: float) -> Cohorts:
        """The cohorts when their own servers stop at *time* (one a unit): [time - renewal, time).

        Those with a remembered phase renewed last at their last turn before; the others are evenly
        spread.
        """
        if not self.unit.size:
            return self
        at = time[self.unit]
        old = at - self.last > REMEMBERED * renewal
        even = self.take(old).pooled(time - renewal, time)
        recent, at = self.take(~old), at[~old]
        turns = np.maximum(np.ceil((at - recent.first) / renewal) - 1, 0) * renewal
        recent = replace(recent, first=recent.first + turns, last=recent.last + turns)
        before, after = recent.split(at)
        point = after.first == after.last  # renewed at the very instant of the stop
        return gathered((even, before, after.take(point), after.take(~point).later(-renewal)))


def gathered(parts: Iterable[Cohorts]) -> Cohorts:
    """All cohorts of all parts."""
    parts = [part for part in parts if part.unit.size]
    if not parts:
        nobody = np.empty(0, dtype=np.int64)
        return Cohorts(nobody, nobody, np.empty(0), np.empty(0), np.empty(0))
    if len(parts) == 1:
        return parts[0]
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Cohorts))
    return Cohorts(*(np.concatenate(column) for column in columns))
