"""What a run is too short to see: causes that fail so seldom that no sample tells of them.

An interval knows nothing of what no replication saw, and too little of what a few did: of short
outages in all replications and a long one in one of 200 it holds the mean less than six times in
ten. But the scenario says how seldom its components fail, and how long they are down in the mean:
but for what their return takes (boot, setting up), no more than that can be lost to them. So where
components of one sort and law are expected to fail fewer than FEW times in all replications, the
interval of what they take away reaches that much further. `tests/analysis/test_rarity.py` measures
how well that holds, and from there on without it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from simulator.analysis.statistics import FEW, Estimate
from simulator.scenario.components import Component, agent_types, components, failures_of
from simulator.scenario.schema import System

CARRY = {"l3", "dhcp", "nova-network"}
"""Types of agents whose hosts carry objects."""
NODE = ("host", "data")
WAY_OUT = (*NODE, "external", "uplink")
TAKEN: Mapping[str, tuple[str, ...]] = {
    "router.availability": WAY_OUT,
    "router.east_west_availability": NODE,
    "network.availability": NODE,
    "vm.north_south_availability": WAY_OUT,
    "tenant.availability": WAY_OUT,
    "node.availability": ("host",),
}
"""Whose outages lower a metric, by at most their own share of the time."""
ADDED: Mapping[str, tuple[str, ...]] = {
    "router.downtime_host": ("host",),
    "router.downtime_node_path": ("data", "external"),
    "router.downtime_uplink": ("uplink",),
}
"""Whose outages raise one."""


@dataclass(frozen=True)
class Cause:
    """Components of one *sort* and law: *rate* of failures of all of them, 1/s, and the *share* of
    the time in which one is down. *name* is that of the first.
    """

    sort: str
    name: str
    rate: float
    share: float


def causes_of(system: System) -> tuple[Cause, ...]:
    """What fails at random on the way of the objects that nodes carry."""
    found: defaultdict[tuple[str, float, float], list[str]] = defaultdict(list)
    for part in components(system):
        sort, failures = sort_of(system, part), failures_of(system, part)
        if sort and failures and failures.time_to_failure and failures.time_to_repair:
            up, down = failures.time_to_failure.build().mean, failures.time_to_repair.build().mean
            found[sort, up, down].append(part.name)
    return tuple(
        Cause(sort, names[0], len(names) / (up + down), down / (up + down))
        for (sort, up, down), names in found.items()
    )


def sort_of(system: System, part: Component) -> str:
    """What *part* is to the objects that nodes carry; nothing if it is not on their way."""
    if part.kind == "uplink":
        return part.kind
    group = system.hosts.get(part.group)
    if group is None or group.is_local or not CARRY & set(agent_types(system, part.group)):
        return ""
    name = part.sort if part.kind == "nic" else part.kind
    return name if name in WAY_OUT else ""


def rare(causes: Iterable[Cause], metric: str, seconds: float) -> tuple[Cause, ...]:
    """Those that matter to *metric* and fail too seldom in so many *seconds* of all replications.

    Of each sort the one whose components are down longest.
    """
    sorts = TAKEN.get(metric, ()) + ADDED.get(metric, ())
    found: dict[str, Cause] = {}
    for cause in causes:
        if cause.sort in sorts and cause.rate * seconds < FEW:
            found[cause.sort] = max(cause, found.get(cause.sort, cause), key=lambda c: c.share)
    return tuple(found.values())


def lengthened(
    found: Estimate,
    metric: str,
    hidden: Iterable[Cause],
    minus: Iterable[Cause] | None = None,
) -> Estimate:
    """*found* with an interval that reaches as far as what is *hidden* may matter.

    Of a difference, *minus* is what is hidden in the other one.
    """
    mine, theirs = tuple(hidden), tuple(minus or ())
    if found.mean is None or found.unseen or mine == theirs:
        return found
    down, up = reach(metric, mine, theirs)
    low, top = found.ci_low, found.ci_high
    note = found.note
    if low is not None and top is not None and down + up > 0.1 * (top - low):
        names = ", ".join(dict.fromkeys(cause.name for cause in (*mine, *theirs)))
        told = f"reaches as far as {names} may matter, whose failures are too rare to be seen"
        note = "; ".join(filter(None, (note, told)))
    least = 0.0 if minus is None else -math.inf
    return replace(
        found, note=note,
        ci_low=None if low is None else max(low - down, least),
        ci_high=None if top is None else top + up,
    )  # fmt: skip


def reach(metric: str, hidden: Iterable[Cause], minus: Iterable[Cause] = ()) -> tuple[float, float]:
    """How far the truth may lie below and above what was seen of *metric*, at most."""
    down, up = (sum(cause.share for cause in causes) for causes in (hidden, minus))
    return (up, down) if metric in ADDED else (down, up)
