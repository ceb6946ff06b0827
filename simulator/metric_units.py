"""The metrics by name, each with the unit in which a scenario gives limits of it.

Scenarios name metrics and analysis measures them (`analysis/metrics.py:METRICS`); neither imports
the other, so what both must know stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator import units


@dataclass(frozen=True)
class Unit:
    """A unit of metrics: its symbol and in words, and how a limit in it is read and written."""

    symbol: str
    words: str
    read: Callable[[object], float]
    write: Callable[[float], object]


SHARE = Unit("1", "a share", units.share, lambda value: value)
NUMBER = Unit("1", "a plain number", units.number, lambda value: value)
SECONDS = Unit("s", "a time", units.duration, lambda value: f"{value!r}s")
HOURS = Unit("h", "a time", units.hours, lambda value: f"{value!r}h")
BIT_RATE = Unit("bit/s", "a rate", units.bit_rate, lambda value: f"{value!r}bps")

METRIC_UNITS: Mapping[str, Unit] = {
    "router.availability": SHARE,
    "router.availability_worst": SHARE,
    "router.share_over_limit": SHARE,
    "router.east_west_availability": SHARE,
    "router.conflicted_time": SECONDS,
    "router.all_down_time": SECONDS,
    "router.all_down_probability": SHARE,
    "router.all_down_time_by_nodes": SECONDS,
    "router.all_down_probability_by_nodes": SHARE,
    "router.blast_radius_mean": SHARE,
    "router.blast_radius_p95": SHARE,
    "router.blast_radius_max": SHARE,
    "router.outages": NUMBER,
    "router.outage_median": SECONDS,
    "router.outage_p95": SECONDS,
    "router.outage_longest": SECONDS,
    "router.downtime_unscheduled": SHARE,
    "router.downtime_host": SHARE,
    "router.downtime_configuring": SHARE,
    "router.downtime_electing": SHARE,
    "router.downtime_node_path": SHARE,
    "router.downtime_uplink": SHARE,
    "router.downtime_conflicted": SHARE,
    "network.availability": SHARE,
    "vm.hours_without_address": HOURS,
    "vm.north_south_availability": SHARE,
    "tenant.availability": SHARE,
    "tenant.availability_worst": SHARE,
    "control.availability": SHARE,
    "control.provisioning_median": SECONDS,
    "control.provisioning_p95": SECONDS,
    "agent.detection_mean": SECONDS,
    "agent.detection_p95": SECONDS,
    "agent.false_down_episodes": NUMBER,
    "agent.false_down_time": SECONDS,
    "agent.ha_report_delay_mean": SECONDS,
    "failover.time_median": SECONDS,
    "failover.time_p95": SECONDS,
    "failover.moves": NUMBER,
    "load.offered": BIT_RATE,
    "load.carried": BIT_RATE,
    "load.hours_below_demand": HOURS,
    "load.router_p5": SHARE,
    "load.imbalance": NUMBER,
    "dhcp.servers_per_node_max": NUMBER,
    "dhcp.servers_per_node_mean": NUMBER,
}
