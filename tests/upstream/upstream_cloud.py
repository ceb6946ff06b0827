"""A server with agents, as the upstream tests set it up, in as few words as theirs."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from simulator.neutron.failover import Failover
from simulator.neutron.records import Agent, Decision, Notice
from simulator.neutron.rules import NEUTRON_29, Rules
from simulator.neutron.server import Server

HOUR = 3600.0


class Passes(Failover):
    """Whole passes in no time."""

    def __init__(self, server: Server, answers: Callable[[str], bool]) -> None:
        super().__init__(server)
        self._answers = answers

    def routers(self, now: float) -> list[Notice]:
        return self.at_once(now, "l3", self._answers)

    def networks(self, now: float) -> list[Notice]:
        return self.at_once(now, "dhcp", self._answers)


class Cloud:
    """One server at one instant, *now*. Agents are called <type>-<host>: dhcp-hosta, l3-hosta."""

    def __init__(
        self,
        rules: Rules = NEUTRON_29,
        *,
        answers: Callable[[str], bool] = lambda name: True,
        heard: Callable[[Agent, float], float] | None = None,
        **options,
    ) -> None:
        self.now = 10 * HOUR
        self.draws = 0
        self.decisions: list[Decision] = []
        self.told: list[tuple[object, str, bool]] = []
        self._random = random.Random(0)
        self.server = Server(
            replace(rules, **options),
            draws=lambda target: self,
            heard=heard,
            on_decision=self.decisions.append,
            on_bind=lambda *change: self.told.append(change),
        )
        self.failover = Passes(self.server, answers)

    def index(self, size: int, /) -> int:
        """A random choice, counted."""
        self.draws += 1
        return self._random.randrange(size)

    # -- agents ----------------------------------------------------------------------------

    def agent(
        self,
        agent_type: str,
        host: str,
        *,
        alive: bool = True,
        enabled: bool = True,
        zone: str = "nova",
        **configurations,
    ) -> str:
        """A heartbeat of an agent; its name."""
        name = f"{agent_type}-{host}"
        self.server.report_state(
            self.now, name, agent_type, host, zone=zone, configurations=configurations
        )
        if not enabled:
            self.disable(name)
        if not alive:
            self.kill(name)
        return name

    def dhcp(self, *hosts: str, **state) -> list[str]:
        return [self.agent("dhcp", host, **state) for host in hosts]

    def l3(self, *hosts: str, **state) -> list[str]:
        return [self.agent("l3", host, **state) for host in hosts]

    def register_agent_states(self) -> None:
        """Upstream's own four: L3 agents on hosta and hostb, DHCP agents on hosta and hostc."""
        self.l3("hosta", "hostb")
        self.dhcp("hosta", "hostc")

    def register_dvr_agents(self) -> None:
        """Upstream's two of DVR: dvr_snat on hosta, dvr on hostb."""
        self.l3("hosta", agent_mode="dvr_snat")
        self.l3("hostb", agent_mode="dvr")

    def disable(self, name: str) -> None:
        self.server.update_agent(self.now, name, False)

    def enable(self, name: str) -> None:
        self.server.update_agent(self.now, name, True)

    def kill(self, name: str) -> None:
        """Last heard of, and started, an hour ago."""
        agent = self.server.agents[name]
        agent.heartbeat_timestamp = agent.started_at = self.now - HOUR

    def sync(self, name: str) -> list:
        return self.server.sync(self.now, name)

    # -- objects ---------------------------------------------------------------------------

    def network(self, name: str = "net", *, enable_dhcp: bool = True, hints=()) -> str:
        """A network with a subnet."""
        self.server.create_network(self.now, name, hints=hints)
        self.server.create_subnet(self.now, name, f"{name}-subnet", enable_dhcp=enable_dhcp)
        return name

    def port(self, network: str = "net", **state) -> list[Notice]:
        """A port on a network, which is created, too, if it is not there; what is told."""
        if network not in self.server.networks:
            self.network(network, **state)
        return self.server.create_port(self.now, network)

    def router(self, name: str = "r1", **state) -> str:
        self.server.create_router(self.now, name, **state)
        return name

    def distributed(self, name: str = "r1", *networks: str, **state) -> str:
        """A distributed router with interfaces on these networks."""
        self.router(name, distributed=True, **state)
        for network in networks:
            if network not in self.server.networks:
                self.server.create_network(self.now, network)
            self.server.add_interface(self.now, name, network)
        return name

    def vm(self, network: str, host: str | None, *, before: str | None = None) -> list[Notice]:
        """A VM's port is bound to a host; what is told."""
        return self.server.move_port(self.now, network, before, host)

    def bind(self, target: str, *names: str) -> None:
        for name in names:
            self.server.bind(target, name)

    # -- what came of it -------------------------------------------------------------------

    def hosts(self, target: str) -> list[str]:
        """The agents bound to a network or router."""
        server = self.server
        record = (server.networks if target in server.networks else server.routers)[target]
        return list(record.agents)

    def hosted(self, name: str) -> list:
        """The networks or routers bound to an agent."""
        return list(self.server.agents[name].hosted)
