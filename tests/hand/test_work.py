"""What agents do one after the other: setting up, taking down, being told otherwise meanwhile."""

from __future__ import annotations

import pytest
from lab import FREE, events, network_nodes, outage, run_one

from simulator.analysis.metrics import measure
from simulator.trace import Kind

RESTART = {"network-1/l3": outage(990, 10)}


def set_up(measured, name):
    """(time, SET UP or TAKEN DOWN) of one object, after the start."""
    found = events(measured.trace, Kind.CONFIGURED, Kind.UNCONFIGURED)
    return [(time, kind) for time, kind, _, thing in found if thing == name and time > 0]


def names(measured, word):
    return [name for name in measured.trace.objects.names if word in name]


def test_an_agent_disabled_and_enabled_while_it_works_asks_once_it_is_idle():
    """Restart at 1000 s; five routers of 60 s each; disabled at 1060, enabled at 1110 s.

    With the first sync at 1000 + f (f of 0 to 5 s) they are set up at 1060 + f, …, 1300 + f. The
    agent's lock is held until then; when it asks again it is enabled, and nothing changes. Served:
    5 x 1000 s before, and 10000 - 1060 - f, …, 10000 - 1300 - f after.
    """
    measured = run_one(
        horizon="10000s",
        workload={"tenants": 5},
        costs={**FREE, "rebuild_per_router": "60s"},
        failures=RESTART,
        actions=[
            {"at": f"{at}s", "op": "update_agent", "agent": "network-1/l3", "admin_state_up": up}
            for at, up in ((1060, False), (1110, True))
        ],
    )
    ends = sorted(measured.history.router_outages.end.tolist())
    fuzz = ends[0] - 1060
    assert fuzz in range(6)
    assert ends == [1060 + fuzz + 60 * i for i in range(5)]
    assert not events(measured.trace, Kind.UNCONFIGURED)


def test_a_router_taken_away_and_given_back_while_its_agent_works_is_set_up_again():
    """Three routers of 100 s each from 1000 + f on; the first is removed at 1150, added at 1160 s.

    Set up at 1100 + f, taken down when the work is done, at 1300 + f, and up again 100 s later.
    """
    keys = {
        "horizon": "10000s",
        "workload": {"tenants": 3},
        "costs": {**FREE, "rebuild_per_router": "100s"},
        "failures": RESTART,
    }
    name = names(run_one(**keys), "router")[0]
    measured = run_one(
        **keys,
        actions=[
            {"at": "1150s", "op": "remove_router_from_agent", "router": name,
             "agent": "network-1/l3"},
            {"at": "1160s", "op": "add_router_to_agent", "router": name, "agent": "network-1/l3"},
        ],
    )  # fmt: skip
    (first, _), *rest = set_up(measured, name)
    fuzz = first - 1100
    assert fuzz in range(6)
    assert rest == [(1300 + fuzz, "UNCONFIGURED"), (1400 + fuzz, "CONFIGURED")]


def test_work_given_up_leaves_what_was_there():
    """A removal that waits behind other work is not done if the process dies first."""
    keys = {"workload": {"tenants": 3}, "costs": {**FREE, "rebuild_per_router": "100s"}}
    name = names(run_one(**keys), "router")[0]
    measured = run_one(
        **keys,
        failures={"network-1/l3": {"outages": [{"at": "990s", "for": "10s"},
                                               {"at": "1200s", "for": "1000s"}]}},
        actions=[{"at": "1150s", "op": "remove_router_from_agent", "router": name,
                  "agent": "network-1/l3"}],
    )  # fmt: skip
    (first, kind), *rest = set_up(measured, name)
    assert kind == "CONFIGURED"
    assert 1100 <= first <= 1105
    assert not [time for time, kind in rest if time < 2200]


def test_a_dhcp_agent_disabled_during_its_sync_stops_serving_after_it():
    """Host back at 1010 s; ten networks of 10 s each, to 1110 s; disabled at 1050 s.

    The wish for another sync is kept: asked at a multiple of 5 s after 1110 s, it says: nothing.
    """
    measured = run_one(
        horizon="10000s",
        workload={"tenants": 10},
        costs={**FREE, "rebuild_per_network": "10s"},
        failures={"network-1": outage(1000, 10)},
        actions=[{"at": "1050s", "op": "update_agent", "agent": "network-1/dhcp",
                  "admin_state_up": False}],
    )  # fmt: skip
    gone = [time for time, *_ in events(measured.trace, Kind.UNCONFIGURED)]
    assert len(gone) == 10
    (end,) = set(gone)
    assert 1110 <= end <= 1115
    served = 10 * 1000 + sum(end - 1010 - 10 * k for k in range(1, 11))
    availability = measure(measured)["network.availability"]
    assert availability == pytest.approx(served / 100_000, abs=1e-12)


def test_what_is_new_on_a_host_without_its_l2_agent_waits_for_it():
    """A router moved to network-2 at 2000 s, whose L2 agent is down from the start to 5000 s."""
    measured = run_one(
        horizon="10000s",
        workload={"tenants": 1},
        hosts=network_nodes(2),
        failures={"network-2/l2": outage(0, 5000)},
        seed=next(seed for seed in range(1, 50) if starts_on(seed, "network-1/l3")),
        actions=[
            {"at": "2000s", "op": "remove_router_from_agent", "router": "*",
             "agent": "network-1/l3"},
            {"at": "2000s", "op": "add_router_to_agent", "router": "*", "agent": "network-2/l3"},
        ],
    )  # fmt: skip
    outages = measured.history.router_outages
    assert (outages.start.tolist(), outages.end.tolist()) == ([2000.0], [5000.0])


def starts_on(seed, agent):
    bound = events(run_one(seed=seed, workload={"tenants": 1}, hosts=network_nodes(2)).trace,
                   Kind.BOUND)  # fmt: skip
    return any(who == agent and "router" in thing for _, _, who, thing in bound)


@pytest.mark.parametrize("delay", ["0s", "1ms"])
def test_a_new_router_serves_once_all_that_it_was_given_is_set_up(delay):
    """Gateway, interface and floating IP, made at one instant: 2 x 0.5 s and 3 addresses x 3 s."""
    measured = run_one(
        horizon="30d",
        broker={} if delay == "0s" else {"delay": delay},
        costs={**FREE, "rebuild_per_router": "release"},
        workload={"tenants": 0, "per_tenant": {"floating_ips": 1},
                  "changes": {"tenants": {"arrivals": "1/d"}}},
    )  # fmt: skip
    born, routed = measured.history.born, measured.history.routed
    waits = (routed.start - born[routed.owner]).tolist()
    assert len(waits) > 10
    assert all(10 <= wait < 10.01 for wait in waits)


def test_folsoms_l3_agent_goes_on_without_the_broker():
    """Three routers of 100 s each, rebuilt from 1010 s on by REST; broker lost at 1150 s."""
    measured = run_one(
        release="folsom",
        workload={"tenants": 3},
        costs={**FREE, "rebuild_per_router": "100s"},
        failures={"network-1": outage(1000, 10), "controller-1/broker": outage(1150, 2000)},
    )
    assert sorted(measured.history.router_outages.end.tolist()) == [1110.0, 1210.0, 1310.0]


def test_a_second_sync_only_asks_about_networks_that_run():
    """Ten networks of 10 s each from 1010 s on; the broker blinks at 1065 s.

    Five run by then. The next sync asks about each in no time, and sets up the others, 10 s each.
    """
    measured = run_one(
        workload={"tenants": 10},
        costs={**FREE, "rebuild_per_network": "10s"},
        failures={"network-1": outage(1000, 10), "controller-1/broker": outage(1065, 1)},
    )
    ends = sorted(measured.history.network_outages.end.tolist())
    assert ends[:5] == [1020.0, 1030.0, 1040.0, 1050.0, 1060.0]
    again = ends[5] - 10
    assert 1066 <= again <= 1080
    assert ends[5:] == [again + 10 * k for k in range(1, 6)]


def test_messages_of_one_queue_do_not_overtake_each_other():
    """An update and, 1 s later, a removal, each under way for 30 s on average: removed at last."""
    for seed in range(20):
        measured = run_one(
            seed=seed,
            workload={"tenants": 1},
            neutron={"agent_down_time": "1h"},
            broker={"delay": {"exponential": {"mean": "30s"}}},
            actions=[
                {"at": "1000s", "op": "update_router", "router": "*"},
                {"at": "1001s", "op": "remove_router_from_agent", "router": "*",
                 "agent": "network-1/l3"},
            ],
        )  # fmt: skip
        last = events(measured.trace, Kind.CONFIGURED, Kind.UNCONFIGURED)[-1]
        assert last[1] == "UNCONFIGURED"


@pytest.mark.parametrize("packets", [0, 1, 5])
def test_announcing_takes_as_many_packets_as_the_option_says(packets):
    """Interface, gateway and one floating IP: 2 x 0.5 s to plug, 3 addresses, 1 s a packet."""
    measured = run_one(
        neutron={"send_arp_for_ha": packets},
        workload={"tenants": 1, "per_tenant": {"floating_ips": 1}},
        costs={**FREE, "rebuild_per_router": "release"},
        failures={"network-1": outage(1000, 1000)},
    )
    (length,) = measured.history.router_outages.length.tolist()
    assert length - 1000 - 1 - 3 * packets in {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}


def test_other_arrivals_do_not_move_where_a_router_goes():
    """A scheduler's choice belongs to the object: arriving VMs and networks do not disturb it."""

    def placed(**more):
        changes = {"routers": {"arrivals": "2/d"}, **more}
        trace = run_one(horizon="20d", hosts=network_nodes(4),
                        neutron={"agent_down_time": "9s"},
                        workload={"tenants": 3, "changes": changes}).trace  # fmt: skip
        bound = events(trace, Kind.BOUND)
        return {thing: who for time, _, who, thing in bound if time > 0 and "router" in thing}

    alone = placed()
    assert len(alone) > 20
    assert placed(networks={"arrivals": "5/d"}, ports={"arrivals": "9/d"}) == alone


@pytest.mark.parametrize("broken", ["controller-1/server", "network-1/management"])
@pytest.mark.parametrize("blink", [1, 10, 300])
def test_folsoms_l3_agent_begins_anew_after_a_blink(broken, blink):
    """Five routers of 100 s each from 1010 s on; the way to the server lost at 1150 s.

    The second is given up. The agent polls at 1153, 1156, … s and goes on once it is answered.
    """
    measured = run_one(
        release="folsom",
        workload={"tenants": 5},
        costs={**FREE, "rebuild_per_router": "100s"},
        failures={"network-1": outage(1000, 10), broken: outage(1150, blink)},
    )
    ends = sorted(measured.history.router_outages.end.tolist())
    again = ends[1] - 100
    assert ends == [1110.0, *(again + 100 * k for k in range(1, 5))]
    assert 1150 + blink <= again <= 1150 + blink + 3


def test_an_update_does_not_cost_a_waiting_router_its_turn():
    """Ten routers of 100 s each from 1000 + f on; the fifth is updated at 1200 s: still fifth."""
    keys = {
        "workload": {"tenants": 10},
        "costs": {**FREE, "rebuild_per_router": "release", "plug_interface": "50s",
                  "arping": "0s"},
        "failures": RESTART,
    }  # fmt: skip
    plain = run_one(**keys)
    name = names(plain, "router")[4]
    updated = run_one(**keys, actions=[{"at": "1200s", "op": "update_router", "router": name}])
    assert set_up(updated, name) == set_up(plain, name)


def test_a_floating_ip_is_done_last_and_its_router_keeps_its_turn():
    """Twenty routers of 10 s each; whatever arrives meanwhile, they are set up 10 s apart."""
    measured = run_one(
        horizon="2h",
        costs={**FREE, "rebuild_per_router": "release", "plug_interface": "5s", "arping": "0s"},
        workload={"tenants": 20, "changes": {"floating_ips": {"arrivals": "300/h"}}},
        failures=RESTART,
    )
    ends = sorted(measured.history.router_outages.end.tolist())
    assert len(ends) == 20
    assert ends == [ends[0] + 10 * k for k in range(20)]


@pytest.mark.parametrize("release", ["grizzly", "folsom"])
def test_a_dhcp_agent_sets_up_nothing_while_the_server_is_away(release):
    """Agent down 900 to 2000 s, server 1500 to 5000 s; networks arrive meanwhile, 10 s each."""
    measured = run_one(
        release=release,
        horizon="6h",
        costs={**FREE, "rebuild_per_network": "10s"},
        workload={"tenants": 1, "changes": {"networks": {"arrivals": "60/h"}}},
        failures={"network-1/dhcp": outage(900, 1100), "controller-1/server": outage(1500, 3500)},
    )
    times = [t for t, _, who, _ in events(measured.trace, Kind.CONFIGURED) if who.endswith("dhcp")]
    assert [time for time in times if 900 < time < 2000] == []
    assert [time for time in times if 2000 <= time < 5010] == []
    assert len([time for time in times if time >= 5010]) > 10


def test_a_call_lies_in_the_queue_of_a_server_that_is_away_for_a_moment():
    """L3 agent up at 1000 s, server away 995 to 1015 s: answered at 1015 s."""
    measured = run_one(
        failures={"network-1/l3": outage(990, 10), "controller-1/server": outage(995, 20)}
    )
    assert set(measured.history.router_outages.end.tolist()) == {1015.0}
    late = run_one(
        failures={"network-1/l3": outage(990, 10), "controller-1/server": outage(995, 200)}
    )
    (end,) = set(late.history.router_outages.end.tolist())
    assert 1195 <= end <= 1245  # it timed out after 60 s, and is asked again every 40 s


def test_what_is_blocked_is_published_in_order():
    """Broker down 1000 to 1010 s; a router removed at 1000.5 and given back at 1008.5 s."""
    measured = run_one(
        workload={"tenants": 1},
        failures={"controller-1/broker": outage(1000, 10)},
        actions=[
            {"at": "1000.5s", "op": "remove_router_from_agent", "router": "*",
             "agent": "network-1/l3"},
            {"at": "1008.5s", "op": "add_router_to_agent", "router": "*",
             "agent": "network-1/l3"},
        ],
    )  # fmt: skip
    assert measured.history.router_outages.length.sum() < 20
