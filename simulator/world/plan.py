"""What a system and its horizon fix before any replication: tables, numbers, distributions.

Compiled once, shared by all replications, picklable. Nothing in it changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.clock import quantize
from simulator.distributions import Deterministic, Distribution
from simulator.neutron.rules import Rules, rules_of
from simulator.scenario.components import Component, components, failures_of
from simulator.scenario.releases import OptionValue, Release, reports
from simulator.scenario.schema import HostGroup, Scenario, System
from simulator.scenario.series import in_force
from simulator.scenario.size import amount, is_one_by_one, option
from simulator.trace import Components, Nodes, Part
from simulator.world.objects import Objects
from simulator.world.streams import stable_hash

TUNNEL_OVERHEAD: Mapping[str, float] = {"gre": 42.0, "vxlan": 50.0, "vlan": 4.0}
"""Bytes added to a packet on the data network: OpenStack performance notes; 802.1Q tag."""


@dataclass(frozen=True)
class Renewal:
    """A component that fails and is repaired for ever."""

    component: int
    entity: int
    time_to_failure: Distribution
    time_to_repair: Distribution
    cause: str = "crash"


@dataclass(frozen=True)
class Script:
    """A component with scripted outages: (start, end), in order."""

    component: int
    outages: tuple[tuple[float, float], ...]
    cause: str = "crash"


@dataclass(frozen=True)
class AgentPlan:
    """An agent: component number, type, host's component number, and its configuration."""

    component: int
    name: str
    type: str
    host: int
    host_name: str
    entity: int
    reports: bool
    zone: str
    configurations: Mapping[str, object]


@dataclass(frozen=True)
class TenantPlan:
    """What one tenant owns when it comes: gateways of its routers, and numbers of the rest.

    *hints* are the availability zones that its networks and routers are to be in.
    """

    gateways: tuple[int, ...]
    networks: int
    vms: int
    ports: int
    floating_ips: int
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Everything about one variant that its replications share. Times are on the clock's grid."""

    system: System
    release: Release
    horizon: float
    equilibrium: bool
    parts: Sequence[Component]
    components: Components
    nodes: Nodes
    agents: Sequence[AgentPlan]
    renewals: Sequence[Renewal]
    scripts: Sequence[Script]
    external_networks: Sequence[str]
    tenant: TenantPlan
    delay: Distribution | None
    loss: float
    service: Distribution | None
    objects: Objects

    @cached_property
    def number(self) -> Mapping[str, int]:
        """Component numbers by name."""
        return {name: i for i, name in enumerate(self.components.names)}

    @cached_property
    def controllers(self) -> list[int]:
        """Component numbers of the controllers."""
        return [
            i
            for i, part in enumerate(self.parts)
            if part.kind == "host" and part.sort == "controller"
        ]

    @cached_property
    def vm_hosts(self) -> list[str]:
        """The names of the hosts that VMs are on, where routers are distributed; else none."""
        if not self.enabled("router_distributed"):
            return []
        return [self.components.names[host] for host in self.nodes.host[self.nodes.local]]

    def seconds(self, name: str) -> float:
        """Quantum's option *name*, a duration, on the clock's grid."""
        known = self._seconds
        if name not in known:
            value = amount(self.system, name)
            assert value is not None, name
            known[name] = quantize(value)
        return known[name]

    def option(self, name: str) -> OptionValue | None:
        """Neutron's option *name*; None where the release does not have it."""
        known = self._options
        if name not in known:
            known[name] = option(self.system, name)
        return known[name]

    def enabled(self, name: str) -> bool:
        """Quantum's option *name*, a switch; off where the release does not have it."""
        return bool(self.option(name))

    @cached_property
    def _seconds(self) -> dict[str, float]:
        return {}

    @cached_property
    def _options(self) -> dict[str, OptionValue | None]:
        return {}

    @cached_property
    def one_by_one(self) -> bool:
        """Whether every heartbeat is simulated."""
        return is_one_by_one(self.system)

    @cached_property
    def rules(self) -> Rules:
        """What the server follows: the release's rules with the scenario's options."""
        given = {name: value for name, value in self.system.neutron if value is not None}
        return rules_of(self.release, given)

    def cost(self, name: str) -> float:
        """The cost *name* on the clock's grid, s."""
        return self._costs[name]

    @cached_property
    def _costs(self) -> Mapping[str, float]:
        numbers = ((name, value) for name, value in self.system.costs if isinstance(value, float))
        return {name: quantize(value) for name, value in numbers}


def compile_plan(scenario: Scenario, variant: str) -> Plan:
    """The plan of one variant of *scenario*."""
    system = scenario.variants[variant]
    release = in_force(system)
    parts = components(system)
    number = {part.name: i for i, part in enumerate(parts)}
    renewals, scripts = _failures(system, parts)
    delay = system.broker.delay.build() if system.broker.delay else None
    tenant = _tenant(system)
    return Plan(
        system=system,
        release=release,
        horizon=quantize(scenario.horizon),
        equilibrium=scenario.start == "equilibrium",
        parts=parts,
        components=Components(
            names=tuple(part.name for part in parts),
            kinds=tuple(part.kind for part in parts),
            sorts=tuple(part.sort for part in parts),
            host=np.array([number.get(part.host, i) for i, part in enumerate(parts)]),
        ),
        nodes=_nodes(system, release, parts, number),
        agents=_agents(system, release, parts, number),
        renewals=renewals,
        scripts=scripts,
        external_networks=tuple(system.external_networks),
        tenant=tenant,
        objects=_objects(system, release, parts, tenant),
        delay=_on_grid(delay),
        loss=system.broker.loss,
        service=system.costs.heartbeat.build() if system.costs.heartbeat else None,
    )


def _on_grid(delay: Distribution | None) -> Distribution | None:
    if isinstance(delay, Deterministic):
        return Deterministic(quantize(delay.value)) if quantize(delay.value) else None
    return delay


def _failures(system: System, parts: Sequence[Component]) -> tuple[list[Renewal], list[Script]]:
    renewals, scripts = [], []
    for i, part in enumerate(parts):
        failures = failures_of(system, part)
        if failures is None or failures.outages == ():
            continue
        cause = "shutdown" if failures.orderly and part.kind == "host" else "crash"
        if failures.outages is not None:
            spans = sorted(
                (quantize(outage.at), quantize(outage.at + outage.duration))
                for outage in failures.outages
            )
            scripts.append(Script(i, tuple(spans), cause))
            continue
        assert failures.time_to_failure is not None
        assert failures.time_to_repair is not None
        ttf, ttr = failures.time_to_failure.build(), failures.time_to_repair.build()
        renewals.append(Renewal(i, stable_hash(part.name), ttf, ttr, cause))
    return renewals, scripts


def _agents(
    system: System, release: Release, parts: Sequence[Component], number: Mapping[str, int]
) -> list[AgentPlan]:
    senders = reports(release, system.components)
    found = []
    for i, part in enumerate(parts):
        kind = part.sort if part.kind == "agent" else part.kind
        if part.kind != "agent" and not (kind == "server" and kind in senders):
            continue
        group = system.hosts[part.group]
        found.append(
            AgentPlan(
                component=i,
                name=part.name,
                type=kind,
                host=number[part.host],
                host_name=part.host,
                entity=stable_hash(part.name),
                reports=kind in senders,
                zone=group.availability_zone or "nova",
                configurations=_configurations(system, group) if kind == "l3" else {},
            )
        )
    return found


def _configurations(system: System, group: HostGroup) -> dict[str, object]:
    """What an L3 agent tells of itself; its external network by number, as routers know theirs."""
    chosen = group.gateway_external_network_id
    names = list(system.external_networks)
    told: dict[str, object] = {
        "gateway_external_network_id": None if chosen is None else names.index(chosen),
        "handle_internal_only_routers": group.handle_internal_only_routers,
    }
    return told if group.agent_mode is None else {**told, "agent_mode": group.agent_mode}


def _nodes(
    system: System, release: Release, parts: Sequence[Component], number: Mapping[str, int]
) -> Nodes:
    hosts = [i for i, part in enumerate(parts) if part.kind == "host"]
    names = [parts[i].name for i in hosts]

    def column(suffix: str) -> np.ndarray:
        return np.array([number.get(f"{name}/{suffix}", -1) for name in names], dtype=np.int64)

    l3 = "nova-network" if release.architecture == "multi_host" else "l3"
    dhcp = "nova-network" if release.architecture == "multi_host" else "dhcp"
    groups = [system.hosts[parts[i].group] for i in hosts]
    return Nodes(
        host=np.array(hosts, dtype=np.int64),
        data_nic=column("data"),
        external_nic=column("external"),
        l3=column(l3),
        dhcp=column(dhcp),
        l2=column("l2"),
        capacity_bps=np.array([_capacity(system, release, group) for group in groups]),
        part=np.array([_part(group) for group in groups], dtype=np.int64),
    )


def _part(group: HostGroup) -> Part:
    """What the L3 agents of a group serve."""
    if not group.is_local:
        return Part.CENTRAL
    return Part.LOCAL if group.agent_mode == "dvr" else Part.INSIDE


def _capacity(system: System, release: Release, group: HostGroup) -> float:
    """Payload a node passes north-south, bit/s: the least of its NICs and its CPU."""
    size = system.workload.traffic.packet_size
    limits = [group.nics.external]
    if release.architecture != "multi_host" and not group.is_local:
        # Else a VM's traffic leaves by its own host.
        overhead = TUNNEL_OVERHEAD[system.segmentation]
        limits.append(group.nics.data * size / (size + overhead))
    if group.forwarding.rate != "unlimited":
        limits.append(group.forwarding.rate)
    if group.forwarding.packet_rate is not None:
        limits.append(group.forwarding.packet_rate * size * 8)
    return min(limits)


def _tenant(system: System) -> TenantPlan:
    each = system.workload.per_tenant
    names = list(system.external_networks)
    if not isinstance(each.routers, int):
        gateways = [names.index(n) for n, count in each.routers.items() for _ in range(count)]
    else:
        gateways = [0 if names else -1] * each.routers
    if not each.gateway:
        gateways = [-1] * len(gateways)
    return TenantPlan(
        tuple(gateways), each.networks, each.vms, each.ports, each.floating_ips,
        each.availability_zone_hints,
    )  # fmt: skip


def _objects(
    system: System, release: Release, parts: Sequence[Component], tenant: TenantPlan
) -> Objects:
    """Networks and routers at time zero; their loads are drawn anew in each replication."""
    objects = Objects()
    if release.architecture == "multi_host":
        _spread(system, parts, tenant, objects)
        return objects
    for number in range(system.workload.tenants):
        name = f"tenant-{number + 1}"
        routers = [
            objects.add_router(
                f"{name}/router-{i + 1}", number, gateway=gateway, load_bps=0.0,
                floating_ips=tenant.floating_ips,
            )
            for i, gateway in enumerate(tenant.gateways)
        ]  # fmt: skip
        for i in range(tenant.networks):
            router = routers[i % len(routers)] if routers else -1
            network = f"{name}/network-{i + 1}"
            place = objects.add_network(network, number, router=router, vms=float(tenant.vms))
            objects.ports[place] += tenant.vms + tenant.ports
    return objects


def _spread(
    system: System, parts: Sequence[Component], tenant: TenantPlan, objects: Objects
) -> None:
    """nova-network: every compute host is the gateway and DHCP server of its own VMs."""
    vms = system.workload.tenants * tenant.networks * tenant.vms
    hosts = [(i, p) for i, p in enumerate(parts) if p.kind == "host" and p.sort == "compute"]
    for i, (host, part) in enumerate(hosts):
        router = objects.add_router(f"{part.name}/gateway", -1, gateway=0, load_bps=0.0, host=host)
        share = float(vms // len(hosts) + (i < vms % len(hosts)))
        objects.add_network(f"{part.name}/network", -1, router=router, vms=share, host=host)


def uplink_rates(plan: Plan) -> list[float]:
    """Each external network's uplink, bit/s; infinity for one without a limit."""
    rates = (network.uplink for network in plan.system.external_networks.values())
    return [math.inf if rate is None else rate for rate in rates]
