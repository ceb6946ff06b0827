"""Means of weighted replications (importance sampling), and when they are not to be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.analysis.confidence import Interval, mean_interval
from simulator.trace import Floats

LEAST_HITS = 50
MOST_ERROR = 0.25
MOST_SHARE = 0.1
LEAST_GAIN = 0.5
LEAST_CHANCE = 1e-4
"""Of weights that average as little or as much as these do."""


@dataclass(frozen=True)
class Weighted:
    """The mean of values times weights over *n* replications, whose natural expectation it has.

    *interval* is its 95 % interval and *error* its standard error, *hits* the replications whose
    value is not zero, *largest* the largest part that one of them has of the sum. *weight* is the
    mean of all weights, whose expectation is 1 and of which none exceeds *most*.
    *natural_variance* is the estimated variance of the metric in replications as they are.
    """

    mean: float
    interval: Interval
    error: float
    n: int
    unit: str
    hits: int
    largest: float
    weight: float
    most: float
    natural_variance: float

    @property
    def relative_error(self) -> float:
        """The standard error over the mean; infinity where nothing was seen."""
        return self.error / self.mean if self.mean else math.inf

    @property
    def gain(self) -> float:
        """How many replications as they are would be needed for one of these."""
        variance = self.error**2 * self.n
        return self.natural_variance / variance if variance else math.inf

    @property
    def chance(self) -> float:
        """At most so likely are weights whose mean is as far from 1 on that side, or farther.

        Hoeffding, JASA 1963, theorem 1, for independent numbers between 0 and *most*.
        """
        found, expected = min(self.weight / self.most, 1.0), 1 / self.most
        return math.exp(-self.n * (_part(found, expected) + _part(1 - found, 1 - expected)))

    @cached_property
    def doubts(self) -> list[str]:
        """Why the estimate is not to be trusted; empty if it is."""
        doubts = []
        if self.hits < LEAST_HITS:
            doubts.append(f"only {self.hits} of {self.n} replications saw it, {LEAST_HITS} needed")
        if self.hits and self.relative_error > MOST_ERROR:
            doubts.append(f"the relative error is {self.relative_error:.0%}, over {MOST_ERROR:.0%}")
        if self.largest > MOST_SHARE:
            doubts.append(f"one replication makes {self.largest:.0%} of it, over {MOST_SHARE:.0%}")
        if self.hits and self.gain < LEAST_GAIN:
            doubts.append("natural runs are surer: use `netnode run`")
        if self.chance < LEAST_CHANCE:
            doubts.append(f"weights average {self.weight:.3g}, where 1 is expected")
        return doubts


def _part(found: float, expected: float) -> float:
    """One part of the relative entropy of two chances."""
    return found * math.log(found / expected) if found else 0.0


def weighted(
    values: Floats, weights: Floats, *, most: float, unit: str, high: float | None = None
) -> Weighted:
    """The weighted mean of *values*, which lie between 0 and *high* (None: no end).

    No weight exceeds *most* > 1.
    """
    n, parts = values.size, values * weights
    mean, total = float(parts.mean()), float(parts.sum())
    low, top = mean_interval(parts)
    return Weighted(
        mean=mean,
        interval=(max(low, 0.0), top if high is None else min(top, high)),
        error=float(parts.std(ddof=1)) / math.sqrt(n),
        n=n,
        unit=unit,
        hits=int(np.count_nonzero(parts)),
        largest=float(parts.max()) / total if total else 0.0,
        weight=float(weights.mean()),
        most=most,
        natural_variance=max(float(np.mean(values**2 * weights)) - mean**2, 0.0),
    )
