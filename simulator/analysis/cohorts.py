"""VMs by the time of their last renewal: cohorts, never single VMs.

A cohort is a mass of VMs that have the same own DHCP server, and whose last renewals are evenly
spread over an interval or lie at one instant. Whatever happens to a VM happens a fixed time after
its last renewal, so an outage cuts cohorts in two and moves the parts as wholes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
        return Cohorts(
            self.unit[which], self.own[which], self.first[which], self.last[which],
            self.mass[which],
        )  # fmt: skip

    def split(self, time: Floats) -> tuple[Cohorts, Cohorts]:
        """Those last renewed before *time* (one a row), and the others."""
        if not self.unit.size:
            return self, self
        some, whole = self.first < time, self.last <= time
        cut = some & ~whole
        before = np.where(some, self.mass, 0.0)
        width = self.last[cut] - self.first[cut]
        before[cut] *= (time[cut] - self.first[cut]) / width
        unit, own, first, last = self.unit, self.own, self.first, self.last
        early = Cohorts(unit, own, first, np.minimum(last, time), before)
        late = Cohorts(unit, own, np.maximum(first, time), last, self.mass - before)
        return early.take(some), late.take(~(some & whole))

    def later(self, by: float) -> Cohorts:
        """The same VMs, last renewed *by* seconds later."""
        return Cohorts(self.unit, self.own, self.first + by, self.last + by, self.mass)

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
        if not self.unit.size:
            return self
        options = serving[self.unit]
        row, own = np.nonzero(options)
        mass = (self.mass / options.sum(axis=1))[row]
        return Cohorts(self.unit[row], own, self.first[row], self.last[row], mass)

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
        first, last = recent.first + turns, recent.last + turns
        recent = Cohorts(recent.unit, recent.own, first, last, recent.mass)
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
    return Cohorts(
        np.concatenate([part.unit for part in parts]),
        np.concatenate([part.own for part in parts]),
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.last for part in parts]),
        np.concatenate([part.mass for part in parts]),
    )
