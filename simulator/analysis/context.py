"""What the analysis must know of a system besides its trace."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.clock import quantize
from simulator.scenario.releases import Architecture
from simulator.scenario.schema import Scenario
from simulator.scenario.series import RELEASES
from simulator.scenario.size import amount


@dataclass(frozen=True)
class Context:
    """The window of measurement, the system's facts and the scenario's choices.

    *begin* and *end* bound the window, s. *lease* is the DHCP lease, *regain* the time in which
    a VM has an address again once the service is back, s. *daily* holds the steps of the load
    profile as (seconds of the day, factor), () for a constant load.
    """

    begin: float
    end: float
    architecture: Architecture
    reports: bool
    lease: float
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


def context_of(scenario: Scenario, variant: str) -> Context:
    """The context of one variant."""
    system = scenario.variants[variant]
    release = RELEASES[system.release]
    lease = amount(system, "dhcp_lease_duration")
    assert lease is not None
    return Context(
        begin=quantize(scenario.warm_up),
        end=quantize(scenario.horizon),
        architecture=release.architecture,
        reports=bool(release.habits.reports),
        lease=lease,
        regain=system.costs.address_regain,
        daily=tuple((step.since, step.factor) for step in system.workload.traffic.daily),
        downtime_limit_per_year=system.measures.downtime_limit_per_year,
        conflicted_serves=system.measures.conflicted_counts_as == "up",
    )
