"""What the formulas need of a law of times: E[min(X, d)], P(X > d), and its least value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Any

from simulator.distributions import (
    Deterministic,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Mixture,
    Weibull,
)

_NORMAL = NormalDist()


def limited_mean(law: Distribution, limit: float) -> float:
    """E[min(X, limit)], s: the integral of the survival function up to *limit*."""
    return 0.0 if limit <= 0 else LIMITED[type(law)](law, limit)


def beyond(law: Distribution, limit: float) -> float:
    """P(X > limit)."""
    return 1.0 - law.cdf(limit)


def least(law: Distribution) -> float:
    """The largest time that X surely reaches, s."""
    if isinstance(law, Deterministic):
        return law.value
    if isinstance(law, Empirical):
        return law.values[0]
    if isinstance(law, Mixture):
        return min(least(part) for part in law.parts)
    return 0.0


def rate(law: Distribution) -> float | None:
    """The constant hazard of an exponential law, 1/s; None for any other law."""
    return 1 / law.mean if isinstance(law, Exponential) else None


def phase_mean(mean: float, interval: float) -> float:
    """E[X mod interval] of an exponential X of that *mean*, s: the age of the last heartbeat.

    X mod R is exponential, cut off at R: mean - R / (exp(R / mean) - 1).
    """
    ratio = interval / mean
    if ratio < 1e-4:  # the difference of two large numbers
        return interval * (1 / 2 - ratio / 12)
    return mean - interval / math.expm1(ratio)


def _exponential(law: Exponential, limit: float) -> float:
    return -law.mean * math.expm1(-limit / law.mean)


def _weibull(law: Weibull, limit: float) -> float:
    """The scale over the shape, times the lower incomplete gamma function at 1 / shape."""
    from scipy.special import gammainc

    shape = 1 / law.shape
    exponent = law.shape * math.log(limit / law.scale)
    return law.mean * float(gammainc(shape, math.exp(min(exponent, 700.0))))


def _lognormal(law: Lognormal, limit: float) -> float:
    z = (math.log(limit) - law.mu) / law.sigma
    return law.mean * _NORMAL.cdf(z - law.sigma) + limit * _NORMAL.cdf(-z)


def _gamma(law: Gamma, limit: float) -> float:
    from scipy.special import gammainc, gammaincc

    x = limit / law.scale
    return law.mean * float(gammainc(law.shape + 1, x)) + limit * float(gammaincc(law.shape, x))


def _empirical(law: Empirical, limit: float) -> float:
    return math.fsum(min(value, limit) for value in law.values) / len(law.values)


def _mixture(law: Mixture, limit: float) -> float:
    pairs = zip(law.weights, law.parts, strict=True)
    return math.fsum(w * limited_mean(part, limit) for w, part in pairs) / math.fsum(law.weights)


LIMITED: Mapping[type, Callable[[Any, float], float]] = {
    Exponential: _exponential,
    Weibull: _weibull,
    Lognormal: _lognormal,
    Gamma: _gamma,
    Deterministic: lambda law, limit: min(law.value, limit),
    Empirical: _empirical,
    Mixture: _mixture,
}
"""E[min(X, limit)] of each law."""
