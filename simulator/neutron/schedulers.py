"""Schedulers: which of the candidates get an object. A choice binds nothing.

To add one, write a function of `Choice` and give it a line in SCHEDULERS. Among candidates that are
equal in a scheduler's eyes, the order in which they come decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Protocol, TypeAlias


class Draws(Protocol):
    """A stream of random choices."""

    def index(self, size: int, /) -> int:
        """A number from 0 to *size* - 1."""


@dataclass(slots=True)
class Choice:
    """What a scheduler looks at: *count* of the *candidates* are wanted.

    *load* is each candidate's: stored networks for DHCP agents, bound routers for L3 agents;
    *zone* its availability zone; *hosting* the zones of the agents that host the object already.
    Not frozen, for that costs more than most choices; schedulers change nothing of it.
    """

    candidates: Sequence[str]
    count: int
    load: Mapping[str, int]
    zone: Mapping[str, str]
    hosting: Sequence[str] = ()

    @property
    def by_load(self) -> list[str]:
        """The candidates, lightest first; equal ones in the order they came."""
        return sorted(self.candidates, key=lambda name: self.load[name])


Scheduler: TypeAlias = Callable[[Choice, Draws], list[str]]


def chance(choice: Choice, draws: Draws) -> list[str]:
    """At random, without preference.

    Source: quantum/scheduler/dhcp_agent_scheduler.py, l3_agent_scheduler.py at 2013.1.5
    (random.choice, for one); random.sample since Havana.
    """
    if choice.count == 1 and choice.candidates:
        return [choice.candidates[draws.index(len(choice.candidates))]]
    pool = list(choice.candidates)
    return [pool.pop(draws.index(len(pool))) for _ in range(min(choice.count, len(pool)))]


def least_loaded(choice: Choice, draws: Draws) -> list[str]:
    """The lightest: WeightScheduler of DHCP agents, LeastRoutersScheduler of L3 agents.

    Source: neutron/scheduler/dhcp_agent_scheduler.py (Kilo), l3_agent_scheduler.py (Icehouse).
    """
    if choice.count == 1 and choice.candidates:
        return [min(choice.candidates, key=choice.load.__getitem__)]
    return choice.by_load[: choice.count]


def zone_aware_weight(choice: Choice, draws: Draws) -> list[str]:
    """One after the other from the zone with fewest agents for this network, the lightest there.

    Between equal zones, the one with the lightest agent. Source: AZAwareWeightScheduler,
    neutron/scheduler/dhcp_agent_scheduler.py (Mitaka).
    """
    waiting = _by_zone(choice)
    taken = {zone: sum(1 for hosting in choice.hosting if hosting == zone) for zone in waiting}
    chosen: list[str] = []
    while len(chosen) < choice.count and taken:
        zone = min(taken, key=lambda zone: taken[zone])
        chosen.append(waiting[zone].pop(0))
        taken[zone] += 1
        if not waiting[zone]:
            del taken[zone]
    return chosen


def zone_least_routers(choice: Choice, draws: Draws) -> list[str]:
    """Round the zones, in the order of each one's lightest agent, taking the lightest.

    Source: AZLeastRoutersScheduler, neutron/scheduler/l3_agent_scheduler.py (Mitaka).
    """
    waiting = _by_zone(choice)
    chosen: list[str] = []
    for zone in cycle(waiting):
        if len(chosen) >= min(choice.count, len(choice.candidates)):
            return chosen
        if waiting[zone]:
            chosen.append(waiting[zone].pop(0))
    return chosen


def _by_zone(choice: Choice) -> dict[str, list[str]]:
    zones: dict[str, list[str]] = {}
    for name in choice.by_load:
        zones.setdefault(choice.zone[name], []).append(name)
    return zones


SCHEDULERS: Mapping[str, Scheduler] = {
    "ChanceScheduler": chance,
    "WeightScheduler": least_loaded,
    "LeastRoutersScheduler": least_loaded,
    "AZAwareWeightScheduler": zone_aware_weight,
    "AZLeastRoutersScheduler": zone_least_routers,
}
RANDOM = ("ChanceScheduler",)
"""Schedulers of which any choice is as good as another."""
ZONED = ("AZLeastRoutersScheduler",)
"""L3 schedulers that heed a router's availability zone hints; DHCP agents are always filtered."""


def vacant_index(limit: int, used: Sequence[int], *, force: bool = False) -> int:
    """The lowest binding index from 1 on that is not *used*; -1 if all *limit* places are taken.

    With *force* (binding by hand) there is always one more. Source:
    get_vacant_binding_index, neutron/scheduler/base_scheduler.py.
    """
    if len(used) >= limit and not force:
        return -1
    if not used:
        return 1
    return next(index for index in range(1, len(used) + 2) if index not in used)
