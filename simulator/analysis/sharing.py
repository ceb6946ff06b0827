"""What is lost where demands share a node or an uplink that cannot carry them all.

A group is those who share one capacity. Between two changes of its own it is in one state, whatever
happens elsewhere, and only states that ask for more than there is are looked into. So a change
costs what its group holds, and next to nothing where there is room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.demands import Demands
from simulator.analysis.intervals import Rows, distinct, every, order_of
from simulator.analysis.profile import Profile
from simulator.trace import Floats, Ints

RELATIVE = 1e-9  # carried counts as below offered by more than this share
CELLS = 1_000_000
"""How many rates are looked into at once; those of one state are in any case."""


@dataclass(frozen=True)
class Losses:
    """What did not come to each *group* from one instant to another.

    *rate*, bit/s, has a row for each factor.
    """

    group: Ints
    begin: Ints
    end: Ints
    rate: Floats


class States:
    """What groups are between two changes of theirs, by group and time.

    Row i of all that is served is in states *first*[i] to *stop*[i], loss i in *begins*[i] to
    *ends*[i]. The last state of a group has no *members*.
    """

    def __init__(self, size: int, group: Ints, served: tuple[Ints, Ints], lost: Losses) -> None:
        """*size* is that of all instants, so that group and instant make one number."""
        self._size = size
        rows = [group * size + instant for instant in served]
        edges = [lost.group * size + instant for instant in (lost.begin, lost.end)]
        self._keys = distinct(np.concatenate(rows + edges))
        self.first, self.stop = (np.searchsorted(self._keys, one) for one in rows)
        self.begins, self.ends = (np.searchsorted(self._keys, one) for one in edges)
        self.group, self.begin = np.divmod(self._keys, size)
        self.end = np.append(self.begin[1:], 0)
        self.members = self.running(self.first, self.stop)

    def running(self, first: Ints, stop: Ints, weight: Floats | None = None) -> NDArray[Any]:
        """How many are in each state, or their *weight*; each from *first* to *stop*."""
        return _running(self._keys.size, first, stop, weight)

    def at(self, group: Ints, instant: Ints) -> Ints:
        """The states of groups at instants."""
        place: Ints = np.searchsorted(self._keys, group * self._size + instant, side="right")
        return place - 1

    def cells(self, some: Ints) -> tuple[Ints, Ints]:
        """The rows in each of *some* states: which row, and of which of *some*, in their order."""
        row, place = every(np.searchsorted(some, self.first), np.searchsorted(some, self.stop))
        order = order_of(place)
        return row[order], place[order]


@dataclass(frozen=True)
class Cuts:
    """The water *level* of each of the *states*, bit/s, infinity if all fits.

    It has a row for each factor. *group* is that of each row of what is served; *lost* is what the
    groups that come next do not get.
    """

    group: Ints
    states: States
    level: Floats
    lost: Losses


class Sharing:
    """Which part of *demands*, served in *rows*, is lost, and for how long any is.

    An instant is the number of its time among all at which anything changes.
    """

    def __init__(self, demands: Demands, rows: Rows, profile: Profile) -> None:
        lives = demands.lives
        times = distinct(np.concatenate([rows.start, rows.end, lives.start, lives.end]))
        self._served = np.searchsorted(times, rows.start), np.searchsorted(times, rows.end)
        self._lives = np.searchsorted(times, lives.start), np.searchsorted(times, lives.end)
        self._held, self._factors = profile.held(times), np.array(profile.factors)
        self._owner, self._asked, self._load = rows.owner, demands.load, demands.load[rows.owner]
        self._losses: list[Losses] = []
        self.lost = np.zeros(demands.load.size)
        """Bits of each demand."""

    def cut(self, group: Ints, capacity: Floats, after: Ints, before: Cuts | None = None) -> Cuts:
        """Share the *capacity* of each group among what *before* leaves of the demands.

        Each row goes by its *group*, and on to the group *after* it.
        """
        missing = before.lost if before else _joined([], self._factors.size)
        states = States(self._held.shape[1], group, self._served, missing)
        asked = np.outer(self._factors, states.running(states.first, states.stop, self._load))
        asked -= [states.running(states.begins, states.ends, rate) for rate in missing.rate]
        full = (states.members > 0) & np.any(asked > capacity[states.group], axis=0)
        level, losses = np.full(asked.shape, np.inf), []
        for some in _portions(np.flatnonzero(full), states.members):
            row, place = states.cells(some)
            rates = self._rates(row, states.begin[some][place], before)
            level[:, some] = _levels(rates, place, capacity[states.group[some]])
            rates = np.maximum(rates - level[:, some[place]], 0.0)
            seconds = self._held[:, states.end[some]] - self._held[:, states.begin[some]]
            bits = np.sum(rates * seconds[:, place], axis=0)
            self.lost += np.bincount(self._owner[row], bits, self.lost.size)
            losses.append(_losses(states, some[place], after[row], rates))
        found = Cuts(group, states, level, _joined(losses, self._factors.size))
        self._losses.append(found.lost)
        return found

    def _rates(self, row: Ints, instant: Ints, before: Cuts | None) -> Floats:
        """What is left of each *row* at its *instant*, one row a factor."""
        rates: Floats = np.outer(self._factors, self._load[row])
        if before:
            state = before.states.at(before.group[row], instant)
            np.minimum(rates, before.level[:, state], out=rates)
        return rates

    def below(self) -> float:
        """Seconds in which less is carried than asked for."""
        size = self._held.shape[1]
        asked = _running(size, *self._lives, self._asked)
        lost = np.outer(self._factors, asked - _running(size, *self._served, self._load))
        losing = _running(size, *self._lives) - _running(size, *self._served)
        for losses in self._losses:
            lost += [_running(size, losses.begin, losses.end, rate) for rate in losses.rate]
            losing += _running(size, losses.begin, losses.end)
        # Nobody loses what rounding leaves in the sums.
        short = (losing > 0) & (lost > RELATIVE * np.outer(self._factors, asked))
        return float(np.sum(np.diff(self._held, axis=1)[short[:, :-1]]))


def _running(size: int, first: Ints, stop: Ints, weight: Floats | None = None) -> NDArray[Any]:
    """How many hold at each of *size* places, or their *weight*: each from *first* to *stop*."""
    return np.cumsum(np.bincount(first, weight, size) - np.bincount(stop, weight, size))


def _portions(states: Ints, members: Ints) -> Iterator[Ints]:
    """The *states* in portions that are not too much at once, if all were as wide as the widest."""
    if states.size > 1 and states.size * members[states].max() > CELLS:
        middle = states.size // 2
        yield from _portions(states[:middle], members)
        yield from _portions(states[middle:], members)
    elif states.size:
        yield states


def _levels(rates: Floats, place: Ints, capacity: Floats) -> Floats:
    """The water level of each place, one row a factor, from *rates*, which are in its order."""
    slot = np.arange(place.size) - np.searchsorted(place, place)
    table = np.zeros((capacity.size, int(slot.max()) + 1))
    found = np.empty((len(rates), capacity.size))
    for i, rate in enumerate(rates):
        table[place, slot] = rate
        found[i] = water_levels(table, capacity)
    return found


def water_levels(demands: Floats, capacity: Floats) -> Floats:
    """For each row of *demands* the level at which sum(min(demand, level)) = capacity.

    Infinity if all fits. Bertsekas and Gallager, Data Networks, 6.5.2: raise all shares together,
    and let go whose demand is met; so demands of zero, which are met at once, change nothing.
    """
    ordered = np.sort(demands, axis=1)
    met = np.cumsum(ordered, axis=1) - ordered
    level = (capacity[:, np.newaxis] - met) / np.arange(ordered.shape[1], 0, -1)
    short = level < ordered
    first = np.argmax(short, axis=1)[:, np.newaxis]
    found: Floats = np.where(
        np.take_along_axis(short, first, axis=1), np.take_along_axis(level, first, axis=1), np.inf
    )[:, 0]
    return found


def _losses(states: States, state: Ints, after: Ints, rates: Floats) -> Losses:
    """What cells in some *state* lost, *rates*, by the groups *after* it."""
    lossy = np.flatnonzero(rates.any(axis=0))
    width = int(after.max()) + 1
    pairs, which = np.unique(state[lossy] * width + after[lossy], return_inverse=True)
    state, group = np.divmod(pairs, width)
    sums = [np.bincount(which, rate, pairs.size) for rate in rates[:, lossy]]
    return Losses(group, states.begin[state], states.end[state], np.array(sums))


def _joined(parts: list[Losses], factors: int) -> Losses:
    """All losses, for so many *factors*."""
    nothing = np.empty(0, dtype=np.int64)
    parts = [Losses(nothing, nothing, nothing, np.empty((factors, 0))), *parts]
    return Losses(
        np.concatenate([part.group for part in parts]),
        np.concatenate([part.begin for part in parts]),
        np.concatenate([part.end for part in parts]),
        np.concatenate([part.rate for part in parts], axis=1),
    )
