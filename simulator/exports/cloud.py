"""What exports tell of a cloud: agents, networks, routers and who is bound to whom.

Of each object, *told* names the fields that some export told; the others have Neutron's defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from simulator.scenario.releases import AGENTS

TYPES: Mapping[str, str] = {
    **{kind.label: name for name, kind in AGENTS.items()},
    "Loadbalancerv2 agent": "lbaas",
    "Linux bridge agent": "l2",
    "NIC Switch agent": "l2",
    "Macvtap agent": "l2",
    "HyperV agent": "l2",
    "OVN Controller agent": "l2",
    "OVN Controller Gateway agent": "l2",
    "OVN Metadata agent": "metadata",
}
"""The model's type of an agent by Neutron's word (neutron_lib/constants.py, AGENT_TYPE_*)."""

HOSTS: Mapping[str, str] = {"networks": "dhcp", "routers": "l3"}
"""Which type of agent hosts what, in the model."""


@dataclass(frozen=True)
class Binding:
    """The agents that an object is bound to, or the objects of an agent: their ids.

    *exact*: these and no others; otherwise at least these. Nothing known at all is None in place
    of a Binding. *ha_states*: by agent, `active` or `standby`, as far as told.
    """

    members: tuple[str, ...]
    exact: bool
    ha_states: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Agent:
    """A row of the agents table. Times are UTC; None if no export tells them.

    *label*: the type as the client shows it. *hosted*: networks of a DHCP agent, routers of an L3
    agent.
    """

    id: str
    label: str
    host: str
    zone: str | None = None
    alive: bool = False
    admin_state_up: bool = True
    heartbeat_timestamp: datetime | None = None
    started_at: datetime | None = None
    created_at: datetime | None = None
    configurations: Mapping[str, Any] = field(default_factory=dict)
    hosted: Binding | None = None
    told: frozenset[str] = frozenset()

    @property
    def type(self) -> str:
        """The model's name for the type of agent: l3, dhcp, l2, metadata…, or `other`."""
        return TYPES.get(self.label, "other")

    @property
    def name(self) -> str:
        """The model's name for the agent, such as `network-1/l3`: one for each host and label."""
        kind = AGENTS.get(self.type)
        return f"{self.host}/{self.type if kind and kind.label == self.label else self.label}"


@dataclass(frozen=True)
class Network:
    """A network. *subnets*: by id, whether DHCP is on; None if no export tells.

    *binding*: its DHCP agents, or None: unknown.
    """

    id: str
    name: str = ""
    external: bool = False
    admin_state_up: bool = True
    hints: tuple[str, ...] = ()
    subnets: Mapping[str, bool | None] = field(default_factory=dict)
    binding: Binding | None = None
    told: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Router:
    """A router. *gateway*: the id of its external network. *binding*: its L3 agents, or None."""

    id: str
    name: str = ""
    gateway: str | None = None
    ha: bool = False
    distributed: bool = False
    admin_state_up: bool = True
    hints: tuple[str, ...] = ()
    binding: Binding | None = None
    told: frozenset[str] = frozenset()


Bindable: TypeAlias = Network | Router


@dataclass(frozen=True)
class Cloud:
    """What the exports tell, by id. *warnings*: contradictions, and what was left out."""

    agents: Mapping[str, Agent]
    networks: Mapping[str, Network]
    routers: Mapping[str, Router]
    warnings: tuple[str, ...] = ()

    def objects(self) -> list[Bindable]:
        """The networks and the routers."""
        return [*self.networks.values(), *self.routers.values()]

    def unknown(self) -> list[Bindable]:
        """The networks and routers of whose bindings nothing is known."""
        return [one for one in self.objects() if one.binding is None]
