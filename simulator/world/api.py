"""The API as the world meets it: requests of users and operators, and what follows from each.

A request needs server and database, or is refused (ServiceUnavailable). What is accepted is
recorded, told to the server's rules, and the notices that these return are sent.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.neutron.errors import ApiError, ServiceUnavailable
from simulator.neutron.records import Network, Notice, Router
from simulator.neutron.server import Server
from simulator.trace import Kind, Sort
from simulator.world.agents import Agent
from simulator.world.cluster import Cluster
from simulator.world.control import ControlPlane
from simulator.world.objects import Objects
from simulator.world.residents import Residents


class Api:
    """Requests on networks, routers, ports and VMs."""

    def __init__(
        self, cluster: Cluster, control: ControlPlane, server: Server, objects: Objects
    ) -> None:
        self.cluster = cluster
        self.control = control
        self.server = server
        self.objects = objects
        self.residents = Residents(server, cluster.plan.vm_hosts)
        self.agents: dict[str, Agent] = {}
        self.on_ports: Callable[[int, int], None] = lambda network, by: None
        self._has_scheduler = cluster.plan.release.has_scheduler
        self._ha, self._distributed = map(cluster.plan.enabled, ("l3_ha", "router_distributed"))
        self._asked: set[int] = set()

    @property
    def now(self) -> float:
        """Simulated time, s."""
        return float(self.cluster.env.now)

    def require_server(self) -> None:
        """Raise ServiceUnavailable unless server and database answer."""
        if not self.control.server_up:
            raise ServiceUnavailable

    def record(self, kind: Kind, target: int, value: int = 0) -> None:
        """Record an event about an object."""
        self.cluster.recorder.add(self.now, kind, -1, target, value)

    def record_of(self, number: int) -> Network | Router:
        """A network or router as the server's tables keep it."""
        objects, hints = self.objects, self.cluster.plan.tenant.hints
        if objects.sort[number] == Sort.NETWORK:
            return Network(hints=hints, subnets={f"{number}-subnet": True})
        return Router(
            gateway=objects.gateway_of(number),
            ha=self._ha,
            distributed=self._distributed,
            project=objects.tenant[number],
            hints=hints,
        )

    # -- create and delete -----------------------------------------------------------------

    def create_network(self, name: str, tenant: int, *, router: int) -> int:
        """A network with a subnet, attached to *router* (-1 for none)."""
        self.require_server()
        network = self.objects.add_network(name, tenant, router=router, vms=0.0)
        self.record(Kind.CREATED, network)
        hints = self.cluster.plan.tenant.hints
        self.tell(self.server.create_network(self.now, network, hints=hints))
        notices = self.server.create_subnet(self.now, network, f"{network}-subnet")
        if "subnet" in self.server.rules.network_triggers:
            self._first_trigger(network)
        self.tell(notices)
        if router >= 0:
            notices = self.server.add_interface(self.now, router, network)
            self._first_trigger(router)
            self.tell(notices)
        return network

    def create_router(self, name: str, tenant: int, *, gateway: int, load_bps: float) -> int:
        """A router; until Mitaka its gateway is set by an update, its first trigger.

        Raises the API's error for one that is refused, and then there is none.
        """
        self.require_server()
        router = self.objects.add_router(name, tenant, gateway=gateway, load_bps=load_bps)
        record = self.record_of(router)
        assert isinstance(record, Router)
        try:
            notices = self.server.create_router(
                self.now, router, gateway=record.gateway, ha=record.ha,
                distributed=record.distributed, project=record.project, hints=record.hints,
            )  # fmt: skip
        except ApiError:
            self.objects.remove(router)
            raise
        self.record(Kind.CREATED, router)
        if record.ha or notices:
            self._first_trigger(router)
        self.tell(notices)
        if gateway >= 0:
            self.update_router(router)
        self._wake_pollers(router)
        return router

    def delete_network(self, network: int) -> None:
        """Delete a network with all its ports."""
        self.require_server()
        self.tell(self.residents.clear(self.now, network))
        router = self.objects.router[network]
        if router >= 0:
            self.objects.interfaces[router] -= 1
        self.objects.remove(network)
        self.record(Kind.DELETED, network)
        self.tell(self.server.delete_network(self.now, network))

    def delete_router(self, router: int) -> None:
        """Delete a router."""
        self.require_server()
        self.objects.remove(router)
        self.record(Kind.DELETED, router)
        self.tell(self.server.delete_router(self.now, router))
        self._wake_pollers(router, gone=True)

    # -- changes ---------------------------------------------------------------------------

    def update_router(self, router: int) -> None:
        """Any change of a router that its agent must hear of."""
        self.require_server()
        notices = self.server.update_router(self.now, router)
        self._first_trigger(router)
        self.tell(notices)
        self._wake_pollers(router)

    def change_floating_ips(self, router: int, by: int) -> None:
        """Associate (+1) or disassociate (-1) a floating IP."""
        self.require_server()
        self.objects.floating_ips[router] += by
        self.update_router(router)

    def create_port(self, network: int) -> None:
        """A port on *network*: its first one is the network's first trigger."""
        self.create_ports(network, 1)

    def create_ports(self, network: int, count: int) -> None:
        """*count* ports on *network*, one after the other at one instant.

        Only the first can matter. After it the network has an agent that looks alive, or there is
        none to be had, and neither changes within the instant: the scheduler leaves the network
        alone without a draw. What agents are told of a port changes nothing either.
        """
        if not count:
            return
        self.require_server()
        self.on_ports(network, count)
        notices = self.server.create_port(self.now, network)
        self._first_trigger(network)
        self.tell(notices)

    def delete_ports(self, network: int, count: int) -> None:
        """Delete *count* ports of *network*."""
        self.require_server()
        self.on_ports(network, -count)
        self.tell(self.server.delete_port(self.now, network))

    def change_vms(self, network: int, by: int) -> None:
        """VMs are started (each with a port of its own) or removed with theirs."""
        if by > 0:
            self.create_ports(network, by)
        elif by < 0:
            self.delete_ports(network, -by)
        if by:
            self.record(Kind.VMS, network, by)
            self.tell(self.residents.change(self.now, network, by))

    # -- inside ----------------------------------------------------------------------------

    def tell(self, notices: list[Notice]) -> None:
        """Send what the server wants to tell its agents."""
        if notices:
            self.control.send(notices)

    def _first_trigger(self, target: int) -> None:
        """Record once per object whether its first trigger found it an agent."""
        if not self._has_scheduler or target in self._asked:
            return
        self._asked.add(target)
        is_router = self.objects.sort[target] == Sort.ROUTER
        record = self.server.routers[target] if is_router else self.server.networks[target]
        self.record(Kind.REQUEST, target, int(bool(record.agents)))

    def refuse(self, requests: int) -> None:
        """Record scheduling requests that no server was there to take."""
        for _ in range(requests if self._has_scheduler else 0):
            self.record(Kind.REQUEST, -1, 0)

    def mark_asked(self, target: int) -> None:
        """Objects of the start met their first trigger before the run."""
        self._asked.add(target)

    def _wake_pollers(self, router: int, *, gone: bool = False) -> None:
        """Folsom's L3 agents will see at their next poll that *router* is new to them, or *gone*.

        What else changes of one that an agent has leaves it nothing to do.
        """
        if self.cluster.plan.release.architecture == "polling":
            for agent in self.control.agents_of("l3"):
                if (router in agent.configured) == gone:
                    agent.wake()
