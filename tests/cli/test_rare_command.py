"""`netnode rare` as it is called: what it prints, and the codes it leaves."""

from __future__ import annotations

import json

import pytest

SCENARIO = """\
version: 1
name: pair
horizon: 1d
replications: 400
release: grizzly
hosts:
  controller: {kind: controller, count: 1}
  network: {kind: network, count: 2}
failures:
  host.network:
    time_to_failure: {exponential: {mean: 99h}}
    time_to_repair: {exponential: {mean: 1h}}
workload: {tenants: 20}
"""


@pytest.fixture
def pair(tmp_path):
    path = tmp_path / "pair.yaml"
    path.write_text(SCENARIO)
    return path


def test_it_prints_the_mean_its_error_and_what_was_held(netnode, pair):
    called = netnode("rare", pair, "-q", "-j", "1")
    assert called.code == 0
    head, *lines = called.out.splitlines()
    assert head == "pair, base: router.all_down_time"
    assert [line.split("  ")[0] for line in lines] == [
        "mean", "share of time", "relative error", "seen in", "natural runs for one", "held",
    ]  # fmt: skip
    assert lines[-1].endswith("  network-1, network-2")


def test_one_document(netnode, pair):
    called = netnode("rare", pair, "-q", "-j", "1", "--json")
    found = json.loads(called.out)
    assert found["trusted"]
    assert found["doubts"] == []
    assert found["held"] == ["network-1", "network-2"]
    assert found["share_of_time"] == pytest.approx(found["mean"] / 86400)
    assert found["share_of_time"] == pytest.approx(1e-4, rel=0.5)
    assert found["ci_low"] < found["mean"] < found["ci_high"]


def test_what_is_not_to_be_trusted_leaves_3(netnode, pair):
    called = netnode("rare", pair, "-q", "-j", "1", "--hold", "network-1", "-n", "20", "--json")
    assert called.code == 3
    assert not json.loads(called.out)["trusted"]
    assert "not to be trusted: only" in called.err


def test_bad_input_leaves_2(netnode, pair):
    assert netnode("rare", pair, "router.nothing").code == 2
    assert netnode("rare", pair, "--variant", "x").code == 2
    assert netnode("rare", pair, "-n", "1").code == 2
    called = netnode("rare", pair, "-S", "start=all_up")
    assert called.code == 2
    assert "equilibrium" in called.err
