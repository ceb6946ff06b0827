"""Probabilities as functions of time, and their exact means over a window.

A component in equilibrium has a constant one; one with delays after its repairs, with a script, or
that starts all up, settles. Whatever is made of several curves is computed on one `Grid`: Gauss and
Legendre's points between the instants at which a curve bends, and one point for the time in which
all have settled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.trace import Floats

POINTS = 20
"""Points between two bends: what is smooth there is integrated to rounding."""


@dataclass(frozen=True)
class Curve:
    """A probability (or a rate, 1/s) at each time; *bends* are where it is not smooth.

    It is constant from the last bend on (s), and everywhere if it has none.
    """

    at: Callable[[Floats], Floats]
    bends: tuple[float, ...] = ()

    def times(self, other: Curve) -> Curve:
        """The product: both hold, independently."""
        return Curve(lambda t: self.at(t) * other.at(t), self.bends + other.bends)


def constant(value: float) -> Curve:
    """The same at all times."""
    return Curve(lambda times: np.full(times.shape, value))


ALWAYS = constant(1.0)
NEVER = constant(0.0)


class Grid:
    """Where curves are computed in a window, and what each point weighs."""

    def __init__(self, curves: Sequence[Curve], begin: float, end: float) -> None:
        inside = {bend for curve in curves for bend in curve.bends if begin < bend < end}
        self._edges = np.array([begin, *sorted(inside)])
        self.begin, self.end = begin, end
        bent = any(bend >= end for curve in curves for bend in curve.bends)
        if bent:  # something never settles in this window
            self._edges = np.append(self._edges, end)

    @cached_property
    def _points(self) -> tuple[Floats, Floats]:
        nodes, weights = np.polynomial.legendre.leggauss(POINTS)
        half = np.diff(self._edges)[:, np.newaxis] / 2
        middle = self._edges[:-1, np.newaxis] + half
        times, lengths = middle + half * nodes, half * weights
        rest = self.end - self._edges[-1]
        if rest > 0:
            times = np.append(times, (self._edges[-1] + self.end) / 2)
            lengths = np.append(lengths, rest)
        return times.ravel(), lengths.ravel()

    @property
    def times(self) -> Floats:
        """The points, s."""
        return self._points[0]

    @property
    def lengths(self) -> Floats:
        """The time that each point stands for, s."""
        return self._points[1]

    def mean(self, values: Floats) -> float:
        """The time average of *values*, given at `times`."""
        return self.total(values) / (self.end - self.begin)

    def total(self, values: Floats) -> float:
        """The integral of *values* over the window."""
        return float(np.dot(self.lengths, values))
