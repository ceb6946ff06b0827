"""The server's periodic passes that move objects off dead agents: L3 since Juno, DHCP since Kilo.

A pass is a list of bindings to go through (`lost`), fetched when it begins, and a `turn` for each.
When passes run, and how long a turn takes, is the caller's: every max(agent_down_time // 2, 1)
seconds, the first after a random one to two periods. `at_once` goes through one in no time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from itertools import chain
from typing import Literal, TypeAlias

from simulator.neutron import errors
from simulator.neutron.records import Agent, Id, Notice
from simulator.neutron.rules import Rules
from simulator.neutron.scheduling import Candidates
from simulator.neutron.server import Server

_CERTAIN = nullcontext()
NOTIFY_ATTEMPTS = 2  # AGENT_NOTIFY_MAX_ATTEMPTS, neutron/db/l3_agentschedulers_db.py
Turn: TypeAlias = Generator[Notice, bool, None]
"""What is told for one object; it is sent whether that was answered, which only calls are."""
Binding: TypeAlias = tuple[Id, str]
"""An object and the name of an agent that it is bound to."""


class PassEndedError(Exception):
    """An error that no pass provides for: what is left waits for the next one."""


def passes_of(rules: Rules) -> tuple[str, ...]:
    """The types of agent that are watched: those whose option is on."""
    on = {
        "l3": rules.allow_automatic_l3agent_failover,
        "dhcp": rules.allow_automatic_dhcp_failover,
    }
    return tuple(kind for kind, wanted in on.items() if wanted)


class Failover:
    """The passes of one server.

    *order* may put the objects of a pass in another order than that of the bindings, which is the
    database's affair.
    """

    def __init__(
        self,
        server: Server,
        *,
        order: Callable[[Sequence[Id]], Sequence[Id]] = lambda targets: targets,
    ) -> None:
        self._server = server
        self._tables = server.tables
        self._rules = server.rules
        self._order = order
        self._back: set[str] = set()  # agents that this pass has found to be back

    @property
    def period(self) -> float:
        """Seconds from one pass to the next. Source: as `passes`."""
        return max(self._rules.agent_down_time // 2, 1.0)

    @property
    def passes(self) -> tuple[str, ...]:
        """The types of agent that are watched: those whose option is on.

        Source: add_periodic_l3_agent_status_check, neutron/db/l3_agentschedulers_db.py (Juno);
        add_periodic_dhcp_agent_status_check, neutron/db/agentschedulers_db.py (Kilo).
        """
        return passes_of(self._rules)

    def guard(self, clock_jump: float) -> list[Notice]:
        """The sleep of a pass that finds too much time gone by since the one before.

        Source: wait_down_agents, neutron/db/agentschedulers_db.py.
        """
        if clock_jump <= self._rules.agent_down_time:
            return []
        return [Notice("server", "-", f"sleep:{self._rules.dead_limit:g}")]

    # -- a pass ----------------------------------------------------------------------------

    def lost(self, now: float, kind: str) -> list[Binding]:
        """The bindings that a pass begun *now* goes through, object by object.

        Source: reschedule_routers_from_down_agents, neutron/db/l3_agentschedulers_db.py: of dead,
        enabled L3 agents; remove_networks_from_down_agents, neutron/db/agentschedulers_db.py.
        """
        self._back = set()
        dead = self._dead(now, kind)
        if kind == "l3":
            skipped = "dvr" if self._rules.dvr_failover == "skips" else None
            dead = [a for a in dead if a.admin_state_up and a.mode != skipped]
        else:
            dead = [agent for agent in dead if self._is_given_up(now, agent)]
        found = list(dict.fromkeys(chain.from_iterable(agent.hosted for agent in dead)))
        if kind == "l3" and self._rules.ha_failover == "none":
            found = [router for router in found if not self._server.routers[router].ha]
        skips = kind == "dhcp" and self._rules.dhcp_failover_skips
        if skips and found and not self._any_eligible(now):
            return []
        return [
            (target, agent.name)
            for target in self._order(found)
            for agent in dead
            if target in agent.hosted
        ]

    def _dead(self, now: float, agent_type: str) -> list[Agent]:
        """Agents silent for more than twice agent_down_time."""
        limit = self._rules.dead_limit
        return [
            agent
            for agent in self._tables.of_type(agent_type)
            if self._tables.silence(now, agent) > limit
        ]

    def _is_given_up(self, now: float, agent: Agent) -> bool:
        """Whether a dead DHCP agent loses its networks: not while it may be starting up."""
        wanted = agent.admin_state_up or not self._rules.dhcp_failover_filter
        return wanted and not self._tables.is_starting(now, agent)

    def _any_eligible(self, now: float) -> bool:
        tables = self._tables
        return any(tables.is_eligible(now, agent) for agent in tables.of_type("dhcp"))

    def turn(
        self, now: float, kind: str, binding: Binding, candidates: Candidates | None = None
    ) -> Turn:
        """Move one object of a pass: what is to be told. What an error means tells `verdict`.

        One that is not bound any more, or is gone, is left alone. *candidates*: those of the turn
        before, if it was at this instant and nothing came between.
        """
        target, name = binding
        records = self._server.routers if kind == "l3" else self._server.networks
        if target not in records:
            return _telling([])
        if kind == "l3" and self._is_forsaken(target):
            return self._forsake(now, target, name)
        if name not in records[target].agents:
            return _telling([])
        if kind == "l3":
            return self._move_router(now, target, self._tables.agents[name], candidates)
        return self._move_network(now, target, self._tables.agents[name])

    def verdict(self, error: Exception) -> Literal["go on", "end", "kill"]:
        """What becomes of a pass that met *error*: it goes on, ends, or never runs again."""
        if self._rules.loop_errors == "kill":
            return "kill"
        return "go on" if isinstance(error, errors.RouterReschedulingFailed) else "end"

    def at_once(
        self, now: float, kind: str, answers: Callable[[str], bool] = lambda name: True
    ) -> list[Notice]:
        """A whole pass in no time; *answers* tells whether an agent answers a call."""
        notices: list[Notice] = []
        candidates = self.candidates(now)
        for binding in self.lost(now, kind):
            reply = True
            try:
                turn = self.turn(now, kind, binding, candidates)
                notice = next(turn)
                while True:
                    reply = not self.is_call(notice) or answers(notice.agent)
                    notices.append(notice._replace(failed=not reply))
                    notice = turn.send(reply)
            except StopIteration:
                continue
            except (errors.RouterReschedulingFailed, PassEndedError) as error:
                if self.verdict(error) != "go on":
                    break
        return notices

    def is_call(self, notice: Notice) -> bool:
        """Whether a notice of a pass waits for an answer (bug 1482630)."""
        return self._rules.added_by_call and notice.method == "router_added_to_agent"

    def is_hopeless(self, now: float, bindings: Sequence[Binding]) -> bool:
        """Whether no active L3 agent may take any router of *bindings*.

        Their turns then change nothing, unless an error kills the loop.
        """
        if self._rules.loop_errors == "kill":
            return False
        scheduling, routers = self._server.scheduling, self._server.routers
        if any(router in routers and self._is_forsaken(router) for router, _ in bindings):
            return False
        kinds: dict[object, Id] = {}
        for router, _ in bindings:
            if router in routers:
                kinds.setdefault(scheduling.demands(router), router)
        limit = self._rules.agent_down_time
        active = [a for a in self._tables.l3_agents() if self._tables.silence(now, a) <= limit]
        return not any(scheduling.admits(a, router) for router in kinds.values() for a in active)

    # -- L3 --------------------------------------------------------------------------------

    def candidates(self, now: float) -> Candidates:
        """Those that routers may be moved to *now*, for the turns of this instant."""
        return Candidates(self._tables, self._server.scheduling, now)

    def _move_router(
        self, now: float, router: Id, agent: Agent, candidates: Candidates | None
    ) -> Turn:
        """Move one router in a transaction, unless its agent is back.

        Where nobody can take it, it keeps its binding: RouterReschedulingFailed. Source:
        reschedule_router, the same file.
        """
        tables, record = self._tables, self._server.routers[router]
        if self._is_back(now, agent, candidates):
            return _telling([])
        before = [tables.agents[name] for name in record.agents]
        candidates = candidates or self.candidates(now)
        plain = not record.ha and not record.distributed
        certain = plain and candidates.of(router)  # there is nothing that could be undone
        with _CERTAIN if certain else tables.transaction(router):
            for old in before:
                tables.unbind(router, old)
            self._server.scheduling.router(now, router, candidates)
            if not record.agents:
                raise errors.RouterReschedulingFailed(router)
        return self._tell_moved(router, before, list(record.agents))

    def _is_back(self, now: float, agent: Agent, candidates: Candidates | None = None) -> bool:
        """Whether a pass that looks again finds an agent alive, or has found it so before."""
        if self._rules.l3_failover_rechecks and agent.name not in self._back:
            candidates = candidates or self.candidates(now)
            if candidates.is_alive(agent):
                self._back.add(agent.name)
        return agent.name in self._back

    def _is_forsaken(self, router: Id) -> bool:
        return self._server.routers[router].ha and self._rules.ha_failover == "aborts"

    def _forsake(self, now: float, router: Id, name: str) -> Turn:
        """Fail to move an HA router, as 29.0.0 does for each of its bindings, there still or not.

        If an agent could take it, its port cannot be made inside the transaction, and the error
        ends the pass. If none can, the router loses all bindings; the agents that have a port for
        it pass for its new ones, and are told that they have it. Source: add_ha_port,
        neutron/db/l3_hamode_db.py, and list_l3_agents_hosting_router,
        neutron/db/l3_hascheduler_db.py, which looks at ports instead of bindings.
        """
        tables, record = self._tables, self._server.routers[router]
        if name not in tables.agents:
            raise PassEndedError
        if self._is_back(now, tables.agents[name]):
            return _telling([])
        with tables.transaction(router):
            for old in list(record.agents):
                tables.unbind(router, tables.agents[old], keep_port=True)
            self._server.scheduling.router(now, router)
            if record.agents:
                raise PassEndedError
            if not record.ha_ports:
                raise errors.RouterReschedulingFailed(router)
        hosts = [name for name in self._order(list(record.ha_ports)) if name in tables.agents]
        return self._tell_moved(router, [], hosts)

    def _tell_moved(self, router: Id, before: list[Agent], after: list[str]) -> Turn:
        """Tell old hosts and new; a new one that does not answer loses the router again.

        Source: _notify_agents_router_rescheduled (bug 1482630).
        """
        for agent in before:
            if agent.name not in after:
                yield self._server.removal(router, agent)
        for name in after:
            for _ in range(NOTIFY_ATTEMPTS):
                answered = yield Notice("l3", name, "router_added_to_agent", router)
                if answered:
                    break
            else:
                self._drop(router, name)
                raise errors.RouterReschedulingFailed(router)

    def _drop(self, router: Id, name: str) -> None:
        """Unbind, unless somebody else did while the calls were waiting."""
        routers, agents = self._server.routers, self._tables.agents
        if router in routers and name in routers[router].agents:
            self._tables.unbind(router, agents[name])

    # -- DHCP ------------------------------------------------------------------------------

    def _move_network(self, now: float, network: Id, agent: Agent) -> Turn:
        """Take a network off a dead agent, without telling it, and schedule it anew."""
        self._tables.unbind(network, agent)
        if self._rules.network_auto_schedule:
            return _telling(self._server.schedule_network(now, network))
        return _telling([])


def _telling(notices: list[Notice]) -> Turn:
    """Tell them one after the other, whatever becomes of it."""
    while notices:
        yield notices.pop(0)
