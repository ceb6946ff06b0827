"""The clock's contract: time is a float number of seconds on a grid of 2**-20 s.

On that grid sums of doubles are exact up to 2**33 s (272 years), so `now + T + T` equals
`start + 2 * T` and two ways to compute one instant give one instant. Everything that enters the
clock, a drawn duration or a setting, is put on the grid once, by `quantize`.

Events at one instant happen in the order of their rank, then of their subject's number:
"""

from __future__ import annotations

import math
from enum import IntEnum

TICKS_PER_SECOND = 2**20
TICK = 1.0 / TICKS_PER_SECOND
EXACT_LIMIT = 2.0**33


class Rank(IntEnum):
    """What goes first when several things happen at one instant.

    Faults come before repairs, both before messages, and messages before those who look: a
    heartbeat due at the very instant of a crash is not sent; one processed at the instant of a
    query is seen by it.
    """

    FAIL = 1
    REPAIR = 2
    CONNECT = 3
    EMIT = 4
    DELIVER = 5
    AGENT = 6
    REQUEST = 7
    CHECK = 8


def quantize(seconds: float) -> float:
    """The instant or duration of the grid nearest to *seconds*; infinity stays."""
    if math.isinf(seconds):
        return seconds
    return round(seconds * TICKS_PER_SECOND) / TICKS_PER_SECOND
