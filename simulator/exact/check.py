"""Simulated means against exact values: how far apart, in standard errors, and what follows.

*z* is (mean - exact) / standard error, or rather the normal quantile of the same probability as
Student's t has there, so that few replications raise no false alarm. With a bound of 4 a right
model fails for one metric in 16,000; for m metrics the chance that any fails is at most m times
that (Bonferroni). The interval that must hold the exact value is lengthened on the side of the
tail where values are skewed (`analysis/confidence.py`). Where too few replications saw anything,
their spread says too little: no verdict; nor is there one where what is too rare to be seen
(`analysis/rarity.py`) may explain what is missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.analysis.confidence import mean_interval, rule_of_three
from simulator.analysis.metrics import METRICS
from simulator.analysis.results import ResultSet
from simulator.analysis.verdicts import Finding, Verdict
from simulator.exact.answer import Answer, Answers
from simulator.trace import Floats

BOUND = 4.0
HIGHEST = 7.0
"""The highest bound: beyond it chances are too small for the arithmetic of doubles."""
ENOUGH = 20
"""So many replications must differ from the most frequent value for their spread to be trusted."""
ROUNDING = 1e-9
NO_AVERAGES = (
    "router.all_down_probability", "router.all_down_probability_by_nodes", "load.router_p5",
    "router.share_over_limit",
)  # fmt: skip
"""Bounded metrics that are more than an average over time."""
UNBOUNDED = ("load.offered", "load.carried", "dhcp.servers_per_node_max",
             "dhcp.servers_per_node_mean")  # fmt: skip
"""Averages over time without a bound, which move by no more than themselves."""


@dataclass(frozen=True)
class Comparison:
    """One metric of one variant: simulated mean and standard error beside the exact value.

    *z* is None where the error is zero or nothing can be said; *why* explains the verdict.
    """

    variant: str
    metric: str
    mean: float
    error: float
    exact: Answer
    z: float | None
    verdict: Verdict
    why: str

    def is_excused(self, bound: float) -> bool:
        """Whether only what is too rare to be seen keeps it from failing."""
        far = self.z is not None and abs(self.z) > bound and self.exact.exact
        return far and self.verdict is Verdict.UNDECIDED

    def finding(self, bound: float) -> Finding:
        """As a finding among others."""
        name = f"{self.variant}: {self.metric} is exact within {bound:g} standard errors"
        found = f"simulated {self.mean:.6g}, exact {self.exact.value:.6g}: {self.why}"
        return Finding(name, self.verdict, found, self.variant, self.metric)


def z_score(values: Floats, exact: float) -> float:
    """How many normal standard errors the mean of *values* is above *exact*."""
    n = values.size
    t = (float(values.mean()) - exact) / (float(values.std(ddof=1)) / math.sqrt(n))
    return math.copysign(_normal(abs(t), n - 1), t)


def _normal(t: float, freedom: int) -> float:
    """The normal quantile that is exceeded with the chance with which Student's *t* is."""
    from scipy.special import ndtri, stdtr

    tail = float(stdtr(freedom, -t))
    return float(-ndtri(tail)) if tail > 0 else t


def compare(
    values: Floats,
    answer: Answer,
    high: float | None,
    bound: float,
    *,
    looks: int = 1,
    hidden: float = 0.0,
) -> tuple[float | None, Verdict, str]:
    """The z of *values*, the verdict on it, and why; *high* is the largest possible value.

    A run that was looked at up to *looks* times, and ended by what was seen, gets so much more room
    that its chance to fail a right model is the same. *hidden*: how far off the truth may lie for
    what is too rare to be seen.
    """
    assert 0 < bound <= HIGHEST
    n, exact = values.size, answer.value
    if n < 2:
        return None, Verdict.UNDECIDED, "one replication has no spread"
    off = abs(float(values.mean()) - exact)
    if float(np.ptp(values)) <= ROUNDING * max(1.0, abs(exact)):
        return None, *_without_spread(values, off, exact, high, hidden)
    different = n - int(np.unique(values, return_counts=True)[1].max())
    if different < ENOUGH:
        return None, Verdict.UNDECIDED, f"only {different} of {n} replications saw anything else"
    z = z_score(values, exact)
    if not answer.exact:
        return z, Verdict.UNDECIDED, "an approximation judges nothing"
    low, top = mean_interval(values, 1 - _chance(bound) / looks)
    if low <= exact <= top:
        reason = "skewed values" if looks == 1 else f"skewed values, or the best of {looks} looks,"
        excuse = f", as {reason} may be" if abs(z) > bound else ""
        return z, Verdict.PASS, f"z = {z:+.2f}{excuse}"
    if low - hidden <= exact <= top + hidden:
        return z, Verdict.UNDECIDED, f"z = {z:+.2f}, and some failures are too rare to be seen"
    return z, Verdict.FAIL, f"z = {z:+.2f}"


def _chance(bound: float) -> float:
    """The chance that a right model's normal z is beyond *bound*, on either side."""
    from scipy.special import ndtr

    return 2 * float(ndtr(-bound))


def _without_spread(
    values: Floats, off: float, exact: float, high: float | None, hidden: float
) -> tuple[Verdict, str]:
    """All replications agree: so must the exact value, unless they saw nothing of what is rare."""
    if off <= ROUNDING * max(1.0, abs(exact)):
        return Verdict.PASS, "equal"
    if off <= hidden or (high is not None and off <= high * rule_of_three(values.size)):
        what = "nothing was seen" if values[0] in (0, high) else "nothing else was seen"
        return Verdict.UNDECIDED, f"{what} in {values.size} replications, and may be rare"
    return Verdict.FAIL, f"the same in all {values.size} replications, and not exact"


def comparisons(result: ResultSet, exact: list[Answers], bound: float = BOUND) -> list[Comparison]:
    """Every metric that is answered and that *result* has, variant by variant."""
    found, looks = [], len(result.scenario.looks)
    for answers in exact:
        sample = result.samples[answers.variant]
        for metric, answer in answers.found.items():
            values = sample.values[metric]
            values = values[~np.isnan(values)]
            if values.size:
                high = METRICS[metric].largest(result.scenario.window)
                most = max(abs(float(values.mean())), answer.value)
                far = _hidden(metric, high, most, result.hidden_time(answers.variant))
                z, verdict, why = compare(values, answer, high, bound, looks=looks, hidden=far)
                error = float(values.std(ddof=1)) / math.sqrt(values.size) if values.size > 1 else 0
                mean = float(values.mean())
                found.append(
                    Comparison(answers.variant, metric, mean, error, answer, z, verdict, why)
                )
    return found


def _hidden(metric: str, high: float | None, most: float, share: float) -> float:
    """How far off *metric* may be for what is out, too seldom to be seen, for a *share* of time.

    *most* is the larger of what was found and what is exact.
    """
    if not share:
        return 0.0
    if high is not None and metric not in NO_AVERAGES:
        return high * share
    return most * share if metric in UNBOUNDED else math.inf


def meaning(count: int, bound: float) -> str:
    """What passing says, for *count* comparisons at once."""
    chance = _chance(bound)
    return (
        f"a right model fails one comparison in {1 / chance:,.0f} at |z| > {bound:g}, and any of "
        f"these {count} with a chance of at most {min(count * chance, 1):.2g}"
    )
