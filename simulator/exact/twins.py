"""Sharper means by a control variate: the nodes' own availability, whose exact mean is known.

A metric y that a node's outage moves as much as it moves `node.availability`, c, is corrected by
y - (c - E c): its mean is the same, exactly, and what it shares with c is gone (Lavenberg and
Welch, Management Science 27, 1981). The coefficient is 1 because a router, a network, or a VM's
way out is lost with its node for as long as that is down. It is not estimated from the same
values: where these are skewed, as downtime is, an estimated one gives intervals that miss often
(of a metric c + c^2 / 10 with c lognormal, sigma 1, one in three at n = 100).

What is left must be seen often enough for its spread to be known. So nothing is corrected where
other things fail than hosts, NICs and uplinks on the objects' way: a node that is back while the
broker is away is so rare, and costs so much, that no run of some hundred years knows how much (with
the rates of a whole data centre such intervals held 72 of 100 times). Nor is a metric on whose way,
or the twin's, something fails too seldom (`analysis/rarity.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.analysis.metrics import METRICS
from simulator.analysis.rarity import carries, is_harmless
from simulator.analysis.results import ResultSet
from simulator.analysis.statistics import SOUND, Estimate, usual
from simulator.exact.answers import answers
from simulator.scenario.components import Component, components, failures_of
from simulator.scenario.schema import System
from simulator.trace import Floats

TWIN = "node.availability"
ROUNDING = 12
"""Digits of a share of time that are not rounding's."""
MOVES: Mapping[str, float] = {
    "router.availability": 1.0,
    "router.east_west_availability": 1.0,
    "router.downtime_host": -1.0,
    "network.availability": 1.0,
    "vm.north_south_availability": 1.0,
    "tenant.availability": 1.0,
}
"""By how much a metric goes up with the nodes' availability, if nothing else matters."""


@dataclass(frozen=True)
class Corrected:
    """One metric of a variant, or (with *minus*) of its difference to another: as it is, and
    corrected.

    *factor* is how many times smaller the correction makes the variance: so many times fewer
    replications do. Below 1 it harms.
    """

    variant: str
    minus: str
    metric: str
    plain: Estimate
    estimate: Estimate
    factor: float


def control_variate(result: ResultSet) -> list[Corrected]:
    """Every metric in MOVES, and its differences, that *result* can be corrected in.

    Not where `node.availability` has no exact mean or other things fail, where a replication has
    no value, nor where fewer than SOUND replications are unlike the others, before the correction
    or after it.
    """
    off = {name: _off(result, name) for name in result.variants}
    baseline = result.scenario.baseline
    others = [name for name in result.variants if name != baseline]
    pairs = [(name, "") for name in result.variants] + [(name, baseline) for name in others]
    found = (_one(result, metric, pair, off) for pair in pairs for metric in MOVES)
    return [one for one in found if one is not None]


def _off(result: ResultSet, variant: str) -> Floats | None:
    """How far the twin is off its exact mean in each replication; None if that is of no use."""
    values = result.samples[variant].values.get(TWIN)
    if values is None or _stranger(result.scenario.variants[variant]):
        return None
    answer = answers(result.scenario, variant).found.get(TWIN)
    return values - answer.value if answer and answer.exact else None


def hindrance(result: ResultSet) -> str:
    """Why nothing of *result* was corrected, in words."""
    for variant in result.variants:
        part = _stranger(result.scenario.variants[variant])
        if part:
            return f"{part.name} fails, which matters only with what it meets"
        if _off(result, variant) is None:
            return f"{TWIN} has no exact mean in {variant}"
    reaches = [result.reach(metric, v) for v in result.variants for metric in (*MOVES, TWIN)]
    rare = dict.fromkeys(name for reach in reaches for name in reach.names)
    if rare:
        return f"failures of {', '.join(rare)} are too rare to be seen"
    return "too few replications saw anything"


def _stranger(system: System) -> Component | None:
    """The first component that fails and matters, though not by itself."""
    laws = ((part, failures_of(system, part)) for part in components(system))
    failing = (part for part, failures in laws if failures and failures.outages != ())
    return next((part for part in failing if not _is_on_the_way(system, part)), None)


def _is_on_the_way(system: System, part: Component) -> bool:
    """Whether *part* matters by itself, or to nobody."""
    return carries(system, part) != frozenset() or is_harmless(system, part)


def _one(
    result: ResultSet, metric: str, pair: tuple[str, str], off: Mapping[str, Floats | None]
) -> Corrected | None:
    """*metric* of a variant, or of the difference of a *pair*; None if it cannot be corrected.

    It must be defined in every replication: of those in which it is, the twin has another mean.
    """
    variants = [name for name in pair if name]
    if any(result.reach(what, name).names for name in variants for what in (metric, TWIN)):
        return None
    parts = [part for v in variants for part in (result.samples[v].values.get(metric), off[v])]
    columns = [part for part in parts if part is not None]
    if len(columns) < len(parts) or np.isnan(columns).any():
        return None
    table = np.array(columns)
    values, twin = table[:2] - table[2:] if pair[1] else table
    better = values - MOVES[metric] * twin
    if not all(map(_varies, (values, twin, better))):
        return None
    plain = result.difference(metric, pair[0]) if pair[1] else result.estimate(metric, pair[0])
    factor = float(np.var(values, ddof=1) / np.var(better, ddof=1))
    ends = (-math.inf, math.inf) if pair[1] else (0.0, 1.0)
    found = usual(better, *ends, unit=METRICS[metric].unit, confidence=result.confidence)
    return Corrected(*pair, metric, plain, found, factor)


def _varies(values: Floats) -> bool:
    """Whether enough of *values* are unlike the most frequent one for their spread to be known.

    What rounding alone tells apart is the same.
    """
    _, counts = np.unique(np.round(values, ROUNDING), return_counts=True)
    return values.size - int(counts.max(initial=0)) >= SOUND
