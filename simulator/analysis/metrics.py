"""The metrics: one value a replication each, or the reason why there is none.

To add one, write a function of `Measured` in the module of its subject (`measure_routers`,
`measure_tenants`, `measure_nodes`, `measure_control`, `measure_load`) and give it a line in
METRICS; registering is enough to be reported, explained and tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator.analysis import measure_control as control
from simulator.analysis import measure_load as load
from simulator.analysis import measure_nodes as nodes
from simulator.analysis import measure_routers as routers
from simulator.analysis import measure_tenants as tenants
from simulator.analysis.downtime import CAUSES
from simulator.analysis.measured import Function, Measured, UndefinedError
from simulator.units import HOUR


@dataclass(frozen=True)
class Metric:
    """One metric: its unit, what it means, and how it is measured.

    *high* is the largest possible value, "window" for the window's seconds, None for none: an
    interval that saw nothing happen is bounded by it. *counts* says that it counts events, which
    have no largest number but still a bound where none was seen.
    """

    unit: str
    definition: str
    function: Function
    high: float | Literal["window"] | None = None
    counts: bool = False

    def largest(self, window: float) -> float | None:
        """The largest value in a window of so many seconds; None for no end."""
        if self.high != "window":
            return self.high
        return window / HOUR if self.unit == "h" else window


def measure(measured: Measured) -> dict[str, float | str]:
    """Every metric of one replication: its value, or the reason why it has none."""
    values: dict[str, float | str] = {}
    for name, metric in METRICS.items():
        try:
            values[name] = metric.function(measured)
        except UndefinedError as reason:
            values[name] = str(reason)
    return values


ONSETS = (
    "Onsets are failures of components, and restarts of agents that wipe or flush what their host "
    "had set up; what comes over one node at one instant is one onset."
)
EDGES = "Outages that touch an edge of the window are left out here, not from availability."

METRICS: Mapping[str, Metric] = {
    "router.availability": Metric(
        "1",
        "North-south serving time of all routers over the sum of their lives. A router serves "
        "when exactly one host has it set up, and that host, its data NIC and, with a gateway, "
        "its external NIC and the uplink of its external network are up. Of a highly available "
        "router only hosts count whose replica is VRRP master and carries its addresses. What "
        "compute hosts serve of a distributed router does not count: here and below it serves when "
        "the node of its SNAT does.",
        routers.availability,
        high=1.0,
    ),
    "router.availability_worst": Metric(
        "1", "The smallest availability of any one router.", routers.availability_worst, high=1.0
    ),
    "router.share_over_limit": Metric(
        "1",
        "Share of routers that were down for longer than the limit allows: "
        "measures.downtime_limit_per_year (1 h), pro rata of each router's life.",
        routers.share_over_limit,
        high=1.0,
    ),
    "router.east_west_availability": Metric(
        "1",
        "As router.availability, for traffic between a router's own subnets: that needs no "
        "external NIC and no uplink. A distributed router serves by its VMs' hosts: the share of "
        "its VMs whose host is up, with its data NIC, and has the router set up; without VMs, by "
        "the node of its SNAT.",
        routers.east_west_availability,
        high=1.0,
    ),
    "router.conflicted_time": Metric(
        "s",
        "Time, summed over routers, in which two hosts that reach the data network both had the "
        "router set up (of a highly available one: two masters). It counts as not serving, unless "
        "measures.conflicted_counts_as is up.",
        routers.conflicted_time,
    ),
    "router.all_down_time": Metric(
        "s",
        "Time in which no router served although one existed.",
        routers.all_down_time,
        high="window",
    ),
    "router.all_down_probability": Metric(
        "1",
        "Share of replications in which there was any time in which no router served although one "
        "existed.",
        routers.all_down_probability,
        high=1.0,
    ),
    "router.all_down_time_by_nodes": Metric(
        "s",
        "Time in which nodes and agents alone kept at least one router from serving and none "
        "served, had all uplinks been up. A router that is bound to no agent, or whose agent waits "
        "for broker or server on a node that would pass its traffic, is excused: it counts neither "
        "as down nor as serving. One that lost its last binding while that node or its agent was "
        "down is excused only from when that is back, as if it had stayed bound there. So are a "
        "router that its agent does not know of since the broker lost the message, until the agent "
        "hears of it or stops; a router without a wire since its ports were refused to a host "
        "whose L2 agent was sound but not heard of; and a highly available router that has two "
        "masters, or none, because the HA network or an uplink that masters check is or was down. "
        "Two hosts that answer for another router, and agents that rebuild, count as the nodes', "
        "whatever made routers move.",
        routers.all_down_time_by_nodes,
        high="window",
    ),
    "router.all_down_probability_by_nodes": Metric(
        "1",
        "Share of replications in which there was any time in which nodes and agents alone kept at "
        "least one router from serving and none served (see router.all_down_time_by_nodes).",
        routers.all_down_probability_by_nodes,
        high=1.0,
    ),
    "router.blast_radius_mean": Metric(
        "1",
        "The mean over onsets of causes that stop at least one router of the share they stop of "
        f"the routers that exist. {ONSETS}",
        routers.blast(np.mean),
        high=1.0,
    ),
    "router.blast_radius_p95": Metric(
        "1",
        "The 95th percentile over onsets of causes that stop at least one router of the share they "
        f"stop of the routers that exist. {ONSETS}",
        routers.blast(routers.p95),
        high=1.0,
    ),
    "router.blast_radius_max": Metric(
        "1",
        f"The largest share of the routers that exist which one onset of a cause stops. {ONSETS}",
        routers.blast(np.max),
        high=1.0,
    ),
    "router.outages": Metric(
        "1",
        "Number of outages: maximal intervals in which one router does not serve, over all "
        "routers.",
        routers.outages,
        counts=True,
    ),
    "router.outage_median": Metric(
        "s",
        f"Median length of a router's outage. {EDGES}",
        routers.outage(np.median),
    ),
    "router.outage_p95": Metric(
        "s",
        f"95th percentile of the lengths of routers' outages. {EDGES}",
        routers.outage(routers.p95),
    ),
    "router.outage_longest": Metric(
        "s", f"Length of the longest outage of a router. {EDGES}", routers.outage(np.max)
    ),
    **{
        f"router.downtime_{cause}": Metric(
            "1",
            f"Share of the routers' lives in which a router is down because {why}. These shares "
            "add up to 1 - router.availability.",
            routers.downtime(cause),
            high=1.0,
        )
        for cause, why in CAUSES.items()
    },
    "network.availability": Metric(
        "1",
        "DHCP serving time of all networks over the sum of their lives. A network is served while "
        "at least one DHCP server for it is set up on a host that is up with its data NIC.",
        tenants.network_availability,
        high=1.0,
    ),
    "vm.hours_without_address": Metric(
        "h",
        "Hours without an address, summed over VMs. A VM asks its own DHCP server for renewal from "
        "half its lease (T1) on, any server of its network from 7/8 (T2) on, and loses its address "
        "when the lease ends; it has one again once any server has served for a stated time "
        "(costs.address_regain). A new VM has none until first served. From Juno on an agent that "
        "is given a network has the address of the one that lost it, and is the same server.",
        tenants.hours_without_address,
    ),
    "vm.north_south_availability": Metric(
        "1",
        "Time in which VMs reach the outside over their time of existence, weighted by VM. A VM "
        "does when it has an address and its router serves; under nova-network multi_host, and "
        "with a floating IP of a distributed router on a host in agent_mode dvr, when its own "
        "host's way out works: that the host is up, its external NIC and the uplink, and that it "
        "has the router set up. Other VMs' hosts do not count. The one availability that all "
        "systems share.",
        tenants.north_south_availability,
        high=1.0,
    ),
    "tenant.availability": Metric(
        "1",
        "Time in which tenants are reachable over the sum of their lives; a tenant is reachable "
        "while any of its routers serves.",
        tenants.availability,
        high=1.0,
    ),
    "tenant.availability_worst": Metric(
        "1", "The smallest reachability of any one tenant.", tenants.availability_worst, high=1.0
    ),
    "node.availability": Metric(
        "1",
        "Share of the window in which the hosts are up that have an L3 or a DHCP agent (or nova-"
        "network), over all of them, whatever their NICs and agents do. Compute hosts of "
        "distributed routers are left out.",
        nodes.availability,
        high=1.0,
    ),
    "control.availability": Metric(
        "1",
        "Share of the networks and routers asked for during the run that were given an agent at "
        "their release's first trigger (Grizzly: a network's first port, a router's first "
        "update). One that the server was not there to create counts as not placed; a network "
        "without any port is never asked for.",
        control.availability,
        high=1.0,
    ),
    "control.provisioning_median": Metric(
        "s",
        "Median time from the acceptance of a new network or router to its first service.",
        control.provisioning(0.5),
    ),
    "control.provisioning_p95": Metric(
        "s",
        "95th percentile of the time from the acceptance of a new network or router to its first "
        "service.",
        control.provisioning(0.95),
    ),
    "agent.detection_mean": Metric(
        "s",
        "Mean time from a failure (of an agent's process, its host or its management NIC) until "
        "the agent looks down, over failures that outlast it.",
        control.detection_mean,
    ),
    "agent.detection_p95": Metric(
        "s",
        "95th percentile of the time from a failure (of an agent's process, its host or its "
        "management NIC) until the agent looks down, over failures that outlast it.",
        control.detection_p95,
    ),
    "agent.false_down_episodes": Metric(
        "1",
        "How often an agent looked down while its process, its host and its management NIC were "
        "up: maximal intervals of that state, over all agents.",
        control.false_down_episodes,
        counts=True,
    ),
    "agent.false_down_time": Metric(
        "s",
        "Time in which an agent looked down while its process, its host and its management NIC "
        "were up, summed over agents.",
        control.false_down_time,
    ),
    "agent.ha_report_delay_mean": Metric(
        "s",
        "Mean time from the promotion of a VRRP replica (its addresses are set up) until the "
        "server knows of it, over promotions that it hears of.",
        control.ha_report_delay_mean,
    ),
    "failover.time_median": Metric(
        "s",
        "Median time from the loss of service to service on another host, over routers and "
        "networks that moved.",
        control.failover(0.5),
    ),
    "failover.time_p95": Metric(
        "s",
        "95th percentile of the time from the loss of service to service on another host, over "
        "routers and networks that moved.",
        control.failover(0.95),
    ),
    "failover.moves": Metric(
        "1",
        "How often a router or network that had lost service found it on another host: none of the "
        "hosts that served it before serves it then.",
        control.failover_moves,
        counts=True,
    ),
    "load.offered": Metric(
        "bit/s",
        "What the routers that exist offer north-south; time average. Of a distributed router's "
        "load each VM offers an equal part, those with floating IPs by their own hosts.",
        load.offered,
    ),
    "load.carried": Metric(
        "bit/s",
        "What is carried of it: max-min fair over each node's data and external NIC and CPU, and "
        "the uplinks; time average.",
        load.carried,
    ),
    "load.hours_below_demand": Metric(
        "h",
        "Time in which less is carried than offered (by more than a share of 1e-9).",
        load.hours_below_demand,
        high="window",
    ),
    "load.router_p5": Metric(
        "1",
        "Fifth percentile over routers of carried over offered.",
        load.router_p5,
        high=1.0,
    ),
    "load.imbalance": Metric(
        "1",
        "The largest node's offered load over the mean of the nodes that are up; time average. "
        "Compute hosts of distributed routers are left out.",
        load.imbalance,
    ),
    "dhcp.servers_per_node_max": Metric(
        "1",
        "DHCP servers on the node that has most of them; time average.",
        tenants.dhcp_servers(0),
    ),
    "dhcp.servers_per_node_mean": Metric(
        "1",
        "DHCP servers on a node that runs a DHCP agent, in the mean; time average.",
        tenants.dhcp_servers(1),
    ),
}
