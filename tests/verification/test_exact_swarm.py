"""Random Markovian systems, exact against simulated: z is distributed as it should be.

Of each system the metrics that saw at least 200 failures of hosts, agents, NICs or uplinks, and in
which most replications differ, are taken; one metric of each, for those of one run depend on each
other. The z of all systems are normal by Kolmogorov and Smirnov's test at 0.1 %; and none of any
metric is beyond 5, which a right model does once in 1.7 million.
"""

from __future__ import annotations

import numpy as np
import pytest
from exact_swarm import markovian_keys
from lab import replicate, scenario
from scipy import stats

from simulator.analysis.metrics import METRICS, measure
from simulator.analysis.verdicts import Verdict
from simulator.exact.answers import answers
from simulator.exact.check import compare
from simulator.trace import Kind

pytestmark = pytest.mark.no_cover

CYCLES, FARTHEST, LEVEL = 200, 5.0, 1e-3


def scores(seed, replications):
    """The z of every metric of one system, by name; what has no spread must be equal."""
    given = scenario(**markovian_keys(seed))
    exact = answers(given, given.baseline)
    rows, failures = [], 0
    for measured in replicate(replications, given):
        failures += measured.trace.of(Kind.FAIL).time.size
        rows.append(measure(measured))
    found = {}
    for metric, answer in exact.found.items():
        values = np.array([np.nan if isinstance(v := row[metric], str) else v for row in rows])
        assert not np.isnan(values).any(), (seed, metric, rows[0][metric])
        z, verdict, why = compare(values, answer, METRICS[metric].largest(given.window), FARTHEST)
        assert verdict != Verdict.FAIL, (seed, metric, why)
        if z is not None and failures >= CYCLES and np.unique(values).size > replications * 0.9:
            found[metric] = z
    return found


def of_all(seeds, replications):
    """One z of each system: of the metrics in turn, so that each has its share."""
    found = [scores(seed, replications) for seed in seeds]
    picked = [list(one.values())[seed % len(one)] for seed, one in enumerate(found) if one]
    return np.array(picked)


def test_some_random_systems_are_simulated_as_they_are_exactly():
    found = of_all(range(4, 10), 30)
    assert found.size >= 4
    assert np.abs(found).max() < FARTHEST


@pytest.mark.slow
def test_z_is_normal_over_fifty_random_systems():
    found = of_all(range(50), 60)
    assert found.size >= 40
    assert stats.kstest(found, "norm").pvalue > LEVEL


def test_a_wrong_exact_value_would_be_found(monkeypatch):
    """An availability that forgets the data NIC, on a system whose data NICs fail."""
    from simulator.exact.components import SOUND
    from simulator.exact.nodes import Node

    monkeypatch.setattr(Node, "data", SOUND)
    seed = next(s for s in range(50) if "nic.data" in markovian_keys(s)["failures"])
    with pytest.raises(AssertionError, match="availability"):
        scores(seed, 30)
