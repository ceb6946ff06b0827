"""The work of the benchmark table in small: it runs once as tests, and each result is checked.

To time it: pytest tests/benchmarks/test_speed.py --benchmark-enable
"""

from __future__ import annotations

import functools

import pytest
import rivals
import systems
from lab import columns
from systems import FAST, OFTEN, SLOW, System

from simulator.trace import Kind, Sort

pytestmark = pytest.mark.no_cover

BEATS = {
    "fast": functools.partial(systems.beating, FAST),
    "slow": functools.partial(systems.beating, SLOW),
    "noise": systems.noisy,
    "server": systems.waiting,
    "server-noise": systems.waiting_noisy,
    "answers": systems.answering,
}


@pytest.mark.parametrize("make", BEATS.values(), ids=BEATS)
def test_heartbeats_computed(benchmark, make):
    """The same trace, to the last bit, as with those that are simulated one by one."""
    keys = {"horizon": "4h", "failures": {"agent": OFTEN}}
    found = benchmark(System(make(heartbeats="elided", **keys)).trace)
    assert columns(found) == columns(System(make(heartbeats="explicit", **keys)).trace())
    assert systems.cycles(found) > 5


@pytest.mark.parametrize("routers", [10, 1000])
def test_a_year_of_ten_nodes(benchmark, routers):
    system = System(systems.cluster(routers=routers))
    found = benchmark(system.trace)
    rivals.check("netnode", {"availability": systems.node_availability(found)}, years=1)
    assert 50 < systems.cycles(found) < 130


def test_availability_is_that_of_network_nodes():
    """One of ten is down for a tenth of the time."""
    outage = {"network-3": {"outages": [{"at": "2h", "for": "1h"}]}}
    trace = System(systems.cluster(horizon="10h", failures=outage)).trace()
    assert systems.node_availability(trace) == pytest.approx(0.99)
    assert systems.cycles(trace) == 1


def test_the_metrics_of_that_year(benchmark):
    system = System(systems.cluster(routers=1000))
    measured = system.measured()
    found = benchmark.pedantic(systems.measure, [measured], rounds=1)
    assert found["router.availability"] == pytest.approx(systems.STEADY, abs=2e-3)


@pytest.mark.parametrize("variant", ["folsom", "grizzly"])
def test_a_replication_of_the_shipped_scenario(benchmark, variant):
    system = System(systems.shipped(), variant)
    found = benchmark(system.metrics, 7)
    assert repr(found) == repr(system.metrics(7))


def test_a_year_with_failover(benchmark):
    """Routers leave dead nodes: their downtime is a share of the nodes'."""
    system = System(systems.moving(routers=20))
    found = benchmark(system.measured)
    moved = found.trace.of(Kind.UNBOUND).time.size
    assert moved > 50
    lives = found.history.lives(Sort.ROUTER)
    assert found.router_downtime.sum() < 0.2 / 1001 * lives.length.sum()


def test_a_cloud(benchmark):
    system = System(systems.large(nodes=20, routers=2000))
    found = benchmark(system.metrics)
    assert found["load.carried"] < found["load.offered"] == pytest.approx(2000 * 10e6)


def test_max_min_shares(benchmark):
    """Some nodes are full, and carry what they can; the others what is offered."""
    system = System(systems.shared(3, nodes=20, routers=2000))
    measured = system.measured()
    assert measured.demands
    found = benchmark.pedantic(lambda: measured.loads, rounds=1)
    capacity = measured.trace.nodes.capacity_bps.sum()
    assert 0.5 * capacity < found.carried < min(found.offered, capacity)


def test_a_bare_loop_of_simpy(benchmark):
    found = benchmark(rivals.simpy_loop, 20, 1)
    rivals.check("bare SimPy", found, years=20)
