"""Neutron's options in a scenario: does the release have them, and do they make sense together?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from simulator.scenario.components import components
from simulator.scenario.finding import Finding, nearest
from simulator.scenario.options import VRIDS
from simulator.scenario.releases import FILTERED, reports
from simulator.scenario.schema import HostGroup, System
from simulator.scenario.series import (
    DRIVERS,
    RELEASES,
    SEEN_IN_NO_RUN,
    behaviours,
    in_force,
    is_before,
    option_homes,
    written,
)
from simulator.scenario.size import amount, option


def names_networks(system: System) -> bool:
    """Whether an L3 agent's gateway_external_network_id decides what it takes."""
    filtered = in_force(system).rules.get("candidate_filter", FILTERED)
    return isinstance(filtered, tuple) and "gateway_external_network_id" in filtered


def check_options(system: System) -> Iterator[Finding]:
    """What is wrong or unwise in the options of *system*."""
    release = RELEASES[system.release]
    for name, value in system.neutron:
        if value is None:
            continue
        path = ("neutron", name)
        if name not in release.options:
            homes = ", ".join(option_homes(name))
            why = f"{release.name} has no option '{name}'; it exists in: {homes}"
            yield Finding(path, "unknown_option", why, at_key=True)
        elif value in DRIVERS and is_before(release.name, DRIVERS[value]):
            why = f"{release.name} has no '{value}'; it exists since: {DRIVERS[value]}"
            yield Finding(path, "unknown_option", why)
    yield from _behaviour(system)
    yield from _times(system)
    yield from _utilisation(system)
    yield from _leases(system)
    yield from _patience(system)
    yield from _throttle(system)
    yield from _replicas(system)
    yield from _zones(system)


def _behaviour(system: System) -> Iterator[Finding]:
    """Rules and habits that some release has, with a value that some release has."""
    for name, value in system.behaviour.items():
        finding = wrong_choice(system.release, name, value)
        if finding is not None:
            yield finding


def wrong_choice(release: str, name: str, value: object) -> Finding | None:
    """Why the rule or habit *name* cannot be *value* in *release*, if it cannot."""
    path, known = ("behaviour", name), behaviours()
    if release in RELEASES and not RELEASES[release].has_scheduler:
        why = f"{release} has neither a scheduler nor rules that could be others"
    elif name in SEEN_IN_NO_RUN:
        why = f"the rule or habit '{name}' makes no difference in a run and cannot be chosen"
    elif name not in known:
        why = f"no release has a rule or habit '{name}'; {nearest(name, known)}"
    elif any(value == one and type(value) is type(one) for one in known[name]):
        return None
    else:
        allowed = " or ".join(map(written, known[name]))
        return Finding(path, "out_of_range", f"no release has that; allowed: {allowed}")
    return Finding(path, "unknown_option", why, at_key=True)


def _times(system: System) -> Iterator[Finding]:
    interval, limit = amount(system, "report_interval"), amount(system, "agent_down_time")
    if interval is None or limit is None:
        return
    path = ("neutron", "agent_down_time")
    if limit < interval:
        why = (
            f"agent_down_time {limit:g} s is below report_interval {interval:g} s: "
            "every agent looks dead before each heartbeat"
        )
        yield Finding(path, "NN102", why, warning=True)
    elif limit < 2 * interval:
        why = (
            f"agent_down_time {limit:g} s is less than twice report_interval "
            f"{interval:g} s, as later releases advise: one lost heartbeat is a false alarm"
        )
        yield Finding(path, "NN101", why, warning=True)


def _utilisation(system: System) -> Iterator[Finding]:
    """Workers that heartbeats alone keep busier than they can be."""
    interval, service = amount(system, "report_interval"), system.costs.heartbeat
    if not interval or service is None:
        return
    senders = reports(RELEASES[system.release], system.components)
    sending = sum((part.sort or part.kind) in senders for part in components(system))
    own = amount(system, "rpc_state_report_workers") or amount(system, "rpc_workers") or 1
    servers = sum(g.count for g in system.hosts.values() if g.kind == "controller") or 1
    load = service.build().mean * sending / interval / (servers * max(own, 1))
    if load >= 1:
        why = (
            f"{sending} agents send heartbeats {load:.3g} times as fast as the server can process "
            "them: they wait longer and longer, and an agent that dies looks alive for as long"
        )
        yield Finding(("costs", "heartbeat"), "NN106", why, warning=True)


def _leases(system: System) -> Iterator[Finding]:
    """A client renews before it rebinds, and both before its lease ends."""
    names = ("dhcp_renewal_time", "dhcp_rebinding_time", "dhcp_lease_duration")
    given = [(name, amount(system, name) or 0.0) for name in names]
    given = [(name, value) for name, value in given if value]
    for (before, early), (after, late) in pairwise(given):
        if early > late:
            why = f"{before} {early:g} s is longer than {after} {late:g} s"
            yield Finding(("neutron", before), "out_of_range", why)


def _patience(system: System) -> Iterator[Finding]:
    base, most = amount(system, "rpc_response_timeout"), amount(system, "rpc_response_max_timeout")
    if base and most and most < base:
        why = f"rpc_response_max_timeout {most:g} s is below rpc_response_timeout {base:g} s"
        yield Finding(("neutron", "rpc_response_max_timeout"), "out_of_range", why)


def _throttle(system: System) -> Iterator[Finding]:
    """A DHCP agent does not start else. Source: its __init__, neutron/agent/dhcp/agent.py."""
    pause, period = amount(system, "resync_throttle"), amount(system, "resync_interval")
    if pause and period and pause > period:
        why = f"resync_throttle {pause:g} s is longer than resync_interval {period:g} s"
        yield Finding(("neutron", "resync_throttle"), "out_of_range", why)


def _replicas(system: System) -> Iterator[Finding]:
    """What VRRP and DVR ask of a system."""
    distributed = bool(option(system, "router_distributed"))
    if distributed:
        yield from _distributed(system)
    if not option(system, "l3_ha"):
        if "ha_network" in system.failures:
            why = "no router is highly available, so no HA network can fail; set neutron.l3_ha"
            yield Finding(("failures", "ha_network"), "NN105", why, warning=True, at_key=True)
        return
    if distributed and in_force(system).rules.get("distributed_ha") == "refused":
        why = f"{system.release} has no routers that are both distributed and highly available"
        yield Finding(("neutron", "l3_ha"), "unknown_option", f"{why}; mitaka and later do")
    routers = system.workload.per_tenant.routers
    each = routers if isinstance(routers, int) else sum(routers.values())
    if each > VRIDS:
        why = f"{each} highly available routers of a tenant; VRRP has {VRIDS} numbers for them"
        yield Finding(("workload", "per_tenant", "routers"), "too_many", why)
    most, least = (
        amount(system, "max_l3_agents_per_router"),
        amount(system, "min_l3_agents_per_router"),
    )
    if most and least and most < least:
        why = f"max_l3_agents_per_router {most:g} is below min_l3_agents_per_router {least:g}"
        yield Finding(("neutron", "max_l3_agents_per_router"), "out_of_range", why)
    central = sum(g.count for g in system.hosts.values() if _routes(g) and not g.is_local)
    if least and each and central < least:
        why = f"a highly available router needs {least:g} L3 agents at least; there are {central}"
        yield Finding(("hosts",), "too_few", why)


def _distributed(system: System) -> Iterator[Finding]:
    """What distributed routers ask of a system, and what is not modelled of them."""
    groups = system.hosts.values()
    if not any(_routes(group) and group.agent_mode == "dvr_snat" for group in groups):
        why = "distributed routers need a group whose L3 agents have agent_mode: dvr_snat"
        yield Finding(("hosts",), "agent_mode", why)
    if not any(group.is_local for group in groups):
        why = (
            "distributed routers need hosts for VMs: a group with kind: compute, agents: [l3, l2] "
            "and agent_mode: dvr (or dvr_no_external)"
        )
        yield Finding(("hosts",), "agent_mode", why)
    if is_before(system.release, "mitaka") and not system.workload.per_tenant.gateway:
        why = (
            f"distributed routers of {system.release} have no network node without a gateway, "
            "which is not modelled; they have one from mitaka on"
        )
        yield Finding(("workload", "per_tenant", "gateway"), "not_modelled", why)
    if system.workload.changes.floating_ips is not None:
        why = "floating IPs of distributed routers that come and go are not modelled; take it away"
        yield Finding(("workload", "changes", "floating_ips"), "not_modelled", why, at_key=True)


def _local(release: str, name: str, group: HostGroup, *, own_network: bool) -> Iterator[Finding]:
    """What a group of L3 agents cannot be; *own_network*: each may have an external network."""
    if group.agent_mode == "dvr_no_external" and is_before(release, "queens"):
        why = f"{release} has no agent_mode 'dvr_no_external'; it exists in: queens to 2026.2"
        yield Finding(("hosts", name, "agent_mode"), "unknown_option", why)
    if group.gateway_external_network_id is not None and not own_network:
        why = (
            f"{release} has no option 'gateway_external_network_id'; it exists until stein: an L3 "
            "agent takes routers of every external network"
        )
        path = ("hosts", name, "gateway_external_network_id")
        yield Finding(path, "unknown_option", why, at_key=True)
    if group.is_local and group.kind != "compute":
        why = f"agent_mode {group.agent_mode} is for compute hosts, which VMs are on"
        yield Finding(("hosts", name, "agent_mode"), "agent_mode", why)
    if group.is_local and group.gateway_external_network_id is not None:
        why = (
            "an external network of compute hosts' own L3 agents is not modelled: they reach all "
            "that their routers have; take it away"
        )
        path = ("hosts", name, "gateway_external_network_id")
        yield Finding(path, "not_modelled", why, at_key=True)


def _routes(group: HostGroup) -> bool:
    return "l3" in group.agent_types


def _zones(system: System) -> Iterator[Finding]:
    """Availability zones and modes of agents, where the release knows them."""
    hints = system.workload.per_tenant.availability_zone_hints
    for name in system.neutron.default_availability_zones or ():
        known = {group.availability_zone or "nova" for group in system.hosts.values()}
        if name not in known:
            why = f"no agent is in '{name}'; {nearest(name, known)}"
            yield Finding(("neutron", "default_availability_zones"), "unknown_zone", why)
    zones = {group.availability_zone or "nova" for group in system.hosts.values()}
    own = names_networks(system)
    for name, group in system.hosts.items():
        for key, since in (("agent_mode", "juno"), ("availability_zone", "mitaka")):
            if getattr(group, key) is not None and is_before(system.release, since):
                why = f"{system.release} has no option '{key}'; it exists in: {since} to 2026.2"
                yield Finding(("hosts", name, key), "unknown_option", why, at_key=True)
        if group.agent_mode is not None and not _routes(group):
            why = "agent_mode is for L3 agents; this group has none"
            yield Finding(("hosts", name, "agent_mode"), "agent_mode", why, at_key=True)
        yield from _local(system.release, name, group, own_network=own)
    path = ("workload", "per_tenant", "availability_zone_hints")
    if hints and is_before(system.release, "mitaka"):
        why = f"{system.release} has no availability zones; mitaka and later do"
        yield Finding(path, "unknown_option", why, at_key=True)
    for hint in hints:
        if hint not in zones:
            yield Finding(path, "unknown_zone", f"no agent is in '{hint}'; {nearest(hint, zones)}")
