"""Who has an address: in closed form from leases and outages, never VM by VM.

With one server that stops at time zero, VMs last renewed within the renewal time T1 before; one
renewed u before loses its address at L - u. With u uniform on [0, T1] the share without address
after t is clip((t - (L - T1)) / T1, 0, 1): (t - L/2) / (L/2) for a client that renews at L/2.
That is `_steady`, for networks with one server, and outages far apart near which no VMs come or
go; for all others see `renewals`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.analysis.cohorts import REMEMBERED
from simulator.analysis.course import course
from simulator.analysis.dhcp_ports import by_port
from simulator.analysis.intervals import SIDES, Lives, Rows, every, gaps, join, several
from simulator.analysis.pieces import Pieces, pieces_of
from simulator.analysis.renewals import Renewals
from simulator.analysis.residents import Residents
from simulator.analysis.service import History
from simulator.analysis.turnover import Changes, Turnover, population
from simulator.trace import Bools, Floats, Ints, Sort


@dataclass(frozen=True)
class Lifetimes:
    """Parts of networks' lives that do not depend on what was before: [start, end) each."""

    network: Ints
    start: Floats
    end: Floats


class Leases:
    """The VMs of one history, and their addresses."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._size = len(history.trace.objects.names)
        self._begin, self._end = history.context.begin, history.context.end
        self._changes = Changes.of(history.trace)
        self.population = population(history, self._changes)
        self.residents = Residents(history, self.population)
        self.pieces = self._pieces()

    # -- without an address ----------------------------------------------------------------

    def _pieces(self) -> Pieces:
        """All pieces: of outages that stand alone, and of what must be followed step by step."""
        history = self.history
        dead = np.minimum(history.dead, history.horizon)
        network = history.trace.objects.sort == Sort.NETWORK
        lives = Lives(history.born, np.where(network, dead, -1.0))
        outages = gaps(history.leased, lives)
        outages = outages.take(np.lexsort((outages.start, outages.owner)))
        servers = by_port(history)
        single = ~several(servers, self._size)  # as VMs see it

        harmful = self._harmful(outages, single)
        whole = np.zeros(self._size, dtype=bool)
        whole[outages.owner[harmful & ~single[outages.owner]]] = True
        networks = np.flatnonzero(whole)
        episode, plain, parts = self._episodes(outages, lives)
        worse = np.bincount(episode, weights=harmful, minlength=parts.network.size) > 0
        linked = np.flatnonzero(worse & ~plain & single[parts.network])
        alone = harmful & plain[episode] & single[outages.owner]
        walked = Lifetimes(
            np.concatenate([networks, parts.network[linked]]),
            np.concatenate([lives.start[networks], parts.start[linked]]),
            np.concatenate([lives.end[networks], parts.end[linked]]),
        )
        return pieces_of(
            (part.network, part.start, part.end, part.level, part.slope)
            for part in (self._steady(outages.take(alone), dead), *self._walked(walked, servers))
        )

    def _harmful(self, outages: Rows, single: Bools) -> Bools:
        """Which outages may cost an address: the oldest lease then ends, or VMs come or go."""
        context, owner = self.history.context, outages.owner
        oldest = np.where(single, context.renewal, context.rebinding)[owner]
        populated = self._changes.count(owner, outages.start) > 0
        changed = self._changed(owner, outages.start, outages.end)
        return changed | (populated & (outages.length > context.lease - oldest))

    def _changed(self, network: Ints, start: Floats, end: Floats) -> Bools:
        """Whether VMs came to the networks in [start, end), or went."""
        changes = self._changes
        found: Bools = changes.since(network, end) > changes.since(network, start)
        return found

    def _episodes(self, outages: Rows, lives: Lives) -> tuple[Ints, Bools, Lifetimes]:
        """The episode of each outage, whether that has no other and no changes, and the episodes.

        An episode begins with VMs whose renewals are evenly spread, at the one server. So it may
        once the phases that the last outage left are forgotten, and that VMs had as they came.
        """
        context, owner = self.history.context, outages.owner
        calm = outages.end[:-1] + context.regain + REMEMBERED * context.renewal
        other = owner[1:] != owner[:-1]
        first = np.append(True, other | (outages.start[1:] > calm))[: owner.size]
        fresh = np.append(True, other)[: owner.size]
        last = np.append(first[1:], True)[: owner.size]
        episode = np.cumsum(first) - 1
        before = np.append(0.0, outages.end[:-1] + context.regain)[: owner.size]
        start = np.where(fresh, lives.start[owner], before)[first]
        start = np.maximum(start, outages.start[first] - (REMEMBERED + 1) * context.renewal)
        end = np.minimum(outages.end + context.regain, lives.end[owner])[last]
        parts = Lifetimes(owner[first], start, end)
        plain = (first & last)[first] & ~self._changed(parts.network, start, end)
        return episode, plain, parts

    def _steady(self, outages: Rows, dead: Floats) -> Pieces:
        """Outages of one server, VMs evenly spread before: ramp, full loss, regaining."""
        context = self.history.context
        lease, renewal = context.lease, context.renewal
        owner, end = outages.owner, outages.end
        vms = self._changes.count(owner, outages.start)
        begin = outages.start + lease - renewal
        full = np.minimum(outages.start + lease, end)
        share = np.minimum((end - begin) / renewal, 1.0)
        back = np.minimum(end + context.regain, dead[owner])
        zero = np.zeros(owner.size)
        return pieces_of(
            [
                (owner, begin, full, zero, vms / renewal),
                (owner, full, end, vms, zero),
                (owner, end, back, vms * share, zero),
            ]
        )

    def _walked(self, walked: Lifetimes, servers: Rows) -> list[Pieces]:
        """The pieces of *walked*, outage by outage."""
        if not walked.network.size:
            return []
        steps = course(Lives(walked.start, walked.end), self._inside(walked, servers))
        network = walked.network[steps.unit]
        turnover = Turnover(steps, network, self._changes)
        vms = self._changes.count(network, walked.start[steps.unit])
        found = Renewals(steps, self.history.context, vms, turnover).pieces()
        changing = turnover.units[found.network]
        parts = (found.take(~changing), turnover.thinned(found.take(changing)), turnover.late())
        return [replace(part, network=network[part.network]) for part in parts]

    def _inside(self, walked: Lifetimes, servers: Rows) -> Rows:
        """The servers' rows in the lifetimes, with the place of the lifetime as owner."""
        ports = int(servers.node.max(initial=0)) + 1
        pairs, pair = np.unique(servers.owner * ports + servers.node, return_inverse=True)
        rows = Rows(pair, servers.node, servers.start, servers.end).ordered()
        network = pairs // ports
        which, pair = every(*(np.searchsorted(network, walked.network, side) for side in SIDES))
        place, parts = join(pair, walked.start[which], walked.end[which], rows)
        return Rows(which[place], parts.node, parts.start, parts.end)

    # -- what the metrics ask --------------------------------------------------------------

    def vm_seconds(self) -> float:
        """VM-seconds in the window."""
        people = self.population
        return float(np.sum((people.end - people.start) * people.count))

    def without_address(self) -> float:
        """VM-seconds without an address in the window."""
        pieces = self.pieces
        start, end = np.maximum(pieces.start, self._begin), np.minimum(pieces.end, self._end)
        inside = np.flatnonzero(end > start)
        return pieces.integral(inside, start[inside], end[inside])

    def north_south(self) -> tuple[float, float]:
        """VM-seconds with a way out, and VM-seconds of all VMs on networks that have a router.

        Under multi_host the way out is the host's own and does not ask for the address; nor does
        that of VMs with floating IPs of distributed routers.
        """
        history = self.history
        router = history.trace.objects.router
        people, routed = self.population, history.routed
        exits = router[people.network]
        total = float(np.sum(((people.end - people.start) * people.count)[exits >= 0]))
        if history.context.distributed:
            return self.residents.north_south(self.pieces), total
        which, parts = join(exits, people.start, people.end, routed)
        served = float(np.sum(parts.length * people.count[which]))
        if history.context.architecture == "multi_host":
            return served, total
        pieces = self.pieces
        which, parts = join(router[pieces.network], pieces.start, pieces.end, routed)
        return served - pieces.integral(which, parts.start, parts.end), total
