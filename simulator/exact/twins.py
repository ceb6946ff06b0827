"""Sharper means by a control variate: the nodes' own availability, whose exact mean is known.

A metric y that a node's outage moves as much as it moves `node.availability`, c, is corrected by
y - (c - E c): its mean is the same, exactly, and what it shares with c is gone (Lavenberg and
Welch, Management Science 27, 1981). The coefficient is 1 because a router, a network, or a VM's
way out is lost with its node for as long as that is down. It is not estimated from the same
values: where these are skewed, as downtime is, an estimated one gives intervals that miss often
(of a metric c + c^2 / 10 with c lognormal, sigma 1, one in three at n = 100).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulator.analysis.confidence import mean_interval
from simulator.analysis.results import ResultSet
from simulator.analysis.statistics import SOUND, Estimate
from simulator.exact.answers import answers
from simulator.trace import Floats

TWIN = "node.availability"
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

    Not where `node.availability` has no exact mean, nor where fewer than SOUND replications are
    unlike the others, before the correction or after it.
    """
    off = {name: _off(result, name) for name in result.variants}
    baseline = result.scenario.baseline
    others = [name for name in result.variants if name != baseline]
    pairs = [(name, "") for name in result.variants] + [(name, baseline) for name in others]
    found = (_one(result, metric, pair, off) for pair in pairs for metric in MOVES)
    return [one for one in found if one is not None]


def _off(result: ResultSet, variant: str) -> Floats | None:
    """How far the twin is off its exact mean in each replication; None if that is not known."""
    answer = answers(result.scenario, variant).found.get(TWIN)
    values = result.samples[variant].values.get(TWIN)
    if answer is None or not answer.exact or values is None:
        return None
    return values - answer.value


def _one(
    result: ResultSet, metric: str, pair: tuple[str, str], off: Mapping[str, Floats | None]
) -> Corrected | None:
    """*metric* of a variant, or of the difference of a *pair*; None if it cannot be corrected."""
    found = [
        (result.samples[name].values.get(metric), off[name]) for name in pair if name
    ]  # fmt: skip
    columns = [column for part in found for column in part if column is not None]
    if len(columns) < 2 * len(found):
        return None
    table = np.array(columns)[:, ~np.isnan(columns).any(axis=0)]
    values, twin = (
        (table[0], table[1]) if not pair[1] else (table[0] - table[2], table[1] - table[3])
    )
    better = values - MOVES[metric] * twin
    if not (_varies(values) and _varies(better)):
        return None
    plain = result.difference(metric, pair[0]) if pair[1] else result.estimate(metric, pair[0])
    low, top = mean_interval(better, result.confidence)
    estimate = replace(
        plain, mean=float(np.mean(better)), ci_low=max(low, -1.0 if pair[1] else 0.0),
        ci_high=min(top, 1.0), n=better.size, note=None, unseen=False, doubtful=False,
    )  # fmt: skip
    factor = float(np.var(values, ddof=1) / np.var(better, ddof=1))
    return Corrected(*pair, metric, plain, estimate, factor)


def _varies(values: Floats) -> bool:
    """Whether enough of *values* are unlike the most frequent one for their spread to be known."""
    return values.size - int(np.unique(values, return_counts=True)[1].max(initial=0)) >= SOUND
