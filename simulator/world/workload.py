"""What tenants own at the start, and how it changes: each change is a request to the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from itertools import count
from typing import Any

from simpy import Event

from simulator.clock import TICK, Rank, quantize
from simulator.distributions import Distribution, Exponential
from simulator.neutron.errors import ApiError, ServiceUnavailable
from simulator.scenario.workload import Change
from simulator.trace import Kind
from simulator.world.api import Api
from simulator.world.cluster import Routine
from simulator.world.objects import Crowd, Objects
from simulator.world.plan import Plan
from simulator.world.streams import ARRIVAL, LOAD, Streams, stable_hash

RETRY = 60.0
"""A removal that finds no server is tried again after a minute (an assumption)."""


def draw_loads(plan: Plan, objects: Objects, streams: Streams) -> None:
    """What each router offers north-south: drawn by its place, so variants share it.

    Under nova-network the same total is spread over the compute hosts.
    """
    law = plan.system.workload.traffic.per_router.build()
    routers = objects.routers()
    if plan.release.architecture == "multi_host":
        count = plan.system.workload.tenants * len(plan.tenant.gateways)
        total = sum(_loads(law, count, streams))
        for router in routers:
            objects.load_bps[router] = total / len(routers)
        return
    for router, load in zip(routers, _loads(law, len(routers), streams), strict=True):
        objects.load_bps[router] = load


def _loads(law: Distribution, count: int, streams: Streams) -> list[float]:
    uniforms = streams.uniforms(stable_hash("initial"), LOAD, 0, count).tolist()
    return [law.sample(u) for u in uniforms]


class Workload:
    """Arrivals and removals during the run."""

    def __init__(self, plan: Plan, api: Api, streams: Streams) -> None:
        self._plan = plan
        self._api = api
        self._cluster = api.cluster
        self._objects = api.objects
        self._streams = streams
        self._load = plan.system.workload.traffic.per_router.build()
        self._tenants = Crowd(range(plan.system.workload.tenants))
        self._routers: defaultdict[int, list[int]] = defaultdict(list)  # by tenant, eldest first
        for router in self._objects.routers():
            self._routers[self._objects.tenant[router]].append(router)
        self._names = plan.system.workload.tenants
        self._new_networks = count(1)
        self._new_routers = count(1)

    def start(self) -> None:
        """Begin all arrival processes."""
        changes = self._plan.system.workload.changes
        for name, create in CHANGES.items():
            change: Change | None = getattr(changes, name)
            if change is not None and change.arrivals > 0:
                Routine(self._arrivals(name, change, create))

    def _arrivals(self, name: str, change: Change, create: Create) -> Generator[Event, Any, None]:
        """A Poisson process of arrivals; four draws each: gap, place, lifetime, load."""
        draws = self._streams.stream(stable_hash(name), ARRIVAL)
        gap = Exponential(1 / change.arrivals)
        lifetime = change.lifetime.build() if change.lifetime else None
        env = self._cluster.env
        while True:
            u, place, life, load = (draws.uniform() for _ in range(4))
            delay = max(quantize(gap.sample(u)), TICK)
            yield self._cluster.until(env.now + delay, Rank.REQUEST, -1)
            try:
                remove = create(self, place, self._load.sample(load))
            except ApiError:
                self._api.refuse(self._requests(name))
                continue
            if remove is not None and lifetime is not None:
                self._remove_at(env.now + max(quantize(lifetime.sample(life)), TICK), remove)

    def _remove_at(self, time: float, remove: Callable[[], None]) -> None:
        def attempt() -> None:
            try:
                remove()
            except ServiceUnavailable:
                self._remove_at(time + RETRY, remove)

        if time < self._plan.horizon:
            self._cluster.at(time, Rank.REQUEST, -1, attempt)

    def _requests(self, name: str) -> int:
        """How many objects with a first trigger an arrival brings when it is not refused.

        A router's is its gateway, an interface or a floating IP; a network's is a port.
        """
        each = self._plan.tenant
        if name == "routers":
            return int(bool(each.gateways) and each.gateways[0] >= 0)
        if name != "tenants":
            return 0
        routers = sum(
            gateway >= 0 or i < each.networks or each.floating_ips > 0
            for i, gateway in enumerate(each.gateways)
        )
        asked = each.ports or each.vms or "subnet" in self._plan.rules.network_triggers
        return routers + (each.networks if asked else 0)

    # -- one arrival of each kind: it returns what removes it again ------------------------

    def add_tenant(self, place: float, load: float) -> Callable[[], None] | None:
        """A tenant with all it owns. Under nova-network only its VMs matter."""
        each = self._plan.tenant
        if self._plan.release.architecture == "multi_host":
            return self._add_vms(place, each.networks * each.vms)
        self._api.require_server()
        tenant = self._names
        self._names += 1
        self._tenants.add(tenant)
        name = f"tenant-{tenant + 1}"
        routers = []
        for i, gateway in enumerate(each.gateways):
            try:
                routers.append(
                    self._api.create_router(
                        f"{name}/router-{i + 1}", tenant, gateway=gateway, load_bps=load
                    )
                )
            except ApiError:  # the tenant does without it
                self._api.refuse(1)
        self._routers[tenant] += routers
        networks = []
        for i in range(each.networks):
            router = routers[i % len(routers)] if routers else -1
            network = self._api.create_network(f"{name}/network-{i + 1}", tenant, router=router)
            self._api.create_ports(network, each.ports)
            self._api.change_vms(network, each.vms)
            networks.append(network)
        for router in routers:
            for _ in range(each.floating_ips):
                self._api.change_floating_ips(router, 1)

        def remove() -> None:
            self._api.require_server()
            self._tenants.discard(tenant)
            self._routers.pop(tenant, None)
            for network in networks:
                self._delete_network(network)
            for router in routers:
                self._delete_router(router)

        return remove

    def add_network(self, place: float, load: float) -> Callable[[], None] | None:
        """A network without VMs yet, on a router of its tenant."""
        if self._plan.release.architecture == "multi_host" or not self._tenants:
            return None
        tenant = self._tenants.pick(place)
        name = f"tenant-{tenant + 1}/network-new-{next(self._new_networks)}"
        network = self._api.create_network(name, tenant, router=self._router_of(tenant))
        return lambda: self._delete_network(network)

    def add_router(self, place: float, load: float) -> Callable[[], None] | None:
        """A router of an existing tenant, with a gateway if its tenant's have one."""
        if self._plan.release.architecture == "multi_host" or not self._tenants:
            return None
        tenant = self._tenants.pick(place)
        gateways = self._plan.tenant.gateways
        name = f"tenant-{tenant + 1}/router-new-{next(self._new_routers)}"
        gateway = gateways[0] if gateways else -1
        router = self._api.create_router(name, tenant, gateway=gateway, load_bps=load)
        self._routers[tenant].append(router)
        return lambda: self._delete_router(router)

    def add_port(self, place: float, load: float) -> Callable[[], None] | None:
        """A port without a VM."""
        network = self._objects.pick_network(place)
        if self._plan.release.architecture == "multi_host" or network is None:
            return None
        self._api.create_port(network)

        def remove() -> None:
            if self._objects.alive(network):
                self._api.delete_ports(network, 1)

        return remove

    def add_floating_ip(self, place: float, load: float) -> Callable[[], None] | None:
        """A floating IP on a router."""
        router = self._objects.pick_router(place)
        if self._plan.release.architecture == "multi_host" or router is None:
            return None
        self._api.change_floating_ips(router, 1)

        def remove() -> None:
            if self._objects.alive(router):
                self._api.change_floating_ips(router, -1)

        return remove

    def add_vm(self, place: float, load: float) -> Callable[[], None] | None:
        """A VM on a network (under nova-network: on a compute host)."""
        return self._add_vms(place, 1)

    def _add_vms(self, place: float, count: int) -> Callable[[], None] | None:
        network = self._objects.pick_network(place)
        if network is None or not count:
            return None
        self._change_vms(network, count)

        def remove() -> None:
            if self._objects.alive(network):
                self._change_vms(network, -count)

        return remove

    def _change_vms(self, network: int, by: int) -> None:
        self._api.require_server()
        if self._plan.release.architecture == "multi_host":
            self._api.record(Kind.VMS, network, by)
        else:
            self._api.change_vms(network, by)

    # -- inside ----------------------------------------------------------------------------

    def _delete_network(self, network: int) -> None:
        if self._objects.alive(network):
            self._api.delete_network(network)

    def _delete_router(self, router: int) -> None:
        if self._objects.alive(router):
            self._api.delete_router(router)

    def _router_of(self, tenant: int) -> int:
        """The eldest router of *tenant* that still exists, -1 for none."""
        routers = self._routers[tenant]
        while routers and not self._objects.alive(routers[0]):
            routers.pop(0)
        return routers[0] if routers else -1


Create = Callable[[Workload, float, float], Callable[[], None] | None]

CHANGES: Mapping[str, Create] = {
    "tenants": Workload.add_tenant,
    "networks": Workload.add_network,
    "routers": Workload.add_router,
    "ports": Workload.add_port,
    "floating_ips": Workload.add_floating_ip,
    "vms": Workload.add_vm,
}
