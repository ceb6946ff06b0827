"""Networks and routers as the world knows them, in growing columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from simulator import trace
from simulator.trace import Sort


class Crowd:
    """Numbers that come and go; any of them is picked in a time that does not grow with them.

    Iterating gives them in the order in which they came. The order of picking is another: the
    last takes the place of one that goes. Both follow from what came and went alone.
    """

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._members = list(numbers)
        self._place = {number: place for place, number in enumerate(self._members)}

    def __iter__(self) -> Iterator[int]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, number: int) -> bool:
        return number in self._place

    def copy(self) -> Crowd:
        """An independent copy."""
        twin = Crowd()
        twin._members, twin._place = self._members.copy(), self._place.copy()
        return twin

    def add(self, number: int) -> None:
        """*number* comes."""
        self._place[number] = len(self._members)
        self._members.append(number)

    def discard(self, number: int) -> None:
        """*number* goes, if it is there."""
        place = self._place.pop(number, None)
        if place is None:
            return
        last = self._members.pop()
        if last != number:
            self._members[place] = last
            self._place[last] = place

    def pick(self, u: float) -> int:
        """The member at *u* in [0, 1) of the crowd, which must not be empty."""
        return self._members[int(u * len(self._members))]


class Objects:
    """All networks and routers that ever exist in one run; an object's number is its row."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sort: list[int] = []
        self.tenant: list[int] = []
        self.gateway: list[int] = []
        self.router: list[int] = []
        self.load_bps: list[float] = []
        self.vms: list[float] = []
        self.ports: list[int] = []
        self.interfaces: list[int] = []
        self.floating_ips: list[int] = []
        self.host: list[int] = []  # multi_host: the compute host it belongs to
        self._routers = Crowd()
        self._networks = Crowd()

    def copy(self) -> Objects:
        """An independent copy."""
        twin = Objects()
        for name, column in vars(self).items():
            setattr(twin, name, column.copy())
        return twin

    def add_router(
        self, name: str, tenant: int, *, gateway: int, load_bps: float, floating_ips: int = 0,
        host: int = -1,
    ) -> int:  # fmt: skip
        """A new router; returns its number."""
        number = self._add(name, Sort.ROUTER, tenant, host)
        self.gateway[number] = gateway
        self.load_bps[number] = load_bps
        self.floating_ips[number] = floating_ips
        self._routers.add(number)
        return number

    def add_network(
        self, name: str, tenant: int, *, router: int, vms: float, host: int = -1
    ) -> int:
        """A new network, hanging on *router* (-1 for none); returns its number."""
        number = self._add(name, Sort.NETWORK, tenant, host)
        self.router[number] = router
        self.ports[number] = 1 + (router >= 0)  # of a DHCP server, and of its router
        self.vms[number] = vms
        if router >= 0:
            self.interfaces[router] += 1
        self._networks.add(number)
        return number

    def _add(self, name: str, sort: Sort, tenant: int, host: int) -> int:
        self.names.append(name)
        self.sort.append(int(sort))
        self.tenant.append(tenant)
        self.gateway.append(-1)
        self.router.append(-1)
        self.load_bps.append(0.0)
        self.vms.append(0.0)
        self.ports.append(0)
        self.interfaces.append(0)
        self.floating_ips.append(0)
        self.host.append(host)
        return len(self.names) - 1

    def remove(self, number: int) -> None:
        """An object is deleted; its row stays."""
        self._routers.discard(number)
        self._networks.discard(number)

    def alive(self, number: int) -> bool:
        """Whether an object exists now."""
        return number in self._routers or number in self._networks

    def routers(self) -> list[int]:
        """The routers that exist now."""
        return list(self._routers)

    def networks(self) -> list[int]:
        """The networks that exist now."""
        return list(self._networks)

    def pick_router(self, u: float) -> int | None:
        """One of the routers, each for an equal part of *u* in [0, 1); None if there is none."""
        return self._routers.pick(u) if self._routers else None

    def pick_network(self, u: float) -> int | None:
        """One of the networks, likewise."""
        return self._networks.pick(u) if self._networks else None

    def of_host(self, host: int) -> list[int]:
        """Multi_host: the objects of one compute host."""
        return [number for number, where in enumerate(self.host) if where == host]

    def gateway_of(self, router: int) -> int | None:
        """The external network of *router*, by number; None without a gateway."""
        gateway = self.gateway[router]
        return None if gateway < 0 else gateway

    def table(self) -> trace.Objects:
        """The columns as a trace keeps them."""
        return trace.Objects(
            names=tuple(self.names),
            sort=np.array(self.sort, dtype=np.int64),
            tenant=np.array(self.tenant, dtype=np.int64),
            gateway=np.array(self.gateway, dtype=np.int64),
            router=np.array(self.router, dtype=np.int64),
            load_bps=np.array(self.load_bps, dtype=np.float64),
            vms=np.array(self.vms, dtype=np.float64),
            floating_ips=np.array(self.floating_ips, dtype=np.int64),
        )
