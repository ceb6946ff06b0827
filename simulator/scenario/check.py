"""What a valid form cannot say: the impossible is an error, the unwise a warning with a code.

| code | warning |
|---|---|
| NN101 | agent_down_time is less than twice report_interval: one late heartbeat is a false alarm |
| NN102 | agent_down_time is below report_interval: agents flap at every heartbeat |
| NN103 | two Folsom L3 agents with one filter realise the same routers and conflict |
| NN106 | heartbeats come faster than the server can process them |
| NN105 | an HA network is to fail where no router is highly available |
| NN104 | an outage or an action lies beyond the horizon and never happens |
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from fnmatch import translate

from simulator import clock, units
from simulator.errors import InputError
from simulator.scenario.check_options import check_options, names_networks
from simulator.scenario.components import (
    KINDS,
    NOT_MODELLED,
    components,
)
from simulator.scenario.finding import Finding, nearest
from simulator.scenario.presets import preset
from simulator.scenario.schema import ACTION_ARGUMENTS, HostGroup, Scenario, System
from simulator.scenario.series import RELEASES
from simulator.scenario.size import (
    OBJECT_BYTES,
    estimate_events,
    object_count,
    objects_in_all,
    one_of_each,
)

HORIZON_LIMIT = 250 * units.YEAR
OBJECT_LIMIT = 10_000_000
HOST_LIMIT = 100_000
EVENT_LIMIT = 500_000_000
"""Hours of one replication, at some 100,000 a second."""
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
SCHEDULER_OPS = {op for op, needs in ACTION_ARGUMENTS.items() if "agent" in needs} - {
    "agent_stop",
    "agent_start",
}


def check_system(system: System) -> list[Finding]:
    """Everything wrong or unwise in *system* that its form allows."""
    findings = [*_rates(system), *_failures(system), *check_options(system), *_size(system)]
    findings += [*_hosts(system), *_external_networks(system)]
    if not any(finding.code in ("too_many", "hosts") for finding in findings):
        findings += _actions(system)
    return findings


def check_until(scenario: Scenario) -> Iterator[Finding]:
    """What cannot be reached, and what would be at once."""
    until = scenario.until
    if until is None:
        return
    if not until.targets and not until.decided:
        yield Finding(("until",), "no_target", "nothing is to be reached: give targets or decided")
    if until.decided and not scenario.thresholds:
        why = "there are no thresholds to be decided"
        yield Finding(("until", "decided"), "no_thresholds", why)
    if until.most < scenario.replications:
        why = (
            f"at most {until.most:,} are less than the {scenario.replications:,} of the first look"
        )
        yield Finding(("until", "most"), "most", why)
    for number, target in enumerate(until.targets):
        if not target.half_width:
            why = "no number of replications makes an interval that narrow"
            yield Finding(("until", "targets", number, "half_width"), "half_width", why)


def check_scenario(scenario: Scenario) -> list[tuple[str, Finding]]:
    """Everything wrong or unwise in *scenario* beyond its systems, with the variant it is in."""
    findings = []
    if scenario.horizon > HORIZON_LIMIT:
        why = (
            f"'{units.format_duration(scenario.horizon)}' is too long: at most 250 y "
            f"(the clock is exact up to {clock.EXACT_LIMIT / units.YEAR:.0f} y)"
        )
        findings.append(Finding(("horizon",), "too_long", why))
    if scenario.warm_up >= scenario.horizon:
        why = "the warm-up must be shorter than the horizon"
        findings.append(Finding(("warm_up",), "warm_up", why))
    findings += check_until(scenario)
    found = [("", finding) for finding in findings]
    for name, system in scenario.variants.items():
        objects = objects_in_all(system, scenario.horizon)
        if objects > OBJECT_LIMIT >= object_count(system):
            why = (
                f"variant '{name}' would come to about {objects:.1e} networks and routers; at "
                f"most {OBJECT_LIMIT:,} fit in memory: shorten it, or let fewer arrive"
            )
            found.append(("", Finding(("horizon",), "too_many", why)))
        events = estimate_events(system, scenario.horizon)
        if events > EVENT_LIMIT:
            why = (
                f"variant '{name}' would make about {events:.1e} events in one replication; "
                f"at most {EVENT_LIMIT:.0e} are allowed: shorten it, or give fewer components, "
                "arrivals or late heartbeats"
            )
            found.append(("", Finding(("horizon",), "too_many", why)))
        found += [(name, finding) for finding in _too_late(system, scenario.horizon)]
    return found


def check_names(systems: Mapping[str, System]) -> Iterator[tuple[str, Finding]]:
    """A component named in `failures` must exist in one variant at least."""
    named = [
        (variant, key)
        for variant, system in systems.items()
        for key in system.failures
        if _is_name(key)
    ]
    known = {variant: _firsts(system) for variant, system in systems.items()} if named else {}
    absent = {
        key
        for key in {key for _, key in named}
        if not any(_exists(key, system, known[variant]) for variant, system in systems.items())
    }
    options = set().union(*known.values())
    for variant, key in named:
        if key in absent:
            why = f"no variant has a component '{key}'; {nearest(key, options)}"
            yield variant, Finding(("failures", key), "unknown_component", why, at_key=True)


def _firsts(system: System) -> set[str]:
    """The names of the components of the first host of each group, and of the uplinks."""
    return {component.name for component in one_of_each(system)}


def _exists(name: str, system: System, firsts: Container[str]) -> bool:
    host, slash, part = name.partition("/")
    if host == "uplink":
        return name in firsts
    group, _, number = host.rpartition("-")
    if group not in system.hosts or f"{group}-1{slash}{part}" not in firsts:
        return False
    return bool(_NUMBER.fullmatch(number)) and int(number) <= system.hosts[group].count


def _rates(system: System) -> Iterator[Finding]:
    if system.rates is not None:
        try:
            preset(system.rates)
        except InputError as error:
            yield Finding(("rates",), "unknown_preset", str(error))


def _failures(system: System) -> Iterator[Finding]:
    general = {*KINDS, *(f"{kind}.{sort}" for kind, sorts in KINDS.items() for sort in sorts)}
    for key, failures in system.failures.items():
        if failures.orderly and not _is_host(key):
            why = f"only hosts are shut down in good order, not '{key}'"
            yield Finding(("failures", key, "orderly"), "orderly", why)
        word = key.partition(".")[0].lower()
        if key in general or _is_name(key):
            continue  # a name must exist in one variant: see check_names
        if word in NOT_MODELLED or word.rstrip("s") in NOT_MODELLED:
            why = f"'{key}' is not modelled; {nearest(key, general)}"
        else:
            why = f"unknown component '{key}'; {nearest(key, general)}"
        yield Finding(("failures", key), "unknown_component", why, at_key=True)


def _is_host(key: str) -> bool:
    """Whether *key* names hosts, or one host."""
    return key.partition(".")[0] == "host" or (_is_name(key) and "/" not in key)


def _is_name(key: str) -> bool:
    """Whether *key* names one component, as `network-1` or `network-1/l3`, not a kind of them."""
    _, dash, number = key.rpartition("-")
    return "/" in key or (bool(dash) and bool(_NUMBER.fullmatch(number)))


def _size(system: System) -> Iterator[Finding]:
    objects = object_count(system)
    if objects > OBJECT_LIMIT:
        why = (
            f"{objects:,} networks and routers; at most {OBJECT_LIMIT:,} fit in memory "
            f"(about {OBJECT_BYTES / 1000:g} kB each)"
        )
        yield Finding(("workload", "tenants"), "too_many", why)
    hosts = sum(group.count for group in system.hosts.values())
    if hosts > HOST_LIMIT:
        yield Finding(("hosts",), "too_many", f"{hosts:,} hosts; at most {HOST_LIMIT:,}")


def _hosts(system: System) -> Iterator[Finding]:
    kinds = {group.kind for group in system.hosts.values()}
    if RELEASES[system.release].architecture == "multi_host":
        if "compute" not in kinds:
            yield Finding(("hosts",), "hosts", "nova-network needs a group of kind compute")
        for name, group in system.hosts.items():
            if group.kind == "network":
                why = "nova-network has no network nodes; write `null` to take the group away"
                yield Finding(("hosts", name), "hosts", why, at_key=True)
        return
    if "controller" not in kinds:
        yield Finding(("hosts",), "hosts", "needs a group of kind controller")
    types = {
        sort
        for group in system.hosts.values()
        for sort in group.agent_types
        if not (sort == "l3" and group.is_local)
    }
    for sort in ("l3", "dhcp"):
        if sort not in types:
            yield Finding(("hosts",), "hosts", f"no host runs an agent of type {sort}")


def _external_networks(system: System) -> Iterator[Finding]:
    names = list(system.external_networks)
    routers = system.workload.per_tenant.routers
    if isinstance(routers, dict):
        for name in routers:
            if name not in names:
                why = f"no external network '{name}'; {nearest(name, names)}"
                yield Finding(("workload", "per_tenant", "routers", name), "unknown_network", why)
    elif len(names) > 1 and routers and system.workload.per_tenant.gateway:
        why = f"say how many on each external network: {{{', '.join(f'{n}: 1' for n in names)}}}"
        yield Finding(("workload", "per_tenant", "routers"), "ambiguous", why)
    if not names and system.workload.per_tenant.gateway:
        why = "no external network: give one, or workload.per_tenant.gateway: false"
        yield Finding(("external_networks",), "unknown_network", why)
    if RELEASES[system.release].architecture == "multi_host":
        if len(names) > 1:
            why = "nova-network's hosts have one way out; give one external network"
            yield Finding(("external_networks",), "ambiguous", why)
        return
    yield from _l3_groups(system, names)


def _l3_groups(system: System, names: list[str]) -> Iterator[Finding]:
    routing = {n: g for n, g in system.hosts.items() if "l3" in g.agent_types}
    groups = {n: g for n, g in routing.items() if not g.is_local}
    for name, group in groups.items():
        chosen = group.gateway_external_network_id
        path = ("hosts", name, "gateway_external_network_id")
        if chosen is None and len(names) > 1 and names_networks(system):
            why = (
                "with several external networks each L3 agent must name its own by "
                "gateway_external_network_id (Quantum raises TooManyExternalNetworks and "
                "serves nothing)"
            )
            yield Finding(("hosts", name), "ambiguous", why, at_key=True)
        elif chosen is not None and chosen not in names:
            why = f"no external network '{chosen}'; {nearest(chosen, names)}"
            yield Finding(path, "unknown_network", why)
    reached = {group.gateway_external_network_id for group in groups.values()}
    for name in names:
        if groups and None not in reached and name not in reached:
            why = f"no L3 agent reaches '{name}'; set gateway_external_network_id of a group"
            yield Finding(("external_networks", name), "unreachable", why, at_key=True)
    if RELEASES[system.release].architecture == "polling":
        yield from _conflicts(groups)


def _conflicts(groups: dict[str, HostGroup]) -> Iterator[Finding]:
    """Folsom's L3 agents do not know of each other."""
    seen: dict[str | None, str] = {}
    for name, group in groups.items():
        key = group.gateway_external_network_id
        if group.count > 1 or key in seen or None in seen or (key is None and seen):
            why = (
                "several Folsom L3 agents with one filter realise the same routers "
                "and conflict; split them by gateway_external_network_id"
            )
            yield Finding(("hosts", name), "NN103", why, warning=True, at_key=True)
        seen[key] = name


def _actions(system: System) -> Iterator[Finding]:
    if not system.actions:
        return
    release = RELEASES[system.release]
    agents = [c.name for c in components(system) if c.kind == "agent"]
    named: dict[str, Callable[[], Iterable[str]]] = {
        "agent": lambda: agents,
        "network": lambda: network_names(system),
        "router": lambda: router_names(system),
    }
    for index, action in enumerate(system.actions):
        path = ("actions", index)
        if action.op in SCHEDULER_OPS and not release.has_scheduler:
            why = f"{release.name} has no agents table and no bindings, so no '{action.op}'"
            yield Finding((*path, "op"), "unknown_operation", why)
            continue
        for field, names in named.items():
            pattern = getattr(action, field)
            if pattern is not None and not _matches(pattern, names()):
                some = itertools.islice(names(), 1000)
                why = f"no {field} matches '{pattern}'; {nearest(pattern, some)}"
                yield Finding((*path, field), f"unknown_{field}", why)


def _matches(pattern: str, names: Iterable[str]) -> bool:
    if any(sign in pattern for sign in "*?["):
        matching = re.compile(translate(pattern)).match
        return any(matching(name) for name in names)
    return pattern in names


def network_names(system: System) -> Iterator[str]:
    """The names of the networks that exist from the start."""
    for tenant in range(1, system.workload.tenants + 1):
        for number in range(1, system.workload.per_tenant.networks + 1):
            yield f"tenant-{tenant}/network-{number}"


def router_names(system: System) -> Iterator[str]:
    """The names of the routers that exist from the start."""
    routers = system.workload.per_tenant.routers
    each = routers if isinstance(routers, int) else sum(routers.values())
    for tenant in range(1, system.workload.tenants + 1):
        for number in range(1, each + 1):
            yield f"tenant-{tenant}/router-{number}"


def _too_late(system: System, horizon: float) -> Iterator[Finding]:
    for index, action in enumerate(system.actions):
        if action.at >= horizon:
            why = "beyond the horizon, so it never happens"
            yield Finding(("actions", index, "at"), "NN104", why, warning=True)
    for key, failures in system.failures.items():
        for index, outage in enumerate(failures.outages or ()):
            if outage.at >= horizon:
                path = ("failures", key, "outages", index, "at")
                why = "beyond the horizon, so it never happens"
                yield Finding(path, "NN104", why, warning=True)
