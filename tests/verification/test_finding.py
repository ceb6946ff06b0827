"""The plain finding, on the shipped scenario: with equal nodes and no time to rebuild, three
Grizzly nodes give a router the mean availability that one Folsom node gives it.

The mean over replications says so only roughly, for repairs are heavy-tailed. A control variate
says it sharply: Grizzly's three nodes are exchangeable, and which router is on which was drawn
before anything failed, so the downtime of node 1 and the downtime of all three, weighted by their
routers, have the same mean. Replacing one by the other leaves the difference between node 1 under
Folsom and node 1 under Grizzly, which fail at the same instants.

That the nodes are exchangeable is taken for granted there, so it is tested by itself: every node
of Grizzly's fails as often and for as long as the preset's law says.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.context import context_of
from simulator.analysis.intervals import union
from simulator.analysis.measured import Measured
from simulator.analysis.statistics import estimate
from simulator.scenario.load import load_scenario
from simulator.trace import Kind
from simulator.world.plan import compile_plan
from simulator.world.simulation import simulate

pytestmark = pytest.mark.no_cover

SCENARIO = Path(__file__).parents[2] / "scenarios" / "folsom-vs-grizzly.yaml"


def node_downtime(measured):
    """Share of the window in which each network node served none of its routers."""
    routed, context = measured.history.routed, measured.context
    shares = []
    for node in np.flatnonzero(measured.trace.nodes.l3 >= 0):
        mine = routed.take(routed.node == node)
        shares.append(1 - union(mine.start, mine.end).length / context.window)
    return np.array(shares)


def initial_shares(measured):
    """Share of the first routers on each node: drawn before anything failed."""
    trace = measured.trace
    nodes = np.flatnonzero(trace.nodes.l3 >= 0)
    bound = trace.of(Kind.BOUND)
    first = (bound.time == 0) & np.isin(bound.subject, trace.nodes.l3[nodes])
    agents = trace.nodes.l3[nodes]
    counts = np.array([np.sum(bound.subject[first] == agent) for agent in agents])
    return counts / counts.sum()


@cache
def residuals(replications):
    """Per replication: the difference in router availability, and it without the nodes' luck."""
    scenario = load_scenario(SCENARIO)
    plans = {name: compile_plan(scenario, name) for name in scenario.variants}
    rows = []
    for replication in range(replications):
        measured = {
            name: Measured(simulate(plan, scenario.seed, replication), context_of(scenario, name))
            for name, plan in plans.items()
        }
        available = {
            name: m.history.routed.length.sum() / m.routers().length.sum()
            for name, m in measured.items()
        }
        nodes = node_downtime(measured["grizzly"])
        luck = nodes[0] - initial_shares(measured["grizzly"]) @ nodes  # its mean is zero
        rows.append((available["grizzly"] - available["folsom"], luck))
    return np.array(rows).T


def unavailability():
    """MTTR / (MTTF + MTTR) of a host by the preset: reboots 5 min, hardware 4 h, as means."""
    mttr = 0.95 * 300 * np.exp(0.3**2 / 2) + 0.05 * 4 * 3600 * np.exp(1.4**2 / 2)
    return mttr / (4380 * 3600 + mttr)


def test_the_shipped_runs_interval_contains_zero():
    """The 200 paired differences, as the scenario's own result shows them."""
    difference, _ = residuals(200)
    shown = estimate(difference + 1, unit="1", high=None)  # shifted: estimates are not negative
    assert shown.ci_low - 1 < 0 < shown.ci_high - 1


@pytest.mark.parametrize(
    "replications", [200, pytest.param(1500, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_three_nodes_do_not_raise_the_mean_availability_of_a_router(replications):
    """95 % interval of the difference inside 5 % of one node's unavailability."""
    difference, luck = residuals(replications)
    bare = difference - luck
    half = 1.96 * bare.std(ddof=1) / np.sqrt(bare.size)
    limit = 0.05 * unavailability()
    assert -limit < bare.mean() - half
    assert bare.mean() + half < limit


NODES = ("network-1", "network-2", "network-3")
MTTF = 4380 * 3600  # s, of the preset
REPAIRS = ((0.95, stats.lognorm(0.3, scale=300)), (0.05, stats.lognorm(1.4, scale=4 * 3600)))
TWICE_AS_OFTEN = (
    "failures.network-2={time_to_failure: {weibull: {shape: 0.7, mean: 2190h}}, time_to_repair: "
    "{mixture: [{weight: 0.95, lognormal: {median: 5min, sigma: 0.3}}, "
    "{weight: 0.05, lognormal: {median: 4h, sigma: 1.4}}]}}"
)
TWICE_AS_LONG = (
    "failures.network-2={time_to_failure: {weibull: {shape: 0.7, mean: 4380h}}, time_to_repair: "
    "{mixture: [{weight: 0.95, lognormal: {median: 10min, sigma: 0.3}}, "
    "{weight: 0.05, lognormal: {median: 8h, sigma: 1.4}}]}}"
)


@cache
def host_faults(replications, *overrides):
    """Of each Grizzly node: how often it failed in each replication, and all its repair times."""
    scenario = load_scenario(SCENARIO, overrides)
    plan = compile_plan(scenario, "grizzly")
    counts = {node: [] for node in NODES}
    repairs = {node: [] for node in NODES}
    for replication in range(replications):
        trace = simulate(plan, scenario.seed, replication)
        fails, ends = trace.of(Kind.FAIL), trace.of(Kind.REPAIR)
        for node in NODES:
            component = plan.number[node]
            down = fails.time[fails.subject == component]
            up = ends.time[ends.subject == component]
            counts[node].append(down.size)
            whole = down[down < up.max(initial=0.0)]
            repairs[node] += (up[np.searchsorted(up, whole)] - whole).tolist()
    return counts, repairs


def oddities(node, replications, *overrides):
    """How a node's failures differ from the preset's law: standard errors, and a KS p-value.

    In equilibrium the mean number of failures of a window is its length / (MTTF + MTTR) exactly.
    """
    counts, repairs = host_faults(replications, *overrides)
    mttr = sum(weight * law.mean() for weight, law in REPAIRS)
    expected = 365 * 86400 / (MTTF + mttr)
    score = (np.mean(counts[node]) - expected) / stats.sem(counts[node])
    law = stats.kstest(repairs[node], lambda t: sum(w * one.cdf(t) for w, one in REPAIRS))
    return score, law.pvalue


@pytest.mark.parametrize(
    "replications", [200, pytest.param(1500, marks=pytest.mark.slow)], ids=["short", "long"]
)
@pytest.mark.parametrize("node", NODES)
def test_each_grizzly_node_fails_by_the_presets_law(node, replications):
    """So each has the unavailability MTTR / (MTTF + MTTR). Chances of failing by chance: 1e-4.

    The mean downtime itself would say less: its repairs are so heavy-tailed that 200 years know it
    to a third only. Their number and their law are known to some percent.
    """
    score, pvalue = oddities(node, replications)
    assert abs(score) < 4
    assert pvalue > 1e-4


def test_a_node_that_fails_otherwise_would_be_found():
    """One node of twice the failure rate, or of twice the repair times, seeded on purpose."""
    score, _ = oddities("network-2", 60, TWICE_AS_OFTEN)
    assert score > 4
    _, pvalue = oddities("network-2", 60, TWICE_AS_LONG)
    assert pvalue < 1e-4
