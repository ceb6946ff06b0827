"""The server's periodic passes that move objects off dead agents: L3 since Juno, DHCP since Kilo.

A pass is told the time and returns the notices it would send. When it runs is the caller's: every
max(agent_down_time // 2, 1) seconds, the first after a random one to two periods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulator.neutron import errors
from simulator.neutron.records import Agent, Id, Notice
from simulator.neutron.server import Server

NOTIFY_ATTEMPTS = 2  # AGENT_NOTIFY_MAX_ATTEMPTS, neutron/db/l3_agentschedulers_db.py


class _PassEndedError(Exception):
    """An error that no pass provides for: what is left waits for the next one."""


class Failover:
    """The passes of one server.

    *answers* tells whether an agent answers a call, and is asked for each call; *order* may put the
    objects of a pass in another order than that of the bindings, which is the database's affair.
    """

    def __init__(
        self,
        server: Server,
        *,
        answers: Callable[[str], bool] = lambda name: True,
        order: Callable[[Sequence[Id]], Sequence[Id]] = lambda targets: targets,
    ) -> None:
        self._server = server
        self._tables = server.tables
        self._rules = server.rules
        self._answers = answers
        self._order = order

    @property
    def passes(self) -> dict[str, Callable[[float], list[Notice]]]:
        """The passes that run, by the type of agent they watch: those whose option is on.

        Source: add_periodic_l3_agent_status_check, neutron/db/l3_agentschedulers_db.py (Juno);
        add_periodic_dhcp_agent_status_check, neutron/db/agentschedulers_db.py (Kilo).
        """
        passes: dict[str, Callable[[float], list[Notice]]] = {}
        if self._rules.allow_automatic_l3agent_failover:
            passes["l3"] = self.routers
        if self._rules.allow_automatic_dhcp_failover:
            passes["dhcp"] = self.networks
        return passes

    def guard(self, clock_jump: float) -> list[Notice]:
        """The sleep of a pass that finds too much time gone by since the one before.

        Source: wait_down_agents, neutron/db/agentschedulers_db.py.
        """
        if clock_jump <= self._rules.agent_down_time:
            return []
        return [Notice("server", "-", f"sleep:{self._rules.dead_limit:g}")]

    # -- L3 --------------------------------------------------------------------------------

    def routers(self, now: float) -> list[Notice]:
        """Move the routers of dead, enabled L3 agents, one by one.

        Source: reschedule_routers_from_down_agents, neutron/db/l3_agentschedulers_db.py.
        """
        rules, notices = self._rules, list[Notice]()
        skipped = "dvr" if rules.dvr_failover == "skips" else None
        dead = [a for a in self._dead(now, "l3") if a.admin_state_up and a.mode != skipped]
        bindings = {router: agent for agent in dead for router in agent.hosted}
        back: set[str] = set()
        for router in self._order(list(bindings)):
            if self._server.routers[router].ha and rules.ha_failover == "none":
                continue
            agent = bindings[router]
            if rules.l3_failover_rechecks and agent.name not in back:
                back |= {agent.name} if self._tables.is_alive(now, agent) else set()
            if agent.name in back:
                continue
            try:
                notices += self._reschedule(now, router)
            except errors.RouterReschedulingFailed:
                continue
            except _PassEndedError:
                break
        return notices

    def _reschedule(self, now: float, router: Id) -> list[Notice]:
        """Move one router in a transaction.

        Where nobody can take it, it keeps its binding: RouterReschedulingFailed. Source:
        reschedule_router, the same file; at 29.0.0 an HA router's new port cannot be made inside
        the transaction, and the error ends the pass.
        """
        tables, record = self._tables, self._server.routers[router]
        before = [tables.agents[name] for name in record.agents]
        with tables.transaction(router):
            for agent in before:
                tables.unbind(router, agent)
            self._server.scheduling.router(now, router)
            if not record.agents:
                raise errors.RouterReschedulingFailed(router)
            if record.ha and self._rules.ha_failover == "aborts":
                raise _PassEndedError
        return self._tell_moved(router, before, list(record.agents))

    def _tell_moved(self, router: Id, before: list[Agent], after: list[str]) -> list[Notice]:
        """Tell old hosts and new; a new one that does not answer loses the router again.

        Source: _notify_agents_router_rescheduled (bug 1482630).
        """
        notices = [
            self._server.removal(router, agent) for agent in before if agent.name not in after
        ]
        for name in after:
            for _ in range(NOTIFY_ATTEMPTS):
                failed = self._rules.added_by_call and not self._answers(name)
                notices.append(Notice("l3", name, "router_added_to_agent", router, failed))
                if not failed:
                    break
            else:
                self._tables.unbind(router, self._tables.agents[name])
                break
        return notices

    # -- DHCP ------------------------------------------------------------------------------

    def networks(self, now: float) -> list[Notice]:
        """Take the networks off dead DHCP agents, without telling these, and schedule them anew.

        Source: remove_networks_from_down_agents, neutron/db/agentschedulers_db.py.
        """
        server, rules, tables = self._server, self._rules, self._tables
        dead = [
            agent
            for agent in self._dead(now, "dhcp")
            if (agent.admin_state_up or not rules.dhcp_failover_filter)
            and not tables.is_starting(now, agent)
        ]
        eligible = any(tables.is_eligible(now, agent) for agent in tables.of_type("dhcp"))
        if rules.dhcp_failover_skips and not eligible:
            return []
        pairs = {(network, agent.name): agent for agent in dead for network in agent.hosted}
        notices: list[Notice] = []
        for network in self._order(list(dict.fromkeys(network for network, _ in pairs))):
            for (target, _), agent in pairs.items():
                if target == network:
                    tables.unbind(network, agent)
                    if rules.network_auto_schedule:
                        notices += server.schedule_network(now, network)
        return notices

    def _dead(self, now: float, agent_type: str) -> list[Agent]:
        """Agents silent for more than twice agent_down_time."""
        limit = self._rules.dead_limit
        return [
            agent
            for agent in self._tables.of_type(agent_type)
            if self._tables.silence(now, agent) > limit
        ]
