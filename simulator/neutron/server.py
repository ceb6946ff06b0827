"""Neutron's server as a plain state machine: agents, bindings, scheduling, the API.

No clock of its own: every operation is told the time. No messages either: an operation returns
the notices that the server would send, and the caller delivers them (or not). Objects and agents
are known by any hashable name. What differs between releases is in `Rules`; each method names the
source it restates. What it does with networks, routers and bindings by hand stands in the classes
it extends, one by subject.
"""

from __future__ import annotations

from collections.abc import Collection

from simulator.neutron.by_hand import ByHand
from simulator.neutron.records import DVR_MODES, Agent, Id, Notice


class Server(ByHand):
    """One server with its tables and its schedulers; `failover` adds the periodic passes."""

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
        asks for the names of its routers (get_router_ids: a `sync`) and then for the routers. An
        agent in a DVR mode is given what its host needs, too: _get_router_ids_for_agent,
        neutron/db/l3_dvrscheduler_db.py.
        """
        agent = self.tables.agent(name)
        if not self._accepts(agent):
            return []
        records = self.networks if agent.type == "dhcp" else self.routers
        hosted = agent.hosted if only is None else filter(agent.hosted.__contains__, only)
        targets: dict[Id, None] = dict.fromkeys(hosted)
        if agent.type == "l3" and agent.mode in DVR_MODES:
            targets |= dict.fromkeys(self.distributed.needed_on(agent.host, only))
        return [target for target in targets if records[target].admin_state_up]

    # -- inside ----------------------------------------------------------------------------

    def bind(self, target: Id, name: str) -> None:
        """Bind without asking: for what was placed before the run began."""
        self.tables.bind(target, self.agents[name], force=True)

    def takes(self, agent: Agent, router: Id) -> bool:
        """Whether a scheduler may give an L3 agent *router*."""
        return self.scheduling.admits(agent, router)
