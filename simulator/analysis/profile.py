"""The daily profile of loads: which factor holds when."""

from __future__ import annotations

import numpy as np

from simulator.trace import Floats
from simulator.units import DAY


class Profile:
    """A daily load profile: for each factor, how long it held up to a time."""

    def __init__(self, daily: tuple[tuple[float, float], ...]) -> None:
        steps = daily or ((0.0, 1.0),)
        edges = [since for since, _ in steps[1:]] + [DAY]
        self._starts = np.array([[since] for since, _ in steps])
        self._lengths = np.array([[edge] for edge in edges]) - self._starts
        self.factors = [factor for _, factor in steps]

    def held(self, times: Floats) -> Floats:
        """Seconds of each step in [0, t), one row a step."""
        if len(self.factors) == 1:
            return times[np.newaxis]
        days, rest = np.divmod(times, DAY)
        part = np.minimum(np.maximum(rest - self._starts, 0.0), self._lengths)
        held: Floats = days * self._lengths + part
        return held

    def weight(self, times: Floats) -> Floats:
        """The integral of the factor over [0, t)."""
        total: Floats = np.asarray(self.factors) @ self.held(times)
        return total
