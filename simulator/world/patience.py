"""How long callers wait for answers."""

from __future__ import annotations

from simulator.clock import quantize
from simulator.world.streams import Stream


class Patience:
    """How long one process waits for the answers of one kind of call.

    With back-off, each time-out doubles what comes after it, up to *most*, until the process ends;
    and the caller pauses for U(0, min(time-out, base)). Source: BackingOffClient,
    neutron/common/rpc.py (3e668b6a37, bug 1554332).
    """

    def __init__(self, base: float, most: float, draws: Stream) -> None:
        self.seconds = base
        self._base, self._most, self._draws = base, most, draws

    def expired(self, waited: float | None = None) -> float:
        """A call timed out: wait longer from now on, and first pause for the seconds returned.

        *waited*: how long it waited, where there may be several at a time, which double it once.
        """
        waited = self.seconds if waited is None else waited
        if self._most <= self._base:
            return 0.0
        pause = self._draws.uniform() * min(self.seconds, self._base)
        self.seconds = max(self.seconds, min(2 * waited, self._most))
        return quantize(pause)
