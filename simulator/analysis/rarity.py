"""What a run is too short to see: outages that begin so seldom that no sample tells of them.

An interval knows nothing of what no replication saw, and too little of what a few did: of short
outages in all replications and a long one in one of 200 it holds the mean less than six times in
ten. But the scenario says how seldom its components fail, and how long they are out: no more than
that can be lost to them. So where outages of one sort and law are expected to hit what a metric
is about fewer than FEW times in all replications, its interval reaches that much further.
`tests/analysis/test_rarity.py` measures how well that holds, and from there on without it.

What matters only with another failure (an agent's, the broker's) is left out here: it lengthens no
interval, though `--check-exact` allows for it (`hidden_time`). Objects are taken to be spread
evenly over what can carry them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from simulator.analysis.statistics import FEW, Estimate
from simulator.distributions import Distribution, Mixture
from simulator.scenario.components import Component, agent_types, components, failures_of
from simulator.scenario.schema import Failures, HostGroup, System
from simulator.scenario.series import RELEASES
from simulator.scenario.size import (
    moving_time,
    option,
    return_time,
    takeover_time,
    used_uplinks,
    workload_size,
)

ROUTERS, NETWORKS, VMS, NODES, ALL = "routers", "networks", "VMs", "nodes", "all"
"""What a component carries: objects of the nodes' agents, VMs on their own hosts, or all."""
ON_NODES = ("host", "data", "management")
ROUTED = {ROUTERS: (*ON_NODES, "external"), ALL: ("uplink", "ha_network")}
WITHIN = {ROUTERS: ON_NODES, VMS: ("host", "data"), ALL: ("ha_network",)}
LEASED = {NETWORKS: ("host", "data")}
OUT = {VMS: ("host", "data", "external")}


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
    "router.downtime_conflicted": Way({ROUTERS: ("management",), ALL: ("ha_network",)}, up=True),
    "network.availability": Way(LEASED),
    "vm.north_south_availability": Way({**ROUTED, **LEASED, **OUT}),
    "tenant.availability": Way(ROUTED),
    "tenant.availability_worst": Way(ROUTED, every=True),
    "node.availability": Way({NODES: ("host",)}),
    "load.carried": Way({**ROUTED, **OUT}),
    "load.hours_below_demand": Way({**ROUTED, **OUT}, up=True, every=True),
}
"""The metrics that lose no more to an outage than its share of the time."""


@dataclass(frozen=True)
class Outages:
    """Outages of one kind of one component: after times of a *law* one in a *chance* is of it.

    In the long run they begin at *rate*, 1/s; after *seconds*, in the mean, what is carried is back
    where it was.
    """

    law: Distribution
    chance: float
    rate: float
    seconds: float


@dataclass(frozen=True)
class Cause:
    """*count* components of one *sort* and law; *name* is the first one's.

    *carries*: what hangs on each, if that is more than nothing. *near*: what hangs on its host.
    """

    name: str
    sort: str
    carries: frozenset[str]
    near: frozenset[str]
    count: int
    outages: tuple[Outages, ...]


@dataclass(frozen=True)
class Causes:
    """All that fails at random and matters in one system.

    *carriers*: how many of a sort carry one kind of thing; *objects*: how many such things are
    there; *away*: after how many seconds they are somewhere else. *conflicts*: several nodes answer
    for the same routers, so an outage may be for the good.
    """

    found: tuple[Cause, ...]
    carriers: Mapping[tuple[str, str], int]
    objects: Mapping[str, float]
    away: Mapping[tuple[str, str], float]
    conflicts: bool = False

    def are_alone(self, cause: Cause, kind: str) -> bool:
        """Whether all objects of a *kind* hang on the only component of the sort of *cause*."""
        among = [key for key in self.carriers if key[0] == cause.sort and kind_of(key[1]) == kind]
        return sum(map(self.carriers.__getitem__, among)) == 1 or self.objects.get(kind) == 1

    def hit(self, cause: Cause, what: str) -> float:
        """How many of *cause* carry anything, of what is spread over its sort, in the mean."""
        carriers = self.carriers.get((cause.sort, what), 1)
        return cause.count * min(1.0, self.objects.get(what, math.inf) / carriers)


@dataclass(frozen=True)
class Sight:
    """What was looked at: so many *replications*, each for a *window*, s.

    In *equilibrium* outages may have been going on when it began; else all was up.
    """

    replications: int
    window: float
    equilibrium: bool = False

    def expected(self, outages: Outages) -> float:
        """How many *outages* of one component each replication sees, in the mean."""
        if self.equilibrium:
            return outages.rate * (self.window + outages.seconds)
        first = outages.chance * outages.law.cdf(self.window)
        return max(outages.rate * self.window, first)

    def share(self, outages: Outages, away: float = math.inf) -> float:
        """Their share of the time, if what is lost is back after *away* seconds at the latest."""
        seconds = min(outages.seconds, away)
        if self.equilibrium:
            return outages.rate * seconds
        return self.expected(outages) * min(seconds, self.window) / self.window


@dataclass(frozen=True)
class Reach:
    """How far the truth may be *below* and *above* what was seen, in shares of the time.

    *names*: for what. From *known_from* replications on nothing is too rare.
    """

    below: float = 0.0
    above: float = 0.0
    names: tuple[str, ...] = ()
    known_from: int = 0

    def __add__(self, other: Reach) -> Reach:
        return Reach(
            self.below + other.below,
            self.above + other.above,
            tuple(dict.fromkeys(self.names + other.names)),
            max(self.known_from, other.known_from),
        )


NOTHING = Reach()


def kind_of(what: str) -> str:
    """Routers, whatever external network they are for."""
    return what.partition("@")[0]


def causes_of(system: System) -> Causes:
    """What fails at random in *system*, and matters, alone or in company."""
    found: defaultdict[tuple[str, frozenset[str], frozenset[str], tuple[Outages, ...]], list[str]]
    found, carriers = defaultdict(list), Counter[tuple[str, str]]()
    back = return_time(system)
    for part in components(system):
        carried, near = carries(system, part), _near(system, part)
        failures = failures_of(system, part)
        sort = part.sort if part.kind == "nic" else part.kind
        carriers.update((sort, what) for what in carried)
        if failures and failures.time_to_failure and not is_harmless(system, part):
            outages = tuple(_outages(failures, back if sort == "host" else 0.0))
            found[sort, carried, near, outages].append(part.name)
    return Causes(
        tuple(
            Cause(names[0], sort, carried, near, len(names), outages)
            for (sort, carried, near, outages), names in found.items()
        ),
        carriers,
        _objects(system),
        _away(system, carriers),
        conflicts=_conflicts(system, carriers),
    )


def _conflicts(system: System, carriers: Mapping[tuple[str, str], int]) -> bool:
    """Whether several nodes answer for the same routers, as Folsom's L3 agents do."""
    most = max((n for (sort, what), n in carriers.items() if kind_of(what) == ROUTERS), default=0)
    return RELEASES[system.release].architecture == "polling" and most > 1


def _outages(failures: Failures, more: float) -> Iterator[Outages]:
    """Each kind of outage, one for each part of a mixture; *more* seconds pass after a repair."""
    assert failures.time_to_failure is not None
    assert failures.time_to_repair is not None
    law, repair = failures.time_to_failure.build(), failures.time_to_repair.build()
    for chance, seconds in _kinds(repair):
        yield Outages(law, chance, chance / (law.mean + repair.mean), seconds + more)


def _kinds(law: Distribution) -> Iterator[tuple[float, float]]:
    """What *law* is mixed of: the chance of each part, and its mean."""
    if not isinstance(law, Mixture):
        yield 1.0, law.mean
        return
    for weight, part in zip(law.weights, law.parts, strict=True):
        for chance, mean in _kinds(part):
            yield weight / sum(law.weights) * chance, mean


def _objects(system: System) -> dict[str, float]:
    """How many objects there are of each kind at the start; one where the first may come later."""
    routers, networks, vms = workload_size(system)
    changes = system.workload.changes
    least = float(any(getattr(changes, name) is not None for name in type(changes).model_fields))
    found = {ROUTERS: max(routers, least), NETWORKS: max(networks, least), VMS: max(vms, least)}
    each = system.workload.per_tenant.routers
    if not isinstance(each, int):
        tenants = system.workload.tenants
        found |= {f"{ROUTERS}@{name}": max(tenants * n, least) for name, n in each.items()}
    return found


def _away(system: System, carriers: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], float]:
    """After how long what hangs on a component of a sort is elsewhere, if there is an elsewhere."""
    found = {}
    for sort, what in carriers:
        seconds, routers = math.inf, kind_of(what) == ROUTERS
        if routers and option(system, "l3_ha") and sort in ("host", "data"):
            seconds = takeover_time(system)
        elif sort == "host" and _moves(system, kind_of(what)):
            seconds = moving_time(system)
        found[sort, what] = seconds if carriers[sort, what] > 1 else math.inf
    return found


def _moves(system: System, kind: str) -> bool:
    """Whether the server moves objects of a *kind* off dead agents by itself."""
    switch = {
        ROUTERS: "allow_automatic_l3agent_failover",
        NETWORKS: "allow_automatic_dhcp_failover",
    }.get(kind)
    return switch is not None and bool(option(system, switch))


def _near(system: System, part: Component) -> frozenset[str]:
    """What the host of *part* carries."""
    return _of_group(system, part.group) if part.group else frozenset()


def _of_group(system: System, name: str) -> frozenset[str]:
    group = system.hosts[name]
    types = agent_types(system, name)
    if group.is_local or "nova-network" in types:
        return frozenset({VMS, NODES} - ({NODES} if group.is_local else set()))
    carried = {"l3": _routers_of(system, group), "dhcp": NETWORKS}
    found = {carried[kind] for kind in types if kind in carried}
    return frozenset(found | {NODES}) if found else frozenset()


def _routers_of(system: System, group: HostGroup) -> str:
    """The routers that L3 agents of a *group* may have: of one network, where that matters."""
    named = group.gateway_external_network_id
    several = not isinstance(system.workload.per_tenant.routers, int)
    return f"{ROUTERS}@{named}" if named and several else ROUTERS


def carries(system: System, part: Component) -> frozenset[str]:
    """What hangs on *part*; nothing if only together with another failure."""
    if part.kind == "ha_network" or part.name in used_uplinks(system):
        return frozenset({ALL})
    if part.kind not in ("host", "nic"):
        return frozenset()
    near = _near(system, part)
    if part.sort == "management":  # what is moved off a node that is well is at two places
        return frozenset(w for w in near if kind_of(w) == ROUTERS and _moves(system, ROUTERS))
    if part.sort == "external":
        wanted = system.workload.per_tenant.gateway
        return frozenset(w for w in near if w == VMS or (wanted and kind_of(w) == ROUTERS))
    return near - {NODES} if part.kind == "nic" else near


def is_harmless(system: System, part: Component) -> bool:
    """Whether nothing hangs on *part*, nor on it and another: a NIC for traffic that nobody has, a
    host that runs VMs alone, an uplink that no router uses.
    """
    alone = (part.kind, part.sort) == ("host", "compute") or part.kind == "uplink"
    idle = part.kind == "nic" and part.sort != "management"
    return (idle or alone) and not carries(system, part)


def reach(causes: Causes, metric: str, sight: Sight) -> Reach:
    """What may be missing from *metric*, as far as it was seen."""
    way, found = WAYS.get(metric), NOTHING
    if way is None:
        return found
    counted: set[str] = set()
    for kind, sorts in way.sorts.items():
        for cause in causes.found:
            alone = causes.are_alone(cause, kind)
            if cause.sort not in sorts or cause.name in counted or (way.alone and not alone):
                continue
            carried = sorted(what for what in cause.carries if kind_of(what) == kind)
            found = sum((_of_one(causes, cause, w, way, sight) for w in carried), start=found)
            counted |= {cause.name} if carried and alone else set()
    return found


def _of_one(causes: Causes, cause: Cause, what: str, way: Way, sight: Sight) -> Reach:
    """What one *cause* may take from *what* hangs on it."""
    hit, away = causes.hit(cause, what), causes.away.get((cause.sort, what), math.inf)
    share, known_from = _hidden(cause, hit, sight, away)
    if not share:
        return NOTHING
    if causes.conflicts and kind_of(what) == ROUTERS:
        either = share * cause.count
        return Reach(either, either, (cause.name,), known_from)
    share *= hit if way.every else cause.count / causes.carriers[cause.sort, what]
    below, above = (0.0, share) if way.up else (share, 0.0)
    return Reach(below, above, (cause.name,), known_from)


def _hidden(cause: Cause, hit: float, sight: Sight, away: float = math.inf) -> tuple[float, int]:
    """The share of the time that one component is out in ways too rare to be seen, and from how
    many replications on they are not; *hit* of them matter.
    """
    share, known_from = 0.0, 0
    for outages in cause.outages:
        each = hit * sight.expected(outages)
        if 0 < each * sight.replications < FEW:
            share += sight.share(outages, away)
            known_from = max(known_from, math.ceil(FEW / each))
    return share, known_from


def hidden_time(causes: Causes, sight: Sight) -> float:
    """The share of the time in which anything at all is out in ways too rare to be seen, at most:
    no average over time is further off.
    """
    total = 0.0
    for cause in causes.found:
        hit = min((_hit_near(causes, cause, what) for what in cause.near), default=cause.count)
        total += _hidden(cause, hit, sight)[0] * hit
    return total


def _hit_near(causes: Causes, cause: Cause, what: str) -> float:
    """How many of *cause* are on hosts that carry anything of *what* they may, in the mean."""
    hosts = causes.carriers.get(("host", what), cause.count)
    return cause.count * min(1.0, causes.objects.get(what, math.inf) / hosts)


def lengthened(
    found: Estimate,
    mine: Reach,
    *,
    high: float | None,
    minus: Reach | None = None,
    scale: float | None = None,
) -> Estimate:
    """*found* with an interval that reaches as far as *mine*, and no further than *high*.

    Of a difference, *minus* is the reach of what is taken away. A share of the time is that of
    *high*, or where that is no end of *scale*, by default the mean.
    """
    theirs = minus or NOTHING
    if found.mean is None or found.unseen or not (mine.names or theirs.names):
        return found
    whole = high if high is not None else abs(found.mean) if scale is None else scale
    down, up = whole * (mine.below + theirs.above), whole * (mine.above + theirs.below)
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
    """Whether what is rare costs two systems the same: they differ in failures, or how much of the
    same there is, alone.
    """
    sizes = {key: getattr(one.workload, key) for key in ("tenants", "traffic")}
    workload = other.workload.model_copy(update=sizes)
    kept = {"failures": one.failures, "rates": one.rates, "workload": workload}
    return other.model_copy(update=kept) == one
