"""Corners in which computed heartbeats once were not as simulated ones: found by reviewers."""

from __future__ import annotations

import pytest
from lab import FREE, columns, outage, scenario

from simulator.world.plan import compile_plan
from simulator.world.simulation import simulate

HOSTS = {"c": {"kind": "controller", "count": 1}, "n": {"kind": "network", "count": 2}}
CORNERS = {
    "one that needs no time of the server is processed as it leaves": (
        1,
        {
            "horizon": "50s",
            "release": "havana",
            "costs": {**FREE, "heartbeat": {"weibull": {"shape": 0.1, "mean": "1us"}}},
            "neutron": {"report_interval": "4s", "agent_down_time": "3s"},
            "failures": {"host.network": outage(1, 3), "n-2/dhcp": outage(30, 10)},
            "workload": {"tenants": 1},
        },
    ),
    "one that was asked for at an instant at which it does not leave": (
        5054,
        {
            "horizon": "40s",
            "release": "ocata",
            "costs": {"agent_start": "0s"},
            "neutron": {"report_interval": "2s", "agent_down_time": "1s"},
            "broker": {"loss": 0.1},
            "failures": {"host": outage(1, 3), "n-2": outage(32, 6)},
        },
    ),
    "one that is asked for before its turn within the instant": (
        7148,
        {
            "horizon": "300s",
            "release": "havana",
            "costs": {"agent_start": "4s", "rpc_call": "0s"},
            "neutron": {"report_interval": "2s", "agent_down_time": "5s"},
            "failures": {
                "n-1/dhcp": outage(188, 4),
                "n-2/dhcp": outage(130, 6),
                "nic.management": outage(192, 20),
            },
        },
    ),
}


def traced(keys, seed, mode):
    given = scenario(**keys, hosts=HOSTS, start="all_up", seed=seed, heartbeats=mode)
    return simulate(compile_plan(given, given.baseline), given.seed, 0)


@pytest.mark.parametrize("corner", CORNERS)
def test_computed_heartbeats_are_as_simulated_ones(corner):
    seed, keys = CORNERS[corner]
    assert columns(traced(keys, seed, "elided")) == columns(traced(keys, seed, "explicit"))


def test_an_overloaded_line_is_gone_through_in_few_parts():
    """One heartbeat waits per second and agent: parts of the line are joined as they come."""
    from simulator.world.queueing import Line

    most, join = [0], Line._join

    def counted(line):
        join(line)
        most[0] = max(most[0], len(line._waiting))

    keys = {
        "horizon": "1h", "release": "havana", "costs": {**FREE, "heartbeat": "4s"},
        "neutron": {"report_interval": "4s", "agent_down_time": "9s"},
        "failures": {"agent": {"time_to_failure": {"exponential": {"mean": "400s"}},
                               "time_to_repair": "10s"}},
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Line, "_join", counted)
        traced(keys, 1, "elided")
    assert 0 < most[0] <= 24
