"""What a run is too short to see: outages that begin so seldom that no sample tells of them.

An interval knows nothing of what no replication saw, and too little of what a few did: of short
outages in all replications and a long one in one of 200 it holds the mean less than six times in
ten. But the scenario says how seldom its components fail, and how long they are out: no more than
that can be lost to them. So where outages of one sort and law are expected to hit what a metric
is about fewer than FEW times in all replications, its interval reaches that much further.
`tests/analysis/test_rarity.py` measures how well that holds, and from there on without it.

What matters only with another failure (an agent's, the broker's) is left out here: it lengthens no
interval, though `check-exact` allows for it (`hidden_time`).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from simulator.analysis.statistics import FEW, Estimate
from simulator.distributions import Distribution, Mixture
from simulator.scenario.components import Component, agent_types, components, failures_of
from simulator.scenario.schema import Failures, System
from simulator.scenario.series import RELEASES
from simulator.scenario.size import return_time, used_uplinks, workload_size

ROUTERS, NETWORKS, VMS, NODES, ALL = "routers", "networks", "VMs", "nodes", "all"
"""What a component carries: objects of the nodes' agents, VMs on their own hosts, or all."""
CARRIES: Mapping[str, str] = {"l3": ROUTERS, "dhcp": NETWORKS, "nova-network": VMS}
ROUTED = {ROUTERS: ("host", "data", "external"), ALL: ("uplink", "ha_network")}
WITHIN = {ROUTERS: ("host", "data"), VMS: ("host", "data"), ALL: ("ha_network",)}
LEASED = {NETWORKS: ("host", "data")}


@dataclass(frozen=True)
class Way:
    """What a metric hangs on: sorts of components, by what they carry.

    Outages lower it, or raise it (*up*), by their share of the time. Each object hangs on one
    component of each sort, but what is about the worst of all, or about any, on *every* one. What
    is about all at once hangs only on what is *alone* of its sort.
    """

    sorts: Mapping[str, tuple[str, ...]]
    up: bool = False
    every: bool = False
    alone: bool = False


WAYS: Mapping[str, Way] = {
    "router.availability": Way(ROUTED),
    "router.availability_worst": Way(ROUTED, every=True),
    "router.east_west_availability": Way(WITHIN),
    "router.all_down_time": Way(ROUTED, up=True, alone=True),
    "router.all_down_time_by_nodes": Way({ROUTERS: ROUTED[ROUTERS]}, up=True, alone=True),
    "router.downtime_host": Way({ROUTERS: ("host",)}, up=True),
    "router.downtime_node_path": Way({ROUTERS: ("data", "external")}, up=True),
    "router.downtime_uplink": Way({ALL: ("uplink",)}, up=True),
    "router.downtime_conflicted": Way({ALL: ("ha_network",)}, up=True),
    "network.availability": Way(LEASED),
    "vm.north_south_availability": Way({**ROUTED, **LEASED, VMS: ROUTED[ROUTERS]}),
    "tenant.availability": Way(ROUTED),
    "tenant.availability_worst": Way(ROUTED, every=True),
    "node.availability": Way({NODES: ("host",)}),
    "load.carried": Way(ROUTED),
    "load.hours_below_demand": Way(ROUTED, up=True, every=True),
}
"""The metrics that lose no more to an outage than its share of the time."""


@dataclass(frozen=True)
class Outages:
    """Outages of one kind of one component: *rate*, 1/s, and *seconds*, in the mean, until what it
    carries is back.
    """

    rate: float
    seconds: float


@dataclass(frozen=True)
class Cause:
    """*count* components of one *sort* and law, which carry the same; *name* is the first one's.

    *alone*: nothing else of that sort carries anything. *conflicts*: an outage may end a conflict,
    and so be for the good.
    """

    name: str
    sort: str
    carries: frozenset[str]
    count: int
    outages: tuple[Outages, ...]
    alone: bool = False
    conflicts: bool = False


@dataclass(frozen=True)
class Causes:
    """All that fails at random in one system, and how many objects there are to be hit."""

    found: tuple[Cause, ...]
    objects: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sight:
    """What was looked at: so many *replications*, each for a *window*, s.

    In *equilibrium* outages may have been going on when it began.
    """

    replications: int
    window: float
    equilibrium: bool = False

    def expected(self, outages: Outages) -> float:
        """How many *outages* of one component each replication sees, in the mean."""
        return outages.rate * (self.window + outages.seconds * self.equilibrium)


@dataclass(frozen=True)
class Reach:
    """How far the truth may be *below* and *above* what was seen, in shares of the time.

    *names*: for what. From *known_from* replications on nothing is too rare.
    """

    below: float = 0.0
    above: float = 0.0
    names: tuple[str, ...] = ()
    known_from: int = 0


NOTHING = Reach()


def causes_of(system: System) -> Causes:
    """What fails at random in *system*."""
    found: defaultdict[tuple[str, frozenset[str], tuple[Outages, ...]], list[str]]
    found = defaultdict(list)
    many: Counter[str] = Counter()
    hosts = return_time(system)
    for part in components(system):
        carried, failures = carries(system, part), failures_of(system, part)
        sort = part.sort if part.kind == "nic" else part.kind
        many[sort] += bool(carried)
        if failures and failures.time_to_failure:
            outages = tuple(_outages(failures, hosts if sort == "host" else 0.0))
            found[sort, carried, outages].append(part.name)
    polled = RELEASES[system.release].architecture == "polling" and many["host"] > 1
    causes = (
        Cause(
            names[0], sort, carried, len(names), outages, alone=many[sort] == 1,
            conflicts=polled and sort in ROUTED[ROUTERS] and ROUTERS in carried,
        )
        for (sort, carried, outages), names in found.items()
    )  # fmt: skip
    routers, networks, vms = workload_size(system)
    return Causes(tuple(causes), {ROUTERS: routers, NETWORKS: networks, VMS: vms})


def _outages(failures: Failures, more: float) -> Iterator[Outages]:
    """Each kind of outage, one for each part of a mixture; *more* seconds pass after a repair."""
    assert failures.time_to_failure is not None
    assert failures.time_to_repair is not None
    up, repair = failures.time_to_failure.build().mean, failures.time_to_repair.build()
    for chance, seconds in _kinds(repair):
        yield Outages(chance / (up + repair.mean), seconds + more)


def _kinds(law: Distribution) -> Iterator[tuple[float, float]]:
    """What *law* is mixed of: the chance of each part, and its mean."""
    if not isinstance(law, Mixture):
        yield 1.0, law.mean
        return
    for weight, part in zip(law.weights, law.parts, strict=True):
        for chance, mean in _kinds(part):
            yield weight / sum(law.weights) * chance, mean


def carries(system: System, part: Component) -> frozenset[str]:
    """What hangs on *part*; nothing if only together with another failure."""
    if part.kind in ("uplink", "ha_network"):
        used = part.kind == "ha_network" or part.name in used_uplinks(system)
        return frozenset({ALL} if used else ())
    group = system.hosts[part.group]
    if part.kind not in ("host", "nic"):
        return frozenset()
    if group.is_local:
        return frozenset({VMS})
    types = agent_types(system, part.group)
    carried = {CARRIES[kind] for kind in types if kind in CARRIES}
    return frozenset(carried | {NODES}) if carried else frozenset()


def is_harmless(system: System, part: Component) -> bool:
    """Whether nothing hangs on *part*, nor on it and another: a NIC for traffic that nobody has, or
    a host that runs VMs alone.
    """
    idle = part.kind == "nic" and part.sort != "management"
    return (idle or (part.kind, part.sort) == ("host", "compute")) and not carries(system, part)


def reach(causes: Causes, metric: str, sight: Sight) -> Reach:
    """What may be missing from *metric*, as far as it was seen."""
    way, found = WAYS.get(metric), NOTHING
    if way is None:
        return found
    counted: set[str] = set()
    for carried, sorts in way.sorts.items():
        objects = causes.objects.get(carried, math.inf)
        for sort in sorts:
            rows = [c for c in causes.found if c.sort == sort and carried in c.carries]
            rows = [c for c in rows if c.alone or objects == 1 or not way.alone]
            rows = [c for c in rows if c.name not in counted]
            counted |= {c.name for c in rows if c.alone}
            found = _added(found, _worst(rows, objects, way, sight))
    return found


def _worst(causes: Iterable[Cause], objects: float, way: Way, sight: Sight) -> Reach:
    """Of *causes*, one of which each of so many *objects* hangs on, the one that costs most."""
    found = [_of_one(cause, objects, way, sight) for cause in causes]
    if way.every:
        total = NOTHING
        for one in found:
            total = _added(total, one)
        return total
    return max(found, key=lambda one: one.below + one.above, default=NOTHING)


def _of_one(cause: Cause, objects: float, way: Way, sight: Sight) -> Reach:
    hit = min(cause.count, objects)
    share, known_from = _hidden(cause, hit, sight)
    if not share:
        return NOTHING
    share *= cause.count if cause.conflicts else hit if way.every else 1
    below, above = (0.0, share) if way.up else (share, 0.0)
    if cause.conflicts:
        below, above = share, share
    return Reach(below, above, (cause.name,), known_from)


def _hidden(cause: Cause, hit: float, sight: Sight) -> tuple[float, int]:
    """The share of the time that one component is out in ways too rare to be seen, and from how
    many replications on they are not; *hit* of them matter.
    """
    share, known_from = 0.0, 0
    for outages in cause.outages:
        each = hit * sight.expected(outages)
        if 0 < each * sight.replications < FEW:
            share += outages.rate * outages.seconds
            known_from = max(known_from, math.ceil(FEW / each))
    return share, known_from


def _added(one: Reach, other: Reach) -> Reach:
    return Reach(
        one.below + other.below,
        one.above + other.above,
        tuple(dict.fromkeys(one.names + other.names)),
        max(one.known_from, other.known_from),
    )


def hidden_time(causes: Causes, sight: Sight) -> float:
    """The share of the time in which anything at all is out in ways too rare to be seen, at most:
    no average over time is further off.
    """
    return sum(_hidden(cause, cause.count, sight)[0] * cause.count for cause in causes.found)


def lengthened(
    found: Estimate, mine: Reach, *, high: float | None, minus: Reach | None = None
) -> Estimate:
    """*found* with an interval that reaches as far as *mine*, and no further than *high*.

    Of a difference, *minus* is the reach of what is taken away.
    """
    theirs = minus or NOTHING
    if found.mean is None or found.unseen or not (mine.names or theirs.names):
        return found
    scale = abs(found.mean) if high is None else high
    down, up = scale * (mine.below + theirs.above), scale * (mine.above + theirs.below)
    low, top = found.ci_low, found.ci_high
    note = found.note
    if low is not None and top is not None and down + up > 0.1 * (top - low):
        names = ", ".join(dict.fromkeys(mine.names + theirs.names))
        told = f"reaches as far as {names} may matter, whose failures are too rare to be seen"
        note = "; ".join(filter(None, (note, told)))
    most = math.inf if high is None else high
    least = 0.0 if minus is None else -most
    return replace(
        found, note=note, reach=(down, up), known_from=max(mine.known_from, theirs.known_from),
        ci_low=None if low is None else max(low - down, least),
        ci_high=None if top is None else min(top + up, most),
    )  # fmt: skip


def hide_alike(one: System, other: System) -> bool:
    """Whether what is rare costs two systems the same: they differ in failures or load alone."""
    kept = {"failures": one.failures, "rates": one.rates, "workload": one.workload}
    return other.model_copy(update=kept) == one
