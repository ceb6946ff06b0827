"""Named random numbers: a draw is a function of who draws, what for, and the how-manieth it is.

Philox (Salmon et al., SC 2011) is a counter-based generator: its key is seed and replication, its
counter entity, purpose and index. No draw moves another: a new agent or another scheduler leaves
every other component's failures as they were. That is what pairs the variants of a replication.
"""

from __future__ import annotations

import math
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from simulator.clock import TICKS_PER_SECOND
from simulator.distributions import Distribution, Exponential
from simulator.trace import Floats

_BLOCK = 4  # 64-bit words that Philox makes for one counter value
BATCH, LARGEST_BATCH = 8, 32  # draws made at a time: setting the counter costs as much as 16


@lru_cache(maxsize=2**14)
def stable_hash(name: str) -> int:
    """64 bits that depend on *name* alone, not on the interpreter's hash seed."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


def times_at(law: Distribution, uniforms: Floats) -> Floats:
    """The times of *law* at probabilities *uniforms*, on the clock's grid.

    What takes some of them in a batch and some alone must take all from here: NumPy's logarithm is
    not that of `math` to the last bit.
    """
    if isinstance(law, Exponential):
        return _on_grid(-law.mean * np.log1p(-uniforms))
    return _on_grid(np.array([law.sample(u) for u in uniforms.tolist()]))


def times_between(law: Distribution, uniforms: Floats, low: float, high: float) -> Floats:
    """The same of times over *low* and at most *high*."""
    if isinstance(law, Exponential):
        below = law.cdf(low)
        levels = below + uniforms * (law.cdf(high) - below)
        times = -law.mean * np.log1p(-np.clip(levels, 2.0**-54, 1 - 2.0**-53))
        return _on_grid(np.clip(times, math.nextafter(low, math.inf), high))
    return _on_grid(np.array([law.between(u, low, high) for u in uniforms.tolist()]))


def _on_grid(seconds: Floats) -> Floats:
    rounded: Floats = np.rint(seconds * TICKS_PER_SECOND) / TICKS_PER_SECOND
    return rounded


class Streams:
    """All random numbers of one replication."""

    def __init__(self, seed: int, replication: int) -> None:
        self._generator = np.random.Philox(key=np.array([seed, replication], dtype=np.uint64))
        self._state = self._generator.state
        self._counter = self._state["state"]["counter"]
        self._blocks: dict[tuple[int, int, int], list[float]] = {}

    def uniforms(self, entity: int, purpose: int, first: int, count: int) -> Floats:
        """*count* numbers in (0, 1), from the draw with index *first* on.

        *entity* and *purpose* are 64-bit hashes, as `stable_hash` makes them.
        """
        raw = self._raw(entity, purpose, first, count)
        numbers: Floats = ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        return numbers

    def few(self, entity: int, purpose: int, first: int, count: int) -> list[float]:
        """The same numbers as `uniforms`, sooner if there are not many."""
        raw = self._raw(entity, purpose, first, count).tolist()
        return [((word >> 12) + 0.5) * 2.0**-52 for word in raw]

    def _raw(self, entity: int, purpose: int, first: int, count: int) -> NDArray[np.uint64]:
        block, skip = divmod(first, _BLOCK)
        counter = self._counter
        # Philox steps its counter before it makes a block.
        counter[0], counter[1], counter[2], counter[3] = block, 0, entity, purpose
        self._generator.state = self._state
        words: NDArray[np.uint64] = self._generator.random_raw(skip + count)
        return words[skip:] if skip else words

    def uniform(self, entity: int, purpose: int, index: int) -> float:
        """The draw with *index*. Those near it are kept, for they are likely to be asked for."""
        block, place = divmod(index, BATCH)
        key = (entity, purpose, block)
        if key not in self._blocks:
            self._blocks[key] = self.few(entity, purpose, block * BATCH, BATCH)
        return self._blocks[key][place]

    def stream(self, entity: int, purpose: int, first: int = 0) -> Stream:
        """The draws of one entity for one purpose, one after the other."""
        return Stream(self, entity, purpose, first)


class Stream:
    """Uniform numbers in (0, 1), drawn one by one (made in batches that grow)."""

    __slots__ = ("_entity", "_numbers", "_position", "_purpose", "_streams", "drawn")

    def __init__(self, streams: Streams, entity: int, purpose: int, first: int = 0) -> None:
        self._streams, self._entity, self._purpose = streams, entity, purpose
        self._numbers: list[float] = []
        self._position = 0
        self.drawn = first

    def uniform(self) -> float:
        """The next number."""
        if self._position == len(self._numbers):
            size = min(max(2 * self._position, BATCH), LARGEST_BATCH)
            self._numbers = self._streams.few(self._entity, self._purpose, self.drawn, size)
            self._position = 0
        number = self._numbers[self._position]
        self._position += 1
        self.drawn += 1
        return number

    def index(self, size: int) -> int:
        """A number from 0 to *size* - 1, each with equal chance."""
        return int(self.uniform() * size)


CRASH = stable_hash("failure and repair")
HEARTBEAT_PHASE = stable_hash("heartbeat phase")
HEARTBEAT_DELAY = stable_hash("heartbeat delay")
HEARTBEAT_LATE = stable_hash("late or lost heartbeats")
MESSAGE = stable_hash("message delay")
SERVICE = stable_hash("the server's time for a heartbeat")
PLACEMENT = stable_hash("initial placement")
SCHEDULER = stable_hash("scheduler")
FUZZ = stable_hash("periodic task start")
LOAD = stable_hash("router load")
BACKOFF = stable_hash("pause after a time-out")
LOOP = stable_hash("periodic loop of the server")
ADVERT = stable_hash("phase of VRRP advertisements")
HEALTH_CHECK = stable_hash("phase of a VRRP replica's checks")
ARRIVAL = stable_hash("workload change")
