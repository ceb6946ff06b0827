"""Leases of 120 s renewed at 60 s, of any server from 105 s on: each case with its arithmetic.

10 VMs of one network, 5 at each server if there are two; regaining takes no time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from lab import FREE, network_nodes, run_one

from simulator.analysis.context import client_times
from simulator.analysis.measured import Measured

FOR_EVER = 80_000


def lost(*outages, regain=0, **times):
    """VM-seconds without an address; *outages* are those of each server, (begin, seconds).

    *times* are a client's, if not its own.
    """
    hosts = network_nodes()
    if len(outages) > 1:
        hosts["dhcp"] = {"kind": "network", "count": len(outages) - 1, "agents": ["dhcp", "l2"]}
    names = ["network-1", *(f"dhcp-{i}" for i in range(1, len(outages)))]
    measured = run_one(
        release="folsom",
        hosts=hosts,
        costs={**FREE, "address_regain": f"{regain}s"},
        workload={"tenants": 1, "per_tenant": {"vms": 10}},
        failures={
            f"{name}/data": {"outages": [{"at": f"{a}s", "for": f"{d}s"} for a, d in mine]}
            for name, mine in zip(names, outages, strict=True)
        },
    )
    return Measured(measured.trace, replace(measured.context, **times)).leases.without_address()


@pytest.mark.parametrize("seconds", [30, 60, 90, 120, 200])
def test_two_servers_that_stop_together_are_as_one(seconds):
    """The integral of clip((t - 60) / 60, 0, 1): those between T1 and T2 find a server at T2."""
    share = min(max((seconds - 60) / 60, 0.0), 1.0)
    expected = 10 * (share**2 * 60 / 2 + max(seconds - 120, 0))
    both = [(1000, seconds)]
    assert lost(both, both) == pytest.approx(expected, abs=1e-9)
    assert lost([(1000, FOR_EVER)], both) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seconds", [20, 30, 60, 90])
def test_leases_run_from_when_their_own_server_stopped(seconds):
    """A stops for good, B 30 s later for a while. A's VMs were renewed 30 to 90 s before B stops.

    None of them was at T2 by then. They lose their addresses 30 to 90 s into B's outage, B's own
    VMs 60 to 120 s into it.
    """
    early, late = max(seconds - 30, 0), max(seconds - 60, 0)
    expected = 5 * early**2 / 60 / 2 + 5 * late**2 / 60 / 2
    found = lost([(1000, FOR_EVER)], [(1030, seconds)])
    assert found == pytest.approx(expected, abs=1e-9)


def test_those_who_reached_t2_in_time_belong_to_the_second_server():
    """A stops for good, B 75 s later for 50 s. Half of A's VMs, those of 30 s and more when A
    stopped, came to B at their T2, less than 30 s ago. The others lose their addresses 15 to 45 s
    into B's outage: 30 s on average, which leaves 20 s of it."""
    assert lost([(1000, FOR_EVER)], [(1075, 50)]) == pytest.approx(2.5 * (50 - 30), abs=1e-9)


def test_all_are_the_second_servers_own_once_the_first_is_gone_for_long():
    """B stops 5000 s after A did: all 10 VMs are its own, evenly spread, for 90 s."""
    assert lost([(1000, FOR_EVER)], [(6000, 90)]) == pytest.approx(10 * 30**2 / 120, abs=1e-9)


def test_vms_stay_with_the_server_that_renewed_them_last():
    """A is gone for 1000 s; all VMs are B's when both serve again. A's next outage harms nobody,
    then B stops as well, 30 s after A: B's VMs, all 10, have but B's outage of 80 s."""
    a, b = [(1000, 1000), (8000, 1000)], [(8030, 80)]
    assert lost(a, b) == pytest.approx(10 * 20**2 / 120, abs=1e-9)


def test_three_servers_share_those_who_come_to_them():
    """A stops for good: B and C have 5 VMs each. B stops for good 5000 s later, C 30 s after it
    for 60 s: B's VMs lose 30 s^2 / 120 each."""
    found = lost([(1000, FOR_EVER)], [(6000, FOR_EVER)], [(6030, 60)])
    assert found == pytest.approx(5 * 30**2 / 120, abs=1e-9)


def test_a_second_outage_soon_finds_those_renewed_at_the_end_of_the_first():
    """Out 1000 to 1040 and 1050 to 1150. 2/3 of the VMs fell due in the first: renewed at 1040,
    their leases last until 1160. Of the others, renewed in 980 to 1000, those of 980 to 990 are
    renewed again before 1050; 1/6 lose their addresses in 1110 to 1120: 35 s each on average."""
    assert lost([(1000, 40), (1050, 100)]) == pytest.approx(10 / 6 * 35, abs=1e-9)


def test_a_second_outage_one_renewal_later_meets_the_same_phases():
    """As above, all 300 s (5 renewals) later: the phases are kept."""
    assert lost([(1000, 40), (1350, 100)]) == pytest.approx(10 / 6 * 35, abs=1e-9)


def test_a_second_outage_long_after_finds_renewals_evenly_spread():
    """The same 100 s outage 10 renewals after the last one that was out of turn: 40^2 / 120."""
    assert lost([(1000, 40), (1641, 100)]) == pytest.approx(10 * 40**2 / 120, abs=1e-9)


def test_regaining_takes_service_without_a_break():
    """All addresses are lost by 1120. Service is back at 1200 for 10 s, at 1300 for good, and at
    1400 for the second server: 20 s of regaining end at 1320."""
    first, second = [(1000, 200), (1210, 90)], [(1000, 400)]
    found = lost(first, second, regain=20)
    assert found == pytest.approx(10 * (1320 - 1090), abs=1e-9)


def test_regaining_goes_on_at_another_server():
    """A is back at 1200 for 10 s, B from 1210 on: at 1220 all have addresses, of B."""
    first, second = [(1000, 200), (1210, FOR_EVER)], [(1000, 210)]
    found = lost(first, second, regain=20)
    assert found == pytest.approx(10 * (1220 - 1090), abs=1e-9)


def test_a_run_that_begins_without_dhcp_finds_leases_of_the_past():
    """All VMs were there before the run; its first server is back at 90 s: 30^2 / 120 each."""
    assert lost([(0, 90)], [(0, 1000)]) == pytest.approx(10 * 30**2 / 120, abs=1e-9)


def test_a_server_may_set_other_times():
    """T1 = 30 s, T2 = 50 s of 120 s. A stops for good, B 40 s later for 70 or 75 s.

    Of A's VMs those renewed at least 10 s before A's stop came to B: 2/3. The others were renewed
    40 to 50 s before B stops and lose their addresses 70 to 80 s into its outage: none if that
    takes 70 s; after 75 s half of them, 2.5 s ago on average. One server alone: from 90 s on.
    """
    both = [[(1000, FOR_EVER)], [(1040, 70)]], [[(1000, FOR_EVER)], [(1040, 75)]]
    assert [lost(*each, renewal=30.0, rebinding=50.0) for each in both] == pytest.approx(
        [0.0, 5 / 3 * 5**2 / 10 / 2]
    )
    alone = lost([(1000, 100)], renewal=30.0, rebinding=50.0)
    assert alone == pytest.approx(10 * 10**2 / 30 / 2)


def test_the_times_a_client_asks_at():
    """Its own are 1/2 and 7/8 of the lease; what the server sets comes first, T1 <= T2 <= L."""
    assert client_times(120) == (60, 105)
    assert client_times(120, renewal=30) == (30, 105)
    assert client_times(120, rebinding=50) == (50, 50)
    assert client_times(120, renewal=200, rebinding=300) == (120, 120)
