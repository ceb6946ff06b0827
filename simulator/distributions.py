"""Distributions of times (and of loads), as frozen values.

A draw is a pure function of uniform numbers in (0, 1), so that a stream of draws can be indexed,
replayed and shared between variants (common random numbers):

`sample(u)`       a value, the quantile at probability u (a mixture spends part of u on its choice)
`cdf(x)`          the probability of at most x
`between(u, low, high)`  a value given that low < value <= high
`residual(u, v)`  the forward recurrence time of a renewal process in equilibrium: what is left,
                  at a random instant, of the interval then running (Cox, Renewal Theory, ch. 5)
`length_biased(u)` the whole length of that interval: x occurs in proportion to x
`mean`            of the distribution

Means and parameters are seconds (or bit/s, where a load is meant).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from statistics import NormalDist
from typing import Protocol

_NORMAL = NormalDist()


class Distribution(Protocol):
    """A distribution on the positive numbers."""

    @property
    def mean(self) -> float:
        """The expected value."""

    def sample(self, u: float, /) -> float:
        """The value at probability *u*, 0 < u < 1."""

    def cdf(self, x: float, /) -> float:
        """The probability of a value of at most *x*."""

    def between(self, u: float, low: float, high: float, /) -> float:
        """A value given that it is over *low* and at most *high*."""

    def residual(self, u: float, v: float, /) -> float:
        """The equilibrium residual life for two independent uniforms *u* and *v*."""

    def length_biased(self, u: float, /) -> float:
        """The length, at probability *u*, of the interval that a random instant falls into."""


def _inverted(law: Distribution, u: float, low: float, high: float) -> float:
    """`between` by the quantile function, for a law that has an inverse."""
    below = law.cdf(low)
    level = below + u * (law.cdf(high) - below)
    value = law.sample(min(max(level, 2.0**-54), 1 - 2.0**-53))
    return min(max(value, math.nextafter(low, math.inf)), high)


@dataclass(frozen=True)
class Exponential:
    """Constant hazard."""

    mean: float

    def sample(self, u: float) -> float:
        return -self.mean * math.log1p(-u)

    def cdf(self, x: float) -> float:
        return -math.expm1(-x / self.mean) if x > 0 else 0.0

    def between(self, u: float, low: float, high: float) -> float:
        return _inverted(self, u, low, high)

    def residual(self, u: float, v: float) -> float:
        return self.sample(u)  # it has no memory

    def length_biased(self, u: float) -> float:
        return self.mean * _gamma_quantile(2.0, u)


LARGEST_EXPONENT = 700.0
"""exp() of more than this overflows."""


@dataclass(frozen=True)
class Weibull:
    """Hazard that falls (shape < 1) or rises (shape > 1) with age."""

    shape: float
    scale: float

    @classmethod
    def with_mean(cls, shape: float, mean: float) -> Weibull:
        return cls(shape, mean / math.gamma(1 + 1 / shape))

    @property
    def mean(self) -> float:
        return self.scale * math.gamma(1 + 1 / self.shape)

    def sample(self, u: float) -> float:
        return float(self.scale * (-math.log1p(-u)) ** (1 / self.shape))

    def cdf(self, x: float) -> float:
        if x <= 0:
            return 0.0
        exponent = self.shape * math.log(x / self.scale)
        return -math.expm1(-math.exp(exponent)) if exponent < LARGEST_EXPONENT else 1.0

    def between(self, u: float, low: float, high: float) -> float:
        return _inverted(self, u, low, high)

    def residual(self, u: float, v: float) -> float:
        """The residual r has (r / scale)**shape ~ gamma(1 / shape): integrate the survival."""
        return float(self.scale * _gamma_quantile(1 / self.shape, u) ** (1 / self.shape))

    def length_biased(self, u: float) -> float:
        """(length / scale)**shape ~ gamma(1 + 1 / shape)."""
        return float(self.scale * _gamma_quantile(1 + 1 / self.shape, u) ** (1 / self.shape))


@dataclass(frozen=True)
class Lognormal:
    """The exponential of a normal variable with mean *mu* and standard deviation *sigma*."""

    mu: float
    sigma: float

    @classmethod
    def with_median(cls, median: float, sigma: float) -> Lognormal:
        return cls(math.log(median), sigma)

    @classmethod
    def with_mean(cls, mean: float, sigma: float) -> Lognormal:
        return cls(math.log(mean) - sigma**2 / 2, sigma)

    @property
    def mean(self) -> float:
        return math.exp(self.mu + self.sigma**2 / 2)

    def sample(self, u: float) -> float:
        return math.exp(self.mu + self.sigma * _NORMAL.inv_cdf(u))

    def cdf(self, x: float) -> float:
        return _NORMAL.cdf((math.log(x) - self.mu) / self.sigma) if x > 0 else 0.0

    def between(self, u: float, low: float, high: float) -> float:
        return _inverted(self, u, low, high)

    def residual(self, u: float, v: float) -> float:
        return v * self.length_biased(u)

    def length_biased(self, u: float) -> float:
        """Lognormal(mu + sigma**2, sigma)."""
        return math.exp(self.mu + self.sigma**2 + self.sigma * _NORMAL.inv_cdf(u))


@dataclass(frozen=True)
class Gamma:
    """Sum of *shape* exponential stages, for any positive shape."""

    shape: float
    scale: float

    @classmethod
    def with_mean(cls, shape: float, mean: float) -> Gamma:
        return cls(shape, mean / shape)

    @property
    def mean(self) -> float:
        return self.shape * self.scale

    def sample(self, u: float) -> float:
        return self.scale * _gamma_quantile(self.shape, u)

    def cdf(self, x: float) -> float:
        from scipy.special import gammainc  # loaded only where a scenario needs it

        return float(gammainc(self.shape, x / self.scale)) if x > 0 else 0.0

    def between(self, u: float, low: float, high: float) -> float:
        return _inverted(self, u, low, high)

    def residual(self, u: float, v: float) -> float:
        return v * self.length_biased(u)

    def length_biased(self, u: float) -> float:
        """Gamma(shape + 1)."""
        return self.scale * _gamma_quantile(self.shape + 1, u)


@dataclass(frozen=True)
class Deterministic:
    """Always the same value."""

    value: float

    @property
    def mean(self) -> float:
        return self.value

    def sample(self, u: float) -> float:
        return self.value

    def cdf(self, x: float) -> float:
        return float(x >= self.value)

    def between(self, u: float, low: float, high: float) -> float:
        return self.value

    def residual(self, u: float, v: float) -> float:
        return v * self.length_biased(u)

    def length_biased(self, u: float) -> float:
        return self.value


@dataclass(frozen=True)
class Mixture:
    """One of several distributions, by weight; weights need not sum to 1."""

    weights: tuple[float, ...]
    parts: tuple[Distribution, ...]
    _chance: Choice = field(init=False, repr=False, compare=False)
    _length_biased: Choice = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lengths = [w * p.mean for w, p in zip(self.weights, self.parts, strict=True)]
        object.__setattr__(self, "_chance", Choice(self.weights))
        object.__setattr__(self, "_length_biased", Choice(lengths))

    @cached_property
    def mean(self) -> float:
        pairs = zip(self.weights, self.parts, strict=True)
        return sum(w * p.mean for w, p in pairs) / sum(self.weights)

    def sample(self, u: float) -> float:
        part, rest = self._chance.pick(u)
        return self.parts[part].sample(rest)

    def cdf(self, x: float) -> float:
        pairs = zip(self.weights, self.parts, strict=True)
        return sum(w * p.cdf(x) for w, p in pairs) / sum(self.weights)

    def between(self, u: float, low: float, high: float) -> float:
        pairs = zip(self.weights, self.parts, strict=True)
        part, rest = Choice([w * (p.cdf(high) - p.cdf(low)) for w, p in pairs]).pick(u)
        return self.parts[part].between(rest, low, high)

    def residual(self, u: float, v: float) -> float:
        part, rest = self._length_biased.pick(u)
        return self.parts[part].residual(rest, v)

    def length_biased(self, u: float) -> float:
        part, rest = self._length_biased.pick(u)
        return self.parts[part].length_biased(rest)


@dataclass(frozen=True)
class Empirical:
    """Each of the observed *values* with equal chance."""

    values: tuple[float, ...]
    _length_biased: Choice = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(sorted(self.values)))
        object.__setattr__(self, "_length_biased", Choice(self.values))

    @cached_property
    def mean(self) -> float:
        return math.fsum(self.values) / len(self.values)

    def sample(self, u: float) -> float:
        return self.values[int(u * len(self.values))]

    def cdf(self, x: float) -> float:
        return bisect_right(self.values, x) / len(self.values)

    def between(self, u: float, low: float, high: float) -> float:
        first, last = bisect_right(self.values, low), bisect_right(self.values, high)
        return self.values[first + int(u * (last - first))]

    def residual(self, u: float, v: float) -> float:
        return v * self.length_biased(u)

    def length_biased(self, u: float) -> float:
        index, _ = self._length_biased.pick(u)
        return self.values[index]


class Choice:
    """Picks an index by weight from one uniform, and hands back a fresh uniform."""

    def __init__(self, weights: Sequence[float]):
        total = math.fsum(weights)
        bounds = [bound / total for bound in accumulate(weights)]
        last = max(i for i, weight in enumerate(weights) if weight > 0)
        bounds[last:] = [1.0] * (len(bounds) - last)  # rounding must not reach past the end
        self._bounds = bounds

    def pick(self, u: float) -> tuple[int, float]:
        """The index whose interval holds *u*, and where in that interval *u* lies, in (0, 1)."""
        index = bisect_right(self._bounds, u)
        low = self._bounds[index - 1] if index else 0.0
        rest = (u - low) / (self._bounds[index] - low)
        return index, min(max(rest, 2.0**-54), 1 - 2.0**-53)


def _gamma_quantile(shape: float, u: float) -> float:
    from scipy.special import gammaincinv  # loaded only where a scenario needs it

    return float(gammaincinv(shape, u))
