"""The workload: tenants, what they own and offer, and how they change."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from simulator.scenario.quantities import (
    Count,
    Duration,
    Frequency,
    Load,
    Model,
    Name,
    PositiveSize,
    Switch,
    TimeDistribution,
)


class PerTenant(Model):
    """What each tenant owns.

    *routers* is a number, or a number by external network. Network i of a tenant hangs on its
    router i modulo their number. *floating_ips* are per router; *vms* and *ports* per network
    (a VM brings one port; *ports* are further ones, without a VM). Where routers are distributed,
    the VMs of a router's networks share its floating IPs, at most one each.
    """

    networks: Count = 1
    """Networks of a tenant, each with one subnet."""
    routers: Count | dict[Name, Count] = 1
    """Routers of a tenant: a number, or a number by external network."""
    gateway: Switch = True
    """Whether the routers have a gateway to their external network."""
    floating_ips: Count = 1
    """Floating IPs of each router."""
    vms: Count = 10
    """VMs on each network; each has one port."""
    ports: Count = 0
    """Further ports on each network, without a VM."""
    availability_zone_hints: tuple[Name, ...] = ()
    """The zones in which its networks and routers are to be (Mitaka and later)."""


class Profile(Model):
    """One step of a daily load profile: from this time of day, this share of the full load."""

    since: Duration = Field(alias="from")
    """From which time of day on."""
    factor: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
    """The share of the full load from then on."""


class Traffic(Model):
    """North-south load. *packet_size* decides tunnel overhead and packets per second."""

    per_router: Load = Load(constant=0.0)
    """North-south load of a router at a factor of 1, both directions together."""
    daily: tuple[Profile, ...] = ()
    """How the load changes over each day; unset: not at all."""
    packet_size: PositiveSize = 1500.0
    """Mean size of a packet."""

    @model_validator(mode="after")
    def _a_day(self) -> Self:
        starts = [step.since for step in self.daily]
        if starts and (starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= 86400):
            raise PydanticCustomError(
                "profile", "steps must start at 0h and rise, all within one day"
            )
        return self


class Change(Model):
    """Objects that come (a Poisson process) and go (after a lifetime; by default never)."""

    arrivals: Frequency
    """How many come in a time, on average."""
    lifetime: TimeDistribution | None = None
    """How long each stays; unset: to the end."""


class Changes(Model):
    """Arrivals and removals during the run, each an API call that meets the scheduler.

    A new tenant brings its networks, routers, floating IPs and VMs. The others join a tenant,
    network or router drawn at random among those alive.
    """

    tenants: Change | None = None
    """Tenants with all they own."""
    networks: Change | None = None
    """Networks of a tenant."""
    routers: Change | None = None
    """Routers of a tenant."""
    ports: Change | None = None
    """Ports without a VM."""
    floating_ips: Change | None = None
    """Floating IPs of a router."""
    vms: Change | None = None
    """VMs on a network."""


class Workload(Model):
    """Tenants and what they own at the start, their traffic, and how they change."""

    tenants: Count = 10
    """Tenants at the start of the run."""
    per_tenant: PerTenant = PerTenant()
    """What each tenant owns."""
    traffic: Traffic = Traffic()
    """North-south load."""
    changes: Changes = Changes()
    """What comes and goes during the run."""
