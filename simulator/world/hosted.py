"""The load of a DHCP agent as WeightScheduler sees it, without a heartbeat for each count."""

from __future__ import annotations

from typing import NamedTuple


class Change(NamedTuple):
    """From *time* on a heartbeat counts *by* more; *bound*: a network was bound then."""

    time: float
    by: int
    bound: bool


class Hosted:
    """What an agent has had: the count that a heartbeat told, and what came after it.

    Source: the load is what the last heartbeat told, and one more for each network bound since;
    auto_schedule and DhcpFilter.bind, neutron/scheduler/dhcp_agent_scheduler.py (Kilo).
    """

    def __init__(self) -> None:
        self._at_heartbeat = 0
        self._since: list[Change] = []

    def change(self, time: float, weight: int, bound: bool) -> None:
        """A network that counts *weight* is bound or unbound."""
        self._since.append(Change(time, weight if bound else -weight, bound))

    def weigh(self, time: float, by: int) -> None:
        """What the agent has weighs *by* more."""
        self._since.append(Change(time, by, bound=False))

    def told(self, heard: float) -> int:
        """The load, if the last heartbeat was processed at *heard*; what it told is kept."""
        old = [change for change in self._since if change.time < heard]
        self._since = self._since[len(old) :]
        self._at_heartbeat += sum(change.by for change in old)
        return self._at_heartbeat + sum(change.bound for change in self._since)
