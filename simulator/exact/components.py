"""Components that fail and are repaired by themselves: when each is up, as a curve.

In equilibrium a component is up MTTF / (MTTF + MTTR) of the time at every instant, whatever its
laws; the age of its up time at that instant has the survival function of the up times, over MTTF,
as density (Cox, Renewal Theory, 1962, ch. 5). So it is up and has been for less than d with
probability E[min(X, d)] / (MTTF + MTTR), X an up time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from simulator.clock import quantize
from simulator.exact.answer import RefusedError
from simulator.exact.curves import ALWAYS, NEVER, Curve
from simulator.exact.laws import beyond, limited_mean, rate
from simulator.trace import Floats
from simulator.world.plan import Plan, Renewal, Script
from simulator.world.spans import joined

Law: TypeAlias = Renewal | Script | None
"""How a component fails; None if it never does."""


@dataclass(frozen=True)
class Course:
    """When something is up (a probability), and how often it goes down (a rate, 1/s).

    *falls* is None where it goes down at given instants, and so has no rate.
    """

    up: Curve
    falls: Curve | None

    def times(self, other: Course) -> Course:
        """Both up, independently; either one going down while the other is up ends it."""
        falls = None
        if self.falls and other.falls:
            mine, theirs = self.falls.times(other.up), other.falls.times(self.up)
            falls = Curve(lambda t: mine.at(t) + theirs.at(t), mine.bends + theirs.bends)
        return Course(self.up.times(other.up), falls)


SOUND = Course(ALWAYS, NEVER)


class Failing:
    """The laws of all components of a plan, by number."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._laws: dict[int, Renewal | Script] = {}
        self._laws |= {law.component: law for law in plan.renewals}
        self._laws |= {law.component: law for law in plan.scripts}

    def law(self, component: int) -> Law:
        """How *component* fails; None for never, and for no component (-1)."""
        return self._laws.get(component)

    def name(self, component: int) -> str:
        """Its name."""
        return self.plan.components.names[component]

    def rates(self, component: int) -> tuple[float, float]:
        """Failures and repairs, 1/s, of an exponential component; zero for one that never fails."""
        law = self.law(component)
        if law is None:
            return 0.0, 0.0
        if isinstance(law, Renewal):
            pair = rate(law.time_to_failure), rate(law.time_to_repair)
            if pair[0] is not None and pair[1] is not None:
                return pair[0], pair[1]
        raise RefusedError(f"{self.name(component)} does not fail and recover exponentially")

    def course(self, component: int, delays: Mapping[float, float] | None = None) -> Course:
        """When *component* is up and has been for some *delays*, each with its probability."""
        law, delays = self.law(component), delays or {0.0: 1.0}
        if law is None:
            return SOUND
        if isinstance(law, Script):
            return Course(_scripted(law, delays), None)
        if not self.plan.equilibrium:
            return self._from_up(component, delays)
        return _stationary(law, delays)

    def _from_up(self, component: int, delays: Mapping[float, float]) -> Course:
        """All up at first: exponential laws tend to their equilibrium by the sum of their rates."""
        if any(delays):
            raise RefusedError("`start: all_up` with delays after repairs has no closed form here")
        fail, repair = self.rates(component)
        both = fail + repair
        bends = [1 / both]
        while bends[-1] < 40 / both:
            bends.append(2 * bends[-1])

        def up(times: Floats) -> Floats:
            return np.asarray((repair + fail * np.exp(-both * times)) / both)

        return Course(Curve(up, tuple(bends)), Curve(lambda t: fail * up(t), tuple(bends)))


def _stationary(law: Renewal, delays: Mapping[float, float]) -> Course:
    """Up, and repaired at least a delay ago or before the run, when nothing had to be set up."""
    ups, cycle = law.time_to_failure, law.time_to_failure.mean + law.time_to_repair.mean

    def young(time: float) -> float:
        return sum(p * limited_mean(ups, min(d, time)) for d, p in delays.items())

    def falling(time: float) -> float:
        return sum(p * beyond(ups, min(d, time)) if min(d, time) else p for d, p in delays.items())

    def up(times: Floats) -> Floats:
        return np.array([(ups.mean - young(time)) / cycle for time in times.tolist()])

    def falls(times: Floats) -> Floats:
        return np.array([falling(time) / cycle for time in times.tolist()])

    bends = tuple(delay for delay in delays if delay)
    return Course(Curve(up, bends), Curve(falls, bends))


def _scripted(law: Script, delays: Mapping[float, float]) -> Curve:
    """Down during its outages and the delay after each."""
    spans = joined(law.outages)

    def up(times: Floats) -> Floats:
        found = np.zeros(times.shape)
        for delay, chance in delays.items():
            down = np.zeros(times.shape, dtype=bool)
            for begin, end in spans:
                down |= (times >= begin) & (times < end + quantize(delay))
            found += chance * ~down
        return found

    edges = {begin for begin, _ in spans}
    edges |= {end + quantize(delay) for _, end in spans for delay in delays}
    return Curve(up, tuple(sorted(edges)))
