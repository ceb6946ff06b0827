"""Rare events against what is known exactly, at chances down to 1e-9.

Each comparison fails by chance at most once in 10,000 runs of fresh seeds (|z| of 3.9), with seeds
that are fixed here.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from lab import CONTROLLER, FREE, scenario
from scipy import stats

from simulator.analysis.weighted import weighted
from simulator.errors import InputError
from simulator.experiment.rare import rare
from simulator.experiment.runner import run
from simulator.trace import Kind
from simulator.world.forcing import Part, Target, forced, weight
from simulator.world.plan import compile_plan
from simulator.world.simulation import simulate
from simulator.world.streams import Streams

pytestmark = pytest.mark.no_cover

FAR = 3.9
U = 1e-3  # 1 h of 1000 h


def exponential(mean):
    return {"exponential": {"mean": mean}}


def nodes(count=3, ttf=None, ttr=None, routers=60, **keys):
    """So many nodes that are down 1 h of 1000, and routers on them that nothing moves."""
    failing = {"time_to_failure": ttf or exponential("999h"), "time_to_repair": ttr or "1h"}
    network = {"kind": "network", "count": count, "agents": ["l3", "dhcp"]}
    return scenario(**{
        "horizon": "30d",
        "start": "equilibrium",
        "hosts": {"controller": CONTROLLER, "network": network},
        "failures": {"host.network": failing},
        "workload": {
            "tenants": routers, "per_tenant": {"networks": 0, "routers": 1, "vms": 0},
        },
        **keys,
    })  # fmt: skip


LAWS = {
    "exponential": (exponential("999h"), exponential("1h")),
    "weibull-lognormal": (
        {"weibull": {"shape": 0.7, "mean": "999h"}},
        {"lognormal": {"mean": "1h", "sigma": 1.4}},
    ),
    "gamma-mixture": (
        {"gamma": {"shape": 3, "mean": "999h"}},
        {"mixture": [{"weight": 3, "exponential": {"mean": "20min"}},
                     {"weight": 1, "exponential": {"mean": "3h"}}]},
    ),
    "weibull-constant": ({"weibull": {"shape": 2, "mean": "999h"}}, "1h"),
}  # fmt: skip


@pytest.mark.parametrize(
    "law",
    ["exponential", "weibull-lognormal"]
    + [pytest.param(law, marks=pytest.mark.slow) for law in ("gamma-mixture", "weibull-constant")],
)
def test_all_of_three_nodes_down_is_the_cube_of_one_down(law):
    """U^3 = 1e-9, and that one of the three is without any of 60 routers is less than 1e-10."""
    given = nodes(3, *LAWS[law])
    found = rare(given, "router.all_down_time", replications=500, jobs=1).estimate
    share, error = found.mean / given.window, found.error / given.window
    assert not found.doubts
    assert found.relative_error < 0.13
    assert abs(share - U**3) < FAR * error


def test_every_way_to_the_event_is_seen():
    """Six routers on two nodes: both down, or all of them bound to one that is, 2 x 2^-6."""
    given = nodes(2, routers=6, ttr=exponential("1h"))
    found = rare(given, "router.all_down_time", replications=1500, jobs=1).estimate
    share = U**2 + 2 * 2**-6 * U * (1 - U)
    assert not found.doubts
    assert abs(found.mean / given.window - share) < FAR * found.error / given.window


def test_what_hosts_share_is_held_too():
    """Three nodes at 1e-3 and an uplink at 1e-5: it is the uplink that takes all down."""
    failing = {"time_to_failure": exponential("999h"), "time_to_repair": exponential("1h")}
    given = nodes(
        3,
        failures={"host.network": failing, "uplink": {
            "time_to_failure": exponential("99999h"), "time_to_repair": exponential("1h")}},
        external_networks={"public": {}},
    )  # fmt: skip
    found = rare(given, "router.all_down_time", replications=800, jobs=1)
    one = found.estimate
    assert "uplink/public" in found.held
    assert not one.doubts
    assert abs(one.mean / given.window - (1e-5 + U**3)) < FAR * one.error / given.window


def test_parts_of_a_host_are_out_by_turns():
    """Hosts 1 h of 1000 h, two NICs each 1 h of 4000 h: a node serves (1 - U)(1 - V)^2."""
    hourly = {"time_to_failure": exponential("999h"), "time_to_repair": "1h"}
    nic = {"time_to_failure": exponential("3999h"), "time_to_repair": exponential("1h")}
    failing = {"host.network": hourly, "nic.data": nic, "nic.external": nic}
    given = nodes(2, failures=failing)
    found = rare(given, "router.all_down_time", replications=600, jobs=1).estimate
    out = 1 - (1 - U) * (1 - U / 4) ** 2
    assert not found.doubts
    assert found.relative_error < 0.1
    assert abs(found.mean / given.window - out**2) < FAR * found.error / given.window


def test_a_pair_with_failover_is_without_a_master():
    """VRRP: both down, U^2; and when the master of a sound pair fails, 3 advertisements of 2 s and
    a skew of 206/256 s less what has passed since the last one, U(0, 2) (RFC 3768, 6.1).

    Both fail equally often, and only the master's failure of a sound pair costs a take-over: at
    the rate A^2 / MTTF. A node that comes back after both were down waits as long.
    """
    given = nodes(
        2, routers=1, release="queens", neutron={"l3_ha": True}, ttr=exponential("1h"),
        costs={**FREE, "promote": "0s"},
    )  # fmt: skip
    found = rare(given, "router.all_down_time", replications=800, jobs=1).estimate
    takeover = 3 * 2 + (256 - 50) / 256 - 1
    both = U**2 * (1 + 2 * takeover / 3600)
    expected = both + (1 - U) ** 2 * takeover / (999 * 3600)
    assert not found.doubts
    assert abs(found.mean / given.window - expected) < FAR * found.error / given.window


def test_what_is_not_rare_is_as_in_natural_runs():
    """Outages of routers, which are seen in most replications, with and without weights."""
    given = nodes(3, exponential("40h"), exponential("8h"), routers=3, horizon="10d")
    natural = run(given, replications=150, jobs=1).estimate("router.outages", given.baseline)
    held = rare(given, "router.outages", replications=300, jobs=1).estimate
    spread = math.hypot(held.error, (natural.ci_high - natural.mean) / 1.96)
    assert abs(held.mean - natural.mean) < FAR * spread
    assert held.chance > 1e-4


@pytest.mark.parametrize("recovery", [0.0, 1800.0])
@pytest.mark.parametrize("law", LAWS)
def test_weighted_failures_follow_renewal_theory(law, recovery):
    """In equilibrium a component fails T / (MTTF + MTTR) times in T, and is down a share U of it.

    Of 1 h of 10 h, so that both are seen; the instant is in the middle third of the horizon.
    """
    ttf, ttr = (_scaled(part) for part in LAWS[law])
    given = nodes(1, ttf, ttr, routers=1, horizon="60h")
    plan = compile_plan(given, given.baseline)
    target = Target((Part(plan.renewals[0], recovery),), (0.0, 0.7))
    window = (20 * 3600.0, 40 * 3600.0)
    counts, downs, weights = [], [], []
    for number in range(800):
        streams = Streams(given.seed, number)
        trace = simulate(forced(plan, [target], window, streams), given.seed, number)
        mine = trace.subject == target.parts[0].renewal.component
        failed = trace.time[mine & (trace.kind == Kind.FAIL)]
        repaired = trace.time[mine & (trace.kind == Kind.REPAIR)]
        counts.append(np.count_nonzero(failed > 0))
        downs.append(np.sum(trace.horizon - failed) - np.sum(trace.horizon - repaired))
        weights.append(weight(trace, [target], window))
    counts, downs, weights = map(np.array, (counts, downs, weights))
    up, down = (
        target.parts[0].renewal.time_to_failure.mean,
        target.parts[0].renewal.time_to_repair.mean,
    )
    cycle = up + down
    assert cycle == pytest.approx(10 * 3600)
    for values, mean in ((counts, 6.0), (downs, 60 * 3600 * down / cycle), (weights * 0 + 1, 1.0)):
        one = weighted(np.asarray(values, dtype=float), weights, most=4, unit="1")
        assert abs(one.mean - mean) < FAR * one.error


def _scaled(part):
    """A law of LAWS with 9 h for 999 h; an hour stays."""
    if isinstance(part, dict):
        return {key: _scaled(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_scaled(value) for value in part]
    return "9h" if part == "999h" else part


def test_a_weight_by_hand():
    """Two targets with chance 1/2 and U = 0.1, in a window of 100 h: one is down for 10 h, the
    other for 20, both for 5 of them.

    The density is 1/4 where both are up, 1/4 (1 + 10) where one is down, 1/4 (1 + 10)^2 for both:
    (75 + 20 x 11 + 5 x 121) / 400 = 2.25.
    """
    given = nodes(2, exponential("9h"), exponential("1h"), horizon="100h")
    plan = compile_plan(given, given.baseline)
    targets = [Target((Part(renewal),), (0.5,)) for renewal in plan.renewals]
    scripted = nodes(
        2, horizon="100h",
        failures={
            "network-1": {"outages": [{"at": "30h", "for": "10h"}]},
            "network-2": {"outages": [{"at": "35h", "for": "20h"}]},
        },
    )  # fmt: skip
    trace = simulate(compile_plan(scripted, scripted.baseline), 1, 0)
    assert weight(trace, targets, (0.0, 360000.0)) == pytest.approx(1 / 2.25)


def test_a_weight_with_recovery_by_hand():
    """One target with chance 1/2, down 1 h of 10 h and 1 h of recovery, so out at N = 2/10.

    Instants are from 1 h to 100 h; it is out for 11 and 2 h, of which two outages reach 1/2 h.

    (86.5 + 12 (1 + 5) + 0.5 (1 + 10)) / 2 / 99 = 164 / 198.
    """
    given = nodes(1, exponential("9h"), exponential("1h"), horizon="100h")
    plan = compile_plan(given, given.baseline)
    targets = [Target((Part(plan.renewals[0], 3600.0),), (0.5,))]
    outages = [{"at": "30h", "for": "10h"}, {"at": "40.5h", "for": "1h"}]
    scripted = nodes(1, horizon="100h", failures={"network-1": {"outages": outages}})
    trace = simulate(compile_plan(scripted, scripted.baseline), 1, 0)
    assert weight(trace, targets, (0.0, 360000.0)) == pytest.approx(198 / 164)


def test_an_instant_without_failures_weighs_most():
    """Nothing down in the window: the weight is the product of 1 / (1 - p), which none exceeds."""
    given = nodes(2, exponential("9h"), exponential("1h"), horizon="100h")
    plan = compile_plan(given, given.baseline)
    targets = [Target((Part(renewal),), (0.5,)) for renewal in plan.renewals]
    weights = []
    for number in range(50):
        window = (0.0, given.horizon)
        held = forced(plan, targets, window, Streams(1, number))
        weights.append(weight(simulate(held, 1, number), targets, window))
    assert max(weights) <= 4 * (1 + 1e-9)
    quiet = nodes(2, failures={}, horizon="100h")
    trace = simulate(compile_plan(quiet, quiet.baseline), 1, 0)
    assert weight(trace, targets, (0.0, 360000.0)) == pytest.approx(4)


def test_the_same_whoever_computes_it():
    given = nodes(2, horizon="1h", routers=2)
    alone = rare(given, "router.all_down_time", replications=60, jobs=1)
    assert rare(given, "router.all_down_time", replications=60, jobs=3) == alone
    spawned = rare(given, "router.all_down_time", replications=60, jobs=2, start_method="spawn")
    assert spawned == alone


def test_what_was_hardly_seen_is_not_to_be_trusted():
    """Only the first of three nodes is held: all three down is not seen so."""
    found = rare(
        nodes(3, horizon="5d"), "router.all_down_time", hold=["network-1"], replications=100, jobs=1
    )
    assert found.held == ("network-1",)
    assert found.free == ("network-2", "network-3")
    assert found.estimate.hits < 50
    assert f"only {found.estimate.hits} of 100 replications saw it" in found.estimate.doubts[0]


def test_doubts_are_about_few_hits_wide_errors_single_ones_and_weights():
    ones = np.ones(400)
    assert weighted(ones, ones, most=4, unit="1").doubts == []
    few = np.concatenate([np.ones(40), np.zeros(360)])
    assert [d.split(",")[0] for d in weighted(few, ones, most=4, unit="1").doubts] == [
        "only 40 of 400 replications saw it"
    ]
    single = np.concatenate([[1e6], np.ones(399)])
    doubts = weighted(single, ones, most=4, unit="1").doubts
    assert doubts[0].startswith("the relative error is 100%")
    assert doubts[1].startswith("one replication makes 100% of it")
    assert weighted(1.0 + np.arange(400) % 2, ones, most=4, unit="1").doubts == []
    loud = np.where(np.arange(400) % 2, 0.5, 1.5)
    assert weighted(ones, loud, most=4, unit="1").doubts == [
        "natural runs are surer: use `netnode run`"
    ]
    assert weighted(ones, ones * 1.6, most=4, unit="1").doubts == [
        "weights average 1.6, where 1 is expected"
    ]
    assert weighted(ones, ones * 0.4, most=4, unit="1").doubts != []
    assert weighted(ones, ones * 0.4, most=400, unit="1").doubts == []  # one of 400 may be missing


def test_the_chance_of_the_weights_by_hand():
    """n = 100, mean 0.5 of at most 2, so 1/4 where 1/2 is expected: the relative entropy is
    1/4 ln(1/2) + 3/4 ln(3/2) = 0.130812."""
    one = weighted(np.ones(100), np.full(100, 0.5), most=2, unit="1")
    assert one.chance == pytest.approx(math.exp(-13.0812), rel=1e-3)


def test_only_what_starts_in_equilibrium_and_fails_at_random():
    with pytest.raises(InputError, match="all_up"):
        rare(nodes(2, start="all_up"), "router.all_down_time")
    with pytest.raises(InputError, match="named rack-1"):
        rare(nodes(2), "router.all_down_time", hold=["rack-1"])
    with pytest.raises(InputError, match=r"no metric 'router[.]al'"):
        rare(nodes(2), "router.al")
    with pytest.raises(InputError, match="no variant 'x'"):
        rare(nodes(2), "router.all_down_time", variant="x")


@pytest.mark.slow
def test_intervals_of_rare_events_hold():
    """Of 300 estimates of 1e-6 from seeds of their own: z of a normal law (Kolmogorov and Smirnov,
    at 0.001), and 95 % intervals that hold at least 273 of 300 times (binomial, at 0.999)."""
    given = nodes(2, exponential("999h"), exponential("1h"), horizon="10d")
    scores = []
    for seed in range(300):
        found = rare(given, "router.all_down_time", replications=150, seed=seed, jobs=1).estimate
        scores.append((found.mean / given.window - U**2) / (found.error / given.window))
    assert stats.kstest(scores, "norm").pvalue > 0.001
    assert np.count_nonzero(np.abs(scores) < 1.96) >= 273
