"""Which components a system has, their names, and how each of them fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.scenario.presets import preset
from simulator.scenario.schema import Failures, System
from simulator.scenario.series import RELEASES

NICS = ("management", "data", "external")
CONTROL = ("server", "database", "broker")
KINDS: Mapping[str, tuple[str, ...]] = {
    "host": ("controller", "network", "compute"),
    "nic": NICS,
    "agent": ("l3", "dhcp", "l2", "metadata", "lbaas", "nova-network"),
    "server": (),
    "database": (),
    "broker": (),
    "uplink": (),
    "ha_network": (),
}
NOT_MODELLED = (
    "switch", "rack", "power", "pdu", "disk", "psu", "tor", "link", "cooling", "hypervisor",
    "vm", "maintenance", "storage", "datacenter", "ups", "memory", "cpu",
)  # fmt: skip


@dataclass(frozen=True)
class Component:
    """Something that fails and is repaired as a whole.

    *name* is `network-1`, `network-1/data`, `network-1/l3`, `controller-1/broker` or
    `uplink/public`, or `ha-network`; *kind* a key of KINDS, *sort* what kind of that kind; *host*
    the name of the host it is in (of a host: itself; of an uplink or the HA network: nothing);
    *group* that host's group.
    """

    name: str
    kind: str
    sort: str = ""
    host: str = ""
    group: str = ""


def components(system: System) -> list[Component]:
    """Every component of *system*, in an order that depends on the scenario alone."""
    found = [Component(f"uplink/{name}", "uplink") for name in system.external_networks]
    for group_name, group in system.hosts.items():
        for number in range(1, group.count + 1):
            host = f"{group_name}-{number}"
            found.append(Component(host, "host", group.kind, host, group_name))
            parts = [("nic", sort, sort) for sort in NICS]
            parts += [("agent", sort, sort) for sort in agent_types(system, group_name)]
            if group.kind == "controller":
                parts += [(sort, "", sort) for sort in CONTROL]
            found += [
                Component(f"{host}/{name}", kind, sort, host, group_name)
                for kind, sort, name in parts
            ]
    if system.neutron.l3_ha and "l3_ha" in RELEASES[system.release].options:
        found.append(Component("ha-network", "ha_network"))
    return found


def agent_types(system: System, group: str) -> tuple[str, ...]:
    """The types of the agents on each host of *group*."""
    if RELEASES[system.release].architecture == "multi_host":
        return ("nova-network",) if system.hosts[group].kind == "compute" else ()
    return tuple(dict.fromkeys(system.hosts[group].agent_types))


def failure_keys(component: Component) -> tuple[str, ...]:
    """The keys under which `failures` may speak of *component*, the most exact first."""
    general = (f"{component.kind}.{component.sort}",) if component.sort else ()
    return (component.name, *general, component.kind)


def failures_of(system: System, component: Component) -> Failures | None:
    """How *component* fails: the scenario's word, else the preset's, else not at all."""
    chosen = preset(system.rates).failures if system.rates else {}
    for source in (system.failures, chosen):
        for key in failure_keys(component):
            if key in source:
                return source[key]
    return None
