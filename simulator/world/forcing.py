"""Replications in which some hosts are out at one random instant, and their weights.

Importance sampling for what hardly ever happens. An instant is drawn uniformly from the window,
and each target, the parts of a host that fail, is held to be out at it with a chance of its own:
one of its parts is down, or recovering for so many seconds after its repair, in which its host
boots and its agents set things up again. That part's outages are then drawn from what they are
given that: the one under way is biased by its length, recovery included, and the instant lies
anywhere in it (the inspection paradox; Cox, Renewal Theory, ch. 5). All else goes its natural
way. Since failure clocks run on whatever else holds, nothing but these outages has another chance
than it would have, and their density against the natural one is known exactly:

    average over the instants t of the product over targets of (1 - p) + p n(t) / N

for each of several modes, with p a target's chance in the mode, n(t) how many outages of its
parts reach t, and N the mean of that, the sum of (MTTR + recovery) / (MTTF + MTTR). A
replication's *weight* is the inverse of that, so weighted means of any metric have the natural
expectation. As the average over all instants is taken, not the one drawn, this is the balance
heuristic (Veach and Guibas, SIGGRAPH 1995), and no weight exceeds the number of modes over the
sum of their products of 1 - p.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

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
    """The *parts* of a host, one of which is out at the instant with a chance, by mode.

    *chances* are below 1, one for each of the equally likely modes that a replication may be in.
    """

    parts: tuple[Part, ...]
    chances: tuple[float, ...]

    @property
    def out(self) -> float:
        """How many outages of its parts reach an instant, in the mean."""
        return math.fsum(part.out for part in self.parts)

    def pick(self, u: float, mode: int) -> Part | None:
        """Which of the parts is held to be out, each as often as it is; None if none is."""
        chance = self.chances[mode]
        if u >= chance:
            return None
        chosen, _ = Choice([part.out for part in self.parts]).pick(u / chance)
        return self.parts[chosen]


def forced(
    plan: Plan, targets: Sequence[Target], window: tuple[float, float], streams: Streams
) -> Plan:
    """*plan*, with the outages of those parts scripted that are out at a random instant."""
    begin, end = _instants(targets, window)
    instant = begin + streams.uniform(0, INSTANT, 0) * (end - begin)
    mode = int(streams.uniform(0, INSTANT, 1) * len(targets[0].chances))
    drawn = [streams.uniform(target.parts[0].renewal.entity, INSTANT, 0) for target in targets]
    picked = (target.pick(u, mode) for target, u in zip(targets, drawn, strict=True))
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
    reaches = [_reach(trace, target) for target in targets]
    times = np.concatenate([times for times, _ in reaches])
    order = np.argsort(times, kind="stable")
    spans = np.diff(np.concatenate([[begin], np.clip(times[order], begin, end), [end]]))
    modes = range(len(targets[0].chances))
    densities = [_density(targets, [r for _, r in reaches], mode, order) for mode in modes]
    return float((end - begin) / np.mean([np.sum(density * spans) for density in densities]))


def _density(
    targets: Sequence[Target], reaches: Sequence[Floats], mode: int, order: NDArray[np.intp]
) -> Floats:
    """The density in one mode, in each span between two changes."""
    chances = [target.chances[mode] for target in targets]
    level = math.fsum(math.log1p(-chance) for chance in chances)
    steps = [
        np.diff(np.log1p(chance / (1 - chance) / target.out * reach), prepend=0.0)
        for target, chance, reach in zip(targets, chances, reaches, strict=True)
    ]
    found: Floats = np.exp(level + np.append(0.0, np.cumsum(np.concatenate(steps)[order])))
    return found


def _reach(trace: Trace, target: Target) -> tuple[Floats, Floats]:
    """When more or fewer outages of a target reach, and how many do from then on."""
    begins, ends = zip(*(_outages(trace, part) for part in target.parts), strict=True)
    times = np.concatenate([*begins, *ends])
    order = np.argsort(times, kind="stable")
    step = np.repeat([1, -1], [sum(map(len, begins)), sum(map(len, ends))])
    return times[order], np.cumsum(step[order])


def _outages(trace: Trace, part: Part) -> tuple[Floats, Floats]:
    """When the outages of a part begin, and when they reach no longer."""
    mine = trace.subject == part.renewal.component
    mine &= trace.value == CAUSES.index(part.renewal.cause)
    failed = trace.time[mine & (trace.kind == Kind.FAIL)]
    return failed, trace.time[mine & (trace.kind == Kind.REPAIR)] + part.recovery


def most_weight(targets: Sequence[Target]) -> float:
    """The weight of a replication in which nothing is out in the window: none exceeds it."""
    modes = range(len(targets[0].chances))
    return 1 / (sum(math.prod(1 - t.chances[mode] for t in targets) for mode in modes) / len(modes))
