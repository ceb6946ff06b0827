"""Distributed routers (DVR): which compute hosts need one, though none is bound to them.

A host needs a distributed router while it has a serviceable port, that of a VM, on one of the
router's networks. Until Liberty a compute host's agent had a binding for that; here it never has,
and is told the same. The server's one binding of such a router is that of its SNAT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from simulator.neutron.records import DVR_MODES, Agent, Id
from simulator.neutron.tables import Tables


class Distributed:
    """The serviceable ports of each host, and what follows from them for its L3 agent."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._ports: dict[Id, Counter[str]] = {}
        self._routers: dict[Id, dict[Id, None]] = {}
        self._networks: dict[str, dict[Id, None]] = {}  # of each host that has ports

    # -- what is where ---------------------------------------------------------------------

    def attach(self, router: Id, network: Id) -> None:
        """A router's interface on a network."""
        self._tables.routers[router].networks[network] = None
        self._routers.setdefault(network, {})[router] = None

    def forget_router(self, router: Id) -> None:
        """Forget the interfaces of a router that is being deleted."""
        for network in self._tables.routers[router].networks:
            del self._routers[network][router]

    def forget_network(self, network: Id) -> None:
        """Forget the ports and interfaces on a network that is being deleted."""
        for host in self._ports.pop(network, ()):
            del self._networks[host][network]
        for router in self._routers.pop(network, {}):
            del self._tables.routers[router].networks[network]

    def count(self, network: Id, host: str, change: int) -> None:
        """So many serviceable ports more, or fewer, on a host."""
        ports = self._ports.setdefault(network, Counter())
        ports[host] += change
        if ports[host] > 0:
            self._networks.setdefault(host, {})[network] = None
        else:
            del ports[host]
            self._networks.get(host, {}).pop(network, None)

    # -- questions -------------------------------------------------------------------------

    def on_network(self, network: Id) -> list[Id]:
        """The distributed routers of a network.

        Source: get_dvr_routers_by_subnet_ids, neutron/db/l3_dvrscheduler_db.py.
        """
        routers = self._tables.routers
        return [name for name in self._routers.get(network, {}) if routers[name].distributed]

    def has_port(self, network: Id, host: str) -> bool:
        """Whether a host has a serviceable port on a network."""
        return host in self._ports.get(network, {})

    def needs(self, router: Id, host: str) -> bool:
        """Whether a host needs a distributed router.

        Source: _check_dvr_serviceable_ports_on_host, neutron/db/l3_dvrscheduler_db.py.
        """
        record = self._tables.routers[router]
        return record.distributed and any(self.has_port(net, host) for net in record.networks)

    def needed_on(self, host: str, only: Collection[Id] | None = None) -> list[Id]:
        """The distributed routers that a host needs; of these *only*, if they are given.

        Source: _get_dvr_router_ids_for_host, the same file. Later releases give the routers, too,
        that share a network with these; that is not modelled.
        """
        if only is not None:
            routers = self._tables.routers
            return [router for router in only if router in routers and self.needs(router, host)]
        networks = self._networks.get(host, ())
        return list(dict.fromkeys(name for net in networks for name in self.on_network(net)))

    def agents_of(self, now: float, router: Id) -> list[Agent]:
        """The agents in a DVR mode, enabled and alive, of the hosts that need a router.

        Source: get_hosts_to_notify, the same file. It asks for no mode; an agent in another one
        would be given nothing.
        """
        record = self._tables.routers[router]
        if not record.distributed:
            return []
        hosts = {host for network in record.networks for host in self._ports.get(network, ())}
        return self._tables.l3_agents(active_at=now, modes=DVR_MODES, hosts=hosts)
