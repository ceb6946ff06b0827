"""Random systems: computed heartbeats equal simulated ones, and invariants hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lab import columns, network_nodes, run_one, scenario
from swarm import distributed_keys, mixed_keys, random_keys, waiting_keys

from simulator.analysis.metrics import METRICS, measure
from simulator.scenario.load import load_scenario
from simulator.trace import Kind, Sort
from simulator.world import heard

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
FAST = [
    "horizon=2h",
    "warm_up=0s",
    "failures.host={time_to_failure: 700s, time_to_repair: {exponential: {mean: 60s}}}",
    "failures.agent={time_to_failure: {weibull: {shape: 0.7, mean: 500s}}, time_to_repair: 9s}",
    "failures.nic={time_to_failure: {exponential: {mean: 900s}}, time_to_repair: 30s}",
    "failures.broker={time_to_failure: {exponential: {mean: 900s}}, time_to_repair: 40s}",
    "failures.server={time_to_failure: {exponential: {mean: 900s}}, time_to_repair: 20s}",
]
TRACED = {25, 47, 58, 104, 109, 110, 117, 118, 121, 124, 127, 129, 130, 132}
"""Quick systems that together go nearly wherever all go; the others are not traced."""


def seeds(*limits):
    return [
        pytest.param(seed, marks=() if seed in TRACED else pytest.mark.no_cover)
        for seed in range(*limits)
    ]


@pytest.mark.parametrize("seed", seeds(60))
def test_computed_and_simulated_heartbeats_give_the_same_trace(seed):
    _same_trace(random_keys(seed), seed)


@pytest.mark.parametrize("seed", range(60, 80))
@pytest.mark.parametrize("make", [random_keys, mixed_keys], ids=["any", "mixed"])
def test_they_do_so_if_what_was_heard_is_packed_at_once(seed, make, monkeypatch):
    monkeypatch.setattr(heard, "MANY", 1)
    _same_trace(make(seed), seed)


@pytest.mark.parametrize("seed", seeds(20))
def test_they_do_so_with_distributed_routers(seed):
    _same_trace(distributed_keys(seed), seed)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("release", ["juno", "kilo", "2026.2"])
@pytest.mark.parametrize("delay", ["1ms", {"exponential": {"mean": "2s"}}])
def test_they_do_so_when_many_heartbeats_in_a_row_are_lost(release, delay, seed):
    """Every other one is lost: the server's loops meet silences that have long begun."""
    keys = {
        "release": release,
        "horizon": "1200s",
        "hosts": {**network_nodes(2), "compute": {"kind": "compute", "count": 1}},
        "broker": {"loss": 0.5, "delay": delay},
        "neutron": {
            "report_interval": "4s",
            "agent_down_time": "9s",
            "allow_automatic_l3agent_failover": True,
        },
    }
    _same_trace(keys, seed)


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", [*range(12), 1036, 1212])  # the last two once failed
def test_they_do_so_when_they_wait_for_the_server(seed):
    _same_trace(waiting_keys(seed), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 2000))
def test_they_do_so_when_they_wait_for_the_server_at_length(seed):
    _same_trace(waiting_keys(seed), seed)


@pytest.mark.parametrize("seed", range(24))
def test_they_do_so_with_habits_of_several_releases(seed):
    _same_trace(mixed_keys(seed), seed)


@pytest.mark.parametrize("release", ["icehouse", "kilo"])
@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_they_do_so_when_casts_tell_an_agent_that_it_was_down(release, loss):
    keys = {
        "release": release,
        "horizon": "2h",
        "hosts": network_nodes(2),
        "behaviour": {"revival": True, "port_binding": "revival"},
        "broker": {"loss": loss},
        "failures": {"broker": {"outages": [{"at": "1000s", "for": "300s"}]}},
    }
    _same_trace(keys, 3)
    measured = run_one(scenario(**keys, seed=3))
    assert np.count_nonzero(measured.trace.kind == Kind.REVIVED)


def _same_trace(keys, seed):
    traces = [
        columns(run_one(scenario(**keys, seed=seed, heartbeats=mode)).trace)
        for mode in ("elided", "explicit")
    ]
    assert traces[0] == traces[1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 2000))
def test_they_do_so_with_habits_of_several_releases_at_length(seed):
    _same_trace(mixed_keys(seed), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 4000))
def test_computed_and_simulated_heartbeats_give_the_same_trace_at_length(seed):
    test_computed_and_simulated_heartbeats_give_the_same_trace(seed)


@pytest.mark.no_cover
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_they_do_so_on_every_shipped_scenario(path):
    """Two hours of each variant, with everything failing every few minutes."""
    loaded = {
        mode: load_scenario(path, [*FAST, f"heartbeats={mode}"]) for mode in ("elided", "explicit")
    }
    for variant in loaded["elided"].variants:
        traces = [columns(run_one(one, variant=variant).trace) for one in loaded.values()]
        assert traces[0] == traces[1], variant


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 2000))
def test_they_do_so_with_distributed_routers_at_length(seed):
    _same_trace(distributed_keys(seed), seed)


@pytest.mark.parametrize("make", [random_keys, distributed_keys], ids=["any", "distributed"])
@pytest.mark.parametrize("seed", seeds(100, 140))
def test_invariants_hold(seed, make):
    measured = run_one(scenario(**make(seed), seed=seed))
    values = measure(measured)
    bounded = [name for name, metric in METRICS.items() if metric.high == 1.0]
    for name in bounded:
        if not isinstance(values[name], str):
            assert 0 <= values[name] <= 1 + 1e-12, name
    history, trace = measured.history, measured.trace
    lives = history.lives(Sort.ROUTER)
    routed = history.routed
    assert (routed.start >= lives.start[routed.owner]).all()
    assert (routed.end <= lives.end[routed.owner]).all()
    _disjoint(routed, per_node=True)
    _disjoint(history.leased)
    assert measured.all_down_by_nodes.length <= measured.all_down.length + 1e-6
    causes = sum(measured.router_causes.values())
    assert np.allclose(causes, measured.router_downtime, atol=1e-6)
    if not isinstance(values["load.offered"], str):
        assert values["load.carried"] <= values["load.offered"] * (1 + 1e-9)
        assert values["load.carried"] <= trace.nodes.capacity_bps.sum() * (1 + 1e-9)
    if not isinstance(values["vm.hours_without_address"], str):
        assert 0 <= measured.leases.without_address() <= measured.leases.vm_seconds() * (1 + 1e-9)
    _alternate(trace, Kind.AGENT_DOWN, Kind.AGENT_ALIVE)
    _alternate(trace, Kind.STOPPED, Kind.STARTED)


def _disjoint(rows, *, per_node=False):
    """Rows of one owner do not overlap; they touch only where the node changes, if anywhere."""
    same = rows.owner[1:] == rows.owner[:-1]
    assert (rows.start[1:][same] >= rows.end[:-1][same]).all()
    same &= rows.start[1:] == rows.end[:-1]
    if per_node:
        same &= rows.node[1:] == rows.node[:-1]
    assert not same.any()


def _alternate(trace, off, on):
    """No agent goes down twice without coming up between."""
    last = {}
    for kind, subject in zip(trace.kind.tolist(), trace.subject.tolist(), strict=True):
        if kind in (off, on):
            assert last.get(subject) != kind
            last[subject] = kind
