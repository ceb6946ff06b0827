"""Replications in which some components have failed at one random instant, and their weights.

Importance sampling for what hardly ever happens. An instant is drawn uniformly from the window, and
each target is held to be down at it with a chance of its own; its outages are then drawn from what
they are given that: the repair under way is length-biased, and the instant lies anywhere in it (the
inspection paradox; Cox, Renewal Theory, ch. 5). All else goes its natural way. Since failure clocks
run on whatever else holds, nothing but the targets' outages has another chance than it would have,
and their density against the natural one is known exactly:

    average over the instants t of the product over targets of (1 - p) + p [down at t] / U

with p a target's chance and U its unavailability. A replication's *weight* is the inverse of that,
so weighted means of any metric have the natural expectation. As the average over all instants is
taken, not the one drawn, this is the balance heuristic (Veach and Guibas, SIGGRAPH 1995), and no
weight exceeds the product of 1 / (1 - p).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.clock import TICK, quantize
from simulator.trace import Floats, Kind, Trace
from simulator.world.cluster import CAUSES
from simulator.world.plan import Plan, Renewal, Script
from simulator.world.streams import Stream, Streams, stable_hash

INSTANT = stable_hash("the instant at which components are held down")
HELD = stable_hash("failures of a component that is held down at an instant")


@dataclass(frozen=True)
class Target:
    """A component that is held down at the instant with *chance*, 0 < chance < 1."""

    renewal: Renewal
    chance: float

    @property
    def unavailability(self) -> float:
        """The share of time that it is down."""
        down = self.renewal.time_to_repair.mean
        return down / (self.renewal.time_to_failure.mean + down)


def forced(
    plan: Plan, targets: Sequence[Target], window: tuple[float, float], streams: Streams
) -> Plan:
    """*plan*, with the outages of those targets scripted that are down at a random instant."""
    begin, end = window
    instant = begin + streams.uniform(0, INSTANT, 0) * (end - begin)
    held = [t for t in targets if streams.uniform(t.renewal.entity, INSTANT, 0) < t.chance]
    entities = {target.renewal.entity for target in held}
    scripts = [_script(target.renewal, instant, plan.horizon, streams) for target in held]
    natural = [renewal for renewal in plan.renewals if renewal.entity not in entities]
    return replace(plan, renewals=natural, scripts=[*plan.scripts, *scripts])


def _script(renewal: Renewal, instant: float, horizon: float, streams: Streams) -> Script:
    """The outages of *renewal* in [0, horizon), given that it is down at *instant*."""
    draws = streams.stream(renewal.entity, HELD)
    length = renewal.time_to_repair.length_biased(draws.uniform())
    gone = draws.uniform() * length
    begin = quantize(instant - gone)
    end = max(quantize(instant + length - gone), begin + TICK)
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
    begin, end = window
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
    """When a target failed or was repaired, and what that adds to the density's logarithm."""
    mine = trace.subject == target.renewal.component
    mine &= trace.value == CAUSES.index(target.renewal.cause)
    failed = trace.time[mine & (trace.kind == Kind.FAIL)]
    repaired = trace.time[mine & (trace.kind == Kind.REPAIR)]
    odds = target.chance / (1 - target.chance) / target.unavailability
    step = math.log1p(odds)
    times = np.concatenate([failed, repaired])
    return times, np.repeat([step, -step], [failed.size, repaired.size])
