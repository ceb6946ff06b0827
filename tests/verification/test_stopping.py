"""Runs to a target on laws whose truth is known: errors of decisions, and coverage at the stop.

The rule is that of `analysis/stopping.py`, on numbers drawn here instead of simulated: looks after
n, 2 n, 4 n and so on replications. Of 2,000 runs a share of 5 % has a standard error of 0.5 points
and one of 7 % 0.57; an assertion that a share is at most p fails if it is more than 2.33 standard
errors above, which a share of exactly p does one time in a hundred. The seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from test_coverage import CASES, covers

from simulator.analysis.confidence import CONFIDENCE
from simulator.analysis.quantiles import quantile
from simulator.analysis.statistics import estimate
from simulator.analysis.stopping import is_decided, is_narrow
from simulator.analysis.thresholds import verdict
from simulator.analysis.verdicts import Verdict
from simulator.scenario.thresholds import Threshold
from simulator.scenario.until import Target, looks

pytestmark = pytest.mark.no_cover

RUNS = 2000
AVAILABILITY, TIME, SHARE = (
    "router.availability",
    "router.outage_p95",
    "router.all_down_probability",
)


def at_most(share, limit, runs=RUNS):
    return share <= limit + 2.33 * math.sqrt(limit * (1 - limit) / runs)


def each_run(case, first, most, done, *, of=None, runs=RUNS, honest=True):
    """The estimate and the number of replications at which each of *runs* ends.

    *of* makes the estimate, of a mean by default. Without *honest*, every look takes 95 %.
    """
    plan = looks(first, most)
    confidence = 1 - (1 - CONFIDENCE) / len(plan) if honest else CONFIDENCE
    of = of or (lambda values, confidence: estimate(
        values, unit="s", high=case.high, counts=case.counts, confidence=confidence))  # fmt: skip
    for number in range(runs):
        values = case.draw(np.random.default_rng((7, number)), (1, most))[0]
        for look in plan:
            found = of(values[:look], confidence)
            if done(found):
                break
        yield found, look


SLOW = pytest.mark.slow
NARROW = [
    ("normal", TIME, 0.1, 20, 2560),
    ("share 0.05", SHARE, 0.02, 50, 3200),
    pytest.param("exponential", TIME, 0.15, 20, 2560, marks=SLOW),
    pytest.param(
        "downtime of a year, lognormal repair 1.4", "vm.hours_without_address", 10.0, 20, 2560,
        marks=SLOW,
    ),
    pytest.param("counts 0.1", "failover.moves", 0.03, 50, 3200, marks=SLOW),
    pytest.param("exponential in 5 %", TIME, 0.05, 50, 3200, marks=SLOW),
]  # fmt: skip


@pytest.mark.parametrize(("name", "metric", "half_width", "first", "most"), NARROW)
def test_the_interval_at_which_a_run_ends_contains_the_truth(name, metric, half_width, first, most):
    """Those that end early are no less sure: the truth is missed in 5 % (7 % if skewed) at most."""
    case = CASES[name]
    target = Target.model_construct(metric=metric, half_width=half_width)
    ends = list(each_run(case, first, most, lambda found: is_narrow(found, target)))
    missed = np.mean([not covers(found, case.truth) for found, _ in ends])
    assert at_most(missed, 0.05 if name in ("normal", "share 0.05") else 0.07)
    assert len({look for _, look in ends}) > 1  # they do end at different looks


ON_THE_LIMIT = [
    ("normal", TIME, 20),
    ("share 0.01", SHARE, 50),
    pytest.param("exponential", TIME, 20, marks=SLOW),
    pytest.param("downtime of a year, lognormal repair 1.4", TIME, 20, marks=SLOW),
    pytest.param("share 0.1", SHARE, 20, marks=SLOW),
    pytest.param("counts 0.5", "failover.moves", 20, marks=SLOW),
    pytest.param("exponential in 5 %", TIME, 50, marks=SLOW),
]


def decided(case, metric, limit, **keys):
    """The share of runs that find the limit kept, and that find it broken."""
    threshold = Threshold.model_construct(
        metric=metric, op="<", value=limit, variant=None, on=keys.pop("on", "mean")
    )
    ends = each_run(case, done=lambda found: is_decided(threshold, found), **keys)
    verdicts = [verdict(threshold, found) if is_decided(threshold, found) else Verdict.UNDECIDED
                for found, _ in ends]  # fmt: skip
    return np.mean([v == "pass" for v in verdicts]), np.mean([v == "fail" for v in verdicts])


@pytest.mark.parametrize(("name", "metric", "first"), ON_THE_LIMIT)
def test_a_limit_that_is_the_truth_is_decided_in_one_run_of_twenty(name, metric, first):
    """The worst there is: whatever is found is wrong, and the run goes on until it finds it."""
    case = CASES[name]
    kept, broken = decided(case, metric, case.truth, first=first, most=first * 64)
    assert at_most(kept + broken, 0.05 if name in ("normal", "share 0.1") else 0.07)


def test_without_the_rule_looking_often_decides_too_often():
    """Six looks at 95 % each: one run in seven, by simulation of normal values."""
    case = CASES["normal"]
    kept, broken = decided(case, TIME, case.truth, first=20, most=640, honest=False)
    assert kept + broken > 0.1


def test_a_limit_of_a_quantile_that_is_the_truth_is_decided_in_one_run_of_twenty():
    case = CASES["exponential"]
    threshold = Threshold.model_construct(
        metric=TIME, op="<", value=stats.expon().ppf(0.95), on="p95"
    )
    of = lambda values, confidence: quantile(values, 0.95, unit="s", confidence=confidence)  # noqa: E731
    ends = each_run(case, 50, 1600, lambda found: is_decided(threshold, found), of=of)
    assert at_most(np.mean([is_decided(threshold, found) for found, _ in ends]), 0.05)


@pytest.mark.parametrize(("limit", "right"), [(9.2, "pass"), (8.8, "fail")])
def test_a_limit_beside_the_truth_is_decided_and_soon(limit, right):
    """0.2 standard deviations off: about 250 replications tell, of 2,560."""
    case, threshold = CASES["normal"], Threshold(metric=TIME, op="<", value=f"{limit}s")
    ends = list(each_run(case, 20, 2560, lambda found: is_decided(threshold, found), runs=500))
    verdicts = [verdict(threshold, found) for found, _ in ends]
    assert np.mean([v == right for v in verdicts]) > 0.98
    assert 100 < np.mean([look for _, look in ends]) < 400


def test_looks_double_up_to_the_most():
    assert looks(20, 100) == (20, 40, 80, 100)
    assert looks(20, 40) == (20, 40)
    assert looks(20, 20) == (20,)
