"""What the analysis must know of a system besides its trace."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.clock import quantize
from simulator.scenario.releases import Architecture
from simulator.scenario.schema import Scenario
from simulator.scenario.series import in_force
from simulator.scenario.size import amount, option


@dataclass(frozen=True)
class Context:
    """The window of measurement, the system's facts and the scenario's choices.

    *begin* and *end* bound the window, s. An agent that was silent for longer than
    *agent_down_time* looks dead. *lease* is the DHCP lease; from *renewal* (T1) after its
    last renewal on a VM asks its own server, from *rebinding* (T2) on any; *regain* is the time in
    which a VM has an address again once the service is back, s. *daily* holds the steps of the
    load profile as (seconds of the day, factor), () for a constant load. *checks_way_out*: VRRP
    masters do. *reserves_ports*: the DHCP port of a network taken from an agent is kept for the
    next one.
    """

    begin: float
    end: float
    architecture: Architecture
    reports: bool
    replicated: bool
    checks_way_out: bool
    distributed: bool
    reserves_ports: bool
    agent_down_time: float
    lease: float
    renewal: float
    rebinding: float
    regain: float
    daily: tuple[tuple[float, float], ...]
    downtime_limit_per_year: float
    conflicted_serves: bool

    @property
    def window(self) -> float:
        """Seconds measured."""
        return self.end - self.begin

    @property
    def has_scheduler(self) -> bool:
        """Whether a server binds objects to agents."""
        return self.architecture == "scheduled"


def client_times(lease: float, renewal: float = 0.0, rebinding: float = 0.0) -> tuple[float, float]:
    """T1 and T2 of a DHCP client, s: what its server tells it, or the client's own for 0.

    The client's own are 1/2 and 7/8 of the lease. T2 is at most the lease, and T1 at most T2.
    Source: RFC 2131, 4.4.5; dhcp_renewal_time and dhcp_rebinding_time of Neutron from Queens on.
    """
    rebinding = min(rebinding or lease * 7 / 8, lease)
    return min(renewal or lease / 2, rebinding), rebinding


def context_of(scenario: Scenario, variant: str) -> Context:
    """The context of one variant."""
    system = scenario.variants[variant]
    release = in_force(system)
    lease = amount(system, "dhcp_lease_duration")
    assert lease is not None
    renewal, rebinding = client_times(
        lease,
        amount(system, "dhcp_renewal_time") or 0.0,
        amount(system, "dhcp_rebinding_time") or 0.0,
    )
    replicated = bool(option(system, "l3_ha"))
    return Context(
        begin=quantize(scenario.warm_up),
        end=quantize(scenario.horizon),
        architecture=release.architecture,
        reports=bool(release.habits.reports),
        replicated=replicated,
        checks_way_out=replicated and bool(option(system, "ha_vrrp_health_check_interval")),
        distributed=bool(option(system, "router_distributed")),
        reserves_ports=release.habits.dhcp_ports_reserved,
        agent_down_time=quantize(amount(system, "agent_down_time") or 0.0),
        lease=lease,
        renewal=renewal,
        rebinding=rebinding,
        regain=system.costs.address_regain,
        daily=tuple((step.since, step.factor) for step in system.workload.traffic.daily),
        downtime_limit_per_year=system.measures.downtime_limit_per_year,
        conflicted_serves=system.measures.conflicted_counts_as == "up",
    )
