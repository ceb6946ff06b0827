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
    """A unit of metrics: its symbol, what it is, and how a limit in it is read and written.

    *write* is for files, to the last bit; *show* for people, as short as it can be.
    """

    symbol: str
    words: str
    read: Callable[[object], float]
    write: Callable[[float], object]
    show: Callable[[float], str]


def _shortest(value: float, sizes: Mapping[str, float]) -> str:
    """*value* in the unit of *sizes* in which its number is shortest, to 12 digits."""
    numbers = {unit: f"{value / size:.12g}" for unit, size in sizes.items()}
    best = min(numbers, key=lambda unit: len(numbers[unit]))
    return f"{numbers[best]}{best}" if value else "0"


TIMES = {unit: units.DURATIONS[unit] for unit in ("s", "ms", "us", "min", "h", "d")}
RATES = {unit: units.BIT_RATES[unit] for unit in ("bps", "kbps", "Mbps", "Gbps", "Tbps")}
SHARE = Unit(
    "1",
    "a share, like 99.95%",
    units.share,
    lambda value: value,
    lambda value: f"{100 * value:.12g}%",
)
NUMBER = Unit("1", "a plain number, like 3", units.number, lambda value: value, "{:.12g}".format)
SECONDS = Unit(
    "s",
    "a time, like 30s",
    units.duration,
    lambda value: f"{value!r}s",
    lambda value: _shortest(value, TIMES),
)
HOURS = Unit(
    "h",
    "a time, like 30s",
    units.hours,
    lambda value: f"{value!r}h",
    lambda value: _shortest(value * units.HOUR, TIMES),
)
BIT_RATE = Unit(
    "bit/s",
    "a rate, like 4Gbps",
    units.bit_rate,
    lambda value: f"{value!r}bps",
    lambda value: _shortest(value, RATES),
)

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
    "node.availability": SHARE,
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
