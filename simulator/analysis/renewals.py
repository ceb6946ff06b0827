"""Who renews where, and who loses its address: all networks at once, outage by outage.

A VM asks its own server for renewal from the renewal time (T1) after its last renewal on, any
server of its network from the rebinding time (T2) on, and loses its address when the lease ends.
So the last renewal decides every fate. When a server stops, the last renewals of its VMs lie in the
renewal time before; what then happens to a VM is:

- its own server is back before it asks: nothing;
- its own server is back while it asks: renewed at that instant (clients try again and again);
- some server serves at T2 or later, before the lease ends: renewed by it, which is its own from
  then on; several that serve share such VMs equally;
- else it has no address until some server has served for the time of regaining without a break;
  those that serve at that instant share such VMs equally.

Between two changes of what serves, all these are linear in the last renewal, so cohorts are enough,
and the cost grows with the changes, not with time or VMs.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.cohorts import Cohorts, gathered
from simulator.analysis.context import Context
from simulator.analysis.course import Course
from simulator.analysis.pieces import Pieces, pieces_of
from simulator.analysis.turnover import Turnover
from simulator.trace import Bools, Floats, Ints


class Renewals:
    """The VMs of all units of a course, taken from step to step."""

    def __init__(self, course: Course, context: Context, vms: Floats, turnover: Turnover) -> None:
        """*vms* of each unit have an address at its begin; others come and go by *turnover*."""
        self._course, self._context, self._turnover = course, context, turnover
        units = course.unit.size
        self._up = np.zeros((units, course.servers), dtype=bool)
        self._lost = np.zeros(units)
        self._regain_at = np.full(units, np.inf)
        self._found: list[tuple[Ints, Floats, Floats, Floats, Floats]] = []
        self._cohorts = self._first(vms)

    def pieces(self) -> Pieces:
        """When VMs have no address, of those that are there when a step begins.

        As if no VM went during the step; *network* is the number of the unit in the course.
        """
        for step in range(self._course.steps):
            self._take(step)
        return pieces_of(self._found)

    def _first(self, vms: Floats) -> Cohorts:
        """The VMs at the begin, evenly spread: of those that serve, or else of the first to."""
        course = self._course
        if not course.steps:
            return gathered(())
        self._flip(0)
        silent = ~_served(self._up)
        owners = self._up.copy()
        if course.steps > 1:
            flips = course.flips(1)
            unit, server = course.flipped[flips], course.server[flips]
            owners[unit, server] |= silent[unit]
        owners[~_served(owners), 0] = True
        begin = course.begin[course.rows(0)]
        renewal = self._context.renewal
        every = Cohorts(
            np.arange(vms.size), np.zeros(vms.size, dtype=np.int64),
            np.where(silent, begin - renewal, -np.inf), np.where(silent, begin, -np.inf), vms,
        )  # fmt: skip
        return every.take(vms > 0).spread(owners)

    def _flip(self, step: int) -> None:
        """Servers start and stop as *step* begins."""
        flips, course = self._course.flips(step), self._course
        self._up[course.flipped[flips], course.server[flips]] = course.up[flips]

    def _take(self, step: int) -> None:
        """One step of all units that have it."""
        rows = self._course.rows(step)
        begin, until = self._course.begin[rows], self._course.until[rows]
        units = begin.size
        before = self._up[:units].copy()
        if step:
            self._flip(step)
        after = self._up[:units]
        cohorts = self._cohorts.take(self._cohorts.unit < units)
        on, silent = self._met(cohorts, before, after, begin)
        regained = self._regain(_served(before), after, begin, until)
        rest = self._silent(silent, after, until)
        self._cohorts = gathered((on, regained, rest))
        self._turn(step, after)

    def _met(
        self, cohorts: Cohorts, before: Bools, after: Bools, begin: Floats
    ) -> tuple[Cohorts, Cohorts]:
        """The cohorts after the flips at *begin*: own server serving, and not."""
        if not cohorts.unit.size:
            return cohorts, cohorts
        context, served = self._context, _served(after)
        was, now = before[cohorts.unit, cohorts.own], after[cohorts.unit, cohorts.own]
        stopped = cohorts.take(was & ~now).stopped(begin, context.renewal)
        rebound = np.where(served, begin - context.rebinding, -np.inf)
        away = cohorts.take(~was)
        waiting, away = away.split(rebound[away.unit])
        here = after[away.unit, away.own]
        back = away.take(here)
        due, early = back.split((begin - context.renewal)[back.unit])
        renewed = gathered((waiting.spread(after), due)).pooled(begin, begin)
        on = gathered((cohorts.take(was & now), early, renewed))
        return on, gathered((stopped, away.take(~here)))

    def _silent(self, cohorts: Cohorts, after: Bools, until: Floats) -> Cohorts:
        """What a step makes of VMs whose own server does not serve: rebound, lost or the same."""
        if not cohorts.unit.size:
            return cohorts
        context, served = self._context, _served(after)
        limit = until - np.where(served, context.rebinding, context.lease)
        gone, still = cohorts.split(limit[cohorts.unit])
        moves = served[gone.unit]
        self._lose(gone.take(~moves).later(context.lease), until)
        return gathered((still, gone.take(moves).later(context.rebinding).spread(after)))

    def _lose(self, cohorts: Cohorts, until: Floats) -> None:
        """VMs lose their addresses within [first, last), and have none until the step's end."""
        if not cohorts.unit.size:
            return
        unit, first, last, mass = cohorts.unit, cohorts.first, cohorts.last, cohorts.mass
        zero = np.zeros(unit.size)
        ramp = last > first
        slope = mass[ramp] / (last - first)[ramp]
        self._found.append((unit[ramp], first[ramp], last[ramp], zero[ramp], slope))
        self._found.append((unit, last, until[unit], mass, zero))
        self._lost[: until.size] += np.bincount(unit, weights=mass, minlength=until.size)

    def _regain(self, served: Bools, after: Bools, begin: Floats, until: Floats) -> Cohorts:
        """VMs without an address in a step: those that have one again in it, and when."""
        units, serves = begin.size, _served(after)
        lost, regain_at = self._lost[:units], self._regain_at[:units]
        opened = serves & ~served
        regain_at[opened] = begin[opened] + self._context.regain
        regain_at[~serves] = np.inf
        out = np.flatnonzero(lost > 0)
        if not out.size:
            return gathered(())
        end = np.minimum(until, regain_at)[out]
        self._found.append((out, begin[out], end, lost[out], np.zeros(out.size)))
        back = out[regain_at[out] <= until[out]]
        found = Cohorts.at(back, np.zeros(back.size, dtype=np.int64), regain_at[back], lost[back])
        lost[back] = 0.0
        return found.spread(after)

    def _turn(self, step: int, after: Bools) -> None:
        """VMs that came and went in the step, at its end."""
        stay = self._turnover.stay(step)
        if stay is None:
            return
        came, served = self._turnover.came(step), _served(after)
        cohorts, units = self._cohorts, after.shape[0]
        left = Cohorts(
            cohorts.unit, cohorts.own, cohorts.first, cohorts.last,
            cohorts.mass * stay[cohorts.unit],
        )  # fmt: skip
        new = came.take(served[came.unit]).spread(after)
        self._cohorts = gathered((left.take(left.mass > 0), new))
        without = came.take(~served[came.unit])
        self._lost[:units] *= stay
        self._lost[:units] += np.bincount(without.unit, weights=without.mass, minlength=units)


def _served(up: Bools) -> Bools:
    """Which units any server serves."""
    found: Bools = np.any(up, axis=1)
    return found
