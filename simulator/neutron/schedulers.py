"""Schedulers: which of the candidates get an object. A choice binds nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol


class Draws(Protocol):
    """A stream of random choices."""

    def index(self, size: int, /) -> int:
        """A number from 0 to *size* - 1."""


def chance(candidates: Sequence[str], count: int, draws: Draws) -> list[str]:
    """*count* of the candidates at random, without preference.

    Source: quantum/scheduler/dhcp_agent_scheduler.py, l3_agent_scheduler.py at 2013.1.5
    (random.choice, for one).
    """
    pool = list(candidates)
    return [pool.pop(draws.index(len(pool))) for _ in range(min(count, len(pool)))]


SCHEDULERS: Mapping[str, Callable[[Sequence[str], int, Draws], list[str]]] = {
    "ChanceScheduler": chance,
}
