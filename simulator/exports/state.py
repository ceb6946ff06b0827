"""A `Cloud` as the state of the model's server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.clock import quantize
from simulator.exports.cloud import HOSTS, Agent, Bindable, Binding, Cloud, Network
from simulator.neutron import records
from simulator.neutron.records import Id
from simulator.neutron.rules import Rules
from simulator.neutron.schedulers import Draws
from simulator.neutron.server import Server

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONE = "nova"
"""Neutron's own default zone, for agents that tell none."""


@dataclass(frozen=True)
class ServerState:
    """A server as the exports found it at *now*, server seconds (UTC, since 1970).

    *names*: the server's name of each agent, by id. *left_out*: networks and routers, by id, that
    the server was not given, for nothing is known of their bindings, or they have an agent that is
    not told or of a type that hosts nothing here (OVN's); in the server they would look unbound.
    *partial*: those that may have more agents. *assumed*: what the model needs and no export tells,
    in words.
    """

    server: Server
    now: float
    names: Mapping[str, str]
    left_out: tuple[str, ...]
    partial: tuple[str, ...]
    assumed: tuple[str, ...]


def server_state(cloud: Cloud, rules: Rules, *, draws: Callable[[Id], Draws]) -> ServerState:
    """Agents, networks, routers and bindings of *cloud* in a server that follows *rules*.

    *now* is the time of the latest heartbeat, the earliest at which all of the exports may hold.
    An agent whose heartbeat no export tells was heard of now if it is alive, and as long ago as
    rules allow for a dead one if not. Networks and routers keep their ids as names.
    """
    server = Server(rules, draws=draws)
    told = [a.heartbeat_timestamp for a in cloud.agents.values() if a.heartbeat_timestamp]
    now = _seconds(max(told)) if told else quantize(2 * rules.dead_limit)
    names = _names(cloud)
    assumed: list[str] = []
    for agent in cloud.agents.values():
        _add_agent(server, names[agent.id], agent, now, assumed)
    left_out, partial = [], []
    for one in cloud.objects():
        if one.binding is None or not _is_hosted(cloud, one, one.binding):
            left_out.append(one.id)
            continue
        _add_object(server, one, assumed)
        for member in one.binding.members:
            server.bind(one.id, names[member])
        partial += [] if one.binding.exact else [one.id]
    for agent in cloud.agents.values():
        row = server.agents[names[agent.id]]
        if row.type == "dhcp":
            row.load = _load(row, rules.dhcp_load_type)
    return ServerState(server, now, names, tuple(left_out), tuple(partial), tuple(assumed))


def _is_hosted(cloud: Cloud, one: Bindable, binding: Binding) -> bool:
    """Whether all agents of *one* are known, and of the type that hosts it in the model."""
    host = HOSTS["networks" if isinstance(one, Network) else "routers"]
    agents = [cloud.agents.get(member) for member in binding.members]
    return all(agent is not None and agent.type == host for agent in agents)


def _names(cloud: Cloud) -> dict[str, str]:
    """The name of each agent by its id; the id is added where a host has two of a kind."""
    names = [agent.name for agent in cloud.agents.values()]
    double = (
        {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()
    )
    return {
        agent.id: f"{agent.name} {agent.id}" if agent.name in double else agent.name
        for agent in cloud.agents.values()
    }


def _add_agent(server: Server, name: str, agent: Agent, now: float, assumed: list[str]) -> None:
    heard = _heard(server.rules, agent, now)
    if not agent.heartbeat_timestamp:
        assumed.append(f"agent {name}: last heard of at {heard:g} s, for no heartbeat is told")
    server.report_state(
        heard,
        name,
        agent.type,
        agent.host,
        zone=agent.zone or ZONE,
        configurations=dict(agent.configurations),
    )
    row = server.agents[name]
    row.started_at = _seconds(agent.started_at) if agent.started_at else heard
    server.update_agent(heard, name, agent.admin_state_up)
    if server.is_alive(now, row) != agent.alive:
        told = "alive" if agent.alive else "dead"
        assumed.append(f"agent {name}: the exports call it {told}, the rules do not")


def _heard(rules: Rules, agent: Agent, now: float) -> float:
    """When the last heartbeat was processed, s."""
    if agent.heartbeat_timestamp:
        return _seconds(agent.heartbeat_timestamp)
    return now if agent.alive else quantize(now - rules.dead_limit)


def _add_object(server: Server, one: Bindable, assumed: list[str]) -> None:
    """As it stands in the tables: nothing is scheduled, and nobody is told."""
    if isinstance(one, Network):
        dark = [key for key, dhcp in one.subnets.items() if dhcp is None]
        assumed += [f"subnet {key}: DHCP is on, for no export tells" for key in dark]
        subnets: dict[Id, bool] = {key: dhcp is not False for key, dhcp in one.subnets.items()}
        server.tables.add(one.id, records.Network(one.admin_state_up, one.hints, subnets))
        return
    row = records.Router(
        gateway=one.gateway,
        ha=one.ha,
        distributed=one.distributed,
        hints=one.hints,
        admin_state_up=one.admin_state_up,
    )
    server.tables.add(one.id, row)


def _load(row: records.Agent, counted: str) -> int:
    """What the agent told, or as many networks as are bound to it."""
    told = row.configurations.get(counted)
    return told if isinstance(told, int) else len(row.hosted)


def _seconds(moment: datetime) -> float:
    return quantize((moment - EPOCH).total_seconds())
