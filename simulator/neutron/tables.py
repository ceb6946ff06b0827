"""The server's tables: agents, networks, routers and who is bound to whom."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from itertools import count
from operator import itemgetter

from simulator.neutron import errors
from simulator.neutron.records import Agent, Id, Network, Router
from simulator.neutron.rules import DHCP_STARTUP_SECONDS, Rules
from simulator.neutron.schedulers import vacant_index


class Tables:
    """The rows, and the questions that the rules ask of them.

    *heard* answers when the heartbeat of an agent was last processed before a time; by default
    the row's own timestamp. *on_bind* is told of every binding and unbinding, *on_notice_down* of
    an agent seen to be down for the first time in its silence.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        heard: Callable[[Agent, float], float] | None = None,
        on_bind: Callable[[Id, str, bool], None] | None = None,
        on_notice_down: Callable[[str], None] | None = None,
    ) -> None:
        self.rules = rules
        self.agents: dict[str, Agent] = {}
        self.zones: dict[str, str] = {}  # of each agent
        self.networks: dict[Id, Network] = {}
        self.routers: dict[Id, Router] = {}
        self.ha_routers: Counter[Id] = Counter()  # by project
        self._of_type: dict[str, dict[str, Agent]] = {}
        self._on_host: dict[tuple[str, str], dict[str, Agent]] = {}
        self._open: dict[str, dict[Id, None]] = {"dhcp": {}, "l3": {}}
        self._place: dict[Id, int] = {}  # of each network, in the order in which they came
        self._places, self._bindings = count(), count()
        self._heard = heard or (lambda agent, now: agent.heartbeat_timestamp)
        self._on_bind = on_bind or (lambda target, name, bound: None)
        self._changes: list[tuple[Id, str, bool]] | None = None  # those of an open transaction
        self._on_notice_down = on_notice_down

    # -- rows ------------------------------------------------------------------------------

    def add_agent(self, agent: Agent) -> None:
        """Take a new row."""
        self.zones[agent.name] = agent.zone
        self.agents[agent.name] = self._of_type.setdefault(agent.type, {})[agent.name] = agent
        self._on_host.setdefault((agent.type, agent.host), {})[agent.name] = agent

    def drop_agent(self, agent: Agent) -> None:
        """Delete a row and its bindings."""
        for target in list(agent.hosted):
            self.unbind(target, agent)
        if agent.type == "l3":
            for router in self.routers.values():
                router.ha_ports.pop(agent.name, None)
        del self.agents[agent.name], self.zones[agent.name], self._of_type[agent.type][agent.name]
        del self._on_host[agent.type, agent.host][agent.name]

    def add(self, target: Id, record: Network | Router) -> None:
        """Take a new network or router."""
        if isinstance(record, Network):
            self.networks[target] = record
            self._place[target] = next(self._places)
        else:
            self.routers[target] = record
            self.ha_routers[record.project] += record.ha
        self._recount(target, record)

    def drop(self, target: Id, record: Network | Router) -> None:
        """Delete a network or router and its bindings."""
        for name in list(record.agents):
            self.unbind(target, self.agents[name])
        if isinstance(record, Network):
            del self.networks[target], self._place[target]
        else:
            del self.routers[target]
            self.ha_routers[record.project] -= record.ha
        self._open[_type_of(record)].pop(target, None)

    def agent(self, name: str) -> Agent:
        """The row of *name*, or AgentNotFound."""
        if name not in self.agents:
            raise errors.AgentNotFound(name)
        return self.agents[name]

    def network(self, network: Id) -> Network:
        """A network, or NetworkNotFound."""
        if network not in self.networks:
            raise errors.NetworkNotFound(network)
        return self.networks[network]

    def router(self, router: Id) -> Router:
        """A router, or RouterNotFound."""
        if router not in self.routers:
            raise errors.RouterNotFound(router)
        return self.routers[router]

    # -- questions -------------------------------------------------------------------------

    def of_type(self, agent_type: str) -> Iterable[Agent]:
        """All agents of one type."""
        return self._of_type.get(agent_type, {}).values()

    def l3_agents(
        self,
        *,
        active_at: float | None = None,
        modes: Collection[str] = (),
        hosts: Collection[str] | None = None,
    ) -> list[Agent]:
        """L3 agents: only those enabled and alive at *active_at*, of some *modes*, on some *hosts*.

        No modes are all modes; no hosts are none, unless they are not asked for (None).
        Source: get_l3_agents, neutron/db/l3_agentschedulers_db.py at 29.0.0.
        """
        found = self.of_type("l3")
        if hosts is not None and len(hosts) < 2:
            found = [
                agent for host in hosts for agent in self._on_host.get(("l3", host), {}).values()
            ]
        return [
            agent
            for agent in found
            if (not modes or agent.mode in modes)
            and (hosts is None or agent.host in hosts)
            and (active_at is None or (agent.admin_state_up and self.is_alive(active_at, agent)))
        ]

    def silence(self, now: float, agent: Agent) -> float:
        """Seconds since the last heartbeat of *agent* was processed."""
        return now - self._heard(agent, now)

    def is_alive(self, now: float, agent: Agent) -> bool:
        """Whether *agent* was heard of within agent_down_time; exactly that long ago still is.

        Source: is_agent_down, quantum/db/agents_db.py; timeutils.is_older_than is strict.
        """
        heard = self._heard(agent, now)
        if now - heard <= self.rules.agent_down_time:
            return True
        if agent.noticed != heard:
            agent.noticed = heard
            if self._on_notice_down:
                self._on_notice_down(agent.name)
        return False

    def is_starting(self, now: float, agent: Agent) -> bool:
        """Whether a DHCP agent is still granted its time to start up.

        Source: agent_starting_up, neutron/db/agentschedulers_db.py (bug 1417708, Kilo).
        """
        granted = self.rules.dead_limit + DHCP_STARTUP_SECONDS * len(agent.hosted)
        return self.rules.dhcp_grace and agent.started_at + granted > now

    def is_eligible(self, now: float, agent: Agent) -> bool:
        """Whether an agent may be given objects, admin state apart."""
        starting = agent.type == "dhcp" and self.is_starting(now, agent)
        return starting or self.is_alive(now, agent)

    def hosting(
        self,
        names: Iterable[str],
        *,
        enabled: bool | None = True,
        active_at: float | None = None,
        hosts: Collection[str] = (),
    ) -> list[Agent]:
        """The bound agents that count as hosting.

        Only *enabled* ones, or only disabled ones, or with None both; at *active_at* only those
        that are eligible; of *hosts* only, if any are named. Until Kilo the filter on
        admin_state_up is joined wrongly (bugs 1410841, 1414905): it asks whether some agent of any
        type is enabled. Source: get_dhcp_agents_hosting_networks, quantum/db/agentschedulers_db.py
        at 2013.1.5, neutron/db/agentschedulers_db.py at 29.0.0; get_l3_agents_hosting_routers.
        """
        bound = [self.agents[name] for name in names]
        if not bound:
            return bound
        if enabled is not None:
            if self.rules.admin_filter == "intended":
                bound = [agent for agent in bound if agent.admin_state_up == enabled]
            elif all(a.admin_state_up != enabled for a in self.agents.values()):
                bound = []
        if hosts:
            bound = [agent for agent in bound if agent.host in hosts]
        if active_at is None:
            return bound
        return [agent for agent in bound if self.is_eligible(active_at, agent)]

    def open_for(self, agent_type: str) -> list[Id]:
        """Networks or routers that have fewer agents than they may have."""
        waiting = self._open[agent_type]
        return list(waiting) if waiting else []  # to look through an emptied dict takes time

    def in_order(self, networks: Iterable[Id]) -> list[Id]:
        """*networks* in the order of the table."""
        return sorted(networks, key=self._place.__getitem__)

    # -- bindings --------------------------------------------------------------------------

    def places(self, record: Network | Router) -> int:
        """How many agents a network or router may be bound to; schedulers may want fewer."""
        if isinstance(record, Network):
            return self.rules.dhcp_agents_per_network
        return (self.rules.max_l3_agents_per_router or sys.maxsize) if record.ha else 1

    def bind(
        self, target: Id, agent: Agent, *, places: int | None = None, force: bool = False
    ) -> bool:
        """Bind, if there is a place (or *force*); whether a binding was made.

        *places*: how many there are, if not as many as there may be.
        """
        record = self.networks[target] if agent.type == "dhcp" else self.routers[target]
        if agent.name in record.agents:
            return False
        crowded = not self.rules.one_binding and not (isinstance(record, Router) and record.ha)
        used = list(record.agents.values())
        places = self.places(record) if places is None else places
        index = vacant_index(places, used, force=force or crowded)
        if index < 1:
            return False
        record.agents[agent.name] = index
        if isinstance(record, Router) and record.ha:
            record.ha_ports[agent.name] = "standby"
        agent.hosted[target] = next(self._bindings)
        agent.load += agent.type == "dhcp"
        self._changed(target, record, agent.name, True)
        return True

    def unbind(self, target: Id, agent: Agent, *, keep_port: bool = False) -> None:
        """Delete a binding, and with it an HA router's port on the agent, unless that is kept."""
        record = self.networks[target] if agent.type == "dhcp" else self.routers[target]
        del record.agents[agent.name]
        del agent.hosted[target]
        if isinstance(record, Router) and not keep_port:
            record.ha_ports.pop(agent.name, None)
        self._changed(target, record, agent.name, False)

    def transaction(self, router: Id) -> Transaction:
        """Bindings of one router made and deleted within all hold, or none of them.

        *on_bind* is told of them when the block ends, in order. If it ends in an error, every
        table is as it was before, and nobody is told of anything.
        """
        return Transaction(self, router)

    def hold(self) -> None:
        """Keep from *on_bind* what is bound and unbound from now on, until it is settled."""
        self._changes = []

    def settle(self, router: Id, *, holds: bool) -> None:
        """Tell *on_bind* what has become of *router* since `hold`, unless it is undone."""
        changes, self._changes = self._changes or [], None
        if holds:
            self._recount(router, self.routers[router])
            for change in changes:
                self._on_bind(*change)

    def _changed(self, target: Id, record: Network | Router, name: str, bound: bool) -> None:
        if self._changes is not None:
            self._changes.append((target, name, bound))
            return
        self._recount(target, record)
        self._on_bind(target, name, bound)

    def _recount(self, target: Id, record: Network | Router) -> None:
        waiting = self._open[_type_of(record)]
        if len(record.agents) < self.places(record):
            waiting[target] = None
        else:
            waiting.pop(target, None)


class Transaction:
    """One router's bindings and ports as they were before a block, for when it fails."""

    __slots__ = ("_agents", "_hosted", "_ports", "_router", "_tables")

    def __init__(self, tables: Tables, router: Id) -> None:
        record = tables.routers[router]
        self._tables, self._router = tables, router
        self._agents, self._ports = record.agents.copy(), record.ha_ports.copy()
        self._hosted = [tables.agents[name].hosted[router] for name in record.agents]

    def __enter__(self) -> None:
        self._tables.hold()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is not None:
            self._undo()
        self._tables.settle(self._router, holds=error is None)

    def _undo(self) -> None:
        """Put everything back, each binding in its old place among those of its agent."""
        agents, record = self._tables.agents, self._tables.routers[self._router]
        for name in record.agents:
            agents[name].hosted.pop(self._router, None)
        for name, ordinal in zip(self._agents, self._hosted, strict=True):
            hosted = {**agents[name].hosted, self._router: ordinal}
            agents[name].hosted = dict(sorted(hosted.items(), key=itemgetter(1)))
        record.agents, record.ha_ports = self._agents, self._ports


def _type_of(record: Network | Router) -> str:
    return "dhcp" if isinstance(record, Network) else "l3"
