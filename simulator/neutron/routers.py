"""Routers: what the API does with each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulator.neutron import errors
from simulator.neutron.networks import Networks
from simulator.neutron.records import DVR_MODES, FANOUT, Agent, Id, Notice, Router
from simulator.scenario.options import VRIDS


class Routers(Networks):
    """The requests about routers; their gateways and interfaces have ports on networks."""

    def create_router(
        self,
        now: float,
        router: Id,
        *,
        gateway: Id = None,
        ha: bool = False,
        distributed: bool = False,
        project: Id = None,
        hints: Iterable[str] = (),
    ) -> list[Notice]:
        """Scheduled at once if it is HA (Juno), or has a gateway (Newton, bug 1535707).

        Raises AvailabilityZoneNotFound for unknown hints. An HA router may be refused: see
        `_check_ha`. *project*: all that name none are of one project.
        """
        hints = self.zones("l3", hints)
        if ha:
            self._check_ha(now, distributed, project)
        record = Router(
            gateway=gateway, ha=ha, distributed=distributed, project=project, hints=hints
        )
        self.tables.add(router, record)
        notices = self._internal_port(now, gateway)
        if not self.rules.has_scheduler:
            return notices
        if ha:
            self.scheduling.router(now, router)
        if gateway is not None and self.rules.gateway_triggers:
            notices += self.update_router(now, router)
        if ha:
            notices += self.update_router(now, router)
        return notices

    def _check_ha(self, now: float, distributed: bool, project: Id) -> None:
        """Refuse an HA router that cannot be, for its kind or for want of agents or of VRIDs.

        Source: create_router, _create_ha_interfaces and _allocate_vr_id,
        neutron/db/l3_hamode_db.py, in Newton's order; Kilo's and Liberty's asks for a VRID first.
        """
        rules = self.rules
        if distributed and rules.distributed_ha == "refused":
            raise errors.DistributedHARouterNotSupported(project)
        agents = self.scheduling.central(now)
        most = rules.max_l3_agents_per_router or agents
        if min(agents, most) < rules.min_l3_agents_per_router:
            raise errors.HANotEnoughAvailableAgents(project)
        if self.tables.ha_routers[project] >= VRIDS:
            raise errors.NoVRIDAvailable(project)

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
        notices += self._free_snat(router)
        self.scheduling.router(now, router)
        told = self._hosts(now, record)
        told += [agent.name for agent in self.distributed.agents_of(now, router)]
        return notices + [
            Notice("l3", name, "routers_updated", router) for name in dict.fromkeys(told)
        ]

    def _hosts(self, now: float, record: Router) -> list[str]:
        """The bound agents that are told of an update: alive, and enabled if that is asked for.

        Source: get_hosts_to_notify, neutron/db/l3_agentschedulers_db.py at 29.0.0.
        """
        anyway = self.rules.enable_services_on_agents_with_admin_state_down
        enabled = None if anyway else True
        bound = self.tables.hosting(record.agents, enabled=enabled, active_at=now)
        return [agent.name for agent in bound if self._accepts(agent)]

    def _free_snat(self, router: Id) -> list[Notice]:
        """Unbind the SNAT of a distributed router that has lost its gateway.

        Source: unbind_snat_servicenode, neutron/db/l3_dvrscheduler_db.py, until Liberty.
        """
        record = self.tables.routers[router]
        own = record.distributed and self.rules.snat_choice == "random"
        if not own or record.gateway is not None:
            return []
        names = list(record.agents)
        for name in names:
            self.tables.unbind(router, self.agents[name])
        return [Notice("l3", name, "router_removed_from_agent", router) for name in names]

    def add_interface(self, now: float, router: Id, network: Id) -> list[Notice]:
        """Attach a network's subnet: an update. Its port schedules the network since Mitaka."""
        self.tables.router(router)
        self.distributed.attach(router, network)
        notices = self._internal_port(now, network)
        return notices + self.update_router(now, router)

    def delete_router(self, now: float, router: Id) -> list[Notice]:
        """Told to all L3 agents: the binding is gone by then."""
        record = self.tables.router(router)
        self.distributed.forget_router(router)
        self.tables.drop(router, record)
        return [Notice("l3", FANOUT, "router_deleted", router)]

    def schedule_router(self, now: float, router: Id) -> None:
        """Give *router* an agent, or an HA router its agents, unless it has them."""
        self.scheduling.router(now, router)

    def removal(self, router: Id, agent: Agent, *, by_hand: bool = False) -> Notice:
        """What an agent is told that has just lost *router*: that, or of an update.

        Its host may still have ports that need the router. Source: _check_router_retain_needed,
        neutron/db/l3_agentschedulers_db.py at 29.0.0.
        """
        retain = self.rules.dvr_retain == "always" or (
            by_hand and self.rules.dvr_retain == "by_hand"
        )
        kept = retain and self.distributed.needs(router, agent.host)
        method = "routers_updated" if kept else "router_removed_from_agent"
        return Notice("l3", agent.name, method, router)

    # -- serviceable ports -----------------------------------------------------------------

    def port_on_host(self, now: float, network: Id, host: str) -> list[Notice]:
        """A VM's port is bound to *host*: its agent is told of the routers it needs for it.

        Source: dvr_handle_new_service_port, neutron/db/l3_dvrscheduler_db.py. At 29.0.0 the other
        hosts of these routers are told again; what they serve is the same.
        """
        return self.move_port(now, network, None, host)

    def port_off_host(self, now: float, network: Id, host: str) -> list[Notice]:
        """A VM's port has left *host*: its agent loses what no other port there needs.

        Source: get_dvr_routers_to_remove, the same file. What is bound to the agent stays.
        """
        return self.move_port(now, network, host, None)

    def move_port(
        self, now: float, network: Id, before: str | None, after: str | None
    ) -> list[Notice]:
        """A VM's port is bound to another host than *before*; None is no host.

        Source: _notify_l3_agent_port_update, the same file.
        """
        self.tables.network(network)
        if before == after:
            return []
        if before is not None:
            self.distributed.count(network, before, -1)
        if after is not None:
            self.distributed.count(network, after, 1)
        routers = self.distributed.on_network(network)
        lost = [
            Notice("l3", agent.name, "router_removed_from_agent", router)
            for router in routers
            for agent in self._dvr_agents(before)
            if router not in agent.hosted and not self.distributed.needs(router, agent.host)
        ]
        return lost + [
            Notice("l3", agent.name, "routers_updated", router)
            for router in routers
            for agent in self._dvr_agents(after)
        ]

    def _dvr_agents(self, host: str | None) -> list[Agent]:
        hosts = () if host is None else (host,)
        return self.tables.l3_agents(modes=DVR_MODES, hosts=hosts)
