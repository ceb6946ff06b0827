"""Who has an address: in closed form from lease and outages, never VM by VM.

A VM renews its lease L at L/2. When the DHCP of its network stops at time zero, renewals that
fall due fail, and a VM last renewed u ago loses its address at L - u. With u uniform on
[0, L/2] the share without address after t is clip((t - L/2) / (L/2), 0, 1).

A VM without address has one again *regain* after the service is back; a VM that comes during an
outage has none until then. A new outage finds those that still have none, and the others with
their renewals spread evenly again (an assumption: the lease is short against the time between
outages). While any server of the network serves, nobody loses an address: what a VM's own server
does not renew, another does from 7 L/8 on.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.analysis.intervals import Lives, Ranges, Rows, gaps, join
from simulator.analysis.service import History
from simulator.trace import Floats, Ints, Kind, Sort


@dataclass(frozen=True)
class Pieces:
    """Times in which VMs of a network have no address.

    In a piece *level* VMs have none at its start, and *slope* more each second.
    """

    network: Ints
    start: Floats
    end: Floats
    level: Floats
    slope: Floats

    def integral(self, which: Ints, start: Floats, end: Floats) -> float:
        """VM-seconds of parts [start, end) of the pieces *which*."""
        begin = self.start[which]
        middle = (start + end) / 2 - begin
        value = (end - start) * (self.level[which] + self.slope[which] * middle)
        return float(np.sum(value))


@dataclass(frozen=True)
class Population:
    """How many VMs each network has: *count* in [start, end)."""

    network: Ints
    start: Floats
    end: Floats
    count: Floats


class Leases:
    """The VMs of one history, and their addresses."""

    def __init__(self, history: History) -> None:
        self.history = history
        trace, context = history.trace, history.context
        self._size = len(trace.objects.names)
        self._begin, self._end = context.begin, context.end
        self._lease, self._regain = context.lease, context.regain
        self._changes = self._read_changes()
        self.population = self._population()
        self.pieces = self._pieces()

    def _read_changes(self) -> dict[int, list[tuple[float, float]]]:
        events = self.history.trace.of(Kind.VMS)
        changes: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for time, network, by in zip(
            events.time.tolist(), events.object.tolist(), events.value.tolist(), strict=True
        ):
            changes[network].append((time, by))
        return changes

    def _networks(self) -> Ints:
        return np.flatnonzero(self.history.trace.objects.sort == Sort.NETWORK)

    def _population(self) -> Population:
        """Each network's number of VMs over its life, clipped to the window."""
        history = self.history
        plain = np.array([n for n in self._networks().tolist() if n not in self._changes], int)
        dead = np.minimum(history.dead, history.horizon)
        rows = [
            (network, begin, end, count)
            for network, changes in self._changes.items()
            for begin, end, count in self._steps(network, changes)
        ]
        table = np.array(rows, dtype=float).reshape(-1, 4)
        network = np.concatenate([plain, table[:, 0].astype(np.int64)])
        start = np.concatenate([history.born[plain], table[:, 1]])
        end = np.concatenate([dead[plain], table[:, 2]])
        count = np.concatenate([history.trace.objects.vms[plain], table[:, 3]])
        start, end = np.maximum(start, self._begin), np.minimum(end, self._end)
        kept = (end > start) & (count > 0)
        return Population(network[kept], start[kept], end[kept], count[kept])

    def _steps(
        self, network: int, changes: list[tuple[float, float]]
    ) -> Iterator[tuple[float, float, float]]:
        begin = float(self.history.born[network])
        count = float(self.history.trace.objects.vms[network])
        end = min(float(self.history.dead[network]), self.history.horizon)
        for time, by in changes:
            yield begin, time, count
            begin, count = time, count + by
        yield begin, end, count

    # -- without an address ----------------------------------------------------------------

    def _pieces(self) -> Pieces:
        """All pieces, of networks with steady and with changing numbers of VMs."""
        history = self.history
        dead = np.minimum(history.dead, history.horizon)
        lives = Lives(history.born, np.where(history.trace.objects.sort == Sort.NETWORK, dead, -1))
        outages = gaps(history.leased, lives)
        order = np.lexsort((outages.start, outages.owner))
        outages = outages.take(order)
        soon = np.zeros(outages.owner.size, dtype=bool)
        soon[:-1] = (outages.owner[1:] == outages.owner[:-1]) & (
            outages.start[1:] < outages.end[:-1] + self._regain
        )
        hard = {*outages.owner[soon].tolist(), *self._changes}
        steady = ~np.isin(outages.owner, np.array(sorted(hard), dtype=np.int64))
        parts = [self._steady(outages.take(steady), dead)]
        ranges = Ranges.of(outages, self._size)
        for network in sorted(hard):
            mine = slice(ranges.first[network], ranges.stop[network])
            spans = list(zip(outages.start[mine].tolist(), outages.end[mine].tolist(), strict=True))
            parts.append(self._changing(network, spans, float(dead[network])))
        return Pieces(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _steady(self, outages: Rows, dead: Floats) -> tuple[Ints, Floats, Floats, Floats, Floats]:
        """Outages of networks whose number of VMs never changes: ramp, full loss, regaining."""
        half = self._lease / 2
        vms = self.history.trace.objects.vms[outages.owner]
        worse = (outages.end - outages.start > half) & (vms > 0)
        outages, vms = outages.take(worse), vms[worse]
        owner, begin, end = outages.owner, outages.start, outages.end
        full = np.minimum(begin + self._lease, end)
        share = np.minimum((end - begin - half) / half, 1.0)
        back = np.minimum(end + self._regain, dead[owner])
        zero = np.zeros(owner.size)
        starts = np.concatenate([begin + half, full, end])
        ends = np.concatenate([full, end, back])
        level = np.concatenate([zero, vms, vms * share])
        slope = np.concatenate([vms / half, zero, zero])
        kept = ends > starts
        return (
            np.tile(owner, 3)[kept], starts[kept], ends[kept], level[kept], slope[kept],
        )  # fmt: skip

    def _changing(
        self, network: int, outages: list[tuple[float, float]], dead: float
    ) -> tuple[Ints, Floats, Floats, Floats, Floats]:
        """One network step by step: VMs come and go, or outages follow each other closely."""
        rows = list(self._walk(network, outages, dead))
        table = np.array(rows, dtype=float).reshape(-1, 4)
        owner = np.full(len(rows), network, dtype=np.int64)
        return owner, table[:, 0], table[:, 1], table[:, 2], table[:, 3]

    def _walk(
        self, network: int, outages: list[tuple[float, float]], dead: float
    ) -> Iterator[tuple[float, float, float, float]]:
        """Pieces (start, end, level, slope) of one network.

        *held* VMs had an address when the outage began at *since*; *without* have none whatever
        their lease; the share of *held* that has lost its address follows from the time since.
        """
        half = self._lease / 2
        born = float(self.history.born[network])
        held, without = float(self.history.trace.objects.vms[network]), 0.0
        since: float | None = None
        regain_at = np.inf
        marks: set[float] = {born, dead}
        for begin, end in outages:
            marks |= {begin, begin + half, begin + self._lease, end, end + self._regain}
        changes = deque(self._changes.get(network, ()))
        marks |= {time for time, _ in changes}
        times = sorted(time for time in marks if born <= time <= dead)
        starts, ends = {begin for begin, _ in outages}, {end for _, end in outages}
        for i, time in enumerate(times):
            if time in ends and since is not None:
                lost = held * min(max((time - since - half) / half, 0.0), 1.0)
                held, without, since = held - lost, without + lost, None
                regain_at = time + self._regain
            if since is None and time >= regain_at:
                held, without, regain_at = held + without, 0.0, np.inf
            if time in starts:
                since, regain_at = time, np.inf
            while changes and changes[0][0] == time:
                held, without = _change(held, without, changes.popleft()[1], served=since is None)
            if i + 1 == len(times):
                return
            share = 0.0 if since is None else min(max((time - since - half) / half, 0.0), 1.0)
            rising = since is not None and since + half <= time < since + self._lease
            slope = held / half if rising else 0.0
            if without or share or slope:
                yield time, times[i + 1], without + held * share, slope

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

        Under multi_host the way out is the host's own and does not ask for the address.
        """
        history = self.history
        router = history.trace.objects.router
        people, routed = self.population, history.routed
        exits = router[people.network]
        which, parts = join(exits, people.start, people.end, routed, self._size)
        served = float(np.sum(parts.length * people.count[which]))
        total = float(np.sum(((people.end - people.start) * people.count)[exits >= 0]))
        if history.context.architecture == "multi_host":
            return served, total
        pieces = self.pieces
        which, parts = join(router[pieces.network], pieces.start, pieces.end, routed, self._size)
        return served - pieces.integral(which, parts.start, parts.end), total


def _change(held: float, without: float, by: float, *, served: bool) -> tuple[float, float]:
    """VMs come (with an address at once if *served*) or go (in proportion)."""
    if by > 0:
        return (held + by, without) if served else (held, without + by)
    total = held + without
    left = max((total + by) / total, 0.0) if total else 0.0
    return held * left, without * left
