"""Times in which VMs of a network have no address: pieces in which their number is linear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from simulator.trace import Bools, Floats, Ints


@dataclass(frozen=True)
class Pieces:
    """Times in which VMs of a network have no address.

    In a piece *level* VMs have none at its start, and *slope* more each second. Pieces of one
    network may overlap; the VMs they count are different ones.
    """

    network: Ints
    start: Floats
    end: Floats
    level: Floats
    slope: Floats

    def take(self, which: Ints | Bools) -> Pieces:
        """Some of the pieces."""
        return Pieces(
            self.network[which], self.start[which], self.end[which], self.level[which],
            self.slope[which],
        )  # fmt: skip

    def integral(self, which: Ints, start: Floats, end: Floats) -> float:
        """VM-seconds of parts [start, end) of the pieces *which*."""
        begin = self.start[which]
        middle = (start + end) / 2 - begin
        value = (end - start) * (self.level[which] + self.slope[which] * middle)
        return float(np.sum(value))


def pieces_of(parts: Iterable[tuple[Ints, Floats, Floats, Floats, Floats]]) -> Pieces:
    """The pieces of all *parts*, each (network, start, end, level, slope); empty ones dropped."""
    parts = list(parts)
    if not parts:
        return Pieces(np.empty(0, dtype=np.int64), *(np.empty(0) for _ in range(4)))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    found = Pieces(*columns)
    kept = found.end > found.start
    return found if kept.all() else found.take(kept)
