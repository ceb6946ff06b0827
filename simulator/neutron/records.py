"""What the server keeps and sends: rows of agents, networks and routers, and its messages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

Id: TypeAlias = Any
"""The name of a network or router: anything hashable, as the caller likes."""
FANOUT = "*"
COMPUTE_MODES = ("dvr", "dvr_no_external")
"""Modes of the L3 agents of compute hosts: nothing is bound to them."""
SNAT_MODE = "dvr_snat"
DVR_MODES = (*COMPUTE_MODES, SNAT_MODE)
"""Modes of the L3 agents that serve distributed routers."""
CENTRAL_MODES = ("legacy", SNAT_MODE)
"""Modes of the L3 agents of network nodes, which routers are bound to."""


class Notice(NamedTuple):
    """A message to agents: *agent* is one agent's name, or FANOUT for all of *agent_type*.

    *failed*: it was a call, and nobody answered.
    """

    agent_type: str
    agent: str
    method: str
    target: Id = None
    failed: bool = False


class Decision(NamedTuple):
    """What a scheduler was offered and what it took; there may be fewer than *needed* to take."""

    kind: str  # dhcp, l3 or l3-ha
    target: Id
    candidates: tuple[str, ...]
    chosen: tuple[str, ...]
    needed: int
    load: dict[str, int]


@dataclass(slots=True)
class Agent:
    """A row of the agents table. Times are server seconds.

    *hosted*: what is bound to it, in that order, each binding with its ordinal of all there were.
    *load* is what a WeightScheduler sees: the count that the last heartbeat told, and one for
    each object bound since. *l2*: its host has an L2 agent, too; a host without one reaches no
    network.
    """

    name: str
    type: str
    host: str
    heartbeat_timestamp: float
    started_at: float
    zone: str = "nova"
    admin_state_up: bool = True
    configurations: dict[str, object] = field(default_factory=dict)
    hosted: dict[Id, int] = field(default_factory=dict)
    load: int = 0
    l2: bool = True
    noticed: float | None = None  # the last heartbeat of the silence that was last noticed

    @property
    def mode(self) -> str:
        """An L3 agent's agent_mode; one that does not tell is legacy."""
        return str(self.configurations.get("agent_mode", "legacy"))


@dataclass(slots=True)
class Network:
    """A network, and the DHCP agents it is bound to, each with its binding index.

    *subnets*: whether each one has DHCP enabled.
    """

    admin_state_up: bool = True
    hints: tuple[str, ...] = ()
    subnets: dict[Id, bool] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)


HaState: TypeAlias = Literal["active", "standby", "unknown"]


@dataclass(slots=True)
class Router:
    """A router, and the L3 agents it is bound to, each with its binding index.

    *networks* are those of its interfaces; the gateway's is not among them. What is bound of a
    *distributed* router is the part that translates addresses for VMs without a floating one.
    *ha_ports*: the agents that have a port for an HA router, which may outlive their bindings, each
    with the VRRP state that the server believes in.
    """

    gateway: Id = None
    ha: bool = False
    distributed: bool = False
    project: Id = None
    hints: tuple[str, ...] = ()
    networks: dict[Id, None] = field(default_factory=dict)
    admin_state_up: bool = True
    agents: dict[str, int] = field(default_factory=dict)
    ha_ports: dict[str, HaState] = field(default_factory=dict)


def compatible(
    configurations: dict[str, object], router: Id, gateway: Id, looked_at: Collection[str]
) -> bool:
    """Whether an L3 agent so configured takes a router with this *gateway* network.

    *looked_at* are the configurations that the release's filter knows. Source:
    get_l3_agent_candidates, quantum/scheduler/l3_agent_scheduler.py at 2013.1.5 and
    neutron/db/l3_agentschedulers_db.py at 29.0.0; Folsom's agents apply the first to themselves
    (quantum/agent/l3_agent.py at 2012.2.4).
    """

    def told(key: str, default: object = None) -> object:
        return configurations.get(key, default) if key in looked_at else default

    only = told("router_id")
    knows_namespaces = "use_namespaces" in looked_at
    confined = not told("use_namespaces", True) if knows_namespaces else bool(only)
    if confined and only != router:
        return False
    if gateway is None:
        return bool(told("handle_internal_only_routers", True))
    wanted = told("gateway_external_network_id")
    return wanted in (None, "") or wanted == gateway


def suits_mode(mode: str, distributed: bool) -> bool:
    """Whether routers of this kind are bound to L3 agents of this mode.

    Source: get_l3_agent_candidates, neutron/db/l3_agentschedulers_db.py at 29.0.0; until Liberty,
    get_snat_candidates, neutron/db/l3_dvrscheduler_db.py, picks the same for distributed ones.
    """
    return mode == SNAT_MODE or (mode == "legacy" and not distributed)
