"""When a process tries again: to connect to the broker, or to call the server.

Reconnecting follows Grizzly's impl_kombu (rabbit_max_retries 0): attempts 0, 1, 4, 9, …, 225 s
after the connection was found broken, then every 30 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from simulator.clock import quantize
from simulator.world.streams import Stream

LAST_SQUARE = 15  # 15 squared s, then every 30 s
STEADY_RETRY = 30.0


def next_attempt(since: float, now: float) -> float:
    """The first attempt to reconnect at *now* or later, of those that began at *since*."""
    if now <= since:
        return since
    waited = now - since
    steps = math.isqrt(math.ceil(waited) - 1) + 1  # smallest n with n * n >= waited
    if steps <= LAST_SQUARE:
        return since + steps * steps
    over = waited - LAST_SQUARE**2
    return since + LAST_SQUARE**2 + math.ceil(over / STEADY_RETRY) * STEADY_RETRY


class Patience:
    """How long one process waits for the answers of one kind of call.

    With back-off, each time-out doubles what comes after it, up to *most*, until the process ends;
    and the caller pauses for U(0, min(time-out, base)). Source: BackingOffClient,
    neutron/common/rpc.py (3e668b6a37, bug 1554332).
    """

    def __init__(self, base: float, most: float, draws: Callable[[], Stream]) -> None:
        self.seconds = base
        self._base, self._most, self._draws = base, most, draws
        self._stream: Stream | None = None

    def expired(self, waited: float | None = None) -> float:
        """A call timed out: wait longer from now on, and first pause for the seconds returned.

        *waited*: how long it waited, where there may be several at a time, which double it once.
        """
        waited = self.seconds if waited is None else waited
        if self._most <= self._base:
            return 0.0
        self._stream = self._stream or self._draws()
        pause = self._stream.uniform() * min(self.seconds, self._base)
        self.seconds = max(self.seconds, min(2 * waited, self._most))
        return quantize(pause)
