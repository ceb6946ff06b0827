"""What tenants see: networks' DHCP, whether they are reachable, their VMs' way out."""

from __future__ import annotations

from collections import Counter

import numpy as np

from simulator.exact import routers, together
from simulator.exact.answer import Answer, RefusedError
from simulator.exact.case import Case, Places
from simulator.exact.homes import Group
from simulator.trace import Floats


def _served(places: Places, group: Group) -> Floats:
    return places.any_of(places.present(), group)


def network_availability(case: Case) -> Answer:
    """At least one DHCP server of a network is there."""
    places = case.networks
    if not places.homes.single:
        places.homes.same_at_once()
    return routers.answer(places, places.over(lambda group: _served(places, group)))


def servers_mean(case: Case) -> Answer:
    """DHCP servers that are set up, over the nodes that may have some."""
    places = case.networks
    value = places.over(lambda group: places.mixed(
        group, lambda choice: np.asarray(np.sum(places.attached[list(choice)], axis=0))
    ))  # fmt: skip
    return routers.answer(places, value * places.homes.count / len(places.homes.nodes))


def servers_max(case: Case) -> Answer:
    """On one node the most are the mean."""
    if len(case.networks.homes.nodes) > 1:
        raise RefusedError("the largest of several random numbers has no closed form here")
    return servers_mean(case)


def availability(case: Case) -> Answer:
    """Any of a tenant's routers serves."""
    places = case.routers
    gateways = Counter(case.plan.tenant.gateways)
    if sum(gateways.values()) == 1:
        return routers.availability(case)
    places.homes.same_at_once()
    if len({group.gateway for group in places.groups}) < len(places.groups):
        raise RefusedError("which routers a tenant has on one node depends on their order")
    counts = [gateways[group.gateway] for group in places.groups]
    down = places.grid.mean(together.none_serves(places, uplinks=True, tenant=counts))
    return routers.answer(places, 1 - down)


def availability_worst(case: Case) -> Answer:
    """Of one tenant its availability."""
    if case.system.workload.tenants > 1:
        raise RefusedError("the least of several random availabilities is no mean of a process")
    return availability(case)


def north_south(case: Case) -> Answer:
    """Where DHCP never fails a VM has its address, and so the way out of its router."""
    networks = case.networks
    if networks.over(lambda group: _served(networks, group)) < 1:
        raise RefusedError("DHCP can fail, and leases remember for how long it did")
    each = case.plan.tenant
    if not (each.vms and each.networks and each.gateways):
        raise RefusedError("no VMs on a network with a router")
    if len(set(each.gateways)) > 1:
        raise RefusedError("VMs of a tenant hang on routers of several external networks")
    if len(case.routers.groups) > 1:
        raise RefusedError("VMs are not spread over the nodes as routers are")
    return routers.availability(case)


def without_address(case: Case) -> Answer:
    """None where DHCP never fails."""
    networks = case.networks
    if not case.plan.tenant.vms:
        raise RefusedError("no VMs")
    if networks.over(lambda group: _served(networks, group)) < 1:
        raise RefusedError("leases remember earlier outages; one outage alone has a closed form")
    return Answer(0.0, "DHCP never fails", "the scenario", routers.told(networks))
