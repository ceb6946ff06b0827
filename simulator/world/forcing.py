"""Replications in which some hosts are out at one random instant, and their weights.

Importance sampling for what hardly ever happens. An instant is drawn uniformly from the window,
and each target, the parts of a host that fail, is held to be out at it with a chance of its own: one
of its parts is down, or recovering for so many seconds after its repair, in which its host boots and
its agents set things up again. That part's outages are then drawn from what they are given that: the
one under way is biased by its length, recovery included, and the instant lies anywhere in it (the
inspection paradox; Cox, Renewal Theory, ch. 5). All else goes its natural way. Since failure clocks
run on whatever else holds, nothing but these outages has another chance than it would have, and
their density against the natural one is known exactly:

    average over the instants t of the product over targets of (1 - p) + p n(t) / N

with p a target's chance, n(t) how many outages of its parts reach t, and N the mean of that, the
sum of (MTTR + recovery) / (MTTF + MTTR). A replication's *weight* is the inverse of that, so
weighted means of any metric have the natural expectation. As the average over all instants is taken,
not the one drawn, this is the balance heuristic (Veach and Guibas, SIGGRAPH 1995), and no weight
exceeds the product of 1 / (1 - p).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.clock import TICK, quantize
from simulator.distributions import Choice
from simulator.trace import Floats, Kind, Trace
from simulator.world.cluster import CAUSES
from simulator.world.plan import Plan, Renewal, Script
from simulator.world.streams import Stream, Streams, stable_hash

INSTANT = stable_hash("the instant at which components are held down")
HELD = stable_hash("failures of a component that is held down at an instant")


@dataclass(frozen=True)
class Part:
    """What fails, and for how many seconds after its repair it is still out: its *recovery*."""

    renewal: Renewal
    recovery: float = 0.0

    @property
    def out(self) -> float:
        """How many of its outages reach an instant, in the mean; nearly the share of time."""
        down = self.renewal.time_to_repair.mean
        return (down + self.recovery) / (self.renewal.time_to_failure.mean + down)


@dataclass(frozen=True)
class Target:
    """The *parts* of a host, one of which is out at the instant with *chance*, 0 < chance < 1."""

    parts: tuple[Part, ...]
    chance: float

    @property
    def out(self) -> float:
        """How many outages of its parts reach an instant, in the mean."""
        return math.fsum(part.out for part in self.parts)

    def pick(self, u: float) -> Part | None:
        """Which of the parts is held to be out, each as often as it is; None if none is."""
        if u >= self.chance:
            return None
        chosen, _ = Choice([part.out for part in self.parts]).pick(u / self.chance)
        return self.parts[chosen]


def forced(
    plan: Plan, targets: Sequence[Target], window: tuple[float, float], streams: Streams
) -> Plan:
    """*plan*, with the outages of those parts scripted that are out at a random instant."""
    begin, end = _instants(targets, window)
    instant = begin + streams.uniform(0, INSTANT, 0) * (end - begin)
    picked = (t.pick(streams.uniform(t.parts[0].renewal.entity, INSTANT, 0)) for t in targets)
    held = [part for part in picked if part]
    entities = {part.renewal.entity for part in held}
    scripts = [_script(part, instant, plan.horizon, streams) for part in held]
    natural = [renewal for renewal in plan.renewals if renewal.entity not in entities]
    return replace(plan, renewals=natural, scripts=[*plan.scripts, *scripts])


def _instants(targets: Sequence[Target], window: tuple[float, float]) -> tuple[float, float]:
    """Between which instants one is drawn: what reaches them has not ended before time zero."""
    begin, end = window
    begin = max(begin, *(part.recovery for target in targets for part in target.parts))
    assert begin < end
    return begin, end


def _script(part: Part, instant: float, horizon: float, streams: Streams) -> Script:
    """The outages of *part* in [0, horizon), given that it is out at *instant*.

    A length x of the outage under way occurs in proportion to x + recovery: to x or to recovery.
    """
    renewal, draws = part.renewal, streams.stream(part.renewal.entity, HELD)
    law, recovery = renewal.time_to_repair, part.recovery
    by_length = draws.uniform() * (law.mean + recovery) < law.mean
    length = law.length_biased(draws.uniform()) if by_length else law.sample(draws.uniform())
    gone = draws.uniform() * (length + recovery)
    begin = quantize(instant - gone)
    end = begin + _time(length)
    outages = [(begin, end)]
    while end < horizon:
        begin = end + _time(renewal.time_to_failure.sample(draws.uniform()))
        end = begin + _time(renewal.time_to_repair.sample(draws.uniform()))
        outages.append((begin, end))
    outages += _before(renewal, outages[0][0], draws)
    inside = ((max(a, 0.0), b) for a, b in outages if b > 0 and a < horizon)
    return Script(renewal.component, tuple(sorted(inside)), renewal.cause)


def _before(renewal: Renewal, time: float, draws: Stream) -> list[tuple[float, float]]:
    """The outages before *time*, back to zero: a renewal process looks the same backwards."""
    outages = []
    while time > 0:
        end = time - _time(renewal.time_to_failure.sample(draws.uniform()))
        time = end - _time(renewal.time_to_repair.sample(draws.uniform()))
        outages.append((time, end))
    return outages


def _time(drawn: float) -> float:
    """A time to failure or repair, as renewal processes use it."""
    return max(quantize(drawn), TICK)


def weight(trace: Trace, targets: Sequence[Target], window: tuple[float, float]) -> float:
    """The natural density of what the targets did, against that of `forced`."""
    begin, end = _instants(targets, window)
    changes = [_changes(trace, target) for target in targets]
    times = np.concatenate([times for times, _ in changes])
    steps = np.concatenate([steps for _, steps in changes])
    order = np.argsort(times, kind="stable")
    edges = np.concatenate([[begin], np.clip(times[order], begin, end), [end]])
    level = math.fsum(math.log1p(-target.chance) for target in targets)
    density = np.exp(level + np.concatenate([[0.0], np.cumsum(steps[order])]))
    return float((end - begin) / np.sum(density * np.diff(edges)))


def most_weight(targets: Sequence[Target]) -> float:
    """The weight of a replication in which no target is down in the window: none exceeds it."""
    return math.exp(-math.fsum(math.log1p(-target.chance) for target in targets))


def _changes(trace: Trace, target: Target) -> tuple[Floats, Floats]:
    """When more or fewer outages of a target reach, and by what the density's logarithm changes."""
    begins, ends = zip(*(_outages(trace, part) for part in target.parts), strict=True)
    times = np.concatenate([*begins, *ends])
    order = np.argsort(times, kind="stable")
    step = np.repeat([1, -1], [sum(map(len, begins)), sum(map(len, ends))])
    odds = target.chance / (1 - target.chance) / target.out
    return times[order], np.diff(np.log1p(odds * np.cumsum(step[order])), prepend=0.0)


def _outages(trace: Trace, part: Part) -> tuple[Floats, Floats]:
    """When the outages of a part begin, and when they reach no longer."""
    mine = trace.subject == part.renewal.component
    mine &= trace.value == CAUSES.index(part.renewal.cause)
    failed = trace.time[mine & (trace.kind == Kind.FAIL)]
    return failed, trace.time[mine & (trace.kind == Kind.REPAIR)] + part.recovery
