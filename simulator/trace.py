"""The events a run records: the one contract between simulating and analysing.

A `Trace` is columns of events and three tables that name what the numbers in them mean. It holds
what happened, never what it meant: serving, outages and metrics are derived in `analysis`.

Events are ordered by time, and at one instant as they happened, cause before effect; what the
server would believe (AGENT_DOWN, AGENT_ALIVE) comes last. That order is complete, so two runs
that did the same have equal traces, bit for bit.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.int32]  # of components and objects: half the memory, and too small to reckon
Kinds = NDArray[np.int8]


class Kind(IntEnum):
    """What an event says; subject, object and value in brackets."""

    FAIL = 0  # a cause of failure begins to hold (component, -, cause)
    REPAIR = 1  # it ceases to (component, -, cause)
    STOPPED = 2  # an agent's process ends (agent)
    STARTED = 3  # it starts (agent)
    WIPED = 4  # a starting agent destroys all it had configured (agent)
    CONFIGURED = 5  # an object is set up (agent, object)
    UNCONFIGURED = 6  # it is taken down (agent, object)
    FLUSHED = 7  # a starting L2 agent drops its host's flows (agent)
    WIRED = 8  # it has put them back, and wired what was new (agent)
    WAITING = 9  # an agent that must rebuild waits for broker or server (agent)
    RESUMED = 10  # it waits no longer (agent)
    REGISTERED = 11  # a row appears in the agents table (agent)
    DEREGISTERED = 12  # it is deleted (agent)
    ADMIN_STATE = 13  # admin_state_up is set (agent, -, 0 or 1)
    AGENT_DOWN = 14  # from now on a query would say down (agent)
    AGENT_ALIVE = 15  # from now on a query would say alive (agent)
    NOTICED = 16  # a rule that ran saw for the first time that an agent is down (agent)
    CREATED = 17  # an object's creation is accepted (-, object)
    DELETED = 18  # its deletion is accepted (-, object)
    BOUND = 19  # the server binds (agent, object)
    UNBOUND = 20  # the server unbinds (agent, object)
    REQUEST = 21  # a scheduling request meets its first trigger (-, object, 1 if placed)
    VMS = 22  # VMs come to a network, or go (-, network, how many)
    ACTED = 23  # an act by hand is done (agent, object, 0 or the HTTP status of its error)
    REVIVED = 24  # the server tells an agent that it had been down (agent)
    PROMOTED = 25  # a VRRP replica carries the router's addresses from now on (agent, router)
    DEMOTED = 26  # it carries them no longer, though it goes on (agent, router)
    HA_REPORTED = 27  # the server learns of a replica's state (agent, router, 1 active, 0 standby)
    PORTS_REFUSED = 28  # its ports are not bound: the L2 agent looks dead (agent, object)
    PORTS_BOUND = 29  # they are after all, and wired (agent, object)
    UNTOLD = 30  # the broker loses what would have had it set up (agent, router)
    TOLD = 31  # it is heard of after all, is no longer its own, or the process ends (agent, router)


BELIEFS = (Kind.AGENT_DOWN, Kind.AGENT_ALIVE)
"""Events that follow from heartbeats, whose order of recording depends on how those are made."""


class Sort(IntEnum):
    """What an object is."""

    ROUTER = 0
    NETWORK = 1


class Part(IntEnum):
    """What a node's L3 agent serves of the routers it has set up."""

    CENTRAL = 0  # all of them, or SNAT of distributed ones, for VMs anywhere
    LOCAL = 1  # distributed ones (mode dvr), for the VMs on its own host, floating IPs included
    INSIDE = 2  # the same without floating IPs (mode dvr_no_external)


Number = TypeVar("Number", int, Ints)


def vm_place(network: Number, vm: Number, hosts: int) -> Number:
    """On which of so many *hosts*, counted from 0, VM number *vm* of a network is.

    An assumption, where hosts matter (distributed routers): the VMs of the network with object
    number n go round, from host n modulo *hosts* on. The last to come is the first to go.
    """
    return (network + vm) % hosts


def vms_at(network: Ints, count: Ints, place: Ints, hosts: int) -> Ints:
    """How many of *count* VMs of each network are at its *place*, as `vm_place` has it."""
    first = (place - network) % hosts
    found: Ints = (count - first + hosts - 1) // hosts
    return found


@dataclass(frozen=True)
class Components:
    """The components, in columns: *host* is the component number of the host (or itself)."""

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    sorts: tuple[str, ...]
    host: Ints


@dataclass(frozen=True)
class Nodes:
    """The hosts that can carry objects, one row a host, by component number.

    Rates are what a node passes of payload north-south, bit/s: NICs after tunnel overhead, and
    CPU. *data_nic*, *external_nic*, *l3*, *dhcp* and *l2* are component numbers, -1 for none;
    *part* is what the L3 agent serves, a `Part`.
    """

    host: Ints
    data_nic: Ints
    external_nic: Ints
    l3: Ints
    dhcp: Ints
    l2: Ints
    capacity_bps: Floats
    part: Ints

    @property
    def local(self) -> Bools:
        """The nodes whose L3 agents serve only the VMs on their own hosts, where all VMs are."""
        found: Bools = self.part != Part.CENTRAL
        return found

    @property
    def central(self) -> Bools:
        """The others with an L3 or a DHCP agent: routers and DHCP servers can be on them."""
        found: Bools = ~self.local & ((self.l3 >= 0) | (self.dhcp >= 0))
        return found


@dataclass(frozen=True)
class Objects:
    """Networks and routers, in columns, those created during the run included.

    *tenant* numbers the tenants; *gateway* is the number of a router's external network, -1 for
    none; *router* the router a network hangs on, -1 for none; *load_bps* what a router offers at
    full load; *vms* how many VMs a network has when it is created; *floating_ips* how many of them
    a router has at the end (a distributed one has as many all its life).
    """

    names: tuple[str, ...]
    sort: Ints
    tenant: Ints
    gateway: Ints
    router: Ints
    load_bps: Floats
    vms: Floats
    floating_ips: Ints


@dataclass(frozen=True)
class Trace:
    """One replication of one system: events in columns, and the tables behind their numbers.

    *uplinks* holds the component number of each external network's uplink, *uplink_bps* its rate
    (infinity for unlimited).
    """

    horizon: float
    components: Components
    nodes: Nodes
    objects: Objects
    uplinks: Ints
    uplink_bps: Floats
    time: Floats
    kind: Kinds
    subject: Numbers
    object: Numbers
    value: Numbers

    def of(self, kind: Kind) -> Events:
        """The events of one kind, in order."""
        return self.at(np.flatnonzero(self.kind == int(kind)))

    def at(self, rows: Ints) -> Events:
        """The events in some places, as numbers wide enough to reckon with."""
        return Events(
            self.time[rows],
            self.subject[rows].astype(np.int64),
            self.object[rows].astype(np.int64),
            self.value[rows].astype(np.float64),
        )


@dataclass(frozen=True)
class Events:
    """Some events, in columns."""

    time: Floats
    subject: Ints
    object: Ints
    value: Floats


class Recorder:
    """Collects the events of a run while it goes on.

    What is recorded stands behind what was recorded before at the same instant, or in a place that
    was reserved for it.
    """

    def __init__(self) -> None:
        self._time = array("d")
        self._kind = array("b")
        self._subject = array("i")
        self._object = array("i")
        self._value = array("i")
        self._behind = array("i")  # of each reserved place: how many events were recorded before
        self._late, self._places = array("i"), array("i")  # what was recorded at one, and at which
        self._reserved: Mapping[int, int] = {}  # places of what is recorded now, by object

    def add(
        self, time: float, kind: Kind, subject: int = -1, object: int = -1, value: int = 0
    ) -> None:
        """Record one event."""
        if self._reserved:
            self._put([object])
        self._time.append(time)
        self._kind.append(kind)
        self._subject.append(subject)
        self._object.append(object)
        self._value.append(value)

    def batch(
        self, kind: Kind, subject: int, objects: Sequence[int], times: Sequence[float]
    ) -> int:
        """Record what happens to *objects* one after the other, each at its time; return its place.

        Some of it may still be cancelled; what has an infinite time never happens.
        """
        if self._reserved:
            self._put(objects)
        place, size = len(self._time), len(times)
        self._time.extend(times)
        self._kind.extend([kind] * size)
        self._subject.extend([subject] * size)
        self._object.extend(objects)
        self._value.extend([0] * size)
        return place

    def cancel(self, place: int) -> None:
        """What was recorded at *place* does not happen."""
        self._time[place] = math.inf

    def reserve(self) -> int:
        """A place behind all that was recorded so far, for what is recorded later."""
        self._behind.append(len(self._time))
        return len(self._behind) - 1

    @contextmanager
    def at(self, places: Mapping[int, int]) -> Iterator[None]:
        """Record what comes within at reserved *places*, by object; the first is for the rest."""
        self._reserved = places
        try:
            yield
        finally:
            self._reserved = {}

    def _put(self, objects: Sequence[int]) -> None:
        """What is recorded next of *objects* stands in their reserved places."""
        first, begin = next(iter(self._reserved.values())), len(self._time)
        self._late.extend(range(begin, begin + len(objects)))
        self._places.extend([self._reserved.get(thing, first) for thing in objects])

    def columns(self, horizon: float, *, keeps: bool = True) -> dict[str, Any]:
        """All events before *horizon*, in the order of the trace.

        A recorder that *keeps* nothing is spent then: memory is at its most where both are held.
        """
        order, recorded = self._order(horizon), vars(self)
        read = recorded.__getitem__ if keeps else recorded.pop
        columns = ("time", "kind", "subject", "object", "value")
        return {name: np.asarray(read(f"_{name}"))[order] for name in columns}

    def _order(self, horizon: float) -> Numbers:
        """Where the events before *horizon* were recorded, in the order of the trace.

        They are nearly in that order, which a stable sort makes use of.
        """
        time, kind, subject = (
            np.asarray(column) for column in (self._time, self._kind, self._subject)
        )
        belief = np.logical_or.reduce([kind == int(one) for one in BELIEFS])
        happens = time < horizon
        other = self._in_places(np.flatnonzero(happens & ~belief).astype(np.int32))
        last = np.flatnonzero(happens & belief).astype(np.int32)
        order = np.append(other, last[np.lexsort((kind[last], subject[last]))])
        del other, last  # memory is at its most below
        found: Numbers = order[np.argsort(time[order], kind="stable")]
        return found

    def _in_places(self, events: Numbers) -> Numbers:
        """*events*, in the order of recording, with those in reserved places put there."""
        if not self._late:
            return events
        size = len(self._time)
        behind, place = np.arange(size), np.zeros(size, dtype=np.int32)
        late, places = np.asarray(self._late), np.asarray(self._places)
        behind *= 2
        behind[late], place[late] = (
            2 * np.asarray(self._behind)[places].astype(np.int64) - 1,
            places,
        )
        found: Numbers = events[np.lexsort((place[events], behind[events]))]
        return found
