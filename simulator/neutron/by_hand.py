"""Bindings by hand: the API's scheduler extensions, and its lists of what an agent has."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.neutron import errors
from simulator.neutron.records import COMPUTE_MODES, Agent, HaState, Id, Notice, Router
from simulator.neutron.routers import Routers


class ByHand(Routers):
    """The requests that bind, unbind and list; each is told to the agent it is about."""

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
        agent = self.tables.agent(name)
        if network not in agent.hosted or agent.type != "dhcp":
            raise errors.NetworkNotHostedByDhcpAgent(name)
        self.tables.unbind(network, agent)
        return [Notice("dhcp", name, "network_delete_end", network)]

    def add_router_to_agent(self, now: float, router: Id, name: str) -> list[Notice]:
        """Source: add_router_to_l3_agent, quantum/db/agentschedulers_db.py at 2013.1.5;
        neutron/db/l3_agentschedulers_db.py since. Zones are the schedulers' affair.
        """
        record, agent = self.tables.router(router), self.tables.agent(name)
        self._check_suitable(agent, router, record)
        if name in record.agents:
            if self.rules.same_agent == "silent":
                return []
            raise errors.RouterHostedByL3Agent(name)
        if record.agents and not record.ha:
            raise getattr(errors, self.rules.other_agent)(name)
        self.tables.bind(router, agent, force=record.ha)
        return [Notice("l3", name, "router_added_to_agent", router)]

    def _check_suitable(self, agent: Agent, router: Id, record: Router) -> None:
        """Refuse an agent of another type or mode, or one that cannot take the router.

        Source: validate_agent_router_combination, neutron/db/l3_agentschedulers_db.py.
        """
        if agent.type != "l3":
            raise errors.InvalidL3Agent(agent.name)
        if agent.mode in COMPUTE_MODES:
            if record.distributed:
                raise errors.DVRL3CannotAssignToDvrAgent(agent.name)
            raise getattr(errors, self.rules.legacy_to_dvr)(agent.name)
        if record.distributed and agent.mode == "legacy":
            raise errors.RouterL3AgentMismatch(agent.name)
        if not self._accepts(agent) or not self.scheduling.suits(agent, router):
            raise errors.InvalidL3Agent(agent.name)

    def remove_router_from_agent(self, now: float, router: Id, name: str) -> list[Notice]:
        """Source: remove_router_from_l3_agent, the same file. Nothing schedules it anew."""
        agent = self.tables.agent(name)
        if agent.mode in COMPUTE_MODES and self.rules.removal_from_dvr == "refused":
            raise errors.DVRL3CannotRemoveFromDvrAgent(name)
        record = self.tables.router(router)
        if name in record.agents:
            self.tables.unbind(router, agent)
        elif self.rules.removal == "conflict":
            raise errors.RouterNotHostedByL3Agent(name)
        return [self.removal(router, agent, by_hand=True)]

    # -- lists -----------------------------------------------------------------------------

    def hosted_by(self, name: str, agent_type: str) -> list[Id]:
        """What is bound to an agent of this type; nothing, if it is of another one.

        Source: list_routers_on_l3_agent, the same file, and list_networks_on_dhcp_agent,
        neutron/db/agentschedulers_db.py: AgentNotFound, but for an agent that is there; until Juno
        an unknown one has nothing.
        """
        if name not in self.agents and self.rules.unknown_lists == "nothing":
            return []
        agent = self.tables.agent(name)
        return list(agent.hosted) if agent.type == agent_type else []

    def hosting(self, now: float, router: Id) -> dict[str, HaState | None]:
        """The L3 agents of *router*, those of an HA router with the state the server believes in.

        What an agent told last stands until it is looked at while the agent is dead or disabled:
        then a master there becomes a standby; or `unknown`, if all agents of the router are.
        Source: list_l3_agents_hosting_router, neutron/db/l3_hascheduler_db.py, and
        _get_bindings_and_update_router_state_for_dead_agents, neutron/db/l3_hamode_db.py.
        """
        record = self.tables.router(router)
        if not record.ha:
            return dict.fromkeys(record.agents)
        rows = [self.agents[name] for name in record.ha_ports]
        dead = [
            row.name for row in rows if not (row.admin_state_up and self.tables.is_alive(now, row))
        ]
        if self.rules.dead_master != "stays":
            lost = self.rules.dead_master == "unknown" and len(dead) == len(rows)
            for name in dead:
                if record.ha_ports[name] == "active":
                    record.ha_ports[name] = "unknown" if lost else "standby"
        return dict(record.ha_ports)

    def tell_ha_states(self, name: str, states: Mapping[Id, HaState]) -> None:
        """What VRRP made of the replicas on an agent; what it does not have is passed over.

        Source: update_routers_states, neutron/db/l3_hamode_db.py.
        """
        for router, state in states.items():
            record = self.routers.get(router)
            if record is not None and name in record.ha_ports:
                record.ha_ports[name] = state
