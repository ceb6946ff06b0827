"""What fails too seldom to be seen lengthens the intervals of what it takes away."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lab import down_share, network_nodes, scenario

from simulator.analysis.confidence import mean_interval
from simulator.analysis.metrics import METRICS
from simulator.analysis.rarity import ADDED, TAKEN, Cause, causes_of, lengthened, rare
from simulator.analysis.results import ResultSet, Sample
from simulator.analysis.statistics import FEW, Estimate
from simulator.exact.answers import answers
from simulator.exact.check import comparisons

pytestmark = pytest.mark.no_cover
YEAR = 365 * 86400.0
SELDOM = {"time_to_failure": {"exponential": {"mean": "200y"}}, "time_to_repair": "48h"}
DOWN = 48 * 3600 / (200 * YEAR + 48 * 3600)
SHORT = {"time_to_failure": {"exponential": {"mean": "500h"}}, "time_to_repair": "10s"}
PART = Estimate(0.999, 0.998, 0.9995, 200, "1")


def system(**keys):
    given = scenario(**keys)
    return given.variants[given.baseline]


def test_causes_are_hosts_nics_and_uplinks_on_the_way_of_objects():
    """Two nodes that are down 10 % of 10 h; one external NIC has a law of its own."""
    found = causes_of(system(
        hosts={**network_nodes(2), "compute": {"kind": "compute", "count": 1}},
        external_networks={"public": {"uplink": "10Gbps"}},
        failures={
            "host": down_share(0.1), "nic.external": down_share(0.2), "agent": down_share(0.3),
            "nic.management": down_share(0.3), "broker": down_share(0.3), "uplink": SELDOM,
            "network-2/external": SELDOM,
        },
    ))  # fmt: skip
    by_name = {cause.name: cause for cause in found}
    assert set(by_name) == {
        "uplink/public", "network-1", "network-1/external", "network-2/external"
    }  # fmt: skip
    hosts = by_name["network-1"]
    assert (hosts.sort, hosts.share) == ("host", pytest.approx(0.1))
    assert hosts.rate == pytest.approx(2 / 36000)
    assert by_name["network-1/external"].rate == pytest.approx(1 / 36000)
    assert by_name["uplink/public"].share == pytest.approx(DOWN)


def test_of_each_sort_the_worst_of_what_is_rare_counts():
    causes = (
        Cause("external", "often", 1.0, 0.5), Cause("external", "a", 9 / YEAR, 0.01),
        Cause("external", "b", 1 / YEAR, 0.02), Cause("data", "c", 1 / YEAR, 0.03),
        Cause("data", "ten", FEW / YEAR, 0.9),
    )  # fmt: skip
    assert [c.name for c in rare(causes, "router.availability", YEAR)] == ["b", "c"]
    assert [c.name for c in rare(causes, "network.availability", YEAR)] == ["c"]
    assert rare(causes, "router.outages", YEAR) == ()
    assert rare(causes, "router.availability", 20 * YEAR) == ()


def test_an_interval_reaches_as_far_as_the_share_of_time():
    hidden = (Cause("data", "n-1/data", 0.0, 1e-3), Cause("host", "n-1", 0.0, 2e-3))
    found = lengthened(PART, "router.availability", hidden)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.995, 0.9995))
    assert found.note == (
        "reaches as far as n-1/data, n-1 may matter, whose failures are too rare to be seen"
    )
    more = lengthened(Estimate(0.01, 0.009, 0.02, 9, "1"), "router.downtime_host", hidden[1:])
    assert (more.ci_low, more.ci_high) == pytest.approx((0.009, 0.022))


def test_a_difference_reaches_both_ways_unless_both_hide_the_same():
    one, other = Cause("data", "n-1/data", 1.0, 1e-3), Cause("data", "n-1/data", 2.0, 4e-3)
    value = Estimate(0.0, -0.001, 0.001, 200, "1")
    found = lengthened(value, "router.availability", (one,), minus=(other,))
    assert (found.ci_low, found.ci_high) == pytest.approx((-0.002, 0.005))
    assert lengthened(value, "router.availability", (one,), minus=(one,)) is value


def test_what_hardly_matters_is_not_remarked():
    found = lengthened(PART, "router.availability", (Cause("host", "n-1", 0.0, 1e-6),))
    assert found.note is None
    assert found.ci_low == pytest.approx(0.997999)


def test_nothing_is_known_of_what_has_no_interval():
    hidden = (Cause("host", "n-1", 0.0, 0.1),)
    unseen = Estimate(1.0, 0.98, 1.0, 200, "1", unseen=True)
    assert lengthened(unseen, "router.availability", hidden) is unseen
    single = lengthened(Estimate(0.9, None, None, 1, "1"), "router.availability", hidden)
    assert (single.ci_low, single.ci_high) == (None, None)


def years(expected, n, rng, sigma):
    """Downtime, s, of short outages in every year and of *expected* long ones in *n* years."""
    short = rng.gamma(17, 10, n)
    counts = rng.poisson(expected / n, n)
    lengths = 172800 * rng.lognormal(-(sigma**2) / 2, sigma, counts.sum())
    np.add.at(short, np.repeat(np.arange(n), counts), lengths)
    return short, 170 + expected / n * 172800


@pytest.mark.parametrize("sigma", [0.0, 1.4])
@pytest.mark.parametrize("expected", [1, 3, 6, 9.9, FEW, 20])
def test_intervals_hold_with_what_is_too_rare_to_be_seen(expected, sigma):
    """93 % of 2,000 trials, 2.33 standard errors; without, 55 to 65 % at one failure in all."""
    rng, trials, n = np.random.default_rng(int(expected)), 2000, 200
    missed = alone = 0
    for _ in range(trials):
        values, truth = years(expected, n, rng, sigma)
        low, top = mean_interval(values)
        alone += not low <= truth <= top
        reach = expected / n * 172800 if expected < FEW else 0.0
        missed += not low <= truth <= top + reach
    assert missed / trials <= 0.07 + 2.33 * math.sqrt(0.07 * 0.93 / trials)
    if expected == 1:
        assert alone / trials > 0.3


def result_of(values, given):
    sample = Sample({"router.availability": np.asarray(values)}, {})
    return ResultSet(given, list(range(len(values))), {given.baseline: sample})


def test_a_result_knows_what_its_scenario_hides():
    """Data NICs are short out in every year; the external NIC never was, and 2.7e-5 is possible."""
    given = scenario(
        horizon="1y", failures={"nic.data": SHORT, "nic.external": SELDOM}, start="equilibrium"
    )
    values = 1 - np.random.default_rng(1).gamma(17, 10, 200) / YEAR
    found = result_of(values, given).estimate("router.availability", given.baseline)
    low, top = mean_interval(values)
    assert found.ci_low == pytest.approx(low - DOWN, abs=1e-12)
    assert found.ci_high == pytest.approx(top, abs=1e-12)
    assert "network-1/external" in found.note


def test_what_was_too_rare_to_be_seen_fails_no_model():
    given = scenario(
        horizon="1y", failures={"nic.data": SHORT, "nic.external": SELDOM}, start="equilibrium",
        neutron={"periodic_fuzzy_delay": "0s"},
    )  # fmt: skip
    values = 1 - np.random.default_rng(1).gamma(17.5, 10, 200) / YEAR
    (found,) = comparisons(result_of(values, given), [only(answers(given, given.baseline))])
    assert found.z > 20
    assert found.verdict == "undecided"
    assert "too rare to be seen" in found.why


def only(found):
    found.found = {"router.availability": found.found["router.availability"]}
    return found


def test_every_metric_that_is_lengthened_exists():
    assert set(TAKEN) | set(ADDED) <= set(METRICS)
