"""VMs on their hosts, where routers are distributed: what the server hears of their ports.

A host's L3 agent needs a router from the first VM of one of its networks there to the last one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from simulator.neutron.records import Notice
from simulator.neutron.server import Server
from simulator.trace import vm_place


class Residents:
    """How many VMs each network has; *hosts* are those they go round, by name; none: all the same.

    VM number j is the first one of its network on its host if there are more than j hosts.
    """

    def __init__(self, server: Server, hosts: Sequence[str]) -> None:
        self._server = server
        self._hosts = hosts
        self._count: Counter[int] = Counter()

    def settle(self, network: int, count: int) -> None:
        """VMs that were there before the run: nobody is told."""
        if self._hosts:
            self._count[network] = count
            for host in self._first(network, 0, count):
                self._server.distributed.count(network, host, 1)

    def change(self, now: float, network: int, by: int) -> list[Notice]:
        """VMs come, or the last that came go; the notices that follow."""
        if not self._hosts:
            return []
        before, after = self._count[network], max(self._count[network] + by, 0)
        self._count[network] = after
        server = self._server
        come = [
            notice
            for host in self._first(network, before, after)
            for notice in server.port_on_host(now, network, host)
        ]
        return come + [
            notice
            for host in reversed(self._first(network, after, before))
            for notice in server.port_off_host(now, network, host)
        ]

    def clear(self, now: float, network: int) -> list[Notice]:
        """All VMs of a network go, since it is about to."""
        notices = self.change(now, network, -self._count[network])
        self._count.pop(network, None)
        return notices

    def _first(self, network: int, low: int, high: int) -> list[str]:
        """The hosts of VMs *low* to *high*, each of which is the first of its network there."""
        size = len(self._hosts)
        return [self._hosts[vm_place(network, vm, size)] for vm in range(low, min(high, size))]
