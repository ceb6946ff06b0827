"""Simulated beside exact: what passes, what fails, and what cannot be judged."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lab import down_share, network_nodes, scenario
from scipy import stats

from simulator.analysis.verdicts import Verdict, exit_code
from simulator.exact.answer import Answer
from simulator.exact.answers import answers
from simulator.exact.check import compare, comparisons, meaning, z_score
from simulator.experiment.runner import run


def exact(value, *, sure=True):
    return Answer(value, "by hand", "here", exact=sure)


def test_a_z_score_is_the_normal_quantile_of_students_t():
    """Values 1 to 25: mean 13, error sqrt(54.1667 / 25) = 1.472; from 9 on t = 2.7175 (24)."""
    values = np.arange(1.0, 26.0)
    t = 4 / np.sqrt(values.var(ddof=1) / 25)
    assert t == pytest.approx(2.7175, abs=1e-4)
    expected = stats.norm.isf(stats.t(24).sf(t))
    assert z_score(values, 9.0) == pytest.approx(expected)
    assert z_score(values, 17.0) == pytest.approx(-expected)
    assert expected < t


def verdict(values, value, high=None, *, sure=True):
    return compare(np.asarray(values, dtype=float), exact(value, sure=sure), high, 4.0)[1]


def test_what_is_near_passes_and_what_is_far_fails():
    values = np.arange(1.0, 26.0)
    assert verdict(values, 12.0) == Verdict.PASS
    assert verdict(values, 25.0) == Verdict.FAIL
    assert verdict(values, 25.0, sure=False) == Verdict.UNDECIDED  # an approximation


def test_without_spread_it_must_be_equal_within_rounding():
    assert verdict([0.3] * 30, 0.1 + 0.2) == Verdict.PASS
    assert verdict([0.3] * 30, 0.31) == Verdict.FAIL
    assert verdict([0.0] * 30, 0.01, high=1.0) == Verdict.UNDECIDED  # rare: at most 0.095
    assert verdict([0.0] * 30, 0.2, high=1.0) == Verdict.FAIL
    assert verdict([0.0] * 30, 0.01) == Verdict.FAIL  # no largest value is known


def test_a_handful_of_events_judges_nothing():
    """Three of 100 replications saw 1 s; the exact mean is 5 s, by rare long outages."""
    assert verdict([0.0] * 97 + [1.0] * 3, 5.0) == Verdict.UNDECIDED
    assert verdict([7.0], 7.0) == Verdict.UNDECIDED


def test_the_family_of_comparisons_has_its_chance():
    assert meaning(10, 4.0).startswith("a right model fails one comparison in 15,787 at |z| > 4")
    assert meaning(10, 4.0).endswith("at most 0.00063")


@pytest.fixture(scope="module")
def result():
    given = scenario(
        start="equilibrium", horizon="20d", replications=60, hosts=network_nodes(2),
        neutron={"periodic_fuzzy_delay": "0s"}, failures={"host.network": down_share(0.2)},
    )  # fmt: skip
    return run(given, jobs=1, objects="none")


def test_a_run_passes_its_own_scenario_and_fails_another(result):
    found = comparisons(result, [answers(result.scenario, result.variants[0])])
    assert {one.verdict for one in found} <= {Verdict.PASS, Verdict.UNDECIDED}
    assert sum(one.verdict == Verdict.PASS for one in found) > 12
    worse = scenario(start="equilibrium", horizon="20d", hosts=network_nodes(2),
                     neutron={"periodic_fuzzy_delay": "0s"},
                     failures={"host.network": down_share(0.25)})  # fmt: skip
    (wrong,) = [answers(worse, name) for name in worse.variants]
    wrong.variant = result.variants[0]
    failed = [one for one in comparisons(result, [wrong]) if one.verdict == Verdict.FAIL]
    assert "router.availability" in [one.metric for one in failed]
    assert exit_code([one.finding(4.0) for one in failed]) == 1
    assert "simulated 0." in failed[0].finding(4.0).found


def test_a_run_that_was_looked_at_often_has_more_room():
    """z = -4.5 fails at a bound of 4; of the farthest of 100 looks it says nothing."""
    values = stats.norm.ppf((np.arange(1000) + 0.5) / 1000)
    truth = exact(4.5 * values.std(ddof=1) / math.sqrt(1000))
    once, often = (compare(values, truth, None, 4.0, looks=looks) for looks in (1, 100))
    assert (once[1], often[1]) == (Verdict.FAIL, Verdict.PASS)
    assert once[0] == often[0] == pytest.approx(-4.5, abs=0.06)
    assert "100 looks" in often[2]
