"""Networks, their subnets and ports: what the API does with each."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.neutron.core import Core
from simulator.neutron.records import FANOUT, Id, Network, Notice


class Networks(Core):
    """The requests about networks."""

    def create_network(self, now: float, network: Id, *, hints: Iterable[str] = ()) -> list[Notice]:
        """No scheduling yet in any release. Raises AvailabilityZoneNotFound for unknown hints."""
        hints = self.zones("dhcp", hints)
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
        record = self.tables.network(network)
        self.distributed.forget_network(network)
        self.tables.drop(network, record)
        return [Notice("dhcp", FANOUT, "network_delete_end", network)]

    def schedule_network(self, now: float, network: Id) -> list[Notice]:
        """Give *network* the agents it lacks, and tell them.

        With network_auto_schedule off, nothing. Source: schedule_network,
        neutron/db/agentschedulers_db.py at 29.0.0.
        """
        self.tables.network(network)
        if self.rules.disabled_stops_scheduling and not self.rules.network_auto_schedule:
            return []
        chosen = self.scheduling.network(now, network)
        return [Notice("dhcp", name, "network_create_end", network) for name in chosen]

    # -- inside ----------------------------------------------------------------------------

    def _schedules(self, now: float, network: Id, trigger: str, method: str) -> list[Notice]:
        """A request that may schedule *network*, and is then told to its agents."""
        rules = self.rules
        wanted = trigger in rules.network_triggers and rules.has_scheduler
        notices = self.schedule_network(now, network) if wanted else []
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
            agents = [self.agents[name] for name in bound if self._accepts(self.agents[name])]
        return [Notice("dhcp", agent.name, method, network) for agent in agents]
