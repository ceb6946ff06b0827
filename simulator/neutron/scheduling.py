"""When and to whom networks and routers are given: candidates, choices, automatic scheduling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from simulator.neutron.records import (
    CENTRAL_MODES,
    Agent,
    Decision,
    Id,
    Network,
    Router,
    compatible,
    suits_mode,
)
from simulator.neutron.rules import Rules
from simulator.neutron.schedulers import SCHEDULERS, ZONED, Choice, Draws
from simulator.neutron.tables import Tables


class Scheduling:
    """The schedulers of one server.

    *draws* gives the random choices for one object. *on_decision*, if any, is told of every choice
    and may answer with another one, which is then taken. *order* may put the routers that a sync
    finds in another order, which is the database's affair.
    """

    def __init__(
        self,
        tables: Tables,
        rules: Rules,
        draws: Callable[[Id], Draws],
        on_decision: Callable[[Decision], Iterable[str] | None] | None = None,
        load: Callable[[Agent, float], int] | None = None,
        *,
        order: Callable[[Sequence[Id]], Sequence[Id]] = lambda targets: targets,
    ) -> None:
        self._tables = tables
        self._rules = rules
        self._draws = draws
        self._on_decision = on_decision
        self._load = load or (lambda agent, now: agent.load)
        self._order = order

    # -- networks --------------------------------------------------------------------------

    def network(self, now: float, network: Id) -> list[str]:
        """Give *network* the agents it lacks; those that were bound now.

        Source: quantum/scheduler/dhcp_agent_scheduler.py at 2013.1.5, where only agents that look
        alive count as hosting; neutron/scheduler/dhcp_agent_scheduler.py since, where a host must
        reach the network (filter_hosts_with_network_access, neutron/plugins/ml2/plugin.py).
        """
        tables, rules = self._tables, self._rules
        record = tables.network(network)
        needed = rules.dhcp_agents_per_network - len(self._hosting(now, record))
        if needed <= 0:
            return []
        hints = self._hints(record)
        eligible = tables.is_eligible if rules.dhcp_grace else tables.is_alive
        candidates = [
            agent
            for agent in tables.of_type("dhcp")
            if agent.admin_state_up
            and agent.name not in record.agents
            and agent.l2
            and (not hints or agent.zone in hints)
            and eligible(now, agent)
        ]
        chosen = self._choose(now, "dhcp", network, candidates, count=needed)
        return [name for name in chosen if tables.bind(network, tables.agents[name])]

    def _hosting(self, now: float, record: Network) -> Sequence[object]:
        if self._rules.dhcp_hosting == "bound":
            return list(record.agents)
        return self._tables.hosting(record.agents, active_at=now)

    def networks_of(self, now: float, agent: Agent) -> None:
        """Give a syncing DHCP agent what lacks agents.

        Source: auto_schedule_networks, the same files. Grizzly takes every network that nobody
        hosts and only warns about a silent agent; Havana and later skip that agent, and networks
        without a DHCP subnet.
        """
        served = self._rules.dhcp_sync == "served"
        if served and not self._tables.is_alive(now, agent):
            return
        dead_places_free = served and self._rules.dhcp_hosting == "alive"
        waiting = self._tables.open_for("dhcp")
        if dead_places_free:
            waiting = self._tables.in_order({*waiting, *self._doubtful(now)})
        for network in waiting:
            record = self._tables.networks[network]
            hints = self._hints(record)
            if served and not any(record.subnets.values()):
                continue
            if hints and agent.zone not in hints:
                continue
            hosting = self._hosting(now, record) if dead_places_free else record.agents
            if len(hosting) < self._rules.dhcp_agents_per_network:
                self._tables.bind(network, agent)

    def _doubtful(self, now: float) -> Iterator[Id]:
        """The networks bound to DHCP agents that may not count as hosting."""
        for agent in self._tables.of_type("dhcp"):
            heard = self._tables.silence(now, agent) <= self._rules.agent_down_time
            if not (heard and agent.admin_state_up):
                yield from agent.hosted

    # -- routers ---------------------------------------------------------------------------

    def router(self, now: float, router: Id, candidates: Candidates | None = None) -> None:
        """Give *router* an agent, or an HA router its agents, unless it has them.

        *candidates*: as found before at this instant, if they were.
        Source: quantum/scheduler/l3_agent_scheduler.py at 2013.1.5: an agent that is silent still
        hosts; neutron/scheduler/l3_agent_scheduler.py since. Until Liberty a distributed router's
        SNAT is bound while it has a gateway (schedule_snat_router, neutron/db/l3_dvrscheduler_db).
        """
        record = self._tables.router(router)
        if self._tables.hosting(record.agents) and not record.ha:
            return
        if self.own_snat(record) and record.gateway is None:
            return
        candidates = candidates or Candidates(self._tables, self, now)
        if candidates.active:
            self.router_among(now, router, candidates.of(router))

    def central(self, now: float) -> int:
        """How many active agents there are to place HA routers on.

        Source: get_number_of_agents_for_scheduling, neutron/db/l3_hamode_db.py, which asks for
        both modes even if the router is distributed, too.
        """
        return len(self._tables.l3_agents(active_at=now, modes=CENTRAL_MODES))

    def own_snat(self, record: Network | Router) -> bool:
        """Whether SNAT is bound in a table of its own, by a choice of its own."""
        own = self._rules.snat_choice == "random"
        return own and isinstance(record, Router) and record.distributed

    def router_among(self, now: float, router: Id, candidates: list[Agent]) -> list[str]:
        """Choose from *candidates* and try to bind; those that were chosen.

        An HA router has no more places than there are active agents. Source:
        get_number_of_agents_for_scheduling, neutron/db/l3_hamode_db.py; get_vacant_binding_index,
        neutron/db/l3_agentschedulers_db.py, at 29.0.0.
        """
        record, kind, places, count = self._tables.router(router), "l3", 1, 1
        if record.ha:
            most = self._tables.places(record)
            places, count = min(most, self.central(now)), min(most, len(candidates))
            kind = "l3-ha"
        chosen = self._choose(now, kind, router, candidates, count=count)
        for name in chosen:
            self._tables.bind(router, self._tables.agents[name], places=places)
        return chosen

    def routers_of(self, now: float, agent: Agent) -> None:
        """Give a syncing L3 agent what lacks agents.

        Source: auto_schedule_routers, the same files; in Kilo and Liberty not distributed ones.
        """
        for router in self._order(self._tables.open_for("l3")):
            record = self._tables.routers[router]
            if record.agents and len(record.agents) >= self.central(now):
                continue  # an HA router gets no more agents than there are active ones
            if self.own_snat(record) or not self.admits(agent, router):
                continue
            if self._rules.router_sync == "bound":
                self._tables.bind(router, agent)
            else:
                self.router_among(now, router, [agent])

    def admits(self, agent: Agent, router: Id) -> bool:
        """Whether an L3 agent's mode, configuration and zone let it take *router*."""
        return bool(self.admitted([agent], router))

    def admitted(self, agents: Iterable[Agent], router: Id) -> list[Agent]:
        """Those of *agents* whose mode, configuration and zone let them take *router*."""
        record, looked_at = self._tables.routers[router], self._rules.candidate_filter
        hints = self._hints(record) if self._rules.router_scheduler_driver in ZONED else ()
        return [
            agent
            for agent in agents
            if (not hints or agent.zone in hints)
            and suits_mode(agent.mode, record.distributed)
            and compatible(agent.configurations, router, record.gateway, looked_at)
        ]

    def suits(self, agent: Agent, router: Id) -> bool:
        """Whether an L3 agent's configuration lets it take *router*."""
        gateway = self._tables.routers[router].gateway
        return compatible(agent.configurations, router, gateway, self._rules.candidate_filter)

    def demands(self, router: Id) -> tuple[object, ...]:
        """What `admits` looks at of a router, its name apart (router_id, which hardly any agent
        is configured with): equal demands are admitted alike.
        """
        record = self._tables.routers[router]
        return record.gateway, record.distributed, record.hints

    # -- choosing --------------------------------------------------------------------------

    def _hints(self, record: Network | Router) -> tuple[str, ...]:
        return record.hints or self._rules.default_availability_zones

    def _choose(
        self, now: float, kind: str, target: Id, candidates: list[Agent], *, count: int
    ) -> list[str]:
        if not candidates:
            return []
        dhcp = kind == "dhcp"
        rules, agents = self._rules, self._tables.agents
        record = self._tables.networks[target] if dhcp else self._tables.routers[target]
        driver = rules.network_scheduler_driver if dhcp else rules.router_scheduler_driver
        driver = "ChanceScheduler" if self.own_snat(record) else driver
        load = {a.name: self._load(a, now) if dhcp else len(a.hosted) for a in candidates}
        names = [agent.name for agent in candidates]
        choice = Choice(
            names,
            min(count, len(names)),
            load,
            self._tables.zones,
            [agents[name].zone for name in record.agents],
        )
        chosen = SCHEDULERS[driver](choice, self._draws(target))
        if self._on_decision:
            decision = Decision(kind, target, tuple(names), tuple(chosen), count, load)
            chosen = list(self._on_decision(decision) or chosen)
        return chosen


class Candidates:
    """The L3 agents that are active at one instant, and those of them that may take a router.

    Each question is asked once. They hold until time goes on or an agent's row changes; bindings
    may come and go.
    """

    def __init__(self, tables: Tables, scheduling: Scheduling, now: float) -> None:
        self._tables, self._scheduling, self._now = tables, scheduling, now
        self._admitted: dict[object, list[Agent]] = {}
        self._alive: dict[str, bool] = {}

    @cached_property
    def active(self) -> list[Agent]:
        """All that are enabled and alive."""
        return self._tables.l3_agents(active_at=self._now)

    def is_alive(self, agent: Agent) -> bool:
        """Whether *agent*, which need not be a candidate, is alive."""
        if agent.name not in self._alive:
            self._alive[agent.name] = self._tables.is_alive(self._now, agent)
        return self._alive[agent.name]

    @cached_property
    def _by_name(self) -> bool:
        """Whether some take one router only, which its name tells."""
        return any("router_id" in agent.configurations for agent in self.active)

    def of(self, router: Id) -> list[Agent]:
        """Those that may take *router*, by mode, configuration and zone."""
        demands: object = router if self._by_name else self._scheduling.demands(router)
        if demands not in self._admitted:
            self._admitted[demands] = self._scheduling.admitted(self.active, router)
        return self._admitted[demands]
