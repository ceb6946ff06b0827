"""Dotted paths: where one key ends and the next begins."""

from __future__ import annotations

import pytest

from simulator.scenario.keys import key, key_paths
from simulator.scenario.load import load_scenario
from simulator.scenario.paths import steps_of


@pytest.mark.parametrize(
    ("dotted", "steps"),
    [
        ("seed", ["seed"]),
        ("hosts.network.count", ["hosts", "network", "count"]),
        ("actions[0].op", ["actions", "0", "op"]),
        ("failures.host", ["failures", "host"]),
        ("failures.host.network", ["failures", "host.network"]),
        ("failures.host.network.time_to_repair", ["failures", "host.network", "time_to_repair"]),
        ("failures.network-1/data.outages[1].at",
         ["failures", "network-1/data", "outages", "1", "at"]),
        ("failures.agent.l3.time_to_failure.weibull.shape",
         ["failures", "agent.l3", "time_to_failure", "weibull", "shape"]),
        ("hosts..count", ["hosts", "", "count"]),
    ],
)  # fmt: skip
def test_the_steps_of_a_path(dotted, steps):
    assert steps_of(dotted) == steps


def test_an_override_and_a_matrix_reach_a_sort_of_component(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "version: 1\nhorizon: 1y\nrelease: grizzly\n"
        "hosts: {network: {kind: network, count: 1}, controller: {kind: controller, count: 1}}\n"
        "failures: {host.network: {time_to_failure: 100h, time_to_repair: 1h}}\n"
        "matrix: {failures.host.network.time_to_repair: [2h, 3h]}\n"
    )
    scenario = load_scenario(path, ["failures.host.network.time_to_failure=200h"])
    found = [system.failures["host.network"] for system in scenario.variants.values()]
    assert [one.time_to_repair.deterministic for one in found] == [7200.0, 10800.0]
    assert [one.time_to_failure.deterministic for one in found] == [720_000.0] * 2


def test_every_key_is_explained_under_its_path():
    assert all(key(path) for path in key_paths())
    assert key("hosts..count") is None
    assert key("failures.host.network").path == "failures.host.network"
