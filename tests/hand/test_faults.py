"""Faults, detection and repair in small systems, with the arithmetic in the assert."""

from __future__ import annotations

import pytest
from lab import CONTROLLER, FREE, events, metrics, network_nodes, outage, run_one, scenario

from simulator.clock import TICK
from simulator.trace import Kind

DAY = 86400.0


def test_overlapping_causes_of_availability_90_and_80_percent_leave_72():
    """100 h; data NIC down 10 h, external NIC 20 h, 2 h of them together: 100 - 10 - 20 + 2."""
    values = metrics(
        horizon="100h",
        failures={
            "network-1/data": outage(10 * 3600, 10 * 3600),
            "network-1/external": outage(18 * 3600, 20 * 3600),
        },
    )
    assert values["router.availability"] == pytest.approx(0.72, abs=1e-12)
    assert values["router.east_west_availability"] == pytest.approx(0.90, abs=1e-12)


def test_the_first_repair_does_not_revive_a_component_with_two_causes():
    """Crash 100 to 300 s, stopped by hand 200 to 400 s: down from 100 to 400 s."""
    trace = run_one(
        failures={"network-1/l3": outage(100, 200)},
        actions=[
            {"at": "200s", "op": "agent_stop", "agent": "network-1/l3"},
            {"at": "400s", "op": "agent_start", "agent": "network-1/l3"},
        ],
    ).trace
    mine = [e for e in events(trace, Kind.STOPPED, Kind.STARTED) if e[2] == "network-1/l3"]
    assert [e[:2] for e in mine] == [(0.0, "STARTED"), (100.0, "STOPPED"), (400.0, "STARTED")]


def test_losing_the_management_nic_silences_heartbeats_while_data_flows():
    """Cut from 1000 to 2000 s: the agents look down within 5 s, the routers never stop."""
    measured = run_one(failures={"network-1/management": outage(1000, 1000)})
    downs = [e for e in events(measured.trace, Kind.AGENT_DOWN) if e[2].startswith("network")]
    assert len(downs) == 3  # l3, dhcp, l2
    assert all(1001 < time <= 1005 + TICK for time, *_ in downs)
    alive = [e for e in events(measured.trace, Kind.AGENT_ALIVE) if e[2].startswith("network")]
    assert len(alive) == 3
    assert all(2000 <= time < 2004 for time, *_ in alive)
    values = metrics(failures={"network-1/management": outage(1000, 1000)})
    assert values["router.availability"] == 1.0
    assert values["network.availability"] == 1.0


@pytest.mark.parametrize("nic", ["data", "external"])
def test_losing_data_or_external_cuts_tenants_while_the_agent_looks_healthy(nic):
    failures = {f"network-1/{nic}": outage(1000, 864)}
    measured = run_one(failures=failures)
    assert not events(measured.trace, Kind.AGENT_DOWN)
    values = metrics(failures=failures)
    assert values["router.availability"] == pytest.approx(1 - 864 / DAY, abs=1e-12)
    assert values["router.downtime_node_path"] == pytest.approx(864 / DAY, abs=1e-12)
    assert values["network.availability"] == (
        pytest.approx(1 - 864 / DAY, abs=1e-12) if nic == "data" else 1.0
    )


def test_the_death_of_an_l3_agent_costs_nothing_until_its_restart_wipes():
    """Dead from 1000 to 4600 s; wiped at 4600 s, and back after its first sync of 0 to 5 s."""
    measured = run_one(failures={"network-1/l3": outage(1000, 3600)})
    outages = measured.history.router_outages
    assert outages.start.tolist() == [4600.0] * 2
    assert set(outages.length.tolist()) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert metrics(failures={"network-1/dhcp": outage(1000, 3600)})["network.availability"] == 1.0


def test_the_death_of_the_host_takes_all_it_had_at_once():
    """Down from 1000 to 4600 s, then 0 to 5 whole seconds until the first sync."""
    measured = run_one(failures={"network-1": outage(1000, 3600)})
    outages = measured.history.router_outages
    assert outages.start.tolist() == [1000.0] * 2
    assert set((outages.length - 3600).tolist()) <= {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}
    networks = measured.history.network_outages
    assert networks.length.tolist() == [3600.0] * 2  # DHCP syncs with its first heartbeat


def test_rebuilding_takes_its_time_router_by_router():
    """Folsom, 4 routers at 10 s: the host is down 1000 to 2000 s, they return every 10 s."""
    measured = run_one(
        release="folsom",
        workload={"tenants": 4},
        costs={**FREE, "rebuild_per_router": "10s"},
        failures={"network-1": outage(1000, 1000)},
    )
    ends = sorted(measured.history.router_outages.end.tolist())
    assert ends == [2010.0, 2020.0, 2030.0, 2040.0]
    assert measured.router_causes["host"].sum() == 4 * 1000
    assert measured.router_causes["configuring"].sum() == 10 + 20 + 30 + 40


def test_a_crash_during_the_rebuild_starts_it_anew():
    """Down 1000 to 2000 s; the first two of four are back at 2010 and 2020 s; down again
    2025 to 3000 s; all four return 3010 to 3040 s."""
    measured = run_one(
        release="folsom",
        workload={"tenants": 4},
        costs={**FREE, "rebuild_per_router": "10s"},
        failures={
            "network-1": {
                "outages": [{"at": "1000s", "for": "1000s"}, {"at": "2025s", "for": "975s"}]
            }
        },
    )
    rows = measured.history.router_outages
    spans = sorted(zip(rows.start.tolist(), rows.end.tolist(), strict=True))
    assert spans == [
        (1000.0, 2010.0),
        (1000.0, 2020.0),
        (1000.0, 3030.0),
        (1000.0, 3040.0),
        (2025.0, 3010.0),
        (2025.0, 3020.0),
    ]


def test_grizzly_rebuilds_by_its_own_costs():
    """One interface, a gateway and two floating IPs: 2 x 0.5 s to plug, 4 x 3 s of arping."""
    measured = run_one(
        workload={"tenants": 1, "per_tenant": {"floating_ips": 2}},
        costs={**FREE, "rebuild_per_router": "release"},
        failures={"network-1": outage(1000, 1000)},
    )
    (length,) = measured.history.router_outages.length.tolist()
    assert length - 1000 - 13 in {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}


def test_what_must_be_rebuilt_waits_for_the_broker_with_growing_pauses():
    """Broker down 900 to 2000 s; the host is back at 1000 s and tries 0, 1, 4, 9, … s later.

    Attempts at 1000 + n^2 up to 225 s, then every 30 s from 1225 s: the agents reach the broker
    at 2005 s. The server, which lost it at 900 s, does at 900 + 225 + 30 x 30 = 2025 s, so the
    DHCP agent's first heartbeat, a call, meets no queue, times out after 60 s and succeeds at
    2065 s; its sync follows at once.
    """
    measured = run_one(
        failures={"network-1": outage(950, 50), "controller-1/broker": outage(900, 1100)}
    )
    networks = measured.history.network_outages
    assert networks.start.tolist() == [950.0] * 2
    assert networks.end.tolist() == [2065.0] * 2
    assert measured.all_down_by_nodes.length < measured.all_down.length


def test_folsom_waits_for_the_rest_api_by_polling_every_three_seconds():
    """Server down 900 to 2000 s; the host is back at 1000 s: 1000 + 334 x 3 = 2002 s."""
    measured = run_one(
        release="folsom",
        hosts=network_nodes(agents=["l3", "dhcp"]),
        failures={"network-1": outage(950, 50), "controller-1/server": outage(900, 1100)},
    )
    assert measured.history.router_outages.end.tolist() == [2002.0] * 2


def test_an_l2_agent_rewires_when_its_call_is_answered():
    """Server down 900 to 2000 s; the agent is back at 1000 s and calls every 60 s.

    The call of 1960 s lies in the server's queue and is answered at 2000 s; 30 s to rewire.
    """
    measured = run_one(
        release="folsom",
        costs={**FREE, "rewire": "30s"},
        failures={"network-1": outage(950, 50), "controller-1/server": outage(900, 1100)},
    )
    assert measured.history.router_outages.end.tolist() == [2030.0] * 2


def test_a_lost_broker_makes_every_agent_look_dead_and_nothing_stop():
    """Down for an hour: 4 agents look down; routers and DHCP go on."""
    failures = {"controller-1/broker": outage(1000, 3600)}
    measured = run_one(failures=failures, hosts={**network_nodes(), "compute": {
        "kind": "compute", "count": 1}})  # fmt: skip
    downs = events(measured.trace, Kind.AGENT_DOWN)
    assert len(downs) == 4
    assert all(1001 <= time <= 1005 + TICK for time, *_ in downs)
    values = metrics(failures=failures)
    assert values["router.availability"] == 1.0
    assert values["agent.false_down_episodes"] == 3
    # Down from 1 to 5 s after the loss until an attempt after 4600 s, at most 30 s late.
    assert 3 * 3595 <= values["agent.false_down_time"] <= 3 * (3600 + 30)


def test_nothing_new_is_placed_while_the_server_is_down():
    """Tenants come at 1/h for 100 h; the server is down for the first 50 h."""
    values = metrics(
        horizon="100h",
        failures={"controller-1/server": outage(0, 50 * 3600)},
        workload={"tenants": 1, "changes": {"routers": {"arrivals": "1/h"}}},
    )
    assert 0.3 < values["control.availability"] < 0.7


def test_boot_and_agent_start_prolong_an_outage():
    """An hour down, 5 min to boot, 20 s to start the agents: Folsom polls at once."""
    measured = run_one(
        release="folsom",
        costs={**FREE, "boot": "5min", "agent_start": "20s"},
        failures={"network-1": outage(1000, 3600)},
    )
    assert measured.history.router_outages.length.tolist() == [3600.0 + 300 + 20] * 2


def test_a_second_crash_while_booting_begins_the_boot_anew():
    """Down 1000 to 2000 s, boot 100 s; down again 2050 to 2060 s: agents start at 2160 s."""
    trace = run_one(
        costs={**FREE, "boot": "100s"},
        failures={
            "network-1": {
                "outages": [{"at": "1000s", "for": "1000s"}, {"at": "2050s", "for": "10s"}]
            }
        },
    ).trace
    starts = [e[0] for e in events(trace, Kind.STARTED) if e[2] == "network-1/l3"]
    assert starts == [0.0, 2160.0]


def test_an_agent_that_crashes_while_its_host_boots_starts_with_the_later_of_both():
    """Host down 1000 to 2000 s, boot 100 s; the agent's own fault holds from 2050 to 2150 s."""
    trace = run_one(
        costs={**FREE, "boot": "100s"},
        failures={"network-1": outage(1000, 1000), "network-1/l3": outage(2050, 100)},
    ).trace
    starts = {e[2]: e[0] for e in events(trace, Kind.STARTED)}
    assert starts["network-1/l3"] == 2150.0
    assert starts["network-1/dhcp"] == 2100.0


def test_a_restarted_l2_agent_cuts_its_host_until_it_has_rewired():
    """Dead from 1000 to 2000 s: nothing lost until the restart, which flushes for 7 s."""
    failures = {"network-1/l2": outage(1000, 1000)}
    measured = run_one(failures=failures, costs={**FREE, "rewire": "7s"})
    outages = measured.history.router_outages
    assert list(zip(outages.start, outages.end, strict=True)) == [(2000.0, 2007.0)] * 2


def test_what_is_new_waits_for_a_dead_l2_agent():
    """The L2 agent is dead from 0 to 1000 s; the host crashes from 100 to 200 s. What the L3
    agent then sets up is wired at 1000 + 7 s."""
    measured = run_one(
        release="folsom",
        costs={**FREE, "rewire": "7s"},
        failures={"network-1": outage(100, 100), "network-1/l2": outage(50, 950)},
    )
    outages = measured.history.router_outages
    assert list(zip(outages.start, outages.end, strict=True)) == [(100.0, 1007.0)] * 2


def test_two_folsom_agents_with_one_filter_serve_while_exactly_one_is_up():
    """Node 1 down 0.2 of the day, node 2 down another 0.2, not overlapping: 0.4 of one alone."""
    measured = run_one(
        release="folsom",
        hosts=network_nodes(2),
        failures={"network-1": outage(0.1 * DAY, 0.2 * DAY),
                  "network-2": outage(0.5 * DAY, 0.2 * DAY)},
    )  # fmt: skip
    served = measured.history.routed.length.sum() / (2 * DAY)
    # Polls follow a repair at once, so nothing but 2^-20 s is lost.
    assert served == pytest.approx(0.4, abs=1e-9)
    assert measured.history.conflicted.length.sum() == pytest.approx(2 * 0.6 * DAY, abs=1e-3)


def test_a_controller_stays_reachable_while_one_of_two_is_up():
    values = metrics(
        horizon="20h",
        hosts={**network_nodes(), "controller": {**CONTROLLER, "count": 2}},
        failures={"controller-1": outage(3600, 3600)},
    )
    assert values["agent.false_down_episodes"] == 0


def test_warm_up_is_left_out():
    """An outage of 100 s before the warm-up ends does not count; one after it does."""
    keys = {"horizon": "2d", "warm_up": "1d", "release": "folsom"}
    early = metrics(**keys, failures={"network-1": outage(1000, 100)})
    late = metrics(**keys, failures={"network-1": outage(DAY + 1000, 864)})
    assert early["router.availability"] == 1.0
    assert late["router.availability"] == pytest.approx(0.99, abs=1e-12)


def test_an_outage_over_the_edge_counts_for_availability_not_for_durations():
    """Down from one hour before the end on."""
    values = metrics(failures={"network-1": outage(DAY - 3600, 7200)})
    assert values["router.availability"] == pytest.approx(1 - 1 / 24, abs=1e-12)
    assert values["router.outages"] == 2
    assert isinstance(values["router.outage_median"], str)


def test_the_release_of_a_variant_decides_who_reports():
    grizzly = run_one(hosts=network_nodes(agents=["l3", "dhcp", "l2", "metadata", "lbaas"]))
    article = run_one(
        scenario(
            components="article",
            hosts=network_nodes(agents=["l3", "dhcp", "l2", "metadata", "lbaas"]),
        )
    )
    listed = {e[2] for e in events(grizzly.trace, Kind.REGISTERED)}
    assert listed == {"network-1/l3", "network-1/dhcp", "network-1/l2"}
    listed = {e[2] for e in events(article.trace, Kind.REGISTERED)}
    assert listed == {
        "network-1/l3", "network-1/dhcp", "network-1/l2", "network-1/metadata",
        "network-1/lbaas", "controller-1/server",
    }  # fmt: skip
