"""The systems that are timed and counted, built from a few keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from lab import CONTROLLER, FREE, scenario

from simulator.analysis.context import Context, context_of
from simulator.analysis.measured import Measured
from simulator.analysis.metrics import measure
from simulator.scenario.load import load_scenario
from simulator.scenario.schema import Scenario
from simulator.trace import Kind, Trace
from simulator.world.plan import Plan, compile_plan
from simulator.world.simulation import simulate

SHIPPED = Path(__file__).parents[2] / "scenarios" / "folsom-vs-grizzly.yaml"
YEAR = 365 * 86400.0  # s
HOURLY = {
    "time_to_failure": {"exponential": {"mean": "1000h"}},
    "time_to_repair": {"exponential": {"mean": "1h"}},
}
"""A failure every 1000 h, repaired in 1 h: that of the peers, too."""
STEADY = 1000 / 1001
OFTEN = {
    "time_to_failure": {"exponential": {"mean": "2h"}},
    "time_to_repair": {"exponential": {"mean": "30s"}},
}
FAST = {"neutron": {"report_interval": "4s", "agent_down_time": "5s"}}
NOISE = {"broker": {"delay": {"exponential": {"mean": "100ms"}}, "loss": 1e-3}}
SLOW = {"neutron": {"report_interval": "30s", "agent_down_time": "75s"}}


def cluster(nodes=10, routers=10, *, agents=("l3", "dhcp"), **keys):
    """Nodes that fail, and routers bound to them; one year of Grizzly unless *keys* say other."""
    network = {"kind": "network", "count": nodes, "agents": list(agents)}
    return scenario(**{
        "horizon": "1y",
        "hosts": {"controller": CONTROLLER, "network": network},
        "failures": {"host.network": HOURLY},
        "workload": owned(routers),
        **keys,
    })  # fmt: skip


def ten():
    """Ten nodes with one agent each, as each component of the rivals is one thing.

    The DHCP agent, without which there is no cloud, is on a controller that never fails.
    """
    controller = {**CONTROLLER, "agents": ["dhcp"]}
    network = {"kind": "network", "count": 10, "agents": ["l3"]}
    return cluster(hosts={"controller": controller, "network": network})


def owned(routers, **traffic):
    """So many tenants with a router each, and nothing else."""
    return {
        "tenants": routers,
        "per_tenant": {"networks": 0, "routers": 1, "vms": 0},
        **({"traffic": traffic} if traffic else {}),
    }


def beating(timing, **keys):
    """Ten agents on five nodes, whose processes fail; heartbeats take 50 ms."""
    given = {"failures": {"agent": HOURLY}, "broker": {"delay": "50ms"}, **timing, **keys}
    return cluster(5, **given)


def noisy(**keys):
    """The same every 4 s, with heartbeats delayed at random and lost once in a thousand."""
    return beating(FAST, **NOISE, **keys)


def answering(**keys):
    """The same, and heartbeats wait while the server answers for 200 routers of each L3 sync."""
    return beating(
        FAST, workload=owned(1000), costs={**FREE, "answer_per_router": f"{1 / 256}s"},
        broker={"delay": {"exponential": {"mean": "50ms"}}}, **keys,
    )  # fmt: skip


def waiting(**keys):
    """The same every 4 s, each heartbeat taking a worker of the server 50 ms in the mean."""
    costs = {**FREE, "heartbeat": {"exponential": {"mean": "50ms"}}}
    return beating(FAST, costs=costs, **keys)


def waiting_noisy(**keys):
    """The same with heartbeats delayed at random and lost."""
    return waiting(**{**NOISE, **keys})


def large(nodes=1000, routers=100_000):
    """A cloud: L3 and DHCP agents, hosts, agents and NICs that fail, constant traffic."""
    return cluster(
        nodes,
        failures={"host.network": HOURLY, "agent": HOURLY, "nic": HOURLY},
        workload=owned(routers, per_router="10Mbps"),
    )  # fmt: skip


def moving(routers=1000, **keys):
    """Routers of ten nodes that move off dead ones by themselves, as 2026.2 can."""
    return cluster(
        routers=routers, agents=("l3", "dhcp", "l2", "metadata"), release="2026.2",
        **{"neutron": {"allow_automatic_l3agent_failover": True}, **keys},
    )  # fmt: skip


def shared(outages=0, *, nodes=1000, routers=100_000):
    """Unequal demands for the nodes' CPUs, about half of them full, and four uplinks.

    One node fails in each of *outages* hours, for half an hour.
    """
    isps = ("a", "b", "c", "d")
    each = {"kind": "network", "count": nodes // 4, "agents": ["l3", "dhcp"]}
    mean = 4.5 * nodes / routers  # Gbit/s, of what a node's CPU forwards
    return cluster(
        horizon=f"{outages + 2}h",
        hosts={
            "controller": CONTROLLER,
            **{isp: {**each, "gateway_external_network_id": isp} for isp in isps},
        },
        failures={
            f"a-{i}": {"outages": [{"at": f"{i}h", "for": "30min"}]} for i in range(1, outages + 1)
        },
        external_networks={isp: {"uplink": "2Tbps"} for isp in isps},
        workload={
            "tenants": routers // 4,
            "per_tenant": {"networks": 0, "routers": dict.fromkeys(isps, 1), "vms": 0},
            "traffic": {"per_router": {"lognormal": {"mean": f"{mean}Gbps", "sigma": 1}}},
        },
    )  # fmt: skip


def shipped():
    """The scenario that the README begins with."""
    return load_scenario(SHIPPED)


def variant_of(given, name):
    """*given* with one of its variants only."""
    return given.model_copy(update={"variants": {name: given.variants[name]}, "baseline": name})


@dataclass(frozen=True)
class System:
    """One variant of a scenario, ready to be simulated again and again."""

    scenario: Scenario
    variant: str = ""

    @cached_property
    def plan(self) -> Plan:
        return compile_plan(self.scenario, self.variant or self.scenario.baseline)

    @cached_property
    def context(self) -> Context:
        return context_of(self.scenario, self.variant or self.scenario.baseline)

    def trace(self, replication: int = 0) -> Trace:
        """One replication."""
        return simulate(self.plan, self.scenario.seed, replication)

    def measured(self, replication: int = 0) -> Measured:
        """One replication as the metrics see it, none of which is computed yet."""
        return Measured(self.trace(replication), self.context)

    def metrics(self, replication: int = 0):
        """All metrics of one replication."""
        return measure(self.measured(replication))


def node_availability(trace: Trace) -> float:
    """The share of time that network nodes are up, from the trace of a system all up at first."""
    nodes = np.count_nonzero(trace.nodes.l3 >= 0)
    failed, repaired = trace.of(Kind.FAIL), trace.of(Kind.REPAIR)
    down = np.sum(trace.horizon - failed.time) - np.sum(trace.horizon - repaired.time)
    return float(1 - down / (nodes * trace.horizon))


def cycles(trace: Trace) -> int:
    """Failures that were repaired."""
    return int(np.count_nonzero(trace.kind == Kind.REPAIR))
