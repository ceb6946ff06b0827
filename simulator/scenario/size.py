"""How much a system asks for: objects, bytes and events, before anything is simulated."""

from __future__ import annotations

from collections.abc import Iterator

from simulator import clock
from simulator.distributions import Deterministic
from simulator.scenario.components import Component, components, failures_of
from simulator.scenario.releases import OptionValue, reports
from simulator.scenario.schema import System
from simulator.scenario.series import RELEASES

OBJECT_BYTES = 1800
"""Memory of a network or router while it is simulated and measured: 1.76 kB were seen."""


RELEASE_COST = 5.0
"""About how long an L3 agent of any release takes to set up a router, s."""


def object_count(system: System) -> int:
    """Networks and routers at the start; nova-network has one of each on a compute host."""
    if _multi_host(system):
        return 2 * sum(g.count for g in system.hosts.values() if g.kind == "compute")
    return system.workload.tenants * _objects_of_tenant(system)


def objects_in_all(system: System, horizon: float) -> float:
    """Networks and routers that one replication sees: those of the start, and the expected rest."""
    if _multi_host(system):
        return object_count(system)
    changes = system.workload.changes
    weights = ((changes.tenants, _objects_of_tenant(system)), (changes.networks, 1),
               (changes.routers, 1))  # fmt: skip
    come = sum(change.arrivals * weight for change, weight in weights if change)
    return object_count(system) + come * horizon


def _objects_of_tenant(system: System) -> int:
    return system.workload.per_tenant.networks + _routers_of_tenant(system)


def _routers_of_tenant(system: System) -> int:
    routers = system.workload.per_tenant.routers
    return routers if isinstance(routers, int) else sum(routers.values())


def workload_size(system: System) -> tuple[int, int, int]:
    """Routers, networks and VMs at the start."""
    tenants, each = system.workload.tenants, system.workload.per_tenant
    networks = tenants * each.networks
    return tenants * _routers_of_tenant(system), networks, networks * each.vms


def used_uplinks(system: System) -> frozenset[str]:
    """The uplinks of the external networks that tenants name, else of the first."""
    each, names = system.workload.per_tenant, list(system.external_networks)[:1]
    if not isinstance(each.routers, int):
        names = [name for name, count in each.routers.items() if count]
    return frozenset(f"uplink/{name}" for name in names if each.gateway)


def return_time(system: System) -> float:
    """About how long what a host serves is away after its repair, s: boot, start, rebuilding."""
    costs, fuzzy = system.costs, amount(system, "periodic_fuzzy_delay") or 0.0
    return costs.boot + costs.agent_start + fuzzy + _rebuilding(system)


def moving_time(system: System) -> float:
    """About how long it takes at most until the server has moved what a dead host served, s."""
    noticing = 5 * (amount(system, "agent_down_time") or 0.0)  # dead after 2, a pass each 1/2
    moving = system.costs.reschedule * object_count(system)
    return noticing + moving + 2 * _rebuilding(system)


def takeover_time(system: System) -> float:
    """About how long it takes at most until another VRRP replica serves, s."""
    return 4 * (amount(system, "ha_vrrp_advert_int") or 2.0) + system.costs.promote


def _rebuilding(system: System) -> float:
    """About how long it takes to set up all routers of a host, s."""
    costs = system.costs
    hosts = [g for g in system.hosts.values() if "l3" in g.agent_types and not g.is_local]
    each = RELEASE_COST if costs.rebuild_per_router == "release" else costs.rebuild_per_router
    routers = 0 if _multi_host(system) else workload_size(system)[0]
    return each * routers / max(sum(group.count for group in hosts), 1)


def _multi_host(system: System) -> bool:
    return RELEASES[system.release].architecture == "multi_host"


def estimate_events(system: System, horizon: float) -> float:
    """About how many events one replication of *system* makes."""
    firsts: dict[str, list[Component]] = {name: [] for name in system.hosts}
    for component in one_of_each(system):
        firsts.get(component.group, []).append(component)
    rate = sum(_changes(system))
    for name, group in system.hosts.items():
        rate += group.count * sum(_failures(system, firsts[name]))
        rate += group.count * sum(_heartbeats(system, firsts[name]))
    return rate * horizon


def _failures(system: System, parts: list[Component]) -> Iterator[float]:
    """Events a second of each of *parts* that fails at random."""
    for part in parts:
        failures = failures_of(system, part)
        if failures is None or failures.time_to_failure is None:
            continue
        assert failures.time_to_repair is not None
        mean = failures.time_to_failure.build().mean + failures.time_to_repair.build().mean
        yield 6 / max(mean, clock.TICK)


def is_one_by_one(system: System) -> bool:
    """Whether every heartbeat is simulated, none computed."""
    return system.heartbeats == "explicit"


def _heartbeats(system: System, parts: list[Component]) -> Iterator[float]:
    """Events a second of each agent: of heartbeats that are simulated, or make belief flap."""
    interval, limit = amount(system, "report_interval"), amount(system, "agent_down_time")
    if not interval or limit is None:
        return
    senders = {part.sort or part.kind for part in parts}
    reporting = len(senders & reports(RELEASES[system.release], system.components))
    if is_one_by_one(system):
        yield 2 * reporting / interval
    late, slack = system.broker.loss, limit - interval
    delay = system.broker.delay.build() if system.broker.delay else None
    if delay is not None and not isinstance(delay, Deterministic):
        late += (1 - late) * (1 - delay.cdf(slack))
    yield 2 * reporting * (1.0 if slack < 0 else late) / interval


def _changes(system: System) -> Iterator[float]:
    """Events a second of each kind of arrival, and of what goes again."""
    changes = system.workload.changes
    for name in type(changes).model_fields:
        change = getattr(changes, name)
        if change is not None:
            yield (4 + (_calls_of_tenant(system) if name == "tenants" else 0)) * change.arrivals


def _calls_of_tenant(system: System) -> int:
    """API calls that bring a tenant beyond the first, and take it away."""
    each = system.workload.per_tenant
    if _multi_host(system):
        return 0
    networks = each.networks * (1 + each.ports + each.vms)
    return 2 * (networks + _routers_of_tenant(system) * (1 + each.floating_ips))


def option(system: System, name: str) -> OptionValue | None:
    """The value in force of Quantum's option *name*; None if the release does not have it."""
    given: OptionValue | None = getattr(system.neutron, name)
    return given if given is not None else RELEASES[system.release].options.get(name)


def amount(system: System, name: str) -> float | None:
    """As `option`, of an option that is a number or a time."""
    value = option(system, name)
    assert not isinstance(value, str | tuple), name
    return value if value is None else float(value)


def one_of_each(system: System) -> list[Component]:
    """The components of the first host of each group, and the uplinks."""
    single = {name: group.model_copy(update={"count": 1}) for name, group in system.hosts.items()}
    return components(system.model_copy(update={"hosts": single}))
