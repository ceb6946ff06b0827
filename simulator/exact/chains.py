"""Continuous-time Markov chains: states found from a first one, their laws in time and in the end.

Sources: Trivedi, Probability and Statistics with Reliability, Queuing, and Computer Science
Applications, 2nd ed., ch. 8: pi Q = 0 in the long run, pi(t) = pi(0) exp(Q t) before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from simulator.trace import Floats

State = TypeVar("State", bound=Hashable)
SETTLED = 40.0
"""After so many times its slowest time constant a chain is within exp(-40) of its end."""
WORST = 1e6
"""Eigenvectors of a worse condition are not trusted."""


class Chain(Generic[State]):
    """The states that can be reached from *firsts*; *steps* tells the rates, 1/s, out of one."""

    def __init__(
        self, firsts: Iterable[State], steps: Callable[[State], Iterable[tuple[State, float]]]
    ) -> None:
        self.number: dict[State, int] = {state: i for i, state in enumerate(firsts)}
        self._rates: dict[tuple[int, int], float] = {}
        waiting = list(self.number)
        while waiting:
            state = waiting.pop()
            for after, rate in steps(state):
                if after not in self.number:
                    self.number[after] = len(self.number)
                    waiting.append(after)
                pair = self.number[state], self.number[after]
                self._rates[pair] = self._rates.get(pair, 0.0) + rate

    @property
    def size(self) -> int:
        """How many states there are."""
        return len(self.number)

    @cached_property
    def generator(self) -> Floats:
        """The matrix Q: rates from row to column, and rows that add up to zero."""
        from scipy.sparse import coo_array

        pairs = list(self._rates)
        rows, columns = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        rates = list(self._rates.values())
        matrix = coo_array((rates, (rows, columns)), shape=(self.size, self.size)).toarray()
        np.fill_diagonal(matrix, matrix.diagonal() - matrix.sum(axis=1))
        return np.asarray(matrix, dtype=np.float64)

    def where(self, holds: Callable[[State], bool]) -> Floats:
        """1 for the states of which it *holds*, and 0 for the others."""
        return np.array([float(holds(state)) for state in self.number])

    def vector(self, law: Mapping[State, float]) -> Floats:
        """The law that gives each state its probability."""
        found = np.zeros(self.size)
        for state, probability in law.items():
            found[self.number[state]] += probability
        return found

    @cached_property
    def stationary(self) -> Floats:
        """The law in the long run: pi Q = 0, with probabilities that add up to one."""
        from scipy.sparse import csc_array
        from scipy.sparse.linalg import spsolve

        matrix = self.generator.T.copy()
        matrix[-1] = 1.0  # one balance equation follows from the others
        right = np.zeros(self.size)
        right[-1] = 1.0
        return np.asarray(spsolve(csc_array(matrix), right)).reshape(-1)

    def later(self, first: Floats, times: Floats) -> Floats:
        """The law at each of *times*, one row a time, of a chain that begins with *first*.

        What is off the stationary law dies out in the eigenvectors of Q, or, where they are too
        close to each other to tell them apart, by the exponential of the matrix itself.
        """
        off = first - self.stationary
        speeds, vectors, inverse = self._modes
        if inverse is not None:
            decay = np.exp(np.outer(times, speeds))
            return np.asarray(self.stationary + ((decay * (off @ vectors)) @ inverse).real)
        from scipy.linalg import expm

        moved = [off @ expm(self.generator * time) for time in times.tolist()]
        return np.asarray(self.stationary + np.array(moved).reshape(-1, self.size))

    @cached_property
    def _modes(self) -> tuple[Floats, Floats, Floats | None]:
        """Eigenvalues, eigenvectors as columns, and their inverse; None where that is unsure."""
        speeds, vectors = np.linalg.eig(self.generator)
        if np.linalg.cond(vectors) > WORST:
            return speeds, vectors, None
        return speeds, vectors, np.linalg.inv(vectors)

    @cached_property
    def bends(self) -> tuple[float, ...]:
        """Times between which the laws are smooth, each twice the one before, until it settles."""
        speeds = np.abs(self._modes[0].real)
        speeds = speeds[speeds > 1e-12 * speeds.max(initial=0.0)]
        if not speeds.size:
            return ()
        found, end = [1 / float(speeds.max())], SETTLED / float(speeds.min())
        while found[-1] < end:
            found.append(found[-1] * 2)
        return tuple(found)

    def absorbed(self, first: Floats, ends: Floats, time: float) -> float:
        """The chance to have been in one of the states marked in *ends* by *time*."""
        from scipy.linalg import expm

        matrix = self.generator.copy()
        matrix[ends > 0] = 0.0
        return float(first @ expm(matrix * time) @ ends)


def binomial(chances: Sequence[float]) -> Floats:
    """The law of how many of independent events of these *chances* happen."""
    law = np.array([1.0])
    for chance in chances:
        law = np.convolve(law, [1 - chance, chance])
    return law
