"""Neutron's server as a plain state machine: agents, bindings, scheduling, the API.

No clock of its own: every operation is told the time. No messages either: an operation returns
the notices that the server would send, and the caller delivers them (or not). Objects and agents
are known by any hashable name. What differs between releases is in `Rules`; each method names the
source it restates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from simulator.neutron import errors
from simulator.neutron.records import (
    FANOUT,
    Agent,
    Decision,
    Id,
    Network,
    Notice,
    Router,
    compatible,
)
from simulator.neutron.rules import Rules
from simulator.neutron.schedulers import Draws
from simulator.neutron.scheduling import Scheduling
from simulator.neutron.tables import Tables


class Server:
    """One server with its tables and its schedulers; `failover` adds the periodic passes."""

    def __init__(
        self,
        rules: Rules,
        *,
        draws: Callable[[Id], Draws],
        heard: Callable[[Agent, float], float] | None = None,
        on_decision: Callable[[Decision], Iterable[str] | None] | None = None,
        on_bind: Callable[[Id, str, bool], None] | None = None,
        on_notice_down: Callable[[str], None] | None = None,
    ) -> None:
        self.rules = rules
        self.tables = Tables(rules, heard=heard, on_bind=on_bind, on_notice_down=on_notice_down)
        self.scheduling = Scheduling(self.tables, rules, draws, on_decision)

    @property
    def agents(self) -> dict[str, Agent]:
        """The agents table."""
        return self.tables.agents

    @property
    def networks(self) -> dict[Id, Network]:
        """All networks."""
        return self.tables.networks

    @property
    def routers(self) -> dict[Id, Router]:
        """All routers."""
        return self.tables.routers

    # -- the agents table ------------------------------------------------------------------

    def report_state(
        self,
        now: float,
        name: str,
        agent_type: str,
        host: str,
        *,
        zone: str = "nova",
        configurations: dict[str, object] | None = None,
        start: bool = False,
    ) -> str:
        """Process a heartbeat at *now*; an unknown agent gets a row. Returns new, alive or revived.

        Source: create_or_update_agent, quantum/db/agents_db.py at 2013.1.5: stamped with the
        server's clock when processed; neutron/db/agents_db.py since, with revived (bug 1505166).
        """
        agent = self.agents.get(name)
        if agent is None:
            agent = Agent(name, agent_type, host, now, now, zone, self.rules.enable_new_agents)
            agent.configurations = configurations or {}
            self.tables.add_agent(agent)
            self._count_load(agent)
            return "new"
        revived = self.rules.revival and not self.tables.is_alive(now, agent)
        agent.heartbeat_timestamp = now
        if configurations is not None:
            agent.configurations = configurations
        if start:
            agent.started_at = now
        self._count_load(agent)
        return "revived" if revived else "alive"

    def _count_load(self, agent: Agent) -> None:
        """The load that a DHCP agent told, or as many networks as it has."""
        if agent.type == "dhcp":
            told = agent.configurations.get(self.rules.dhcp_load_type)
            agent.load = told if isinstance(told, int) else len(agent.hosted)

    def is_alive(self, now: float, agent: Agent) -> bool:
        """Whether *agent* was heard of within agent_down_time."""
        return self.tables.is_alive(now, agent)

    def update_agent(self, now: float, name: str, admin_state_up: bool) -> list[Notice]:
        """Enable or disable an agent; a change is told to its host. Bindings stay."""
        agent = self.tables.agent(name)
        changed = agent.admin_state_up != admin_state_up
        agent.admin_state_up = admin_state_up
        if not changed or agent.type not in ("l3", "dhcp"):
            return []
        return [Notice(agent.type, name, "agent_updated")]

    def delete_agent(self, now: float, name: str) -> list[Notice]:
        """Delete a row and its bindings; the agent is told nothing and may register again."""
        self.tables.drop_agent(self.tables.agent(name))
        return []

    # -- networks --------------------------------------------------------------------------

    def create_network(self, now: float, network: Id, *, hints: Iterable[str] = ()) -> list[Notice]:
        """No scheduling yet in any release. Raises AvailabilityZoneNotFound for unknown hints."""
        hints = self._zones("dhcp", hints)
        self.tables.add(network, Network(hints=hints))
        return self._tell_dhcp(now, network, "network_create_end")

    def create_subnet(
        self, now: float, network: Id, subnet: Id, *, enable_dhcp: bool = True
    ) -> list[Notice]:
        """Schedules its network since Kilo, with DHCP or without."""
        self.tables.network(network).subnets[subnet] = enable_dhcp
        return self._schedules(now, network, "subnet", "subnet_create_end")

    def create_port(self, now: float, network: Id) -> list[Notice]:
        """A port made through the API, one at a time: schedules its network.

        Source: quantum/api/rpc/agentnotifiers/dhcp_rpc_agent_api.py at 2013.1.5.
        """
        self.tables.network(network)
        return self._schedules(now, network, "port", "port_create_end")

    def delete_port(self, now: float, network: Id) -> list[Notice]:
        """Told like any change of a port; schedules nothing."""
        self.tables.network(network)
        return self._tell_dhcp(now, network, "port_delete_end")

    def delete_network(self, now: float, network: Id) -> list[Notice]:
        """Told to all DHCP agents: the bindings are gone by then."""
        self.tables.drop(network, self.tables.network(network))
        return [Notice("dhcp", FANOUT, "network_delete_end", network)]

    def schedule_network(self, now: float, network: Id) -> list[Notice]:
        """Give *network* the agents it lacks, and tell them."""
        chosen = self.scheduling.network(now, network)
        return [Notice("dhcp", name, "network_create_end", network) for name in chosen]

    # -- routers ---------------------------------------------------------------------------

    def create_router(
        self,
        now: float,
        router: Id,
        *,
        gateway: Id = None,
        ha: bool = False,
        hints: Iterable[str] = (),
    ) -> list[Notice]:
        """Scheduled at once if it is HA (Juno), or has a gateway (Newton, bug 1535707).

        Raises AvailabilityZoneNotFound for unknown hints.
        """
        hints = self._zones("l3", hints)
        self.tables.add(router, Router(gateway, ha, hints))
        notices = self._internal_port(now, gateway)
        if not self.rules.has_scheduler:
            return notices
        if ha:
            self.scheduling.router(now, router)
        if ha or (gateway is not None and self.rules.gateway_triggers):
            notices += self.update_router(now, router)
        return notices

    def update_router(
        self, now: float, router: Id, changes: Mapping[str, object] | None = None
    ) -> list[Notice]:
        """Any update, an interface or a floating IP: schedules the router, tells its agents.

        *changes* may hold `admin_state_up` and `gateway`, a network's name or None. Source:
        routers_updated, quantum/api/rpc/agentnotifiers/l3_rpc_agent_api.py at 2013.1.5.
        """
        record = self.tables.router(router)
        changes = changes or {}
        record.admin_state_up = bool(changes.get("admin_state_up", record.admin_state_up))
        notices: list[Notice] = []
        if "gateway" in changes and changes["gateway"] != record.gateway:
            record.gateway = changes["gateway"]
            notices = self._internal_port(now, record.gateway)
        if not self.rules.has_scheduler:
            return notices
        self.scheduling.router(now, router)
        return notices + [
            Notice("l3", agent.name, "routers_updated", router)
            for agent in self.tables.hosting(record.agents, active_at=now)
            if agent.admin_state_up
        ]

    def add_interface(self, now: float, router: Id, network: Id) -> list[Notice]:
        """Attach a network's subnet: an update. Its port schedules the network since Mitaka."""
        self.tables.router(router)
        notices = self._internal_port(now, network)
        return notices + self.update_router(now, router)

    def delete_router(self, now: float, router: Id) -> list[Notice]:
        """Told to all L3 agents: the binding is gone by then."""
        self.tables.drop(router, self.tables.router(router))
        return [Notice("l3", FANOUT, "router_deleted", router)]

    def schedule_router(self, now: float, router: Id) -> None:
        """Give *router* an agent, or an HA router its agents, unless it has them."""
        self.scheduling.router(now, router)

    # -- bindings by hand ------------------------------------------------------------------

    def add_network_to_agent(self, now: float, network: Id, name: str) -> list[Notice]:
        """Source: add_network_to_dhcp_agent, quantum/db/agentschedulers_db.py at 2013.1.5."""
        record, agent = self.tables.network(network), self.tables.agent(name)
        if agent.type != "dhcp" or not self._accepts(agent):
            raise errors.InvalidDHCPAgent(name)
        if name in record.agents:
            raise errors.NetworkHostedByDHCPAgent(name)
        self.tables.bind(network, agent, force=True)
        return [Notice("dhcp", name, "network_create_end", network)]

    def remove_network_from_agent(self, now: float, network: Id, name: str) -> list[Notice]:
        """Source: remove_network_from_dhcp_agent, the same file."""
        record, agent = self.tables.network(network), self.tables.agent(name)
        if name not in record.agents:
            raise errors.NetworkNotHostedByDhcpAgent(name)
        self.tables.unbind(network, agent)
        return [Notice("dhcp", name, "network_delete_end", network)]

    def add_router_to_agent(self, now: float, router: Id, name: str) -> list[Notice]:
        """Source: add_router_to_l3_agent, quantum/db/agentschedulers_db.py at 2013.1.5;
        neutron/db/l3_agentschedulers_db.py since. Zones are the schedulers' affair.
        """
        record, agent = self.tables.router(router), self.tables.agent(name)
        suits = compatible(agent.configurations, router, record.gateway)
        if agent.type != "l3" or not self._accepts(agent) or not suits:
            raise errors.InvalidL3Agent(name)
        if name in record.agents:
            if self.rules.same_agent == "silent":
                return []
            raise errors.RouterHostedByL3Agent(name)
        hosted = record.agents if self.rules.one_binding else self.tables.hosting(record.agents)
        if hosted and not record.ha:
            raise getattr(errors, self.rules.other_agent)(name)
        self.tables.bind(router, agent, force=record.ha)
        return [Notice("l3", name, "router_added_to_agent", router)]

    def remove_router_from_agent(self, now: float, router: Id, name: str) -> list[Notice]:
        """Source: remove_router_from_l3_agent, the same file. Nothing schedules it anew."""
        record, agent = self.tables.router(router), self.tables.agent(name)
        if name in record.agents:
            self.tables.unbind(router, agent)
        elif self.rules.removal == "conflict":
            raise errors.RouterNotHostedByL3Agent(name)
        return [Notice("l3", name, "router_removed_from_agent", router)]

    # -- agents that ask -------------------------------------------------------------------

    def sync(self, now: float, name: str) -> list[Id]:
        """What the agent *name* should serve, after it was offered all that lacks agents.

        An agent without a row gets nothing, or AgentNotFound. Source: get_active_networks,
        quantum/db/dhcp_rpc_base.py, and sync_routers, quantum/db/l3_rpc_base.py at 2013.1.5;
        list_active_networks_on_active_dhcp_agent and list_router_ids_on_host,
        neutron/db/agentschedulers_db.py and l3_agentschedulers_db.py at 29.0.0.
        """
        if name not in self.agents and self.rules.unregistered == "nothing":
            return []
        agent = self.tables.agent(name)
        if agent.admin_state_up:
            if agent.type == "dhcp" and self.rules.network_auto_schedule:
                self.scheduling.networks_of(now, agent)
            elif agent.type == "l3" and self.rules.router_auto_schedule:
                self.scheduling.routers_of(now, agent)
        return self.given(name)

    def given(self, name: str, only: Collection[Id] | None = None) -> list[Id]:
        """What the agent *name* should serve of all it has, or of *only* these; schedules nothing.

        Source: sync_routers, neutron/api/rpc/handlers/l3_rpc.py at 29.0.0, where an agent first
        asks for the names of its routers (get_router_ids: a `sync`) and then for the routers.
        """
        agent = self.tables.agent(name)
        if not self._accepts(agent):
            return []
        records = self.networks if agent.type == "dhcp" else self.routers
        return [
            target
            for target in agent.hosted
            if records[target].admin_state_up and (only is None or target in only)
        ]

    # -- inside ----------------------------------------------------------------------------

    def bind(self, target: Id, name: str) -> None:
        """Bind without asking: for what was placed before the run began."""
        self.tables.bind(target, self.agents[name], force=True)

    def takes(self, agent: Agent, router: Id) -> bool:
        """Whether a scheduler may give an L3 agent *router*."""
        return self.scheduling.admits(agent, router)

    def _accepts(self, agent: Agent) -> bool:
        """Whether an agent's admin state lets it serve, and be given objects by hand.

        Source: services_available, neutron/db/agentschedulers_db.py (Kilo).
        """
        return agent.admin_state_up or self.rules.enable_services_on_agents_with_admin_state_down

    def _zones(self, agent_type: str, hints: Iterable[str]) -> tuple[str, ...]:
        """*hints* as a tuple, each of which must be the zone of some agent of that type."""
        hints = tuple(hints)
        known = {agent.zone for agent in self.tables.of_type(agent_type)}
        for hint in hints:
            if hint not in known:
                raise errors.AvailabilityZoneNotFound(hint)
        return hints

    def _schedules(self, now: float, network: Id, trigger: str, method: str) -> list[Notice]:
        """A request that may schedule *network*, and is then told to its agents."""
        rules = self.rules
        wanted = trigger in rules.network_triggers and rules.has_scheduler
        allowed = rules.network_auto_schedule or not rules.disabled_stops_scheduling
        notices = self.schedule_network(now, network) if wanted and allowed else []
        return notices + self._tell_dhcp(now, network, method)

    def _internal_port(self, now: float, network: Id) -> list[Notice]:
        """The port of a router's interface or gateway on *network*, if there is any."""
        if network not in self.networks:
            return []
        if "interface" not in self.rules.network_triggers:
            return []
        return self._schedules(now, network, "interface", "port_create_end")

    def _tell_dhcp(self, now: float, network: Id, method: str) -> list[Notice]:
        """To every bound agent: while it looks alive (bug 1192381), or while it is enabled.

        Without a scheduler, to all DHCP agents (Folsom: the notification stream).
        """
        if not self.rules.has_scheduler:
            return [Notice("dhcp", FANOUT, method, network)]
        bound = self.tables.networks[network].agents
        if self.rules.updates_reach == "alive":
            agents = self.tables.hosting(bound, active_at=now)
        else:
            agents = [self.agents[name] for name in bound if self.agents[name].admin_state_up]
        return [Notice("dhcp", agent.name, method, network) for agent in agents]
