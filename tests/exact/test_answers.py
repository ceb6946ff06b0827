"""Exact answers by hand, and against runs of the formulas' own subjects that share no code."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from lab import CONTROLLER, FREE, down_share, network_nodes, outage, run_one, scenario

from simulator.analysis.metrics import METRICS
from simulator.exact.answers import ANSWERS, REASONS, answers

HOUR, DAY = 3600.0, 86400.0
PROMPT = {"periodic_fuzzy_delay": "0s"}


def exact(**keys):
    """All answers of a small scenario in equilibrium."""
    given = scenario(**{"start": "equilibrium", "neutron": PROMPT, "horizon": "100d", **keys})
    return answers(given, given.baseline)


def value(metric, **keys):
    return exact(**keys).found[metric].value


def cycle(up, down, family="exponential"):
    laws = {"exponential": {"mean": up}, "weibull": {"shape": 0.7, "mean": up}}
    return {
        "time_to_failure": {family: laws[family]},
        "time_to_repair": {"lognormal": {"mean": down, "sigma": 1.4}},
    }


def test_every_metric_is_answered_or_refused():
    found = exact(failures={"host.network": down_share(0.1)})
    assert set(ANSWERS) | set(REASONS) == set(METRICS)
    assert not set(ANSWERS) & set(REASONS)
    assert set(found.found) | set(found.refused) == set(METRICS)
    assert not set(found.found) & set(found.refused)
    assert all(found.refused.values())


@pytest.mark.parametrize("family", ["exponential", "weibull"])
def test_any_laws_give_mttf_over_mttf_plus_mttr(family):
    """1000 h and 4 h: 0.996015936..., whatever the laws."""
    keys = {"failures": {"host.network": cycle("1000h", "4h", family)}}
    assert value("router.availability", **keys) == pytest.approx(1000 / 1004, abs=1e-15)
    assert value("network.availability", **keys) == pytest.approx(1000 / 1004, abs=1e-15)
    assert exact(**keys).parts["network-*"].value == 1000 / 1004


def test_nodes_are_up_by_their_own_laws_alone():
    """0.9 whatever NICs, agents and controllers do; of one that is out for a tenth of the window,
    too."""
    others = {"nic.data": down_share(0.2), "agent": down_share(0.3)}
    others["host.controller"] = down_share(0.5)
    keys = {"failures": {"host.network": down_share(0.1), **others}}
    assert value("node.availability", **keys) == pytest.approx(0.9, abs=1e-15)
    script = {"failures": {"network-1": outage(5 * DAY, 10 * DAY)}}
    assert value("node.availability", **script) == pytest.approx(0.9, abs=1e-9)
    halves = {**script, "hosts": network_nodes(2)}
    assert value("node.availability", **halves) == pytest.approx(0.95, abs=1e-9)
    later = {**script, "warm_up": "10d"}
    assert value("node.availability", **later) == pytest.approx(1 - 5 / 90, abs=1e-9)


def test_from_all_up_nodes_tend_to_their_mean():
    """Failures of mean 90 h, repairs of 10 h: 1 - U(t) with U = 0.1 (1 - exp(-t / 9 h))."""
    laws = {"time_to_failure": {"exponential": {"mean": "90h"}},
            "time_to_repair": {"exponential": {"mean": "10h"}}}  # fmt: skip
    found = value("node.availability", failures={"host.network": laws}, start="all_up",
                  horizon="36h")  # fmt: skip
    assert found == pytest.approx(0.9 + 0.1 * 9 / 36 * (1 - math.exp(-4)), abs=1e-9)


def test_a_router_needs_all_of_its_components():
    """0.9 x 0.8 x 0.95 x 0.99; east-west only host and data NIC; DHCP likewise."""
    keys = {
        "failures": {
            "host.network": down_share(0.1),
            "nic.data": down_share(0.2),
            "nic.external": down_share(0.05),
            "uplink": down_share(0.01),
        }
    }
    found = exact(**keys).found
    assert found["router.availability"].value == pytest.approx(0.9 * 0.8 * 0.95 * 0.99)
    assert found["router.east_west_availability"].value == pytest.approx(0.72)
    assert found["network.availability"].value == pytest.approx(0.72)
    lost = {c: found[f"router.downtime_{c}"].value for c in ("host", "node_path", "uplink")}
    assert lost["host"] == pytest.approx(0.1)
    assert lost["node_path"] == pytest.approx(0.9 * (1 - 0.8 * 0.95))
    assert lost["uplink"] == pytest.approx(0.9 * 0.8 * 0.95 * 0.01)
    total = sum(v.value for name, v in found.items() if name.startswith("router.downtime_"))
    assert total == pytest.approx(1 - found["router.availability"].value)


def test_a_delay_after_each_repair_costs_the_least_of_it_and_the_up_time():
    """Boot 60 s; up 1 h and down 0.1 h exponentially: (3600 e^(-60/3600)) / 3960 in the long run.

    At the start nothing boots: over a warm-up of a minute that is forgotten.
    """
    keys = {
        "costs": {**FREE, "boot": "60s"},
        "failures": {"host.network": {
            "time_to_failure": {"exponential": {"mean": "1h"}},
            "time_to_repair": {"exponential": {"mean": "6min"}},
        }},
    }  # fmt: skip
    long_run = 3600 * math.exp(-60 / 3600) / 3960
    assert value("router.availability", warm_up="60s", **keys) == pytest.approx(long_run, rel=1e-12)
    short = 3600 * (1 - math.exp(-60 / 3600))  # E[min(up time, 60 s)]
    spared = (60 * short - 3600 * (60 - short)) / 3960  # over the first minute
    early = value("router.availability", horizon="10min", **keys)
    assert early == pytest.approx(long_run + spared / 600, rel=1e-10)


def test_two_folsom_agents_that_conflict_serve_2a_times_1_minus_a():
    """A = 0.8: 0.32; conflicted 0.64 of the time of each of two routers; none serves 0.68."""
    keys = {
        "release": "folsom", "neutron": {}, "hosts": network_nodes(2),
        "failures": {"host.network": down_share(0.2)},
    }  # fmt: skip
    found = exact(**keys).found
    assert found["router.availability"].value == pytest.approx(0.32)
    assert found["router.conflicted_time"].value == pytest.approx(0.64 * 2 * 100 * DAY)
    assert found["router.all_down_time"].value == pytest.approx(0.68 * 100 * DAY)
    assert found["network.availability"].value == pytest.approx(1 - 0.2**2)
    both = exact(**keys, measures={"conflicted_counts_as": "up"}).found
    assert both["router.availability"].value == pytest.approx(0.96)


def test_all_down_depends_on_which_nodes_have_routers():
    """Three nodes, U = 0.1, two routers at random: each is on a down node with J / 3.

    E[(J / 3)^2] = (Var J + E[J]^2) / 9 = (0.27 + 0.09) / 9 = 0.04; U^2 if they share no node.
    """
    keys = {"hosts": network_nodes(3), "failures": {"host.network": down_share(0.1)}}
    assert value("router.all_down_time", **keys) == pytest.approx(0.04 * 100 * DAY)
    least = {**PROMPT, "router_scheduler_driver": "LeastRoutersScheduler"}
    spread = value("router.all_down_time", release="icehouse", neutron=least,
                   **keys)  # fmt: skip
    assert spread == pytest.approx(0.01 * 100 * DAY)
    many = value("router.all_down_time", workload={"tenants": 200}, **keys)
    assert many == pytest.approx(0.001 * 100 * DAY, rel=1e-12)


def test_k_of_n_nodes():
    """MTTF 1000 h, MTTR 4 h: 2 of 3 0.999952508, 3 of 4 0.999905269 (peers' table V5)."""
    keys = {"failures": {"host.network": cycle("1000h", "4h")}}
    three, four = (exact(hosts=network_nodes(n), **keys).parts for n in (3, 4))
    assert three["at least 2 of 3 L3 hosts"].value == pytest.approx(0.999952508, abs=5e-10)
    assert four["at least 3 of 4 L3 hosts"].value == pytest.approx(0.999905269, abs=5e-10)


def test_blast_is_one_over_the_nodes_that_have_routers():
    """Two nodes, two routers: on one node half of the time, else on both; failures are many."""
    keys = {"hosts": network_nodes(2), "failures": {"host.network": down_share(0.1)}}
    assert value("router.blast_radius_mean", **keys) == pytest.approx(0.5 * 1 + 0.5 / 2)
    alone = value("router.blast_radius_max", failures=keys["failures"])
    assert alone == pytest.approx(1.0)


def test_outages_are_counted_by_the_rates_that_start_them():
    """Down 0.1 at the begin, and every 10 h a cycle: 0.1 + 240 for each of two routers."""
    found = value("router.outages", failures={"host.network": down_share(0.1)})
    assert found == pytest.approx(2 * (0.1 + 240))


def test_detection_takes_the_limit_less_the_age_of_the_last_heartbeat():
    """5 s - 2 s, as 20 h are long against 4 s; a repair of an hour outlasts it surely."""
    repair = {"time_to_failure": {"exponential": {"mean": "20h"}}, "time_to_repair": "1h"}
    costs = {**FREE, "spawn_dnsmasq": "0s"}
    found = value("agent.detection_mean", failures={"host.network": repair}, costs=costs)
    assert found == pytest.approx(3.0, abs=1e-4)
    random_repair = exact(failures={"host.network": down_share(0.1)}, costs=costs)
    assert "no fair sample" in random_repair.refused["agent.detection_mean"]


def test_a_script_is_answered_as_it_stands():
    """Down 2.4 h of 24: 0.9; a random data NIC beside it multiplies."""
    keys = {"horizon": "1d", "failures": {"network-1": outage(1000, 8640)}}
    assert value("router.availability", **keys) == pytest.approx(0.9)
    keys["failures"]["nic.data"] = down_share(0.2)
    assert value("router.availability", **keys) == pytest.approx(0.72)


def test_loads_while_nothing_is_full():
    keys = {
        "failures": {"host.network": down_share(0.1)},
        "workload": {"tenants": 2, "traffic": {
            "per_router": "10Mbps",
            "daily": [{"from": "0h", "factor": 0.5}, {"from": "12h", "factor": 1}]}},
    }  # fmt: skip
    found = exact(**keys).found
    assert found["load.offered"].value == pytest.approx(2 * 10e6 * 0.75)
    assert found["load.carried"].value == pytest.approx(2 * 10e6 * 0.75 * 0.9)
    assert found["load.hours_below_demand"].value == pytest.approx(0.1 * 2400)
    keys["workload"]["traffic"]["per_router"] = "6Gbps"
    assert "max-min fair" in exact(**keys).refused["load.carried"]


# -- against runs that share no code -------------------------------------------------------


def test_a_node_whose_agent_fails_too_against_thirty_lines_of_events():
    """Host 10 h up 1 h down; the L3 agent 5 h and 1 h; Icehouse keeps what is set up.

    A router is set up by an agent that starts on a running host, and lost with the host.
    """
    found = value(
        "router.availability",
        release="icehouse",
        horizon="60d",
        failures={"host.network": down_share(1 / 11, "11h"), "agent.l3": down_share(1 / 6, "6h")},
    )
    rng = random.Random(3)
    shares = [serving_share(rng, 60 * 24.0) for _ in range(400)]
    error = np.std(shares) / math.sqrt(len(shares))
    assert error < 2e-3
    assert abs(np.mean(shares) - found) < 4 * error


def serving_share(rng, horizon):
    """The share of *horizon*, h, in which a router is set up, of one simulated node."""
    means = {"host": (10.0, 1.0), "agent": (5.0, 1.0)}
    up, due = {}, {}
    for part, (mttf, mttr) in means.items():
        up[part] = rng.random() < mttf / (mttf + mttr)
        due[part] = rng.expovariate(1 / means[part][not up[part]])
    ready, now, served = up["host"], 0.0, 0.0
    while now < horizon:
        part = min(due, key=due.get)
        time = min(due[part], horizon)
        served += (time - now) * ready
        now = time
        up[part] = not up[part]
        due[part] = now + rng.expovariate(1 / means[part][not up[part]])
        ready = up["host"] and (ready or up["agent"])
    return served / horizon


def test_a_first_time_that_all_are_down_against_thirty_lines_of_events():
    """Two nodes that both have routers (50 of them), 100 h up and 5 h down, in 30 days."""
    keys = {
        "hosts": network_nodes(2), "horizon": "30d", "workload": {"tenants": 50},
        "failures": {"host.network": down_share(1 / 21, "105h")},
    }  # fmt: skip
    found = value("router.all_down_probability", **keys)
    rng = random.Random(5)
    hits = sum(both_down(rng, 720.0) for _ in range(20_000))
    assert abs(hits / 20_000 - found) < 4 * math.sqrt(found * (1 - found) / 20_000)


def both_down(rng, horizon):
    """Whether two nodes are ever down at once within *horizon*, h."""
    up = [rng.random() < 100 / 105 for _ in range(2)]
    due = [rng.expovariate(1 / (100 if one else 5)) for one in up]
    while any(up):
        node = due.index(min(due))
        if due[node] > horizon:
            return False
        up[node] = not up[node]
        due[node] += rng.expovariate(1 / (100 if up[node] else 5))
    return True


# -- routers that move ---------------------------------------------------------------------

BY_HAND = {
    "horizon": "1d", "hosts": network_nodes(2), "workload": {"tenants": 40},
    "failures": {"network-1": outage(10 * 3600, 8 * 3600)},
    "actions": [
        {"at": "12h", "op": "remove_router_from_agent", "router": "*", "agent": "network-1/l3"},
        {"at": "13h", "op": "add_router_to_agent", "router": "*", "agent": "network-2/l3"},
    ],
}  # fmt: skip


def test_an_operator_moves_routers_after_three_hours():
    """Half of the routers are down from 10 to 13 h: 1 - 3 / 48; and as simulated."""
    assert value("router.availability", **BY_HAND) == pytest.approx(1 - 3 / 48, abs=1e-12)
    measured = run_one(scenario(neutron=PROMPT, **BY_HAND))
    hit = measured.history.router_outages
    assert hit.owner.size > 10
    assert hit.length == pytest.approx(3 * 3600.0, abs=1e-4)


def test_the_new_node_may_fail_too():
    """It is up 0.9 of the time: half of the routers lose 0.1, half 3 h, and 0.1 of 11 h after."""
    keys = {**BY_HAND, "failures": {**BY_HAND["failures"], "network-2": down_share(0.1)}}
    expected = (0.9 + (10 + 0.9 * 11) / 24) / 2
    assert value("router.availability", **keys) == pytest.approx(expected, abs=1e-12)
    refused = exact(**keys).refused
    assert "acts by hand" in refused["router.all_down_time"]


def test_other_acts_are_refused():
    acts = [{**BY_HAND["actions"][0], "router": "tenant-1/*"}, BY_HAND["actions"][1]]
    assert '"*"' in exact(**{**BY_HAND, "actions": acts}).refused["router.availability"]


# -- takeovers, to first order -------------------------------------------------------------


def test_a_router_that_is_moved_by_hand():
    """MTTF 4380 h, repair 4 h, moved after 153.5 s: 4 h (1 - e^(-153.5 / 14400)) = 152.7 s."""
    neutron = {**PROMPT, "allow_automatic_l3agent_failover": True}
    found = exact(release="juno", neutron=neutron, hosts=network_nodes(5), failures={
        "host.network": {"time_to_failure": {"exponential": {"mean": "4380h"}},
                         "time_to_repair": {"exponential": {"mean": "4h"}}}})  # fmt: skip
    one = found.found["router.availability"]
    assert one.value == pytest.approx(0.999990317, abs=1e-9)
    assert not one.exact
    assert "router.outages" in found.refused
    assert "allow_automatic_l3agent_failover" in found.refused["router.east_west_availability"]


def test_a_vrrp_pair_by_hand():
    """U = 0.05 and cycles of 20 h: 0.0025 both down, 0.95 / 20 h x 5.8 s, and 0.1 / 20 h x 6.8 s.

    The 5.8 s are three advertisements of 2 s less half of one, and 206/256 s.
    """
    found = exact(release="2026.2", neutron={**PROMPT, "l3_ha": True}, hosts=network_nodes(2),
                  failures={"host.network": down_share(0.05, "20h")})  # fmt: skip
    lost = 0.0025 + (0.95 * (5 + 206 / 256) + 0.1 * (6 + 206 / 256)) / 72_000
    assert found.found["router.availability"].value == pytest.approx(1 - lost, abs=1e-12)


# -- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"failures": {"broker": down_share(0.1), "host.network": down_share(0.1)}}, "can fail"),
        ({"workload": {"tenants": 2, "changes": {"routers": {"arrivals": "1/d"}}}}, "come and go"),
        ({"release": "juno", "neutron": {"allow_automatic_l3agent_failover": True, **PROMPT},
          "failures": {"host.network": down_share(0.1)}}, "no other node"),
        ({"release": "mitaka", "neutron": {"l3_ha": True, **PROMPT}, "hosts": network_nodes(3),
          "failures": {"host.network": down_share(0.1)}}, "two replicas"),
        ({"costs": {**FREE, "agent_start": "1s"}, "failures": {
            "agent.l3": down_share(0.1)}}, "agents need time"),
        ({"failures": {"agent.l3": cycle("10h", "1h"), "host.network": down_share(0.1)}},
         "exponentially"),
        ({"start": "all_up", "failures": {"host.network": cycle("10h", "1h")}}, "exponentially"),
        ({"actions": [{"at": "1h", "op": "delete_agent", "agent": "network-1/l3"}]}, "actions"),
    ],
)  # fmt: skip
def test_what_is_not_exact_is_refused(keys, reason):
    found = exact(**keys)
    assert reason in found.refused["router.availability"]


def test_nova_network_has_no_routers():
    keys = {
        "release": "nova-network", "neutron": {},
        "hosts": {"controller": CONTROLLER, "compute": {"kind": "compute", "count": 2}},
    }  # fmt: skip
    assert "nova-network" in exact(**keys).refused["router.availability"]


@pytest.mark.parametrize("neutron", [PROMPT, {}])
def test_agents_that_need_time_are_refused_though_hosts_never_fail(neutron):
    """An L3 agent that restarts wipes, and asks the server what to set up, soon or later."""
    rare = {"time_to_failure": {"exponential": {"mean": "500h"}},
            "time_to_repair": {"exponential": {"mean": "10s"}}}  # fmt: skip
    keys = {"failures": {"agent.l3": rare}}
    slow = exact(costs={**FREE, "rpc_call": "20ms"}, neutron=neutron, **keys)
    for metric in ("router.availability", "router.outages", "router.downtime_configuring"):
        assert "agents need time" in slow.refused[metric]
    assert ("router.availability" in exact(neutron=neutron, **keys).found) == bool(neutron)
