"""Distributed routers: the VMs on each compute host, and what their own hosts do for them.

VMs are on hosts as `trace.vm_place` says. A router's floating IPs are the VMs' of its networks: the
share min(1, floating IPs / VMs) of those of each network, and on each host, have one (an
assumption). Where a host's L3 agent has a way out (mode dvr) these need no network node.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from simulator.analysis.intervals import Rows, gaps, join
from simulator.analysis.pieces import Pieces, pieces_of
from simulator.analysis.service import History
from simulator.analysis.turnover import Population
from simulator.trace import Bools, Floats, Ints, Part, Sort, vm_place, vms_at


@dataclass(frozen=True)
class Parts:
    """What is the same for some time: in [start, end) a router or network has some *weight*.

    *node* is the compute host that it is about, -1 for no one host. *which* is the part of
    `Residents.totals` in which it lies.
    """

    owner: Ints
    node: Ints
    start: Floats
    end: Floats
    weight: Floats
    which: Ints

    def take(self, which: Ints | Bools) -> Parts:
        """Some of the parts."""
        return Parts(*(getattr(self, field.name)[which] for field in fields(self)))

    def rows(self) -> Rows:
        """The parts as rows, whose node is the number of the part."""
        return Rows(self.owner, np.arange(self.owner.size), self.start, self.end)


class Residents:
    """The VMs of networks with a distributed router, by host."""

    def __init__(self, history: History, population: Population) -> None:
        """*population* is clipped to the window."""
        self._history, self._people = history, population
        self._objects, self._nodes = history.trace.objects, history.trace.nodes
        self._size = len(self._objects.names)
        self._hosts = np.flatnonzero(self._nodes.local)

    # -- how many ---------------------------------------------------------------------------

    @cached_property
    def totals(self) -> Parts:
        """How many VMs the networks of each router have together, while they have any."""
        people = self._people
        router = self._objects.router[people.network]
        known = router >= 0
        owner = np.tile(router[known], 2)
        time = np.concatenate([people.start[known], people.end[known]])
        change = np.concatenate([people.count[known], -people.count[known]])
        order = np.lexsort((time, owner))
        owner, time, count = owner[order], time[order], np.cumsum(change[order])
        real = np.flatnonzero((owner[1:] == owner[:-1]) & (time[1:] > time[:-1]) & (count[:-1] > 0))
        node = np.full(real.size, -1)
        return Parts(
            owner[real], node, time[real], time[real + 1], count[real], np.arange(real.size)
        )

    @cached_property
    def _networks(self) -> Parts:
        """How many VMs each network has, in each of its router's `totals`; disjoint, in order."""
        people, totals = self._people, self.totals
        router = self._objects.router[people.network]
        which, parts = join(router, people.start, people.end, totals.rows())
        network = people.network[which]
        order = np.lexsort((parts.start, network))
        which, parts, network = which[order], parts.take(order), network[order]
        nobody = np.full(network.size, -1)
        count = people.count[which]
        return Parts(network, nobody, parts.start, parts.end, count, parts.node)

    @cached_property
    def _floating(self) -> Floats:
        """The share of VMs that have a floating IP, of each part of `_networks`."""
        floating = np.where(self._objects.gateway >= 0, self._objects.floating_ips, 0)
        totals, which = self.totals, self._networks.which
        return np.minimum(floating[totals.owner] / totals.weight, 1.0)[which]

    @cached_property
    def _at_hosts(self) -> tuple[Ints, Ints, Floats]:
        """Which part of `_networks` has VMs on which host (a node), and how many."""
        parts = self._networks
        hosts = self._hosts.size
        count = parts.weight.astype(np.int64)
        used = np.minimum(count, hosts)
        which = np.repeat(np.arange(count.size), used)
        vm = np.arange(which.size) - np.repeat(np.cumsum(used) - used, used)
        place = vm_place(parts.owner[which], vm, max(hosts, 1))
        number = vms_at(parts.owner[which], count[which], place, max(hosts, 1))
        return which, self._hosts[place], number.astype(np.float64)

    @cached_property
    def local(self) -> Parts:
        """The share of a router's VMs that is on each host, network by network."""
        which, node, count = self._at_hosts
        of = self._networks.which[which]
        return self._of_totals(of, node, count / self.totals.weight[of])

    def _of_totals(self, of: Ints, node: Ints, weight: Floats) -> Parts:
        totals = self.totals
        return Parts(totals.owner[of], node, totals.start[of], totals.end[of], weight, of)

    @cached_property
    def exits(self) -> Parts:
        """How many VMs of a router leave by their own host, for each host and each of `totals`."""
        which, node, count = self._at_hosts
        count = np.where(self._nodes.part[node] == Part.LOCAL, count * self._floating[which], 0.0)
        width = self._nodes.host.size
        key = self._networks.which[which] * width + node
        keys, place = np.unique(key, return_inverse=True)
        sums = np.bincount(place, weights=count, minlength=keys.size).astype(np.float64)
        keys, sums = keys[sums > 0], sums[sums > 0]
        return self._of_totals(keys // width, keys % width, sums)

    @cached_property
    def inward(self) -> Parts:
        """The share of each network's VMs that a network node serves; disjoint, in order."""
        parts = self._networks
        which, node, count = self._at_hosts
        own = np.where(self._nodes.part[node] == Part.LOCAL, count, 0.0)
        share = np.bincount(which, weights=own, minlength=parts.owner.size) / parts.weight
        return replace(parts, weight=1 - share * self._floating)

    # -- what is served ---------------------------------------------------------------------

    def served_at(self, parts: Parts, rows: Rows) -> tuple[Ints, Rows]:
        """Which of *parts* each piece is of in which *rows* have its router at its host."""
        width = self._nodes.host.size
        keys, owner = np.unique(rows.owner * width + rows.node, return_inverse=True)
        sought = parts.owner * width + parts.node
        place = np.searchsorted(keys, sought)
        known = np.append(keys, -1)[place] == sought
        rows = Rows(owner, rows.node, rows.start, rows.end).joined()
        return join(np.where(known, place, -1), parts.start, parts.end, rows)

    @cached_property
    def inside(self) -> Rows:
        """When each router served, at each compute host, between its own subnets."""
        return self._history.carried_by(self._history.local, external=False)

    @cached_property
    def outside(self) -> Rows:
        """When each router served, at each compute host, the floating IPs of VMs there."""
        return self._history.carried_by(self._history.local, external=True, data=False)

    def east_west(self) -> float:
        """Router-seconds of service between subnets; one without VMs counts by its node."""
        history, local = self._history, self.local
        which, parts = self.served_at(local, self.inside)
        served = float(np.sum(parts.length * local.weight[which]))
        lives = history.lives(Sort.ROUTER)
        empty = gaps(self.totals.rows().inside(lives), lives)
        _, parts = join(empty.owner, empty.start, empty.end, history.routed_inside)
        return served + float(parts.length.sum())

    def north_south(self, pieces: Pieces) -> float:
        """VM-seconds with a way out; *pieces* are without an address."""
        exits, inward = self.exits, self.inward
        which, parts = self.served_at(exits, self.outside)
        served = float(np.sum(parts.length * exits.weight[which]))
        routed = self._history.routed
        router = self._objects.router[inward.owner]
        which, parts = join(router, inward.start, inward.end, routed)
        served += float(np.sum(parts.length * (self._networks.weight * inward.weight)[which]))
        pieces = self._served_inward(pieces)
        router = self._objects.router[pieces.network]
        which, parts = join(router, pieces.start, pieces.end, routed)
        return served - pieces.integral(which, parts.start, parts.end)

    def _served_inward(self, pieces: Pieces) -> Pieces:
        """*pieces*, of the VMs that a network node serves."""
        inward = self.inward
        which, parts = join(pieces.network, pieces.start, pieces.end, inward.rows())
        share, slope = inward.weight[parts.node], pieces.slope[which]
        level = pieces.level[which] + slope * (parts.start - pieces.start[which])
        return pieces_of([(parts.owner, parts.start, parts.end, level * share, slope * share)])
