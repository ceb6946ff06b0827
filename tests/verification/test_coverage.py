"""How often intervals contain the truth: named laws, methods and numbers of replications.

Nominal 95 % intervals are to contain the truth 93 % of the time or more, and at most 97 % for
continuous laws with n of 200 or more. Each figure comes from 4,000 trials, whose standard error is
0.4 points at 93 % and 0.27 at 97 %. An assertion fails if coverage is outside by more than 2.33 of
them: an interval that just keeps the limit passes with 99 %, one that holds only 91.5 % is found
with 96 %. The seeds are fixed.

An interval that is marked (`doubtful`: too few replications) claims nothing. So what is counted is
the share of trials that claim something wrong: at most 7 %. A sample without a tail looks sound and
may be what was drawn from a law that has one, so the marked ones are not left out of the trials.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from simulator.analysis.quantiles import quantile
from simulator.analysis.statistics import difference, estimate
from simulator.distributions import Exponential, Lognormal, Weibull

pytestmark = pytest.mark.no_cover

TRIALS = 4000
SHARE_MISSED, SHARE_MISSED_AT_LEAST = 0.07, 0.03
Z = 2.33  # one-sided chance 1 %
YEAR, MTTF, MTTR = 8760.0, 1000.0, 8.0
LAWS = {
    "normal": stats.norm(9, 1),
    "exponential": stats.expon(),
    "lognormal 1": stats.lognorm(1.0),
    "lognormal 1.4": stats.lognorm(1.4),
    "lognormal 2": stats.lognorm(2.0),
    "weibull 0.5": stats.weibull_min(0.5),
}


@dataclass(frozen=True)
class Case:
    """What is drawn, and what its mean (or the difference of two) is in truth."""

    draw: Callable[[Any, tuple[int, int]], Any]
    truth: float
    high: float | None = None
    counts: bool = False
    paired: bool | None = None
    continuous: bool = True

    def estimate(self, values):
        keys = {"unit": "s", "high": self.high, "counts": self.counts}
        if self.paired is None:
            return estimate(values, **keys)
        return difference(*values, paired=self.paired, **keys)


def law(frozen):
    return Case(lambda rng, size: frozen.ppf(rng.random(size)), float(frozen.mean()))


def sometimes(chance, frozen, high=None):
    """Zero, and with *chance* a value of the law: as the time in which all nodes are down."""
    draw = lambda rng, size: (rng.random(size) < chance) * frozen.ppf(rng.random(size))  # noqa: E731
    return Case(draw, chance * float(frozen.mean()), high, continuous=False)


def share(chance):
    draw = lambda rng, size: (rng.random(size) < chance).astype(float)  # noqa: E731
    return Case(draw, chance, 1.0, continuous=False)


def counts(mean):
    draw = lambda rng, size: rng.poisson(mean, size).astype(float)  # noqa: E731
    return Case(draw, mean, counts=True, continuous=False)


def a_years(repair, mttf=MTTF, *, available=False):
    """A year's downtime (h) or availability of a component that fails and is repaired.

    An alternating renewal process in equilibrium, of the simulator's own distributions.
    """
    down = MTTR / (mttf + MTTR)
    sure = special.expit(math.log(mttf / MTTR))

    def draw(rng, size):
        found, clock = np.zeros(size), np.zeros(size)
        failed = rng.random(size) > sure
        rest = repair["residual"](rng.random(size), rng.random(size))
        clock += np.where(failed, rest, 0)
        found += np.where(failed, np.minimum(rest, YEAR), 0)
        while np.any(clock < YEAR):
            clock += -mttf * np.log1p(-rng.random(size))
            lasts = repair["sample"](rng.random(size))
            found += np.clip(YEAR - clock, 0, lasts)
            clock += lasts
        return 1 - found / YEAR if available else found

    truth, high = (1 - down, 1.0) if available else (down * YEAR, YEAR)
    return Case(draw, truth, high, continuous=mttf < YEAR)


def lognormal_repair(sigma):
    given = Lognormal.with_mean(MTTR, sigma)
    normal = special.ndtri

    def residual(u, v):
        return v * np.exp(given.mu + given.sigma**2 + given.sigma * normal(u))

    return {
        "law": given,
        "sample": lambda u: np.exp(given.mu + given.sigma * normal(u)),
        "residual": residual,
    }


def weibull_repair(shape):
    given = Weibull.with_mean(shape, MTTR)
    return {
        "law": given,
        "sample": lambda u: given.scale * (-np.log1p(-u)) ** (1 / shape),
        "residual": lambda u, v: given.scale * special.gammaincinv(1 / shape, u) ** (1 / shape),
    }


def correlated(sigma, gain):
    """Two lognormal values with common random numbers, correlation 0.9 of the logarithms."""

    def draw(rng, size):
        first, other = rng.standard_normal(size), rng.standard_normal(size)
        second = 0.9 * first + math.sqrt(1 - 0.81) * other
        return (1 + gain) * np.exp(sigma * first), np.exp(sigma * second)

    return Case(draw, gain * math.exp(sigma**2 / 2), paired=True)


def correlated_normal(rng, size):
    common = rng.normal(9, 1, size)
    return common + rng.normal(0.1, 0.3, size), common + rng.normal(0, 0.3, size)


def changed(more, less):
    """The same in both, but for a share that has *more* in the one and one with *less*."""

    def draw(rng, size):
        common, which = rng.exponential(1, size), rng.random(size)
        plus = (which < more) * rng.exponential(1, size)
        return common + plus, common + (which > 1 - less) * rng.exponential(1, size)

    return Case(draw, more - less, paired=True, continuous=False)


def pairs(both, first, second):
    """Values 0 and 1 with these chances of being 1 in both, in the first or in the second only."""

    def draw(rng, size):
        which = rng.random(size)
        a = which < both + first
        b = (which < both) | ((which >= both + first) & (which < both + first + second))
        return a.astype(float), b.astype(float)

    return Case(draw, first - second, 1.0, paired=True, continuous=False)


def apart(a, b):
    draw = lambda rng, size: (a.draw(rng, size), b.draw(rng, size))  # noqa: E731
    continuous = a.continuous and b.continuous
    return Case(draw, a.truth - b.truth, a.high, a.counts, paired=False, continuous=continuous)


CASES = {
    **{name: law(frozen) for name, frozen in LAWS.items()},
    "downtime of a year, lognormal repair 1.4": a_years(lognormal_repair(1.4)),
    "downtime of a year, lognormal repair 2": a_years(lognormal_repair(2.0)),
    "downtime of a year, weibull repair 0.5": a_years(weibull_repair(0.5)),
    "availability of a year, lognormal repair 1.4": a_years(lognormal_repair(1.4), available=True),
    "downtime of a year, a failure in ten years": a_years(lognormal_repair(1.4), 10 * YEAR),
    "exponential in 30 %": sometimes(0.3, stats.expon()),
    "exponential in 5 %": sometimes(0.05, stats.expon()),
    "exponential in 1 %, bounded": sometimes(0.01, stats.expon(), 8760.0),
    "lognormal 1.4 in 30 %": sometimes(0.3, stats.lognorm(1.4)),
    "lognormal 1.4 in 5 %": sometimes(0.05, stats.lognorm(1.4)),
    **{f"share {p}": share(p) for p in (0.001, 0.01, 0.02, 0.05, 0.1, 0.3, 0.5, 0.9, 0.99)},
    **{f"counts {mean}": counts(mean) for mean in (0.02, 0.1, 0.5, 3.0)},
    "paired, normal": Case(correlated_normal, 0.1, paired=True),
    "paired, lognormal 1": correlated(1.0, 0.1),
    "paired, lognormal 1.4": correlated(1.4, 0.1),
    "paired, 5 % more": changed(0.05, 0.0),
    "paired, 5 % more and 5 % less": changed(0.05, 0.05),
    "paired, 30 % more and 20 % less": changed(0.3, 0.2),
    "paired shares, 2 % and 1 %": pairs(0.05, 0.02, 0.01),
    "paired shares, 5 % and never": pairs(0.0, 0.05, 0.0),
    "paired shares, 10 % and 30 %": pairs(0.4, 0.1, 0.3),
    "paired shares, nearly all": pairs(0.9, 0.05, 0.01),
    "apart, normal": apart(law(LAWS["normal"]), law(stats.norm(8, 3))),
    "apart, exponential": apart(law(stats.expon()), law(stats.expon(scale=2))),
    "apart, lognormal 1.4": apart(law(stats.lognorm(1.4, scale=2)), law(LAWS["lognormal 1.4"])),
    "apart, equal lognormal 1.4": apart(law(LAWS["lognormal 1.4"]), law(LAWS["lognormal 1.4"])),
    "apart, shares 10 % and 5 %": apart(share(0.1), share(0.05)),
    "apart, shares 1 % and 1 %": apart(share(0.01), share(0.01)),
    "apart, counts 0.5 and 0.1": apart(counts(0.5), counts(0.1)),
}
NUMBERS = (5, 10, 20, 50, 200, 1000)
QUICK = [
    ("lognormal 1.4", 20),
    ("normal", 200),
    ("downtime of a year, lognormal repair 1.4", 50),
    ("availability of a year, lognormal repair 1.4", 200),
    ("exponential in 5 %", 50),
    ("share 0.01", 50),
    ("counts 0.1", 20),
    ("paired, lognormal 1.4", 50),
    ("paired, 5 % more and 5 % less", 200),
    ("paired shares, 2 % and 1 %", 50),
    ("apart, lognormal 1.4", 50),
]


def claims_missed(case, n, trials=TRIALS):
    """The share of *trials* whose interval misses the truth, among all; and unmarked ones only."""
    values = np.asarray(case.draw(np.random.default_rng(n), (trials, n)))
    samples = values if case.paired is None else np.moveaxis(values, 0, 1)
    missed = marked = 0
    claimed_wrong = 0
    for sample in samples:
        found = case.estimate(sample)
        miss = not covers(found, case.truth)
        silent = found.doubtful or (case.paired is True and found.ci_low == found.ci_high)
        missed += miss
        marked += silent
        claimed_wrong += miss and not silent
    return missed / trials, claimed_wrong / trials, marked / trials


def covers(found, truth):
    low = -math.inf if found.ci_low is None else found.ci_low
    high = math.inf if found.ci_high is None else found.ci_high
    return low - 1e-9 <= truth <= high + 1e-9


def assert_holds(name, n):
    case = CASES[name]
    missed, wrong, _ = claims_missed(case, n)
    most = SHARE_MISSED + Z * math.sqrt(SHARE_MISSED * (1 - SHARE_MISSED) / TRIALS)
    assert wrong <= most
    if n >= 200:
        if case.paired is not True or case.continuous:
            assert missed <= most  # whether marked or not
        if case.continuous:
            spread = math.sqrt(SHARE_MISSED_AT_LEAST * (1 - SHARE_MISSED_AT_LEAST) / TRIALS)
            assert missed >= SHARE_MISSED_AT_LEAST - Z * spread


@pytest.mark.parametrize(("name", "n"), QUICK)
def test_intervals_contain_the_truth(name, n):
    assert_holds(name, n)


@pytest.mark.slow
@pytest.mark.parametrize("n", NUMBERS)
@pytest.mark.parametrize("name", CASES)
def test_every_interval_contains_the_truth(name, n):
    assert_holds(name, n)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lognormal 1", "lognormal 1.4", "weibull 0.5"])
@pytest.mark.parametrize("n", [20, 50, 200])
def test_students_interval_misses_where_ours_holds(name, n):
    """Why t alone will not do: it misses more than 8 times in 100 each of these."""
    case = CASES[name]
    values = np.asarray(case.draw(np.random.default_rng(n), (TRIALS, n)))
    half = stats.t.ppf(0.975, n - 1) * stats.sem(values, axis=1)
    missed = np.mean(np.abs(values.mean(axis=1) - case.truth) > half)
    if (name, n) not in {("lognormal 1", 200)}:
        assert missed > 0.08


QUANTILES = [(name, share) for name in LAWS for share in (0.5, 0.95)]


@pytest.mark.parametrize(("name", "share"), QUANTILES)
@pytest.mark.parametrize("n", [10, 50, 200, 1000])
def test_intervals_of_quantiles_contain_them(name, share, n):
    """Never less than 95 %, by their make; 500 trials, 4 standard errors."""
    truth = LAWS[name].ppf(share)
    values = LAWS[name].ppf(np.random.default_rng(n).random((500, n)))
    hits = sum(covers(quantile(sample, share, unit="s"), truth) for sample in values)
    assert hits / 500 >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / 500)


@pytest.mark.parametrize("repair", [lognormal_repair(1.4), weibull_repair(0.5)])
def test_the_repairs_drawn_here_are_the_simulators(repair):
    u, v = np.random.default_rng(1).random((2, 50))
    own = repair["law"]
    assert repair["sample"](u) == pytest.approx([own.sample(x) for x in u])
    assert own.mean == pytest.approx(MTTR)
    if isinstance(own, Lognormal):
        assert repair["residual"](u, v) == pytest.approx(list(map(own.residual, u, v)))
    assert -MTTF * np.log1p(-u) == pytest.approx([Exponential(MTTF).sample(x) for x in u])
