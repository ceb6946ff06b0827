"""What formulas need of laws, against numerical integration and against sums by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from simulator.distributions import (
    Deterministic,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Mixture,
    Weibull,
)
from simulator.exact.laws import least, limited_mean, phase_mean

LAWS = [
    Exponential(100.0),
    Weibull(0.7, 80.0),
    Weibull(2.5, 120.0),
    Lognormal(4.0, 1.4),
    Gamma(2.3, 40.0),
    Mixture((0.95, 0.05), (Lognormal(4.0, 0.3), Exponential(900.0))),
]


@pytest.mark.parametrize("limit", [0.5, 30.0, 400.0])
@pytest.mark.parametrize("law", LAWS, ids=str)
def test_a_limited_mean_is_the_integral_of_the_survival(law, limit):
    integral, _ = quad(lambda x: 1 - law.cdf(x), 0, limit, limit=200, epsabs=1e-10)
    assert limited_mean(law, limit) == pytest.approx(integral, rel=1e-7)


@pytest.mark.parametrize("law", [*LAWS, Deterministic(50.0), Empirical((10.0, 90.0))], ids=str)
def test_without_a_limit_it_is_the_mean(law):
    assert limited_mean(law, 1e12) == pytest.approx(law.mean, rel=1e-9)
    assert limited_mean(law, 0.0) == 0


def test_steps_by_hand():
    """min(50, 30) = 30; (10 + 30) / 2 = 20."""
    assert limited_mean(Deterministic(50.0), 30.0) == 30
    assert limited_mean(Empirical((10.0, 90.0)), 30.0) == 20
    assert least(Mixture((1.0, 1.0), (Deterministic(7.0), Empirical((5.0, 9.0))))) == 5
    assert least(Exponential(3.0)) == 0


@pytest.mark.parametrize("mean", [1.0, 30.0, 72_000.0, 1e9])
def test_the_phase_of_a_failure_among_heartbeats(mean):
    """E[X mod 4] of an exponential X, drawn: half an interval if it fails rarely."""
    drawn = np.random.default_rng(1).exponential(mean, 400_000) % 4
    error = drawn.std() / math.sqrt(drawn.size)
    assert abs(phase_mean(mean, 4.0) - drawn.mean()) < 4 * error
