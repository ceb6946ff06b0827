"""Quantum's server as a plain state machine: agents, bindings, scheduling, the API.

No clock of its own: every operation is told the time. No messages either: an operation returns
the notices that Quantum would send, and the caller delivers them (or not). Objects and agents are
known by any hashable name.

The rules are those of Grizzly (2013.1.5); each method names the source it restates. A release
without a scheduler (Folsom) keeps networks and routers and notifies, but binds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

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
from simulator.neutron.schedulers import SCHEDULERS, Draws


class Server:
    """The agents table, networks, routers and their bindings.

    *draws* gives the random choices for one object. *heard* answers when the heartbeat of an agent
    was last processed before a time; by default the row's own timestamp. The callbacks tell what
    was decided, bound, unbound and noticed.
    """

    def __init__(
        self,
        *,
        agent_down_time: float,
        draws: Callable[[Id], Draws],
        has_scheduler: bool = True,
        network_auto_schedule: bool = True,
        router_auto_schedule: bool = True,
        heard: Callable[[Agent, float], float] | None = None,
        on_decision: Callable[[Decision], Iterable[str] | None] | None = None,
        on_bind: Callable[[Id, str, bool], None] | None = None,
        on_notice_down: Callable[[str], None] | None = None,
    ) -> None:
        self.agents: dict[str, Agent] = {}
        self._of_type: dict[str, dict[str, Agent]] = {}
        self.networks: dict[Id, Network] = {}
        self.routers: dict[Id, Router] = {}
        self._unhosted: dict[str, dict[Id, None]] = {"dhcp": {}, "l3": {}}
        self.agent_down_time = agent_down_time
        self.has_scheduler = has_scheduler
        self.network_auto_schedule = network_auto_schedule
        self.router_auto_schedule = router_auto_schedule
        self._select = SCHEDULERS["ChanceScheduler"]
        self._draws = draws
        self._heard = heard or (lambda agent, now: agent.heartbeat_timestamp)
        self._on_decision = on_decision
        self._on_bind = on_bind
        self._on_notice_down = on_notice_down

    # -- the agents table ------------------------------------------------------------------

    def report_state(
        self,
        now: float,
        name: str,
        agent_type: str,
        host: str,
        *,
        configurations: dict[str, object] | None = None,
        start: bool = False,
    ) -> str:
        """Process a heartbeat at *now*; an unknown agent gets a row. Returns new or alive.

        Source: create_or_update_agent, quantum/db/agents_db.py at 2013.1.5: stamped with the
        server's clock when processed.
        """
        agent = self.agents.get(name)
        if agent is None:
            agent = Agent(name, agent_type, host, now, now, configurations=configurations or {})
            self.agents[name] = self._of_type.setdefault(agent_type, {})[name] = agent
            return "new"
        agent.heartbeat_timestamp = now
        if configurations is not None:
            agent.configurations = configurations
        if start:
            agent.started_at = now
        return "alive"

    def is_alive(self, now: float, agent: Agent) -> bool:
        """Whether *agent* was heard of within agent_down_time; exactly that long ago still is.

        Source: is_agent_down, quantum/db/agents_db.py; timeutils.is_older_than is strict.
        """
        heard = self._heard(agent, now)
        if now - heard <= self.agent_down_time:
            return True
        if agent.noticed != heard:
            agent.noticed = heard
            if self._on_notice_down:
                self._on_notice_down(agent.name)
        return False

    def update_agent(self, now: float, name: str, admin_state_up: bool) -> list[Notice]:
        """Enable or disable an agent; a change is told to its host. Bindings stay."""
        agent = self._agent(name)
        changed = agent.admin_state_up != admin_state_up
        agent.admin_state_up = admin_state_up
        if not changed or agent.type not in ("l3", "dhcp"):
            return []
        return [Notice(agent.type, name, "agent_updated")]

    def delete_agent(self, now: float, name: str) -> list[Notice]:
        """Delete a row and its bindings; the agent is told nothing and may register again."""
        agent = self._agent(name)
        for target in list(agent.hosted):
            self._unbind(target, agent)
        del self.agents[name], self._of_type[agent.type][name]
        return []

    # -- networks --------------------------------------------------------------------------

    def create_network(self, now: float, network: Id, *, external: bool = False) -> list[Notice]:
        """No scheduling yet: the network is bound at its first port."""
        self.networks[network] = Network(external=external)
        self._unhosted["dhcp"][network] = None
        return self._tell_dhcp(now, network, "network_create_end")

    def create_subnet(
        self, now: float, network: Id, subnet: Id, *, enable_dhcp: bool = True
    ) -> list[Notice]:
        """Nor at its first subnet."""
        self._network(network).subnets[subnet] = enable_dhcp
        return self._tell_dhcp(now, network, "subnet_create_end")

    def create_port(self, now: float, network: Id, count: int = 1) -> list[Notice]:
        """A port made through the API, one at a time: schedules its network.

        Of *count* ports made at one instant only the first schedules: see `Api.create_ports`.

        Source: quantum/api/rpc/agentnotifiers/dhcp_rpc_agent_api.py at 2013.1.5.
        """
        self._network(network).ports += count
        notices = self.schedule_network(now, network) if self.has_scheduler else []
        return notices + self._tell_dhcp(now, network, "port_create_end")

    def delete_port(self, now: float, network: Id, count: int = 1) -> list[Notice]:
        """Told like any change of a port; schedules nothing."""
        self._network(network).ports -= count
        return self._tell_dhcp(now, network, "port_delete_end")

    def delete_network(self, now: float, network: Id) -> list[Notice]:
        """Told to all DHCP agents: the bindings are gone by then."""
        for name in list(self._network(network).agents):
            self._unbind(network, self.agents[name])
        del self.networks[network], self._unhosted["dhcp"][network]
        return [Notice("dhcp", FANOUT, "network_delete_end", network)]

    def schedule_network(self, now: float, network: Id) -> list[Notice]:
        """Bind one more DHCP agent at random, unless an alive one hosts the network.

        Source: ChanceScheduler.schedule, quantum/scheduler/dhcp_agent_scheduler.py at 2013.1.5.
        """
        record = self._network(network)
        if any(self.is_alive(now, agent) for agent in self._hosting(record.agents)):
            return []
        chosen = self._choose(network, self._active(now, "dhcp"))
        if chosen is None or chosen in record.agents:
            return []
        self._bind(network, self.agents[chosen])
        return [Notice("dhcp", chosen, "network_create_end", network)]

    # -- routers ---------------------------------------------------------------------------

    def create_router(self, now: float, router: Id, *, gateway: Id = None) -> list[Notice]:
        """No scheduling yet, not even with a gateway: the router is bound at its first update."""
        self.routers[router] = Router(gateway)
        self._unhosted["l3"][router] = None
        return []

    def update_router(self, now: float, router: Id) -> list[Notice]:
        """Any update, an interface or a floating IP: schedules the router, tells its agents.

        Source: routers_updated, quantum/api/rpc/agentnotifiers/l3_rpc_agent_api.py at 2013.1.5.
        """
        self._router(router)
        if not self.has_scheduler:
            return []
        self.schedule_router(now, router)
        return [
            Notice("l3", agent.name, "routers_updated", router)
            for agent in self._hosting(self.routers[router].agents)
            if agent.admin_state_up and self.is_alive(now, agent)
        ]

    def add_interface(self, now: float, router: Id, network: Id) -> list[Notice]:
        """Attach a network's subnet; its port is made internally and schedules no network."""
        self._network(network).ports += 1
        return self.update_router(now, router)

    def delete_router(self, now: float, router: Id) -> list[Notice]:
        """Told to all L3 agents: the binding is gone by then."""
        for name in list(self._router(router).agents):
            self._unbind(router, self.agents[name])
        del self.routers[router], self._unhosted["l3"][router]
        return [Notice("l3", FANOUT, "router_deleted", router)]

    def schedule_router(self, now: float, router: Id) -> None:
        """Bind an L3 agent at random, unless any agent, dead or alive, hosts the router.

        Source: ChanceScheduler.schedule, quantum/scheduler/l3_agent_scheduler.py at 2013.1.5.
        """
        record = self._router(router)
        if self._hosting(record.agents):
            return
        candidates = [
            name
            for name in self._active(now, "l3")
            if compatible(self.agents[name].configurations, router, record.gateway)
        ]
        chosen = self._choose(router, candidates)
        if chosen is not None and chosen not in record.agents:
            self._bind(router, self.agents[chosen])

    # -- bindings by hand ------------------------------------------------------------------

    def add_network_to_agent(self, now: float, network: Id, name: str) -> list[Notice]:
        """Source: add_network_to_dhcp_agent, quantum/db/agentschedulers_db.py at 2013.1.5."""
        record, agent = self._network(network), self._agent(name)
        if agent.type != "dhcp" or not agent.admin_state_up:
            raise errors.InvalidDHCPAgent(name)
        if name in record.agents:
            raise errors.NetworkHostedByDHCPAgent(name)
        self._bind(network, agent)
        return [Notice("dhcp", name, "network_create_end", network)]

    def remove_network_from_agent(self, now: float, network: Id, name: str) -> list[Notice]:
        """Source: remove_network_from_dhcp_agent, the same file."""
        record, agent = self._network(network), self._agent(name)
        if name not in record.agents:
            raise errors.NetworkNotHostedByDhcpAgent(name)
        self._unbind(network, agent)
        return [Notice("dhcp", name, "network_delete_end", network)]

    def add_router_to_agent(self, now: float, router: Id, name: str) -> list[Notice]:
        """Source: add_router_to_l3_agent, quantum/db/agentschedulers_db.py at 2013.1.5."""
        record, agent = self._router(router), self._agent(name)
        if (
            agent.type != "l3"
            or not agent.admin_state_up
            or not compatible(agent.configurations, router, record.gateway)
        ):
            raise errors.InvalidL3Agent(name)
        if name in record.agents:
            raise errors.RouterHostedByL3Agent(name)
        if self._hosting(record.agents):
            raise errors.RouterSchedulingFailed(name)
        self._bind(router, agent)
        return [Notice("l3", name, "router_added_to_agent", router)]

    def remove_router_from_agent(self, now: float, router: Id, name: str) -> list[Notice]:
        """Source: remove_router_from_l3_agent, the same file. Nothing schedules it anew."""
        record, agent = self._router(router), self._agent(name)
        if name not in record.agents:
            raise errors.RouterNotHostedByL3Agent(name)
        self._unbind(router, agent)
        return [Notice("l3", name, "router_removed_from_agent", router)]

    # -- agents that ask -------------------------------------------------------------------

    def sync(self, now: float, name: str) -> list[Id]:
        """What the agent *name* should serve, after it was offered all that nobody hosts.

        Raises AgentNotFound for an agent without a row. Source: auto_schedule_networks and
        auto_schedule_routers, quantum/scheduler/*.py at 2013.1.5, where a silent agent is only
        warned about.
        """
        agent = self._agent(name)
        if not agent.admin_state_up:
            return []
        if agent.type == "dhcp":
            if self.network_auto_schedule:
                for network in list(self._unhosted["dhcp"]):
                    self._bind(network, agent)
            return [n for n in agent.hosted if self.networks[n].admin_state_up]
        if self.router_auto_schedule:
            for router in list(self._unhosted["l3"]):
                if compatible(agent.configurations, router, self.routers[router].gateway):
                    self._bind(router, agent)
        return [r for r in agent.hosted if self.routers[r].admin_state_up]

    # -- inside ----------------------------------------------------------------------------

    def bind(self, target: Id, name: str) -> None:
        """Bind without asking: for what was placed before the run began."""
        self._bind(target, self.agents[name])

    def takes(self, agent: Agent, router: Id) -> bool:
        """Whether an L3 agent's configuration admits *router*."""
        return compatible(agent.configurations, router, self.routers[router].gateway)

    def _agent(self, name: str) -> Agent:
        if name not in self.agents:
            raise errors.AgentNotFound(name)
        return self.agents[name]

    def _network(self, network: Id) -> Network:
        if network not in self.networks:
            raise errors.NetworkNotFound(network)
        return self.networks[network]

    def _router(self, router: Id) -> Router:
        if router not in self.routers:
            raise errors.RouterNotFound(router)
        return self.routers[router]

    def _hosting(self, names: Iterable[str]) -> list[Agent]:
        """The bound agents, as the query finds them: all of them, if any agent is enabled.

        The filter on admin_state_up is joined wrongly until Kilo (bugs 1410841, 1414905): it asks
        whether some agent of any type is enabled.
        """
        bound = [self.agents[name] for name in names]
        if not bound or any(agent.admin_state_up for agent in self.agents.values()):
            return bound
        return []

    def _active(self, now: float, agent_type: str) -> list[str]:
        """Agents of a type that are enabled and alive."""
        return [
            agent.name
            for agent in self._of_type.get(agent_type, {}).values()
            if agent.admin_state_up and self.is_alive(now, agent)
        ]

    def _choose(self, target: Id, candidates: list[str]) -> str | None:
        if not candidates:
            return None
        chosen = self._select(candidates, 1, self._draws(target))
        if self._on_decision:
            decision = Decision(target, tuple(candidates), tuple(chosen))
            chosen = list(self._on_decision(decision) or chosen)
        return chosen[0]

    def _tell_dhcp(self, now: float, network: Id, method: str) -> list[Notice]:
        """To every bound agent that looks alive; the others miss it (bug 1192381).

        Without a scheduler, to all DHCP agents (Folsom: the notification stream).
        """
        if not self.has_scheduler:
            return [Notice("dhcp", FANOUT, method, network)]
        return [
            Notice("dhcp", agent.name, method, network)
            for agent in self._hosting(self.networks[network].agents)
            if self.is_alive(now, agent)
        ]

    def _bind(self, target: Id, agent: Agent) -> None:
        record = self.networks[target] if agent.type == "dhcp" else self.routers[target]
        record.agents[agent.name] = None
        agent.hosted[target] = None
        self._unhosted[agent.type].pop(target, None)
        if self._on_bind:
            self._on_bind(target, agent.name, True)

    def _unbind(self, target: Id, agent: Agent) -> None:
        record = self.networks[target] if agent.type == "dhcp" else self.routers[target]
        del record.agents[agent.name]
        del agent.hosted[target]
        if not record.agents:
            self._unhosted[agent.type][target] = None
        if self._on_bind:
            self._on_bind(target, agent.name, False)
