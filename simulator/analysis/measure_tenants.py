"""Metrics of what tenants see: their networks' DHCP, their VMs, and whether they are reachable."""

from __future__ import annotations

import numpy as np

from simulator.analysis.measure_routers import share
from simulator.analysis.measured import Function, Measured, UndefinedError
from simulator.units import HOUR


def network_availability(m: Measured) -> float:
    """DHCP serving time over life."""
    lives = m.networks()
    return share(m.history.leased.clipped(m.context.begin, m.context.end), lives)


def hours_without_address(m: Measured) -> float:
    """VM-hours without an address."""
    if not m.leases.vm_seconds():
        raise UndefinedError("no VMs")
    return m.leases.without_address() / HOUR


def north_south_availability(m: Measured) -> float:
    """Share of VM-seconds with a way out."""
    served, total = m.leases.north_south()
    if not total:
        raise UndefinedError("no VMs on a network with a router")
    return served / total


def availability(m: Measured) -> float:
    """Reachable time of tenants over life."""
    m.routers()
    served, life = m.tenants
    return float(served.sum() / life.sum())


def availability_worst(m: Measured) -> float:
    """The smallest reachability of one tenant."""
    m.routers()
    served, life = m.tenants
    return float(np.min(served[life > 0] / life[life > 0]))


def dhcp_servers(which: int) -> Function:
    """Time average of DHCP servers on the fullest node (0), or on a node in the mean (1)."""

    def servers(m: Measured) -> float:
        m.networks()
        return m.dhcp_servers[which]

    return servers
